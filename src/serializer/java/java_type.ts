/**
 * Types of Java's fields: what a value of each is in TypeScript, and how it gets there and back.
 *
 * Spark: field types, which say less than these: what is in a collection or an Option is not known to the stream.
 *
 * @module
 */

import { Conversions } from "./_conversions.ts";
import { isJavaNumber, JavaNumber, type JavaNumberType } from "./java_numbers.ts";
import { arrayClassName, KnownClass, signatureOf } from "./class_desc.ts";
import { isError, type SerializerError } from "../../base/errors.ts";
import { shownValue } from "../serializer_errors.ts";
import { originOf, setOrigin } from "./java_mapping.ts";
import { setRegistration } from "./java_registrations.ts";
import type { SparkVersion } from "./spark_versions.ts";
import { isPrimitiveValue, PRIMITIVE_ARRAYS, PRIMITIVE_ZERO, type PrimitiveLetter } from "./primitives.ts";

/** What a type may ask for while a value of it is read. */
export interface JavaFieldReading {
  /** The error that says what is wrong with the value. */
  fail(message: string): SerializerError;
}

/** What a type may ask for while a value of it is written. */
export interface JavaFieldWriting {
  /** The version of Spark that is written for. */
  readonly version: SparkVersion;
  /** The error that says: `what` cannot be encoded. */
  fail(what: string): SerializerError;
}

/** A type of Java whose values are `T` here. Made by the functions of `javaTypes`, and by `defineJavaClass`. */
export interface JavaType<T> {
  /** Its signature in a class description: `I`, `Ljava/lang/String;`. */
  readonly signature: string;
  /** The types that it is made of. */
  readonly needs?: readonly JavaType<unknown>[];
  /** The value to write for one of the type. */
  toJava(value: unknown, writing: JavaFieldWriting): unknown;
  /** The value of the type for one that was read. */
  fromJava(value: unknown, reading: JavaFieldReading): T;
}

/** The types that have a name, and what their values are. */
export interface JavaTypeNames {
  /** `true` or `false`. */
  readonly boolean: boolean;
  /** From -128 to 127. */
  readonly byte: number;
  /** From -32,768 to 32,767. */
  readonly short: number;
  /** From -2^31 to 2^31 - 1. */
  readonly int: number;
  /** From -2^63 to 2^63 - 1. */
  readonly long: bigint;
  /** A float of 32 bits: others are rounded to one. */
  readonly float: number;
  /** Any number. */
  readonly double: number;
  /** One UTF-16 unit. */
  readonly char: string;
  /** java.lang.Boolean. */
  readonly Boolean: boolean;
  /** java.lang.Byte. */
  readonly Byte: number;
  /** java.lang.Short. */
  readonly Short: number;
  /** java.lang.Integer. */
  readonly Integer: number;
  /** java.lang.Long. */
  readonly Long: bigint;
  /** java.lang.Float. */
  readonly Float: number;
  /** java.lang.Double. */
  readonly Double: number;
  /** java.lang.Character. */
  readonly Character: string;
  /** java.math.BigInteger. */
  readonly BigInteger: bigint;
  /** scala.math.BigInt. */
  readonly BigInt: bigint;
  /** java.lang.String. */
  readonly String: string;
  /** java.lang.Object: whatever it is. */
  readonly Object: unknown;
  /** java.lang.Throwable. */
  readonly Throwable: Error;
  /** java.util.Date. */
  readonly Date: Date;
  /** An array of booleans. */
  readonly "boolean[]": readonly boolean[];
  /** An array of bytes. */
  readonly "byte[]": Uint8Array;
  /** An array of chars, as UTF-16 units. */
  readonly "char[]": Uint16Array;
  /** An array of shorts. */
  readonly "short[]": Int16Array;
  /** An array of ints. */
  readonly "int[]": Int32Array;
  /** An array of longs. */
  readonly "long[]": BigInt64Array;
  /** An array of floats. */
  readonly "float[]": Float32Array;
  /** An array of doubles. */
  readonly "double[]": Float64Array;
}

/** The name of a type. */
export type JavaTypeName = keyof JavaTypeNames;

/** A type, or the name of one. */
export type JavaTypeLike = JavaTypeName | JavaType<unknown>;

