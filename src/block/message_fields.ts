/**
 * What the messages of the block service are made of: a table for each says which fields it has, in the order in which they travel.
 *
 * Spark: the `encode` and `decode` of each message in common/network-shuffle/…/protocol.
 *
 * @module
 */

import type { ByteReader } from "../base/byte_reader.ts";
import type { ByteSink } from "../base/byte_sink.ts";
import {
  readIntArray,
  readString,
  readStringArray,
  writeIntArray,
  writeString,
  writeStringArray,
} from "../protocol/encoders.ts";

/** How a value is written and read. */
export interface Field<T> {
  /** Appends it. */
  write(out: ByteSink, value: T): void;
  /** Reads it; what is short or wrong throws a ProtocolError. */
  read(reader: ByteReader): T;
}

/** The fields of a message, or of what is in one, in their order. */
export type Fields<M> = { readonly [K in keyof M]: Field<M[K]> };

/** What consists of these fields. */
export function record<M extends object>(fields: Fields<M>): Field<M> {
  const entries = Object.entries<Field<unknown>>(fields);
  return {
    write(out, value) {
      const values = value as Readonly<Record<string, unknown>>;
      for (const [name, field] of entries) field.write(out, values[name]);
    },
    // The compiler has seen to it that the table has all fields, and each of its type.
    read: (reader) => Object.fromEntries(entries.map(([name, field]) => [name, field.read(reader)])) as M,
  };
}

/** What is the same in all messages of a kind, and does not travel with the fields: its type. */
export function always<T>(value: T): Field<T> {
  return { write() {}, read: () => value };
}

/** A text. */
export function text(what: string): Field<string> {
  return { write: writeString, read: (reader) => readString(reader, what) };
}

/** A list of texts. */
export function texts(what: string): Field<readonly string[]> {
  return { write: writeStringArray, read: (reader) => readStringArray(reader, what) };
}

/** A 32-bit integer. */
export function int(what: string): Field<number> {
  return { write: (out, value) => out.writeInt32(value), read: (reader) => reader.readInt32(what) };
}

/** A list of 32-bit integers. */
export function ints(what: string): Field<readonly number[]> {
  return { write: writeIntArray, read: (reader) => readIntArray(reader, what) };
}

/** A 64-bit integer. */
export function long(what: string): Field<bigint> {
  return { write: (out, value) => out.writeBigInt64(value), read: (reader) => reader.readInt64(what) };
}

/** The application of who asks. */
export const appId: Field<string> = text("application id");
/** The executor that is asked. */
export const execId: Field<string> = text("executor id");
