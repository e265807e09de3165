/**
 * Sorted maps and sets of java.util. What sorts them stays with them; it is not asked here, where they have the order that they came in.
 *
 * Spark: java.util.TreeMap and TreeSet.
 *
 * @module
 */

import { blockOf, checkItems, fillMap, fillSet, itemKey, readBlock, withBlock, withEntries } from "./annotations.ts";
import { KnownClass } from "./class_desc.ts";
import { type JavaMapping, objectOf, originOf, setOrigin } from "./java_mapping.ts";
import { ClassFlag } from "./stream_format.ts";

const flags = ClassFlag.Serializable | ClassFlag.WriteMethod;

const TREE_MAP = new KnownClass("java.util.TreeMap", {
  uid: 919286545866124006n,
  flags,
  fields: { comparator: "Ljava/util/Comparator;" },
});
const TREE_SET = new KnownClass("java.util.TreeSet", { uid: -2479143000061671589n, flags });

const treeMap: JavaMapping = {
  known: TREE_MAP,
  create: () => setOrigin(new Map(), { mapping: treeMap }),
  read(object, made, reading) {
    const [block, ...items] = object.annotation();
    const [size] = readBlock(block, "I", reading);
    checkItems(items, 2 * Number(size), reading);
    setOrigin(made!, { mapping: treeMap, detail: object.get("comparator") });
    return fillMap(made as Map<unknown, unknown>, items, reading);
  },
  write(value, { version }) {
    const map = value as ReadonlyMap<unknown, unknown>;
    const comparator = originOf(map)?.detail ?? null;
    return objectOf(TREE_MAP, version, { comparator }, [withEntries(blockOf("I", map.size), map)]);
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
    setOrigin(made!, { mapping: treeSet, detail: comparator });
    return fillSet(made as Set<unknown>, items, reading);
  },
  write(value, { version }) {
    const set = value as ReadonlySet<unknown>;
    const comparator = originOf(set)?.detail ?? null;
    return objectOf(TREE_SET, version, {}, [[comparator, ...withBlock(blockOf("I", set.size), set)]]);
  },
  // The comparator comes first.
  itemKey: (at) => at === 0 ? "comparator" : -at,
};

/** The classes of this file. */
export const sortedMappings: readonly JavaMapping[] = [treeMap, treeSet];
