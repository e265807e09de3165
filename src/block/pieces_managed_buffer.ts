/**
 * Bytes in memory as the pieces that they came in: put together only for who wants them in one.
 *
 * Spark: the CompositeByteBuf behind NettyManagedBuffer; ChunkedByteBuffer in core/…/util/io.
 *
 * @module
 */

import type { ManagedBuffer } from "../protocol/managed_buffer.ts";

/** A buffer of pieces. */
export class PiecesManagedBuffer implements ManagedBuffer {
  /** How many bytes there are. */
  readonly size: number;
  #pieces: readonly Uint8Array[];

  /** @param pieces The bytes, in their order; not copied. */
  constructor(pieces: readonly Uint8Array[]) {
    this.size = pieces.reduce((all, piece) => all + piece.length, 0);
    this.#pieces = pieces;
  }

  /** All of them, in one piece from now on. */
  get bytes(): Uint8Array {
    const [first] = this.#pieces;
    if (this.#pieces.length === 1 && first !== undefined) return first;
    const whole = new Uint8Array(this.size);
    this.read(0, whole);
    this.#pieces = [whole];
    return whole;
  }

  /** Copies bytes from `position` on, as many as `into` holds. */
  read(position: number, into: Uint8Array): number {
    let count = 0;
    let skipped = position;
    for (const piece of this.#pieces) {
      if (count === into.length) break;
      const part = piece.subarray(skipped, skipped + into.length - count);
      into.set(part, count);
      count += part.length;
      skipped = Math.max(0, skipped - piece.length);
    }
    return count;
  }

  /** Without effect: memory needs no release. */
  retain(): this {
    return this;
  }

  /** Without effect: memory needs no release. */
  release(): void {}
}
