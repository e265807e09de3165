/**
 * The requests of one connection in turns: a few are worked on at once, and while others wait for their turn the connection is not
 * read. Each may open a file, or keep a block in memory until the disk has it, and a peer can write 20,000 of them into a megabyte.
 *
 * Spark: the thread of the connection, which works on one at a time.
 *
 * @module
 */

import { RingQueue } from "../base/ring_queue.ts";
import type { TransportClient } from "../transport/transport_client.ts";

/** How many requests of one connection are worked on at once. */
export const MAX_REQUESTS_AT_WORK: number = 16;
/** How many bytes those and the ones that wait may have; one request more may come. */
export const MAX_REQUEST_BYTES: number = 16 * 1024 * 1024;

/** The turns of one connection. */
export class RequestTurns {
  readonly #client: TransportClient;
  /** Bounded by what is read at once: nothing is while one waits. */
  readonly #waiting = new RingQueue<() => void>(Number.MAX_SAFE_INTEGER);
  #atWork = 0;
  #bytes = 0;

  /** @param client The connection. */
  constructor(client: TransportClient) {
    this.#client = client;
  }

  /**
   * Calls `begin` when there is a turn, at once or later; `end` gives it back.
   *
   * @param bytes How much memory the request holds.
   */
  take(bytes: number, begin: () => void): void {
    this.#bytes += bytes;
    const isItsTurn = this.#atWork < MAX_REQUESTS_AT_WORK;
    if (isItsTurn) this.#atWork++;
    else this.#waiting.push(begin);
    if (this.#isFull) this.#client.channel.autoRead.hold(this);
    if (isItsTurn) begin();
  }

  /** A request of so many bytes is over. */
  end(bytes: number): void {
    this.#bytes -= bytes;
    const next = this.#waiting.shift();
    if (next === undefined) this.#atWork--;
    else next();
    if (!this.#isFull) this.#client.channel.autoRead.release(this);
  }

  get #isFull(): boolean {
    return this.#waiting.length > 0 || this.#bytes >= MAX_REQUEST_BYTES;
  }
}
