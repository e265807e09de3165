/**
 * Reads the parts of CBOR items: first bytes, arguments, byte strings and text.
 *
 * @module
 */

import { int32At } from "../base/bytes.ts";
import { SerializerError } from "../base/errors.ts";
import { copyBytes, copyToSlab, currentSlab, ownBytes, SLAB_ITEM_BYTES } from "./_byte_slab.ts";
import { Initial, Major } from "./_cbor_format.ts";
import { readUtf8 } from "./_cbor_text.ts";

const NOTHING = new Uint8Array(0);

/** The `info` of an item whose end is marked by a break. */
export const INDEFINITE = 31;

/** Reads out of borrowed bytes, which it never keeps. What is short or wrong throws a SerializerError with its offset. */
export class CborReader {
  /** The content. */
  protected bytes: Uint8Array = NOTHING;
  /** Where the next byte is read. */
  position = 0;
  /** Where the content ends. */
  protected end = 0;
  /** A copy of short content, made when its first byte string is read; the others are views of it too. */
  #copy: Uint8Array | undefined = undefined;
  #copyStart = 0;

  /** Begins to read `bytes`. */
  protected load(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.position = 0;
    this.end = bytes.length;
  }

  /** Forgets the bytes. */
  protected unload(): void {
    this.bytes = NOTHING;
    this.#copy = undefined;
  }

  /** Reads the first byte of an item. */
  protected initial(): number {
    if (this.position >= this.end) throw this.fail("Content ends too early");
    return this.bytes[this.position++]!;
  }

  /** Steps over `count` bytes and returns where they begin. */
  protected skip(count: number): number {
    const start = this.position;
    if (count > this.end - start) throw this.fail(`Content ends too early: of ${count} bytes ${this.end - start} are left`);
    this.position = start + count;
    return start;
  }

  /** The argument of an item; above 2^53 it is rounded, which matters to none but integers. */
  protected argument(info: number): number {
    if (info < 24) return info;
    const bytes = this.bytes;
    switch (info) {
      case 24:
        return bytes[this.skip(1)]!;
      case 25: {
        const at = this.skip(2);
        return (bytes[at]! << 8) | bytes[at + 1]!;
      }
      case 26:
        return int32At(bytes, this.skip(4)) >>> 0;
      case 27: {
        const at = this.skip(8);
        return (int32At(bytes, at) >>> 0) * 2 ** 32 + (int32At(bytes, at + 4) >>> 0);
      }
      default:
        throw this.fail(`Length code ${info} has no meaning here`, this.position - 1);
    }
  }

  /** Reads a break, if one is next. */
  protected takeBreak(): boolean {
    if (this.position < this.end && this.bytes[this.position] === Initial.break) {
      this.position++;
      return true;
    }
    return false;
  }

  /** Reads a byte string: a copy. */
  protected readBytes(info: number): Uint8Array {
    if (info === INDEFINITE) return this.#joinBytes();
    const length = this.argument(info);
    const start = this.skip(length);
    if (this.end > SLAB_ITEM_BYTES) return copyBytes(this.bytes, start, start + length);
    // One copy of all the content costs less than a view of the input and a copy for each byte string.
    if (this.#copy === undefined) {
      this.#copyStart = copyToSlab(this.bytes);
      this.#copy = currentSlab();
    }
    return this.#copy.subarray(this.#copyStart + start, this.#copyStart + start + length);
  }

  /** Reads a byte string into memory of its own, whose `buffer` holds nothing else. */
  readOwnBytes(what: string): Uint8Array<ArrayBuffer> {
    const at = this.position;
    const initial = this.initial();
    if ((initial & 0xe0) !== Major.bytes) throw this.fail(`${what} is not a byte string`, at);
    if ((initial & 0x1f) === INDEFINITE) return this.#joinBytes();
    const length = this.argument(initial & 0x1f);
    const start = this.skip(length);
    return ownBytes(this.bytes, start, start + length);
  }

  /** Reads text. */
  protected readText(info: number): string {
    const at = this.position;
    let text: string | undefined;
    if (info === INDEFINITE) {
      text = this.#joinText();
    } else {
      const length = this.argument(info);
      const start = this.skip(length);
      text = readUtf8(this.bytes, start, start + length);
    }
    if (text === undefined) throw this.fail("Text is not UTF-8", at);
    return text;
  }

  /** Puts the pieces of a byte string together: first their length, then their bytes, so that nothing is made for a piece. */
  #joinBytes(): Uint8Array<ArrayBuffer> {
    const start = this.position;
    let total = 0;
    while (!this.takeBreak()) {
      const length = this.#pieceLength(Major.bytes);
      this.skip(length);
      total += length;
    }
    const end = this.position;
    this.position = start;
    const joined = new Uint8Array(total);
    let filled = 0;
    while (!this.takeBreak()) {
      const length = this.#pieceLength(Major.bytes);
      const at = this.skip(length);
      joined.set(this.bytes.subarray(at, at + length), filled);
      filled += length;
    }
    this.position = end;
    return joined;
  }

  /** Each piece is UTF-8 by itself: a character may not be cut. */
  #joinText(): string | undefined {
    let text = "";
    while (!this.takeBreak()) {
      const length = this.#pieceLength(Major.text);
      const start = this.skip(length);
      const piece = readUtf8(this.bytes, start, start + length);
      if (piece === undefined) return undefined;
      text += piece;
    }
    return text;
  }

  #pieceLength(major: number): number {
    const at = this.position;
    const initial = this.initial();
    if ((initial & 0xe0) !== major) throw this.fail("Piece of another type", at);
    return this.argument(initial & 0x1f);
  }
  /** The error that says what is wrong, and where. */
  fail(message: string, offset: number = this.position): SerializerError {
    return new SerializerError(`${message}, at byte ${offset}`, { direction: "decode", offset });
  }
}
