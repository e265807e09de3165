import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { RpcError, RpcTimeoutError } from "../../src/base/errors.ts";
import { SparkConf } from "../../src/base/spark_conf.ts";
import { formatDuration, RpcTimeout } from "../../src/rpc/rpc_timeout.ts";
import { HandClock } from "../_hand_clock.ts";
import { deferred, test } from "../_harness.ts";

// Spark: RpcEnvSuite "construct RpcTimeout with conf property"
test("RpcTimeout.fromConf() takes the first key that is set", () => {
  const conf = new SparkConf({ "spark.ask.test.timeout": "30s", "spark.ask.secondary.timeout": "100s" });
  assertEquals(RpcTimeout.fromConf(conf, "spark.ask.test.timeout").durationMs, 30_000);

  const keys = ["spark.ask.invalid.timeout", "spark.ask.test.timeout", "spark.ask.secondary.timeout"];
  const second = RpcTimeout.fromConf(conf, keys, "1s");
  assertEquals([second.durationMs, second.timeoutProp], [30_000, "spark.ask.test.timeout"]);

  const third = RpcTimeout.fromConf(conf, ["spark.ask.default.timeout"], "1s");
  assertEquals([third.durationMs, third.timeoutProp], [1_000, "spark.ask.default.timeout"]);

  assertThrows(() => RpcTimeout.fromConf(conf, "spark.ask.invalid.timeout"), RangeError, "spark.ask.invalid.timeout");
});

test("RpcTimeout.fromConf() reads a bare number as seconds, and keeps milliseconds", () => {
  const cases: [string, number][] = [["7", 7_000], [" 7 ", 7_000], ["500ms", 500], ["1500MS", 1_500], ["0", 0], [
    "1h",
    3_600_000,
  ]];
  for (const [text, durationMs] of cases) {
    assertEquals(RpcTimeout.fromConf(new SparkConf({ "spark.k": text }), "spark.k").durationMs, durationMs, text);
    assertEquals(RpcTimeout.fromConf(new SparkConf(), "spark.k", text).durationMs, durationMs, text);
  }
});

test("RpcTimeout.fromConf() refuses a value that is no limit, and no keys at all", () => {
  for (const text of ["soon", "-1", "-5s", "", "1.5s"]) {
    const conf = new SparkConf({ "spark.k": text });
    assertThrows(() => RpcTimeout.fromConf(conf, "spark.k"), RangeError, "Illegal value for config key spark.k: Time must ");
  }
  assertThrows(() => RpcTimeout.fromConf(new SparkConf(), [], "1s"), RangeError, "Expected at least one configuration key");
  assertThrows(() => new RpcTimeout(-1, "spark.k"), RangeError, "Timeout of spark.k must not be negative: -1 ms");
  assertThrows(() => new RpcTimeout(NaN, "spark.k"), RangeError, "Timeout of spark.k must be a number: NaN ms");
  assertThrows(() => new RpcTimeout(NaN, "spark.k"), RangeError, "spark.k");
});

test("RpcTimeout.ask() and lookup() fall back to spark.network.timeout and to 120s", () => {
  const of = (values: Record<string, string>) => {
    const conf = new SparkConf(values);
    return [RpcTimeout.ask(conf), RpcTimeout.lookup(conf)].map(({ duration, timeoutProp }) => `${duration} by ${timeoutProp}`);
  };
  assertEquals(of({}), ["120 seconds by spark.rpc.askTimeout", "120 seconds by spark.rpc.lookupTimeout"]);
  assertEquals(of({ "spark.network.timeout": "9s" }), [
    "9 seconds by spark.network.timeout",
    "9 seconds by spark.network.timeout",
  ]);
  assertEquals(
    of({ "spark.network.timeout": "9s", "spark.rpc.askTimeout": "1", "spark.rpc.lookupTimeout": "10ms" }),
    ["1 second by spark.rpc.askTimeout", "10 milliseconds by spark.rpc.lookupTimeout"],
  );
});

test("formatDuration() prints as Scala does", () => {
  const cases: [number, string][] = [
    [120_000, "120 seconds"],
    [1_000, "1 second"],
    [0, "0 seconds"],
    [10, "10 milliseconds"],
    [1, "1 millisecond"],
    [1_500, "1500 milliseconds"],
    [Infinity, "Duration.Inf"],
  ];
  for (const [durationMs, text] of cases) assertEquals(formatDuration(durationMs), text);
});

