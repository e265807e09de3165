/**
 * Answers a connection's requests for streams, in their order: answers carry no number.
 *
 * Spark: `processStreamRequest` in common/network-common/…/server/TransportRequestHandler.java. Difference: a stream may take its
 * time to be opened.
 *
 * @module
 */

import { ProtocolError, toError } from "../base/errors.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import { MessageType, type StreamFailure, type StreamRequest } from "../protocol/message.ts";
import type { Channel } from "./channel.ts";
import { MAX_STREAM_ID_LENGTH, type StreamManager } from "./stream_manager.ts";
import type { TransportClient } from "./transport_client.ts";
import type { TransportMetrics } from "./transport_metrics.ts";
import type { UnsentBodies } from "./unsent_bodies.ts";

/** How many streams that are refused may wait for their turn to be told so. */
const MAX_REFUSED_STREAMS = 1_024;

/** How {@linkcode StreamRequestHandler} answers. */
export interface StreamRequestHandlerOptions {
  /** Hears of what could not be sent. */
  readonly unsent: UnsentBodies;
  /** How many streams one connection may be sent at once. */
  readonly maxStreams: number;
  /** What a peer is told of a failure. */
  readonly failureText: (error: Error) => string;
  /** Runs what the application does; what it throws is logged. */
  readonly guard: (run: () => void) => void;
  /** Counts streams. */
  readonly metrics: TransportMetrics;
}

/** The streams that one connection asks for. */
export class StreamRequestHandler {
  readonly #channel: Channel;
  readonly #client: TransportClient;
  readonly #options: StreamRequestHandlerOptions;
  #beingSent = 0;
  #refused = 0;
  /** Streams are answered in the order in which they were asked for, however long each takes to open. */
  #last: Promise<void> | undefined;

  /** @param client The other direction of the same connection. */
  constructor(channel: Channel, client: TransportClient, options: StreamRequestHandlerOptions) {
    this.#channel = channel;
    this.#client = client;
    this.#options = options;
  }

  /**
   * A request has come.
   *
   * @throws ProtocolError if no peer of ours would send it.
   */
  processStreamRequest({ streamId }: StreamRequest, manager: StreamManager): void {
    const { maxStreams } = this.#options;
    if (streamId.length > MAX_STREAM_ID_LENGTH) {
      throw new ProtocolError(`Stream id has ${streamId.length} characters`, { offset: 0, limit: MAX_STREAM_ID_LENGTH });
    }
    if (this.#beingSent < maxStreams) {
      this.#beingSent++;
      this.#last = this.#answer(streamId, this.#open(streamId, manager), manager, this.#last);
      return;
    }
    if (this.#refused === MAX_REFUSED_STREAMS) {
      throw new ProtocolError(`${maxStreams} streams and ${MAX_REFUSED_STREAMS} more were asked for at once`, { offset: 0 });
    }
    this.#refused++;
    this.#last = this.#refuse(streamId, this.#last);
  }

  /** The stream's bytes, or why there are none; never rejects. */
  async #open(streamId: string, manager: StreamManager): Promise<ManagedBuffer | Error> {
    try {
      manager.checkAuthorization?.(this.#client, streamId);
      return await manager.openStream(streamId) ?? new Error(`Stream '${streamId}' was not found.`);
    } catch (thrown) {
      return toError(thrown);
    }
  }

  async #answer(
    streamId: string,
    opening: Promise<ManagedBuffer | Error>,
    manager: StreamManager,
    previous: Promise<void> | undefined,
  ): Promise<void> {
    const buffer = await opening;
    await previous;
    if (buffer instanceof Error) {
      this.#beingSent--;
      this.#respondFailure(streamId, buffer);
      return;
    }
    const { guard, metrics, unsent } = this.#options;
    guard(() => manager.streamBeingSent?.(streamId));
    const head = { type: MessageType.StreamResponse, streamId, byteCount: buffer.size } as const;
    const sent = (error: Error | undefined): void => {
      this.#beingSent--;
      guard(() => manager.streamSent?.(streamId));
      if (error === undefined) {
        metrics.streamsSent++;
        return;
      }
      metrics.transfersFailed++;
      unsent.log(`stream ${streamId}`, error);
    };
    try {
      this.#channel.outgoing.writeBody(head, buffer, sent, (error) => this.#failure(streamId, error));
    } catch (thrown) {
      // Its name is as long as a frame may be, and an answer has its size too.
      this.#beingSent--;
      guard(() => manager.streamSent?.(streamId));
      this.#respondFailure(streamId, toError(thrown));
    }
  }

  async #refuse(streamId: string, previous: Promise<void> | undefined): Promise<void> {
    await previous;
    this.#refused--;
    this.#respondFailure(streamId, new Error(`More than ${this.#options.maxStreams} streams at once on one connection`));
  }

  #respondFailure(streamId: string, failure: Error): void {
    this.#options.metrics.transfersFailed++;
    this.#channel.outgoing.writeMessage(this.#failure(streamId, failure));
  }

  #failure(streamId: string, failure: Error): StreamFailure {
    return { type: MessageType.StreamFailure, streamId, error: this.#options.failureText(failure) };
  }
}
