import { assertEquals } from "@std/assert";
import { int64FromBigInt } from "../../src/base/int64.ts";
import { foreignBytes, frameLengthError, MAX_FRAME_BYTES } from "../../src/protocol/frame_length.ts";
import { test } from "../_harness.ts";

function textOf(length: bigint, limit = MAX_FRAME_BYTES): string {
  const { high, low } = int64FromBigInt(length);
  return frameLengthError(high, low, limit, false).message;
}

/** What is said of a connection that begins with these characters, one a byte. */
function firstBytes(text: string, first = true): string {
  const half = (start: number) => [0, 1, 2, 3].reduce((value, i) => (value << 8) | text.charCodeAt(start + i), 0);
  return frameLengthError(half(0), half(4), 1000, first).message;
}

test("frameLengthError() has Spark's texts", () => {
  assertEquals(textOf(8n), "Frame length should be positive: 0");
  assertEquals(textOf(7n), "Frame length should be positive: -1");
  assertEquals(textOf(0n), "Frame length should be positive: -8");
  assertEquals(textOf(-1n), "Frame length should be positive: -9");
  assertEquals(textOf(2n ** 31n + 7n), "Too large frame: 2147483647");
  assertEquals(textOf(2n ** 63n - 1n), "Too large frame: 9223372036854775799");
  // The subtraction overflows on the JVM.
  assertEquals(textOf(-(2n ** 63n)), "Too large frame: 9223372036854775800");
});

test("frameLengthError() says what the limit is where it is not Spark's", () => {
  assertEquals(textOf(1009n, 1000), "Too large frame: 1001: the limit is 1000 bytes");
  const error = frameLengthError(0, 1009, 1000, false);
  assertEquals([error.offset, error.limit], [0, 1000]);
});

test("frameLengthError() knows the first bytes of HTTP", () => {
  const said = ": these are the first bytes of HTTP, so the peer is a web server or browser";
  assertEquals(firstBytes("HTTP/1.1"), "Too large frame: 5211883372140375593" + said);
  assertEquals(firstBytes("GET / HT"), "Too large frame: 5135603447292250188" + said);
  const requests = ["POST /a ", "PUT /a H", "HEAD / H", "OPTIONS ", "DELETE /", "CONNECT ", "PATCH / ", "TRACE / ", "PRI * HT"];
  for (const text of [...requests, "HTTP/1.0", "HTTP/2 2"]) assertEquals(firstBytes(text).includes(said), true, text);
});

test("frameLengthError() knows the first bytes of TLS and SSH", () => {
  const tls = ": these are the first bytes of TLS, so the peer encrypts and this end does not";
  for (const text of ["\x16\x03\x01\x02\0\x01\0\x01", "\x16\x03\x03\0\x7a\x02\0\0", "\x15\x03\x03\0\x02\x02\x46\x15"]) {
    assertEquals(firstBytes(text).includes(tls), true, text);
  }
  assertEquals(firstBytes("SSH-2.0-").includes(": these are the first bytes of SSH, so the peer is a secure shell"), true);
});

test("frameLengthError() takes other bytes, and later ones, for a number", () => {
  for (const text of ["GETTING ", "get / HT", "\x16\x04\x01\0\0\0\0\0", "XSSH-2.0", "\x7f\xff\xff\xff\xff\xff\xff\xff"]) {
    assertEquals(/^Too large frame: \d+: the limit is 1000 bytes$/.test(firstBytes(text)), true, text);
  }
  assertEquals(firstBytes("HTTP/1.1", false), "Too large frame: 5211883372140375593: the limit is 1000 bytes");
});

test("foreignBytes() knows them by as many as it takes", () => {
  const tls = "these are the first bytes of TLS, so the peer encrypts and this end does not";
  assertEquals(foreignBytes(0, 0x150301, 3), tls);
  assertEquals(foreignBytes(0x150301, 0x00020246, 7), tls);
  for (const count of [2, 4, 8]) assertEquals(foreignBytes(0, 0x150301, count), undefined, String(count));
  assertEquals(foreignBytes(0, 0, 0), undefined);
});
