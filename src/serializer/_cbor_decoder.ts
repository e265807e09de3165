/**
 * Reads CBOR: items of the major types and the simple values; what is tagged is in `_cbor_decode_tagged.ts`.
 *
 * The input may be anything at all. Nothing is allocated for a length that is only claimed; depth, shared values and holes
 * are limited; what is wrong is a SerializerError with its offset.
 *
 * @module
 */

import { SerializerError, toError } from "../base/errors.ts";
import { readTagged } from "./_cbor_decode_tagged.ts";
import { CborReader, INDEFINITE } from "./_cbor_reader.ts";
import { float16Value } from "./_cbor_float.ts";
import {
  BUDGET_BASE,
  BUDGET_PER_BYTE,
  BYTES_PER_ELEMENT,
  Initial,
  Major,
  MAX_DEPTH,
  MAX_HANDLES,
  MAX_OBJECTS,
  MAX_REGEXP_CHARACTERS,
  PREFIX,
  regExpCharacters,
  Tag,
  TOO_MANY_REGEXPS,
} from "./_cbor_format.ts";
import type { MessageBody } from "../base/message_body.ts";
import { isFarIndex, keepHoles } from "./far_index.ts";
import { KeyCollisions } from "./key_collisions.ts";
import { type SerializerContext, TypedMessage } from "./serializer.ts";

/** An array of at most so many elements is made whole; a longer one grows with what comes. */
const MADE_IN_ADVANCE = 1024;

/** The code of `9`: what begins above is no index. */
const DIGIT_NINE = 0x39;
/** The first byte of text in parts. */
const TEXT_IN_PARTS = Major.text | INDEFINITE;

/** Stands in the place of a shared value that is not there yet. */
const UNFINISHED: unique symbol = Symbol("unfinished");

/** The state of decoding one message. Reused: `reset` after each. */
export class CborDecoder extends CborReader {
  /** What the environment knows. */
  context: SerializerContext | undefined = undefined;
  #depth = 0;
  #budget = 0;
  #objects = 0;
  #regExpCharacters = 0;
  #handles: unknown[] = [];
  /** How many bytes those shared values took that are written again each time if the message goes on: texts, above all. */
  #sizes: Map<number, number> | undefined = undefined;
  /** The handle that the next container gets, or -1. */
  #pending = -1;

  /** Reads a message: the prefix, one item, and no byte more. */
  decode(content: MessageBody, context: SerializerContext): unknown {
    this.context = context;
    this.load(content);
    this.#budget = BUDGET_PER_BYTE * content.length + BUDGET_BASE;
    if (!content.startsWith(PREFIX)) throw this.fail("Content is not CBOR");
    this.position += PREFIX.length;
    const value = this.readValue();
    if (this.position !== this.end) {
      throw this.fail(`Content does not end with its value: bytes left ${this.end - this.position}`);
    }
    return value;
  }

