/**
 * The messages that the vectors of frames stand for.
 *
 * @module
 */

import { unreachable } from "../../src/base/assert.ts";
import { type Int64, int64FromBigInt } from "../../src/base/int64.ts";
import { type Message, MessageType } from "../../src/protocol/message.ts";
import { MessageBody } from "../../src/base/message_body.ts";
import { fromHex } from "../_harness.ts";
import { parsePattern, readVectors } from "../_vectors.ts";

/** What went into a frame; a field that its type does not have is missing. */
interface FrameFields {
  readonly type: MessageType;
  readonly requestId: string;
  readonly streamId: string;
  readonly chunkIndex: number;
  readonly body: string;
  readonly bodyInFrame?: boolean;
  readonly byteCount: number;
  readonly meta: string;
  readonly bodyByteCount: number;
  readonly error: string;
  readonly appId: string;
  readonly shuffleId: number;
  readonly shuffleMergeId: number;
  readonly reduceId: number;
  readonly numChunks: number;
}

/** A frame that a real Spark wrote. */
export interface FrameVector {
  readonly name: string;
  /** The frame, and behind it the body of a StreamResponse or UploadStream. */
  readonly bytes: Uint8Array;
  readonly message: Message;
  /** The bytes of the message's bodies within the frame, in the order of its fields. */
  readonly bodies: readonly Uint8Array[];
  /** The bytes that follow the frame. */
  readonly stream: Uint8Array;
}

/** All frames that a real Spark wrote. */
export function readFrameVectors(): FrameVector[] {
  return readVectors<FrameFields>("frames").map(({ name, hex, fields }) => {
    const body = fields.body === undefined ? [] : [parsePattern(fields.body)];
    const inFrame = fields.bodyInFrame !== false;
    return {
      name,
      bytes: fromHex(hex),
      message: messageOf(fields),
      bodies: [...(fields.meta === undefined ? [] : [parsePattern(fields.meta)]), ...(inFrame ? body : [])],
      stream: inFrame ? new Uint8Array(0) : body[0]!,
    };
  });
}

function messageOf(fields: FrameFields): Message {
  const { type, chunkIndex, error } = fields;
  switch (type) {
    case MessageType.ChunkFetchRequest:
      return { type, streamId: id(fields.streamId), chunkIndex };
    case MessageType.ChunkFetchSuccess:
      return { type, streamId: id(fields.streamId), chunkIndex, body: body(fields.body) };
    case MessageType.ChunkFetchFailure:
      return { type, streamId: id(fields.streamId), chunkIndex, error };
    case MessageType.RpcRequest:
    case MessageType.RpcResponse: {
      const { high, low } = id(fields.requestId);
      return { type, idHigh: high, idLow: low, body: body(fields.body) };
    }
    case MessageType.RpcFailure:
      return { type, requestId: id(fields.requestId), error };
    case MessageType.StreamRequest:
      return { type, streamId: fields.streamId };
    case MessageType.StreamResponse:
      return { type, streamId: fields.streamId, byteCount: fields.byteCount };
    case MessageType.StreamFailure:
      return { type, streamId: fields.streamId, error };
    case MessageType.OneWayMessage:
      return { type, body: body(fields.body) };
    case MessageType.UploadStream:
      return { type, requestId: id(fields.requestId), meta: body(fields.meta), bodyByteCount: fields.bodyByteCount };
    case MessageType.MergedBlockMetaRequest: {
      const { appId, shuffleId, shuffleMergeId, reduceId } = fields;
      return { type, requestId: id(fields.requestId), appId, shuffleId, shuffleMergeId, reduceId };
    }
    case MessageType.MergedBlockMetaSuccess:
      return { type, requestId: id(fields.requestId), numChunks: fields.numChunks, body: body(fields.body) };
    default:
      return unreachable(type);
  }
}

function id(text: string): Int64 {
  return int64FromBigInt(BigInt(text));
}

function body(text: string): MessageBody {
  return MessageBody.of(parsePattern(text));
}

/** A message without its bodies, for comparing. */
export function withoutBodies(message: Message): unknown {
  return Object.fromEntries(Object.entries(message).filter(([, value]) => !(value instanceof MessageBody)));
}
