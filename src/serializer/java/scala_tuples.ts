/**
 * Tuples of Scala.
 *
 * Spark: scala.Tuple1 to Tuple22. Of a pair of primitives Scala makes another class, one for each two of five types: `(1, 2L)` is a
 * `Tuple2$mcIJ$sp`, which leaves the fields of Tuple2 null and has two of its own. So it is with one element of three types.
 *
 * @module
 */

import type { PathKey } from "../serializer_errors.ts";
import { numberOf } from "./boxes.ts";
import { KnownClass } from "./class_desc.ts";
import { type JavaMapping, objectOf, originOf, setOrigin } from "./java_mapping.ts";
import { type PrimitiveLetter, unboxElement } from "./primitives.ts";

const OBJECT = "Ljava/lang/Object;";

/** An error's path names an element as that of an array: by where it is. */
const fieldKey = (name: string): PathKey => Number.parseInt(name.slice(1)) - 1;

/** A tuple, which is an array here. */
function tupleOf(size: number): JavaMapping {
  const names = Array.from({ length: size }, (_, i) => `_${i + 1}`);
  const fields = Object.fromEntries(names.map((name) => [name, OBJECT]));
  const known = new KnownClass(`scala.Tuple${size}`, { fields });
  const mapping: JavaMapping = {
    known,
    create: () => setOrigin([], { mapping }),
    read(object, made) {
      const array = made as unknown[];
      for (const name of names) array.push(object.get(name));
      return array;
    },
    write(value, writing) {
      const array = value as readonly unknown[];
      if (array.length !== size) throw writing.fail(`${array.length} elements as a tuple of ${size}`);
      return objectOf(known, writing.version, Object.fromEntries(names.map((name, i) => [name, array[i]])));
    },
    fieldKey,
  };
  return mapping;
}

/** Most elements of a tuple. */
export const MAX_TUPLE = 22;

/** Tuples of whatever there is, by how many elements they have. */
export const tuples: ReadonlyMap<number, JavaMapping> = new Map(
  Array.from({ length: MAX_TUPLE }, (_, i) => [i + 1, tupleOf(i + 1)]),
);

/** A pair of whatever there is. */
export const tuple2: JavaMapping = tuples.get(2)!;

/** What can be in a tuple of one primitive, and of two. */
const ONE = ["D", "I", "J"] as const;
const OF_TWO = ["C", "D", "I", "J", "Z"] as const;

/** A tuple of primitives: what is read is what would be if they were boxed. */
function primitivesOf(...letters: readonly PrimitiveLetter[]): JavaMapping {
  const plain = tuples.get(letters.length)!;
  const names = letters.map((letter, i) => `_${i + 1}$mc${letter}$sp`);
  const fields = Object.fromEntries(names.map((name, i) => [name, letters[i]!]));
  const known = new KnownClass(`${plain.known.name}$mc${letters.join("")}$sp`, { fields, parent: plain.known });
  const mapping: JavaMapping = {
    known,
    create: () => setOrigin([], { mapping }),
    read(object, made, reading) {
      const array = made as unknown[];
      for (const [i, name] of names.entries()) {
        const element = object.get(name);
        const letter = letters[i]!;
        if (letter === "C") array.push(numberOf("char", element, reading));
        else array.push(letter === "D" && reading.exactNumbers ? numberOf("double", element, reading) : element);
      }
      return array;
    },
    write(value, writing) {
      const array = value as readonly unknown[];
      const primitives = letters.map((letter, i) => unboxElement(letter, array[i]));
      if (array.length !== letters.length || primitives.includes(undefined)) return plain.write(value, writing);
      return objectOf(known, writing.version, Object.fromEntries(names.map((name, i) => [name, primitives[i]])));
    },
    fieldKey,
  };
  return mapping;
}

/** All classes of tuples. */
export const tupleMappings: readonly JavaMapping[] = [
  ...tuples.values(),
  ...ONE.map((letter) => primitivesOf(letter)),
  ...OF_TWO.flatMap((first) => OF_TWO.map((second) => primitivesOf(first, second))),
];

/** Whether a value that was read is a tuple of `size` elements, of whichever class. */
export function isTuple(value: unknown, size: number): value is readonly unknown[] {
  if (!Array.isArray(value)) return false;
  const known = originOf(value)?.mapping?.known;
  return known !== undefined && (known.parent ?? known) === tuples.get(size)?.known;
}
