/**
 * Who hears of the blocks that were asked for.
 *
 * Spark: BlockFetchingListener and BlockTransferListener in common/network-shuffle/…/shuffle.
 *
 * @module
 */

import type { ManagedBuffer } from "../protocol/managed_buffer.ts";

/**
 * Hears of each block, once: it is there, or it will not come. What a method throws, or the promise that it returns rejects with, is
 * logged, and changes nothing.
 */
export interface BlockFetchingListener {
  /**
   * The block is there. It is released when this returns, or when the promise that it returns has settled: whoever keeps it longer
   * retains it, and releases it. After that it must not be read: its memory may be used again, and what `data.bytes` gave is empty then.
   */
  onBlockFetchSuccess(blockId: string, data: ManagedBuffer): void | Promise<void>;
  /** The block will not come. */
  onBlockFetchFailure(blockId: string, error: Error): void;
}
