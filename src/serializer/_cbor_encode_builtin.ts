/**
 * Writes the values that CBOR has no major type for: built-in classes by their registered tags, ours as generic objects.
 *
 * What the language or the platform made and has no form here (a Promise, a WeakMap, a ReadableStream) is refused: it would
 * arrive as an empty object. They are told by the `Symbol.toStringTag` that each of them has and plain classes do not.
 *
 * @module
 */

import type { CborEncoder } from "./_cbor_encoder.ts";
import { writeErrorValue } from "./_cbor_error_value.ts";
import { Major, MAX_BIGINT_BYTES, Name, RESERVED_PREFIX, Tag } from "./_cbor_format.ts";
import { typedArrayTag } from "./_cbor_typed_arrays.ts";
import type { TypedMessage } from "./serializer.ts";

const classText = Object.prototype.toString;
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
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
      if (encoder.track(value)) writeGeneric(encoder, Name.arrayBuffer, new Uint8Array(value as ArrayBuffer));
      return;
    case "[object Number]":
    case "[object String]":
    case "[object Boolean]":
      return encoder.writeValue(value.valueOf());
    default:
      return writeOther(encoder, value, kind);
  }
}

/** An object of a class: a reference to an endpoint, else what its `toJSON` returns, else its own data. */
function writeInstance(encoder: CborEncoder, value: object): void {
  if (!writeRef(encoder, value) && !encoder.writeJson(value)) encoder.writeRecord(value);
}

function writeOther(encoder: CborEncoder, value: object, kind: string): void {
  if (writeRef(encoder, value) || encoder.writeJson(value)) return;
  const name = kind.slice("[object ".length, -1);
  throw encoder.fail(`${/^[AEIOU]/i.test(name) ? "an" : "a"} ${name}`);
}

function writeRef(encoder: CborEncoder, value: object): boolean {
  const ref = encoder.context?.encodeRef(value);
  if (ref === undefined) return false;
  writeGeneric(encoder, Name.ref, ref.name, ref.address?.host ?? null, ref.address?.port ?? 0);
  return true;
}

/** Writes a generic object of ours: its name and its parts. */
export function writeGeneric(encoder: CborEncoder, name: string, ...parts: readonly unknown[]): void {
  encoder.head(Major.tag, Tag.genericObject);
  const level = encoder.open(Major.array, 1 + parts.length);
  encoder.writeText(name);
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    encoder.at(level, i + 1);
    // Not writeValue(): bytes that were made for this are nobody's shared value.
    if (part instanceof Uint8Array) encoder.writeBytes(part);
    else encoder.writeValue(part);
  }
  encoder.close();
}
