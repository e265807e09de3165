/**
 * Answers the requests that arrive on a connection.
 *
 * Spark: common/network-common/…/server/TransportRequestHandler.java. Differences: failures are told without a stack unless
 * `exposeStack` is set, and a MergedBlockMetaRequest that nobody handles is refused instead of being left without an answer.
 *
 * @module
 */

import { ProtocolError, RpcOverloadedError, toError } from "../base/errors.ts";
import type { Int64 } from "../base/int64.ts";
import type { Logger } from "../base/logger.ts";
import { isWorthALine } from "../base/sparse_logging.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import { MessageType } from "../protocol/message.ts";
import { MAX_ERROR_BYTES } from "../protocol/message_decoder.ts";
import type { MergedBlockMetaRequest, Message, OneWayMessage, RpcRequest, TransportRequest } from "../protocol/message.ts";
import type { StreamFlow } from "../protocol/stream_callback.ts";
import type { TransportFrameDecoder } from "../protocol/transport_frame_decoder.ts";
import { bodyElsewhere } from "./body_elsewhere.ts";
import type { Channel } from "./channel.ts";
import { ChunkFetchRequestHandler } from "./chunk_fetch_request_handler.ts";
import { noOpRpcHandler, type RpcHandler } from "./rpc_handler.ts";
import type { Content, RpcResponder } from "./rpc_response_callback.ts";
import { StreamRequestHandler } from "./stream_request_handler.ts";
import type { TransportClient } from "./transport_client.ts";
import type { TransportMetrics } from "./transport_metrics.ts";
import { logUnsent } from "./unsent_body.ts";
import { UploadRequestHandler } from "./upload_request_handler.ts";

/** What a ChunkFetchFailure takes besides its text; a failure of another kind takes less, but for a stream's name. */
const FAILURE_HEAD_BYTES = 17;
/** A UTF-16 unit takes no more in UTF-8. */
const MAX_UTF8_BYTES_PER_UNIT = 3;

const encoder = new TextEncoder();

/** How a connection answers. */
export interface TransportRequestHandlerOptions {
  /** Hears of what was dropped. */
  readonly logger: Logger;
  /** Whether failures carry this end's stack traces. */
  readonly exposeStack: boolean;
  /** The largest frame, in bytes: the text of a failure has to fit into it. */
  readonly maxFrameBytes: number;
  /** How many chunks and streams may be on their way: `spark.shuffle.maxChunksBeingTransferred`. */
  readonly maxChunksBeingTransferred: number;
  /** How many streams one connection may be sent at once. */
  readonly maxStreams: number;
  /** How many chunks one connection may wait for at once. */
  readonly maxChunks: number;
  /** How many requests of the peer may wait for their answers. */
  readonly maxUnansweredRequests: number;
  /** Where the bytes of uploads come from. */
  readonly decoder: TransportFrameDecoder;
  /** Holds the peer back while the consumer of an upload is full. */
  readonly flow: StreamFlow;
  /** Counts what is transferred. */
  readonly metrics: TransportMetrics;
}

function failureText(error: Error, { exposeStack, maxFrameBytes }: TransportRequestHandlerOptions): string {
  const text = exposeStack && error.stack !== undefined ? error.stack : error.message;
  return cutToBytes(text, Math.min(MAX_ERROR_BYTES, maxFrameBytes - FAILURE_HEAD_BYTES));
}

/** The beginning of `text` that takes no more than `maxBytes` of UTF-8: for a larger frame the peer would close the connection. */
function cutToBytes(text: string, maxBytes: number): string {
  if (text.length * MAX_UTF8_BYTES_PER_UNIT <= maxBytes) return text;
  return text.slice(0, encoder.encodeInto(text, new Uint8Array(Math.max(0, maxBytes))).read);
}

/** Whether the peer's bytes are at fault; an error without an offset is of bytes that were to be sent. */
function isOfReceived(thrown: unknown): boolean {
  return thrown instanceof ProtocolError && thrown.offset !== undefined;
}

/** Answers one request, once. */
class Responder implements RpcResponder {
  readonly #handler: TransportRequestHandler;
  readonly #idHigh: number;
  readonly #idLow: number;
  #answered: boolean;

  constructor(handler: TransportRequestHandler, idHigh: number, idLow: number) {
    this.#handler = handler;
    this.#idHigh = idHigh;
    this.#idLow = idLow;
    this.#answered = false;
  }

