/**
 * Writes values as CBOR: primitives, plain objects, arrays and byte strings; the rest is in `_cbor_encode_builtin.ts`.
 *
 * One pass, straight into the caller's buffer. Every item is of definite length and the shortest that RFC 8949 has for it.
 *
 * @module
 */

import { ByteSink } from "../base/byte_sink.ts";
import { checkAttached } from "../base/bytes.ts";
import type { SerializerError } from "../base/errors.ts";
import { largeBigintBytes, MAX_LARGE_BIGINT_BYTES, TOO_MANY_LARGE_BIGINTS } from "./bigint_bytes.ts";
import { writeBigint, writeBuiltin, writeSparseArray, writeTypedMessage } from "./_cbor_encode_builtin.ts";
import { writeFloat } from "./_cbor_float.ts";
import {
  Initial,
  Major,
  MAX_DEPTH,
  MAX_HANDLES,
  MAX_HOLES,
  MAX_OBJECTS,
  MAX_REGEXP_CHARACTERS,
  PREFIX,
  regExpCharacters,
  Tag,
  TOO_MANY_REGEXPS,
} from "./_cbor_format.ts";
import { SharedValues } from "./_cbor_shared_values.ts";
import { writeWtf8, wtf8Length } from "./_cbor_text.ts";
import { type SerializerContext, TypedMessage } from "./serializer.ts";
import { encodeError, explainEncodeError, type PathKey, pathText } from "./serializer_errors.ts";

const utf8 = new TextEncoder();
const hasOwn = Object.prototype.hasOwnProperty;

/** The prefix, and a byte that is overwritten. */
const PREFIX_WORD = (PREFIX[0]! << 24) | (PREFIX[1]! << 16) | (PREFIX[2]! << 8);

/** Up to this many characters a loop is faster than TextEncoder. */
const SHORT_TEXT = 64;

const PLAIN: object = {};

/** Where an encoder that has nothing to do points, so that it keeps nobody's memory. */
const NOWHERE = new ByteSink(0);

/** The state of encoding one message. Reused: `begin` before and `reset` after each. */
export class CborEncoder {
  /** Where the message goes. */
  out: ByteSink = NOWHERE;
  /** What the environment knows. */
  context: SerializerContext | undefined = undefined;
  readonly #shared = new SharedValues();
  /** Where the encoder is: a key for each open container. */
  readonly #path: PathKey[] = new Array(MAX_DEPTH).fill(undefined);
  #depth = 0;
  #holes = 0;
  #regExpCharacters = 0;
  #largeBigintBytes = 0;
  /** Whether plain objects have keys that are not theirs; undefined until there is one. */
  #plainInherits: boolean | undefined = undefined;

  /** Begins a message: writes the prefix. */
  begin(out: ByteSink, context: SerializerContext): void {
    this.out = out;
    this.context = context;
    this.#plainInherits = undefined;
    out.reserve(4);
    out.setInt32(out.position, PREFIX_WORD);
    out.position += PREFIX.length;
  }

