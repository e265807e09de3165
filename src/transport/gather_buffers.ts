/**
 * The memory that a connection's frames are gathered in: one buffer fills while the socket may still have others.
 *
 * Spark: Netty's pooled ByteBufs.
 *
 * @module
 */

import { RingQueue } from "../base/ring_queue.ts";

/** Size of a gather buffer. A larger one gains nothing. */
export const GATHER_BYTES: number = 64 * 1024;
/** A buffer that one large frame made larger than this is not kept. */
export const MAX_POOLED_BYTES: number = 256 * 1024;
/** How many buffers are kept for the next writes. */
const MAX_POOLED_BUFFERS = 4;

/** A buffer that the socket still has, and where in the connection's bytes it ends. */
interface InFlight {
  readonly bytes: Uint8Array;
  readonly end: number;
}

/** The buffers of one connection that are not being filled. */
export class GatherBuffers {
  readonly #inFlight = new RingQueue<InFlight>(Number.MAX_SAFE_INTEGER);
  #pool: Uint8Array[] = [];

  /**
   * The socket has `bytes` for now; returns memory to go on in.
   *
   * @param bytes What has been written.
   * @param end How many bytes the connection has been given, these included.
   * @param left How many of them have left this process.
   */
  exchange(bytes: Uint8Array, end: number, left: number): Uint8Array {
    // A larger one is the socket's alone from here on: nobody would be told to let go of it.
    if (bytes.length <= MAX_POOLED_BYTES) this.#inFlight.push({ bytes, end });
    this.takeBack(left);
    return this.#pool.pop() ?? new Uint8Array(Math.min(bytes.length, GATHER_BYTES));
  }

  /** The socket has no use any more for what lies before `left`: a few of its buffers are kept for the next writes. */
  takeBack(left: number): void {
    for (let first = this.#inFlight.peek(); first !== undefined && first.end <= left; first = this.#inFlight.peek()) {
      this.#inFlight.shift();
      if (this.#pool.length < MAX_POOLED_BUFFERS) this.#pool.push(first.bytes);
    }
  }

  /** Forgets all of them. */
  clear(): void {
    this.#inFlight.clear();
    this.#pool = [];
  }
}
