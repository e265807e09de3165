/**
 * The streams of a connection that were asked for: answers carry no request id, so the first to ask is the first to be answered.
 *
 * Spark: `streamCallbacks` in common/network-common/…/client/TransportResponseHandler.java. Difference: an answer that nobody waits for
 * closes the connection, since bytes follow that would be read as frames.
 *
 * @module
 */

import { ProtocolError, RpcOverloadedError, StreamError } from "../base/errors.ts";
import { RingQueue } from "../base/ring_queue.ts";
import type { StreamFailure, StreamResponse } from "../protocol/message.ts";
import type { StreamCallback } from "../protocol/stream_callback.ts";

/** How many streams one connection may have asked for at once. */
export const MAX_STREAMS_WAITING = 65_536;

/** The connection that {@linkcode OutstandingStreams} are of. */
export interface StreamingConnection {
  /** The peer, for errors. */
  readonly remote: string;
  /** Runs a callback; what it throws is logged. */
  guard(run: () => void): void;
  /** Gives the next bytes of the connection, so many of them, to a callback. */
  follow(streamId: string, byteCount: number, callback: StreamCallback): void;
  /** Something came that nobody waits for. */
  ignored(what: string): void;
}

interface WaitingStream {
  readonly streamId: string;
  readonly callback: StreamCallback;
}

/** Streams that are waited for, in the order in which they were asked for. */
export class OutstandingStreams {
  readonly #connection: StreamingConnection;
  readonly #waiting = new RingQueue<WaitingStream>(MAX_STREAMS_WAITING);

  /** @param connection Where they come from. */
  constructor(connection: StreamingConnection) {
    this.#connection = connection;
  }

  /** How many wait; one that is arriving is not among them. */
  get size(): number {
    return this.#waiting.length;
  }

  /**
   * Keeps `callback` until its stream comes.
   *
   * @throws RpcOverloadedError at {@linkcode MAX_STREAMS_WAITING}.
   */
  add(streamId: string, callback: StreamCallback): void {
    if (this.#waiting.push({ streamId, callback })) return;
    const queue = `streams from ${this.#connection.remote}`;
    const message = `Cannot ask for ${streamId}: ${MAX_STREAMS_WAITING} ${queue} wait`;
    throw new RpcOverloadedError(message, queue, MAX_STREAMS_WAITING);
  }

  /**
   * The peer has a stream, whose bytes follow.
   *
   * @throws ProtocolError if nobody has asked for it.
   */
  succeed(message: StreamResponse): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) {
      throw new ProtocolError(`Could not find callback for StreamResponse. Nobody asked for ${message.streamId}`);
    }
    const { streamId, callback } = waiting;
    const { byteCount } = message;
    const connection = this.#connection;
    if (byteCount > 0) connection.follow(streamId, byteCount, callback);
    connection.guard(() => callback.onStart?.(streamId, byteCount));
    if (byteCount === 0) connection.guard(() => callback.onComplete(streamId));
  }

  /** The peer cannot give a stream. */
  fail(message: StreamFailure): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#connection.ignored(`stream ${message.streamId}`);
    else this.#tell(waiting, new StreamError(message.error, waiting.streamId));
  }

  /** The connection is gone: all who wait are told. */
  drain(error: Error): void {
    for (let waiting = this.#waiting.shift(); waiting !== undefined; waiting = this.#waiting.shift()) {
      this.#tell(waiting, error);
    }
  }

  #tell({ streamId, callback }: WaitingStream, error: Error): void {
    this.#connection.guard(() => callback.onFailure(streamId, error));
  }
}
