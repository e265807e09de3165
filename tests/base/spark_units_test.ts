import { assertEquals, assertThrows } from "@std/assert";
import { type ByteUnit, parseBytes, parseTime, type TimeUnit } from "../../src/base/spark_units.ts";
import { test } from "../_harness.ts";

const TIME_FORMS =
  "Time must be specified as seconds (s), milliseconds (ms), microseconds (us), minutes (m or min), hour (h), " +
  "or day (d). E.g. 50s, 100ms, or 250us.\n";
const BYTE_FORMS = "Size must be specified as bytes (b), kibibytes (k), mebibytes (m), gibibytes (g), tebibytes (t), or " +
  "pebibytes(p). E.g. 50b, 100k, or 250m.\n";

// Spark: UtilsSuite "timeConversion"
test("parseTime() reads what Spark's suite reads", () => {
  const cases: [string, TimeUnit, number][] = [
    ["-1", "s", -1],
    ["0", "s", 0],
    ["1", "s", 1],
    ["1s", "s", 1],
    ["1000ms", "s", 1],
    ["1000000us", "s", 1],
    ["1m", "s", 60],
    ["1min", "s", 60],
    ["1h", "s", 3_600],
    ["1d", "s", 86_400],
    ["1", "ms", 1],
    ["1ms", "ms", 1],
    ["1000us", "ms", 1],
    ["1s", "ms", 1_000],
    ["1m", "ms", 60_000],
    ["1min", "ms", 60_000],
    ["1h", "ms", 3_600_000],
    ["1d", "ms", 86_400_000],
  ];
  for (const [text, unit, expected] of cases) assertEquals(parseTime(text, unit), expected, `${text} in ${unit}`);
  for (const text of ["600l", "This breaks 600s", "This breaks 600ds", "600s This breaks", "This 123s breaks"]) {
    assertThrows(() => parseTime(text, "ms"), RangeError, TIME_FORMS, text);
  }
});

test("parseTime() cuts off towards zero, trims, takes any case, and stops at 64 bits", () => {
  const cases: [string, TimeUnit, number][] = [
    ["1999ms", "s", 1],
    ["-1999ms", "s", -1],
    ["999us", "ms", 0],
    ["  5S\t", "ms", 5_000],
    ["2MIN", "s", 120],
    ["007", "us", 7],
    ["9223372036854775807", "ms", 2 ** 63],
    ["9223372036854775807d", "us", 2 ** 63],
    ["-9223372036854775808d", "us", -(2 ** 63)],
  ];
  for (const [text, unit, expected] of cases) assertEquals(parseTime(text, unit), expected, `${text} in ${unit}`);
});

test("parseTime() says what is wrong, in Spark's words", () => {
  const cases: [string, string][] = [
    ["", "Failed to parse time string: "],
    ["s", "Failed to parse time string: s"],
    ["1.5s", "Failed to parse time string: 1.5s"],
    ["1 s", "Failed to parse time string: 1 s"],
    ["+1s", "Failed to parse time string: +1s"],
    ["--1", "Failed to parse time string: --1"],
    ["1e3", "Failed to parse time string: 1e3"],
    ["10x", `Invalid suffix: "x"`],
    ["10constructor", `Invalid suffix: "constructor"`],
    ["9223372036854775808", `For input string: "9223372036854775808"`],
    ["-9223372036854775809s", `For input string: "-9223372036854775809"`],
  ];
  for (const [text, detail] of cases) {
    assertEquals(assertThrows(() => parseTime(text, "s"), RangeError).message, TIME_FORMS + detail);
  }
});

