/**
 * Reads messages out of frames.
 *
 * Spark: common/network-common/…/protocol/MessageDecoder.java, Message.java and the `decode` of each message class.
 *
 * Lengths are checked as in Spark 4.2.0. Beyond it, bytes that are left over behind a message without a body are refused: no
 * Spark from 3.5.8 to 4.2.0 writes any, so they tell of a peer that lost its place. Byte counts must be below 2⁵³. Names have a
 * limit, and texts of failures are cut.
 *
 * @module
 */

import type { ByteReader } from "../base/byte_reader.ts";
import { int32At } from "../base/bytes.ts";
import { ProtocolError } from "../base/errors.ts";
import { type Int64, int64ToBigInt, int64ToSafe } from "../base/int64.ts";
import { MessageBody } from "../base/message_body.ts";
import type { ReceivedBytes } from "../base/received_bytes.ts";
import { protocolReader } from "./encoders.ts";
import { type Message, MessageType, type OneWayMessage, type RpcRequest, type RpcResponse } from "./message.ts";

/** The longest name of a stream or an application that is read: 65,536 characters. */
export const MAX_NAME_BYTES: number = 3 * 65_536;
/** How much of a failure's text is read, and sent: whoever fails for it, a fetch of blocks say, has a line with it in the log. */
export const MAX_ERROR_BYTES = 65_536;

/** What a frame with a request id or chunk id and a 32-bit number has before its body: type, id, number. */
const ID_AND_INT_BYTES = 13;
/** What a OneWayMessage has before its body: type, body size. */
const ONE_WAY_BYTES = 5;

/**
 * Reads one message. Bodies are parts of `received`.
 *
 * @param received What the frame is a part of.
 * @param start Where it begins, behind its length field.
 * @param end Where it ends.
 * @throws ProtocolError with the offset from `start` if the bytes are no message.
 */
export function decodeMessage(received: ReceivedBytes, start: number, end: number): Message {
  if (start >= end) throw new ProtocolError("Frame has no message type", { offset: 0 });
  const type = received.memory[start]!;
  if (type === MessageType.RpcRequest) return decodeRpc(type, received, start, end);
  if (type === MessageType.RpcResponse) return decodeRpc(type, received, start, end);
  if (type === MessageType.OneWayMessage) return decodeOneWay(received, start, end);
  return decodeOther(received, start, end);
}

// The body size inside these three is ignored, as Spark does: the frame's end is the body's.

/** Reads a request or its answer, for whoever has looked at the type. Throws as {@linkcode decodeMessage} does. */
export function decodeRpc<T extends (RpcRequest | RpcResponse)["type"]>(
  type: T,
  received: ReceivedBytes,
  start: number,
  end: number,
): Omit<RpcRequest, "type"> & { readonly type: T } {
  if (end - start < ID_AND_INT_BYTES) throw cutShort(type, ID_AND_INT_BYTES, end - start);
  const { view } = received;
  return {
    type,
    idHigh: view.getInt32(start + 1),
    idLow: view.getInt32(start + 5),
    body: new MessageBody(received, start + ID_AND_INT_BYTES, end),
  };
}

function decodeOneWay(received: ReceivedBytes, start: number, end: number): OneWayMessage {
  if (end - start < ONE_WAY_BYTES) throw cutShort(MessageType.OneWayMessage, ONE_WAY_BYTES, end - start);
  return { type: MessageType.OneWayMessage, body: new MessageBody(received, start + ONE_WAY_BYTES, end) };
}

function decodeOther(received: ReceivedBytes, start: number, end: number): Message {
  const reader = protocolReader(received.memory, start, end);
  const type = reader.readUint8("Message type");
  switch (type) {
    case MessageType.ChunkFetchSuccess:
      return {
        type,
        streamId: readId(reader, "Stream id of ChunkFetchSuccess"),
        chunkIndex: reader.readInt32("Chunk index of ChunkFetchSuccess"),
        body: restOf(reader, received),
      };
    case MessageType.MergedBlockMetaSuccess:
      return {
        type,
        requestId: readId(reader, "Request id of MergedBlockMetaSuccess"),
        numChunks: reader.readInt32("Chunk count of MergedBlockMetaSuccess"),
        body: restOf(reader, received),
      };
    default: {
      const message = decodeBodiless(type, reader, start, received);
      if (reader.remaining > 0) {
        const offset = reader.position - start;
        throw new ProtocolError(`Bytes left over behind a message of type ${type}: ${reader.remaining}`, { offset });
      }
      return message;
    }
  }
}