/** What a value of the type `F` is here. */
export type JavaTypeValue<F> = F extends JavaTypeName ? JavaTypeNames[F] : F extends JavaType<infer T> ? T : never;

/** Says what was expected, and what there was. */
export function mismatch(expected: string, value: unknown): string {
  return `${shownValue(value)} where ${expected} is expected`;
}

/** A type whose values are the same here and in a stream. */
export function checkedType<T>(signature: string, expected: string, isOne: (value: unknown) => value is T): JavaType<T> {
  return {
    signature,
    toJava(value, writing) {
      if (!isOne(value)) throw writing.fail(mismatch(expected, value));
      return value;
    },
    fromJava(value, reading) {
      if (!isOne(value)) throw reading.fail(mismatch(expected, value));
      return value;
    },
  };
}

function primitive<T>(letter: PrimitiveLetter, name: string): JavaType<T> {
  return checkedType(letter, name, (value): value is T => isPrimitiveValue(letter, value));
}

function boxed<T>(name: string, type: JavaNumberType, className: string): JavaType<T> {
  const isOne = (value: unknown): value is T => isJavaNumber(type, value);
  return {
    signature: signatureOf(className),
    toJava(value, writing) {
      if (!isOne(value)) throw writing.fail(mismatch(name, value));
      // These two are what the plain value is anyhow.
      return type === "int" || type === "long" ? value : new JavaNumber(type, value as never);
    },
    fromJava(value, reading) {
      const inner: unknown = value instanceof JavaNumber && value.type === type ? value.value : value;
      if (!isOne(inner)) throw reading.fail(mismatch(name, value));
      return inner;
    },
  };
}

function typedArray<T extends object>(
  letter: PrimitiveLetter,
  name: string,
  constructor: abstract new (...args: never) => T,
): JavaType<T> {
  return checkedType(PRIMITIVE_ARRAYS[letter].name, name, (value): value is T => value instanceof constructor);
}

function isDate(value: unknown): value is Date {
  return value instanceof Date;
}

const NAMED: { readonly [N in JavaTypeName]: JavaType<JavaTypeNames[N]> } = {
  boolean: primitive("Z", "a boolean"),
  byte: primitive("B", "a byte"),
  short: primitive("S", "a short"),
  int: primitive("I", "an int"),
  long: primitive("J", "a long"),
  float: primitive("F", "a float"),
  double: primitive("D", "a double"),
  char: primitive("C", "a char"),
  Boolean: checkedType("Ljava/lang/Boolean;", "a Boolean", (value): value is boolean => typeof value === "boolean"),
  Byte: boxed("a Byte", "byte", "java.lang.Byte"),
  Short: boxed("a Short", "short", "java.lang.Short"),
  Integer: boxed("an Integer", "int", "java.lang.Integer"),
  Long: boxed("a Long", "long", "java.lang.Long"),
  Float: boxed("a Float", "float", "java.lang.Float"),
  Double: boxed("a Double", "double", "java.lang.Double"),
  Character: boxed("a Character", "char", "java.lang.Character"),
  BigInteger: boxed("a BigInteger", "BigInteger", "java.math.BigInteger"),
  BigInt: boxed("a BigInt", "BigInt", "scala.math.BigInt"),
  String: checkedType("Ljava/lang/String;", "a String", (value): value is string => typeof value === "string"),
  Object: checkedType("Ljava/lang/Object;", "an Object", (_value): _value is unknown => true),
  Throwable: checkedType("Ljava/lang/Throwable;", "a Throwable", isError),
  Date: checkedType("Ljava/util/Date;", "a Date", isDate),
  "boolean[]": arrayOf(primitive<boolean>("Z", "a boolean"), PRIMITIVE_ARRAYS.Z),
  "byte[]": typedArray("B", "a byte[]", Uint8Array),
  "char[]": typedArray("C", "a char[]", Uint16Array),
  "short[]": typedArray("S", "a short[]", Int16Array),
  "int[]": typedArray("I", "an int[]", Int32Array),
  "long[]": typedArray("J", "a long[]", BigInt64Array),
  "float[]": typedArray("F", "a float[]", Float32Array),
  "double[]": typedArray("D", "a double[]", Float64Array),
};

