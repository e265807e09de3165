/**
 * Ties one connection together: bytes in to frames, to messages, to the handlers of requests and responses.
 *
 * Spark: common/network-common/…/server/TransportChannelHandler.java and the pipeline of TransportContext.java. Difference: a
 * peer's FIN fails what waits for it at once, but what it has been answered still leaves.
 *
 * @module
 */

import { int32At } from "../base/bytes.ts";
import { ProtocolError, toError } from "../base/errors.ts";
import { int64ToBigInt } from "../base/int64.ts";
import type { ReceivedBytes } from "../base/received_bytes.ts";
import { decodeMessage, decodeRpc } from "../protocol/message_decoder.ts";
import type { Message, TransportRequest, TransportResponse } from "../protocol/message.ts";
import { MessageType } from "../protocol/message.ts";
import type { StreamFlow } from "../protocol/stream_callback.ts";
import { StreamChunkId } from "../protocol/stream_chunk_id.ts";
import { TransportFrameDecoder } from "../protocol/transport_frame_decoder.ts";
import type { FrameHandler, Interceptor } from "../protocol/transport_frame_decoder.ts";
import { SocketError } from "../socket/socket.ts";
import type { Socket, SocketAddress, SocketHandler } from "../socket/socket.ts";
import { Channel } from "./channel.ts";
import type { ConnectionStats } from "./connection_stats.ts";
import { IdleState } from "./idle_state.ts";
import type { IdleSubject } from "./idle_state.ts";
import { TransportClient } from "./transport_client.ts";
import type { TransportContext } from "./transport_context.ts";
import { TransportRequestHandler } from "./transport_request_handler.ts";
import { TransportResponseHandler } from "./transport_response_handler.ts";
import type { TransportServerBootstrap } from "./transport_server_bootstrap.ts";

/** One connection of a context. */
export class TransportChannelHandler implements SocketHandler, FrameHandler, StreamFlow, IdleSubject {
  /** The connection. */
  readonly channel: Channel;
  /** Asks over the connection. */
  readonly client: TransportClient;
  readonly #context: TransportContext;
  readonly #decoder: TransportFrameDecoder;
  readonly #requestHandler: TransportRequestHandler;
  readonly #responseHandler: TransportResponseHandler;
  readonly #idle: IdleState;
  #lastReadAt: number;
  /** How many bytes had left when the connection was last found idle. */
  #leftWhenIdle = -1;

