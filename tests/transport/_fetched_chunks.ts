/**
 * Fetches chunks and keeps a record of every callback.
 *
 * @module
 */

import type { MessageBody } from "../../src/base/message_body.ts";
import type { StreamCallback } from "../../src/protocol/stream_callback.ts";
import type { ChunkReceivedCallback } from "../../src/transport/chunk_received_callback.ts";
import type { TransportClient } from "../../src/transport/transport_client.ts";
import { until } from "../_harness.ts";
import { ReceivedStream } from "./_received_stream.ts";

/** Chunks that were asked for. */
export class FetchedChunks implements ChunkReceivedCallback {
  readonly chunks = new Map<number, Uint8Array>();
  readonly failures = new Map<number, Error>();
  /** What was heard, in order. */
  readonly events: string[] = [];
  #asked = 0;

  /** Asks for chunks of one stream, and waits for all of them. */
  static async of(client: TransportClient, streamId: bigint, indices: readonly number[]): Promise<FetchedChunks> {
    const fetched = new FetchedChunks();
    fetched.ask(client, streamId, indices);
    await fetched.all();
    return fetched;
  }

  ask(client: TransportClient, streamId: bigint, indices: readonly number[]): void {
    this.#asked += indices.length;
    for (const index of indices) client.fetchChunk(streamId, index, this);
  }

  /** Waits until each has been answered. */
  async all(): Promise<void> {
    await until(() => this.events.length >= this.#asked, "all chunks");
  }

  onSuccess(chunkIndex: number, body: MessageBody): void {
    this.events.push(`success ${chunkIndex}`);
    this.chunks.set(chunkIndex, body.take().slice());
  }

  onFailure(chunkIndex: number, error: Error): void {
    this.events.push(`failure ${chunkIndex}`);
    this.failures.set(chunkIndex, error);
  }
}

/** The same, where large chunks come as streams. */
export class StreamedChunks extends FetchedChunks {
  readonly streams = new Map<number, ReceivedStream>();
  readonly byteCounts = new Map<number, number>();
  /** What is done with each chunk's stream before it begins. */
  onOpen: ((stream: ReceivedStream) => void) | undefined;
  readonly #streamId: bigint;

  constructor(streamId: bigint) {
    super();
    this.#streamId = streamId;
  }

  openStream(chunkIndex: number, byteCount: number): StreamCallback {
    const stream = new ReceivedStream(`${this.#streamId}_${chunkIndex}`);
    this.streams.set(chunkIndex, stream);
    this.byteCounts.set(chunkIndex, byteCount);
    this.onOpen?.(stream);
    return stream;
  }

  /** The stream of one chunk, once it has begun. */
  async opened(chunkIndex: number): Promise<ReceivedStream> {
    await until(() => this.streams.has(chunkIndex), `chunk ${chunkIndex} to begin`);
    return this.streams.get(chunkIndex)!;
  }
}
