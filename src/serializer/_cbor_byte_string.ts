/**
 * Content that is one byte string and nothing else: blocks, files, what another codec wrote. It is written and read without the
 * machinery of nested values, which takes twice as long as the copying.
 *
 * @module
 */

import { type ByteSink, int32At } from "../base/bytes.ts";
import type { MessageBody } from "../base/message_body.ts";
import { Major, PREFIX } from "./_cbor_format.ts";

const HEAD = PREFIX.length;
const INFO_MASK = 0x1f;
/** How a byte string begins: the prefix, the major type, and a part of the length. */
const BEGIN = (PREFIX[0]! << 24) | (PREFIX[1]! << 16) | (PREFIX[2]! << 8) | Major.bytes;
/** Up to here the length is in the initial byte; then come one, two or four bytes of length. */
const INFO_INLINE = 23;
const INFO_UINT8 = 24;
const INFO_UINT16 = 25;
const INFO_UINT32 = 26;

/** Whether `value` is a plain byte string. */
export function isByteString(value: unknown): value is Uint8Array {
  // Not by its prototype: asking for that is a call into the engine (Node 20).
  return value instanceof Uint8Array && value.constructor === Uint8Array;
}

/** Appends the prefix and `bytes`. */
export function writeByteString(bytes: Uint8Array, out: ByteSink): void {
  const length = bytes.length;
  out.reserve(HEAD + 5 + length);
  const start = out.position;
  out.position = start + HEAD + 1;
  if (length <= INFO_INLINE) {
    out.setInt32(start, BEGIN | length);
  } else if (length <= 0xff) {
    out.setInt32(start, BEGIN | INFO_UINT8);
    out.writeUint8(length);
  } else if (length <= 0xffff) {
    out.setInt32(start, BEGIN | INFO_UINT16);
    out.writeUint16(length);
  } else {
    out.setInt32(start, BEGIN | INFO_UINT32);
    out.writeInt32(length);
  }
  out.writeBytes(bytes);
}

/** The byte string that `content` is; undefined if it is anything else, or not quite right, which the decoder then says. */
export function readByteString(content: MessageBody): Uint8Array | undefined {
  const { memory, start, end } = content;
  const head = start + HEAD;
  if (head >= end) return undefined;
  // Prefix and first byte in one.
  const begin = content.received.view.getInt32(start);
  if ((begin & ~INFO_MASK) !== BEGIN) return undefined;
  const info = begin & INFO_MASK;
  let first = head + 1;
  let length = info;
  if (info === INFO_UINT8) {
    length = memory[first++]!;
  } else if (info === INFO_UINT16) {
    length = (memory[first]! << 8) | memory[first + 1]!;
    first += 2;
  } else if (info === INFO_UINT32) {
    length = int32At(memory, first) >>> 0;
    first += 4;
  } else if (info > INFO_INLINE) {
    return undefined;
  }
  return first + length === end ? content.received.keep(first, end) : undefined;
}
