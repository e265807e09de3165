/**
 * Collections of java.util.concurrent.
 *
 * Spark: java.util.concurrent.ConcurrentHashMap and CopyOnWriteArrayList.
 *
 * @module
 */

import { checkItems, fillMap, itemKey } from "./annotations.ts";
import { KnownClass } from "./class_desc.ts";
import { type JavaMapping, objectOf, originOf, setOrigin } from "./java_mapping.ts";
import { listOf } from "./jdk_collections.ts";
import { ClassFlag } from "./stream_format.ts";

const flags = ClassFlag.Serializable | ClassFlag.WriteMethod;

const CONCURRENT_HASH_MAP = new KnownClass("java.util.concurrent.ConcurrentHashMap", {
  uid: 7249069246763182397n,
  flags,
  fields: { segmentMask: "I", segmentShift: "I", segments: "[Ljava/util/concurrent/ConcurrentHashMap$Segment;" },
});
const COPY_ON_WRITE_LIST = new KnownClass("java.util.concurrent.CopyOnWriteArrayList", { uid: 8673264195747942595n, flags });

/** What is written in the place of a key and of its value behind the last entry. */
const END = [null, null];

/** How Java 7 divided a table of usual size. Later ones write it, with segments that are all empty, and do not read it. */
const DIVISION = { segmentMask: 15, segmentShift: 28 };

const concurrentHashMap: JavaMapping = {
  known: CONCURRENT_HASH_MAP,
  create: () => setOrigin(new Map(), { mapping: concurrentHashMap }),
  read(object, made, reading) {
    const items = object.annotation();
    const entries = items.slice(0, -END.length);
    checkItems(entries, entries.length, reading);
    if (items.at(-1) !== null || items.at(-2) !== null) throw reading.fail("Map has no end");
    setOrigin(made!, { mapping: concurrentHashMap, detail: object.get("segments") });
    return fillMap(made as Map<unknown, unknown>, entries, reading);
  },
  write(value, writing) {
    const entries = [...value as ReadonlyMap<unknown, unknown>].flat(1);
    // What is behind it would be lost: to a JVM it is the end.
    if (entries.includes(null)) throw writing.fail(`null, which a ${CONCURRENT_HASH_MAP.name} cannot have,`);
    const segments = originOf(value as object)?.detail ?? null;
    return objectOf(CONCURRENT_HASH_MAP, writing.version, { ...DIVISION, segments }, [[...entries, ...END]]);
  },
  itemKey,
};

/** The classes of this file. */
export const concurrentMappings: readonly JavaMapping[] = [concurrentHashMap, listOf(COPY_ON_WRITE_LIST)];
