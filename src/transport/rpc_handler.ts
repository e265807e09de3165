/**
 * What an application does with the requests of its peers.
 *
 * Spark: common/network-common/…/server/RpcHandler.java, NoOpRpcHandler.java.
 *
 * @module
 */

import { RpcError } from "../base/errors.ts";
import type { MessageBody } from "../base/message_body.ts";
import type { MergedBlockMetaReqHandler } from "./merged_block_meta.ts";
import type { RpcResponder } from "./rpc_response_callback.ts";
import type { StreamCallbackWithId } from "./stream_callback_with_id.ts";
import { noStreams, type StreamManager } from "./stream_manager.ts";
import type { TransportClient } from "./transport_client.ts";

/**
 * Handles requests. All calls for one connection come one after another; `client` is the connection in the other direction,
 * the same object every time.
 */
export interface RpcHandler {
  /** Where streams come from. */
  readonly streamManager: StreamManager;
  /** A request. Its bytes are borrowed until this returns. What it throws fails the request. */
  receive(client: TransportClient, body: MessageBody, responder: RpcResponder): void;
  /** A message that wants no answer. What it throws is logged. */
  receiveOneWay(client: TransportClient, body: MessageBody): void;
  /**
   * A request with a stream of bytes behind it. `meta` is borrowed until this returns. Whoever is returned takes the bytes, and the
   * peer is answered when that one's `onComplete` is done. What this throws fails the request, and the connection closes, since
   * its bytes follow. Without it, uploads are refused.
   */
  receiveStream?(client: TransportClient, meta: MessageBody, responder: RpcResponder): StreamCallbackWithId;
  /** Answers for the meta data of merged blocks; without it, those requests are refused. */
  readonly mergedBlockMetaReqHandler?: MergedBlockMetaReqHandler | undefined;
  /** All messages that came in one piece have been given to `receive` and `receiveOneWay`. */
  channelReadComplete?(client: TransportClient): void;
  /** A connection was opened, by either side. */
  channelActive?(client: TransportClient): void;
  /** A connection is gone. */
  channelInactive?(client: TransportClient): void;
  /** A connection broke; channelInactive follows. */
  exceptionCaught?(client: TransportClient, cause: Error): void;
}

/**
 * Takes no requests and has no streams: for those who only ask, and to be spread into a handler that does some of it.
 *
 * Spark: NoOpRpcHandler.
 *
 * @example
 * ```ts
 * import { noOpRpcHandler, type RpcHandler } from "@sparkwire/sparkwire";
 *
 * const echo: RpcHandler = { ...noOpRpcHandler, receive: (_, body, responder) => void responder.onSuccess(body.take()) };
 * if (echo.streamManager.openStream("any") !== undefined) throw new Error("a stream out of nothing");
 * ```
 */
export const noOpRpcHandler: RpcHandler = {
  streamManager: noStreams,
  receive() {
    throw new RpcError("UNSUPPORTED_MESSAGE", "Cannot handle messages");
  },
  receiveOneWay() {
    throw new RpcError("UNSUPPORTED_MESSAGE", "Cannot handle messages");
  },
};
