import { assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import { SparkConf } from "../../src/base/spark_conf.ts";
import { test } from "../_harness.ts";

test("SparkConf keeps values as text, from an object, from entries and from set()", () => {
  const fromObject = new SparkConf({ "spark.a": "x", "spark.b": 4, "spark.c": true });
  const fromEntries = new SparkConf([["spark.a", "x"], ["spark.b", 4], ["spark.c", true]]);
  const fromSet = new SparkConf().set("spark.a", "x").set("spark.b", 4).set("spark.c", true);
  for (const conf of [fromObject, fromEntries, fromSet]) {
    assertEquals(conf.getAll(), [["spark.a", "x"], ["spark.b", "4"], ["spark.c", "true"]]);
  }
});

test("SparkConf.get() gives the value, the default, or an error that names the key", () => {
  const conf = new SparkConf({ "spark.a": "x", "spark.empty": "" });
  assertEquals(conf.get("spark.a"), "x");
  assertEquals(conf.get("spark.a", "y"), "x");
  assertEquals(conf.get("spark.b", "y"), "y");
  assertEquals(conf.get("spark.empty", "y"), "");
  assertEquals([conf.getOption("spark.a"), conf.getOption("spark.b")], ["x", undefined]);
  assertEquals([conf.contains("spark.a"), conf.contains("spark.b"), conf.contains("toString")], [true, false, false]);
  assertThrows(() => conf.get("spark.b"), RangeError, "Configuration key is not set: spark.b");
  assertThrows(() => conf.getInt("spark.b"), RangeError, "Configuration key is not set: spark.b");
  assertThrows(() => conf.timeAsMs("spark.b"), RangeError, "Configuration key is not set: spark.b");
});

test("SparkConf.clone() can be changed alone", () => {
  const conf = new SparkConf({ "spark.a": "x" });
  const copy = conf.clone().set("spark.a", "y").set("spark.b", "z");
  assertEquals(conf.getAll(), [["spark.a", "x"]]);
  assertEquals(copy.getAll(), [["spark.a", "y"], ["spark.b", "z"]]);
});

test("SparkConf takes what another one has", () => {
  const conf = new SparkConf({ "spark.a": "x", "spark.b": 4 });
  const copy = new SparkConf(conf).set("spark.a", "y");
  assertEquals(copy.getAll(), [["spark.a", "y"], ["spark.b", "4"]]);
  assertEquals([...conf], conf.getAll());
  assertEquals(conf.get("spark.a"), "x");
});

test("SparkConf.set() refuses a value that is none", () => {
  for (const absent of [undefined, null] as unknown as readonly string[]) {
    assertThrows(() => new SparkConf().set("spark.a", absent), TypeError, `Configuration key spark.a is set to ${absent}`);
    assertThrows(() => new SparkConf({ "spark.a": absent }), TypeError, "spark.a");
  }
});

test("SparkConf refuses objects and lists, such as a key that is cut into them", () => {
  for (const nested of ['{ "spark": { "rpc": { "askTimeout": "1s" } } }', '{ "spark": ["1s"] }']) {
    assertThrows(() => new SparkConf(JSON.parse(nested)), TypeError, "Configuration key spark is set to an object");
  }
});

test("SparkConf reads numbers, booleans, durations and sizes", () => {
  const conf = new SparkConf({
    int: "-12",
    plus: "+7",
    long: "9007199254740991",
    longMax: "9223372036854775807",
    yes: "TRUE",
    no: "false",
    time: "1500ms",
    bare: "30",
    size: "48m",
  });
  assertEquals([conf.getInt("int"), conf.getInt("plus"), conf.getInt("none", 5)], [-12, 7, 5]);
  assertEquals([conf.getLong("long"), conf.getLong("longMax"), conf.getLong("none", 6)], [2 ** 53 - 1, 2 ** 63, 6]);
  assertEquals([conf.getBoolean("yes"), conf.getBoolean("no"), conf.getBoolean("none", false)], [true, false, false]);
  assertEquals([conf.timeAsMs("time"), conf.timeAsSeconds("time")], [1_500, 1]);
  assertEquals([conf.timeAsMs("bare"), conf.timeAsSeconds("bare"), conf.timeAsSeconds("none", "2min")], [30, 30, 120]);
  assertEquals([conf.sizeAsBytes("size"), conf.sizeAsBytes("bare"), conf.sizeAsBytes("none", "1k")], [48 << 20, 30, 1024]);
});

// Spark: SparkConfSuite "get getters that read illegal values"; Spark's text has no value at its end.
test("SparkConf names key, value and form where a value cannot be read", () => {
  const cases: [(conf: SparkConf) => unknown, string, string][] = [
    [(conf) => conf.getInt("spark.k"), "abc", "Value must be a whole number"],
    [(conf) => conf.getInt("spark.k"), "", "Value must be a whole number"],
    [(conf) => conf.getInt("spark.k"), " 1", "Value must be a whole number"],
    [(conf) => conf.getInt("spark.k"), "1.5", "Value must be a whole number"],
    [(conf) => conf.getInt("spark.k"), "2147483648", "Value must be a whole number of 32 bits"],
    [(conf) => conf.getInt("spark.k"), "-2147483649", "Value must be a whole number of 32 bits"],
    [(conf) => conf.getLong("spark.k"), "9223372036854775808", "Value must be a whole number of 64 bits"],
    [(conf) => conf.getBoolean("spark.k"), "yes", "Value must be true or false"],
    [(conf) => conf.timeAsMs("spark.k"), "10x", "Time must be specified as seconds (s)"],
    [(conf) => conf.timeAsSeconds("spark.k"), "1.5s", "Time must be specified as seconds (s)"],
    [(conf) => conf.sizeAsBytes("spark.k"), "0.5m", "Size must be specified as bytes (b)"],
  ];
  for (const [read, value, form] of cases) {
    const error = assertThrows(() => read(new SparkConf({ "spark.k": value })), RangeError);
    assertEquals(error.message.startsWith(`Illegal value for config key spark.k: ${form}`), true, error.message);
    assertEquals(error.message.endsWith(`(value: "${value}")`), true, error.message);
  }
});

test("SparkConf keeps the reason as the cause", () => {
  const error = assertThrows(() => new SparkConf({ "spark.k": "10x" }).timeAsMs("spark.k"), RangeError);
  assertInstanceOf(error.cause, RangeError);
  assertStringIncludes(error.cause.message, `Invalid suffix: "x"`);
});

test("SparkConf reads the limits of 32 bits", () => {
  assertEquals(new SparkConf({ k: "2147483647" }).getInt("k"), 2 ** 31 - 1);
  assertEquals(new SparkConf({ k: "-2147483648" }).getInt("k"), -(2 ** 31));
});
