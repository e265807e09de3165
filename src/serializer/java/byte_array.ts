/**
 * Content that is one array of bytes and nothing else: blocks, files, what another codec wrote. It is written and read without the
 * machinery of objects, which takes several times as long as the copying.
 *
 * @module
 */

import type { ByteSink } from "../../base/byte_sink.ts";
import { int32At, mayBeDetached } from "../../base/bytes.ts";
import type { MessageBody } from "../../base/message_body.ts";
import { PRIMITIVE_ARRAYS } from "./primitives.ts";
import { DEFAULT_SPARK_VERSION } from "./spark_versions.ts";
import { bytesOf, ClassFlag, Tag, writeClassDesc, writeStreamHeader } from "./stream_format.ts";

/** Everything up to the length. */
const HEAD = bytesOf((out) => {
  const { name, serialVersionUID: uid } = PRIMITIVE_ARRAYS.B.at(DEFAULT_SPARK_VERSION);
  writeStreamHeader(out);
  out.writeUint8(Tag.Array);
  writeClassDesc(out, { name, uid, flags: ClassFlag.Serializable });
  out.writeUint8(Tag.Null);
});

const LENGTH_BYTES = 4;
const START = HEAD.length + LENGTH_BYTES;

/** Whether `value` is a plain array of bytes, whose memory is there. */
export function isByteArray(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && Object.getPrototypeOf(value) === Uint8Array.prototype && !mayBeDetached(value);
}

/** Appends a stream that holds `bytes`. */
export function writeByteArray(bytes: Uint8Array, out: ByteSink): void {
  out.reserve(START + bytes.length);
  out.writeBytes(HEAD);
  out.writeInt32(bytes.length);
  out.writeBytes(bytes);
}

/** The bytes that the stream holds; undefined if it is anything else, or not quite right, which the reader then says. */
export function readByteArray(content: MessageBody): Uint8Array | undefined {
  if (content.length < START || !content.startsWith(HEAD)) return undefined;
  const length = int32At(content.memory, content.start + HEAD.length);
  if (START + length !== content.length) return undefined;
  return content.received.keep(content.start + START, content.end);
}
