/**
 * The one answer to one request of a peer.
 *
 * Spark: the RpcResponseCallback that common/network-common/…/server/TransportRequestHandler.java gives its RpcHandler.
 *
 * @module
 */

import type { Int64 } from "../base/int64.ts";
import type { Content, RpcResponder } from "./rpc_response_callback.ts";

/** Who sends answers. */
export interface Answering {
  /** Sends the answer to a request; returns how many bytes it takes. Throws if it cannot be sent. */
  respond(idHigh: number, idLow: number, content: Content): number;
  /** Tells that a request failed. */
  respondFailure(requestId: Int64, failure: Error): void;
  /** A request has its answer. */
  answered(): void;
  /** Says that an answer was dropped because there was one already. */
  answeredTwice(): void;
}

/** Answers one request, once. */
export class RequestResponder implements RpcResponder {
  readonly #answering: Answering;
  readonly #idHigh: number;
  readonly #idLow: number;
  #answered: boolean;

  /** @param answering Sends the answer. @param idHigh The upper half of the request's id. @param idLow The lower half. */
  constructor(answering: Answering, idHigh: number, idLow: number) {
    this.#answering = answering;
    this.#idHigh = idHigh;
    this.#idLow = idLow;
    this.#answered = false;
  }

  onSuccess(content: Content): number {
    if (this.#answered) {
      this.#answering.answeredTwice();
      return 0;
    }
    // What throws here leaves the request without an answer, for onFailure; what answers here has done so already.
    const size = this.#answering.respond(this.#idHigh, this.#idLow, content);
    this.take();
    return size;
  }

  onFailure(error: Error): void {
    if (this.take()) this.#answering.respondFailure({ high: this.#idHigh, low: this.#idLow }, error);
  }

  /** Whether this is the first answer, which the caller sends; a later one is reported and dropped. */
  take(): boolean {
    if (this.#answered) {
      this.#answering.answeredTwice();
      return false;
    }
    this.#answered = true;
    this.#answering.answered();
    return true;
  }
}
