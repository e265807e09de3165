/** Both ways with the npm package cbor-x, an implementation of the same RFC by others. */

import { assertEquals } from "@std/assert";
import { Decoder, Encoder } from "cbor-x/encode";
import { type Random, seededRandom } from "../../src/base/random.ts";
import { test, toHex } from "../_harness.ts";
import { assertSame, decode, encode } from "./_cbor.ts";

const PREFIX = [0xd9, 0xd9, 0xf7];

/** No records, which are an extension of cbor-x; Uint8Array as a plain byte string; safe integers as numbers, as here. */
const plainOptions = { useRecords: false, tagUint8Array: false };
const options = { ...plainOptions, int64AsNumber: true };
const theirs = new Encoder(options);
const cloning = new Encoder({ ...options, structuredClone: true });
const mapping = new Decoder({ ...options, mapsAsObjects: false });
const exact = new Decoder(plainOptions);

const BOTH: Readonly<Record<string, unknown>> = {
  "integers": [0, 23, 24, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, -1, -24, -25, -256, -65537, -(2 ** 31)],
  "floats": [1.5, 1.1, -4.1, 1e300, 2 ** -24, NaN, Infinity, -Infinity, Number.MAX_VALUE, Number.MIN_VALUE],
  "text": ["", "a", "é", "水", "😀", "x".repeat(23), "x".repeat(24), "é".repeat(100), "x".repeat(300), "水".repeat(30_000)],
  "plain values": [true, false, null, undefined],
  "arrays": [[], [1, [2, [3]]], Array.from({ length: 300 }, (_, i) => i)],
  "objects": [{}, { a: 1, b: { c: [1] } }, Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, i]))],
  "bytes": [new Uint8Array(0), Uint8Array.of(1, 2, 3), new Uint8Array(300).fill(7)],
  "dates": [new Date(1763700000000), new Date(1763700000123), new Date(-1)],
  "Set": new Set([1, "a"]),
  "typed arrays": [Float64Array.of(1.1), Float32Array.of(1.5), Int16Array.of(-1), Uint32Array.of(5), Int8Array.of(-1)],
  "a message": { taskId: 123, name: "stage-7", data: new Uint8Array(64), at: new Date(1763700000123) },
};

function fromTheirs(value: unknown, encoder: Encoder = theirs): unknown {
  return decode(Uint8Array.of(...PREFIX, ...encoder.encode(value)));
}

/** cbor-x gives Buffers where there are some, and views of the input. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  }
  return value;
}

for (const [kind, value] of Object.entries(BOTH)) {
  test(`cbor-x decodes ${kind} of cborSerializer`, () => {
    assertSame(plain(theirs.decode(encode(value))), value);
  });

  test(`cborSerializer decodes ${kind} of cbor-x`, () => {
    assertSame(fromTheirs(value), value);
  });
}

test("cbor-x decodes bigints of 64 bits of cborSerializer, and the other way round", () => {
  const value = [2n ** 63n, 2n ** 64n - 1n, -(2n ** 63n)];
  assertSame(exact.decode(encode(value)), value);
  assertSame(fromTheirs(value), value);
});

test("cbor-x decodes a Map of cborSerializer, and the other way round", () => {
  const value = new Map<unknown, unknown>([[1, "a"], ["b", [2]]]);
  assertSame(mapping.decode(encode(value)), value);
  assertSame(fromTheirs(value, cloning), value);
});

test("cbor-x decodes shared and cyclic references of cborSerializer, and the other way round", () => {
  const one = { x: 1 };
  const value: unknown[] = [one, { again: one }];
  value.push(value);
  assertSame(cloning.decode(encode(value)), value);
  assertSame(fromTheirs(value, cloning), value);
});

test("cborSerializer and cbor-x write the same bytes where both write the shortest", () => {
  for (const value of [1, -1, 300, "text", [1, [2]], { a: 1 }, true, null, undefined, Uint8Array.of(1, 2)]) {
    const shortest = new Encoder({ useRecords: false, tagUint8Array: false, variableMapSize: true });
    assertEquals(toHex(encode(value)), toHex(Uint8Array.of(...PREFIX, ...shortest.encode(value))));
  }
});

/** None below -2^31: those cbor-x 1.6 negates in 32 bits. */
function randomInteger(random: Random): number {
  const value = Math.floor((random() - 0.5) * 2 ** Math.floor(random() * 54));
  return value < -(2 ** 31) ? -value : value;
}

test("cborSerializer and cbor-x agree on random plain data", () => {
  const random = seededRandom(3);
  const make = (depth: number): unknown => {
    const length = Math.floor(random() * 6);
    const keys = Array.from({ length }, (_, i) => `${i}${"key水".slice(0, Math.floor(random() * 5))}`);
    switch (Math.floor(random() * (depth === 0 ? 4 : 6))) {
      case 0:
        return randomInteger(random);
      case 1:
        return (random() - 0.5) * 1e6;
      case 2:
        return keys.join(" ");
      case 3:
        return [true, false, null, undefined][Math.floor(random() * 4)];
      case 4:
        return keys.map(() => make(depth - 1));
      default:
        return Object.fromEntries(keys.map((key) => [`k${key}`, make(depth - 1)]));
    }
  };
  for (let i = 0; i < 500; i++) {
    // In an array: for undefined right after a tag, such as the prefix, cbor-x gives a Tag.
    const value = [make(4)];
    assertSame(theirs.decode(encode(value)), value);
    assertSame(fromTheirs(value), value);
  }
});
