/**
 * Bytes that were written and have not left yet, first in, first out: for the drivers whose runtime keeps no queue.
 *
 * How many bytes may wait is decided where they come in (`_base_socket.ts`); here they are only kept in order.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import { RingQueue } from "../base/ring_queue.ts";

/** A FIFO of chunks. A chunk that has left in part is kept as a view of its rest: nothing is copied. */
export class WriteQueue {
  readonly #chunks = new RingQueue<Uint8Array>(Number.MAX_SAFE_INTEGER);
  /** The rest of the first chunk, once a part of it has left. */
  #rest: Uint8Array | undefined;
  #bytes = 0;

  /** How many bytes wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * What has to leave next, or undefined if nothing waits.
   *
   * @throws {TypeError} If its memory is somebody else's by now: as no bytes it would never leave, and neither would what is behind it.
   */
  get first(): Uint8Array | undefined {
    const first = this.#rest ?? this.#chunks.peek();
    // None was empty when it came.
    if (first?.length === 0) throw new TypeError("Bytes that wait to be sent have no memory any more: it was transferred");
    return first;
  }

  /** Appends a chunk. An empty one is left out: to send no bytes looks like a full socket on Bun. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** Takes `count` bytes off the front: all of {@linkcode first}, or a part of it. */
  take(count: number): void {
    const { first } = this;
    assert(first !== undefined && count >= 0 && count <= first.length, "More bytes left than were queued");
    this.#bytes -= count;
    if (count < first.length) {
      this.#rest = first.subarray(count);
      return;
    }
    this.#rest = undefined;
    this.#chunks.shift();
  }

  /** Drops everything. */
  clear(): void {
    this.#chunks.clear();
    this.#rest = undefined;
    this.#bytes = 0;
  }
}
