/**
 * When a connection's frames leave: once no more of them are being added.
 *
 * Spark: Netty's `writeAndFlush`, which flushes every message by itself. Here a flush waits until the buffer has stopped growing, which
 * is worth a factor of five on small messages.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";

/** Microtask turns without a new frame after which the buffer leaves, unless handlers work on answers. */
const QUIET_TURNS = 2;

/** What is flushed. */
export interface Gathering {
  /** How many bytes wait to be flushed. */
  readonly gatheredBytes: number;
  /** How many requests of the peer are being worked on: while there are any, answers are likely soon. */
  readonly handlersAtWork: number;
  /** Hands all of them on. */
  flush(): void;
}

/** Flushes what is gathered, some microtasks after it was told to or when the event loop has its turn. */
export class SettlingFlush {
  /** Whether a flush is on its way. */
  settling = false;
  readonly #gathering: Gathering;
  readonly #clock: Clock;
  #seenBytes = 0;
  #quietTurns = 0;

  /** @param clock Gives the turns. */
  constructor(gathering: Gathering, clock: Clock) {
    this.#gathering = gathering;
    this.#clock = clock;
  }

  /** Something has been gathered, and no flush is on its way. */
  begin(): void {
    this.settling = true;
    this.#seenBytes = this.#gathering.gatheredBytes;
    this.#quietTurns = 0;
    this.#clock.soon(this.#settle);
  }

  /**
   * Waits until the buffer has stopped growing: in microtasks, or, while handlers work on answers, until the event loop has its
   * turn. Async handlers answer in a microtask each; a flush after the first one would send every answer alone, and a look after
   * each one costs as much as the answer's copying.
   */
  readonly #settle = (): void => {
    const bytes = this.#gathering.gatheredBytes;
    if (this.#gathering.handlersAtWork > 0 && bytes > 0) {
      this.#clock.yieldThen(this.#end);
      return;
    }
    if (bytes !== this.#seenBytes) {
      this.#seenBytes = bytes;
      this.#quietTurns = 0;
    } else if (bytes === 0 || ++this.#quietTurns >= QUIET_TURNS) {
      this.#end();
      return;
    }
    this.#clock.soon(this.#settle);
  };

  readonly #end = (): void => {
    this.settling = false;
    this.#gathering.flush();
  };
}