  /** Ends a message, all containers of which have been closed: marks what is shared. */
  finish(): void {
    if (this.#shared.count > MAX_OBJECTS) throw this.fail(`more than ${MAX_OBJECTS} objects`);
    if (this.#shared.found && !this.#shared.mark(this.out)) throw this.fail(`more than ${MAX_HANDLES} shared values`);
  }

  /** Forgets the message. */
  reset(): void {
    this.#shared.clear();
    // A key may be as long as a message.
    while (this.#depth > 0) this.close();
    this.#holes = 0;
    this.#regExpCharacters = 0;
    this.#largeBigintBytes = 0;
    this.out = NOWHERE;
    this.context = undefined;
  }

  /** Writes any value. */
  writeValue(value: unknown): void {
    // Not a switch: V8 makes the text of the type for that and compares it with each.
    if (typeof value === "string") this.writeText(value);
    else if (typeof value === "number") this.writeNumber(value);
    else if (typeof value === "object") {
      if (value === null) this.out.writeUint8(Initial.null);
      else this.#writeObject(value);
    } else if (typeof value === "boolean") this.out.writeUint8(value ? Initial.true : Initial.false);
    else if (value === undefined) this.out.writeUint8(Initial.undefined);
    else if (typeof value === "bigint") writeBigint(this, value);
    else throw this.fail(`a ${typeof value}`);
  }

  /** Writes a number: an integer where it is one and safe, else the shortest float that holds it. */
  writeNumber(value: number): void {
    // Minus zero is a float; it must not be taken for the integer.
    if ((value | 0) !== value && !Number.isSafeInteger(value) || Object.is(value, -0)) writeFloat(this.out, value);
    else if (value >= 0) this.head(Major.unsigned, value);
    else this.head(Major.negative, -1 - value);
  }

  /** Writes the first bytes of an item: its type and its argument, a safe integer. */
  head(major: number, argument: number): void {
    const out = this.out;
    out.reserve(9);
    if (argument < 24) {
      out.bytes[out.position++] = major | argument;
    } else if (argument <= 0xff) {
      out.bytes[out.position++] = major | 24;
      out.bytes[out.position++] = argument;
    } else if (argument <= 0xffff) {
      out.bytes[out.position++] = major | 25;
      out.writeUint16(argument);
    } else if (argument <= 0xffff_ffff) {
      out.bytes[out.position++] = major | 26;
      out.writeInt32(argument);
    } else {
      out.bytes[out.position++] = major | 27;
      out.writeSafeInt64(argument);
    }
  }

  /** Writes text; with half a surrogate pair in it, as WTF-8. */
  writeText(text: string): void {
    const length = text.length;
    if (length > SHORT_TEXT) return this.#writeLongText(text);
    const out = this.out;
    out.reserve(length + 2);
    const bytes = out.bytes;
    let at = out.position;
    if (length < 24) {
      bytes[at++] = Major.text | length;
    } else {
      bytes[at++] = Major.text | 24;
      bytes[at++] = length;
    }
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) return this.#writeMeasuredText(text);
      bytes[at++] = unit;
    }
    out.position = at;
  }

  #writeMeasuredText(text: string): void {
    const length = wtf8Length(text);
    if (text.isWellFormed()) {
      this.head(Major.text, length);
    } else {
      this.head(Major.tag, Tag.wtf8);
      this.head(Major.bytes, length);
    }
    const out = this.out;
    out.reserve(length);
    writeWtf8(text, out.bytes, out.position);
    out.position += length;
  }

