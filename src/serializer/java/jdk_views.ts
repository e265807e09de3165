/**
 * Views of collections and arrays. A view is an array, a Set or a Map of its own, and remembers what it is a view of.
 *
 * Spark: what `Arrays.asList(array)`, `Collections.unmodifiableMap(map)`, `Collections.synchronizedList(list)` and their like make.
 *
 * @module
 */

import { fillArray } from "./annotations.ts";
import { KnownClass, type KnownClassInit } from "./class_desc.ts";
import { type JavaMapping, objectOf, originOf, setOrigin } from "./java_mapping.ts";
import { ClassFlag } from "./stream_format.ts";

type Collection = unknown[] | Set<unknown> | Map<unknown, unknown>;

/** The collections that a view of one kind can be of. */
type Kind = (value: unknown) => value is Collection;

const isList = (value: unknown): value is unknown[] => Array.isArray(value);
const isSet = (value: unknown): value is Set<unknown> => value instanceof Set;
const isMap = (value: unknown): value is Map<unknown, unknown> => value instanceof Map;
const isCollection = (value: unknown): value is unknown[] | Set<unknown> => isList(value) || isSet(value);

/** The field that says what a view of Java locks. */
const MUTEX = "mutex";

/** What a view remembers. */
interface View {
  /** What it is a view of. */
  readonly viewed: Collection;
  /** What it locks, if that is not itself. */
  readonly mutex: unknown;
}

/** A class of views. Each class of its line has the collection in a field, as what it knows it to be. */
function viewOf(known: KnownClass, isKind: Kind): JavaMapping {
  const mapping: JavaMapping = {
    known,
    read(object, made, reading) {
      // By slot, not by name: a hostile class can have so many fields that to look for each would take for ever.
      const names = [...object.fieldNames()];
      const [viewed, ...again] = object.values.filter((_, slot) => names[slot] !== MUTEX);
      // A view of what is not known stays inert; so does one of a collection that it is in: its elements are not there yet.
      if (!isKind(viewed) || again.some((other) => other !== viewed) || reading.isUnfinished(viewed)) return object;
      reading.spend(isList(viewed) ? viewed.length : viewed.size);
      const mutex = object.get(MUTEX);
      const view: View = { viewed, mutex: mutex === object ? undefined : mutex };
      const filled = isList(viewed) && isList(made) ? fillArray(made, viewed) : copyOf(viewed);
      return setOrigin(filled, { mapping, detail: view });
    },
    write(value, { version }) {
      const { viewed, mutex = value } = originOf(value as object)?.detail as View;
      const content = isSame(value as Collection, viewed)
        ? viewed
        : setOrigin(copyOf(value as Collection), originOf(viewed) ?? {});
      const names = known.at(version).line.flatMap(({ fields }) => fields.map(({ name }) => name));
      return objectOf(known, version, Object.fromEntries(names.map((name) => [name, name === MUTEX ? mutex : content])));
    },
    fieldKey: () => undefined,
  };
  return mapping;
}

function copyOf(collection: Collection): Collection {
  if (isList(collection)) return [...collection];
  return isSet(collection) ? new Set(collection) : new Map(collection);
}

/** Whether both consist of the same, in the same order. */
function isSame(one: Collection, other: Collection): boolean {
  const [parts, others] = [one, other].map((collection) => isMap(collection) ? [...collection].flat(1) : [...collection]);
  return parts!.length === others!.length && parts!.every((part, i) => Object.is(part, others![i]));
}

/** The interfaces that there are views of. */
type Viewed = "Collection" | "List" | "Set" | "SortedSet" | "NavigableSet" | "Map" | "SortedMap" | "NavigableMap";

/** The views of one prefix; `root` is what the first class of each line has besides. */
function viewsOf(prefix: string, root: KnownClassInit, uids: Readonly<Record<Viewed, bigint>>): readonly JavaMapping[] {
  const classOf = (viewed: Viewed, field: string | undefined, parent: KnownClass | undefined): KnownClass => {
    const own = field === undefined ? {} : { [field]: `Ljava/util/${viewed};` };
    const init: KnownClassInit = parent === undefined
      ? { ...root, fields: { ...root.fields, ...own } }
      : { fields: own, parent };
    return new KnownClass(`java.util.Collections$${prefix}${viewed}`, { ...init, uid: uids[viewed] });
  };
  const collection = classOf("Collection", "c", undefined);
  const set = classOf("Set", undefined, collection);
  const sortedSet = classOf("SortedSet", "ss", set);
  const map = classOf("Map", "m", undefined);
  const sortedMap = classOf("SortedMap", "sm", map);
  return [
    viewOf(collection, isCollection),
    viewOf(classOf("List", "list", collection), isList),
    ...[set, sortedSet, classOf("NavigableSet", "ns", sortedSet)].map((known) => viewOf(known, isSet)),
    ...[map, sortedMap, classOf("NavigableMap", "nm", sortedMap)].map((known) => viewOf(known, isMap)),
  ];
}

const AS_LIST = new KnownClass("java.util.Arrays$ArrayList", {
  uid: -2764017481108945198n,
  fields: { a: "[Ljava/lang/Object;" },
});

/** The classes of this file. */
export const viewMappings: readonly JavaMapping[] = [
  // An array may have the list over it within.
  { ...viewOf(AS_LIST, isList), create: () => [] },
  ...viewsOf("Unmodifiable", {}, {
    Collection: 1820017752578914078n,
    List: -283967356065247728n,
    Set: -9215047833775013803n,
    SortedSet: -4929149591599911165n,
    NavigableSet: -6027448201786391929n,
    Map: -1034234728574286014n,
    SortedMap: -8806743815996713206n,
    NavigableMap: -4858195264774772197n,
  }),
  ...viewsOf("Synchronized", {
    flags: ClassFlag.Serializable | ClassFlag.WriteMethod,
    fields: { [MUTEX]: "Ljava/lang/Object;" },
  }, {
    Collection: 3053995032091335093n,
    List: -7754090372962971524n,
    Set: 487447009682186044n,
    SortedSet: 8695801310862127406n,
    NavigableSet: -5505529816273629798n,
    Map: 1978198479659022715n,
    SortedMap: -8798146769416483793n,
    NavigableMap: 699392247599746807n,
  }),
];
