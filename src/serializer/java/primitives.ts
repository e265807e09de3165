/**
 * Java's primitive types in a stream, alone and in arrays.
 *
 * Spark: java.io.DataInput and DataOutput.
 *
 * @module
 */

import type { ByteReader } from "../../base/byte_reader.ts";
import type { ByteSink } from "../../base/byte_sink.ts";
import { KnownClass } from "./class_desc.ts";
import { isJavaNumber, JavaNumber } from "./java_numbers.ts";

/** The letters of the primitive types. */
export type PrimitiveLetter = "B" | "C" | "D" | "F" | "I" | "J" | "S" | "Z";

/** How many bytes a value takes. */
export const PRIMITIVE_BYTES: Readonly<Record<PrimitiveLetter, number>> = { B: 1, C: 2, D: 8, F: 4, I: 4, J: 8, S: 2, Z: 1 };

/** The value that a field has of which nothing was said. */
export const PRIMITIVE_ZERO: Readonly<Record<PrimitiveLetter, unknown>> = {
  B: 0,
  C: "\0",
  D: 0,
  F: 0,
  I: 0,
  J: 0n,
  S: 0,
  Z: false,
};

const float = new Float32Array(1);
const floatBytes = new Uint8Array(float.buffer);

/** Whether `letter` is one of a primitive type. */
export function isPrimitive(letter: string): letter is PrimitiveLetter {
  return Object.hasOwn(PRIMITIVE_BYTES, letter);
}

/** Reads a value: a boolean, a bigint for a long, a text of one unit for a char, else a number. */
export function readPrimitive(reader: ByteReader, letter: PrimitiveLetter, what: string): unknown {
  switch (letter) {
    case "B":
      return reader.readUint8(what) << 24 >> 24;
    case "C":
      return String.fromCharCode(reader.readUint16(what));
    case "D":
      return reader.readFloat64(what);
    case "F":
      return readFloat(reader, what);
    case "I":
      return reader.readInt32(what);
    case "J":
      return reader.readInt64(what);
    case "S":
      return reader.readUint16(what) << 16 >> 16;
    case "Z":
      // As Java's readBoolean: any byte but 0 is true.
      return reader.readUint8(what) !== 0;
  }
}

function readFloat(reader: ByteReader, what: string): number {
  const at = reader.skip(4, what);
  for (let i = 0; i < 4; i++) floatBytes[3 - i] = reader.bytes[at + i]!;
  return float[0]!;
}

/** Appends a value; false if the type does not have it. */
export function writePrimitive(out: ByteSink, letter: PrimitiveLetter, value: unknown): boolean {
  if (!isPrimitiveValue(letter, value)) return false;
  switch (letter) {
    case "B":
      out.writeUint8(Number(value) & 0xff);
      return true;
    case "C":
      out.writeUint16(String(value).charCodeAt(0));
      return true;
    case "D":
      out.writeFloat64(Number(value));
      return true;
    case "F":
      writeFloat(out, Number(value));
      return true;
    case "I":
      out.writeInt32(Number(value));
      return true;
    case "J":
      out.writeBigInt64(value as bigint);
      return true;
    case "S":
      out.writeUint16(Number(value));
      return true;
    case "Z":
      out.writeUint8(value === true ? 1 : 0);
      return true;
  }
}

function writeFloat(out: ByteSink, value: number): void {
  out.reserve(4);
  float[0] = value;
  for (let i = 3; i >= 0; i--) out.bytes[out.position++] = floatBytes[i]!;
}

const NUMBER_TYPES = { B: "byte", C: "char", D: "double", F: "float", I: "int", J: "long", S: "short" } as const;

/** Whether a field of the type can hold the value. */
export function isPrimitiveValue(letter: PrimitiveLetter, value: unknown): boolean {
  return letter === "Z" ? typeof value === "boolean" : isJavaNumber(NUMBER_TYPES[letter], value);
}

/**
 * What an element of a primitive type is where it is boxed.
 *
 * @param element The element, as arrays of that type have it here: a char is a number.
 */
export function boxElement(letter: PrimitiveLetter, element: unknown): unknown {
  switch (letter) {
    case "C":
      return new JavaNumber("char", String.fromCharCode(element as number));
    case "B":
    case "F":
    case "S":
      return new JavaNumber(NUMBER_TYPES[letter], element as number);
    default:
      return element;
  }
}

/** The primitive in a box; undefined if that is of another type. A text of one unit is no char but a String. */
export function unboxElement(letter: PrimitiveLetter, element: unknown): unknown {
  if (element instanceof JavaNumber) return letter !== "Z" && element.type === NUMBER_TYPES[letter] ? element.value : undefined;
  return letter !== "C" && isPrimitiveValue(letter, element) ? element : undefined;
}

