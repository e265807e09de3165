import { assertEquals, assertThrows } from "@std/assert";
import { SerializerError } from "../../src/base/errors.ts";
import { MAX_LARGE_BIGINT_BYTES } from "../../src/serializer/bigint_bytes.ts";
import { JavaBigDecimal, JavaNumber } from "../../src/serializer/java/java_numbers.ts";
import { test } from "../_harness.ts";
import * as cbor from "./_cbor.ts";
import * as java from "./java/_java.ts";

const LARGE_BYTES = 65_536;
const LARGE = (1n << BigInt(8 * LARGE_BYTES)) - 1n;
const SMALL_BYTES = 256;
const SMALL = (1n << BigInt(8 * SMALL_BYTES)) - 1n;

for (const [name, encode] of Object.entries({ cbor: cbor.encode, java: java.encode })) {
  test(`${name}.encode() writes ${MAX_LARGE_BIGINT_BYTES} bytes of large bigints and no more: a few bytes of a message refer to one`, () => {
    const most = new Array<bigint>(MAX_LARGE_BIGINT_BYTES / LARGE_BYTES).fill(LARGE);
    const size = encode(most).length;
    assertEquals(size > MAX_LARGE_BIGINT_BYTES, true);
    assertThrows(() => encode([...most, LARGE]), SerializerError, "have more than 4194304 in all at [64]");
    // Of each message for itself.
    assertEquals(encode(most).length, size);
  });

  test(`${name}.encode() writes as many small bigints as there are`, () => {
    const many = new Array<bigint>(2 * MAX_LARGE_BIGINT_BYTES / SMALL_BYTES).fill(SMALL);
    assertEquals(encode(many).length > 2 * MAX_LARGE_BIGINT_BYTES, true);
  });
}

test("java.encode() counts large bigints whatever they are in", () => {
  const count = 1 + MAX_LARGE_BIGINT_BYTES / LARGE_BYTES;
  const makes: readonly (() => object)[] = [
    () => new JavaBigDecimal(LARGE, 2),
    () => new JavaNumber("BigInteger", LARGE),
    () => new JavaNumber("BigInt", LARGE),
  ];
  for (const make of makes) {
    assertThrows(() => java.encode(Array.from({ length: count }, make)), SerializerError, "have more than 4194304 in all");
  }
});

test("bigints of all lengths are carried by both codecs", () => {
  for (const { roundTrip } of [cbor, java]) {
    for (let bits = 0n; bits < 200n; bits++) {
      for (const value of [1n << bits, (1n << bits) - 1n, -(1n << bits), 0x0123_4567_89ab_cdefn << bits]) {
        assertEquals(roundTrip(value), value);
      }
    }
  }
});
