/**
 * The serializer between Sparkwires: CBOR, RFC 8949, with tags that are registered at IANA and no others.
 *
 * Spark: core/…/serializer/JavaSerializer.scala, whose place it takes.
 *
 * It carries what structured clone carries, and references to endpoints besides: undefined, bigint, -0, NaN, text with half
 * a surrogate pair, Map, Set, Date, RegExp, Error, ArrayBuffer and its views, arrays with holes, shared and cyclic references.
 *
 * - An object of a class travels as its own enumerable data and arrives as a plain object. One with a `toJSON` travels as
 *   what that returns; a platform's object without (a Promise, a stream), a function and a symbol are refused with their path.
 * - Properties named by a symbol, accessors as such, prototypes, a RegExp's `lastIndex`, named properties of arrays, and
 *   what is between two views of one buffer do not travel. A boxed primitive arrives as the primitive.
 * - Byte strings are views of what was received, or of a copy of that (short ones copies of their own on Bun): one that is kept keeps
 *   up to 64 KiB of its neighbours in memory, and its `buffer` must not be transferred. `slice()` makes one that is alone and may be.
 * - Bounded both ways: depth, objects, shared values, holes of arrays, bytes of a bigint, characters of RegExps; see `_cbor_format.ts`. Not read:
 *   a Map or a Set of numbers that were chosen to lie in one place of its table; see `key_collisions.ts`.
 * - Read, not written: items of indefinite length, tags 0, 21 to 24 and 32, maps with any keys (as a Map, if the first is not
 *   text). Refused: unknown tags and simple values, text that is not UTF-8, bytes after the value.
 *
 * @module
 */

import type { ByteSink } from "../base/byte_sink.ts";
import type { MessageBody } from "../base/message_body.ts";
import { isByteString, readByteString, writeByteString } from "./_cbor_byte_string.ts";
import { CborDecoder } from "./_cbor_decoder.ts";
import { CborEncoder } from "./_cbor_encoder.ts";
import { failureFields, leastFailureFields } from "./_cbor_failure.ts";
import { Name, PREFIX } from "./_cbor_format.ts";
import type { Serializer, SerializerContext } from "./serializer.ts";

/** One of each waits to be used. A call from within another (of a getter that asks) finds none and makes its own. */
let idleEncoder: CborEncoder | undefined = new CborEncoder();
let idleDecoder: CborDecoder | undefined = new CborDecoder();

function encode(value: unknown, out: ByteSink, context: SerializerContext): void {
  if (isByteString(value)) writeByteString(value, out);
  else write(value, false, out, context);
}

function encodeFailure(error: Error, out: ByteSink, context: SerializerContext): void {
  try {
    write(failureFields(error, context.exposeStack), true, out, context);
  } catch {
    // A getter of the error threw, say. The asker must hear of the failure all the same.
    write(leastFailureFields(error), true, out, context);
  }
}

function write(value: unknown, isFailure: boolean, out: ByteSink, context: SerializerContext): void {
  const start = out.position;
  const encoder = idleEncoder ?? new CborEncoder();
  idleEncoder = undefined;
  try {
    encoder.begin(out, context);
    if (isFailure) encoder.openGeneric(Name.failure, 1);
    encoder.writeValue(value);
    encoder.finish();
  } catch (thrown) {
    out.truncate(start);
    throw encoder.explain(thrown);
  } finally {
    encoder.reset();
    idleEncoder = encoder;
  }
}

function decode(content: MessageBody, context: SerializerContext): unknown {
  return readByteString(content) ?? read(content, context);
}

function read(content: MessageBody, context: SerializerContext): unknown {
  const decoder = idleDecoder ?? new CborDecoder();
  idleDecoder = undefined;
  try {
    return decoder.decode(content, context);
  } catch (thrown) {
    throw decoder.explain(thrown);
  } finally {
    decoder.reset();
    idleDecoder = decoder;
  }
}

/**
 * The serializer between Sparkwires, and an environment's default.
 *
 * It carries what `structuredClone` carries, and references to endpoints: undefined, bigint, Map, Set, Date, RegExp, Error, ArrayBuffer
 * and its views, shared and cyclic references. An object of a class arrives as a plain object, or as what its `toJSON` gave. A
 * function, a symbol, or an object of the platform without `toJSON`, such as a Promise or a Blob, is refused, and the error names its
 * path.
 *
 * A message has at most 512 levels, 2,000,000 objects (arrays, Dates and byte strings among them), 1,000,000 values that occur more
 * than once, arrays with 65,536 holes, RegExps of 16,384 characters, and bigints of 65,536 bytes each; those of more than 256 are
 * written with 4 MiB in all. One that has more is refused with a {@linkcode SerializerError} before anything is sent; of its bytes
 * `spark.rpc.message.maxSize` is the limit.
 *
 * @example
 * ```ts
 * import { cborSerializer } from "@sparkwire/sparkwire";
 *
 * if (cborSerializer.name !== "cbor") throw new Error("Not CBOR");
 * ```
 */
export const cborSerializer: Serializer = { name: "cbor", prefix: PREFIX, encode, decode, encodeFailure };
