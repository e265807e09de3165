/**
 * Gives the answers that arrive on a connection to those who wait for them.
 *
 * Spark: common/network-common/…/client/TransportResponseHandler.java. Difference: a callback that throws fails nothing but itself.
 *
 * @module
 */

import { unreachable } from "../base/assert.ts";
import { ProtocolError, RpcError, RpcOverloadedError, RpcRemoteError, RpcStoppedError, toError } from "../base/errors.ts";
import { halvesToSafe, int64ToBigInt, int64ToSafe } from "../base/int64.ts";
import type { Logger } from "../base/logger.ts";
import { MessageType } from "../protocol/message.ts";
import type { RpcResponse, TransportResponse } from "../protocol/message.ts";
import { StreamChunkId } from "../protocol/stream_chunk_id.ts";
import type { StreamCallback, StreamFlow } from "../protocol/stream_callback.ts";
import { StreamInterceptor } from "../protocol/stream_interceptor.ts";
import type { TransportFrameDecoder } from "../protocol/transport_frame_decoder.ts";
import type { Channel } from "./channel.ts";
import type { ChunkReceivedCallback } from "./chunk_received_callback.ts";
import { MergedBlockMetaWaiter } from "./merged_block_meta.ts";
import { OutstandingFetches } from "./outstanding_fetches.ts";
import { OutstandingStreams } from "./outstanding_streams.ts";
import { RequestTable } from "./request_table.ts";
import type { RpcResponseCallback } from "./rpc_response_callback.ts";

/** The waiting requests of one connection. */
export class TransportResponseHandler {
  readonly #channel: Channel;
  readonly #flow: StreamFlow;
  readonly #logger: Logger;
  readonly #requests: RequestTable;
  readonly #fetches: OutstandingFetches;
  readonly #streams: OutstandingStreams;
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
    this.#flow = flow;
    this.#logger = options.logger;
    this.#requests = new RequestTable(options.maxOutstandingRequests, (thrown) => this.#callbackFailed(thrown));
    const { remote } = channel;
    const guard = (run: () => void): void => this.#guard(run);
    const ignored = (what: string): void => this.#ignored(what);
    this.#fetches = new OutstandingFetches({
      get active() {
        return channel.active;
      },
      remote,
      guard,
      intercept: (streamId, byteCount, callback) => this.#intercept(streamId, byteCount, callback),
      ignored,
    }, options.maxOutstandingRequests);
    this.#streams = new OutstandingStreams({
      remote,
      guard,
      follow: (streamId, byteCount, callback) => decoder.setInterceptor(this.#intercept(streamId, byteCount, callback)),
      ignored,
    });
    this.#lastRequestAt = channel.deadlines.now();
    this.#lastTouchAt = this.#lastRequestAt;
    channel.deadlines.add(this.#requests);
  }

  /** How many answers are waited for, a stream that is arriving included. */
  get numOutstandingRequests(): number {
    return this.#requests.size + this.#fetches.size + this.#streams.size + (this.#streamActive ? 1 : 0);
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
   * Keeps `callback` until its stream comes.
   *
   * @throws RpcOverloadedError if too many wait.
   */
  addStreamCallback(streamId: string, callback: StreamCallback): void {
    this.#streams.add(streamId, callback);
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
        this.#streams.succeed(message);
        return;
      case MessageType.StreamFailure:
        this.#streams.fail(message);
        return;
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
    this.#streams.drain(error);
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
