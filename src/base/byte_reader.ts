/**
 * Reading of bytes in network order: integers, strings in UTF-8 and in Java's modified UTF-8.
 *
 * @module
 */

import { int32At } from "./bytes.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);

/** Up to this many characters a loop is faster than TextDecoder, which costs 0.3 µs a call on Node 20. */
const SHORT_TEXT = 64;

/** Where a text's UTF-16 is gathered: appending one at a time takes 40 bytes for each until the end, 1 GB for 32 MB. */
const units = new Uint16Array(4096);

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

  /** The error for a value that is wrong, at the next byte. */
  errorHere(message: string): Error {
    return this.#fail(message, this.position);
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
    // Most texts are ASCII, which is the same in both and is read at once: long ones in an eighth of the time.
    if (isAscii(this.bytes, start, end)) return decodeUtf8(this.bytes, start, end);
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

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at]! > 0x7f) return false;
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
