/**
 * Reads the parts of CBOR items: first bytes, arguments, byte strings and text.
 *
 * @module
 */

import type { SerializerError } from "../base/errors.ts";
import type { MessageBody } from "../base/message_body.ts";
import { copyOf, ReceivedBytes, SHARED_BYTES } from "../base/received_bytes.ts";
import { Initial, Major } from "./_cbor_format.ts";
import { MAX_SHORT_TEXT } from "./_cbor_short_text.ts";
import { TextCache } from "./_cbor_text_cache.ts";
import { readUtf8 } from "./_cbor_text.ts";
import { decodeError } from "./serializer_errors.ts";

const NOTHING = new ReceivedBytes(new Uint8Array(0), true);

/** Keys, and texts that are values, apart: texts that never come again must not be in the way of keys. */
const keys = new TextCache();
const texts = new TextCache();

/** The `info` of an item whose end is marked by a break. */
export const INDEFINITE = 31;

/** Reads out of borrowed bytes; byte strings are kept. What is short or wrong throws a SerializerError with its offset. */
export class CborReader {
  /** The memory that the content lies in. */
  protected bytes: Uint8Array = NOTHING.memory;
  /** The same as numbers. */
  protected view: DataView = NOTHING.view;
  /** Where the next byte is read. */
  position = 0;
  /** Where the content ends. */
  protected end = 0;
  #received = NOTHING;
  #start = 0;
  /** Up to where four bytes can be read. */
  #lastWord = 0;

  /** Begins to read `content`. */
  protected load(content: MessageBody): void {
    if (content.received !== this.#received) this.#open(content.received);
    this.position = this.#start = content.start;
    this.end = content.end;
  }

  #open(received: ReceivedBytes): void {
    this.#received = received;
    this.bytes = received.memory;
    this.view = received.view;
    this.#lastWord = received.memory.length - 4;
  }

  /** Forgets the bytes, unless they are few: the next message is in the same chunk nearly always. */
  protected unload(): void {
    if (this.bytes.length > SHARED_BYTES) this.#open(NOTHING);
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
    switch (info) {
      case 24:
        return this.bytes[this.skip(1)]!;
      case 25:
        return this.view.getUint16(this.skip(2));
      case 26:
        return this.view.getUint32(this.skip(4));
      case 27: {
        const at = this.skip(8);
        return this.view.getUint32(at) * 2 ** 32 + this.view.getUint32(at + 4);
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
    if (info <= MAX_SHORT_TEXT) {
      text = this.#readShortText(at - 1, info);
    } else if (info === INDEFINITE) {
      text = this.#joinText();
    } else {
      const length = this.argument(info);
      const start = this.skip(length);
      text = readUtf8(this.bytes, start, start + length);
    }
    if (text === undefined) throw this.fail("Text is not UTF-8", at);
    return text;
  }

  #readShortText(at: number, length: number): string | undefined {
    const start = this.skip(length);
    const view = this.view;
    const cacheable = at <= this.#lastWord;
    const known = cacheable ? texts.find(view, at, 1 + length) : undefined;
    if (known !== undefined) return known.text;
    const text = readUtf8(this.bytes, start, start + length);
    if (cacheable && text !== undefined) texts.add(text, view, at, 1 + length);
    return text;
  }

  /** Reads a key, if it is next and one of most: short, of definite length, and not within the last bytes of the chunk. */
  protected readShortKey(): string | undefined {
    const at = this.position;
    if (at > this.#lastWord) return undefined;
    const expected = keys.expected(this.view, at, this.end);
    if (expected === undefined) return this.#readOtherKey(at);
    this.position = at + expected.size;
    return expected.text;
  }

  #readOtherKey(at: number): string | undefined {
    if (at >= this.end) return undefined;
    const size = 1 + this.bytes[at]! - Major.text;
    const next = at + size;
    if (size < 1 || size > 1 + MAX_SHORT_TEXT || next > this.end) return undefined;
    const view = this.view;
    const known = keys.follow(view, at, size);
    const key = known === undefined ? readUtf8(this.bytes, at + 1, next) : known.text;
    if (key === undefined) return undefined;
    if (known === undefined) keys.add(key, view, at, size);
    this.position = next;
    return key;
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
    return decodeError(message, position - this.#start);
  }
}