  #writeLongText(text: string): void {
    if (!text.isWellFormed()) return this.#writeMeasuredText(text);
    const out = this.out;
    const start = out.position;
    const guessed = headLength(text.length);
    this.head(Major.text, text.length);
    out.reserve(text.length);
    let { read, written } = utf8.encodeInto(text, out.bytes.subarray(out.position));
    out.position += written;
    if (read === text.length && written === text.length) return;
    if (read < text.length) {
      // Not ASCII: the rest may take three bytes a unit, which is reserved only now that it is known to be needed.
      out.reserve(3 * (text.length - read));
      const rest = utf8.encodeInto(text.slice(read), out.bytes.subarray(out.position)).written;
      out.position += rest;
      written += rest;
    }
    const content = start + guessed;
    const grown = headLength(written) - guessed;
    if (grown > 0) {
      out.reserve(grown);
      out.bytes.copyWithin(content + grown, content, content + written);
    }
    out.position = start;
    this.head(Major.text, written);
    out.position += written;
  }

  /** Writes a byte string. */
  writeBytes(bytes: Uint8Array): void {
    this.head(Major.bytes, bytes.length);
    this.out.writeBytes(bytes);
  }

  #writeObject(value: object): void {
    // Asking for the prototype is a call into the engine (V8); what is told without comes first.
    if (Array.isArray(value)) return this.#writeArray(value);
    if (value instanceof Uint8Array && value.constructor === Uint8Array) return this.#writeUint8Array(value);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) {
      this.writeRecord(value, this.#plainInherits ??= plainObjectsInherit());
    } else if (prototype === TypedMessage.prototype) writeTypedMessage(this, value as TypedMessage);
    else writeBuiltin(this, value);
  }

  #writeUint8Array(value: Uint8Array): void {
    if (value.length === 0) checkAttached(value);
    if (this.track(value)) this.writeBytes(value);
  }

  #writeArray(array: readonly unknown[]): void {
    // Before it is looked through: a peer's message may have it once and refer to it a million times, and go on to others.
    if (!this.track(array)) return;
    const length = array.length;
    if (isSparse(array)) {
      writeSparseArray(this, array);
    } else {
      const level = this.open(Major.array, length);
      for (let i = 0; i < length; i++) {
        this.#path[level] = i;
        this.writeValue(array[i]);
      }
      this.close();
    }
    // What is appended meanwhile stays behind; what is taken away must not arrive as undefined.
    if (array.length < length) throw this.fail("an array that became shorter while it was read");
  }

  /** Writes an object's own enumerable data; what its `toJSON` returns, if it has one. It may have keys that it `inherits`. */
  writeRecord(record: object, inherits: boolean): void {
    if (!this.track(record)) return;
    let count = 0;
    for (const key in record) {
      if (inherits && !hasOwn.call(record, key)) continue;
      if (key === "toJSON" && this.#writeTrackedJson(record)) return;
      count++;
    }
    this.writeEntries(record, count, inherits);
  }

  /** Writes the `count` own enumerable entries of `record` as a map. */
  writeEntries(record: object, count: number, inherits: boolean): void {
    const values = record as Readonly<Record<string, unknown>>;
    const level = this.open(Major.map, count);
    for (const key in values) {
      if (inherits && !hasOwn.call(values, key)) continue;
      this.#path[level] = key;
      this.writeText(key);
      this.writeValue(values[key]);
      count--;
    }
    this.close();
    if (count !== 0) throw this.fail("an object that changed while it was read");
  }

  /** The same as `writeJson` for what has been tracked: what its toJSON returns is another value each time. */
  #writeTrackedJson(record: object): boolean {
    this.#shared.forgetLast(record);
    if (this.writeJson(record)) return true;
    this.track(record);
    return false;
  }

  /** Writes what `value.toJSON()` returns, if it has such a method. */
  writeJson(value: object): boolean {
    const { toJSON } = value as { readonly toJSON?: unknown };
    if (typeof toJSON !== "function") return false;
    // A level of its own, so that a toJSON whose result has one again comes to an end.
    this.#enter();
    this.writeValue(toJSON.call(value));
    this.close();
    return true;
  }

  /** Notes that `value` comes next. False: it has been written before, and nothing more is to be done. */
  track(value: object): boolean {
    return this.#shared.add(value, this.out.position);
  }

  /** Begins a container, an array or a map; `at` wants the number returned. */
  open(major: number, count: number): number {
    const level = this.#enter();
    this.head(major, count);
    return level;
  }

  /** Begins a generic object of ours that has `parts` parts after its name. */
  openGeneric(name: string, parts: number): void {
    this.head(Major.tag, Tag.genericObject);
    this.open(Major.array, 1 + parts);
    this.writeText(name);
  }

  #enter(): number {
    if (this.#depth === MAX_DEPTH) throw this.fail(`more than ${MAX_DEPTH} levels`);
    return this.#depth++;
  }

  /** Says which entry of the container of `level` comes next; errors name it. */
  at(level: number, key: PathKey): void {
    this.#path[level] = key;
  }

  /** Ends the innermost container. */
  close(): void {
    this.#path[--this.#depth] = undefined;
  }

  /** Counts the holes of a sparse array. */
  addHoles(count: number): void {
    this.#holes += count;
    if (this.#holes > MAX_HOLES) throw this.fail(`arrays with more than ${MAX_HOLES} holes in all`);
  }

  /** Counts a bigint of so many bytes. */
  addBigint(length: number): void {
    this.#largeBigintBytes += largeBigintBytes(length);
    if (this.#largeBigintBytes > MAX_LARGE_BIGINT_BYTES) throw this.fail(TOO_MANY_LARGE_BIGINTS);
  }

  /** Counts a RegExp. */
  addRegExp(value: RegExp): void {
    this.#regExpCharacters += regExpCharacters(value);
    if (this.#regExpCharacters > MAX_REGEXP_CHARACTERS) throw this.fail(TOO_MANY_REGEXPS);
  }

  /** The error that says: `what` cannot be encoded. */
  fail(what: string): SerializerError {
    return encodeError(what, pathText(this.#path, this.#depth));
  }

  /** What is thrown for `thrown`, which came from here or from a getter, a `toJSON` or the environment on the way. */
  explain(thrown: unknown): Error {
    return explainEncodeError(thrown, pathText(this.#path, this.#depth));
  }
}

/**
 * Whether somebody gave `Object.prototype` a key. Asked once a message: to ask each object about each key takes a fifth of all the
 * time on Node 20, a twelfth on Bun 1.4.
 */
function plainObjectsInherit(): boolean {
  let found = false;
  for (const _key in PLAIN) found = true;
  return found;
}

/** How many bytes the head of a text that is not short has. */
function headLength(length: number): number {
  return length <= 0xff ? 2 : length <= 0xffff ? 3 : length <= 0xffff_ffff ? 5 : 9;
}

function isSparse(array: readonly unknown[]): boolean {
  for (let i = 0; i < array.length; i++) if (array[i] === undefined && !(i in array)) return true;
  return false;
}
