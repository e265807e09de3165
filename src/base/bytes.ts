/**
 * Reading and writing of bytes in network order: integers, strings in UTF-8 and in Java's modified UTF-8.
 *
 * @module
 */

import { highOfSafe, int64FromBigInt } from "./int64.ts";

/** Taken once: asking an array for a method is a call of its own at each use (Node 20, whose V8 does not look it up ahead). */
const { set } = Uint8Array.prototype;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);

/** Up to this many characters a loop is faster than TextEncoder and TextDecoder, which cost 0.3 µs a call on Node 20. */
const SHORT_TEXT = 64;

/** Where a text's UTF-16 is gathered: appending one at a time takes 40 bytes for each until the end, 1 GB for 32 MB. */
const units = new Uint16Array(4096);

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

  /**
   * Begins at the first byte.
   *
   * @param capacity Size of the first buffer, in bytes.
   */
  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const needed = this.position + count;
    if (needed > this.bytes.length) this.#grow(needed);
  }

  #grow(needed: number): void {
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

/** Makes the error of a reader: what is wrong, and at which byte. */
export type ReaderError = (message: string, offset: number) => Error;

/**
 * Reads values out of bytes, from `position` up to `end`. What is short or wrong throws the error of `fail`.
 *
 * @example
 * ```ts
 * import { ByteReader } from "@sparkwire/sparkwire";
 *
 * const reader = new ByteReader(Uint8Array.of(0, 7, 9), (message, offset) => new RangeError(`${message}, at byte ${offset}`));
 * if (reader.readUint16("id") !== 7 || reader.remaining !== 1) throw new Error("not the id");
 * let error: unknown;
 * try {
 *   reader.readInt32("count");
 * } catch (thrown) {
 *   error = thrown;
 * }
 * if (!(error instanceof RangeError) || error.message !== "count needs 4 bytes, but 1 are left, at byte 2") throw error;
 * ```
 */
export class ByteReader {
  /** The memory that is read; it is never changed. */
  readonly bytes: Uint8Array;
  /** Where the next value begins. */
  position: number;
  /** Where the bytes end. */
  readonly end: number;
  readonly #fail: ReaderError;

  /**
   * Begins at the first byte.
   *
   * @param fail Makes the error to throw.
   */
  constructor(bytes: Uint8Array, fail: ReaderError, start = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
    this.#fail = fail;
  }

  /** How many bytes are left. */
  get remaining(): number {
    return this.end - this.position;
  }

  /** Steps over `count` bytes and returns where they begin. */
  skip(count: number, what: string): number {
    const start = this.position;
    if (count < 0) throw this.#fail(`Length of ${what} is negative: ${count}`, start);
    if (count > this.end - start) {
      throw this.#fail(`${what} needs ${count} bytes, but ${this.end - start} are left`, start);
    }
    this.position = start + count;
    return start;
  }

  /** Reads one byte. */
  readUint8(what: string): number {
    return this.bytes[this.skip(1, what)]!;
  }

  /** Reads an unsigned 16-bit integer. */
  readUint16(what: string): number {
    const at = this.skip(2, what);
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  /** Reads a signed 32-bit integer. */
  readInt32(what: string): number {
    return int32At(this.bytes, this.skip(4, what));
  }

  /** Reads a signed 64-bit integer. */
  readInt64(what: string): bigint {
    const at = this.skip(8, what);
    return (BigInt(int32At(this.bytes, at)) << 32n) | BigInt(int32At(this.bytes, at + 4) >>> 0);
  }

  /** Reads a 64-bit float. */
  readFloat64(what: string): number {
    const at = this.skip(8, what);
    for (let i = 0; i < 8; i++) floatBytes[7 - i] = this.bytes[at + i]!;
    return float[0]!;
  }

  /** A view of the next `count` bytes. */
  readBytes(count: number, what: string): Uint8Array {
    const start = this.skip(count, what);
    return this.bytes.subarray(start, start + count);
  }

  /** Reads `count` bytes of UTF-8; invalid ones become U+FFFD. */
  readUtf8(count: number, what: string): string {
    const start = this.skip(count, what);
    return decodeUtf8(this.bytes, start, start + count);
  }

  /** Reads `count` bytes of Java's modified UTF-8. */
  readModifiedUtf8(count: number, what: string): string {
    const start = this.skip(count, what);
    const end = start + count;
    let text = "";
    let waiting = 0;
    for (let at = start; at < end;) {
      const size = modifiedUtf8Size(this.bytes[at]!);
      if (size === 0 || at + size > end || !hasContinuation(this.bytes, at + 1, at + size)) {
        throw this.#fail(`${what} is not modified UTF-8`, at);
      }
      units[waiting++] = modifiedUtf8Unit(this.bytes, at, size);
      at += size;
      if (waiting === units.length) {
        text += textOfUnits(waiting);
        waiting = 0;
      }
    }
    return text + textOfUnits(waiting);
  }
}

/** The signed 32-bit integer at `offset`. */
export function int32At(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!;
}

/** The text of `[start, end)` in UTF-8; invalid bytes become U+FFFD. */
function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= SHORT_TEXT) {
    let text = "";
    let at = start;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (byte > 0x7f) break;
      text += String.fromCharCode(byte);
    }
    if (at === end) return text;
  }
  return decoder.decode(bytes.subarray(start, end));
}

/** Whether `a[aStart…aStart+length)` and `b[0…length)` hold the same bytes. */
export function sameBytes(a: Uint8Array, aStart: number, b: Uint8Array, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[aStart + i] !== b[i]) return false;
  return true;
}

function textOfUnits(count: number): string {
  return Reflect.apply(String.fromCharCode, null, units.subarray(0, count));
}

function modifiedUtf8Size(lead: number): number {
  if (lead <= 0x7f) return 1;
  if ((lead & 0xe0) === 0xc0) return 2;
  if ((lead & 0xf0) === 0xe0) return 3;
  return 0;
}

function hasContinuation(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((bytes[at]! & 0xc0) !== 0x80) return false;
  return true;
}

function modifiedUtf8Unit(bytes: Uint8Array, at: number, size: number): number {
  const lead = bytes[at]!;
  if (size === 1) return lead;
  if (size === 2) return ((lead & 0x1f) << 6) | (bytes[at + 1]! & 0x3f);
  return ((lead & 0x0f) << 12) | ((bytes[at + 1]! & 0x3f) << 6) | (bytes[at + 2]! & 0x3f);
}
