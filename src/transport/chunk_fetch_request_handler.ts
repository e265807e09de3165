/**
 * Answers a connection's requests for chunks, in their order.
 *
 * Spark: common/network-common/…/server/ChunkFetchRequestHandler.java. Differences: a chunk may take its time to be found, and there
 * are no workers of its own, as the event loop is the thread.
 *
 * @module
 */

import { toError } from "../base/errors.ts";
import { int64FromBigInt, int64ToBigInt } from "../base/int64.ts";
import { isPromised, promiseOf } from "../base/promise_of.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import { type ChunkFetchFailure, type ChunkFetchRequest, MessageType } from "../protocol/message.ts";
import { StreamChunkId } from "../protocol/stream_chunk_id.ts";
import { AnswersInOrder } from "./answers_in_order.ts";
import { sizeOf } from "./body_calls.ts";
import { bodyElsewhere } from "./body_elsewhere.ts";
import type { Channel } from "./channel.ts";
import type { StreamManager } from "./stream_manager.ts";
import type { TransportClient } from "./transport_client.ts";
import type { TransportLimits } from "./transport_limits.ts";
import type { BodyAnswering } from "./unsent_bodies.ts";

/** How {@linkcode ChunkFetchRequestHandler} answers. */
export type ChunkFetchRequestHandlerOptions = BodyAnswering & Pick<TransportLimits, "maxChunks">;

type Found = ManagedBuffer | Error;

/** The chunks that one connection asks for. */
export class ChunkFetchRequestHandler {
  readonly #channel: Channel;
  readonly #client: TransportClient;
  readonly #options: ChunkFetchRequestHandlerOptions;
  readonly #answers = new AnswersInOrder();
  /** Chunks that have not been sent. */
  #unsent = 0;

  /** @param client The other direction of the same connection. */
  constructor(channel: Channel, client: TransportClient, options: ChunkFetchRequestHandlerOptions) {
    this.#channel = channel;
    this.#client = client;
    this.#options = options;
  }

  /** How many chunks are being found: their manager does not count them yet. */
  get finding(): number {
    return this.#answers.waiting;
  }

  /** A request has come. */
  processFetchRequest({ streamId, chunkIndex }: ChunkFetchRequest, manager: StreamManager): void {
    const chunk = new StreamChunkId(int64ToBigInt(streamId), chunkIndex);
    const { maxChunks, guard } = this.#options;
    if (this.#unsent >= maxChunks) {
      guard(() => manager.streamRefused?.(this.#client, chunk.streamId));
      this.#respondFailure(chunk, new Error(`More than ${maxChunks} chunks at once on one connection`));
      return;
    }
    this.#unsent++;
    this.#answers.push(this.#find(chunk, manager), (found) => this.#answer(chunk, found, manager));
  }

  #find(chunk: StreamChunkId, manager: StreamManager): Found | Promise<Found> {
    try {
      if (manager.getChunk === undefined) return new Error("This server has no chunks");
      manager.checkAuthorization?.(this.#client, chunk.streamId);
      const found = manager.getChunk(chunk.streamId, chunk.chunkIndex);
      return isPromised(found) ? promiseOf(found).then(orNotFound, toError) : orNotFound(found);
    } catch (thrown) {
      return toError(thrown);
    }
  }

  #answer(chunk: StreamChunkId, found: Found, manager: StreamManager): void {
    if (found instanceof Error) {
      this.#unsent--;
      this.#respondFailure(chunk, found);
      return;
    }
    const { guard, metrics, unsent } = this.#options;
    const { streamId, chunkIndex } = chunk;
    guard(() => manager.chunkBeingSent?.(streamId));
    const sent = (error: Error | undefined): void => {
      this.#unsent--;
      guard(() => manager.chunkSent?.(streamId));
      if (error === undefined) {
        metrics.chunksSent++;
        return;
      }
      metrics.transfersFailed++;
      unsent.log(`${chunk}`, error);
    };
    try {
      const body = bodyElsewhere(sizeOf(found));
      const head = { type: MessageType.ChunkFetchSuccess, streamId: int64FromBigInt(streamId), chunkIndex, body } as const;
      this.#channel.outgoing.writeBody(head, found, sent, (error) => this.#failure(chunk, error));
    } catch (thrown) {
      // It is larger than a frame may be, or cannot be had any more.
      this.#unsent--;
      guard(() => manager.chunkSent?.(streamId));
      this.#respondFailure(chunk, toError(thrown));
    }
  }

  #respondFailure(chunk: StreamChunkId, failure: Error): void {
    this.#options.metrics.transfersFailed++;
    this.#channel.outgoing.writeMessage(this.#failure(chunk, failure));
  }

  #failure({ streamId, chunkIndex }: StreamChunkId, failure: Error): ChunkFetchFailure {
    const error = this.#options.failureText(failure);
    return { type: MessageType.ChunkFetchFailure, streamId: int64FromBigInt(streamId), chunkIndex, error };
  }
}

function orNotFound(buffer: ManagedBuffer | undefined): Found {
  return buffer ?? new Error("Chunk was not found");
}
