/**
 * ArraySeqs of Scala, which hold an array: of objects, or of a primitive type. `Array(1, 2).toSeq` is one, and so are varargs.
 *
 * Spark: scala.collection.immutable.ArraySeq.
 *
 * @module
 */

import { KnownClass } from "./class_desc.ts";
import { type JavaMapping, objectOf, type Origin, originOf, setOrigin } from "./java_mapping.ts";
import { OBJECT_ARRAY } from "./jdk_collections.ts";
import { arrayLetter, boxElement, PRIMITIVE_ARRAYS, type PrimitiveLetter, unboxElement } from "./primitives.ts";

type NumberLetter = Exclude<PrimitiveLetter, "Z">;

/** Without the super class, whose serialVersionUID is another from Scala 2.13.17 on: a JVM does without, but not with a wrong one. */
function classOf(suffix: string, arraySignature: string): KnownClass {
  const fields = { unsafeArray: arraySignature };
  return new KnownClass(`scala.collection.immutable.ArraySeq$${suffix}`, { uid: 3n, fields });
}

const ofRef: JavaMapping = {
  known: classOf("ofRef", "[Ljava/lang/Object;"),
  read(object, _, reading) {
    const array = object.get("unsafeArray");
    if (!Array.isArray(array)) throw reading.fail("ArraySeq has no array");
    // An array that this sequence is in: its elements are not there yet, so there is nothing to copy.
    if (reading.isUnfinished(array)) return object;
    reading.spend(array.length);
    // A copy, since the array itself would go on as an array.
    return setOrigin([...array], { mapping: ofRef, detail: originOf(array) });
  },
  write(value, { version }) {
    const items = value as readonly unknown[];
    const came = originOf(items)?.detail as Origin | undefined;
    return objectOf(ofRef.known, version, {
      unsafeArray: setOrigin([...items], came ?? { arrayClass: OBJECT_ARRAY.at(version) }),
    });
  },
  fieldKey: () => undefined,
};

/** Makes the arrays of a primitive type, of which those of booleans are plain ones. */
const ARRAYS: Readonly<Record<NumberLetter, (items: readonly unknown[]) => object>> = {
  B: (items) => Int8Array.from(items as readonly number[]),
  C: (items) => Uint16Array.from(items as readonly string[], (unit) => unit.charCodeAt(0)),
  D: (items) => Float64Array.from(items as readonly number[]),
  F: (items) => Float32Array.from(items as readonly number[]),
  I: (items) => Int32Array.from(items as readonly number[]),
  J: (items) => BigInt64Array.from(items as readonly bigint[]),
  S: (items) => Int16Array.from(items as readonly number[]),
};

/** An ArraySeq of a primitive type is the array that it holds; in a field of a sequence, an array of its elements. */
function ofPrimitive(suffix: string, letter: PrimitiveLetter): JavaMapping {
  const known = classOf(suffix, `[${letter}`);
  const mapping: JavaMapping = {
    known,
    read(object, _, reading) {
      const array = object.get("unsafeArray");
      const isOne = letter === "Z"
        ? Array.isArray(array)
        : typeof array === "object" && array !== null && arrayLetter(array) === letter;
      if (!isOne) throw reading.fail("ArraySeq has no array");
      const { length } = array as ArrayLike<unknown>;
      reading.spend(length);
      // Bytes have a sign here, as numbers of Scala have: a Uint8Array goes on as an array wherever it came from.
      const copy = letter === "B" ? Int8Array.from(array as Uint8Array) : (array as { slice(): object }).slice();
      return setOrigin(copy, { mapping });
    },
    write(value, writing) {
      if (!Array.isArray(value)) return objectOf(known, writing.version, { unsafeArray: (value as Int32Array).slice() });
      const items = value.map((item) => unboxElement(letter, item));
      if (items.includes(undefined)) return ofRef.write(value, writing);
      const unsafeArray = letter === "Z"
        ? setOrigin(items, { arrayClass: PRIMITIVE_ARRAYS.Z.at(writing.version) })
        : ARRAYS[letter](items);
      return objectOf(known, writing.version, { unsafeArray });
    },
    fieldKey: () => undefined,
  };
  return mapping;
}

const ofPrimitives: ReadonlyMap<JavaMapping, PrimitiveLetter> = new Map(
  ([
    ["ofBoolean", "Z"],
    ["ofByte", "B"],
    ["ofChar", "C"],
    ["ofDouble", "D"],
    ["ofFloat", "F"],
    ["ofInt", "I"],
    ["ofLong", "J"],
    ["ofShort", "S"],
  ] as const).map(([suffix, letter]) => [ofPrimitive(suffix, letter), letter]),
);

/** All classes of ArraySeqs. */
export const arraySeqMappings: readonly JavaMapping[] = [ofRef, ...ofPrimitives.keys()];

/** Whether a value that was read is a list or a sequence: an array, or what an ArraySeq of a primitive type is. */
export function isSequence(value: unknown): value is ArrayLike<unknown> & object {
  return Array.isArray(value) || (typeof value === "object" && value !== null && letterOf(value) !== undefined);
}

/** The elements of a list or a sequence, boxed as in any other; the list itself if it is an array. */
export function elementsOf(value: ArrayLike<unknown> & object): readonly unknown[] {
  if (Array.isArray(value)) return value;
  const letter = letterOf(value)!;
  return setOrigin(Array.from(value, (item) => boxElement(letter, item)), originOf(value)!);
}

function letterOf(value: object): PrimitiveLetter | undefined {
  const mapping = originOf(value)?.mapping;
  return mapping && ofPrimitives.get(mapping);
}
