/**
 * Bytes that were written and have not left yet, first in, first out: for the drivers whose runtime keeps no queue.
 *
 * How many bytes may wait is decided where they come in (`_base_socket.ts`); here they are only kept in order.
 *
 * @module
 */

import { assert } from "../base/assert.ts";

/** Below this many spent places the list is not moved together: moving it would cost more than it frees. */
const MIN_SPENT = 64;

/** A FIFO of chunks. A chunk that has left in part is kept as a view of its rest: nothing is copied. */
export class WriteQueue {
  #chunks: Uint8Array[] = [];
  /** Index of the first chunk that has not left; the places before it are spent. */
  #head = 0;
  #bytes = 0;

  /** How many bytes wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What has to leave next, or undefined if nothing waits. */
  get first(): Uint8Array | undefined {
    return this.#chunks[this.#head];
  }

  /** Appends a chunk. An empty one is left out: to send no bytes looks like a full socket on Bun. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** Takes `count` bytes off the front: all of {@linkcode first}, or a part of it. */
  take(count: number): void {
    const first = this.#chunks[this.#head];
    assert(first !== undefined && count >= 0 && count <= first.length, "More bytes left than were queued");
    this.#bytes -= count;
    if (count < first.length) this.#chunks[this.#head] = first.subarray(count);
    else this.#next();
  }

  /** Drops everything. */
  clear(): void {
    this.#chunks = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  #next(): void {
    this.#head++;
    if (this.#head === this.#chunks.length) {
      this.#chunks.length = 0;
      this.#head = 0;
    } else if (this.#head >= MIN_SPENT && this.#head * 2 >= this.#chunks.length) {
      // Spent places hold on to the memory of chunks that have left. Each chunk is moved at most once per halving.
      this.#chunks.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
