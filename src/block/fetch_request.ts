/**
 * How blocks are asked for: shuffle blocks by their numbers, all others by their names, and in which order they come.
 *
 * Spark: createFetchShuffleBlocksOrChunksMsg in common/network-shuffle/…/shuffle/OneForOneBlockFetcher.java. Difference: a map task
 * of which two batches are wanted is named twice; there their ends are mixed up, and the server refuses them.
 *
 * @module
 */

import {
  isShuffleBlockId,
  isShuffleChunkId,
  parseShuffleBlockId,
  parseShuffleChunkId,
  type ShuffleBlockChunkId,
  type ShuffleBlockId,
} from "./block_id.ts";
import { BlockTransferMessageType } from "./block_transfer_message_type.ts";
import type { FetchShuffleBlockChunks, FetchShuffleBlocks, OpenBlocks } from "./fetch_messages.ts";

/** Who asks whom. */
export interface FetchParties {
  /** The application. */
  readonly appId: string;
  /** The executor whose blocks they are. */
  readonly execId: string;
}

/** A message that asks for blocks, and their names in the order in which they will come. */
export interface FetchRequest {
  /** What is sent. */
  readonly message: OpenBlocks | FetchShuffleBlocks | FetchShuffleBlockChunks;
  /** The n-th is the n-th chunk of the stream. */
  readonly blockIds: readonly string[];
}

/**
 * Decides how to ask for blocks.
 *
 * @param parties Who asks whom.
 * @param blockIds Their names.
 * @param useOldFetchProtocol Ask by name always, for servers before Spark 3. Spark: `spark.shuffle.useOldFetchProtocol`.
 * @throws RangeError if there is none, or if a shuffle block's name is no such name or is of another shuffle than the first.
 */
export function makeFetchRequest(
  parties: FetchParties,
  blockIds: readonly string[],
  useOldFetchProtocol: boolean = false,
): FetchRequest {
  if (blockIds.length === 0) throw new RangeError("Zero-sized blockIds array");
  if (!useOldFetchProtocol && blockIds.every(isShuffleBlockId)) return shuffleBlocksRequest(parties, blockIds);
  if (!useOldFetchProtocol && blockIds.every(isShuffleChunkId)) return shuffleChunksRequest(parties, blockIds);
  return { message: { type: BlockTransferMessageType.OpenBlocks, ...parties, blockIds }, blockIds };
}

/** The blocks of one map task, or of one part. */
class Group {
  readonly blockIds: string[] = [];
  readonly numbers: number[] = [];

  add(blockId: string, ...numbers: number[]): void {
    this.blockIds.push(blockId);
    this.numbers.push(...numbers);
  }
}

function groupOf<K>(groups: Map<K, Group>, key: K): Group {
  let group = groups.get(key);
  if (group === undefined) groups.set(key, group = new Group());
  return group;
}

function shuffleBlocksRequest(parties: FetchParties, blockIds: readonly string[]): FetchRequest {
  const blocks = blockIds.map(parseShuffleBlockId);
  const { shuffleId, endReduceId } = blocks[0]!;
  const batchFetchEnabled = endReduceId !== undefined;
  const groups = new Map<bigint | string, Group>();
  blocks.forEach((block, i) => {
    const blockId = blockIds[i]!;
    if (block.shuffleId !== shuffleId) throw new RangeError(`Expected shuffleId=${shuffleId}, got:${blockId}`);
    if ((block.endReduceId !== undefined) !== batchFetchEnabled) {
      throw new RangeError(`Unexpected shuffle block id format: ${blockId}`);
    }
    addShuffleBlock(groups, blockId, block);
  });
  const message = {
    type: BlockTransferMessageType.FetchShuffleBlocks,
    ...parties,
    shuffleId,
    mapIds: [...groups.values()].map((group) => parseShuffleBlockId(group.blockIds[0]!).mapId),
    reduceIds: [...groups.values()].map((group) => group.numbers),
    batchFetchEnabled,
  };
  return { message, blockIds: [...groups.values()].flatMap((group) => group.blockIds) };
}

function addShuffleBlock(groups: Map<bigint | string, Group>, blockId: string, block: ShuffleBlockId): void {
  const { mapId, reduceId, endReduceId } = block;
  if (endReduceId === undefined) groupOf(groups, mapId).add(blockId, reduceId);
  // A group has room for one batch.
  else if (!groups.has(blockId)) groupOf(groups, blockId).add(blockId, reduceId, endReduceId);
}

function shuffleChunksRequest(parties: FetchParties, blockIds: readonly string[]): FetchRequest {
  const chunks = blockIds.map(parseShuffleChunkId);
  const { shuffleId, shuffleMergeId } = chunks[0]!;
  const groups = new Map<number, Group>();
  chunks.forEach((chunk: ShuffleBlockChunkId, i) => {
    const blockId = blockIds[i]!;
    if (chunk.shuffleId !== shuffleId || chunk.shuffleMergeId !== shuffleMergeId) {
      throw new RangeError(`Expected shuffleId = ${shuffleId} and shuffleMergeId = ${shuffleMergeId} but got ${blockId}`);
    }
    groupOf(groups, chunk.reduceId).add(blockId, chunk.chunkId);
  });
  const message = {
    type: BlockTransferMessageType.FetchShuffleBlockChunks,
    ...parties,
    shuffleId,
    shuffleMergeId,
    reduceIds: [...groups.keys()],
    chunkIds: [...groups.values()].map((group) => group.numbers),
  };
  return { message, blockIds: [...groups.values()].flatMap((group) => group.blockIds) };
}
