/**
 * Reads generic objects, tag 27: ours by name, every other one as a message of a typed endpoint.
 *
 * @module
 */

import type { CborDecoder } from "./_cbor_decoder.ts";
import { newError, setErrorField } from "./_cbor_error_value.ts";
import { failureOf } from "./_cbor_failure.ts";
import { Major, Name } from "./_cbor_format.ts";
import { arrayWithHoles } from "./far_index.ts";
import { RESERVED_TAG_PREFIX, RpcFailure, TypedMessage } from "./serializer.ts";
import { shown } from "./serializer_errors.ts";

const MAX_PORT = 65_535;
const MAX_ARRAY_LENGTH = 2 ** 32 - 1;

/** The number of elements of each, the name included. */
const LENGTHS: ReadonlyMap<string, number> = new Map([
  [Name.arrayBuffer, 2],
  [Name.dataView, 2],
  [Name.error, 4],
  [Name.failure, 2],
  [Name.ref, 4],
  [Name.regexp, 3],
  [Name.sparseArray, 3],
]);

/** Reads the array that tag 27 is put on; the tag ended at `at`. */
export function readGeneric(decoder: CborDecoder, at: number): unknown {
  const handle = decoder.takeHandle();
  const count = decoder.open(Major.array, "Content of tag 27");
  const name = count === 0 ? undefined : decoder.readValue();
  if (typeof name !== "string") throw decoder.fail("Generic object has no name", at);
  let value: unknown;
  if (!name.startsWith(RESERVED_TAG_PREFIX)) {
    if (count !== 1 && count !== 2) throw decoder.fail(`Typed message ${shown(name)} has ${count} elements`, at);
    value = new TypedMessage(name, count === 2 ? decoder.readValue() : undefined);
  } else {
    if (LENGTHS.get(name) !== count) throw decoder.fail(`Generic object ${shown(name)} has ${count} elements`, at);
    value = readOwn(decoder, name, handle, at);
  }
  decoder.leave();
  return value;
}

function readOwn(decoder: CborDecoder, name: string, handle: number, at: number): unknown {
  switch (name) {
    case Name.ref:
      return readRef(decoder, at);
    case Name.failure:
      return readFailure(decoder, at);
    case Name.error:
      return readError(decoder, handle, at);
    case Name.regexp:
      return readRegExp(decoder, at);
    case Name.sparseArray:
      return readSparseArray(decoder, handle, at);
    case Name.arrayBuffer:
      return decoder.readOwnBytes("Content of an ArrayBuffer").buffer;
    default:
      return new DataView(decoder.readOwnBytes("Content of a DataView").buffer);
  }
}

function textPart(decoder: CborDecoder, what: string, at: number): string {
  const text = decoder.readValue();
  if (typeof text !== "string") throw decoder.fail(`${what} is not text`, at);
  return text;
}

function readRegExp(decoder: CborDecoder, at: number): RegExp {
  const source = textPart(decoder, "Source of a RegExp", at);
  const flags = textPart(decoder, "Flags of a RegExp", at);
  decoder.addRegExp({ source, flags }, at);
  return new RegExp(source, flags);
}

function readRef(decoder: CborDecoder, at: number): unknown {
  const name = textPart(decoder, "Name of a reference", at);
  const host = decoder.readValue();
  const port = decoder.readValue();
  if (typeof port !== "number" || !Number.isInteger(port) || port < 0 || port > MAX_PORT) {
    throw decoder.fail(`Port of a reference is not in 0..${MAX_PORT}`, at);
  }
  if (host !== null && typeof host !== "string") throw decoder.fail("Host of a reference is not text", at);
  return decoder.context?.decodeRef(name, host === null ? undefined : { host, port });
}

/** A failure is a whole answer; inside another value it would be one that nobody looks for. */
function readFailure(decoder: CborDecoder, at: number): RpcFailure {
  if (decoder.depth !== 1) throw decoder.fail("Failure inside a value", at);
  const error = failureOf(decoder.readValue());
  if (error === undefined) throw decoder.fail("Failure has no class or no message", at);
  return new RpcFailure(error);
}

function readError(decoder: CborDecoder, handle: number, at: number): Error {
  const name = textPart(decoder, "Name of an Error", at);
  const error = newError(name, textPart(decoder, "Message of an Error", at));
  decoder.resolve(handle, error);
  const count = decoder.open(Major.map, "Fields of an Error");
  for (let i = 0; decoder.hasNext(i, count); i++) {
    setErrorField(error, textPart(decoder, "Field of an Error", at), decoder.readValue());
  }
  decoder.leave();
  return error;
}

function readSparseArray(decoder: CborDecoder, handle: number, at: number): unknown[] {
  const length = decoder.readValue();
  if (typeof length !== "number" || !Number.isInteger(length) || length < 0 || length > MAX_ARRAY_LENGTH) {
    throw decoder.fail("Length of an array is none", at);
  }
  decoder.spend(length);
  const count = decoder.open(Major.map, "Elements of an array");
  const array = arrayWithHoles(length, count);
  decoder.resolve(handle, array);
  for (let i = 0; decoder.hasNext(i, count); i++) {
    const index = decoder.readValue();
    if (typeof index !== "number" || !Number.isInteger(index) || index < 0 || index >= length) {
      throw decoder.fail(`Array of ${length} has no such element`, at);
    }
    array[index] = decoder.readValue();
  }
  array.length = length;
  decoder.leave();
  return array;
}
