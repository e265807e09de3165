/**
 * Writes the values that CBOR has no major type for: built-in classes by their registered tags, ours as generic objects.
 *
 * What the language or the platform made and has no form here (a Promise, a WeakMap, a ReadableStream) is refused: it would
 * arrive as an empty object. They are told by the `Symbol.toStringTag` that each of them has and plain classes do not.
 *
 * @module
 */

import { checkAttached } from "../base/bytes.ts";
import { bytesOfBigint } from "./bigint_bytes.ts";
import type { CborEncoder } from "./_cbor_encoder.ts";
import { writeErrorValue } from "./_cbor_error_value.ts";
import { Major, MAX_BIGINT_BYTES, Name, Tag } from "./_cbor_format.ts";
import { typedArrayTag } from "./_cbor_typed_arrays.ts";
import { RESERVED_TAG_PREFIX, TypedMessage } from "./serializer.ts";

const classText = Object.prototype.toString;
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
const MAX_UINT64 = 2n ** 64n - 1n;
const UINT8_ARRAY_TAG = 64;

/** Writes an object that is neither plain, nor an array, nor exactly a Uint8Array. */
export function writeBuiltin(encoder: CborEncoder, value: object): void {
  if (ArrayBuffer.isView(value)) return writeView(encoder, value);
  const kind = classText.call(value);
  if (kind === "[object Object]") return writeInstance(encoder, value);
  if (value instanceof Map) return writeMap(encoder, value);
  if (value instanceof Set) return writeSet(encoder, value);
  if (value instanceof Error) return writeErrorValue(encoder, value);
  switch (kind) {
    case "[object Date]":
      return writeDate(encoder, value as Date);
    case "[object RegExp]":
      return writeRegExp(encoder, value as RegExp);
    case "[object ArrayBuffer]":
      if (encoder.track(value)) writeRaw(encoder, Name.arrayBuffer, new Uint8Array(value as ArrayBuffer));
      return;
    case "[object Number]":
    case "[object String]":
    case "[object Boolean]":
    case "[object BigInt]":
      return encoder.writeValue(value.valueOf());
    default:
      return writeOther(encoder, value, kind);
  }
}

/** An object of a class: a reference to an endpoint, else what its `toJSON` returns, else its own data. */
function writeInstance(encoder: CborEncoder, value: object): void {
  // One of another copy of this module: the encoder knows its own.
  if (TypedMessage.is(value)) return writeTypedMessage(encoder, value);
  if (!writeRef(encoder, value) && !encoder.writeJson(value)) encoder.writeRecord(value, true);
}

function writeOther(encoder: CborEncoder, value: object, kind: string): void {
  if (writeRef(encoder, value) || encoder.writeJson(value)) return;
  // Of another realm: under Jest, whatever the runtime made.
  if (kind === "[object Map]") return writeMap(encoder, value as Map<unknown, unknown>);
  if (kind === "[object Set]") return writeSet(encoder, value as Set<unknown>);
  if (kind === "[object Error]") return writeErrorValue(encoder, value as Error);
  const name = kind.slice("[object ".length, -1);
  throw encoder.fail(`${/^[AEIOU]/i.test(name) ? "an" : "a"} ${name}`);
}

function writeRef(encoder: CborEncoder, value: object): boolean {
  const ref = encoder.context?.encodeRef(value);
  if (ref === undefined) return false;
  encoder.openGeneric(Name.ref, 3);
  encoder.writeText(ref.name);
  encoder.writeValue(ref.address?.host ?? null);
  encoder.writeNumber(ref.address?.port ?? 0);
  encoder.close();
  return true;
}

function writeRegExp(encoder: CborEncoder, value: RegExp): void {
  if (!encoder.track(value)) return;
  encoder.addRegExp(value);
  encoder.openGeneric(Name.regexp, 2);
  encoder.writeText(value.source);
  encoder.writeText(value.flags);
  encoder.close();
}

/** Writes a message of a typed endpoint. It is not tracked: it is made for one message. */
export function writeTypedMessage(encoder: CborEncoder, message: TypedMessage): void {
  const { tag, payload } = message;
  if (tag.startsWith(RESERVED_TAG_PREFIX)) throw encoder.fail(`the tag ${tag}, which begins with ${RESERVED_TAG_PREFIX},`);
  encoder.head(Major.tag, Tag.genericObject);
  const level = encoder.open(Major.array, payload === undefined ? 1 : 2);
  encoder.writeText(tag);
  if (payload !== undefined) {
    encoder.at(level, "payload");
    encoder.writeValue(payload);
  }
  encoder.close();
}

