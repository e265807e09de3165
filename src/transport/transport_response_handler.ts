/**
 * Gives the answers that arrive on a connection to those who wait for them.
 *
 * Spark: common/network-common/…/client/TransportResponseHandler.java. Differences: a callback that throws fails nothing but
 * itself, and a stream's answer that nobody waits for closes the connection instead of being read as frames.
 *
 * @module
 */

import { unreachable } from "../base/assert.ts";
import {
  ProtocolError,
  RpcError,
  RpcOverloadedError,
  RpcRemoteError,
  RpcStoppedError,
  StreamError,
  toError,
} from "../base/errors.ts";
import { halvesToSafe, int64ToBigInt, int64ToSafe } from "../base/int64.ts";
import type { Logger } from "../base/logger.ts";
import { RingQueue } from "../base/ring_queue.ts";
import { MessageType } from "../protocol/message.ts";
import type { RpcResponse, StreamResponse, TransportResponse } from "../protocol/message.ts";
import { StreamChunkId } from "../protocol/stream_chunk_id.ts";
import type { StreamCallback, StreamFlow } from "../protocol/stream_callback.ts";
import { StreamInterceptor } from "../protocol/stream_interceptor.ts";
import type { TransportFrameDecoder } from "../protocol/transport_frame_decoder.ts";
import type { Channel } from "./channel.ts";
import type { ChunkReceivedCallback } from "./chunk_received_callback.ts";
import { MergedBlockMetaWaiter } from "./merged_block_meta.ts";
import { OutstandingFetches } from "./outstanding_fetches.ts";
import { RequestTable } from "./request_table.ts";
import type { RpcResponseCallback } from "./rpc_response_callback.ts";

/** How many streams one connection may have asked for at once. */
export const MAX_STREAMS_WAITING = 65_536;

interface WaitingStream {
  readonly streamId: string;
  readonly callback: StreamCallback;
}

/** The waiting requests of one connection. */
export class TransportResponseHandler {
  readonly #channel: Channel;
  readonly #decoder: TransportFrameDecoder;
  readonly #flow: StreamFlow;
  readonly #logger: Logger;
  readonly #requests: RequestTable;
  readonly #fetches: OutstandingFetches;
  readonly #streams = new RingQueue<WaitingStream>(MAX_STREAMS_WAITING);
  #streamActive = false;
  /** When a request that is in the table was last sent, and when anything else was. */
  #lastRequestAt: number;
  #lastTouchAt: number;
  /** The request that is being timed, and when it was sent; 0 for none. */
  #timedId = 0;
  #timedSince = 0;

