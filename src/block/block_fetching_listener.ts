/**
 * Who hears of the blocks that were asked for.
 *
 * Spark: BlockFetchingListener and BlockTransferListener in common/network-shuffle/…/shuffle.
 *
 * @module
 */

import type { ManagedBuffer } from "../protocol/managed_buffer.ts";

/** Hears of each block, once: it is there, or it will not come. What a method throws is logged, and changes nothing. */
export interface BlockFetchingListener {
  /** The block is there. It is released when this returns: whoever keeps it retains it, and releases it. */
  onBlockFetchSuccess(blockId: string, data: ManagedBuffer): void;
  /** The block will not come. */
  onBlockFetchFailure(blockId: string, error: Error): void;
}
