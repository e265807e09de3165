/**
 * How strings and arrays are written in headers of messages: a 32-bit count, then the elements.
 *
 * Spark: common/network-common/…/protocol/Encoders.java.
 *
 * Each count is checked against the bytes that are left before anything is read or made, as since Spark 4.2.0. Half of a
 * surrogate pair is written as U+FFFD, where the JVM writes a question mark. The bitmaps of merged shuffle blocks are not here.
 *
 * @module
 */

import { ByteReader } from "../base/byte_reader.ts";
import type { ByteSink } from "../base/byte_sink.ts";
import { ProtocolError } from "../base/errors.ts";

/** No string is shorter than its own length field. */
const MIN_STRING_BYTES = 4;
/**
 * The longest list that is read: twice as many blocks as a connection may have open. V8 ends the process, without a word to catch, for
 * an array of 169 million, which fit into a frame.
 */
export const MAX_LIST_LENGTH = 1_000_000;

/**
 * A reader of what a peer sent: what is short or wrong is a ProtocolError with its offset from `start`.
 *
 * @param memory Where the bytes are.
 * @param start Where they begin.
 * @param end Where they end.
 */
export function protocolReader(memory: Uint8Array, start = 0, end: number = memory.length): ByteReader {
  return new ByteReader(memory, (message, offset) => new ProtocolError(message, { offset: offset - start }), start, end);
}

/** Appends a string: its length in bytes, then UTF-8. */
export function writeString(out: ByteSink, text: string): void {
  const lengthAt = out.position;
  out.writeInt32(0);
  const length = out.writeUtf8(text);
  out.setInt32(lengthAt, length);
}

/** Reads a string; invalid UTF-8 becomes U+FFFD, as on the JVM. */
export function readString(reader: ByteReader, what: string): string {
  return reader.readUtf8(reader.readInt32(what), what);
}

/** Appends bytes behind their count. */
export function writeByteArray(out: ByteSink, bytes: Uint8Array): void {
  out.writeInt32(bytes.length);
  out.writeBytes(bytes);
}

/** Reads counted bytes: a view of the reader's memory. */
export function readByteArray(reader: ByteReader, what: string): Uint8Array {
  return reader.readBytes(reader.readInt32(what), what);
}

/** Appends 32-bit integers behind their count. */
export function writeIntArray(out: ByteSink, values: readonly number[]): void {
  out.writeInt32(values.length);
  for (const value of values) out.writeInt32(value);
}

/** Reads counted 32-bit integers, at most `limit`. */
export function readIntArray(reader: ByteReader, what: string, limit: number = MAX_LIST_LENGTH): number[] {
  const count = readCount(reader, 4, what, limit);
  const values: number[] = [];
  for (let i = 0; i < count; i++) values.push(reader.readInt32(what));
  return values;
}

/** Appends 64-bit integers behind their count. */
export function writeLongArray(out: ByteSink, values: readonly bigint[]): void {
  out.writeInt32(values.length);
  for (const value of values) out.writeBigInt64(value);
}

/** Reads counted 64-bit integers. */
export function readLongArray(reader: ByteReader, what: string): bigint[] {
  const count = readCount(reader, 8, what);
  const values: bigint[] = [];
  for (let i = 0; i < count; i++) values.push(reader.readInt64(what));
  return values;
}

/** Appends strings behind their count. */
export function writeStringArray(out: ByteSink, texts: readonly string[]): void {
  out.writeInt32(texts.length);
  for (const text of texts) writeString(out, text);
}

/** Reads counted strings. */
export function readStringArray(reader: ByteReader, what: string): string[] {
  const count = readCount(reader, MIN_STRING_BYTES, what);
  const texts: string[] = [];
  for (let i = 0; i < count; i++) texts.push(readString(reader, what));
  return texts;
}

/** Reads a count and makes sure that so many elements can be there, and are no more than `limit`. */
export function readCount(reader: ByteReader, elementBytes: number, what: string, limit: number = MAX_LIST_LENGTH): number {
  const count = reader.readInt32(what);
  const start = reader.position;
  reader.skip(count < 0 ? count : count * elementBytes, what);
  reader.position = start;
  if (count > limit) throw reader.errorHere(`${what} has ${count} elements, more than ${limit}`);
  return count;
}
