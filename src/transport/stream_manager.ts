/**
 * Where streams and chunks come from that a peer asks for.
 *
 * Spark: common/network-common/…/server/StreamManager.java.
 *
 * @module
 */

import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import type { TransportClient } from "./transport_client.ts";

/** The longest name of a stream, in UTF-16 units: longer than any path. A peer that asks for a longer one is no Spark. */
export const MAX_STREAM_ID_LENGTH = 65_536;

/** Opens streams by name, and chunks by the number of their stream and their place in it. What it gives is the connection's. */
export interface StreamManager {
  /** The stream's bytes, or undefined if there is none of that name. What it throws becomes a StreamFailure. */
  openStream(streamId: string): ManagedBuffer | undefined | Promise<ManagedBuffer | undefined>;
  /**
   * One chunk of a registered stream, or undefined if there is none. What it throws becomes a ChunkFetchFailure. Without it there
   * are no chunks. Called in the order of the requests, however long each takes.
   */
  getChunk?(streamId: bigint, chunkIndex: number): ManagedBuffer | undefined | Promise<ManagedBuffer | undefined>;
  /** Throws if `client` must not have that stream: a text names one for `openStream`, a number one for `getChunk`. */
  checkAuthorization?(client: TransportClient, streamId: string | bigint): void;
  /** A chunk of that stream, or the stream itself, was refused without asking for it: `client` waits for too many. */
  streamRefused?(client: TransportClient, streamId: string | bigint): void;
  /** A stream is about to be sent. */
  streamBeingSent?(streamId: string): void;
  /** A stream has been sent, or its connection has broken. */
  streamSent?(streamId: string): void;
  /** A chunk of that stream is about to be sent. */
  chunkBeingSent?(streamId: bigint): void;
  /** A chunk of that stream has been sent, or its connection has broken. */
  chunkSent?(streamId: bigint): void;
  /** How many streams and chunks are on their way: what `spark.shuffle.maxChunksBeingTransferred` limits. */
  chunksBeingTransferred?(): number;
  /** The connection is gone: frees what was kept for it. */
  connectionTerminated?(client: TransportClient): void;
}

/** Has no streams. */
export const noStreams: StreamManager = { openStream: () => undefined };