  onSuccess(content: Content): number {
    if (this.#answered) return this.#handler.answeredTwice();
    const size = this.#handler.respond(this.#idHigh, this.#idLow, content);
    this.#answered = true;
    this.#handler.answered();
    return size;
  }

  onFailure(error: Error): void {
    if (this.#answered) {
      this.#handler.answeredTwice();
      return;
    }
    this.#answered = true;
    this.#handler.answered();
    this.#handler.respondFailure({ high: this.#idHigh, low: this.#idLow }, error);
  }
}

/** The requests of one connection. */
export class TransportRequestHandler {
  readonly #channel: Channel;
  readonly #client: TransportClient;
  readonly #options: TransportRequestHandlerOptions;
  readonly #chunks: ChunkFetchRequestHandler;
  readonly #streams: StreamRequestHandler;
  readonly #uploads: UploadRequestHandler;
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
    const answering = {
      logger,
      metrics,
      failureText: (error: Error) => failureText(error, options),
      guard: (run: () => void) => this.#guard(run),
    };
    this.#chunks = new ChunkFetchRequestHandler(channel, client, { ...answering, maxChunks });
    this.#streams = new StreamRequestHandler(channel, client, { ...answering, maxStreams });
    this.#uploads = new UploadRequestHandler(channel, client, {
      logger,
      metrics,
      decoder,
      flow,
      begin: (requestId) => this.#begin(requestId),
      exceptionCaught: (cause) => this.exceptionCaught(cause),
      onError: (error) => this.#handlerFailed(error),
    });
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
        this.#processMergedBlockMetaRequest(request);
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
  answeredTwice(): number {
    this.#options.logger.warning(`A second answer to a request of ${this.#channel.remote} was dropped`);
    return 0;
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
    const responder = new Responder(this, idHigh, idLow);
    outgoing.handlersAtWork++;
    try {
      this.#rpcHandler.receive(this.#client, body, responder);
    } catch (thrown) {
      this.#receiveFailed(thrown, responder);
    }
  }

  #receiveFailed(thrown: unknown, responder: Responder): void {
    // Content that cannot be read is one message's fault; bytes that are no message are the connection's.
    if (isOfReceived(thrown)) throw thrown;
    const error = toError(thrown);
    this.#options.logger.debug(`Error while invoking RpcHandler#receive() on RPC of ${this.#channel.remote}`, error);
    responder.onFailure(error);
  }

  /** Takes an upload on, if the peer may wait for one answer more. */
  #begin(requestId: Int64): RpcResponder | undefined {
    const { outgoing } = this.#channel;
    if (outgoing.handlersAtWork >= this.#maxUnanswered) {
      this.#refuse(requestId);
      return undefined;
    }
    outgoing.handlersAtWork++;
    return new Responder(this, requestId.high, requestId.low);
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
    this.#options.logger.error(`Error while invoking RpcHandler#receive() for one-way message. ${from}`, error);
  }

  /** Whether there are so many streams and chunks on their way that this connection is closed. */
  #transfersTooMany(): boolean {
    const { logger, maxChunksBeingTransferred } = this.#options;
    const transferred = this.#rpcHandler.streamManager.chunksBeingTransferred?.() ?? 0;
    if (transferred < maxChunksBeingTransferred) return false;
    const message = `The number of chunks being transferred ${transferred} is above ${maxChunksBeingTransferred}, ` +
      "close the connection.";
    logger.warning(message);
    this.#channel.close(new Error(message));
    return true;
  }

  #processMergedBlockMetaRequest({ requestId, appId, shuffleId, shuffleMergeId, reduceId }: MergedBlockMetaRequest): void {
    const handler = this.#rpcHandler.mergedBlockMetaReqHandler;
    const onFailure = (error: Error): void => this.respondFailure(requestId, error);
    if (handler === undefined) {
      onFailure(new Error("This server has no merged blocks"));
      return;
    }
    const block = { appId, shuffleId, shuffleMergeId, reduceId };
    try {
      handler.receiveMergeBlockMetaReq(this.#client, block, {
        onFailure,
        onSuccess: (numChunks, buffer) => this.#respondMergedBlockMeta(requestId, numChunks, buffer),
      });
    } catch (thrown) {
      onFailure(toError(thrown));
    }
  }

  #respondMergedBlockMeta(requestId: Int64, numChunks: number, buffer: ManagedBuffer): void {
    const { outgoing, remote } = this.#channel;
    const head = { type: MessageType.MergedBlockMetaSuccess, requestId, numChunks, body: bodyElsewhere(buffer.size) } as const;
    const sent = (error: Error | undefined): void => {
      if (error !== undefined) logUnsent(this.#options.logger, "the meta data of a merged block", remote, error);
    };
    const refusal = (error: Error): Message => {
      return { type: MessageType.RpcFailure, requestId, error: failureText(error, this.#options) };
    };
    try {
      outgoing.writeBody(head, buffer, sent, refusal);
    } catch (thrown) {
      // It is larger than a frame may be.
      this.respondFailure(requestId, toError(thrown));
    }
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
