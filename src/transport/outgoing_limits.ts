/**
 * How large a message may be and how much may wait on one connection, and what is thrown for one that is too large.
 *
 * Spark: the frame's limit is the decoder's at the other end; what waits is in Netty's ChannelOutboundBuffer, which has none.
 *
 * @module
 */

import { ProtocolError, RpcOverloadedError } from "../base/errors.ts";
import { MessageType } from "../protocol/message.ts";
import type { ContentMessageType } from "../protocol/message_encoder.ts";
import type { SocketAddress } from "../socket/socket.ts";
import { formatAddress } from "../socket/socket_errors.ts";
import type { TransportLimits } from "./transport_limits.ts";

/** Limits of what a connection sends. */
export type OutgoingLimits = Pick<TransportLimits, "maxFrameBytes" | "maxQueuedBytes">;

const FRAME_KEY = "maxFrameBytes; in an RpcEnv spark.rpc.message.maxSize";

/** Known before any byte has left, so it costs the sender its message and not the connection. It has no offset: nothing was received. */
export function frameTooLarge(size: number, limit: number): ProtocolError {
  return new ProtocolError(`Message takes ${size} bytes, but the limit is ${limit} (${FRAME_KEY})`, { limit });
}

/**
 * Throws if so many bytes of a message are written, and more are to come, that no frame can hold it. What a message has once may be
 * written any number of times, and would take all memory before it is known how long it is.
 */
export function checkWritten(written: number, limit: number): void {
  if (written > limit) throw new ProtocolError(`Message takes more than ${limit} bytes (${FRAME_KEY})`, { limit });
}

/**
 * Refuses a message of `size` bytes with which more than `limit` would wait: the connection would be aborted, and what others sent over it
 * be lost. An answer is refused only where it could not even wait alone: a peer that does not read them is not to be kept.
 */
export function checkRoom(type: ContentMessageType, size: number, waiting: number, limit: number, to: SocketAddress): void {
  if ((type === MessageType.RpcResponse ? size : waiting + size) <= limit) return;
  const queue = `${type === MessageType.RpcResponse ? "answers" : "outbox"} to ${formatAddress(to)}`;
  const message = `Cannot send ${size} bytes: ${waiting} of ${limit} bytes wait already in ${queue} (maxQueuedBytes)`;
  throw new RpcOverloadedError(message, queue, limit);
}
