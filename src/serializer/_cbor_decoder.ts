/**
 * Reads CBOR: items of the major types and the simple values; what is tagged is in `_cbor_decode_tagged.ts`.
 *
 * The input may be anything at all. Nothing is allocated for a length that is only claimed; depth, shared values and holes
 * are limited; what is wrong is a SerializerError with its offset.
 *
 * @module
 */

import { int32At } from "../base/bytes.ts";
import { SerializerError, toError } from "../base/errors.ts";
import { copyBytes, copyToSlab, currentSlab, ownBytes, SLAB_ITEM_BYTES } from "./_byte_slab.ts";
import { readTagged } from "./_cbor_decode_tagged.ts";
import { float16Value, float32Value, float64Value } from "./_cbor_float.ts";
import { BUDGET_BASE, BUDGET_PER_BYTE, Initial, Major, MAX_DEPTH, MAX_HANDLES, PREFIX, Tag } from "./_cbor_format.ts";
import { readUtf8 } from "./_cbor_text.ts";
import type { SerializerContext } from "./serializer.ts";

const NOTHING = new Uint8Array(0);

/** The `info` of an item whose end is marked by a break. */
const INDEFINITE = 31;

/** Stands in the place of a shared value that is not there yet. */
const UNFINISHED: unique symbol = Symbol("unfinished");

/** The state of decoding one message. Reused: `begin` before and `reset` after each. */
export class CborDecoder {
  /** What the environment knows. */
  context: SerializerContext | undefined = undefined;
  /** Where the next byte is read. */
  position = 0;
  #bytes: Uint8Array = NOTHING;
  #end = 0;
  #depth = 0;
  #budget = 0;
  /** A copy of short content, made when its first byte string is read; the others are views of it too. */
  #copy: Uint8Array | undefined = undefined;
  #copyStart = 0;
  #handles: unknown[] = [];
  /** The handle that the next container gets, or -1. */
  #pending = -1;

