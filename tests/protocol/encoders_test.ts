import { assertEquals, assertThrows } from "@std/assert";
import type { ByteReader } from "../../src/base/byte_reader.ts";
import { ByteSink } from "../../src/base/byte_sink.ts";
import { ProtocolError } from "../../src/base/errors.ts";
import { seededRandom } from "../../src/base/random.ts";
import * as encoders from "../../src/protocol/encoders.ts";
import { test, toHex } from "../_harness.ts";

interface Codec<T> {
  readonly name: string;
  readonly values: readonly T[];
  readonly write: (out: ByteSink, value: T) => void;
  readonly read: (reader: ByteReader, what: string) => T;
}

const MAX_INT32 = 2 ** 31 - 1;

function suite<T>({ name, values, write, read }: Codec<T>): void {
  // Spark: EncodersSuite test<Name>EncodeDecode
  test(`Encoders of ${name} read what they wrote, and nothing of what follows`, () => {
    for (const value of values) {
      const out = new ByteSink(1);
      write(out, value);
      const length = out.position;
      out.writeUint8(0xaa);
      const reader = encoders.protocolReader(out.copy());
      assertEquals(read(reader, "value"), value);
      assertEquals(reader.position, length);
    }
  });

  // Spark: EncodersSuite test<Name>DecodeShouldFailWhenLengthIsNegative
  test(`Encoders of ${name} refuse a negative length`, () => {
    const out = new ByteSink();
    out.writeInt32(-1);
    const error = assertThrows(() => read(encoders.protocolReader(out.copy()), "value"), ProtocolError);
    assertEquals(error.message, "Length of value is negative: -1");
    assertEquals(error.offset, 4);
  });

  // Spark: EncodersSuite test<Name>DecodeShouldFailWhenLengthExceedsReadableBytes
  test(`Encoders of ${name} refuse a length above the bytes that are there`, () => {
    const out = new ByteSink();
    out.writeInt32(MAX_INT32);
    assertThrows(() => read(encoders.protocolReader(out.copy()), "value"), ProtocolError, "but 0 are left");
  });

  test(`Encoders of ${name} refuse every prefix of what they wrote`, () => {
    for (const value of values) {
      const out = new ByteSink();
      write(out, value);
      const bytes = out.copy();
      for (let end = 0; end < bytes.length; end++) {
        assertThrows(() => read(encoders.protocolReader(bytes, 0, end), "value"), ProtocolError, "left");
      }
    }
  });

  test(`Encoders of ${name} throw nothing but ProtocolError on random bytes`, () => {
    const random = seededRandom(7);
    for (let round = 0; round < 2_000; round++) {
      const bytes = Uint8Array.from({ length: Math.floor(random() * 40) }, () => Math.floor(random() * 256));
      for (let i = 0; i < 3 && i < bytes.length; i++) bytes[i] = 0;
      try {
        read(encoders.protocolReader(bytes), "value");
      } catch (thrown) {
        if (!(thrown instanceof ProtocolError)) throw thrown;
      }
    }
  });
}

suite<string>({
  name: "strings",
  values: ["spark", "", "caf\u00e9 \u4f60\u597d \u{1f600}", "x".repeat(100)],
  write: encoders.writeString,
  read: encoders.readString,
});
suite<Uint8Array>({
  name: "byte arrays",
  values: [Uint8Array.of(1, 2, 3, 4, 5), new Uint8Array(0)],
  write: encoders.writeByteArray,
  read: encoders.readByteArray,
});
suite<readonly number[]>({
  name: "int arrays",
  values: [[1, 2, 3, 4, 5], [], [MAX_INT32, -MAX_INT32 - 1, -1]],
  write: encoders.writeIntArray,
  read: encoders.readIntArray,
});
suite<readonly bigint[]>({
  name: "long arrays",
  values: [[1n, 2n, 3n, 4n, 5n], [], [2n ** 63n - 1n, -(2n ** 63n), -1n]],
  write: encoders.writeLongArray,
  read: encoders.readLongArray,
});
suite<readonly string[]>({
  name: "string arrays",
  values: [["spark", "", "rocks"], []],
  write: encoders.writeStringArray,
  read: encoders.readStringArray,
});

test("writeString() writes the length in bytes, not in characters", () => {
  const out = new ByteSink(1);
  encoders.writeString(out, "\u00e9");
  assertEquals(toHex(out.view()), "00000002c3a9");
});

test("readString() makes U+FFFD of invalid UTF-8, as the JVM does", () => {
  assertEquals(encoders.readString(encoders.protocolReader(Uint8Array.of(0, 0, 0, 3, 97, 0xff, 98)), "text"), "a\ufffdb");
});

test("protocolReader() counts offsets from where it starts", () => {
  const error = assertThrows(() => encoders.protocolReader(new Uint8Array(20), 10, 15).skip(6, "value"), ProtocolError);
  assertEquals(error.offset, 0);
  assertEquals(error.message, "value needs 6 bytes, but 5 are left");
});
