/**
 * How many connections there may be, what one may have waiting, and how large a frame may be.
 *
 * Spark has a limit for frames alone; of all else there is as much as fits into memory.
 *
 * @module
 */

import { limitsInForce } from "../base/limits.ts";
import { DEFAULT_MAX_QUEUED_BYTES } from "../socket/socket.ts";

/** Limits per connection, and of how many there may be. */
export interface TransportLimits {
  /**
   * Connections that one server may have accepted and not seen closed; one more is reset at once. It is of use below the number of
   * descriptors that the process may have (`ulimit -Hn`): when there are no more, dials and files fail too, Bun 1.4 is busy with those
   * that it cannot accept, and a Deno 2.9 that speaks TLS accepts nobody ever again.
   *
   * @default 65536
   */
  readonly maxConnections: number;
  /**
   * The largest frame, in bytes without its length field. Sending more fails locally; receiving more closes the connection. As in
   * Spark, none has more than 2,147,483,646.
   *
   * @default 2147483647 (2 GiB); in an RpcEnv it is `spark.rpc.message.maxSize`, 128 MiB
   */
  readonly maxFrameBytes: number;
  /**
   * Bytes of own messages that may wait on one connection; above it no more are taken: a request fails, and so does a message that wants
   * no answer, but for one of an RpcEndpointRef, which is lost. It is never more than half of `maxQueuedBytes`.
   *
   * @default 134217728 (128 MiB); in an RpcEnv it is `spark.rpc.message.maxSize`, if that is more
   */
  readonly maxOutboxBytes: number;
  /**
   * Own requests that may wait for their answers on one connection, and own fetches of chunks besides; one more fails before it is
   * sent. Of streams 65,536 may wait.
   *
   * @default 1000000
   */
  readonly maxOutstandingRequests: number;
  /**
   * Requests of a peer, uploads included, that may wait for our answers on one connection; one more is answered with a failure.
   *
   * @default 1000000
   */
  readonly maxUnansweredRequests: number;
  /**
   * Bytes that may wait on one connection, answers included; above it the connection is aborted. From half of it on an RpcEnv answers
   * asks with a failure. No message may be larger, and an own one of more than 16 KiB that does not fit is refused.
   *
   * @default 268435456 (256 MiB); in an RpcEnv it is twice `spark.rpc.message.maxSize`, if that is more
   */
  readonly maxQueuedBytes: number;
  /**
   * Streams that one connection may be sent at once; one more is refused.
   *
   * @default 64; of the block service 65536
   */
  readonly maxStreams: number;
  /**
   * Chunks that one connection may wait for at once; they are found when they are asked for and read when their turn comes. One more
   * is refused.
   *
   * @default 65536
   */
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
  maxConnections: 65_536,
  maxFrameBytes: 2 ** 31 - 1,
  maxOutboxBytes: 128 * 1024 * 1024,
  maxOutstandingRequests: 1_000_000,
  maxUnansweredRequests: 1_000_000,
  maxQueuedBytes: DEFAULT_MAX_QUEUED_BYTES,
  maxStreams: 64,
  maxChunks: 65_536,
};

/**
 * The limits in force, as {@linkcode limitsInForce} has them.
 *
 * @param given What differs from the defaults.
 * @returns All of them.
 * @throws {RangeError} If one is negative or no number, or leaves no room for a single byte where there must be some.
 */
export function transportLimitsInForce(
  given?: { readonly [K in keyof TransportLimits]?: TransportLimits[K] | undefined },
): TransportLimits {
  const limits = limitsInForce(DEFAULT_TRANSPORT_LIMITS, given);
  // Decoders and sockets refuse it too, but that would be at each connection, and after a server had begun to listen.
  for (const name of ["maxFrameBytes", "maxQueuedBytes"] as const) {
    if (limits[name] < 1) throw new RangeError(`Limit ${name} must be at least 1: ${limits[name]}`);
  }
  return withOutboxInQueue(limits);
}

/** Own messages alone must not have the connection aborted. */
export function withOutboxInQueue<L extends Pick<TransportLimits, "maxOutboxBytes" | "maxQueuedBytes">>(limits: L): L {
  return { ...limits, maxOutboxBytes: Math.min(limits.maxOutboxBytes, Math.floor(limits.maxQueuedBytes / 2)) };
}