  /** @param dialled The address that was dialled; undefined for an accepted connection. */
  constructor(context: TransportContext, socket: Socket, dialled: SocketAddress | undefined) {
    const { clock, deadlines, driver, limits, logger, exposeStack } = context;
    this.#context = context;
    this.channel = new Channel(socket, dialled ?? socket.remoteAddress, {
      dialled: dialled !== undefined,
      clock,
      deadlines,
      limits,
      pieces: context.pieces,
      onInactive: (reason) => this.#inactive(reason),
    });
    this.#lastReadAt = deadlines.now();
    this.#decoder = new TransportFrameDecoder(this, { maxFrameBytes: limits.maxFrameBytes, copiedBytes: driver.copiedBytes });
    this.#responseHandler = new TransportResponseHandler(this.channel, this.#decoder, this, {
      logger,
      maxOutstandingRequests: limits.maxOutstandingRequests,
    });
    this.client = new TransportClient(this.channel, this.#responseHandler, limits);
    this.#requestHandler = new TransportRequestHandler(this.channel, this.client, {
      ...limits,
      logger,
      exposeStack,
      maxChunksBeingTransferred: context.conf.maxChunksBeingTransferred,
      decoder: this.#decoder,
      flow: this,
      metrics: context.metrics,
    });
    this.#idle = new IdleState(clock, context.conf.connectionTimeoutMs, this);
  }

  /**
   * Prepares the connection and tells the application of it: not part of the constructor, so that they can already use it.
   * What a bootstrap throws closes the connection.
   */
  activate(bootstraps: readonly TransportServerBootstrap[]): void {
    let { rpcHandler } = this.#context;
    try {
      for (const bootstrap of bootstraps) rpcHandler = bootstrap.doBootstrap(this.client, rpcHandler);
    } catch (thrown) {
      const error = toError(thrown);
      this.#context.logger.error(`Exception while bootstrapping connection from ${this.channel.remote}`, error);
      this.channel.abort(error);
    }
    if (this.channel.active) this.#requestHandler.channelActive(rpcHandler);
  }

  /** The part of a large frame that is still missing, for a driver that can read straight into it. */
  allocate(): Uint8Array | undefined {
    return this.#decoder.allocate();
  }

  /** Bytes in: all frames that they complete are handled before this returns. */
  onData(_socket: Socket, chunk: Uint8Array, owned: boolean): void {
    const { channel } = this;
    channel.bytesRead += chunk.length;
    const now = channel.deadlines.now();
    this.#lastReadAt = now;
    this.#responseHandler.beginTiming();
    try {
      this.#decoder.feed(chunk, owned);
    } catch (thrown) {
      this.#fail(toError(thrown));
      return;
    }
    const latencyMs = this.#responseHandler.endTiming(now);
    if (latencyMs >= 0) this.#context.metrics.requestLatency.record(latencyMs);
    this.#requestHandler.channelReadComplete();
    // With handlers at work more answers come in microtasks, and the settling flush takes them along.
    if (channel.outgoing.handlersAtWork === 0) channel.outgoing.flush();
  }

  /** One frame. */
  onFrame(received: ReceivedBytes, start: number, end: number): void {
    const type = received.memory[start];
    // These two by themselves: V8 makes no object of a message that it sees made and used in one place.
    if (type === MessageType.RpcRequest) this.#requestHandler.handle(decodeRpc(type, received, start, end));
    else if (type === MessageType.RpcResponse) this.#responseHandler.handle(decodeRpc(type, received, start, end));
    else this.#onOther(decodeMessage(received, start, end));
  }

  #onOther(message: Message): void {
    if (isRequest(message)) this.#requestHandler.handle(message);
    else this.#responseHandler.handle(message);
  }

  /** The beginning of a large frame: a chunk may be taken as it comes. */
  interceptFrame(head: Uint8Array, bodyBytes: number): Interceptor | undefined {
    if (head[0] !== MessageType.ChunkFetchSuccess) return undefined;
    const streamId = int64ToBigInt({ high: int32At(head, 1), low: int32At(head, 5) });
    return this.#responseHandler.interceptChunk(new StreamChunkId(streamId, int32At(head, 9)), bodyBytes);
  }

  /** The socket can take more. */
  onDrain(): void {
    this.channel.outgoing.drained();
  }

  /** The peer sends no more. */
  onEnd(): void {
    const { remote } = this.channel;
    const { bufferedBytes, foreignBytes } = this.#decoder;
    if (bufferedBytes === 0) {
      this.channel.close(new SocketError("CONNECTION_RESET", `Connection from ${remote} closed`));
      return;
    }
    const said = `Connection from ${remote} ended within a frame: ${bufferedBytes} bytes of it had come`;
    const message = foreignBytes === undefined ? said : `${said}: ${foreignBytes}`;
    this.#context.logger.warning(message);
    this.channel.close(new ProtocolError(message, { offset: bufferedBytes }));
  }

  /** The socket is gone. */
  onClose(_socket: Socket, error: SocketError | undefined): void {
    // A body that is arriving breaks off as it does with a FIN: who reads it gets one kind of error, and this one is its cause.
    if (error !== undefined && this.channel.active) this.#caught(error);
    this.channel.closed(error);
    this.#context.unregister(this);
  }

  /** The consumer of the stream that is arriving is full. */
  pause(): void {
    this.channel.autoRead.hold(this);
  }

  resume(): void {
    this.channel.autoRead.release(this);
  }

  /** When something last happened. */
  get lastActivityAt(): number {
    const { autoRead, outgoing } = this.channel;
    return Math.max(this.#lastReadAt, autoRead.releasedAt, outgoing.lastWriteAt, this.#responseHandler.lastRequestAt);
  }

  /** Nothing has happened for the whole connection timeout. */
  onIdle(): boolean {
    const { conf, closeIdleConnections, logger } = this.#context;
    const { remote } = this.channel;
    const { queuedBytes, leftBytes } = this.channel.outgoing;
    const leaving = queuedBytes > 0 && leftBytes > this.#leftWhenIdle;
    this.#leftWhenIdle = leftBytes;
    // What was written long ago may still be leaving, which nothing else tells of.
    if (leaving || this.channel.autoRead.isHeld) return true;
    if (this.#responseHandler.numOutstandingRequests > 0) {
      const message = `Connection to ${remote} has been quiet for ${conf.connectionTimeoutMs} ms while there are outstanding ` +
        `requests. Assuming connection is dead; please adjust spark.${conf.moduleName}.io.connectionTimeout if this is wrong.`;
      logger.error(message);
      this.#context.metrics.connectionsTimedOut++;
      this.channel.close(new SocketError("TIMED_OUT", message));
      return false;
    }
    if (closeIdleConnections) {
      this.#context.metrics.connectionsTimedOut++;
      this.channel.close();
    }
    return !closeIdleConnections;
  }

  /** A snapshot. */
  stats(): ConnectionStats {
    const { channel } = this;
    return {
      remote: channel.remote,
      dialled: channel.dialled,
      outstandingRequests: this.#responseHandler.numOutstandingRequests,
      unansweredRequests: channel.outgoing.handlersAtWork,
      queuedBytes: channel.outgoing.queuedBytes,
      bytesRead: channel.bytesRead,
      bytesWritten: channel.outgoing.writtenBytes,
      framesRead: this.#decoder.frames,
      framesWritten: channel.outgoing.frames,
    };
  }

  #fail(error: Error): void {
    if (!this.channel.active) return;
    this.#decoder.exceptionCaught(error);
    this.#caught(error);
    this.channel.abort(error);
  }

  #caught(error: Error): void {
    this.#context.metrics.connectionsBroken++;
    this.#context.logger.warning(`Exception in connection from ${this.channel.remote}: ${error.message}`);
    this.#requestHandler.exceptionCaught(error);
  }

  #inactive(reason: Error): void {
    this.#idle.stop();
    this.#decoder.channelInactive(reason);
    this.channel.autoRead.stop();
    this.#responseHandler.channelInactive(reason);
    this.#requestHandler.channelInactive();
  }
}

function isRequest(message: TransportRequest | TransportResponse): message is TransportRequest {
  switch (message.type) {
    case MessageType.RpcRequest:
    case MessageType.OneWayMessage:
    case MessageType.StreamRequest:
    case MessageType.ChunkFetchRequest:
    case MessageType.UploadStream:
    case MessageType.MergedBlockMetaRequest:
      return true;
    default:
      return false;
  }
}
