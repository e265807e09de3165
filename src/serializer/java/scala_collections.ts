/**
 * Collections of Scala 2.13, and what stands for its objects.
 *
 * Spark: scala.collection.generic.DefaultSerializationProxy stands for most of them in a stream, scala.runtime.ModuleSerializationProxy
 * for objects. Maps of one to four entries and sets of one to four elements are written as they are.
 *
 * @module
 */

import type { PathKey } from "../serializer_errors.ts";
import { blockOf, checkItems, fillMap, fillSet, readBlock } from "./annotations.ts";
import { KnownClass } from "./class_desc.ts";
import {
  type JavaMapping,
  type JavaReading,
  type JavaRegistryInit,
  objectOf,
  type Origin,
  originOf,
  setOrigin,
} from "./java_mapping.ts";
import { JavaClassObject, JavaObject } from "./java_object.ts";
import { arraySeqMappings } from "./scala_array_seqs.ts";
import { ScalaObject } from "./scala_object.ts";
import { isTuple, tuple2, tupleMappings } from "./scala_tuples.ts";
import type { SparkVersion } from "./spark_versions.ts";
import { ClassFlag } from "./stream_format.ts";

const OBJECT = "Ljava/lang/Object;";
/** The serialVersionUID of everything in Scala's collections. */
const uid = 3n;

const MODULE_PROXY = new KnownClass("scala.runtime.ModuleSerializationProxy", {
  uid: 1n,
  fields: { moduleClass: "Ljava/lang/Class;" },
});
const COLLECTION_PROXY = new KnownClass("scala.collection.generic.DefaultSerializationProxy", {
  uid,
  flags: ClassFlag.Serializable | ClassFlag.WriteMethod,
  fields: { factory: "Lscala/collection/Factory;" },
});
const ITERABLE_FACTORY = new KnownClass("scala.collection.IterableFactory$ToFactory", {
  uid,
  fields: { factory: "Lscala/collection/IterableFactory;" },
});
const MAP_FACTORY = new KnownClass("scala.collection.MapFactory$ToFactory", {
  uid,
  fields: { factory: "Lscala/collection/MapFactory;" },
});

function moduleOf(name: string): ScalaObject {
  return new ScalaObject(new KnownClass(name, { uid }));
}

const SERIALIZE_END = moduleOf("scala.collection.generic.SerializeEnd$");
const LIST = moduleOf("scala.collection.immutable.List$");
const VECTOR = moduleOf("scala.collection.immutable.Vector$");
const HASH_MAP = moduleOf("scala.collection.immutable.HashMap$");
const HASH_SET = moduleOf("scala.collection.immutable.HashSet$");

/** It makes the values of a map. */
const ITERABLE = new ScalaObject(
  new KnownClass("scala.collection.Iterable$", {
    uid,
    parent: new KnownClass("scala.collection.IterableFactory$Delegate", {
      uid,
      fields: { delegate: "Lscala/collection/IterableFactory;" },
    }),
  }),
);

function immutable(...names: readonly string[]): ScalaObject[] {
  return names.map((name) => moduleOf(`scala.collection.immutable.${name}$`));
}

function mutable(...names: readonly string[]): ScalaObject[] {
  return names.map((name) => moduleOf(`scala.collection.mutable.${name}$`));
}

/** Companions that make collections, by what they are here. */
const FACTORIES: Readonly<Record<"array" | "set" | "map", readonly ScalaObject[]>> = {
  array: [
    ...[LIST, VECTOR, ITERABLE, ...immutable("Queue")],
    ...mutable("ArrayBuffer", "ListBuffer", "ArrayDeque", "Queue", "Stack"),
  ],
  // That of Set makes the keys of a map.
  set: [HASH_SET, ...immutable("Set", "ListSet", "TreeSet"), ...mutable("LinkedHashSet", "TreeSet")],
  map: [
    ...[HASH_MAP, ...immutable("ListMap", "TreeMap"), ...mutable("LinkedHashMap", "TreeMap")],
    moduleOf("scala.collection.concurrent.TrieMap$"),
  ],
};

const KINDS: ReadonlyMap<ScalaObject, "array" | "set" | "map"> = new Map(
  (["array", "set", "map"] as const).flatMap((kind) => FACTORIES[kind].map((module) => [module, kind] as const)),
);

/** Factories of a class of their own, which know how large the collection's table was. */
const OWN_FACTORIES: ReadonlyMap<string, "set" | "map"> = new Map([
  ["scala.collection.mutable.HashMap$DeserializationFactory", "map"],
  ["scala.collection.mutable.HashSet$DeserializationFactory", "set"],
]);

/** Reads and writes objects of Scala. */
const scalaObject: JavaMapping = {
  known: MODULE_PROXY,
  read(object, _, reading) {
    const moduleClass = object.get("moduleClass");
    if (!(moduleClass instanceof JavaClassObject)) throw reading.fail("Object of Scala has no class");
    const { desc } = moduleClass;
    const module = reading.registry.module(desc.name);
    if (module === undefined) return new ScalaObject({ name: desc.name, at: () => desc });
    if (desc.problem !== undefined) throw reading.fail(desc.problem);
    return module;
  },
  write(value, { version }) {
    return objectOf(MODULE_PROXY, version, { moduleClass: new JavaClassObject((value as ScalaObject).known.at(version)) });
  },
};

