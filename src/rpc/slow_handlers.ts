/**
 * Names the endpoints whose handlers take longer than a second, counting each message once.
 *
 * Spark has nothing like it; its users ask for it. One scan a second over the inboxes costs nothing per message.
 *
 * @module
 */

import type { Clock, Timer } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Inbox } from "./inbox.ts";
import { describeMessage, type InboxMessage } from "./inbox_message.ts";

/** How often is looked; a message that is in hand at two looks is slow. */
const SCAN_INTERVAL_MS = 1_000;

/** Scans inboxes as long as a message is in somebody's hands. */
export class SlowHandlers {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #inboxes: () => Iterable<Inbox>;
  #timer: Timer | undefined;
  #stopped = false;

  /** @param inboxes All inboxes there are. */
  constructor(clock: Clock, logger: Logger, inboxes: () => Iterable<Inbox>) {
    this.#clock = clock;
    this.#logger = logger;
    this.#inboxes = inboxes;
  }

  /** A handler has returned a promise. */
  watch(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    this.#timer = this.#clock.setTimer(SCAN_INTERVAL_MS, () => this.#scan());
  }

  /** Ends the scans. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #scan(): void {
    this.#timer = undefined;
    let inHand = 0;
    for (const inbox of this.#inboxes()) {
      inHand += inbox.messagesInHand;
      this.#warn(inbox.name, inbox.scanSlow());
    }
    if (inHand > 0) this.watch();
  }

  /** There may be as many as are taken at once, for one and the same reason. */
  #warn(name: string, [first, ...others]: readonly InboxMessage[]): void {
    if (first === undefined) return;
    const more = others.length === 0 ? "" : ` and ${others.length} other messages`;
    this.#logger.warning(`Endpoint ${name} has been handling ${describeMessage(first)}${more} for more than a second`);
  }
}
