/**
 * Writes messages as frames: the length of the whole frame, the type, the header and, where it belongs inside, the body.
 *
 * Spark: common/network-common/…/protocol/MessageEncoder.java and the `encode` of each message class.
 *
 * There a header is a buffer of its own. Here everything goes straight into the connection's gather buffer; requests, their
 * answers and one-way messages are written around their content: head, content, then the lengths are patched.
 *
 * @module
 */

import { unreachable } from "../base/assert.ts";
import type { ByteSink } from "../base/byte_sink.ts";
import { highOfSafe, type Int64 } from "../base/int64.ts";
import { writeString } from "./encoders.ts";
import { FRAME_LENGTH_BYTES } from "./frame_length.ts";
import { type Message, MessageType } from "./message.ts";
import type { MessageBody } from "../base/message_body.ts";

/** What an RpcRequest or RpcResponse takes besides its body: frame length, type, request id, body size. */
export const RPC_HEAD_BYTES = 21;
/** What a OneWayMessage takes besides its body: frame length, type, body size. */
export const ONE_WAY_HEAD_BYTES = 13;

const TYPE_OFFSET = FRAME_LENGTH_BYTES;
const HEADER_OFFSET = TYPE_OFFSET + 1;

/** The types of messages that are written around their content. */
export type ContentMessageType =
  | typeof MessageType.RpcRequest
  | typeof MessageType.RpcResponse
  | typeof MessageType.OneWayMessage;

/**
 * Leaves room for a frame's head; the caller appends the content and calls {@linkcode endFrame}.
 *
 * @param type What the frame is.
 * @returns Where the frame begins.
 */
export function beginFrame(type: ContentMessageType, out: ByteSink): number {
  const frameStart = out.position;
  out.reserve(RPC_HEAD_BYTES);
  out.position = frameStart + (type === MessageType.OneWayMessage ? ONE_WAY_HEAD_BYTES : RPC_HEAD_BYTES);
  return frameStart;
}

/**
 * Ends a frame that {@linkcode beginFrame} began: writes its whole head.
 *
 * @param frameStart What `beginFrame` returned.
 * @param type What the frame is.
 * @param idHigh The upper half of the request's id; a one-way message has none.
 * @param idLow The lower half.
 */
export function endFrame(frameStart: number, type: ContentMessageType, idHigh: number, idLow: number, out: ByteSink): void {
  // No content is that long: a buffer would not hold it.
  out.setInt32(frameStart, 0);
  out.setInt32(frameStart + 4, out.position - frameStart);
  out.bytes[frameStart + TYPE_OFFSET] = type;
  let sizeAt = frameStart + HEADER_OFFSET;
  if (type !== MessageType.OneWayMessage) {
    out.setInt32(sizeAt, idHigh);
    out.setInt32(sizeAt + 4, idLow);
    sizeAt += 8;
  }
  out.setInt32(sizeAt, out.position - sizeAt - 4);
}

/** Appends a whole frame. The body of a StreamResponse or UploadStream is not part of it and follows outside. */
export function encodeMessage(message: Message, out: ByteSink): void {
  encodeMessageHead(message, out);
  const body = bodyInFrame(message);
  if (body !== undefined) out.writeBytes(body.bytes);
}

/**
 * Appends a frame without the bytes of its body, which its length counts nevertheless: for large bodies that go by reference.
 * Of an in-frame body only the length is read, so one that is not in memory can be stood for by a MessageBody over none.
 */
export function encodeMessageHead(message: Message, out: ByteSink): void {
  const frameStart = out.position;
  out.writeInt64(0, 0);
  out.writeUint8(message.type);
  writeHeader(message, out);
  const bodyLength = bodyInFrame(message)?.length ?? 0;
  setFrameLength(frameStart, out.position - frameStart + bodyLength, out);
}

function setFrameLength(frameStart: number, length: number, out: ByteSink): void {
  out.setInt32(frameStart, highOfSafe(length));
  out.setInt32(frameStart + 4, length);
}

function bodyInFrame(message: Message): MessageBody | undefined {
  switch (message.type) {
    case MessageType.RpcRequest:
    case MessageType.RpcResponse:
    case MessageType.OneWayMessage:
    case MessageType.ChunkFetchSuccess:
    case MessageType.MergedBlockMetaSuccess:
      return message.body;
    default:
      return undefined;
  }
}

function writeHeader(message: Message, out: ByteSink): void {
  switch (message.type) {
    case MessageType.RpcRequest:
    case MessageType.RpcResponse:
      out.writeInt64(message.idHigh, message.idLow);
      return out.writeInt32(message.body.length);
    case MessageType.OneWayMessage:
      return out.writeInt32(message.body.length);
    case MessageType.RpcFailure:
      writeId(message.requestId, out);
      return writeString(out, message.error);
    case MessageType.ChunkFetchRequest:
    case MessageType.ChunkFetchSuccess:
      writeId(message.streamId, out);
      return out.writeInt32(message.chunkIndex);
    case MessageType.ChunkFetchFailure:
      writeId(message.streamId, out);
      out.writeInt32(message.chunkIndex);
      return writeString(out, message.error);
    case MessageType.StreamRequest:
      return writeString(out, message.streamId);
    case MessageType.StreamResponse:
      writeString(out, message.streamId);
      return out.writeSafeInt64(message.byteCount);
    case MessageType.StreamFailure:
      writeString(out, message.streamId);
      return writeString(out, message.error);
    case MessageType.UploadStream:
      writeId(message.requestId, out);
      out.writeInt32(message.meta.length);
      out.writeBytes(message.meta.bytes);
      return out.writeSafeInt64(message.bodyByteCount);
    case MessageType.MergedBlockMetaRequest:
      writeId(message.requestId, out);
      writeString(out, message.appId);
      out.writeInt32(message.shuffleId);
      out.writeInt32(message.shuffleMergeId);
      return out.writeInt32(message.reduceId);
    case MessageType.MergedBlockMetaSuccess:
      writeId(message.requestId, out);
      return out.writeInt32(message.numChunks);
    default:
      return unreachable(message);
  }
}

function writeId(id: Int64, out: ByteSink): void {
  out.writeInt64(id.high, id.low);
}
