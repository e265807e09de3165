/**
 * Content that is one byte string and nothing else: blocks, files, what another codec wrote. It is written and read without the
 * machinery of nested values, which takes twice as long as the copying.
 *
 * @module
 */

import type { ByteSink } from "../base/byte_sink.ts";
import { int32At, mayBeDetached } from "../base/bytes.ts";
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

/** Whether `value` is a plain byte string, whose memory is there. */
export function isByteString(value: unknown): value is Uint8Array {
  // Not by its prototype: asking for that is a call into the engine (Node 20).
  return value instanceof Uint8Array && value.constructor === Uint8Array && !mayBeDetached(value);
}

/** Appends the prefix and `bytes`. */
export function writeByteString(bytes: Uint8Array, out: ByteSink): void {
  const length = bytes.length;
  out.reserve(HEAD + 5 + length);
  if (length <= INFO_INLINE) writeBegin(length, out);
  else if (length > 0xff) writeLongBegin(length, out);
  else {
    writeBegin(INFO_UINT8, out);
    out.bytes[out.position++] = length;
  }
  out.writeBytes(bytes);
}

function writeBegin(info: number, out: ByteSink): void {
  out.setInt32(out.position, BEGIN | info);
  out.position += HEAD + 1;
}

function writeLongBegin(length: number, out: ByteSink): void {
  if (length <= 0xffff) {
    writeBegin(INFO_UINT16, out);
    out.writeUint16(length);
  } else {
    writeBegin(INFO_UINT32, out);
    out.writeInt32(length);
  }
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
  if (info > INFO_UINT8) return readLong(content, info);
  const first = info === INFO_UINT8 ? head + 2 : head + 1;
  const length = info === INFO_UINT8 ? memory[head + 1]! : info;
  return first + length === end ? content.received.keep(first, end) : undefined;
}

function readLong({ received, memory, start, end }: MessageBody, info: number): Uint8Array | undefined {
  let first = start + HEAD + 1;
  let length: number;
  if (info === INFO_UINT16) {
    length = (memory[first]! << 8) | memory[first + 1]!;
    first += 2;
  } else if (info === INFO_UINT32) {
    length = int32At(memory, first) >>> 0;
    first += 4;
  } else {
    return undefined;
  }
  return first + length === end ? received.keep(first, end) : undefined;
}
