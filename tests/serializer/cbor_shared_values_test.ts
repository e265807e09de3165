import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { SerializerError } from "../../src/base/errors.ts";
import { test } from "../_harness.ts";
import { assertSame, decodeHex, encode, encodeHex, FakeRef, roundTrip } from "./_cbor.ts";

test("cborSerializer.encode() marks a value that occurs twice, and nothing else", () => {
  const one = {};
  assertEquals(encodeHex([one, one]), "82 d81ca0 d81d00".replaceAll(" ", ""));
  assertEquals(encodeHex([one, {}, one]), "83 d81ca0 a0 d81d00".replaceAll(" ", ""));
  assertEquals(encodeHex([{}, {}]), "82a0a0");
});

test("cborSerializer.encode() numbers marks by where they are, not by what was found first", () => {
  const inner: unknown[] = [];
  const outer = { inner };
  // The inner one is found shared before the outer one is, but begins after it.
  assertEquals(encodeHex([outer, inner, outer]), "83 d81c a1 65696e6e6572 d81c80 d81d01 d81d00".replaceAll(" ", ""));
  assertSame(roundTrip([outer, inner, outer]), [outer, inner, outer]);
  const a = ["a"], b = ["b"];
  for (const value of [[a, a, b, b], [a, b, a, b], [a, b, b, a], [[a, a], [b, b], a, b]]) assertSame(roundTrip(value), value);
});

test("cborSerializer carries shared values of every class", () => {
  for (
    const one of [
      [1],
      { a: 1 },
      new Map([[1, 2]]),
      new Set([1]),
      new Date(1),
      /a/,
      new Error("e"),
      Uint8Array.of(1),
      Float64Array.of(1),
      Uint8Array.of(1).buffer,
      new DataView(new ArrayBuffer(1)),
      new Array(2),
    ]
  ) {
    assertSame(roundTrip([one, { again: one }, new Map([[one, one]])]), [one, { again: one }, new Map([[one, one]])]);
  }
});

test("cborSerializer carries cycles through every container", () => {
  const list: unknown[] = [];
  const map = new Map<unknown, unknown>();
  const set = new Set<unknown>([list]);
  const sparse: unknown[] = new Array(3);
  const error = Object.assign(new Error("e", { cause: map }), { list });
  list.push(list, map, sparse);
  map.set(map, set).set("error", error);
  sparse[1] = sparse;
  assertSame(roundTrip(list), list);
  assertSame(roundTrip(map), map);
});

test("cborSerializer carries as many shared values as there are, around where a Map takes over", () => {
  const counts = Array.from({ length: 60 }, (_, i) => i + 1);
  for (const count of [...counts, 255, 256, 257, 70_000]) {
    const all = Array.from({ length: count }, (_, i) => ({ i }));
    const value = { all, reversed: [...all].reverse() };
    assertSame(roundTrip(value), value);
  }
});

test("cborSerializer carries a value again whole after a message in which it was shared, and after one that failed", () => {
  const one = { x: 1 };
  const alone = encodeHex([one]);
  encode([one, one]);
  assertEquals(encodeHex([one]), alone);
  assertThrows(() => encode([one, () => 1]), SerializerError);
  assertEquals(encodeHex([one]), alone);
});

test("cborSerializer does not count a reference to an endpoint as a shared value", () => {
  const made = () => new FakeRef("Master", { host: "h", port: 1 });
  const ref = made();
  assertSame(roundTrip([ref, { ref }]), [made(), { ref: made() }]);
});

test("cborSerializer.decode() takes any value as shared, plain maps of others too", () => {
  assertSame(decodeHex("83 d81c 01 d81c 6161 82 d81d00 d81d01"), [1, "a", [1, "a"]]);
  const [map, inner] = decodeHex("82 d81c a1 01 d81d00 d81d00") as [Map<unknown, unknown>, unknown];
  assertStrictEquals(map.get(1), map);
  assertStrictEquals(inner, map);
});

test("cborSerializer.decode() refuses references to what is not there", () => {
  for (
    const hex of [
      "d81d00",
      "82 d81c01 d81d01",
      "d81c c1 d81d00",
      "82 01 d81d20",
      "d81d 6161",
      "82 d81c01 d81d f90000 d81d f93800",
    ]
  ) {
    assertThrows(() => decodeHex(hex), SerializerError, undefined, hex);
  }
  assertThrows(() => decodeHex("d81c d81c 80"), SerializerError, "Value is marked as shared twice, at byte 7");
  assertThrows(
    () => decodeHex("d81c d81b 82 6161 d81d00"),
    SerializerError,
    "Reference to a shared value that is not there, at byte 12",
  );
});

test("cborSerializer.decode() takes references to texts and bigints only as often as the size of the content allows", () => {
  const shared = [
    encodeHex("x".repeat(8000)),
    encodeHex(2n ** 64_000n),
    `d81b82${encodeHex("t")}${encodeHex("x".repeat(7990))}`,
  ];
  for (const item of shared) {
    const content = (references: number) =>
      `9a${references.toString(16).padStart(8, "0")}d81c${item}${"d81d00".repeat(references - 1)}`;
    assertEquals((decodeHex(content(50)) as unknown[]).length, 50);
    // Each of three bytes, and if the message went on, it would be of 80 MB.
    assertThrows(() => decodeHex(content(10_000)), SerializerError, "elements, at byte");
  }
  // What goes on as a reference may be had any number of times.
  const bytes = `d81c${encodeHex(new Uint8Array(8000))}`;
  assertEquals((decodeHex(`992710${bytes}${"d81d00".repeat(9999)}`) as unknown[]).length, 10_000);
});

test("cborSerializer.encode() looks once through what a message has many times", () => {
  let looks = 0;
  const counting = <T extends object>(target: T): T =>
    new Proxy(target, {
      getOwnPropertyDescriptor: (...args) => (looks++, Reflect.getOwnPropertyDescriptor(...args)),
      has: (...args) => (looks++, Reflect.has(...args)),
    });
  const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
  for (const one of [new Array(100).fill(undefined), Object.fromEntries(keys.map((key) => [key, 0]))]) {
    looks = 0;
    const proxy = counting(one);
    encode(new Array(100).fill(proxy));
    assert(looks <= 500, `${looks} looks`);
  }
});

test("cborSerializer carries what is shared beside objects with a toJSON", () => {
  for (const count of [0, 1, 38, 39, 40, 41, 42, 100]) {
    const others = Array.from({ length: count }, (_, i) => ({ i }));
    let calls = 0;
    const own = { toJSON: () => `own ${++calls}` };
    const plain = { toJSON: "text" };
    const last = { last: true };
    const value = [...others, own, plain, own, last, plain, last, ...others];
    const expected = [...others, "own 1", plain, "own 2", last, plain, last, ...others];
    for (let round = 0; round < 2; round++, calls = 0) assertSame(roundTrip(value), expected);
    assertSame(roundTrip([last, plain, last]), [last, plain, last]);
  }
});
