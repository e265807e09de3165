/**
 * Lists, maps and sets of java.util, and dates.
 *
 * Spark: java.util.ArrayList, LinkedList, ArrayDeque, HashMap, LinkedHashMap, HashSet, LinkedHashSet, Date, `List.of` and its like. An
 * array of TypeScript is an ArrayList, a Map a LinkedHashMap and a Set a LinkedHashSet, which keep their order.
 *
 * @module
 */

import { blockOf, checkItems, fillArray, fillMap, fillSet, itemKey, readBlock, withBlock, withEntries } from "./annotations.ts";
import { KnownClass } from "./class_desc.ts";
import { type JavaMapping, type JavaRegistryInit, objectOf, originOf, setOrigin } from "./java_mapping.ts";
import type { JavaObject } from "./java_object.ts";
import { ClassFlag } from "./stream_format.ts";

const WRITES = ClassFlag.Serializable | ClassFlag.WriteMethod;

const ARRAY_LIST = new KnownClass("java.util.ArrayList", { uid: 8683452581122892189n, flags: WRITES, fields: { size: "I" } });
const LINKED_LIST = new KnownClass("java.util.LinkedList", { uid: 876323262645176354n, flags: WRITES });
const ARRAY_DEQUE = new KnownClass("java.util.ArrayDeque", { uid: 2340985798034038923n, flags: WRITES });
const COLL_SER = new KnownClass("java.util.CollSer", { uid: 6309168927139932177n, flags: WRITES, fields: { tag: "I" } });
const HASH_MAP = new KnownClass("java.util.HashMap", {
  uid: 362498820763181265n,
  flags: WRITES,
  fields: { loadFactor: "F", threshold: "I" },
});
const LINKED_HASH_MAP = new KnownClass("java.util.LinkedHashMap", {
  uid: 3801124242820219131n,
  fields: { accessOrder: "Z" },
  parent: HASH_MAP,
});
const HASH_SET = new KnownClass("java.util.HashSet", { uid: -5024744406713321676n, flags: WRITES });
const LINKED_HASH_SET = new KnownClass("java.util.LinkedHashSet", { uid: -2851667679971038690n, parent: HASH_SET });
const DATE = new KnownClass("java.util.Date", { uid: 7523967970034938905n, flags: WRITES });

/** The classes of arrays that lists are made of. */
export const OBJECT_ARRAY: KnownClass = new KnownClass("[Ljava.lang.Object;", { uid: -8012369246846506644n });

const LOAD_FACTOR = 0.75;
const LEAST_BUCKETS = 16;

/** How a hash table that has grown to hold `size` entries is laid out. */
function layoutFor(size: number): HashLayout {
  let buckets = LEAST_BUCKETS;
  while (size > LOAD_FACTOR * buckets) buckets *= 2;
  return { buckets, loadFactor: LOAD_FACTOR, threshold: size === 0 ? 0 : LOAD_FACTOR * buckets };
}

/** What a hash table says of itself besides its entries. A table that came keeps its own; Java asks for nothing of it. */
interface HashLayout {
  readonly buckets: number;
  readonly loadFactor: number;
  readonly threshold: number;
  /** Whether a LinkedHashMap has its entries in the order in which they were used, as caches do. */
  readonly accessOrder?: boolean | undefined;
}

/** A java.util.ArrayList: what an array is. */
export const javaArrayList: JavaMapping = {
  known: ARRAY_LIST,
  create: () => [],
  read(object, made, reading) {
    const [block, ...items] = object.annotation();
    readBlock(block, "I", reading);
    checkItems(items, object.get("size"), reading);
    return fillArray(made as unknown[], items);
  },
  write(value, { version }) {
    const items = asArray(value);
    return objectOf(ARRAY_LIST, version, { size: items.length }, [withBlock(blockOf("I", items.length), items)]);
  },
};

/** A list that writes how many elements it has, and those. */
export function listOf(known: KnownClass, { allowsNull = true }: { readonly allowsNull?: boolean } = {}): JavaMapping {
  const mapping: JavaMapping = {
    known,
    create: () => setOrigin([], { mapping }),
    read(object, made, reading) {
      const [block, ...items] = object.annotation();
      const [size] = readBlock(block, "I", reading);
      checkItems(items, size, reading);
      return fillArray(made as unknown[], items);
    },
    write(value, writing) {
      const items = asArray(value);
      if (!allowsNull && items.includes(null)) throw writing.fail(`null, which a ${known.name} cannot have,`);
      return objectOf(known, writing.version, {}, [withBlock(blockOf("I", items.length), items)]);
    },
  };
  return mapping;
}

/** What the tag of a collection of `List.of`, `Set.of` and `Map.of` says. */
const CollectionTag = { list: 1, set: 2, map: 3, listWithNulls: 4 } as const;

