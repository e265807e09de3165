/**
 * Typed arrays as RFC 8746 has them: tags 64 to 87, each for one kind of element in one byte order.
 *
 * Written in the platform's own order, read in both. A Uint8Array is a plain byte string and has no part in this.
 *
 * @module
 */

import { float16Value } from "./_cbor_float.ts";

/** A kind of typed array. */
interface Kind {
  /** The class's name. */
  readonly name: string;
  /** Bytes of one element. */
  readonly size: number;
  /** The tag of big-endian elements. */
  readonly big: number;
  /** The tag of little-endian elements. */
  readonly little: number;
  /** A view of the elements in `buffer`. */
  make(buffer: ArrayBuffer): ArrayBufferView;
}

/** Node 20 has no Float16Array: there 16-bit floats are read as 32-bit ones. */
const Float16 = (globalThis as { Float16Array?: new (buffer: ArrayBuffer) => ArrayBufferView }).Float16Array;

const KINDS: readonly Kind[] = [
  { name: "Uint8Array", size: 1, big: 64, little: 64, make: (buffer) => new Uint8Array(buffer) },
  { name: "Uint8ClampedArray", size: 1, big: 68, little: 68, make: (buffer) => new Uint8ClampedArray(buffer) },
  { name: "Int8Array", size: 1, big: 72, little: 72, make: (buffer) => new Int8Array(buffer) },
  { name: "Uint16Array", size: 2, big: 65, little: 69, make: (buffer) => new Uint16Array(buffer) },
  { name: "Uint32Array", size: 4, big: 66, little: 70, make: (buffer) => new Uint32Array(buffer) },
  { name: "BigUint64Array", size: 8, big: 67, little: 71, make: (buffer) => new BigUint64Array(buffer) },
  { name: "Int16Array", size: 2, big: 73, little: 77, make: (buffer) => new Int16Array(buffer) },
  { name: "Int32Array", size: 4, big: 74, little: 78, make: (buffer) => new Int32Array(buffer) },
  { name: "BigInt64Array", size: 8, big: 75, little: 79, make: (buffer) => new BigInt64Array(buffer) },
  { name: "Float16Array", size: 2, big: 80, little: 84, make: float16Array },
  { name: "Float32Array", size: 4, big: 81, little: 85, make: (buffer) => new Float32Array(buffer) },
  { name: "Float64Array", size: 8, big: 82, little: 86, make: (buffer) => new Float64Array(buffer) },
];

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
const TAG_OF = new Map(KINDS.map((kind) => [kind.name, LITTLE_ENDIAN ? kind.little : kind.big]));
const KIND_OF = new Map(KINDS.flatMap((kind): [number, Kind][] => [[kind.big, kind], [kind.little, kind]]));

/** The getter that tells a typed array's class, also of a subclass such as Buffer; undefined for a DataView. */
const classOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!.get!;

/** The tag of `view`: 64 for a Uint8Array, undefined for a DataView. */
export function typedArrayTag(view: ArrayBufferView): number | undefined {
  return TAG_OF.get(classOf.call(view) as string);
}

/** Whether `tag` stands for a typed array that JavaScript has; it has no 128-bit floats. */
export function isTypedArrayTag(tag: number): boolean {
  return KIND_OF.has(tag);
}

/** The typed array that `tag` and `bytes` stand for; they become its memory. Undefined if they are no whole number of elements. */
export function typedArrayOf(tag: number, bytes: Uint8Array<ArrayBuffer>): ArrayBufferView | undefined {
  const kind = KIND_OF.get(tag)!;
  if (bytes.length % kind.size !== 0) return undefined;
  if (kind.size > 1 && (tag === kind.little) !== LITTLE_ENDIAN) reverseElements(bytes, kind.size);
  return kind.make(bytes.buffer);
}

function reverseElements(bytes: Uint8Array, size: number): void {
  for (let start = 0; start < bytes.length; start += size) {
    for (let low = start, high = start + size - 1; low < high; low++, high--) {
      const byte = bytes[low]!;
      bytes[low] = bytes[high]!;
      bytes[high] = byte;
    }
  }
}

function float16Array(buffer: ArrayBuffer): ArrayBufferView {
  return Float16 === undefined ? Float32Array.from(new Uint16Array(buffer), float16Value) : new Float16(buffer);
}