/** What a collection that came by a proxy remembers. */
interface ProxyDetail {
  /** Its companion, or a factory that knows more: how large the table was, or in which order the elements are. */
  readonly factory: ScalaObject | JavaObject;
  /** Whether its size was written before its elements, and no mark after them. */
  readonly sized: boolean;
}

/** How an error's path names entries and elements: of a small map or set, which fields hold, and of one that has a proxy. */
const entryKeys = {
  fieldKey: (name: string): PathKey => /[1-4]$/.test(name) ? -Number(name.slice(-1)) : name,
  itemKey: (at: number, _before: unknown, value: unknown): PathKey => Array.isArray(value) ? at : -1 - at,
} as const;

/** A map's entry, whose parts have no names of their own. */
const entryTuple: JavaMapping = { ...tuple2, fieldKey: () => undefined };

/** Collections that say what makes them, and what is in them. */
const proxied: JavaMapping = {
  known: COLLECTION_PROXY,
  ...entryKeys,
  read(object, _, reading) {
    const factory = object.get("factory");
    // It is looked through for its own factory, and others may refer to it.
    if (factory instanceof JavaObject) reading.spend(factory.values.length);
    if (!(factory instanceof JavaObject || factory instanceof ScalaObject)) return object;
    const own = factory instanceof JavaObject ? OWN_FACTORIES.get(factory.className) : undefined;
    const companion = companionOf(factory);
    const kind = own ?? (companion === undefined ? undefined : KINDS.get(companion));
    // One that is not known stays what it is.
    if (kind === undefined) return object;
    const [block, ...items] = object.annotation();
    const [size] = readBlock(block, "I", reading);
    const sized = size !== -1;
    if (!sized && items.pop() !== SERIALIZE_END) throw reading.fail("Collection has no end");
    checkItems(items, sized ? size : items.length, reading);
    const origin: Origin = { mapping: proxied, detail: { factory: isPlain(factory) ? companion : factory, sized } };
    if (kind === "array") return setOrigin(items, origin);
    if (kind === "set") return setOrigin(fillSet(new Set(), items, reading), origin);
    return setOrigin(readPairs(items, reading), origin);
  },
  write(value, { version }) {
    const detail = originOf(value as object)?.detail as ProxyDetail | undefined;
    return proxyOf(value, detail ?? defaultsFor(value), version);
  },
};

function proxyOf(value: unknown, { factory, sized }: ProxyDetail, version: SparkVersion): JavaObject {
  const items: unknown[] = value instanceof Map
    ? Array.from(value, (entry) => setOrigin(entry, { mapping: entryTuple }))
    : [...(value as Iterable<unknown>)];
  const block = blockOf("I", sized ? items.length : -1);
  const annotation = sized ? [block, ...items] : [block, ...items, SERIALIZE_END];
  return objectOf(COLLECTION_PROXY, version, { factory: factoryOf(factory, version) }, [annotation]);
}

function companionOf(factory: ProxyDetail["factory"]): ScalaObject | undefined {
  const companion = factory instanceof JavaObject ? factory.get("factory") : factory;
  return companion instanceof ScalaObject ? companion : undefined;
}

/** Whether a factory has nothing but its companion. That of a sorted collection has an Ordering. */
function isPlain(factory: ProxyDetail["factory"]): boolean {
  return factory.className === ITERABLE_FACTORY.name || factory.className === MAP_FACTORY.name;
}

function factoryOf(factory: ProxyDetail["factory"], version: SparkVersion): JavaObject {
  if (factory instanceof JavaObject) return factory;
  return objectOf(KINDS.get(factory) === "map" ? MAP_FACTORY : ITERABLE_FACTORY, version, { factory });
}

function defaultsFor(value: unknown): ProxyDetail {
  if (value instanceof Map) return { factory: HASH_MAP, sized: true };
  if (value instanceof Set) return { factory: HASH_SET, sized: true };
  // A List does not know its size, unless it is empty.
  return { factory: LIST, sized: (value as readonly unknown[]).length === 0 };
}

function readPairs(items: readonly unknown[], reading: JavaReading): Map<unknown, unknown> {
  const flat: unknown[] = [];
  for (const pair of items) {
    if (!isTuple(pair, 2)) throw reading.fail("Map has an entry that is no pair");
    flat.push(pair[0], pair[1]);
  }
  return fillMap(new Map(), flat, reading);
}

function fieldsOf(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, OBJECT]));
}

const NUMBERS = [1, 2, 3, 4] as const;

