import { assertEquals } from "@std/assert";
import { int64FromBigInt, int64FromSafe, int64ToBigInt, int64ToSafe } from "../../src/base/int64.ts";
import { test } from "../_harness.ts";

const SAFE = [
  0,
  1,
  -1,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  2 ** 32 - 1,
  -(2 ** 32),
  -(2 ** 32) - 1,
  2 ** 53 - 1,
  1 - 2 ** 53,
];

test("int64FromSafe() and int64FromBigInt() make the same halves, and both ways back agree", () => {
  for (const value of SAFE) {
    const halves = int64FromSafe(value);
    assertEquals(halves, int64FromBigInt(BigInt(value)), String(value));
    assertEquals(int64ToSafe(halves), value);
    assertEquals(int64ToBigInt(halves), BigInt(value));
  }
});

test("int64FromBigInt() keeps all 64 bits and drops the rest", () => {
  const largest = 2n ** 63n - 1n;
  for (const value of [largest, -(2n ** 63n), 0x0123_4567_89ab_cdefn, -0x0123_4567_89ab_cdefn, 2n ** 53n, -(2n ** 53n) - 1n]) {
    assertEquals(int64ToBigInt(int64FromBigInt(value)), value);
  }
  assertEquals(int64FromBigInt(largest), { high: 0x7fff_ffff, low: -1 });
  assertEquals(int64ToBigInt(int64FromBigInt(2n ** 64n + 5n)), 5n);
});

test("int64ToSafe() is NaN where a float cannot hold the value", () => {
  for (const value of [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 53n) - 1n, -(2n ** 63n)]) {
    assertEquals(int64ToSafe(int64FromBigInt(value)), NaN, String(value));
  }
  assertEquals(int64ToSafe(int64FromBigInt(2n ** 53n - 1n)), 2 ** 53 - 1);
});

test("int64ToSafe() takes the lower half's bits, signed or not", () => {
  assertEquals(int64ToSafe({ high: 0, low: -1 }), 2 ** 32 - 1);
  assertEquals(int64ToSafe({ high: 0, low: 2 ** 32 - 1 }), 2 ** 32 - 1);
});
