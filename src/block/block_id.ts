/**
 * The names of blocks that mean something to the transfer itself: those of shuffles. To it all other names are just names.
 *
 * Spark: core/…/storage/BlockId.scala, and splitBlockId in common/network-shuffle/…/OneForOneBlockFetcher.java. Numbers are
 * wanted in the one form that Spark writes: `shuffle_01_2_3` would be fetched as the block of another name.
 *
 * @module
 */

/** One part of a map task's output, or several that lie side by side. */
export interface ShuffleBlockId {
  /** The shuffle. */
  readonly shuffleId: number;
  /** The map task. */
  readonly mapId: bigint;
  /** The part, or the first of them. */
  readonly reduceId: number;
  /** The part after the last, of a batch. Spark: ShuffleBlockBatchId. */
  readonly endReduceId?: number | undefined;
}

/** A chunk of a merged part. Spark: ShuffleBlockChunkId. */
export interface ShuffleBlockChunkId {
  /** The shuffle. */
  readonly shuffleId: number;
  /** Which attempt at merging it. */
  readonly shuffleMergeId: number;
  /** The part. */
  readonly reduceId: number;
  /** The chunk. */
  readonly chunkId: number;
}

const SHUFFLE_PREFIX = "shuffle_";
const CHUNK_PREFIX = "shuffleChunk_";
const INTEGER = /^(?:0|-?[1-9]\d{0,18})$/;

/** Whether a name is to be read as one of shuffle blocks. Names of whole files, such as `shuffle_0_0_0.data`, are not. */
export function isShuffleBlockId(blockId: string): boolean {
  return blockId.startsWith(SHUFFLE_PREFIX) && !blockId.includes(".");
}

/** Whether a name is to be read as one of chunks of merged blocks. */
export function isShuffleChunkId(blockId: string): boolean {
  return blockId.startsWith(CHUNK_PREFIX);
}

/** Whether a block is a shuffle's, whole files included: those are always uploaded as streams. Spark: BlockId.isShuffle. */
export function isShuffle(blockId: string): boolean {
  return /^shuffle_\d+_\d+_\d+(?:_\d+|\.data|\.index)?$/.test(blockId);
}

/** The name of a shuffle block, or of a batch. */
export function formatShuffleBlockId({ shuffleId, mapId, reduceId, endReduceId }: ShuffleBlockId): string {
  const first = `${SHUFFLE_PREFIX}${shuffleId}_${mapId}_${reduceId}`;
  return endReduceId === undefined ? first : `${first}_${endReduceId}`;
}

/**
 * What a shuffle block's name says.
 *
 * @throws RangeError `Unexpected shuffle block id format: <id>`.
 */
export function parseShuffleBlockId(blockId: string): ShuffleBlockId {
  const [prefix, ...numbers] = blockId.split("_");
  if (prefix !== "shuffle" || numbers.length < 3 || numbers.length > 4) throw formatError(blockId);
  const [shuffleId, mapId, reduceId, end] = numbers as [string, string, string, string | undefined];
  return {
    shuffleId: parseInt32(shuffleId, blockId),
    mapId: parseInt64(mapId, blockId),
    reduceId: parseInt32(reduceId, blockId),
    ...(end !== undefined && { endReduceId: parseInt32(end, blockId) }),
  };
}

/**
 * What the name of a merged block's chunk says.
 *
 * @throws RangeError `Unexpected shuffle block id format: <id>`.
 */
export function parseShuffleChunkId(blockId: string): ShuffleBlockChunkId {
  const [prefix, ...numbers] = blockId.split("_");
  if (prefix !== "shuffleChunk" || numbers.length !== 4) throw formatError(blockId);
  const [shuffleId, shuffleMergeId, reduceId, chunkId] = numbers.map((text) => parseInt32(text, blockId));
  return { shuffleId: shuffleId!, shuffleMergeId: shuffleMergeId!, reduceId: reduceId!, chunkId: chunkId! };
}

function parseInt64(text: string, blockId: string): bigint {
  if (!INTEGER.test(text)) throw formatError(blockId);
  const value = BigInt(text);
  if (BigInt.asIntN(64, value) !== value) throw formatError(blockId);
  return value;
}

function parseInt32(text: string, blockId: string): number {
  const value = Number(parseInt64(text, blockId));
  if ((value | 0) !== value) throw formatError(blockId);
  return value;
}

function formatError(blockId: string): RangeError {
  return new RangeError(`Unexpected shuffle block id format: ${blockId}`);
}
