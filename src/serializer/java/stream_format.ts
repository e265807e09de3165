/**
 * The marks of Java's object streams, and the few pieces of one that are written here.
 *
 * Spark: java.io.ObjectStreamConstants; protocol version 2.
 *
 * @module
 */

import { ByteSink, MAX_MODIFIED_UTF8_BYTES } from "../../base/byte_sink.ts";

/** What begins each piece of a stream. */
export const Tag = {
  Null: 0x70,
  Reference: 0x71,
  ClassDesc: 0x72,
  Object: 0x73,
  String: 0x74,
  Array: 0x75,
  Class: 0x76,
  BlockData: 0x77,
  EndBlockData: 0x78,
  Reset: 0x79,
  BlockDataLong: 0x7a,
  Exception: 0x7b,
  LongString: 0x7c,
  ProxyClassDesc: 0x7d,
  Enum: 0x7e,
} as const;

/** How a class writes its values. */
export const ClassFlag = { WriteMethod: 0x01, Serializable: 0x02, Externalizable: 0x04, BlockData: 0x08, Enum: 0x10 } as const;

/** The number of the first handle. */
export const BASE_HANDLE = 0x7e_0000;

/** Every stream begins with it: magic number and version. */
export const STREAM_HEADER = 0xaced_0005;

/** Appends what every stream begins with. */
export function writeStreamHeader(out: ByteSink): void {
  out.writeInt32(STREAM_HEADER);
}

/** Appends `text` as a name: a 16-bit length and modified UTF-8. For short texts of our own only. */
export function writeName(out: ByteSink, text: string): void {
  const start = out.position;
  out.writeUint16(0);
  const length = out.writeModifiedUtf8(text);
  out.bytes[start] = length >>> 8;
  out.bytes[start + 1] = length;
}

/** Appends `text` as a new string object, of any length. */
export function writeString(out: ByteSink, text: string): void {
  const start = out.position;
  out.writeUint8(Tag.String);
  out.writeUint16(0);
  const length = out.writeModifiedUtf8(text);
  if (length <= MAX_MODIFIED_UTF8_BYTES) {
    out.bytes[start + 1] = length >>> 8;
    out.bytes[start + 2] = length;
    return;
  }
  out.truncate(start);
  out.writeUint8(Tag.LongString);
  out.writeSafeInt64(length);
  out.writeModifiedUtf8(text);
}

/** Appends a reference to what got the `index`th handle of the stream. */
export function writeReference(out: ByteSink, index: number): void {
  out.writeUint8(Tag.Reference);
  out.writeInt32(BASE_HANDLE + index);
}

/** A field as a class description has it: for an object its type as a signature, or the handle of the same signature before it. */
export interface FieldDesc {
  /** The field's name. */
  readonly name: string;
  /** The letter of its type: `Z`, `I`, …, `L`, `[`. */
  readonly type: string;
  /** Its type, of `L` and `[`. */
  readonly signature?: string | number;
}

/** What {@linkcode writeClassDesc} writes, without what the class inherits. */
export interface ClassDescInit {
  /** The class's full name. */
  readonly name: string;
  /** Its serialVersionUID. */
  readonly uid: bigint;
  /** Bits of {@linkcode ClassFlag}. */
  readonly flags: number;
  /** Its fields, in the order of the stream. */
  readonly fields?: readonly FieldDesc[];
}

/** Appends a new class description; the one of its super class, or null, must follow. */
export function writeClassDesc(out: ByteSink, { name, uid, flags, fields = [] }: ClassDescInit): void {
  out.writeUint8(Tag.ClassDesc);
  writeName(out, name);
  out.writeBigInt64(uid);
  out.writeUint8(flags);
  out.writeUint16(fields.length);
  for (const field of fields) {
    out.writeUint8(field.type.charCodeAt(0));
    writeName(out, field.name);
    if (typeof field.signature === "string") writeString(out, field.signature);
    else if (typeof field.signature === "number") writeReference(out, field.signature);
  }
  out.writeUint8(Tag.EndBlockData);
}

/** The bytes that `write` appends. */
export function bytesOf(write: (out: ByteSink) => void): Uint8Array {
  const out = new ByteSink(512);
  write(out);
  return out.copy();
}
