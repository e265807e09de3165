/**
 * Reads the parts of CBOR items: first bytes, arguments, byte strings and text.
 *
 * @module
 */

import { int32At } from "../base/bytes.ts";
import { SerializerError } from "../base/errors.ts";
import type { MessageBody } from "../base/message_body.ts";
import { copyOf, ReceivedBytes } from "../base/received_bytes.ts";
import { Initial, Major } from "./_cbor_format.ts";
import { readUtf8 } from "./_cbor_text.ts";

const NOTHING = new ReceivedBytes(new Uint8Array(0), true);

/** The `info` of an item whose end is marked by a break. */
export const INDEFINITE = 31;

/** Reads out of borrowed bytes; byte strings are kept. What is short or wrong throws a SerializerError with its offset. */
export class CborReader {
  /** The memory that the content lies in. */
  protected bytes: Uint8Array = NOTHING.memory;
  /** Where the next byte is read. */
  position = 0;
  /** Where the content ends. */
  protected end = 0;
  #received = NOTHING;
  #start = 0;

  /** Begins to read `content`. */
  protected load(content: MessageBody): void {
    this.#received = content.received;
    this.bytes = content.memory;
    this.position = this.#start = content.start;
    this.end = content.end;
  }

  /** Forgets the bytes. */
  protected unload(): void {
    this.#received = NOTHING;
    this.bytes = NOTHING.memory;
  }

  /** How many bytes of content have been read. */
  get offset(): number {
    return this.position - this.#start;
  }

  /** How many bytes of content there are. */
  protected get size(): number {
    return this.end - this.#start;
  }

  /** Reads the first byte of an item. */
  protected initial(): number {
    if (this.position >= this.end) throw this.fail("Content ends too early");
    return this.bytes[this.position++]!;
  }

  /** The first byte of the next item, which stays; -1, which begins none, at the end. */
  protected peek(): number {
    return this.position < this.end ? this.bytes[this.position]! : -1;
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

  /** Reads a byte string: a view of what is kept of the received bytes. */
  protected readBytes(info: number): Uint8Array {
    if (info === INDEFINITE) return this.#joinBytes();
    const length = this.argument(info);
    const start = this.skip(length);
    return this.#received.keep(start, start + length);
  }

  /** Reads a byte string into memory of its own, whose `buffer` holds nothing else. */
  readOwnBytes(what: string): Uint8Array<ArrayBuffer> {
    const at = this.position;
    const initial = this.initial();
    if ((initial & 0xe0) !== Major.bytes) throw this.fail(`${what} is not a byte string`, at);
    if ((initial & 0x1f) === INDEFINITE) return this.#joinBytes();
    const length = this.argument(initial & 0x1f);
    const start = this.skip(length);
    return copyOf(this.bytes, start, start + length);
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
  fail(message: string, position: number = this.position): SerializerError {
    const offset = position - this.#start;
    return new SerializerError(`${message}, at byte ${offset}`, { direction: "decode", offset });
  }
}
