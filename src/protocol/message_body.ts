/**
 * The body of a message: bytes that are borrowed from the connection until somebody takes them.
 *
 * Spark: common/network-common/…/buffer/NettyManagedBuffer.java, whose reference count `take` stands for.
 *
 * @module
 */

/** Bytes `[start, end)` of some memory. Whoever keeps them longer than the call that gave them calls {@linkcode take}. */
export class MessageBody {
  /** The memory that the body lies in. */
  readonly memory: Uint8Array;
  /** Where the body begins. */
  readonly start: number;
  /** Where the body ends. */
  readonly end: number;
  /** Whether the memory stays as it is after the call. */
  readonly owned: boolean;

  /** A body in `[start, end)` of `memory`. */
  constructor(memory: Uint8Array, start = 0, end: number = memory.length, owned = true) {
    this.memory = memory;
    this.start = start;
    this.end = end;
    this.owned = owned;
  }

  /** How many bytes it has. */
  get length(): number {
    return this.end - this.start;
  }

  /** A view of the bytes, valid until the call that gave the body returns. */
  get bytes(): Uint8Array {
    return this.memory.subarray(this.start, this.end);
  }

  /** The bytes for as long as one likes: a view where the memory is owned, a copy otherwise. */
  take(): Uint8Array {
    return this.owned ? this.bytes : this.memory.slice(this.start, this.end);
  }
}