  /** @param decoder Where a stream's bytes come from. @param flow Holds the peer back while a stream's consumer is full. */
  constructor(
    channel: Channel,
    decoder: TransportFrameDecoder,
    flow: StreamFlow,
    options: { readonly logger: Logger; readonly maxOutstandingRequests: number },
  ) {
    this.#channel = channel;
    this.#decoder = decoder;
    this.#flow = flow;
    this.#logger = options.logger;
    this.#requests = new RequestTable(options.maxOutstandingRequests);
    this.#fetches = new OutstandingFetches({
      get active() {
        return channel.active;
      },
      remote: channel.remote,
      guard: (run) => this.#guard(run),
      intercept: (streamId, byteCount, callback) => this.#intercept(streamId, byteCount, callback),
      ignored: (what) => this.#ignored(what),
    }, options.maxOutstandingRequests);
    this.#lastRequestAt = channel.deadlines.now();
    this.#lastTouchAt = this.#lastRequestAt;
    channel.deadlines.add(this.#requests);
  }

  /** How many answers are waited for, a stream that is arriving included. */
  get numOutstandingRequests(): number {
    return this.#requests.size + this.#fetches.size + this.#streams.length + (this.#streamActive ? 1 : 0);
  }

  /** When the last request was sent, in milliseconds of the clock. */
  get lastRequestAt(): number {
    return Math.max(this.#lastRequestAt, this.#lastTouchAt);
  }

  /** Somebody is about to send a request. */
  updateTimeOfLastRequest(): void {
    this.#lastTouchAt = this.#channel.deadlines.now();
  }

  /**
   * Keeps `callback` until its answer comes; returns the request's id.
   *
   * @throws RpcOverloadedError at `maxOutstandingRequests`.
   */
  addRpcRequest(callback: RpcResponseCallback): number {
    const requests = this.#requests;
    if (requests.full) throw this.#overloaded();
    this.#lastRequestAt = this.#channel.deadlines.now();
    if (callback.deadline !== Infinity) this.#channel.deadlines.note(callback.deadline);
    return requests.add(callback);
  }

  /** Forgets a request. */
  removeRpcRequest(id: number): void {
    this.#requests.take(id);
  }

  /**
   * Bytes have come and are about to be handled: the request that was sent last is timed, unless another one is. To time each would
   * cost each its share.
   */
  beginTiming(): void {
    const requests = this.#requests;
    if (this.#timedId !== 0 && requests.has(this.#timedId)) return;
    const { lastId } = requests;
    this.#timedId = requests.has(lastId) ? lastId : 0;
    this.#timedSince = this.#lastRequestAt;
  }

  /** The bytes have been handled; returns how long the request that they answered took by `now`, if it was timed, else -1. */
  endTiming(now: number): number {
    if (this.#timedId === 0 || this.#requests.has(this.#timedId)) return -1;
    this.#timedId = 0;
    return now - this.#timedSince;
  }

  /** Fails a request, unless it has been answered. */
  failRpcRequest(id: number, error: Error): void {
    const callback = this.#requests.take(id);
    if (callback !== undefined) this.#guard(() => callback.onFailure(error));
  }

  /**
   * Keeps `callback` until its chunk comes.
   *
   * @throws RpcOverloadedError at `maxOutstandingRequests`.
   */
  addFetchRequest(chunk: StreamChunkId, callback: ChunkReceivedCallback): void {
    this.#fetches.add(chunk, callback);
    this.updateTimeOfLastRequest();
  }

  /**
   * Keeps `callback` until its stream comes: the first to ask is the first to be answered.
   *
   * @throws RpcOverloadedError at {@linkcode MAX_STREAMS_WAITING}.
   */
  addStreamCallback(streamId: string, callback: StreamCallback): void {
    if (!this.#streams.push({ streamId, callback })) {
      const queue = `streams from ${this.#channel.remote}`;
      throw new RpcOverloadedError(
        `Cannot ask for ${streamId}: ${MAX_STREAMS_WAITING} ${queue} wait`,
        queue,
        MAX_STREAMS_WAITING,
      );
    }
    this.updateTimeOfLastRequest();
  }

  /**
   * An answer has come.
   *
   * @throws ProtocolError if bytes would follow that nobody has asked for.
   */
  handle(message: TransportResponse): void {
    if (message.type === MessageType.RpcResponse) this.#succeed(message);
    else this.#handleOther(message);
  }

  #succeed({ idHigh, idLow, body }: RpcResponse): void {
    const callback = this.#take(idHigh, idLow);
    if (callback === undefined) return;
    // Not by #guard: a closure per answer would be felt here.
    try {
      callback.onSuccess(body);
    } catch (thrown) {
      this.#callbackFailed(thrown);
    }
  }

  #handleOther(message: Exclude<TransportResponse, RpcResponse>): void {
    switch (message.type) {
      case MessageType.RpcFailure: {
        const callback = this.#take(message.requestId.high, message.requestId.low);
        if (callback !== undefined) this.#guard(() => callback.onFailure(new RpcRemoteError(message.error)));
        return;
      }
      case MessageType.StreamResponse:
        this.#startStream(message);
        return;
      case MessageType.StreamFailure: {
        const waiting = this.#streams.shift();
        if (waiting === undefined) {
          this.#ignored(`stream ${message.streamId}`);
          return;
        }
        const error = new StreamError(message.error, waiting.streamId);
        this.#guard(() => waiting.callback.onFailure(waiting.streamId, error));
        return;
      }
      case MessageType.ChunkFetchSuccess:
        this.#fetches.succeed(new StreamChunkId(int64ToBigInt(message.streamId), message.chunkIndex), message.body);
        return;
      case MessageType.ChunkFetchFailure:
        this.#fetches.fail(new StreamChunkId(int64ToBigInt(message.streamId), message.chunkIndex), message.error);
        return;
      case MessageType.MergedBlockMetaSuccess: {
        const callback = this.#requests.take(int64ToSafe(message.requestId));
        if (callback === undefined) this.#ignored(`MergedBlockMeta ${int64ToBigInt(message.requestId)}`);
        else if (callback instanceof MergedBlockMetaWaiter) {
          this.#guard(() => callback.onMergedBlockMeta(message.numChunks, message.body));
        } else this.#guard(() => callback.onFailure(new ProtocolError("A MergedBlockMetaSuccess came for another request")));
        return;
      }
      default:
        unreachable(message);
    }
  }

  /** Who takes the bytes of a large chunk as they come; undefined if it is wanted whole. */
  interceptChunk(chunk: StreamChunkId, byteCount: number): StreamInterceptor | undefined {
    return this.#fetches.intercept(chunk, byteCount);
  }

  /** The connection is gone: everybody who waits is told. */
  channelInactive(reason: Error): void {
    this.#channel.deadlines.remove(this.#requests);
    const outstanding = this.numOutstandingRequests;
    if (outstanding === 0) return;
    const remote = this.#channel.remote;
    this.#logger.info(`Still have ${outstanding} requests outstanding when connection from ${remote} is closed`);
    const stopped = reason instanceof RpcStoppedError;
    const error = stopped ? reason : new RpcError("DISCONNECTED", `Connection from ${remote} closed`, { cause: reason });
    for (const callback of this.#requests.drain()) this.#guard(() => callback.onFailure(error));
    this.#fetches.drain(error);
    for (let waiting = this.#streams.shift(); waiting !== undefined; waiting = this.#streams.shift()) {
      const { streamId, callback } = waiting;
      this.#guard(() => callback.onFailure(streamId, error));
    }
  }

  #overloaded(): RpcOverloadedError {
    const { limit } = this.#requests;
    const queue = `requests to ${this.#channel.remote}`;
    const message = `Cannot ask: ${limit} ${queue} wait for their answers (maxOutstandingRequests)`;
    return new RpcOverloadedError(message, queue, limit);
  }

  #take(high: number, low: number): RpcResponseCallback | undefined {
    const callback = this.#requests.take(halvesToSafe(high, low));
    if (callback === undefined) this.#ignoredRpc(high, low);
    return callback;
  }

  #ignoredRpc(high: number, low: number): void {
    this.#ignored(`RPC ${int64ToBigInt({ high, low })}`);
  }

  #ignored(what: string): void {
    this.#logger.debug(`Ignoring response for ${what} from ${this.#channel.remote} since it is not outstanding`);
  }

  #startStream(message: StreamResponse): void {
    const waiting = this.#streams.shift();
    if (waiting === undefined) {
      throw new ProtocolError(`Could not find callback for StreamResponse. Nobody asked for ${message.streamId}`);
    }
    const { streamId, callback } = waiting;
    if (message.byteCount > 0) {
      this.#decoder.setInterceptor(this.#intercept(streamId, message.byteCount, callback));
      this.#guard(() => callback.onStart?.(streamId, message.byteCount));
      return;
    }
    this.#guard(() => callback.onStart?.(streamId, 0));
    this.#guard(() => callback.onComplete(streamId));
  }

  #intercept(streamId: string, byteCount: number, callback: StreamCallback): StreamInterceptor {
    this.#streamActive = true;
    const ended = () => {
      this.#streamActive = false;
    };
    // What onData throws ends the connection, since the rest of the body would have to go somewhere; the end is as any answer.
    const guarded: StreamCallback = {
      allocate: () => callback.allocate?.(),
      onData: (id, chunk, owned, flow) => callback.onData(id, chunk, owned, flow),
      onComplete: (id) => this.#guard(() => callback.onComplete(id)),
      onFailure: (id, error) => this.#guard(() => callback.onFailure(id, error)),
    };
    return new StreamInterceptor(streamId, byteCount, guarded, this.#flow, ended);
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (thrown) {
      this.#callbackFailed(thrown);
    }
  }

  #callbackFailed(thrown: unknown): void {
    this.#logger.error(`Callback of a response from ${this.#channel.remote} failed`, toError(thrown));
  }
}