/** An immutable map of one to four entries. */
function smallMap(size: number): JavaMapping {
  const name = `scala.collection.immutable.Map$Map${size}`;
  const prefix = size === 1 ? "" : `${name.replaceAll(".", "$")}$$`;
  const numbers = NUMBERS.slice(0, size);
  const known = new KnownClass(name, {
    uid,
    fields: fieldsOf(numbers.flatMap((n) => [`${prefix}key${n}`, `${prefix}value${n}`])),
  });
  const mapping: JavaMapping = {
    known,
    ...entryKeys,
    create: () => setOrigin(new Map(), { mapping }),
    read(object, made, reading) {
      const flat = numbers.flatMap((n) => [object.get(`${prefix}key${n}`), object.get(`${prefix}value${n}`)]);
      return fillMap(made as Map<unknown, unknown>, flat, reading);
    },
    write(value, writing) {
      const entries = [...(value as ReadonlyMap<unknown, unknown>)];
      if (entries.length !== size) return scalaMap.write(value, writing);
      const fields: Record<string, unknown> = {};
      entries.forEach(([key, item], i) =>
        Object.assign(fields, { [`${prefix}key${i + 1}`]: key, [`${prefix}value${i + 1}`]: item })
      );
      return objectOf(known, writing.version, fields);
    },
  };
  return mapping;
}

/** An immutable set of one to four elements. */
function smallSet(size: number): JavaMapping {
  const numbers = NUMBERS.slice(0, size);
  const known = new KnownClass(`scala.collection.immutable.Set$Set${size}`, {
    uid,
    fields: fieldsOf(numbers.map((n) => `elem${n}`)),
  });
  const mapping: JavaMapping = {
    known,
    ...entryKeys,
    create: () => setOrigin(new Set(), { mapping }),
    read: (object, made, reading) => fillSet(made as Set<unknown>, numbers.map((n) => object.get(`elem${n}`)), reading),
    write(value, writing) {
      const items = [...(value as ReadonlySet<unknown>)];
      if (items.length !== size) return scalaSet.write(value, writing);
      return objectOf(known, writing.version, Object.fromEntries(items.map((item, i) => [`elem${i + 1}`, item])));
    },
  };
  return mapping;
}

const smallMaps = NUMBERS.map(smallMap);
const smallSets = NUMBERS.map(smallSet);
const EMPTY_MAP = new ScalaObject(new KnownClass("scala.collection.immutable.Map$EmptyMap$", { uid }));
const EMPTY_SET = new ScalaObject(new KnownClass("scala.collection.immutable.Set$EmptySet$", { uid }));

/** An immutable Map of Scala, in the class that it has there for its size. */
export const scalaMap: JavaMapping = {
  known: COLLECTION_PROXY,
  ...entryKeys,
  read: (object) => object,
  write(value, writing) {
    const { size } = value as ReadonlyMap<unknown, unknown>;
    if (size === 0) return scalaObject.write(EMPTY_MAP, writing);
    return size <= NUMBERS.length
      ? smallMaps[size - 1]!.write(value, writing)
      : proxyOf(value, defaultsFor(value), writing.version);
  },
};

/** An immutable Set of Scala, in the class that it has there for its size. */
export const scalaSet: JavaMapping = {
  known: COLLECTION_PROXY,
  ...entryKeys,
  read: (object) => object,
  write(value, writing) {
    const { size } = value as ReadonlySet<unknown>;
    if (size === 0) return scalaObject.write(EMPTY_SET, writing);
    return size <= NUMBERS.length
      ? smallSets[size - 1]!.write(value, writing)
      : proxyOf(value, defaultsFor(value), writing.version);
  },
};

/** The class that a collection of Scala came as, or its companion; of an empty Map or Set it says nothing, as all write that alike. */
export function scalaClassOf({ mapping, detail }: Origin): string | undefined {
  if (mapping !== proxied) return mapping?.known.name;
  const { factory } = detail as ProxyDetail;
  return (companionOf(factory) ?? factory).className;
}

/** A List of Scala. */
export const scalaList: JavaMapping = {
  known: COLLECTION_PROXY,
  read: (object) => object,
  write: (value, { version }) => proxyOf(value, defaultsFor(value), version),
};

/** A Vector of Scala. */
export const scalaVector: JavaMapping = {
  known: COLLECTION_PROXY,
  read: (object) => object,
  write: (value, { version }) => proxyOf(value, { factory: VECTOR, sized: true }, version),
};

/** The classes of this file. */
export const scalaCollections: JavaRegistryInit = {
  mappings: [
    scalaObject,
    proxied,
    ...tupleMappings,
    ...smallMaps,
    ...smallSets,
    ...arraySeqMappings,
  ],
  described: [ITERABLE_FACTORY, MAP_FACTORY],
  objects: [SERIALIZE_END, ...FACTORIES.array, ...FACTORIES.set, ...FACTORIES.map],
  modules: [
    [EMPTY_MAP.known as KnownClass, scalaMap, () => new Map()],
    [EMPTY_SET.known as KnownClass, scalaSet, () => new Set()],
  ],
  prototypes: [[ScalaObject.prototype, scalaObject]],
};