/** Writes an array with holes, which has been tracked: its length, and a map of the elements that it has. */
export function writeSparseArray(encoder: CborEncoder, array: readonly unknown[]): void {
  const indexes: number[] = [];
  // An array's indexes come first among its keys, in order.
  for (const key of Object.keys(array)) {
    const index = Number(key);
    // Others look like one: `-1`, and those from 2^32 - 1 on.
    if (!Number.isInteger(index) || index < 0 || index >= array.length || String(index) !== key) break;
    indexes.push(index);
  }
  encoder.addHoles(array.length - indexes.length);
  encoder.openGeneric(Name.sparseArray, 2);
  encoder.writeNumber(array.length);
  const level = encoder.open(Major.map, indexes.length);
  for (const index of indexes) {
    encoder.at(level, index);
    encoder.writeNumber(index);
    encoder.writeValue(array[index]);
  }
  encoder.close();
  encoder.close();
}

function writeMap(encoder: CborEncoder, map: ReadonlyMap<unknown, unknown>): void {
  if (!encoder.track(map)) return;
  encoder.head(Major.tag, Tag.map);
  let left = map.size;
  const level = encoder.open(Major.map, left);
  for (const [key, value] of map) {
    encoder.at(level, left - map.size - 1);
    encoder.writeValue(key);
    encoder.writeValue(value);
    left--;
  }
  encoder.close();
  if (left !== 0) throw encoder.fail("a Map that changed while it was read");
}

function writeSet(encoder: CborEncoder, set: ReadonlySet<unknown>): void {
  if (!encoder.track(set)) return;
  encoder.head(Major.tag, Tag.set);
  let left = set.size;
  const level = encoder.open(Major.array, left);
  for (const value of set) {
    encoder.at(level, left - set.size - 1);
    encoder.writeValue(value);
    left--;
  }
  encoder.close();
  if (left !== 0) throw encoder.fail("a Set that changed while it was read");
}

/** Seconds as a number: a float of them tells all the milliseconds apart that a Date has. */
function writeDate(encoder: CborEncoder, date: Date): void {
  if (!encoder.track(date)) return;
  encoder.head(Major.tag, Tag.date);
  encoder.writeNumber(date.getTime() / 1000);
}

function writeView(encoder: CborEncoder, view: ArrayBufferView): void {
  if (!encoder.track(view)) return;
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const tag = typedArrayTag(view);
  if (tag === undefined) return writeRaw(encoder, Name.dataView, bytes);
  if (bytes.length === 0) checkAttached(view);
  if (tag !== UINT8_ARRAY_TAG) encoder.head(Major.tag, tag);
  encoder.writeBytes(bytes);
}

/** Writes a class whose only part is its bytes. */
function writeRaw(encoder: CborEncoder, name: string, bytes: Uint8Array): void {
  encoder.openGeneric(name, 1);
  encoder.writeBytes(bytes);
  encoder.close();
}

/**
 * Writes a bigint. From 2^53 up to 64 bits that is a plain integer, which arrives as a bigint since no number holds it;
 * a smaller one is tagged, lest it arrive as a number.
 */
export function writeBigint(encoder: CborEncoder, value: bigint): void {
  const negative = value < 0n;
  const magnitude = negative ? -1n - value : value;
  if ((value > MAX_SAFE || value < -MAX_SAFE) && magnitude <= MAX_UINT64) {
    encoder.out.writeUint8((negative ? Major.negative : Major.unsigned) | 27);
    encoder.out.writeBigInt64(magnitude);
    return;
  }
  const bytes = bytesOfBigint(magnitude);
  const { length } = bytes;
  if (length > MAX_BIGINT_BYTES) throw encoder.fail(`a bigint of ${length} bytes (the most is ${MAX_BIGINT_BYTES})`);
  encoder.addBigint(length);
  encoder.head(Major.tag, negative ? Tag.negativeBigint : Tag.bigint);
  encoder.writeBytes(bytes);
}
