/**
 * Bytes to be sent that need not be in memory: the body of a stream or of a chunk.
 *
 * Spark: common/network-common/…/buffer/ManagedBuffer.java, NioManagedBuffer.java.
 *
 * @module
 */

import { checkAttached } from "../base/bytes.ts";

const classText = Object.prototype.toString;

/** Bytes of known length, read in order or not, and released when nobody needs them any more. */
export interface ManagedBuffer {
  /** How many bytes there are. */
  readonly size: number;
  /** All bytes, where they are in memory. */
  readonly bytes?: Uint8Array | undefined;
  /**
   * Whether `bytes` stay as they are after the last release: a connection then sends them from where they are. Of others it sends
   * a copy, since its socket may have the last of them for a while after the release.
   *
   * @default false
   */
  readonly keepsBytes?: boolean | undefined;
  /** Reads at least one byte at `position` into `into` and says how many; it fails where the bytes are fewer than `size`. */
  read(position: number, into: Uint8Array): number | Promise<number>;
  /** Nobody wants what is being read, nor what is behind it: the read may fail at once. Who holds it releases it all the same. */
  cancel?(): void;
  /** Keeps it alive once more. */
  retain(): this;
  /** Gives it up once; the last one frees what is behind it. */
  release(): void;
}

/**
 * Checks the size of a buffer, and that its `bytes`, where it has them in memory, are as many.
 *
 * @throws {RangeError} If not: the peer would wait in vain for what it was promised, or take what is left over for frames.
 */
export function checkSize({ size }: ManagedBuffer, bytes: Uint8Array | undefined): void {
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`Size of a body must be a whole number of bytes: ${size}`);
  if (bytes !== undefined && bytes.length !== size) throw new RangeError(`A body of ${size} bytes has ${bytes.length}`);
}

/**
 * A buffer in memory. Spark: NioManagedBuffer.
 *
 * @example
 * ```ts
 * import { BytesManagedBuffer } from "@sparkwire/sparkwire";
 *
 * const buffer = new BytesManagedBuffer(Uint8Array.of(1, 2, 3));
 * const into = new Uint8Array(10);
 * if (buffer.read(1, into) !== 2 || into[1] !== 3) throw new Error("not the last two");
 * ```
 */
export class BytesManagedBuffer implements ManagedBuffer {
  /** All of them. */
  readonly bytes: Uint8Array;
  /** How many there are. Where they are fewer by the time that they are sent, their memory has been transferred. */
  readonly size: number;
  /** Nobody uses their memory for anything else. */
  readonly keepsBytes = true;

  /**
   * Makes a buffer of bytes.
   *
   * @param bytes What to send; not copied.
   * @throws {TypeError} If it is no Uint8Array: the length of another array is not that of its bytes. And if its memory has been
   * transferred.
   */
  constructor(bytes: Uint8Array) {
    // Not by the class: that of another realm is another one.
    const what = classText.call(bytes);
    if (what !== "[object Uint8Array]") {
      throw new TypeError(`The bytes of a BytesManagedBuffer must be a Uint8Array, not ${what}`);
    }
    if (bytes.length === 0) checkAttached(bytes);
    this.bytes = bytes;
    this.size = bytes.length;
  }

  /** Copies bytes from `position` on, as many as `into` holds. */
  read(position: number, into: Uint8Array): number {
    const part = this.bytes.subarray(position, position + into.length);
    into.set(part);
    return part.length;
  }

  /** Without effect: memory needs no release. */
  retain(): this {
    return this;
  }

  /** Without effect: memory needs no release. */
  release(): void {}
}