const collSer: JavaMapping = {
  known: COLL_SER,
  read(object, _, reading) {
    const [block, ...items] = object.annotation();
    const [count] = readBlock(block, "I", reading);
    checkItems(items, count, reading);
    const tag = Number(object.get("tag"));
    const origin = { mapping: collSer, detail: tag };
    switch (tag & 0xff) {
      case CollectionTag.list:
      case CollectionTag.listWithNulls:
        return setOrigin(items, origin);
      case CollectionTag.set:
        return fillSet(setOrigin(new Set(), origin), items, reading);
      case CollectionTag.map:
        return fillMap(setOrigin(new Map(), origin), items, reading);
      default:
        throw reading.fail(`Unknown kind of collection: ${tag}`);
    }
  },
  write(value, writing) {
    const items = value instanceof Map ? [...value].flat(1) : [...value as Iterable<unknown>];
    const tag = Number(originOf(value as object)?.detail ?? CollectionTag.list);
    if ((tag & 0xff) !== CollectionTag.listWithNulls && items.includes(null)) {
      throw writing.fail("null, which what List.of, Set.of or Map.of made cannot have,");
    }
    return objectOf(COLL_SER, writing.version, { tag }, [withBlock(blockOf("I", items.length), items)]);
  },
  itemKey,
};

function mapOf(known: KnownClass, plain: boolean): JavaMapping {
  const mapping: JavaMapping = {
    known,
    create: () => plain ? new Map() : setOrigin(new Map(), { mapping }),
    read(object, made, reading) {
      const [block, ...items] = object.annotation(HASH_MAP.name);
      const [buckets, size] = readBlock(block, "II", reading);
      checkItems(items, 2 * Number(size), reading);
      keepLayout(mapping, made!, object, Number(buckets), Number(size));
      return fillMap(made as Map<unknown, unknown>, items, reading);
    },
    write(value, { version }) {
      const entries = value instanceof Map ? value : new Map(Object.entries(value as object));
      const { size } = entries;
      const { buckets, loadFactor, threshold, accessOrder = false } = layoutOf(value as object, size);
      const annotation = withEntries(blockOf("II", buckets, size), entries);
      return objectOf(known, version, { loadFactor, threshold, accessOrder }, [annotation]);
    },
    itemKey,
  };
  return mapping;
}

function keepLayout(mapping: JavaMapping, made: object, object: JavaObject, buckets: number, size: number): void {
  const usual = layoutFor(size);
  const [loadFactor, threshold] = [object.get("loadFactor"), object.get("threshold")];
  // What a class of another shape does not say is as usual.
  if (typeof loadFactor !== "number" || typeof threshold !== "number") return;
  const accessOrder = object.get("accessOrder") === true;
  const isUsual = buckets === usual.buckets && loadFactor === usual.loadFactor && threshold === usual.threshold;
  if (isUsual && !accessOrder) return;
  setOrigin(made, { mapping, detail: { buckets, loadFactor, threshold, size, accessOrder } });
}

function layoutOf(value: object, size: number): HashLayout {
  const kept = originOf(value)?.detail as (HashLayout & { readonly size: number }) | undefined;
  if (kept === undefined || kept.size === size) return kept ?? layoutFor(size);
  return { ...layoutFor(size), accessOrder: kept.accessOrder };
}

function setOf(known: KnownClass, plain: boolean): JavaMapping {
  const mapping: JavaMapping = {
    known,
    create: () => plain ? new Set() : setOrigin(new Set(), { mapping }),
    read(object, made, reading) {
      const [block, ...items] = object.annotation(HASH_SET.name);
      const [buckets, loadFactor, size] = readBlock(block, "IFI", reading);
      checkItems(items, size, reading);
      const usual = layoutFor(items.length);
      if (buckets !== usual.buckets || loadFactor !== usual.loadFactor) {
        setOrigin(made!, { mapping, detail: { buckets, loadFactor, size } });
      }
      return fillSet(made as Set<unknown>, items, reading);
    },
    write(value, { version }) {
      const set = value as ReadonlySet<unknown>;
      const { buckets, loadFactor } = layoutOf(set, set.size);
      return objectOf(known, version, {}, [withBlock(blockOf("IFI", buckets, loadFactor, set.size), set)]);
    },
    itemKey,
  };
  return mapping;
}

const date: JavaMapping = {
  known: DATE,
  read(object, _, reading) {
    const [block] = object.annotation();
    const [time] = readBlock(block, "J", reading);
    const value = new Date(Number(time));
    // `new Date(Long.MAX_VALUE)`, say, which means "never".
    return Number.isNaN(value.getTime()) ? object : value;
  },
  write(value, writing) {
    const time = (value as Date).getTime();
    if (Number.isNaN(time)) throw writing.fail("an invalid Date");
    return objectOf(DATE, writing.version, {}, [[blockOf("J", BigInt(time))]]);
  },
};

function asArray(value: unknown): readonly unknown[] {
  return value as readonly unknown[];
}

/** A java.util.LinkedHashMap: what a Map and a plain object is. */
export const javaLinkedHashMap: JavaMapping = mapOf(LINKED_HASH_MAP, true);
/** A java.util.LinkedHashSet: what a Set is. */
export const javaLinkedHashSet: JavaMapping = setOf(LINKED_HASH_SET, true);

/** The classes of this file. */
export const collectionClasses: JavaRegistryInit = {
  mappings: [
    javaArrayList,
    listOf(LINKED_LIST),
    listOf(ARRAY_DEQUE, { allowsNull: false }),
    collSer,
    mapOf(HASH_MAP, false),
    javaLinkedHashMap,
    setOf(HASH_SET, false),
    javaLinkedHashSet,
    date,
  ],
  prototypes: [
    [Array.prototype, javaArrayList],
    [Map.prototype, javaLinkedHashMap],
    [Set.prototype, javaLinkedHashSet],
    [Date.prototype, date],
  ],
};
