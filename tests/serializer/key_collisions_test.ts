import { assertEquals, assertThrows } from "@std/assert";
import { SerializerError } from "../../src/base/errors.ts";
import { MAX_COLLIDING_KEYS, MAX_COLLIDING_TEXTS } from "../../src/serializer/key_collisions.ts";
import { test } from "../_harness.ts";
import * as cbor from "./_cbor.ts";
import * as java from "./java/_java.ts";

/** As many places as V8 has for some hundred keys, and more. */
const PLACES = 1024n;
const MASK = 2n ** 64n - 1n;

const bits = new DataView(new ArrayBuffer(8));

/** V8's hash of 64 bits, written down once more with numbers that have them. */
function hash64(key: bigint): bigint {
  let hash = ((~key & MASK) + (key << 18n)) & MASK;
  hash ^= hash >> 31n;
  hash = (hash * 21n) & MASK;
  hash ^= hash >> 11n;
  hash = (hash + (hash << 6n)) & MASK;
  return hash ^ (hash >> 22n);
}

function hash32(key: number): bigint {
  let hash = (~key + (key << 15)) | 0;
  hash ^= hash >>> 12;
  hash = (hash + (hash << 2)) | 0;
  hash ^= hash >>> 4;
  hash = Math.imul(hash, 2057);
  return BigInt(hash ^ (hash >>> 16)) & MASK;
}

function hashOfDouble(key: number): bigint {
  bits.setFloat64(0, key);
  return hash64(bits.getBigUint64(0));
}

function magnitude(key: bigint): bigint {
  return (key < 0n ? -key : key) & MASK;
}

/** So many keys that are all in one place. */
function colliding<K>(count: number, keyOf: (i: number) => K, hashOf: (key: K) => bigint): K[] {
  const keys: K[] = [];
  for (let i = 0; keys.length < count; i++) {
    const key = keyOf(i);
    if (hashOf(key) % PLACES === 0n) keys.push(key);
  }
  return keys;
}

const ONE_TOO_MANY = MAX_COLLIDING_KEYS + 1;

const KINDS: Readonly<Record<string, unknown[]>> = {
  "integers": colliding(ONE_TOO_MANY, (i) => i - 200_000, hash32),
  "large integers": colliding(ONE_TOO_MANY, (i) => 1_700_000_000_000 + i, hashOfDouble),
  "fractions": colliding(ONE_TOO_MANY, (i) => i + 0.5, hashOfDouble),
  "longs": colliding(ONE_TOO_MANY, (i) => 2n ** 60n + BigInt(i), (key) => hash64(magnitude(key))),
  "negative longs": colliding(ONE_TOO_MANY, (i) => -(2n ** 60n) - BigInt(i), (key) => hash64(magnitude(key))),
  "bigints with the same lowest 64 bits": Array.from({ length: ONE_TOO_MANY }, (_, i) => (BigInt(i) << 64n) + 5n),
};

const SERIALIZERS = { cbor, java } as const;

for (const [name, { encode, decode }] of Object.entries(SERIALIZERS)) {
  for (const [kind, keys] of Object.entries(KINDS)) {
    test(`${name}.decode() refuses a Map or a Set of more than ${MAX_COLLIDING_KEYS} ${kind} in one place`, () => {
      const allowed = keys.slice(1);
      const others = keys.map((_, i) => `text ${i}`);
      for (const make of [(all: unknown[]) => new Set(all), (all: unknown[]) => new Map(all.map((key) => [key, null]))]) {
        assertEquals(decode(encode(make(allowed))), make(allowed));
        assertEquals(decode(encode(make([...others, ...allowed, ...others]))), make([...others, ...allowed, ...others]));
        for (const all of [keys, [...others, ...keys], [...keys, ...others]]) {
          const message = `More than ${MAX_COLLIDING_KEYS} of `;
          assertThrows(() => decode(encode(make(all))), SerializerError, message);
        }
      }
    });
  }

  test(`${name}.decode() takes 20,000 keys that nobody has chosen`, () => {
    const patterns: readonly ((i: number) => unknown)[] = [
      (i) => i,
      (i) => i * 65_536,
      (i) => -i,
      (i) => 1_700_000_000_000 + i * 3_600_000,
      (i) => i / 8,
      (i) => Math.sqrt(i),
      (i) => BigInt(i) << 32n,
      (i) => (1n << 62n) + BigInt(i),
      (i) => `text ${i}`,
      (i) => `${i}`,
      (i) => `${i * 500}`,
    ];
    for (const pattern of patterns) {
      const set = new Set(Array.from({ length: 20_000 }, (_, i) => pattern(i)));
      const decoded = decode(encode(set));
      assertEquals(decoded instanceof Set ? decoded.size : -1, set.size, String(pattern));
    }
  });
}

