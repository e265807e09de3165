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

/** Opens streams by name. */
export interface StreamManager {
  /** The stream's bytes, or undefined if there is none of that name. What it throws becomes a StreamFailure. */
  openStream(streamId: string): ManagedBuffer | undefined | Promise<ManagedBuffer | undefined>;
  /** Throws if `client` must not have that stream. Spark 4.2: checkAuthorization(client, streamId). */
  checkAuthorization?(client: TransportClient, streamId: string): void;
  /** A stream is about to be sent. */
  streamBeingSent?(streamId: string): void;
  /** A stream has been sent, or its connection has broken. */
  streamSent?(streamId: string): void;
  /** How many streams and chunks are on their way: what `spark.shuffle.maxChunksBeingTransferred` limits. */
  chunksBeingTransferred?(): number;
  /** The connection is gone: frees what was kept for it. */
  connectionTerminated?(client: TransportClient): void;
}

/** Has no streams. */
export const noStreams: StreamManager = { openStream: () => undefined };