function decodeBodiless(type: number, reader: ByteReader, frameStart: number, received: ReceivedBytes): Message {
  switch (type) {
    case MessageType.ChunkFetchRequest:
      return {
        type,
        streamId: readId(reader, "Stream id of ChunkFetchRequest"),
        chunkIndex: reader.readInt32("Chunk index of ChunkFetchRequest"),
      };
    case MessageType.ChunkFetchFailure:
      return {
        type,
        streamId: readId(reader, "Stream id of ChunkFetchFailure"),
        chunkIndex: reader.readInt32("Chunk index of ChunkFetchFailure"),
        error: readError(reader, "Error of ChunkFetchFailure"),
      };
    case MessageType.RpcFailure:
      return {
        type,
        requestId: readId(reader, "Request id of RpcFailure"),
        error: readError(reader, "Error of RpcFailure"),
      };
    case MessageType.StreamRequest:
      return { type, streamId: readName(reader, "Stream id of StreamRequest") };
    case MessageType.StreamResponse:
      return {
        type,
        streamId: readName(reader, "Stream id of StreamResponse"),
        byteCount: readByteCount(reader, frameStart, "Byte count of StreamResponse"),
      };
    case MessageType.StreamFailure:
      return {
        type,
        streamId: readName(reader, "Stream id of StreamFailure"),
        error: readError(reader, "Error of StreamFailure"),
      };
    case MessageType.UploadStream:
      return {
        type,
        requestId: readId(reader, "Request id of UploadStream"),
        meta: readMeta(reader, received),
        bodyByteCount: readByteCount(reader, frameStart, "Byte count of UploadStream"),
      };
    case MessageType.MergedBlockMetaRequest:
      return {
        type,
        requestId: readId(reader, "Request id of MergedBlockMetaRequest"),
        appId: readName(reader, "App id of MergedBlockMetaRequest"),
        shuffleId: reader.readInt32("Shuffle id of MergedBlockMetaRequest"),
        shuffleMergeId: reader.readInt32("Shuffle merge id of MergedBlockMetaRequest"),
        reduceId: reader.readInt32("Reduce id of MergedBlockMetaRequest"),
      };
    case 0xff:
      throw new ProtocolError("User type messages cannot be decoded.", { offset: 0 });
    default:
      // A byte is signed on the JVM, and so it is printed.
      throw new ProtocolError(`Unknown message type: ${(type << 24) >> 24}`, { offset: 0 });
  }
}

function cutShort(type: MessageType, needed: number, size: number): ProtocolError {
  const name = Object.entries(MessageType).find(([, known]) => known === type)?.[0];
  return new ProtocolError(`${name} needs ${needed} bytes, but its frame has ${size}`, { offset: size });
}

function readId(reader: ByteReader, what: string): Int64 {
  const at = reader.skip(8, what);
  return { high: int32At(reader.bytes, at), low: int32At(reader.bytes, at + 4) };
}

/** Before it is a text: one of 500 MB takes seconds to become one, and the runtimes have none of 1 GB. */
function readName(reader: ByteReader, what: string): string {
  const length = reader.readInt32(what);
  if (length <= MAX_NAME_BYTES) return reader.readUtf8(length, what);
  throw reader.errorHere(`${what} has ${length} bytes, more than ${MAX_NAME_BYTES}`);
}

/** What is too long ends with an ellipsis. */
function readError(reader: ByteReader, what: string): string {
  const length = reader.readInt32(what);
  if (length <= MAX_ERROR_BYTES) return reader.readUtf8(length, what);
  const text = reader.readUtf8(MAX_ERROR_BYTES, what);
  reader.skip(length - MAX_ERROR_BYTES, what);
  return `${text}…`;
}

function readMeta(reader: ByteReader, received: ReceivedBytes): MessageBody {
  const length = reader.readInt32("Meta length of UploadStream");
  const start = reader.skip(length, "Meta of UploadStream");
  return new MessageBody(received, start, start + length);
}

function readByteCount(reader: ByteReader, frameStart: number, what: string): number {
  const offset = reader.position - frameStart;
  const value = readId(reader, what);
  const count = int64ToSafe(value);
  if (count >= 0) return count;
  const wrong = value.high < 0 ? "is negative" : "is no safe integer";
  throw new ProtocolError(`${what} ${wrong}: ${int64ToBigInt(value)}`, { offset });
}

function restOf(reader: ByteReader, received: ReceivedBytes): MessageBody {
  return new MessageBody(received, reader.position, reader.end);
}
