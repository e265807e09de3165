/**
 * What one connection may have waiting, and how large a frame may be.
 *
 * Spark has a limit for frames alone; of all else there is as much as fits into memory.
 *
 * @module
 */

import { DEFAULT_MAX_QUEUED_BYTES } from "../socket/socket.ts";

/** Limits per connection. */
export interface TransportLimits {
  /** The largest frame, in bytes without its length field. Sending more fails locally; receiving more closes the connection. */
  readonly maxFrameBytes: number;
  /** Bytes of own messages that may wait on one connection. */
  readonly maxOutboxBytes: number;
  /** Own requests that may wait for their answers on one connection; one more fails before it is sent. */
  readonly maxOutstandingRequests: number;
  /** Requests of a peer, uploads included, that may wait for our answers on one connection; one more is answered with a failure. */
  readonly maxUnansweredRequests: number;
  /** Bytes that may wait on one connection, answers included; above it the connection is aborted. */
  readonly maxQueuedBytes: number;
  /** Streams that one connection may be sent at once. */
  readonly maxStreams: number;
  /** Chunks that one connection may wait for at once; they are found when they are asked for and read when their turn comes. */
  readonly maxChunks: number;
}

/**
 * The limits that hold unless others are given.
 *
 * @example
 * ```ts
 * import { DEFAULT_TRANSPORT_LIMITS } from "@sparkwire/sparkwire";
 *
 * if (DEFAULT_TRANSPORT_LIMITS.maxOutboxBytes !== 128 * 1024 * 1024) throw new Error("not 128 MiB");
 * ```
 */
export const DEFAULT_TRANSPORT_LIMITS: TransportLimits = {
  maxFrameBytes: 2 ** 31 - 1,
  maxOutboxBytes: 128 * 1024 * 1024,
  maxOutstandingRequests: 1_000_000,
  maxUnansweredRequests: 1_000_000,
  maxQueuedBytes: DEFAULT_MAX_QUEUED_BYTES,
  maxStreams: 64,
  maxChunks: 65_536,
};
