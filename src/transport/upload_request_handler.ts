/**
 * Takes the uploads that arrive on a connection.
 *
 * Spark: `processStreamUpload` in common/network-common/…/server/TransportRequestHandler.java.
 *
 * @module
 */

import { toError } from "../base/errors.ts";
import type { Int64 } from "../base/int64.ts";
import type { Logger } from "../base/logger.ts";
import type { UploadStream } from "../protocol/message.ts";
import { discard, type StreamCallback, type StreamFlow } from "../protocol/stream_callback.ts";
import { StreamInterceptor } from "../protocol/stream_interceptor.ts";
import type { TransportFrameDecoder } from "../protocol/transport_frame_decoder.ts";
import type { Channel } from "./channel.ts";
import type { RpcHandler } from "./rpc_handler.ts";
import type { RpcResponder } from "./rpc_response_callback.ts";
import type { TransportClient } from "./transport_client.ts";
import type { TransportMetrics } from "./transport_metrics.ts";
import { UploadReceiver } from "./upload_receiver.ts";

/** How {@linkcode UploadRequestHandler} takes them. */
export interface UploadRequestHandlerOptions {
  /** Hears of uploads that broke. */
  readonly logger: Logger;
  /** Where the bytes come from. */
  readonly decoder: TransportFrameDecoder;
  /** Holds the peer back while the consumer of an upload is full. */
  readonly flow: StreamFlow;
  /** Takes a request on; undefined if it was refused, since too many wait for their answers. */
  readonly begin: (requestId: Int64) => RpcResponder | undefined;
  /** Tells the application that the connection broke. */
  readonly exceptionCaught: (cause: Error) => void;
  /** Something failed whose failure nobody else hears of. */
  readonly onError: (error: Error) => void;
  /** Counts uploads. */
  readonly metrics: TransportMetrics;
}

/** The uploads of one connection. */
export class UploadRequestHandler {
  readonly #channel: Channel;
  readonly #client: TransportClient;
  readonly #options: UploadRequestHandlerOptions;

  /** @param client The other direction of the same connection. */
  constructor(channel: Channel, client: TransportClient, options: UploadRequestHandlerOptions) {
    this.#channel = channel;
    this.#client = client;
    this.#options = options;
  }

  /** A request has come, and its bytes follow. */
  processStreamUpload({ requestId, meta, bodyByteCount }: UploadStream, handler: RpcHandler): void {
    const { begin, onError, metrics } = this.#options;
    const responder = begin(requestId);
    if (responder === undefined) {
      metrics.uploadsFailed++;
      if (bodyByteCount > 0) this.#intercept("", bodyByteCount, discard);
      return;
    }
    try {
      if (handler.receiveStream === undefined) throw new Error("This server takes no uploads");
      const target = handler.receiveStream(this.#client, meta, responder);
      if (target === undefined) throw new Error("rpcHandler returned a null streamHandler");
      const onBroken = (cause: Error): void => this.#broke(cause);
      this.#receive(new UploadReceiver({ target, responder, onBroken, onError, metrics }), target.id, bodyByteCount);
    } catch (thrown) {
      const error = toError(thrown);
      metrics.uploadsFailed++;
      responder.onFailure(error);
      this.#broke(error);
    }
  }

  #receive(receiver: UploadReceiver, id: string, byteCount: number): void {
    if (!this.#channel.active) {
      // It was closed by who was to receive this.
      receiver.onFailure(id, this.#channel.closeReason ?? new Error("The connection is closed"));
      return;
    }
    if (byteCount > 0) this.#intercept(id, byteCount, receiver);
    receiver.onStart(id, byteCount);
    if (byteCount === 0) receiver.onComplete();
  }

  /** The next bytes are no frames. */
  #intercept(id: string, byteCount: number, callback: StreamCallback): void {
    const { decoder, flow } = this.#options;
    decoder.setInterceptor(new StreamInterceptor(id, byteCount, callback, flow, () => {}));
  }

  /** Bytes follow that nobody takes, so the connection can only be closed; what it has been answered leaves. */
  #broke(cause: Error): void {
    if (!this.#channel.active) return;
    const { logger, exceptionCaught } = this.#options;
    logger.warning(`Exception in connection from ${this.#channel.remote}: ${cause.message}`, cause);
    exceptionCaught(cause);
    this.#channel.close(cause);
  }
}