test("RpcTimeout.noReplyError() has Spark's text, ends with the key, and carries the values", () => {
  const timeout = new RpcTimeout(10, "spark.rpc.short.timeout");
  const error = timeout.noReplyError({ peer: "127.0.0.1:7077", phase: "connecting" });
  assertEquals(
    error.message,
    "Cannot receive any reply from 127.0.0.1:7077 in 10 milliseconds. This timeout is controlled by spark.rpc.short.timeout",
  );
  assertEquals(
    [error.code, error.timeoutMs, error.key, error.peer, error.phase],
    ["TIMEOUT", 10, "spark.rpc.short.timeout", "127.0.0.1:7077", "connecting"],
  );
  assertEquals(timeout.noReplyError({ phase: "queued" }).message.startsWith("Cannot receive any reply from null in 10 "), true);
});

// Spark: RpcEnvSuite "ask a message timeout on Future using RpcTimeout"; the asks themselves are in the suites of RpcEnv.
test("RpcTimeout.awaitResult() gives the value, or adds the key to a timeout once", async () => {
  const long = new RpcTimeout(1_000, "spark.rpc.long.timeout");
  const short = new RpcTimeout(10, "spark.rpc.short.timeout");
  assertEquals(await long.awaitResult(Promise.resolve("hello")), "hello");

  const clock = new HandClock();
  const result = short.awaitResult(new Promise<string>(() => {}), clock);
  clock.advance(10);
  const late = await assertRejects(() => result, RpcTimeoutError);
  assertEquals(
    late.message,
    "Future timed out after [10 milliseconds]. This timeout is controlled by spark.rpc.short.timeout",
  );
  assertEquals([late.timeoutMs, late.key, late.phase], [10, "spark.rpc.short.timeout", "waiting"]);

  // One that has failed with an RpcTimeoutError is thrown as it is, so that the key is not there twice.
  const failed = short.noReplyError({ peer: "h:1", phase: "waiting" });
  assertStrictEquals(await assertRejects(() => short.awaitResult(Promise.reject(failed))), failed);
  assertStrictEquals(await assertRejects(() => long.awaitResult(Promise.reject(failed))), failed);
});

test("RpcTimeout.awaitResult() sets its timer on the clock and takes it off again", async () => {
  const timeout = new RpcTimeout(5_000, "spark.k");
  const clock = new HandClock();
  const { promise, resolve } = deferred<number>();
  const result = timeout.awaitResult(promise, clock);
  assertEquals(clock.timers, [5_000]);
  resolve(1);
  assertEquals([await result, clock.timers.length], [1, 0]);

  const failing = new HandClock();
  const error = new RangeError("not a timeout");
  assertStrictEquals(await assertRejects(() => timeout.awaitResult(Promise.reject(error), failing)), error);
  assertEquals(failing.timers, []);
});

test("RpcTimeout.awaitResult() ignores what comes after the limit", async () => {
  const clock = new HandClock();
  const { promise, reject } = deferred<number>();
  const result = new RpcTimeout(5_000, "spark.k").awaitResult(promise, clock);
  clock.advance(5_000);
  await assertRejects(() => result, RpcTimeoutError, "Future timed out after [5 seconds]");
  reject(new Error("too late"));
});

test("RpcTimeout.infinite sets no timer", async () => {
  const clock = new HandClock();
  const result = RpcTimeout.infinite.awaitResult(Promise.resolve(1), clock);
  assertEquals([clock.timers.length, RpcTimeout.infinite.timeoutProp, await result], [0, "infinite", 1]);
});

test("RpcTimeout.addMessageIfTimeout() adds the key to timeouts only", () => {
  const timeout = new RpcTimeout(1_000, "spark.k");
  const plain = new RpcError("TIMEOUT", "Too slow");
  const added = timeout.addMessageIfTimeout(plain);
  if (!(added instanceof RpcTimeoutError)) throw new Error("not an RpcTimeoutError");
  assertEquals([added.message, added.cause], ["Too slow. This timeout is controlled by spark.k", plain]);

  const ofSignal = timeout.addMessageIfTimeout(new DOMException("Signal timed out", "TimeoutError"));
  assertEquals(ofSignal instanceof RpcTimeoutError, true);

  for (const other of [new RpcError("NOT_FOUND", "x"), new TypeError("x"), "x", undefined, added]) {
    assertStrictEquals(timeout.addMessageIfTimeout(other), other);
  }
});
