/**
 * Collections of java.util that have one thing in them, or nothing, and say so by their class.
 *
 * Spark: what `Collections.emptyMap()`, `Collections.singletonList(x)` and their like make.
 *
 * @module
 */

import { fillArray, fillMap, fillSet, itemKey } from "./annotations.ts";
import { KnownClass } from "./class_desc.ts";
import { javaArrayList, javaLinkedHashMap, javaLinkedHashSet } from "./jdk_collections.ts";
import { type JavaMapping, type JavaReading, objectOf, setOrigin } from "./java_mapping.ts";

/** What a kind of collection is here, and how it is written when there is more in it, or less, than its class can have. */
interface Kind<T extends object> {
  readonly general: JavaMapping;
  readonly make: () => T;
  /** Puts in what the fields hold, and returns it. */
  readonly fill: (made: T, parts: readonly unknown[], reading: JavaReading) => T;
  /** What the fields are to hold. */
  readonly parts: (value: T) => readonly unknown[];
  /** Where it is in an error's path. */
  readonly key: number;
}

const list: Kind<unknown[]> = {
  general: javaArrayList,
  make: () => [],
  fill: fillArray,
  parts: (value) => value,
  key: 0,
};
const set: Kind<Set<unknown>> = {
  general: javaLinkedHashSet,
  make: () => new Set(),
  fill: fillSet,
  parts: (value) => [...value],
  key: -1,
};
const map: Kind<Map<unknown, unknown>> = {
  general: javaLinkedHashMap,
  make: () => new Map(),
  fill: fillMap,
  parts: (value) => [...value].flat(1),
  key: -1,
};

/** A class of `Collections`, whose objects have in their fields all that is in them. */
function smallOf<T extends object>(name: string, uid: bigint, fields: readonly string[], kind: Kind<T>): JavaMapping {
  const signatures = Object.fromEntries(fields.map((field) => [field, "Ljava/lang/Object;"]));
  const known = new KnownClass(`java.util.Collections$${name}`, { uid, fields: signatures });
  const mapping: JavaMapping = {
    known,
    create: () => setOrigin(kind.make(), { mapping }),
    read(object, made, reading) {
      return kind.fill(made as T, fields.map((field) => object.get(field)), reading);
    },
    write(value, writing) {
      const parts = kind.parts(value as T);
      if (parts.length !== fields.length) return kind.general.write(value, writing);
      return objectOf(known, writing.version, Object.fromEntries(fields.map((field, i) => [field, parts[i]])));
    },
    fieldKey: () => kind.key,
    itemKey,
  };
  return mapping;
}

/** A java.util.Collections.emptyList(). */
export const javaEmptyList: JavaMapping = smallOf("EmptyList", 8842843931221139166n, [], list);

/** The classes of this file. */
export const smallMappings: readonly JavaMapping[] = [
  javaEmptyList,
  smallOf("SingletonList", 3093736618740652951n, ["element"], list),
  smallOf("SingletonSet", 3193687207550431679n, ["element"], set),
  smallOf("SingletonMap", -6979724477215052911n, ["k", "v"], map),
  smallOf("EmptySet", 1582296315990362920n, [], set),
  smallOf("EmptyMap", 6428348081105594320n, [], map),
];