// Spark: UtilsSuite "Test byteString conversion"
test("parseBytes() reads what Spark's suite reads", () => {
  const cases: [string, ByteUnit, number][] = [
    ["0", "b", 0],
    ["1", "g", 1],
    ["1g", "g", 1],
    ["1023m", "g", 0],
    ["1024m", "g", 1],
    ["1048575k", "g", 0],
    ["1048576k", "g", 1],
    ["1k", "g", 0],
    ["1t", "g", 1024],
    ["1p", "g", 1024 ** 2],
    ["1", "m", 1],
    ["1m", "m", 1],
    ["1048575b", "m", 0],
    ["1048576b", "m", 1],
    ["1023k", "m", 0],
    ["1024k", "m", 1],
    ["3645k", "m", 3],
    ["1024gb", "m", 1048576],
    ["1g", "m", 1024],
    ["1t", "m", 1024 ** 2],
    ["1p", "m", 1024 ** 3],
    ["1", "k", 1],
    ["1k", "k", 1],
    ["1m", "k", 1024],
    ["1g", "k", 1024 ** 2],
    ["1t", "k", 1024 ** 3],
    ["1p", "k", 1024 ** 4],
    ["1", "b", 1],
    ["1k", "b", 1024],
    ["1m", "b", 1024 ** 2],
    ["1g", "b", 1024 ** 3],
    ["1t", "b", 1024 ** 4],
    ["1p", "b", 1024 ** 5],
    ["1073741824p", "g", 2 ** 50],
    ["1073741824p", "m", 2 ** 60],
    ["9223372036854775807", "b", 2 ** 63],
    ["9223372036854775807", "p", 2 ** 63],
  ];
  for (const [text, unit, expected] of cases) assertEquals(parseBytes(text, unit), expected, `${text} in ${unit}`);
  assertThrows(() => parseBytes("9223372036854775808", "b"), RangeError, BYTE_FORMS);
  assertThrows(() => parseBytes("9223372036854775807p", "t"), RangeError, "exceeds Long.MAX_VALUE in PiB");
  const bad = ["500ub", "This breaks 600b", "This breaks 600", "600gb This breaks", "This 123mb breaks"];
  for (const text of bad) assertThrows(() => parseBytes(text, "b"), RangeError, BYTE_FORMS, text);
  assertThrows(() => parseBytes("0.064", "m"), RangeError, "Fractional values are not supported. Input was: 0.064");
  assertThrows(() => parseBytes("0.064m", "m"), RangeError, "Fractional values are not supported. Input was: 0.064");
});

// Spark takes them since 4.2.
test("parseBytes() takes the suffixes of IEC 80000", () => {
  const cases: [string, number][] = [
    ["3ki", 3 * 1024],
    ["3KiB", 3 * 1024],
    ["48mi", 48 * 1024 ** 2],
    ["48MiB", 48 * 1024 ** 2],
    ["1gi", 1024 ** 3],
    ["1GiB", 1024 ** 3],
    ["1ti", 1024 ** 4],
    ["1TiB", 1024 ** 4],
    ["1pi", 1024 ** 5],
    ["1PiB", 1024 ** 5],
  ];
  for (const [text, expected] of cases) assertEquals(parseBytes(text, "b"), expected, text);
  for (const text of ["1bi", "1bib", "1kibi", "1ib"]) {
    assertThrows(() => parseBytes(text, "b"), RangeError, "Invalid suffix", text);
  }
});

test("parseBytes() trims, takes any case, and says what is wrong in Spark's words", () => {
  assertEquals(parseBytes(" 64KB ", "b"), 65_536);
  assertEquals(parseBytes("48M", "b"), 48 * 1024 ** 2);
  const cases: [string, string][] = [
    ["", `${BYTE_FORMS}Failed to parse byte string: `],
    ["-1", `${BYTE_FORMS}Failed to parse byte string: -1`],
    ["m", `${BYTE_FORMS}Failed to parse byte string: m`],
    [".5m", `${BYTE_FORMS}Failed to parse byte string: .5m`],
    ["1.5G", `${BYTE_FORMS}Fractional values are not supported. Input was: 1.5`],
    ["10bib", `${BYTE_FORMS}Invalid suffix: "bib"`],
    ["10tostring", `${BYTE_FORMS}Invalid suffix: "tostring"`],
    ["9223372036854775808", `${BYTE_FORMS}For input string: "9223372036854775808"`],
    ["8192p", "Conversion of 8192 exceeds Long.MAX_VALUE in PiB. Try a larger unit (e.g. MiB instead of KiB)"],
  ];
  for (const [text, message] of cases) assertEquals(assertThrows(() => parseBytes(text, "b"), RangeError).message, message);
});
