/**
 * Pairs and triples of Scala.
 *
 * Spark: scala.Tuple2 and Tuple3. Of a pair of primitives Scala makes another class, one for each two of five types: `(1, 2L)` is a
 * `Tuple2$mcIJ$sp`, which leaves the fields of Tuple2 null and has two of its own.
 *
 * @module
 */

import { numberOf } from "./boxes.ts";
import { KnownClass } from "./class_desc.ts";
import { type JavaMapping, objectOf, originOf, setOrigin } from "./java_mapping.ts";
import { type PrimitiveLetter, unboxElement } from "./primitives.ts";

const OBJECT = "Ljava/lang/Object;";

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
  };
  return mapping;
}

/** A pair of whatever there is. */
export const tuple2: JavaMapping = tupleOf(2);

/** What can be in a pair of primitives. */
const LETTERS = ["C", "D", "I", "J", "Z"] as const;

/** A pair of primitives: what is read is what would be if they were boxed. */
function pairOf(letters: readonly [PrimitiveLetter, PrimitiveLetter]): JavaMapping {
  const names = letters.map((letter, i) => `_${i + 1}$mc${letter}$sp`);
  const fields = Object.fromEntries(names.map((name, i) => [name, letters[i]!]));
  const known = new KnownClass(`scala.Tuple2$mc${letters.join("")}$sp`, { fields, parent: tuple2.known });
  const mapping: JavaMapping = {
    known,
    create: () => setOrigin([], { mapping }),
    read(object, made, reading) {
      const pair = made as unknown[];
      for (const [i, name] of names.entries()) {
        const element = object.get(name);
        const letter = letters[i]!;
        if (letter === "C") pair.push(numberOf("char", element, reading));
        else pair.push(letter === "D" && reading.exactNumbers ? numberOf("double", element, reading) : element);
      }
      return pair;
    },
    write(value, writing) {
      const pair = value as readonly unknown[];
      const primitives = letters.map((letter, i) => unboxElement(letter, pair[i]));
      if (pair.length !== 2 || primitives.includes(undefined)) return tuple2.write(value, writing);
      return objectOf(known, writing.version, Object.fromEntries(names.map((name, i) => [name, primitives[i]])));
    },
  };
  return mapping;
}

/** Tuples, by how many elements they have. */
export const tuples: ReadonlyMap<number, JavaMapping> = new Map([[2, tuple2], [3, tupleOf(3)]]);

/** All classes of tuples. */
export const tupleMappings: readonly JavaMapping[] = [
  ...tuples.values(),
  ...LETTERS.flatMap((first) => LETTERS.map((second) => pairOf([first, second]))),
];

/** Whether a value that was read is a tuple of `size` elements, of whichever class. */
export function isTuple(value: unknown, size: number): value is readonly unknown[] {
  if (!Array.isArray(value)) return false;
  const known = originOf(value)?.mapping?.known;
  return known !== undefined && (known.parent ?? known) === tuples.get(size)?.known;
}
