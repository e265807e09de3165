import { assertEquals, assertThrows } from "@std/assert";
import { SerializerError } from "../../src/base/errors.ts";
import { fromHex, test } from "../_harness.ts";
import { assertSame, decode, decodeHex, encodeHex } from "./_cbor.ts";
import { EXAMPLES, NOT_WELL_FORMED } from "./_rfc8949.ts";

for (const { hex, value, written } of EXAMPLES) {
  test(`cborSerializer.decode() of ${hex}, as in RFC 8949 A`, () => {
    assertSame(decodeHex(hex), value);
    if (written) assertEquals(encodeHex(value), hex);
  });
}

test("cborSerializer.decode() refuses the simple values of RFC 8949 A that have no meaning", () => {
  const error = assertThrows(() => decodeHex("f0"), SerializerError);
  assertEquals([error.message, error.offset], ["Simple value 16 has no meaning, at byte 3", 3]);
  assertThrows(() => decodeHex("f8ff"), SerializerError, "Simple value 255 has no meaning, at byte 3");
});

for (const [what, items] of Object.entries(NOT_WELL_FORMED)) {
  test(`cborSerializer.decode() refuses what is not well-formed, as in RFC 8949 F: ${what}`, () => {
    for (const hex of items) assertThrows(() => decodeHex(hex), SerializerError, undefined, hex);
  });
}

test("cborSerializer.decode() refuses content without its prefix, without a value, and with more than one", () => {
  assertThrows(() => decode(fromHex("")), SerializerError, "Content is not CBOR, at byte 0");
  assertThrows(() => decode(fromHex("83010203")), SerializerError, "Content is not CBOR, at byte 0");
  assertThrows(() => decode(fromHex("d9d9f7")), SerializerError, "Content ends too early, at byte 3");
  assertThrows(() => decodeHex("0102"), SerializerError, "Content does not end with its value: bytes left 1, at byte 4");
});

test("cborSerializer.decode() reads a prefix within content", () => {
  assertSame(decodeHex("82 d9d9f7 01 d9d9f7 d9d9f7 02"), [1, 2]);
});

test("cborSerializer.decode() keeps the last of equal keys", () => {
  assertSame(decodeHex("a3 6161 01 6162 02 6161 03"), { a: 3, b: 2 });
  assertSame(decodeHex("d90103 a2 01 01 01 02"), new Map([[1, 2]]));
});

test("cborSerializer.decode() makes a Map where the first key is not text", () => {
  assertSame(decodeHex("a2 80 01 6161 02"), new Map<unknown, unknown>([[[], 1], ["a", 2]]));
  assertThrows(() => decodeHex("a2 6161 02 01 01"), SerializerError, "Key of an object is not text, at byte 7");
});

test("cborSerializer.decode() refuses a tag that it does not know", () => {
  assertThrows(() => decodeHex("d825 50 00112233445566778899aabbccddeeff"), SerializerError, "Unknown tag 37, at byte 5");
  assertThrows(() => decodeHex("dbffffffffffffffff 00"), SerializerError, "Unknown tag 18446744073709552000, at byte 12");
});

test("cborSerializer.decode() refuses text that is not UTF-8", () => {
  for (const hex of ["61ff", "62c3c3", "63eda080", "62c080", "63e08080", "64f4908080", "61c3", "7f61c361bcff"]) {
    assertThrows(() => decodeHex(hex), SerializerError, "Text is not UTF-8", hex);
    const long = "7827" + "61".repeat(39 - (hex.length - 2) / 2) + hex.slice(2);
    if (!hex.startsWith("7f")) assertThrows(() => decodeHex(long), SerializerError, "Text is not UTF-8", long);
  }
  assertEquals(decodeHex("63efbfbd"), "\ufffd");
  assertEquals(decodeHex("63efbbbf"), "\ufeff");
  assertEquals(decodeHex("7821" + "61".repeat(30) + "efbfbd"), "a".repeat(30) + "\ufffd");
});

test("cborSerializer.decode() refuses dates that are none", () => {
  for (
    const hex of [
      "c06161",
      "c001",
      "c16161",
      "c1fb7e37e43c8800759c",
      "c1f97c00",
      "c074323031332d31332d32315432303a30343a30305a",
    ]
  ) {
    assertThrows(() => decodeHex(hex), SerializerError, "Date", hex);
  }
});
