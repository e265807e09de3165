/**
 * Answers the requests that arrive on a connection.
 *
 * Spark: common/network-common/…/server/TransportRequestHandler.java. Difference: failures are told without a stack unless
 * `exposeStack` is set.
 *
 * @module
 */

import { ProtocolError, RpcError, RpcOverloadedError, toError } from "../base/errors.ts";
import type { Int64 } from "../base/int64.ts";
import type { Logger } from "../base/logger.ts";
import { isWorthALine } from "../base/sparse_logging.ts";
import { MessageType } from "../protocol/message.ts";
import type { OneWayMessage, RpcRequest, TransportRequest } from "../protocol/message.ts";
import type { StreamFlow } from "../protocol/stream_callback.ts";
import type { TransportFrameDecoder } from "../protocol/transport_frame_decoder.ts";
import type { Channel } from "./channel.ts";
import { ChunkFetchRequestHandler } from "./chunk_fetch_request_handler.ts";
import { failureText, type FailureTextOptions } from "./failure_text.ts";
import { MergedBlockMetaRequestHandler } from "./merged_block_meta_request_handler.ts";
import { type Answering, RequestResponder } from "./request_responder.ts";
import { noOpRpcHandler, type RpcHandler } from "./rpc_handler.ts";
import type { Content } from "./rpc_response_callback.ts";
import { StreamRequestHandler } from "./stream_request_handler.ts";
import type { TransportClient } from "./transport_client.ts";
import type { TransportLimits } from "./transport_limits.ts";
import type { TransportMetrics } from "./transport_metrics.ts";
import { UnsentBodies } from "./unsent_bodies.ts";
import { UploadRequestHandler } from "./upload_request_handler.ts";

/** How a connection answers. */
export interface TransportRequestHandlerOptions
  extends FailureTextOptions, Pick<TransportLimits, "maxChunks" | "maxStreams" | "maxUnansweredRequests"> {
  /** Hears of what was dropped. */
  readonly logger: Logger;
  /** How many chunks and streams may be on their way: `spark.shuffle.maxChunksBeingTransferred`. */
  readonly maxChunksBeingTransferred: number;
  /** Where the bytes of uploads come from. */
  readonly decoder: TransportFrameDecoder;
  /** Holds the peer back while the consumer of an upload is full. */
  readonly flow: StreamFlow;
  /** Counts what is transferred. */
  readonly metrics: TransportMetrics;
}

/** Whether the peer's bytes are at fault; an error without an offset is of bytes that were to be sent. */
function isOfReceived(thrown: unknown): boolean {
  return thrown instanceof ProtocolError && thrown.offset !== undefined;
}

/** The requests of one connection. */
export class TransportRequestHandler implements Answering {
  readonly #channel: Channel;
  readonly #client: TransportClient;
  readonly #options: TransportRequestHandlerOptions;
  readonly #chunks: ChunkFetchRequestHandler;
  readonly #streams: StreamRequestHandler;
  readonly #uploads: UploadRequestHandler;
  readonly #mergedBlocks: MergedBlockMetaRequestHandler;
  readonly #maxUnanswered: number;
  #rpcHandler: RpcHandler = noOpRpcHandler;
  /** One-way messages of the peer that failed. */
  #failedOneWay = 0;

