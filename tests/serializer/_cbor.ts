/**
 * What the tests of the CBOR serializer share: contexts, hexadecimal in and out, and a strict comparison.
 *
 * @module
 */

import { ByteSink } from "../../src/base/byte_sink.ts";
import { MessageBody } from "../../src/base/message_body.ts";
import { ReceivedBytes } from "../../src/base/received_bytes.ts";
import { SerializerError } from "../../src/base/errors.ts";
import { cborSerializer } from "../../src/serializer/cbor.ts";
import type { EncodedRef, RefAddress, SerializerContext } from "../../src/serializer/serializer.ts";
import { fromHex, toHex } from "../_harness.ts";

/** A reference to an endpoint, as the fake environment has them. */
export class FakeRef {
  readonly name: string;
  readonly address: RefAddress | undefined;

  constructor(name: string, address?: RefAddress) {
    this.name = name;
    this.address = address;
  }
}

/** A class that the fake environment does not let travel. */
export class Untravelled {}

/** An environment that knows FakeRef. */
export const context: SerializerContext = {
  encodeRef(value: object): EncodedRef | undefined {
    if (value instanceof Untravelled) throw new SerializerError("Send its .ref instead", { direction: "encode" });
    return value instanceof FakeRef ? { name: value.name, address: value.address } : undefined;
  },
  decodeRef: (name, address) => new FakeRef(name, address),
  exposeStack: false,
};

/** The content for `value`. */
export function encode(value: unknown, using: SerializerContext = context): Uint8Array {
  const out = new ByteSink(16);
  cborSerializer.encode(value, out, using);
  return out.copy();
}

/** The content for a failure. */
export function encodeFailure(error: Error, using: SerializerContext = context): Uint8Array {
  const out = new ByteSink(16);
  cborSerializer.encodeFailure(error, out, using);
  return out.copy();
}

/** The value of content. */
export function decode(content: Uint8Array, using: SerializerContext = context): unknown {
  // Somewhere in borrowed memory, which is nothing to the content.
  const memory = new Uint8Array(content.length + 20).fill(0xee);
  memory.set(content, 7);
  const value = cborSerializer.decode(new MessageBody(new ReceivedBytes(memory, false), 7, 7 + content.length), using);
  memory.fill(0xdd);
  return value;
}

/** The item for `value` in hexadecimal, without the prefix. */
export function encodeHex(value: unknown): string {
  return toHex(encode(value)).slice(6);
}

/** The value of an item in hexadecimal; the prefix is put before it. Blanks do not count. */
export function decodeHex(hex: string): unknown {
  return decode(fromHex("d9d9f7" + hex.replaceAll(" ", "")));
}

/** What arrives for `value`. */
export function roundTrip(value: unknown): unknown {
  return decode(encode(value));
}

/** Decodes and fails unless it gives a value or a SerializerError with an offset within the content. */
export function decodeSafely(content: Uint8Array, using: SerializerContext = context): unknown {
  try {
    return decode(content, using);
  } catch (error) {
    if (!(error instanceof SerializerError) || error.direction !== "decode") throw error;
    if (error.offset === undefined || error.offset < 0 || error.offset > content.length) {
      throw new Error(`Offset ${error.offset} is outside ${content.length} bytes`, { cause: error });
    }
    return error;
  }
}

/**
 * Fails unless both are the same value: -0 is not 0, a hole is not undefined, classes and the order of entries count, and
 * what is one object in one is one object in the other.
 */
export function assertSame(actual: unknown, expected: unknown, path = "", pairs: Map<object, object> = new Map()): void {
  if (Object.is(actual, expected)) return;
  const differ = (what: string) => new Error(`Not the same at ${path === "" ? "the root" : path}: ${what}`);
  if (typeof actual !== "object" || typeof expected !== "object" || actual === null || expected === null) {
    throw differ(`${String(actual)}, expected ${String(expected)}`);
  }
  const known = pairs.get(expected);
  if (known !== undefined) {
    if (known !== actual) throw differ("another object than before");
    return;
  }
  pairs.set(expected, actual);
  if (Object.getPrototypeOf(actual) !== Object.getPrototypeOf(expected)) throw differ("another class");
  assertSameText(String(partsOf(actual).text), String(partsOf(expected).text), differ);
  const [ours, theirs] = [partsOf(actual).entries, partsOf(expected).entries];
  if (ours.length !== theirs.length) throw differ(`${ours.length} entries, expected ${theirs.length}`);
  for (let i = 0; i < theirs.length; i++) {
    assertSame(ours[i]![0], theirs[i]![0], `${path} key ${i}`, pairs);
    assertSame(ours[i]![1], theirs[i]![1], `${path}[${String(theirs[i]![0])}]`, pairs);
  }
}

function assertSameText(actual: string, expected: string, differ: (what: string) => Error): void {
  if (actual !== expected) throw differ(`${actual}, expected ${expected}`);
}

/** What makes up an object: a text for what has no entries, and its entries. */
function partsOf(value: object): { readonly text: string; readonly entries: (readonly [unknown, unknown])[] } {
  if (value instanceof Map) return { text: "Map", entries: [...value] };
  if (value instanceof Set) return { text: "Set", entries: [...value].map((item, i) => [i, item]) };
  if (value instanceof Date) return { text: String(value.getTime()), entries: [] };
  if (value instanceof RegExp) return { text: String(value), entries: [] };
  if (value instanceof ArrayBuffer) return { text: toHex(new Uint8Array(value)), entries: [] };
  if (ArrayBuffer.isView(value)) {
    return { text: toHex(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)), entries: [] };
  }
  const entries: [unknown, unknown][] = Object.entries(value);
  if (value instanceof Error) {
    // A cause that was assigned is enumerable, one that was given to the constructor is not; that does not travel.
    const fields = entries.filter(([key]) => key !== "cause" && key !== "errors");
    for (const key of ["cause", "errors"] as const) if (key in value) fields.push([key, (value as AggregateError)[key]]);
    return { text: `${value.name}: ${value.message}`, entries: fields };
  }
  return { text: Array.isArray(value) ? `Array of ${value.length}` : "object", entries };
}
