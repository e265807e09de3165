/**
 * The bytes that a simulated socket was given to write, and the proof that nobody changed them before they left.
 *
 * @module
 */

import { AssertionError } from "../base/assert.ts";
import { RingQueue } from "../base/ring_queue.ts";

interface WrittenChunk {
  /** The caller's memory. */
  readonly memory: Uint8Array;
  /** What it held when it was written. */
  readonly written: Uint8Array;
}

/** A FIFO of written chunks. Each is copied at once, and compared with the caller's memory when it leaves. */
export class SimulatedWriteQueue {
  readonly #chunks = new RingQueue<WrittenChunk>(Number.MAX_SAFE_INTEGER);
  /** How much of the first chunk has left. */
  #offset = 0;
  #bytes = 0;

  /** How many bytes wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Appends a chunk. */
  push(memory: Uint8Array): void {
    if (memory.length === 0) return;
    this.#chunks.push({ memory, written: memory.slice() });
    this.#bytes += memory.length;
  }

  /**
   * Takes `count` bytes off the front, as memory of their own.
   *
   * Throws an AssertionError if the memory of one of them was changed since it was written: that is a bug of whoever wrote.
   */
  take(count: number): Uint8Array {
    const run = new Uint8Array(count);
    for (let filled = 0; filled < count;) {
      const { memory, written } = this.#chunks.peek()!;
      const end = Math.min(written.length, this.#offset + count - filled);
      checkUnchanged(memory, written, this.#offset, end);
      run.set(written.subarray(this.#offset, end), filled);
      filled += end - this.#offset;
      this.#offset = end;
      if (end < written.length) break;
      this.#chunks.shift();
      this.#offset = 0;
    }
    this.#bytes -= count;
    return run;
  }

  /** Drops everything. */
  clear(): void {
    this.#chunks.clear();
    this.#offset = 0;
    this.#bytes = 0;
  }
}

function checkUnchanged(memory: Uint8Array, written: Uint8Array, start: number, end: number): void {
  for (let i = start; i < end; i++) {
    if (memory[i] === written[i]) continue;
    throw new AssertionError(`Memory was changed before it had left the queue: byte ${i} of a write of ${written.length}`);
  }
}