  /** @param client The other direction of the same connection. */
  constructor(channel: Channel, client: TransportClient, options: TransportRequestHandlerOptions) {
    this.#channel = channel;
    this.#client = client;
    this.#options = options;
    this.#maxUnanswered = options.maxUnansweredRequests;
    const { logger, metrics, maxChunks, maxStreams, decoder, flow } = options;
    const text = (error: Error): string => failureText(error, options);
    const begin = (requestId: Int64): RequestResponder | undefined => this.#begin(requestId);
    const unsent = new UnsentBodies(logger, channel);
    const answering = { unsent, metrics, failureText: text, guard: (run: () => void) => this.#guard(run) };
    this.#chunks = new ChunkFetchRequestHandler(channel, client, { ...answering, maxChunks });
    this.#streams = new StreamRequestHandler(channel, client, { ...answering, maxStreams });
    this.#uploads = new UploadRequestHandler(channel, client, {
      logger,
      metrics,
      decoder,
      flow,
      begin,
      exceptionCaught: (cause) => this.exceptionCaught(cause),
      onError: (error) => this.#handlerFailed(error),
    });
    this.#mergedBlocks = new MergedBlockMetaRequestHandler(channel, client, { unsent, failureText: text, begin });
  }

  /**
   * A request has come.
   *
   * @throws ProtocolError if its bytes are no request that any peer of ours would send.
   */
  handle(request: TransportRequest): void {
    if (request.type === MessageType.RpcRequest) this.#processRpcRequest(request);
    else if (request.type === MessageType.OneWayMessage) this.#processOneWayMessage(request);
    else this.#processOther(request);
  }

  #processOther(request: Exclude<TransportRequest, RpcRequest | OneWayMessage>): void {
    switch (request.type) {
      case MessageType.StreamRequest:
        if (!this.#transfersTooMany()) this.#streams.processStreamRequest(request, this.#rpcHandler.streamManager);
        return;
      case MessageType.ChunkFetchRequest:
        if (!this.#transfersTooMany()) this.#chunks.processFetchRequest(request, this.#rpcHandler.streamManager);
        return;
      case MessageType.UploadStream:
        this.#uploads.processStreamUpload(request, this.#rpcHandler);
        return;
      case MessageType.MergedBlockMetaRequest:
        this.#mergedBlocks.processMergedBlockMetaRequest(request, this.#rpcHandler.mergedBlockMetaReqHandler);
    }
  }

  /**
   * Sends the answer to a request; returns how many bytes it takes.
   *
   * @throws ProtocolError if it is too large, and what `content` throws; then nothing was sent.
   */
  respond(idHigh: number, idLow: number, content: Content): number {
    return this.#channel.outgoing.writeFrame(MessageType.RpcResponse, idHigh, idLow, content);
  }

  /** Tells that a request failed. */
  respondFailure(requestId: Int64, failure: Error): void {
    const error = failureText(failure, this.#options);
    this.#channel.outgoing.writeMessage({ type: MessageType.RpcFailure, requestId, error });
  }

  /** A request has its answer. */
  answered(): void {
    this.#channel.outgoing.handlersAtWork--;
  }

  /** Says that an answer was dropped because there was one already. */
  answeredTwice(): void {
    this.#options.logger.warning(`A second answer to a request of ${this.#channel.remote} was dropped`);
  }

  /** A new connection, whose requests are for `rpcHandler`. */
  channelActive(rpcHandler: RpcHandler): void {
    this.#rpcHandler = rpcHandler;
    this.#guard(() => rpcHandler.channelActive?.(this.#client));
  }

  /** All that came in one piece has been handled. */
  channelReadComplete(): void {
    this.#rpcHandler.channelReadComplete?.(this.#client);
  }

  /** The connection is gone. */
  channelInactive(): void {
    this.#guard(() => this.#rpcHandler.streamManager.connectionTerminated?.(this.#client));
    this.#guard(() => this.#rpcHandler.channelInactive?.(this.#client));
  }

  /** The connection broke. */
  exceptionCaught(cause: Error): void {
    this.#guard(() => this.#rpcHandler.exceptionCaught?.(this.#client, cause));
  }

  #processRpcRequest({ idHigh, idLow, body }: RpcRequest): void {
    const { outgoing } = this.#channel;
    if (outgoing.handlersAtWork >= this.#maxUnanswered) {
      this.#refuse({ high: idHigh, low: idLow });
      return;
    }
    const responder = new RequestResponder(this, idHigh, idLow);
    outgoing.handlersAtWork++;
    try {
      this.#rpcHandler.receive(this.#client, body, responder);
    } catch (thrown) {
      this.#receiveFailed(thrown, responder);
    }
  }

  #receiveFailed(thrown: unknown, responder: RequestResponder): void {
    // Content that cannot be read is one message's fault; bytes that are no message are the connection's.
    if (isOfReceived(thrown)) throw thrown;
    const error = toError(thrown);
    this.#options.logger.debug(`Error while invoking RpcHandler#receive() on RPC of ${this.#channel.remote}`, error);
    responder.onFailure(error);
  }

  /** Takes an upload or a request for merged blocks on, if the peer may wait for one answer more. */
  #begin(requestId: Int64): RequestResponder | undefined {
    const { outgoing } = this.#channel;
    if (outgoing.handlersAtWork >= this.#maxUnanswered) {
      this.#refuse(requestId);
      return undefined;
    }
    outgoing.handlersAtWork++;
    return new RequestResponder(this, requestId.high, requestId.low);
  }

  /** The peer has asked for more than it may wait for. */
  #refuse(requestId: Int64): void {
    const limit = this.#maxUnanswered;
    const queue = `requests of ${this.#channel.remote}`;
    const message = `Cannot take the request: ${limit} ${queue} wait for their answers (maxUnansweredRequests)`;
    this.respondFailure(requestId, new RpcOverloadedError(message, queue, limit));
  }

  #processOneWayMessage({ body }: OneWayMessage): void {
    try {
      this.#rpcHandler.receiveOneWay(this.#client, body);
    } catch (thrown) {
      if (isOfReceived(thrown)) throw thrown;
      this.#oneWayFailed(toError(thrown));
    }
  }

  #oneWayFailed(error: Error): void {
    const count = ++this.#failedOneWay;
    if (!isWorthALine(count)) return;
    const from = `It came from ${this.#channel.remote} (${count} of its messages failed so far)`;
    const line = `Error while invoking RpcHandler#receive() for one-way message. ${from}`;
    // A peer's fault is all in the text; where a handler of somebody else failed the stack says.
    if (RpcError.is(error)) this.#options.logger.error(`${line}: ${error.message}`);
    else this.#options.logger.error(line, error);
  }

  /** Whether there are so many streams and chunks on their way that this connection is closed. */
  #transfersTooMany(): boolean {
    const { logger, maxChunksBeingTransferred } = this.#options;
    const begun = this.#rpcHandler.streamManager.chunksBeingTransferred?.();
    // One that does not count has none.
    const transferred = begun === undefined ? 0 : begun + this.#streams.opening + this.#chunks.finding;
    if (transferred < maxChunksBeingTransferred) return false;
    const message = `The number of chunks being transferred ${transferred} is above ${maxChunksBeingTransferred}, ` +
      "close the connection.";
    logger.warning(message);
    this.#channel.close(new Error(message));
    return true;
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (thrown) {
      this.#handlerFailed(toError(thrown));
    }
  }

  #handlerFailed(error: Error): void {
    this.#options.logger.error(`Handler of the connection to ${this.#channel.remote} failed`, error);
  }
}
