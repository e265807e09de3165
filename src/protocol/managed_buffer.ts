/**
 * Bytes to be sent that need not be in memory: the body of a stream or of a chunk.
 *
 * Spark: common/network-common/…/buffer/ManagedBuffer.java, NioManagedBuffer.java.
 *
 * @module
 */

/** Bytes of known length, read in order or not, and released when nobody needs them any more. */
export interface ManagedBuffer {
  /** How many bytes there are. */
  readonly size: number;
  /** All bytes, where they are in memory. */
  readonly bytes?: Uint8Array | undefined;
  /** Reads at least one byte at `position` into `into` and says how many; it fails where the bytes are fewer than `size`. */
  read(position: number, into: Uint8Array): number | Promise<number>;
  /** Keeps it alive once more. */
  retain(): this;
  /** Gives it up once; the last one frees what is behind it. */
  release(): void;
}

/** A buffer in memory. Spark: NioManagedBuffer. */
export class BytesManagedBuffer implements ManagedBuffer {
  readonly bytes: Uint8Array;

  /** @param bytes What to send; not copied. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get size(): number {
    return this.bytes.length;
  }

  read(position: number, into: Uint8Array): number {
    const part = this.bytes.subarray(position, position + into.length);
    into.set(part);
    return part.length;
  }

  retain(): this {
    return this;
  }

  release(): void {}
}