/** The number that is multiplied with `odd` to give 1, in 32 bits. */
function inverse(odd: number): number {
  let result = odd;
  for (let i = 0; i < 5; i++) result = Math.imul(result, 2 - Math.imul(odd, result));
  return result;
}

/** The integer that V8 gives this hash: `hash32`, backwards. */
function integerOf(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), inverse(2057));
  for (const shift of [4, 8, 16]) hash ^= hash >>> shift;
  hash = Math.imul(hash, inverse(5));
  for (const shift of [12, 24]) hash ^= hash >>> shift;
  return Math.imul(hash + 1, inverse(0x7fff));
}

/** So many texts that V8 has in one place: each is its own hash there. */
function indexes(count: number): string[] {
  return Array.from({ length: count }, (_, i) => String((i + 1) << 15));
}

for (const [name, { encode, decode }] of Object.entries(SERIALIZERS)) {
  test(`${name}.decode() refuses a Map or a Set of more than ${MAX_COLLIDING_TEXTS} texts in one place`, () => {
    const keys = indexes(MAX_COLLIDING_TEXTS + 1);
    for (const make of [(all: unknown[]) => new Set(all), (all: unknown[]) => new Map(all.map((key) => [key, null]))]) {
      assertEquals(decode(encode(make(keys.slice(1)))), make(keys.slice(1)));
      assertThrows(() => decode(encode(make(keys))), SerializerError, `More than ${MAX_COLLIDING_TEXTS} of 2049 texts`);
      // With a zero before it, or above the largest, none is an index.
      const others = [...keys.map((key) => `0${key}`), ...keys.map((key) => `1${key.padStart(10, "0")}`)];
      assertEquals(decode(encode(make(others))), make(others));
    }
  });
}

test("java.decode() and encode() take 60,000 texts that V8 has in one place, each of them twice", () => {
  const texts = [...indexes(60_000), ...indexes(60_000)];
  assertEquals(java.decode(java.encode(texts)), texts);
});

test("java.decode() and encode() take a text of a megabyte that is referred to 200,000 times in their time, whatever it begins with", () => {
  for (const first of ["a", "#", "1", ""]) {
    const text = first + "#".repeat(1_000_000);
    const texts = new Array(200_000).fill(text);
    assertEquals(new Set(java.decode(java.encode(texts)) as string[]), new Set([text]));
  }
});

test("java.encode() writes a text that could be an index and one with a mark before it as what they are", () => {
  const texts = ["12", "#12", "##12", "#", "0", "", "4294967295", "12", "#12", "##12"];
  assertEquals(java.decode(java.encode(texts)), texts);
});

test("java.decode() and encode() take 60,000 boxed numbers that V8 has in one place, each of them twice, in their time", () => {
  const chosen = Array.from({ length: 60_000 }, (_, i) => integerOf(i << 16));
  assertEquals(chosen.slice(0, 100).map((key) => hash32(key) & 0xffffn), chosen.slice(0, 100).map(() => 0n));
  const numbers = [...chosen, ...chosen];
  assertEquals(java.decode(java.encode(numbers)), numbers);
  const longs = Array.from({ length: 60_000 }, (_, i) => (BigInt(i) << 64n) + 5n);
  assertEquals(java.decode(java.encode(longs)), longs);
});

test("a key that comes again and again is one key", () => {
  const times = 2 * ONE_TOO_MANY;
  const others = KINDS["longs"]!.slice(3).map((key) => cbor.encodeHex(key));
  const again = Array.from({ length: times }, () => others[0]);
  const count = (others.length + times).toString(16).padStart(4, "0");
  const decoded = cbor.decodeHex(`d90102 99${count} ${others.join("")} ${again.join("")}`);
  assertEquals(decoded instanceof Set ? decoded.size : -1, others.length);
});