/** An array of a primitive type, as a value. */
export type PrimitiveArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigInt64Array;

/** The classes of arrays of primitive types. */
export const PRIMITIVE_ARRAYS: Readonly<Record<PrimitiveLetter, KnownClass>> = {
  B: new KnownClass("[B", { uid: -5984413125824719648n }),
  C: new KnownClass("[C", { uid: -5753798564021173076n }),
  D: new KnownClass("[D", { uid: 4514449696888150558n }),
  F: new KnownClass("[F", { uid: 836686056779680834n }),
  I: new KnownClass("[I", { uid: 5600894804908749477n }),
  J: new KnownClass("[J", { uid: 8655923659555304851n }),
  S: new KnownClass("[S", { uid: -1188055269542874886n }),
  Z: new KnownClass("[Z", { uid: 6309297032502205922n }),
};

/** The letter of the arrays that a value is one of; undefined if there is none. */
export function arrayLetter(value: object): PrimitiveLetter | undefined {
  if (value instanceof Uint8Array || value instanceof Int8Array) return "B";
  if (value instanceof Int32Array) return "I";
  if (value instanceof Float64Array) return "D";
  if (value instanceof BigInt64Array) return "J";
  if (value instanceof Float32Array) return "F";
  if (value instanceof Int16Array) return "S";
  if (value instanceof Uint16Array) return "C";
  return undefined;
}

/** Reads `count` values, but of bytes; the caller made sure that they are there. Arrays of booleans are plain ones. */
export function readPrimitiveArray(
  reader: ByteReader,
  letter: Exclude<PrimitiveLetter, "B">,
  count: number,
): PrimitiveArray | boolean[] {
  const size = PRIMITIVE_BYTES[letter];
  const start = reader.skip(count * size, "Array");
  const view = new DataView(reader.bytes.buffer, reader.bytes.byteOffset + start, count * size);
  switch (letter) {
    case "C":
      return fill(new Uint16Array(count), (i) => view.getUint16(2 * i));
    case "D":
      return fill(new Float64Array(count), (i) => view.getFloat64(8 * i));
    case "F":
      return fill(new Float32Array(count), (i) => view.getFloat32(4 * i));
    case "I":
      return fill(new Int32Array(count), (i) => view.getInt32(4 * i));
    case "J":
      return fill(new BigInt64Array(count), (i) => view.getBigInt64(8 * i));
    case "S":
      return fill(new Int16Array(count), (i) => view.getInt16(2 * i));
    case "Z":
      return readBooleans(view);
  }
}

/** Of a longer array V8 makes a hash table if it is made in one, which takes ten times as long; what is beyond is appended. */
const MADE_IN_ADVANCE = 2 ** 25;

function readBooleans(view: DataView): boolean[] {
  const array = new Array<boolean>(Math.min(view.byteLength, MADE_IN_ADVANCE));
  for (let i = 0; i < view.byteLength; i++) array[i] = view.getUint8(i) !== 0;
  return array;
}

function fill<T, A extends { [index: number]: T; readonly length: number }>(array: A, read: (index: number) => T): A {
  for (let i = 0; i < array.length; i++) array[i] = read(i);
  return array;
}

/** Appends the values of an array, without their number. */
export function writePrimitiveArray(out: ByteSink, array: PrimitiveArray): void {
  if (array instanceof Uint8Array) return out.writeBytes(array);
  if (array instanceof Int8Array) return out.writeBytes(new Uint8Array(array.buffer, array.byteOffset, array.length));
  const size = array.BYTES_PER_ELEMENT;
  out.reserve(array.length * size);
  const view = new DataView(out.bytes.buffer, out.bytes.byteOffset + out.position, array.length * size);
  writeInto(view, array);
  out.position += array.length * size;
}

function writeInto(view: DataView, array: Exclude<PrimitiveArray, Uint8Array | Int8Array>): void {
  if (array instanceof Int32Array) { for (let i = 0; i < array.length; i++) view.setInt32(4 * i, array[i]!); }
  else if (array instanceof Float64Array) { for (let i = 0; i < array.length; i++) view.setFloat64(8 * i, array[i]!); }
  else if (array instanceof BigInt64Array) { for (let i = 0; i < array.length; i++) view.setBigInt64(8 * i, array[i]!); }
  else if (array instanceof Float32Array) { for (let i = 0; i < array.length; i++) view.setFloat32(4 * i, array[i]!); }
  else if (array instanceof Int16Array) { for (let i = 0; i < array.length; i++) view.setInt16(2 * i, array[i]!); }
  else for (let i = 0; i < array.length; i++) view.setUint16(2 * i, array[i]!);
}
