/**
 * What the tests of the Java serializer share: contexts, vectors by name, bytes in and out.
 *
 * @module
 */

import { ByteSink } from "../../../src/base/byte_sink.ts";
import { SerializerError } from "../../../src/base/errors.ts";
import { MessageBody } from "../../../src/base/message_body.ts";
import { java } from "../../../src/rpc/java_serializer.ts";
import type { JavaSerializer } from "../../../src/serializer/java/java.ts";
import { type EncodedRef, type RefAddress, RpcFailure, type SerializerContext } from "../../../src/serializer/serializer.ts";
import { fromHex, toHex } from "../../_harness.ts";
import { readVectors, type Vector } from "../../_vectors.ts";

/** A reference to an endpoint, as the fake environment has them. */
export class FakeRef implements EncodedRef {
  readonly name: string;
  readonly address: RefAddress | undefined;

  constructor(name: string, address?: RefAddress) {
    this.name = name;
    this.address = address;
  }
}

/** An environment that knows FakeRef. */
export const context: SerializerContext = {
  encodeRef: (value) => value instanceof FakeRef ? { name: value.name, address: value.address } : undefined,
  decodeRef: (name, address) => new FakeRef(name, address),
  exposeStack: false,
};

/** All content that a Spark, or a JDK, wrote. */
export const vectors: readonly Vector[] = [
  ...["java-4.2.0_2.13", "collections-4.2.0_2.13", "deploy-4.2.0_2.13", "upload-4.2.0_2.13", "java_jdk-17"],
].flatMap((name) => readVectors(name));

/** The content of a vector. */
export function vector(name: string): Uint8Array {
  const found = vectors.find((one) => one.name === name);
  if (found === undefined) throw new Error(`There is no vector ${name}`);
  return fromHex(found.hex);
}

/** Doubles and BigIntegers as JavaNumber. */
export const exact: JavaSerializer = java.with({ exactNumbers: true });

/** The content for `value`. */
export function encode(value: unknown, codec: JavaSerializer = java, using: SerializerContext = context): Uint8Array {
  const out = new ByteSink(16);
  codec.encode(value, out, using);
  return out.copy();
}

/** The value of content. */
export function decode(content: Uint8Array, codec: JavaSerializer = java, using: SerializerContext = context): unknown {
  return codec.decode(MessageBody.of(content), using);
}

/** The value of a vector. */
export function decodeVector(name: string, codec: JavaSerializer = java): unknown {
  return decode(vector(name), codec);
}

/** An exception that a Spark 4.2 wrote, of the class that is another in each version. */
export function sparkException(): Error {
  const failure = decodeVector("RpcFailure_SparkException_cause");
  if (failure instanceof RpcFailure) return failure.error;
  throw new Error("The vector holds no failure");
}

/** What arrives for `value`. */
export function roundTrip(value: unknown, codec: JavaSerializer = java): unknown {
  return decode(encode(value, codec), codec);
}

/** The content without the header, in hexadecimal. */
export function encodeHex(value: unknown): string {
  return toHex(encode(value)).slice(8);
}

/** The value of hexadecimal content; the header is put before it. Blanks do not count. */
export function decodeHex(hex: string, codec: JavaSerializer = java): unknown {
  return decode(fromHex("aced0005" + hex.replaceAll(" ", "")), codec);
}

/** The hexadecimal of a name: its length and its characters, which are ASCII. */
export function nameHex(name: string): string {
  const bytes = new TextEncoder().encode(name);
  return bytes.length.toString(16).padStart(4, "0") + toHex(bytes);
}

/** The description of a class without fields and super class, serializable unless told otherwise. */
export function classHex(
  name: string,
  { uid = "0000000000000001", flags = "02", fields = "0000", parent = "70" } = {},
): string {
  return `72${nameHex(name)}${uid}${flags}${fields}78${parent}`;
}

/** Decodes and fails unless it gives a value or a SerializerError with an offset within the content. */
export function decodeSafely(content: Uint8Array, codec: JavaSerializer = java): unknown {
  try {
    return decode(content, codec);
  } catch (error) {
    if (!(error instanceof SerializerError) || error.direction !== "decode") throw error;
    if (error.offset === undefined || error.offset < 0 || error.offset > content.length) {
      throw new Error(`Offset ${error.offset} is outside ${content.length} bytes`, { cause: error });
    }
    return error;
  }
}
