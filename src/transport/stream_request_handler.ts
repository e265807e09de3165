/**
 * Answers a connection's requests for streams, in their order: answers carry no number.
 *
 * Spark: `processStreamRequest` in common/network-common/…/server/TransportRequestHandler.java. Difference: a stream may take its
 * time to be opened.
 *
 * @module
 */

import { ProtocolError, toError } from "../base/errors.ts";
import { isPromised, promiseOf } from "../base/promise_of.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import { MessageType, type StreamFailure, type StreamRequest } from "../protocol/message.ts";
import { AnswersInOrder } from "./answers_in_order.ts";
import { sizeOf } from "./body_calls.ts";
import type { Channel } from "./channel.ts";
import { MAX_STREAM_ID_LENGTH, type StreamManager } from "./stream_manager.ts";
import type { TransportClient } from "./transport_client.ts";
import type { TransportLimits } from "./transport_limits.ts";
import type { BodyAnswering } from "./unsent_bodies.ts";

/** How many streams that are refused may wait for their turn to be told so. */
const MAX_REFUSED_STREAMS = 1_024;

/** How {@linkcode StreamRequestHandler} answers. */
export type StreamRequestHandlerOptions = BodyAnswering & Pick<TransportLimits, "maxStreams">;

type Opened = ManagedBuffer | Error;

/** The streams that one connection asks for. */
export class StreamRequestHandler {
  readonly #channel: Channel;
  readonly #client: TransportClient;
  readonly #options: StreamRequestHandlerOptions;
  readonly #answers = new AnswersInOrder();
  #beingSent = 0;
  /** Those that wait for their turn to be told so. */
  #refused = 0;

  /** @param client The other direction of the same connection. */
  constructor(channel: Channel, client: TransportClient, options: StreamRequestHandlerOptions) {
    this.#channel = channel;
    this.#client = client;
    this.#options = options;
  }

  /** How many streams are being opened: their manager does not count them yet. */
  get opening(): number {
    return this.#answers.waiting - this.#refused;
  }

  /**
   * A request has come.
   *
   * @throws ProtocolError if no peer of ours would send it.
   */
  processStreamRequest({ streamId }: StreamRequest, manager: StreamManager): void {
    const { maxStreams, guard } = this.#options;
    if (streamId.length > MAX_STREAM_ID_LENGTH) {
      throw new ProtocolError(`Stream id has ${streamId.length} characters`, { offset: 0, limit: MAX_STREAM_ID_LENGTH });
    }
    if (this.#beingSent < maxStreams) {
      this.#beingSent++;
      this.#answers.push(this.#open(streamId, manager), (found) => this.#answer(streamId, found, manager));
      return;
    }
    if (this.#refused === MAX_REFUSED_STREAMS) {
      throw new ProtocolError(`${maxStreams} streams and ${MAX_REFUSED_STREAMS} more were asked for at once`, { offset: 0 });
    }
    this.#refused++;
    guard(() => manager.streamRefused?.(this.#client, streamId));
    this.#answers.push(new Error(`More than ${maxStreams} streams at once on one connection`), (refusal) => {
      this.#refused--;
      this.#respondFailure(streamId, refusal);
    });
  }

  /** The stream's bytes, or why there are none; never rejects. */
  #open(streamId: string, manager: StreamManager): Opened | Promise<Opened> {
    const orNotFound = (buffer: ManagedBuffer | undefined): Opened =>
      buffer ?? new Error(`Stream '${streamId}' was not found.`);
    try {
      manager.checkAuthorization?.(this.#client, streamId);
      const opened = manager.openStream(streamId);
      return isPromised(opened) ? promiseOf(opened).then(orNotFound, toError) : orNotFound(opened);
    } catch (thrown) {
      return toError(thrown);
    }
  }

  #answer(streamId: string, buffer: Opened, manager: StreamManager): void {
    if (buffer instanceof Error) {
      this.#beingSent--;
      this.#respondFailure(streamId, buffer);
      return;
    }
    const { guard, metrics, unsent } = this.#options;
    guard(() => manager.streamBeingSent?.(streamId));
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
      const head = { type: MessageType.StreamResponse, streamId, byteCount: sizeOf(buffer) } as const;
      this.#channel.outgoing.writeBody(head, buffer, sent, (error) => this.#failure(streamId, error));
    } catch (thrown) {
      // Its name is as long as a frame may be, and an answer has its size too; or it cannot be had any more.
      this.#beingSent--;
      guard(() => manager.streamSent?.(streamId));
      this.#respondFailure(streamId, toError(thrown));
    }
  }

  #respondFailure(streamId: string, failure: Error): void {
    this.#options.metrics.transfersFailed++;
    this.#channel.outgoing.writeMessage(this.#failure(streamId, failure));
  }

  #failure(streamId: string, failure: Error): StreamFailure {
    return { type: MessageType.StreamFailure, streamId, error: this.#options.failureText(failure) };
  }
}
