/**
 * Who has the blocks that peers fetch, and takes those that they upload: the user's side of the block service.
 *
 * Spark: core/…/network/BlockDataManager.scala. Differences: a block is a name, of any kind; how an uploaded one is to be stored is
 * handed on as the bytes that came, in Spark the Java stream of a storage level and a class tag.
 *
 * @module
 */

import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import type { StreamCallbackWithId } from "../transport/stream_callback_with_id.ts";
import type { Cause } from "./corruption_messages.ts";

/**
 * Has blocks. What a method throws, or its promise rejects with, fails the request, with its message. Names are the peer's words: they
 * may be anything.
 *
 * Of one connection 16 requests are worked on at once, and while others wait for their turn, or those that came have 16 MiB or more,
 * it is not read. So a promise that waits for something else of the same connection may wait for ever.
 */
export interface BlockDataManager {
  /** A block, which is released when it has been sent. Throws if it is not there. */
  getLocalBlockData(blockId: string): ManagedBuffer | Promise<ManagedBuffer>;
  /**
   * Takes a block that came whole; its bytes may be kept.
   *
   * @param blockId Its name.
   * @param data Its bytes.
   * @param metadata How it is to be stored.
   * @returns Whether it was stored.
   */
  putBlockData(blockId: string, data: ManagedBuffer, metadata: Uint8Array): boolean | Promise<boolean>;
  /**
   * Takes a block as it comes. The peer is answered when `onComplete` is done; what that throws fails the upload.
   *
   * @param blockId Its name.
   * @param metadata How it is to be stored.
   */
  putBlockDataAsStream(blockId: string, metadata: Uint8Array): StreamCallbackWithId;
  /**
   * The folders that blocks are in, for executors on the same machine, by absolute paths; refused if absent. Spark: getLocalDiskDirs.
   *
   * A Spark's reducers there fetch no shuffle blocks: they read files such as `shuffle_0_1_0.data` and `.index` in these folders, and
   * fail without them, unless `spark.shuffle.readHostLocalDisk` is false.
   */
  getLocalDiskDirs?(): readonly string[] | Promise<readonly string[]>;
  /** What made a shuffle block corrupt; `UNKNOWN_ISSUE` if absent. */
  diagnoseShuffleBlockCorruption?(blockId: string, checksum: bigint, algorithm: string): Cause | Promise<Cause>;
}
