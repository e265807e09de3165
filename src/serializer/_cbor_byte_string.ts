/**
 * Content that is one byte string and nothing else: blocks, files, what another codec wrote. It is written and read without the
 * machinery of nested values, which takes twice as long as the copying.
 *
 * @module
 */

import type { ByteSink } from "../base/bytes.ts";
import { copyToSlab, currentSlab, ownBytes, SLAB_ITEM_BYTES } from "./_byte_slab.ts";
import { Major, PREFIX } from "./_cbor_format.ts";

const HEAD = PREFIX.length;
const INFO_MASK = 0x1f;
/** Up to here the length is in the initial byte; then come one, two or four bytes of length. */
const INFO_INLINE = 23;
const INFO_UINT8 = 24;
const INFO_UINT16 = 25;
const INFO_UINT32 = 26;

/** Whether `value` is a plain byte string. */
export function isByteString(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && Object.getPrototypeOf(value) === Uint8Array.prototype;
}

/** Appends the prefix and `bytes`. */
export function writeByteString(bytes: Uint8Array, out: ByteSink): void {
  const length = bytes.length;
  out.reserve(HEAD + 5 + length);
  out.writeBytes(PREFIX);
  if (length <= INFO_INLINE) {
    out.writeUint8(Major.bytes | length);
  } else if (length <= 0xff) {
    out.writeUint8(Major.bytes | INFO_UINT8);
    out.writeUint8(length);
  } else if (length <= 0xffff) {
    out.writeUint8(Major.bytes | INFO_UINT16);
    out.writeUint16(length);
  } else {
    out.writeUint8(Major.bytes | INFO_UINT32);
    out.writeInt32(length);
  }
  out.writeBytes(bytes);
}

/** The byte string that `content` is; undefined if it is anything else, or not quite right, which the decoder then says. */
export function readByteString(content: Uint8Array): Uint8Array | undefined {
  const end = content.length;
  if (end > SLAB_ITEM_BYTES) return readLongByteString(content);
  if (end <= HEAD || (content[HEAD]! & ~INFO_MASK) !== Major.bytes) return undefined;
  const info = content[HEAD]! & INFO_MASK;
  let start = HEAD + 1;
  let length = info;
  if (info === INFO_UINT8) {
    length = content[start++]!;
  } else if (info === INFO_UINT16) {
    length = (content[start]! << 8) | content[start + 1]!;
    start += 2;
  } else if (info > INFO_INLINE) {
    return undefined;
  }
  if (start + length !== end) return undefined;
  // The whole content is copied: a view of just the bytes would be one more object.
  const at = copyToSlab(content);
  return currentSlab().subarray(at + start, at + end);
}

function readLongByteString(content: Uint8Array): Uint8Array | undefined {
  const end = content.length;
  let start: number;
  let length: number;
  if (content[HEAD] === (Major.bytes | INFO_UINT16)) {
    start = HEAD + 3;
    length = (content[HEAD + 1]! << 8) | content[HEAD + 2]!;
  } else if (content[HEAD] === (Major.bytes | INFO_UINT32)) {
    start = HEAD + 5;
    length = content[HEAD + 1]! * 2 ** 24 + ((content[HEAD + 2]! << 16) | (content[HEAD + 3]! << 8) | content[HEAD + 4]!);
  } else {
    return undefined;
  }
  return start + length === end ? ownBytes(content, start, end) : undefined;
}