/**
 * The type that `like` is or names.
 *
 * @throws {RangeError} If it is neither, of which the compiler would tell: a class name of Java's, say.
 */
export function javaType<F extends JavaTypeLike>(like: F): JavaType<JavaTypeValue<F>> {
  const type: Partial<JavaType<unknown>> | undefined = typeof like !== "string" ? like : namedIn(NAMED, like);
  if (typeof type?.signature !== "string") throw noType(like);
  // The table gives each name the type that the compiler derives from the same name.
  return type as JavaType<JavaTypeValue<F>>;
}

/** What a table has under a name; nothing for one of Object.prototype. */
function namedIn<T>(table: Readonly<Partial<Record<JavaTypeName, T>>>, name: JavaTypeName): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function noType(like: unknown): RangeError {
  const what = typeof like === "string" ? JSON.stringify(like) : shownValue(like);
  return new RangeError(`There is no type ${what}; those with a name are ${Object.keys(NAMED).join(", ")}`);
}

const BOXES: Readonly<Partial<Record<JavaTypeName, JavaTypeName>>> = {
  boolean: "Boolean",
  byte: "Byte",
  short: "Short",
  int: "Integer",
  long: "Long",
  float: "Float",
  double: "Double",
  char: "Character",
};

/** The type that `like` is or names, as an object: what is in a collection is never a primitive. */
export function boxedType<F extends JavaTypeLike>(like: F): JavaType<JavaTypeValue<F>> {
  const boxed = typeof like === "string" ? namedIn(BOXES, like) : undefined;
  // The values of a box are those of its primitive.
  return boxed === undefined ? javaType(like) : NAMED[boxed] as JavaType<JavaTypeValue<F>>;
}

/** What a field of this type holds of which a stream says nothing. */
export function zeroOf({ signature }: JavaType<unknown>): unknown {
  return signature.length === 1 ? PRIMITIVE_ZERO[signature as PrimitiveLetter] : null;
}

/** `items` with each converted; the same array, which keeps where it came from, if that changes none. */
export function mapItems<T>(items: readonly unknown[], convert: (item: unknown) => T): readonly T[] {
  let changed: T[] | undefined;
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    const converted = convert(item);
    if (changed === undefined && !Object.is(converted, item)) changed = items.slice(0, i) as T[];
    changed?.push(converted);
  }
  if (changed === undefined) return items as readonly T[];
  const origin = originOf(items);
  return origin === undefined ? changed : setOrigin(changed, origin);
}

/** serialVersionUIDs of classes of arrays. Java asks for none, but these are the ones it writes. */
const ARRAY_UIDS: Readonly<Record<string, bigint>> = {
  "[Ljava.lang.Object;": -8012369246846506644n,
  "[Ljava.lang.String;": -5921575005990323385n,
  "[Lorg.apache.spark.deploy.master.ApplicationInfo;": 1349943214079935575n,
  "[Lorg.apache.spark.deploy.master.DriverInfo;": -7090892015024186752n,
  "[Lorg.apache.spark.deploy.master.WorkerInfo;": -882975275488708573n,
};

/** Arrays of objects, and of booleans. */
export function arrayOf<T>(element: JavaType<T>, known?: KnownClass): JavaType<readonly T[]> {
  const className = arrayClassName(element.signature);
  const arrayClass = known ?? new KnownClass(className, { uid: ARRAY_UIDS[className] ?? 0n });
  const expected = `a ${className}`;
  const conversions = new Conversions();
  const type: JavaType<readonly T[]> = {
    signature: signatureOf(className),
    needs: [element],
    toJava(value, writing) {
      if (!Array.isArray(value)) throw writing.fail(mismatch(expected, value));
      return conversions.of(value, value.length, writing, () => {
        const items = mapItems(value, (item) => element.toJava(item, writing));
        if (originOf(items)?.arrayClass?.name === className) return items;
        return setOrigin([...items], { arrayClass: arrayClass.at(writing.version) });
      });
    },
    fromJava(value, reading) {
      if (!Array.isArray(value)) throw reading.fail(mismatch(expected, value));
      return conversions.of(value, value.length, reading, () => mapItems(value, (item) => element.fromJava(item, reading)));
    },
  };
  return setRegistration(type, { described: [arrayClass] });
}
