import { assertEquals, assertThrows } from "@std/assert";
import { ByteReader } from "../../src/base/byte_reader.ts";
import { ByteSink } from "../../src/base/byte_sink.ts";
import { ProtocolError } from "../../src/base/errors.ts";
import { test } from "../_harness.ts";

const fail = (message: string, offset: number) => new ProtocolError(message, { offset });

test("ByteSink writes what ByteReader reads", () => {
  const sink = new ByteSink(1);
  sink.writeUint8(7);
  sink.writeUint16(65_535);
  sink.writeInt32(-2);
  sink.writeInt64(-1, -2);
  sink.writeSafeInt64(2 ** 53 - 1);
  for (const value of [-1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n + 7n]) sink.writeBigInt64(value);
  sink.writeFloat64(-1.5);
  const reader = new ByteReader(sink.copy(), fail);
  assertEquals(reader.readUint8("a"), 7);
  assertEquals(reader.readUint16("a"), 65_535);
  assertEquals(reader.readInt32("a"), -2);
  assertEquals(reader.readInt64("a"), -2n);
  assertEquals(reader.readInt64("a"), BigInt(2 ** 53 - 1));
  for (const value of [-1n, 2n ** 63n - 1n, -(2n ** 63n), 7n]) assertEquals(reader.readInt64("a"), value);
  assertEquals(reader.readFloat64("a"), -1.5);
  assertEquals(reader.remaining, 0);
});

for (const text of ["", "Master", "höst", "你😀", "a\0b", "é\x7f", "x".repeat(200), "é".repeat(200), "x你".repeat(5_000)]) {
  test(`ByteSink writes ${JSON.stringify(text.slice(0, 8))} (${text.length}) in UTF-8 and modified UTF-8`, () => {
    const sink = new ByteSink(1);
    const plain = sink.writeUtf8(text);
    assertEquals(sink.copy(), new TextEncoder().encode(text));
    const modified = sink.writeModifiedUtf8(text);
    const reader = new ByteReader(sink.copy(), fail);
    assertEquals(reader.readUtf8(plain, "text"), text);
    assertEquals(reader.readModifiedUtf8(modified, "text"), text);
  });
}

test("ByteReader refuses what is short, negative or no modified UTF-8", () => {
  assertThrows(
    () => new ByteReader(new Uint8Array(3), fail).readInt32("size"),
    ProtocolError,
    "size needs 4 bytes, but 3 are left",
  );
  assertThrows(() => new ByteReader(new Uint8Array(3), fail).readBytes(-1, "name"), ProtocolError, "negative: -1");
  for (const bytes of [[0x80], [0xc1], [0xe1, 0x80], [0xc1, 0x20], [0xff, 0x80]]) {
    assertThrows(
      () => new ByteReader(Uint8Array.from(bytes), fail).readModifiedUtf8(bytes.length, "name"),
      ProtocolError,
      "not modified UTF-8",
    );
  }
});
