/**
 * How requests for bodies are answered, and what is said of bodies that could not be sent.
 *
 * @module
 */

import { RpcError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { Channel } from "./channel.ts";
import type { TransportMetrics } from "./transport_metrics.ts";

/** How a connection answers requests for bodies. */
export interface BodyAnswering {
  /** Hears of what could not be sent. */
  readonly unsent: UnsentBodies;
  /** What a peer is told of a failure. */
  readonly failureText: (error: Error) => string;
  /** Runs what the application does; what it throws is logged. */
  readonly guard: (run: () => void) => void;
  /** Counts what is sent. */
  readonly metrics: TransportMetrics;
}

/** Tells of the bodies of one connection. */
export class UnsentBodies {
  readonly #logger: Logger;
  readonly #channel: Pick<Channel, "remote">;
  #isReaderGone = false;

  /** @param logger Hears of them. @param channel Leads to who reads them. */
  constructor(logger: Logger, channel: Pick<Channel, "remote">) {
    this.#logger = logger;
    this.#channel = channel;
  }

  /**
   * Logs that `what` has not been sent whole. That its reader has gone is an end like others: then no stack is told, and once will do,
   * since that is the end of all that it has asked for, which may be very much.
   */
  log(what: string, error: Error): void {
    const message = `Error sending ${what} to ${this.#channel.remote}: ${error.message}`;
    const isGone = RpcError.is(error) && (error.code === "SOCKET" || error.code === "DISCONNECTED");
    if (!isGone) this.#logger.warning(message, error);
    else this.#logger[this.#isReaderGone ? "debug" : "warning"](message);
    this.#isReaderGone ||= isGone;
  }
}