  /** Forgets the message. */
  reset(): void {
    this.context = undefined;
    this.unload();
    this.#depth = 0;
    this.#objects = 0;
    this.#regExpCharacters = 0;
    this.#pending = -1;
    if (this.#handles.length > 0) this.#handles = [];
    this.#sizes = undefined;
  }

  /** Reads any item. */
  readValue(): unknown {
    const initial = this.initial();
    const info = initial & 0x1f;
    switch (initial & 0xe0) {
      case Major.unsigned:
        return info < 24 ? info : this.#readInteger(info, false);
      case Major.negative:
        return info < 24 ? -1 - info : this.#readInteger(info, true);
      case Major.bytes:
        this.addObject();
        return this.readBytes(info);
      case Major.text:
        return this.readText(info);
      case Major.array:
        return this.#readArray(info);
      case Major.map:
        return this.#readMap(info);
      case Major.tag:
        return readTagged(this, this.argument(info), this.position);
      default:
        return this.#readSimple(initial, info);
    }
  }

  #readInteger(info: number, negative: boolean): number | bigint {
    const argument = this.argument(info);
    const value = negative ? -1 - argument : argument;
    if (Number.isSafeInteger(value)) return value;
    const at = this.position - 8;
    const exact = this.view.getBigUint64(at);
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
        return float16Value(this.argument(info));
      case Initial.float32:
        return this.view.getFloat32(this.skip(4));
      case Initial.float64:
        return this.view.getFloat64(this.skip(8));
      case Initial.break:
        throw this.fail("Break outside an item of indefinite length", this.position - 1);
      default: {
        const at = this.position - 1;
        throw this.fail(`Simple value ${this.argument(info)} has no meaning`, at);
      }
    }
  }

  #readArray(info: number): unknown[] {
    this.addObject();
    const count = this.#count(info, 1);
    // Not more than so many in advance: what is claimed need not come.
    const array: unknown[] = count > 0 && count <= MADE_IN_ADVANCE ? new Array(count) : [];
    if (this.#pending >= 0) this.resolve(this.takeHandle(), array);
    this.enter();
    for (let i = 0; this.hasNext(i, count); i++) array[i] = this.readValue();
    this.leave();
    return array;
  }

  /** A map whose first key is text is an object, any other a Map. */
  #readMap(info: number): object {
    this.addObject();
    const count = this.#count(info, 2);
    const handle = this.takeHandle();
    this.enter();
    const object = count === 0 || this.#nextIsText() ? this.#readObject(count, handle) : this.readEntries(count, handle);
    this.leave();
    return object;
  }

  #nextIsText(): boolean {
    const { bytes, position } = this;
    const next = this.peek();
    if (next === Initial.break || (next & 0xe0) === Major.text) return true;
    return next === (Major.tag | 25) && bytes[position + 1] === Tag.wtf8 >> 8 && bytes[position + 2] === (Tag.wtf8 & 0xff);
  }

  #readObject(count: number, handle: number): object {
    const object: Record<string, unknown> = {};
    if (handle >= 0) this.resolve(handle, object);
    let keepsHoles = false;
    for (let i = 0; this.hasNext(i, count); i++) {
      // Behind the head of a short text is its first letter, and nearly no key begins as an index does.
      const { bytes, position } = this;
      const mayBeIndex = bytes[position + 1]! <= DIGIT_NINE || bytes[position] === TEXT_IN_PARTS;
      const key = this.#readKey();
      const value = this.readValue();
      if (mayBeIndex && !keepsHoles && isFarIndex(key, count < 0 ? i : count)) {
        keepHoles(object);
        keepsHoles = true;
      }
      if (key === "__proto__") define(object, key, value);
      else object[key] = value;
    }
    return object;
  }

  #readKey(): string {
    const short = this.readShortKey();
    if (short !== undefined) return short;
    const at = this.position;
    const key = this.readValue();
    if (typeof key !== "string") throw this.fail("Key of an object is not text", at);
    return key;
  }

  /** Reads `count` entries into a new Map, which `handle` stands for. */
  readEntries(count: number, handle: number): Map<unknown, unknown> {
    const map = new Map<unknown, unknown>();
    this.resolve(handle, map);
    const collisions = new KeyCollisions(map);
    for (let i = 0; this.hasNext(i, count); i++) {
      const key = this.readValue();
      map.set(key, this.readValue());
      collisions.check(key, this);
    }
    return map;
  }

  /** How many entries a container says it has, each of at least `bytesEach`; -1 if its end is marked by a break. */
  #count(info: number, bytesEach: number): number {
    if (info === INDEFINITE) return -1;
    const count = this.argument(info);
    if (count * bytesEach > this.end - this.position) {
      throw this.fail(`Content ends too early: of ${count} entries at most ${this.end - this.position} bytes are left`);
    }
    this.spend(count);
    return count;
  }

  /** Begins an array or a map of which a tag says what it is; returns how many entries it has, or -1. */
  open(major: number, what: string): number {
    const at = this.position;
    const initial = this.initial();
    if ((initial & 0xe0) !== major) throw this.fail(`${what} is not ${major === Major.map ? "a map" : "an array"}`, at);
    const count = this.#count(initial & 0x1f, major === Major.map ? 2 : 1);
    this.enter();
    return count;
  }

  /** Whether the innermost container has an entry `index`. Takes the break. */
  hasNext(index: number, count: number): boolean {
    if (count >= 0) return index < count;
    if (this.takeBreak()) return false;
    this.spend(1);
    return true;
  }

  /** Enters a level: a container, or a tag that stands for nothing. */
  enter(): void {
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
      const limit = BUDGET_PER_BYTE * this.size + BUDGET_BASE;
      throw this.fail(`Content of ${this.size} bytes has more than ${limit} elements`);
    }
  }

  /** Counts an object that is about to be made. */
  addObject(): void {
    if (++this.#objects > MAX_OBJECTS) throw this.fail(`Content has more than ${MAX_OBJECTS} objects`);
  }

  /** Counts a RegExp before it is compiled; the tag ended at `at`. */
  addRegExp(parts: Pick<RegExp, "source" | "flags">, at: number): void {
    this.#regExpCharacters += regExpCharacters(parts);
    if (this.#regExpCharacters > MAX_REGEXP_CHARACTERS) throw this.fail(`Content has ${TOO_MANY_REGEXPS}`, at);
  }

  /** Reads a value that others refer to. */
  readShareable(at: number): unknown {
    if (this.#pending >= 0) throw this.fail("Value is marked as shared twice", at);
    const handle = this.#handles.length;
    if (handle === MAX_HANDLES) throw this.fail(`Content has more than ${MAX_HANDLES} shared values`, at);
    this.#handles.push(UNFINISHED);
    this.#pending = handle;
    const start = this.position;
    const value = this.readValue();
    // A container has taken its handle when it began, so that what is in it can refer to it.
    this.#pending = -1;
    this.#handles[handle] = value;
    if (!this.#isWrittenOnce(value)) (this.#sizes ??= new Map()).set(handle, this.position - start);
    return value;
  }

  /** Whether a message in which `value` goes on has it once, however often it is in there. */
  #isWrittenOnce(value: unknown): boolean {
    return typeof value === "object" && value !== null && !(value instanceof TypedMessage) &&
      this.context?.encodeRef(value) === undefined;
  }

  /** Reads an item that may not be tagged: tags upon tags would exhaust the stack. */
  readUntagged(what: string): unknown {
    if ((this.peek() & 0xe0) === Major.tag) throw this.fail(`${what} is tagged`);
    return this.readValue();
  }

  /** The value that `handle` stands for. */
  shared(handle: unknown, at: number): unknown {
    const known = typeof handle === "number" && Number.isInteger(handle) && handle >= 0 && handle < this.#handles.length;
    const value = known ? this.#handles[handle] : UNFINISHED;
    if (value === UNFINISHED) throw this.fail("Reference to a shared value that is not there", at);
    const size = this.#sizes?.get(handle as number);
    if (size !== undefined) this.spend(Math.ceil(size / BYTES_PER_ELEMENT));
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

  /** What is thrown for `thrown`, which came from here or from the environment. */
  explain(thrown: unknown): SerializerError {
    if (thrown instanceof SerializerError && thrown.direction === "decode") return thrown;
    const cause = toError(thrown);
    const { offset } = this;
    const message = `Cannot decode content: ${cause.message}, at byte ${offset}`;
    return new SerializerError(message, { direction: "decode", offset, cause });
  }
}

function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}
