/**
 * Who waits for a chunk.
 *
 * Spark: common/network-common/…/client/ChunkReceivedCallback.java. Beyond it, a large chunk can be taken as it comes.
 *
 * @module
 */

import type { MessageBody } from "../base/message_body.ts";
import type { StreamCallback } from "../protocol/stream_callback.ts";

/**
 * Waits for a chunk: `onSuccess` or `onFailure` is called, once, or, if `openStream` gave a callback, that one is instead and hears
 * of the end.
 */
export interface ChunkReceivedCallback {
  /** The whole chunk. Its bytes are borrowed until this returns; `body.take()` keeps them. */
  onSuccess(chunkIndex: number, body: MessageBody): void;
  /**
   * There will be no chunk. A StreamError says that the peer refused it; any other error, such as an RpcError of code
   * `DISCONNECTED` or `STOPPED`, is of the connection, and another one may do better.
   */
  onFailure(chunkIndex: number, error: Error): void;
  /**
   * A chunk of 1 MiB or more is about to come, `byteCount` bytes of it: whoever is returned takes them as they come, so that
   * they are never whole in memory (its `onStart` is not called); without one they are put together for `onSuccess`. What it
   * throws fails the chunk.
   */
  openStream?(chunkIndex: number, byteCount: number): StreamCallback | undefined;
}