  /** Reads a message: the prefix, one item, and no byte more. */
  decode(bytes: Uint8Array, context: SerializerContext): unknown {
    this.context = context;
    this.#bytes = bytes;
    this.#end = bytes.length;
    this.#budget = BUDGET_PER_BYTE * bytes.length + BUDGET_BASE;
    for (let i = 0; i < PREFIX.length; i++) if (bytes[i] !== PREFIX[i]) throw this.fail("Content is not CBOR", 0);
    this.position = PREFIX.length;
    const value = this.readValue();
    if (this.position !== this.#end) throw this.fail(`Content goes on for ${this.#end - this.position} bytes after its value`);
    return value;
  }

  /** Forgets the message. */
  reset(): void {
    this.context = undefined;
    this.position = 0;
    this.#bytes = NOTHING;
    this.#depth = 0;
    this.#copy = undefined;
    this.#pending = -1;
    if (this.#handles.length > 0) this.#handles = [];
  }

  /** Reads any item. */
  readValue(): unknown {
    const initial = this.#initial();
    const info = initial & 0x1f;
    switch (initial & 0xe0) {
      case Major.unsigned:
        return info < 24 ? info : this.#readInteger(info, false);
      case Major.negative:
        return info < 24 ? -1 - info : this.#readInteger(info, true);
      case Major.bytes:
        return this.#readBytes(info);
      case Major.text:
        return this.#readText(info);
      case Major.array:
        return this.#readArray(info);
      case Major.map:
        return this.#readMap(info);
      case Major.tag:
        return readTagged(this, this.#argument(info), this.position);
      default:
        return this.#readSimple(initial, info);
    }
  }

  #initial(): number {
    if (this.position >= this.#end) throw this.fail("Content ends too early");
    return this.#bytes[this.position++]!;
  }

  /** Steps over `count` bytes and returns where they begin. */
  #skip(count: number): number {
    const start = this.position;
    if (count > this.#end - start) throw this.fail(`Content ends too early: of ${count} bytes ${this.#end - start} are left`);
    this.position = start + count;
    return start;
  }

  /** The argument of an item; above 2^53 it is rounded, which matters to nobody but `#readInteger`. */
  #argument(info: number): number {
    if (info < 24) return info;
    const bytes = this.#bytes;
    switch (info) {
      case 24:
        return bytes[this.#skip(1)]!;
      case 25: {
        const at = this.#skip(2);
        return (bytes[at]! << 8) | bytes[at + 1]!;
      }
      case 26:
        return int32At(bytes, this.#skip(4)) >>> 0;
      case 27: {
        const at = this.#skip(8);
        return (int32At(bytes, at) >>> 0) * 2 ** 32 + (int32At(bytes, at + 4) >>> 0);
      }
      default:
        throw this.fail(`Length code ${info} has no meaning here`, this.position - 1);
    }
  }

  #readInteger(info: number, negative: boolean): number | bigint {
    const argument = this.#argument(info);
    const value = negative ? -1 - argument : argument;
    if (Number.isSafeInteger(value)) return value;
    const at = this.position - 8;
    const exact = (BigInt(int32At(this.#bytes, at) >>> 0) << 32n) | BigInt(int32At(this.#bytes, at + 4) >>> 0);
    return negative ? -1n - exact : exact;
  }

  #readSimple(initial: number, info: number): unknown {
    switch (initial) {
      case Initial.false:
        return false;
      case Initial.true:
        return true;
      case Initial.null:
        return null;
      case Initial.undefined:
        return undefined;
      case Initial.float16:
        return float16Value(this.#argument(info));
      case Initial.float32:
        return float32Value(this.#argument(info));
      case Initial.float64: {
        const at = this.#skip(8);
        return float64Value(int32At(this.#bytes, at), int32At(this.#bytes, at + 4));
      }
      case Initial.break:
        throw this.fail("Break outside an item of indefinite length", this.position - 1);
      default: {
        const at = this.position - 1;
        throw this.fail(`Simple value ${this.#argument(info)} has no meaning`, at);
      }
    }
  }

  #readBytes(info: number): Uint8Array {
    if (info === INDEFINITE) return this.#join(Major.bytes);
    const length = this.#argument(info);
    const start = this.#skip(length);
    if (this.#end > SLAB_ITEM_BYTES) return copyBytes(this.#bytes, start, start + length);
    // One copy of all the content costs less than a view of the input and a copy for each byte string.
    if (this.#copy === undefined) {
      this.#copyStart = copyToSlab(this.#bytes);
      this.#copy = currentSlab();
    }
    return this.#copy.subarray(this.#copyStart + start, this.#copyStart + start + length);
  }

  /** Reads a byte string into memory of its own, whose `buffer` holds nothing else. */
  readOwnBytes(what: string): Uint8Array<ArrayBuffer> {
    const at = this.position;
    const initial = this.#initial();
    if ((initial & 0xe0) !== Major.bytes) throw this.fail(`${what} is not a byte string`, at);
    if ((initial & 0x1f) === INDEFINITE) return this.#join(Major.bytes);
    const length = this.#argument(initial & 0x1f);
    const start = this.#skip(length);
    return ownBytes(this.#bytes, start, start + length);
  }

  #readText(info: number): string {
    const at = this.position;
    let text: string | undefined;
    if (info === INDEFINITE) {
      text = this.#joinText();
    } else {
      const length = this.#argument(info);
      const start = this.#skip(length);
      text = readUtf8(this.#bytes, start, start + length);
    }
    if (text === undefined) throw this.fail("Text is not UTF-8", at);
    return text;
  }

  /** The pieces of an item of indefinite length, put together. */
  #join(major: number): Uint8Array<ArrayBuffer> {
    const pieces: { readonly start: number; readonly end: number }[] = [];
    let total = 0;
    while (!this.#takeBreak()) {
      const at = this.position;
      const initial = this.#initial();
      if ((initial & 0xe0) !== major || (initial & 0x1f) === INDEFINITE) throw this.fail("Piece of another type", at);
      const length = this.#argument(initial & 0x1f);
      const start = this.#skip(length);
      pieces.push({ start, end: start + length });
      total += length;
    }
    const joined = new Uint8Array(total);
    let filled = 0;
    for (const { start, end } of pieces) {
      joined.set(this.#bytes.subarray(start, end), filled);
      filled += end - start;
    }
    return joined;
  }

  /** Each piece is UTF-8 by itself: a character may not be cut. */
  #joinText(): string | undefined {
    let text = "";
    while (!this.#takeBreak()) {
      const at = this.position;
      const initial = this.#initial();
      if ((initial & 0xe0) !== Major.text || (initial & 0x1f) === INDEFINITE) throw this.fail("Piece of another type", at);
      const length = this.#argument(initial & 0x1f);
      const start = this.#skip(length);
      const piece = readUtf8(this.#bytes, start, start + length);
      if (piece === undefined) return undefined;
      text += piece;
    }
    return text;
  }

  #readArray(info: number): unknown[] {
    const count = this.#count(info, 1);
    const array: unknown[] = [];
    if (this.#pending >= 0) this.resolve(this.takeHandle(), array);
    this.#enter();
    for (let i = 0; this.hasNext(i, count); i++) array.push(this.readValue());
    this.leave();
    return array;
  }

  /** A map whose first key is text is an object, any other a Map. */
  #readMap(info: number): object {
    const count = this.#count(info, 2);
    const handle = this.takeHandle();
    this.#enter();
    const object = count === 0 || this.#nextIsText() ? this.#readObject(count, handle) : this.readEntries(count, handle);
    this.leave();
    return object;
  }

  #nextIsText(): boolean {
    const { position } = this;
    const bytes = this.#bytes;
    const next = bytes[position]!;
    if (next === Initial.break || (next & 0xe0) === Major.text) return true;
    return next === (Major.tag | 25) && bytes[position + 1] === Tag.wtf8 >> 8 && bytes[position + 2] === (Tag.wtf8 & 0xff);
  }

  #readObject(count: number, handle: number): object {
    const object: Record<string, unknown> = {};
    if (handle >= 0) this.resolve(handle, object);
    for (let i = 0; this.hasNext(i, count); i++) {
      const at = this.position;
      const key = this.readValue();
      if (typeof key !== "string") throw this.fail("Key of an object is not text", at);
      const value = this.readValue();
      if (key === "__proto__") define(object, key, value);
      else object[key] = value;
    }
    return object;
  }

  /** Reads `count` entries into a new Map, which `handle` stands for. */
  readEntries(count: number, handle: number): Map<unknown, unknown> {
    const map = new Map<unknown, unknown>();
    this.resolve(handle, map);
    for (let i = 0; this.hasNext(i, count); i++) {
      const key = this.readValue();
      map.set(key, this.readValue());
    }
    return map;
  }

  /** How many entries a container says it has, each of at least `bytesEach`; -1 if its end is marked by a break. */
  #count(info: number, bytesEach: number): number {
    if (info === INDEFINITE) return -1;
    const count = this.#argument(info);
    if (count * bytesEach > this.#end - this.position) {
      throw this.fail(`Content ends too early: of ${count} entries at most ${this.#end - this.position} bytes are left`);
    }
    this.spend(count);
    return count;
  }

  /** Begins an array or a map of which a tag says what it is; returns how many entries it has, or -1. */
  open(major: number, what: string): number {
    const at = this.position;
    const initial = this.#initial();
    if ((initial & 0xe0) !== major) throw this.fail(`${what} is not ${major === Major.map ? "a map" : "an array"}`, at);
    const count = this.#count(initial & 0x1f, major === Major.map ? 2 : 1);
    this.#enter();
    return count;
  }

  /** Whether the innermost container has an entry `index`. Takes the break. */
  hasNext(index: number, count: number): boolean {
    if (count >= 0) return index < count;
    if (this.#takeBreak()) return false;
    this.spend(1);
    return true;
  }

  #takeBreak(): boolean {
    if (this.position < this.#end && this.#bytes[this.position] === Initial.break) {
      this.position++;
      return true;
    }
    return false;
  }

  /** Enters a level without a container, such as a tag that stands for nothing. */
  enter(): void {
    this.#enter();
  }

  #enter(): void {
    if (++this.#depth > MAX_DEPTH) throw this.fail(`Content has more than ${MAX_DEPTH} levels`);
  }

  /** Leaves the innermost level. */
  leave(): void {
    this.#depth--;
  }

  /** How deep the reader is. */
  get depth(): number {
    return this.#depth;
  }

  /** Counts `count` elements that are about to be allocated. */
  spend(count: number): void {
    this.#budget -= count;
    if (this.#budget < 0) {
      const limit = BUDGET_PER_BYTE * this.#end + BUDGET_BASE;
      throw this.fail(`Content of ${this.#end} bytes has more than ${limit} elements`);
    }
  }

  /** Reads a value that others refer to. */
  readShareable(at: number): unknown {
    if (this.#pending >= 0) throw this.fail("Value is marked as shared twice", at);
    const handle = this.#handles.length;
    if (handle === MAX_HANDLES) throw this.fail(`Content has more than ${MAX_HANDLES} shared values`, at);
    this.#handles.push(UNFINISHED);
    this.#pending = handle;
    const value = this.readValue();
    // A container has taken its handle when it began, so that what is in it can refer to it.
    this.#pending = -1;
    this.#handles[handle] = value;
    return value;
  }

  /** The value that `handle` stands for. */
  shared(handle: unknown, at: number): unknown {
    const value = typeof handle === "number" && handle < this.#handles.length ? this.#handles[handle] : UNFINISHED;
    if (value === UNFINISHED) throw this.fail(`Reference to a shared value that is not there: ${String(handle)}`, at);
    return value;
  }

  /** Takes the handle that waits for a container, or -1. */
  takeHandle(): number {
    const handle = this.#pending;
    this.#pending = -1;
    return handle;
  }

  /** Says that `handle`, unless it is -1, stands for `value`, which is still being read. */
  resolve(handle: number, value: unknown): void {
    if (handle >= 0) this.#handles[handle] = value;
  }

  /** The error that says what is wrong, and where. */
  fail(message: string, offset: number = this.position): SerializerError {
    return new SerializerError(`${message}, at byte ${offset}`, { direction: "decode", offset });
  }

  /** What is thrown for `thrown`, which came from here or from the environment. */
  explain(thrown: unknown): SerializerError {
    if (thrown instanceof SerializerError && thrown.direction === "decode") return thrown;
    const cause = toError(thrown);
    const offset = this.position;
    const message = `Cannot decode content: ${cause.message}, at byte ${offset}`;
    return new SerializerError(message, { direction: "decode", offset, cause });
  }
}

function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}
