/**
 * Writing of bytes in network order: integers, strings in UTF-8 and in Java's modified UTF-8.
 *
 * @module
 */

import { highOfSafe, int64FromBigInt } from "./int64.ts";

/** Taken once: asking an array for a method is a call of its own at each use (Node 20, whose V8 does not look it up ahead). */
const { set } = Uint8Array.prototype;
const encoder = new TextEncoder();
const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);

/** Up to this many characters a loop is faster than TextEncoder, which costs 0.3 µs a call on Node 20. */
const SHORT_TEXT = 64;

/** Up to this many bytes a loop is faster than the call of `set`, which takes 15 ns. */
const LOOPED_BYTES = 8;

/** Longest text of Java's `writeUTF`: its length is an unsigned 16-bit number. */
export const MAX_MODIFIED_UTF8_BYTES = 65_535;

/**
 * A growing buffer with a position: where messages are written. It is reused; no object is made per message.
 *
 * `bytes` is replaced when it grows, so nobody keeps it across a write.
 *
 * @example
 * ```ts
 * import { ByteReader, ByteSink } from "@sparkwire/sparkwire";
 *
 * const out = new ByteSink();
 * out.writeInt32(0);
 * out.setInt32(0, out.writeUtf8("Spark"));
 * const reader = new ByteReader(out.view(), (message, offset) => new RangeError(`${message}, at byte ${offset}`));
 * if (reader.readUtf8(reader.readInt32("length"), "text") !== "Spark") throw new Error("not what was written");
 * ```
 */
export class ByteSink {
  /** The memory; what is written lies in `[0, position)`. */
  bytes: Uint8Array;
  /** Where the next byte goes. */
  position = 0;
  readonly #onGrow: (position: number) => void;

  /**
   * Begins at the first byte.
   *
   * @param capacity Size of the first buffer, in bytes.
   * @param onGrow Is told how much is written before more memory is taken. What it throws, the write throws. Without one there is no
   * limit.
   */
  constructor(capacity = 1024, onGrow: (position: number) => void = noLimit) {
    this.bytes = new Uint8Array(capacity);
    this.#onGrow = onGrow;
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const needed = this.position + count;
    if (needed > this.bytes.length) this.#grow(needed);
  }

  #grow(needed: number): void {
    this.#onGrow(this.position);
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.position));
    this.bytes = grown;
  }

  /** Appends one byte. */
  writeUint8(value: number): void {
    if (this.position === this.bytes.length) this.#grow(this.position + 1);
    this.bytes[this.position++] = value;
  }

  /** Appends an unsigned 16-bit integer. */
  writeUint16(value: number): void {
    this.reserve(2);
    this.bytes[this.position++] = value >>> 8;
    this.bytes[this.position++] = value;
  }

  /** Appends a 32-bit integer, signed or not. */
  writeInt32(value: number): void {
    this.reserve(4);
    this.setInt32(this.position, value);
    this.position += 4;
  }

  /** Overwrites four bytes at `offset`, which were written before. */
  setInt32(offset: number, value: number): void {
    const bytes = this.bytes;
    bytes[offset] = value >>> 24;
    bytes[offset + 1] = value >>> 16;
    bytes[offset + 2] = value >>> 8;
    bytes[offset + 3] = value;
  }

  /** Appends a 64-bit integer, given as two 32-bit halves. */
  writeInt64(high: number, low: number): void {
    this.reserve(8);
    this.setInt32(this.position, high);
    this.setInt32(this.position + 4, low);
    this.position += 8;
  }

  /** Appends a 64-bit integer, given as a safe integer. */
  writeSafeInt64(value: number): void {
    this.writeInt64(highOfSafe(value), value | 0);
  }

  /** Appends a 64-bit integer, given as a bigint, of which the low 64 bits count. */
  writeBigInt64(value: bigint): void {
    const { high, low } = int64FromBigInt(value);
    this.writeInt64(high, low);
  }

  /** Appends a 64-bit float. */
  writeFloat64(value: number): void {
    this.reserve(8);
    float[0] = value;
    for (let i = 7; i >= 0; i--) this.bytes[this.position++] = floatBytes[i]!;
  }

  /** Appends a copy of `source`. */
  writeBytes(source: Uint8Array): void {
    const length = source.length;
    this.reserve(length);
    if (length <= LOOPED_BYTES) {
      const { bytes, position } = this;
      for (let i = 0; i < length; i++) bytes[position + i] = source[i]!;
    } else {
      set.call(this.bytes, source, this.position);
    }
    this.position += length;
  }

  /** Appends `text` in UTF-8, without a length. Lone surrogates become U+FFFD. Returns how many bytes it took. */
  writeUtf8(text: string): number {
    const start = this.position;
    if (text.length > SHORT_TEXT || !this.#writeAscii(text)) {
      this.position = start;
      this.reserve(text.length * 3);
      this.position += encoder.encodeInto(text, this.bytes.subarray(start)).written;
    }
    return this.position - start;
  }

  #writeAscii(text: string): boolean {
    const length = text.length;
    this.reserve(length);
    const { bytes, position } = this;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) return false;
      bytes[position + i] = unit;
    }
    this.position = position + length;
    return true;
  }

  /**
   * Appends `text` in Java's modified UTF-8, without a length: U+0000 takes two bytes, and each half of a surrogate pair
   * three. Returns how many bytes it took.
   */
  writeModifiedUtf8(text: string): number {
    const start = this.position;
    this.reserve(text.length * 3);
    const bytes = this.bytes;
    let at = start;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit !== 0 && unit <= 0x7f) {
        bytes[at++] = unit;
      } else if (unit <= 0x7ff) {
        bytes[at++] = 0xc0 | (unit >> 6);
        bytes[at++] = 0x80 | (unit & 0x3f);
      } else {
        bytes[at++] = 0xe0 | (unit >> 12);
        bytes[at++] = 0x80 | ((unit >> 6) & 0x3f);
        bytes[at++] = 0x80 | (unit & 0x3f);
      }
    }
    this.position = at;
    return at - start;
  }

  /** Forgets what was written from `position` on. */
  truncate(position: number): void {
    this.position = position;
  }

  /** What has been written; a view that holds until the next write. */
  view(start = 0): Uint8Array {
    return this.bytes.subarray(start, this.position);
  }

  /** What has been written, as memory of its own. */
  copy(start = 0): Uint8Array {
    return this.bytes.slice(start, this.position);
  }
}

function noLimit(): void {}
