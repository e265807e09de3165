/**
 * Sorted maps and sets of java.util. What sorts them stays with them; it is not asked here, where they have the order that they came in.
 * A JVM does not sort them either when it reads them: whatever is not where it belongs it never finds again.
 *
 * Spark: java.util.TreeMap and TreeSet.
 *
 * @module
 */

import { blockOf, checkItems, fillMap, fillSet, itemKey, readBlock, withBlock } from "./annotations.ts";
import { KnownClass } from "./class_desc.ts";
import { type JavaMapping, type JavaWriting, objectOf, originOf, setOrigin } from "./java_mapping.ts";
import { JavaNumber } from "./java_numbers.ts";
import { ClassFlag } from "./stream_format.ts";

const flags = ClassFlag.Serializable | ClassFlag.WriteMethod;

const TREE_MAP = new KnownClass("java.util.TreeMap", {
  uid: 919286545866124006n,
  flags,
  fields: { comparator: "Ljava/util/Comparator;" },
});
const TREE_SET = new KnownClass("java.util.TreeSet", { uid: -2479143000061671589n, flags });

/** What a sorted map or set remembers. */
interface Sorting {
  /** What sorts it; null if its keys have an order of their own. */
  readonly comparator: unknown;
  /** Its keys, in the order that they came in. */
  readonly keys: readonly unknown[];
}

function sortingOf(value: object): Sorting {
  return originOf(value)?.detail as Sorting | undefined ?? { comparator: null, keys: [] };
}

/** The keys of `value` in the order that its class wants. */
function keysInOrder(value: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>, writing: JavaWriting): readonly unknown[] {
  const keys = [...value.keys()];
  const { comparator, keys: came } = sortingOf(value);
  if (isPartOf(keys, came)) return keys;
  const kind = typeof plainOf(keys[0]);
  if (comparator === null && kind !== "undefined" && keys.every((key) => typeof plainOf(key) === kind)) {
    return keys.sort((a, b) => compare(plainOf(a)!, plainOf(b)!));
  }
  const [name, own] = value instanceof Map ? ["TreeMap", "Map"] : ["TreeSet", "Set"];
  throw writing.fail(
    `a java.util.${name} that was given a key whose place in it is not known here (a new ${own} has no such places)`,
  );
}

/** Whether `keys` are some of those that came, in the same order. One that is an object is taken for any of them. */
function isPartOf(keys: readonly unknown[], came: readonly unknown[]): boolean {
  let at = 0;
  for (const one of came) {
    const key = plainOf(keys[at]);
    if (key === undefined || Object.is(key, plainOf(one))) at++;
  }
  return at >= keys.length;
}

type Plain = string | number | bigint | boolean;

/** A key that is known for what it is. */
function plainOf(key: unknown): Plain | undefined {
  const plain = key instanceof JavaNumber ? key.value : key;
  return typeof plain === "string" || typeof plain === "number" || typeof plain === "bigint" || typeof plain === "boolean"
    ? plain
    : undefined;
}

/** As compareTo has it: texts by their UTF-16, -0 before 0, and NaN behind all numbers. */
function compare(a: Plain, b: Plain): number {
  return a < b ? -1 : a > b ? 1 : rankOf(a) - rankOf(b);
}

/** Tells those apart that are neither less nor more. */
function rankOf(key: Plain): number {
  return Object.is(key, -0) ? -1 : Number.isNaN(key) ? 1 : 0;
}

const treeMap: JavaMapping = {
  known: TREE_MAP,
  create: () => setOrigin(new Map(), { mapping: treeMap }),
  read(object, made, reading) {
    const [block, ...items] = object.annotation();
    const [size] = readBlock(block, "I", reading);
    checkItems(items, 2 * Number(size), reading);
    const map = fillMap(made as Map<unknown, unknown>, items, reading);
    const detail: Sorting = { comparator: object.get("comparator"), keys: [...map.keys()] };
    return setOrigin(map, { mapping: treeMap, detail });
  },
  write(value, writing) {
    const map = value as ReadonlyMap<unknown, unknown>;
    const entries = keysInOrder(map, writing).flatMap((key) => [key, map.get(key)]);
    const { comparator } = sortingOf(map);
    return objectOf(TREE_MAP, writing.version, { comparator }, [withBlock(blockOf("I", map.size), entries)]);
  },
  itemKey,
};

const treeSet: JavaMapping = {
  known: TREE_SET,
  create: () => setOrigin(new Set(), { mapping: treeSet }),
  read(object, made, reading) {
    const [comparator, block, ...items] = object.annotation();
    const [size] = readBlock(block, "I", reading);
    checkItems(items, size, reading);
    const detail: Sorting = { comparator, keys: items };
    return setOrigin(fillSet(made as Set<unknown>, items, reading), { mapping: treeSet, detail });
  },
  write(value, writing) {
    const set = value as ReadonlySet<unknown>;
    const items = withBlock(blockOf("I", set.size), keysInOrder(set, writing));
    return objectOf(TREE_SET, writing.version, {}, [[sortingOf(set).comparator, ...items]]);
  },
  // The comparator comes first.
  itemKey: (at) => at === 0 ? "comparator" : -at,
};

/** The classes of this file. */
export const sortedMappings: readonly JavaMapping[] = [treeMap, treeSet];
