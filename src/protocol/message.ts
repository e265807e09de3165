/**
 * The messages of Spark's transport: thirteen types, each one frame.
 *
 * Spark: common/network-common/…/protocol/Message.java, RequestMessage.java, ResponseMessage.java and one class per type there.
 *
 * @module
 */

import type { Int64 } from "../base/int64.ts";
import type { MessageBody } from "../base/message_body.ts";

/** The byte that tells a frame's type. */
export const MessageType = {
  ChunkFetchRequest: 0,
  ChunkFetchSuccess: 1,
  ChunkFetchFailure: 2,
  RpcRequest: 3,
  RpcResponse: 4,
  RpcFailure: 5,
  StreamRequest: 6,
  StreamResponse: 7,
  StreamFailure: 8,
  OneWayMessage: 9,
  UploadStream: 10,
  MergedBlockMetaRequest: 11,
  MergedBlockMetaSuccess: 12,
} as const;
/** The byte that tells a frame's type. */
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

/** Asks for one chunk of a registered stream. */
export interface ChunkFetchRequest {
  readonly type: typeof MessageType.ChunkFetchRequest;
  readonly streamId: Int64;
  readonly chunkIndex: number;
}

/** A chunk; its bytes lie within the frame. */
export interface ChunkFetchSuccess {
  readonly type: typeof MessageType.ChunkFetchSuccess;
  readonly streamId: Int64;
  readonly chunkIndex: number;
  readonly body: MessageBody;
}

/** A chunk cannot be had. */
export interface ChunkFetchFailure {
  readonly type: typeof MessageType.ChunkFetchFailure;
  readonly streamId: Int64;
  readonly chunkIndex: number;
  readonly error: string;
}

/** A request that wants an answer. Its id is not an Int64, nor is its answer's: an object more for each would be felt. */
export interface RpcRequest {
  readonly type: typeof MessageType.RpcRequest;
  /** The upper half of its id, signed. */
  readonly idHigh: number;
  /** The lower half, signed. */
  readonly idLow: number;
  readonly body: MessageBody;
}

/** The answer to a request. */
export interface RpcResponse {
  readonly type: typeof MessageType.RpcResponse;
  /** The upper half of the request's id, signed. */
  readonly idHigh: number;
  /** The lower half, signed. */
  readonly idLow: number;
  readonly body: MessageBody;
}

/** The request of that id failed. */
export interface RpcFailure {
  readonly type: typeof MessageType.RpcFailure;
  readonly requestId: Int64;
  readonly error: string;
}

/** Asks for a stream of bytes by name. */
export interface StreamRequest {
  readonly type: typeof MessageType.StreamRequest;
  readonly streamId: string;
}

/** The stream's bytes follow: `byteCount` of them, outside the frame. */
export interface StreamResponse {
  readonly type: typeof MessageType.StreamResponse;
  readonly streamId: string;
  /** How many bytes follow; below 2⁵³. */
  readonly byteCount: number;
}

/** The stream cannot be had. */
export interface StreamFailure {
  readonly type: typeof MessageType.StreamFailure;
  readonly streamId: string;
  readonly error: string;
}

/** A request that wants no answer. */
export interface OneWayMessage {
  readonly type: typeof MessageType.OneWayMessage;
  readonly body: MessageBody;
}

/** A request with a stream of bytes behind it: `bodyByteCount` of them, outside the frame. */
export interface UploadStream {
  readonly type: typeof MessageType.UploadStream;
  readonly requestId: Int64;
  readonly meta: MessageBody;
  /** How many bytes follow; below 2⁵³. */
  readonly bodyByteCount: number;
}

/** Asks for the meta data of a merged shuffle block. */
export interface MergedBlockMetaRequest {
  readonly type: typeof MessageType.MergedBlockMetaRequest;
  readonly requestId: Int64;
  readonly appId: string;
  readonly shuffleId: number;
  readonly shuffleMergeId: number;
  readonly reduceId: number;
}

/** The meta data of a merged shuffle block; the body is opaque. */
export interface MergedBlockMetaSuccess {
  readonly type: typeof MessageType.MergedBlockMetaSuccess;
  readonly requestId: Int64;
  readonly numChunks: number;
  readonly body: MessageBody;
}

/** A message that wants something of its receiver. Spark: RequestMessage. */
export type TransportRequest =
  | ChunkFetchRequest
  | RpcRequest
  | StreamRequest
  | OneWayMessage
  | UploadStream
  | MergedBlockMetaRequest;

/** A message that answers one. Spark: ResponseMessage. */
export type TransportResponse =
  | ChunkFetchSuccess
  | ChunkFetchFailure
  | RpcResponse
  | RpcFailure
  | StreamResponse
  | StreamFailure
  | MergedBlockMetaSuccess;

/** Any message of the transport. */
export type Message = TransportRequest | TransportResponse;
