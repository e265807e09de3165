/**
 * Values that depend on a seed alone, of all that the CBOR serializer carries.
 *
 * @module
 */

import type { Random } from "../../src/base/random.ts";
import { TypedMessage } from "../../src/serializer/serializer.ts";
import { encode, encodeFailure, FakeRef } from "./_cbor.ts";

function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

function randomText(random: Random): string {
  const ends = [0x20, 0x7f, 0x800, 0xd800, 0xe000, 0x1_0000];
  return Array.from({ length: below(random, random() < 0.9 ? 20 : 200) }, () => {
    const end = ends[below(random, random() < 0.7 ? 2 : ends.length)]!;
    return String.fromCharCode(below(random, end));
  }).join("");
}

function randomNumber(random: Random): number {
  switch (below(random, 5)) {
    case 0:
      return below(random, 300) - 50;
    case 1:
      return Math.round((random() - 0.5) * 2 ** below(random, 60));
    case 2:
      return (random() - 0.5) * 10 ** (below(random, 600) - 300);
    case 3:
      return Math.fround(random() * 2 ** (below(random, 60) - 30));
    default:
      return [-0, NaN, Infinity, -Infinity, 2 ** 53, -(2 ** 53), 2 ** -24, 65504][below(random, 8)]!;
  }
}

function randomBytes(random: Random): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: 8 * below(random, random() < 0.9 ? 6 : 200) }, () => below(random, 256));
}

const LEAVES: readonly ((random: Random) => unknown)[] = [
  randomNumber,
  randomText,
  (random) => [undefined, null, true, false][below(random, 4)],
  (random) => (random() < 0.5 ? -1n : 1n) * BigInt(below(random, 2 ** 32)) ** BigInt(below(random, 9)),
  (random) => new Date(below(random, 2 ** 45) - 2 ** 44),
  (random) =>
    new FakeRef(randomText(random), random() < 0.5 ? undefined : { host: randomText(random), port: below(random, 65_536) }),
  randomBytes,
  (random) => new Float64Array(randomBytes(random).buffer),
  (random) => new Int16Array(randomBytes(random).buffer),
  (random) => new BigUint64Array(randomBytes(random).buffer),
  (random) => randomBytes(random).buffer,
  (random) => new DataView(randomBytes(random).buffer),
  () => /a|b/gi,
];

/** A value; some objects in it occur more than once, or inside themselves. */
export function randomValue(random: Random, depth = 5, seen: object[] = []): unknown {
  if (depth === 0 || random() < 0.4) {
    return seen.length > 0 && random() < 0.2 ? seen[below(random, seen.length)] : LEAVES[below(random, LEAVES.length)]!(random);
  }
  const inner = () => randomValue(random, depth - 1, seen);
  const length = below(random, 6);
  switch (below(random, 6)) {
    case 0: {
      const array: unknown[] = [];
      seen.push(array);
      for (let i = 0; i < length; i++) array.push(inner());
      if (random() < 0.1) array.length += 1 + below(random, 5);
      return array;
    }
    case 1: {
      const map = new Map<unknown, unknown>();
      seen.push(map);
      for (let i = 0; i < length; i++) map.set(inner(), inner());
      return map;
    }
    case 2: {
      const set = new Set<unknown>();
      seen.push(set);
      for (let i = 0; i < length; i++) set.add(inner());
      return set;
    }
    case 3: {
      const error = new [Error, TypeError, RangeError][below(random, 3)]!(randomText(random));
      seen.push(error);
      if (random() < 0.5) error.cause = inner();
      return Object.assign(error, { code: inner() });
    }
    case 4:
      return new TypedMessage("t" + randomText(random), random() < 0.3 ? undefined : inner());
    default: {
      const object: Record<string, unknown> = {};
      seen.push(object);
      for (let i = 0; i < length; i++) {
        const key = random() < 0.05 ? "__proto__" : randomText(random);
        Object.defineProperty(object, key, { value: inner(), writable: true, enumerable: true, configurable: true });
      }
      return object;
    }
  }
}

/** Contents of every kind that are short enough to be cut at each byte. */
export function samples(): Uint8Array[] {
  const one = { x: 1 };
  const cycle: unknown[] = [one, one];
  cycle.push(cycle);
  const values: unknown[] = [
    { taskId: 123, name: "stage-7", data: new Uint8Array(64) },
    [1, 300, 70_000, 2 ** 40, -1.5, 1.1, 1e30, -0, 5n, 2n ** 63n, 2n ** 99n, true, null, undefined],
    { "é": "水".repeat(30), s: "\ud800", l: "x".repeat(300) },
    new Map<unknown, unknown>([["a", new Set([1, /a/g])], [new Date(5), new Float64Array(3)]]),
    [new Error("e", { cause: new TypeError("t") }), new AggregateError([1])],
    cycle,
    // deno-lint-ignore no-sparse-arrays -- it is what is tested.
    [, 1, , 2],
    new TypedMessage("Heartbeat", { ref: new FakeRef("Master", { host: "h", port: 7077 }), none: new FakeRef("c") }),
    [new ArrayBuffer(9), new DataView(new ArrayBuffer(9)), new Uint16Array(9)],
    new Uint8Array(1500),
  ];
  return [...values.map((value) => encode(value)), encodeFailure(new RangeError("failed", { cause: new Error("why") }))];
}
