/**
 * The chunks of a connection that were asked for: kept until they come, and given to who waits for them, whole or as streams.
 *
 * Spark: `outstandingFetches` in common/network-common/…/client/TransportResponseHandler.java. Differences: whoever asks for a chunk
 * that was asked for before waits behind that one, whose callback is overwritten there and never hears of anything; and a large
 * chunk need not be whole in memory.
 *
 * @module
 */

import { RpcError, RpcOverloadedError, RpcStoppedError, StreamError, toError } from "../base/errors.ts";
import type { MessageBody } from "../base/message_body.ts";
import { discard, type StreamCallback } from "../protocol/stream_callback.ts";
import type { StreamChunkId } from "../protocol/stream_chunk_id.ts";
import type { StreamInterceptor } from "../protocol/stream_interceptor.ts";
import { STREAMED_BODY_BYTES } from "../protocol/transport_frame_decoder.ts";
import type { ChunkReceivedCallback } from "./chunk_received_callback.ts";

/** The connection that {@linkcode OutstandingFetches} are of. */
export interface FetchingConnection {
  /** Whether it is still open. */
  readonly active: boolean;
  /** The peer, for errors. */
  readonly remote: string;
  /** Runs a callback; what it throws is logged. */
  guard(run: () => void): void;
  /** Makes an interceptor for so many bytes. */
  intercept(streamId: string, byteCount: number, callback: StreamCallback): StreamInterceptor;
  /** Something came that nobody waits for. */
  ignored(what: string): void;
}

/** One who waits for a chunk. */
interface Fetch {
  readonly chunk: StreamChunkId;
  readonly callback: ChunkReceivedCallback;
}

/** Chunks that are waited for, at most `limit` of them. */
export class OutstandingFetches {
  readonly #connection: FetchingConnection;
  readonly #limit: number;
  readonly #waiting = new Map<string, Fetch[]>();
  #size = 0;

  /** @param limit The most that wait at once: `maxOutstandingRequests`. */
  constructor(connection: FetchingConnection, limit: number) {
    this.#connection = connection;
    this.#limit = limit;
  }

  /** How many wait; a chunk that is arriving as a stream is not among them. */
  get size(): number {
    return this.#size;
  }

  /**
   * Keeps `callback` until its chunk comes.
   *
   * @throws RpcOverloadedError at the limit.
   */
  add(chunk: StreamChunkId, callback: ChunkReceivedCallback): void {
    if (this.#size >= this.#limit) {
      const queue = `chunks from ${this.#connection.remote}`;
      throw new RpcOverloadedError(`Cannot fetch: ${this.#limit} ${queue} wait (maxOutstandingRequests)`, queue, this.#limit);
    }
    const fetch = { chunk, callback };
    const others = this.#waiting.get(chunk.name);
    if (others === undefined) this.#waiting.set(chunk.name, [fetch]);
    else others.push(fetch);
    this.#size++;
  }

  /** A chunk has come, whole. */
  succeed(chunk: StreamChunkId, body: MessageBody): void {
    const fetch = this.#take(chunk);
    if (fetch === undefined) return;
    // It may lie in one piece of what was received; whoever wants it as a stream gets it as one all the same.
    const stream = body.length < STREAMED_BODY_BYTES ? undefined : this.#open(fetch, body.length);
    if (stream === undefined) {
      this.#connection.guard(() => fetch.callback.onSuccess(chunk.chunkIndex, body));
      return;
    }
    if (stream instanceof Error) return this.#tell(fetch, stream);
    const interceptor = this.#connection.intercept(chunk.name, body.length, stream);
    try {
      interceptor.handle(body.memory, body.start, body.end, body.received.owned);
    } catch (thrown) {
      interceptor.exceptionCaught(toError(thrown));
      throw thrown;
    }
  }

  /** The peer cannot give a chunk. */
  fail(chunk: StreamChunkId, text: string): void {
    const fetch = this.#take(chunk);
    if (fetch !== undefined) this.#tell(fetch, new StreamError(`Failure while fetching ${chunk}: ${text}`, chunk.name));
  }

  /** Who takes the bytes of a large chunk as they come; undefined if it is wanted whole. */
  intercept(chunk: StreamChunkId, byteCount: number): StreamInterceptor | undefined {
    const fetch = this.#waiting.get(chunk.name)?.[0];
    if (fetch === undefined) {
      this.#connection.ignored(`block ${chunk}`);
      return this.#connection.intercept(chunk.name, byteCount, discard);
    }
    if (fetch.callback.openStream === undefined) return undefined;
    const stream = this.#open(fetch, byteCount);
    // It may have closed the connection, and then everybody who waits has been told.
    if (stream === undefined || !this.#connection.active) return undefined;
    this.#take(chunk);
    if (!(stream instanceof Error)) return this.#connection.intercept(chunk.name, byteCount, stream);
    this.#tell(fetch, stream);
    return this.#connection.active ? this.#connection.intercept(chunk.name, byteCount, discard) : undefined;
  }

  /** The connection is gone: all who wait are told. */
  drain(error: Error): void {
    const all = [...this.#waiting.values()].flat();
    this.#waiting.clear();
    this.#size = 0;
    for (const fetch of all) this.#tell(fetch, error);
  }

  /** Who takes a chunk as a stream; undefined if it is wanted whole, and what its callback throws. */
  #open({ chunk, callback }: Fetch, byteCount: number): StreamCallback | Error | undefined {
    try {
      const stream = callback.openStream?.(chunk.chunkIndex, byteCount);
      return stream === undefined ? undefined : chunkStream(stream);
    } catch (thrown) {
      return toError(thrown);
    }
  }

  #take(chunk: StreamChunkId): Fetch | undefined {
    const fetches = this.#waiting.get(chunk.name);
    const fetch = fetches?.shift();
    if (fetches === undefined || fetch === undefined) {
      this.#connection.ignored(`block ${chunk}`);
      return undefined;
    }
    if (fetches.length === 0) this.#waiting.delete(chunk.name);
    this.#size--;
    return fetch;
  }

  #tell({ chunk, callback }: Fetch, error: Error): void {
    this.#connection.guard(() => callback.onFailure(chunk.chunkIndex, error));
  }
}

/** A chunk that breaks off has lost its connection: unlike one that was refused, it may be had over another. */
function chunkStream(callback: StreamCallback): StreamCallback {
  return {
    allocate: () => callback.allocate?.(),
    onData: (id, chunk, owned, flow) => callback.onData(id, chunk, owned, flow),
    onComplete: (id) => callback.onComplete(id),
    onFailure(id, error) {
      if (!(error instanceof StreamError)) return callback.onFailure(id, error);
      const { cause } = error;
      callback.onFailure(id, cause instanceof RpcStoppedError ? cause : new RpcError("DISCONNECTED", error.message, { cause }));
    },
  };
}
