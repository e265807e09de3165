/**
 * The first byte of each message of the block service.
 *
 * Spark: common/network-shuffle/…/protocol/BlockTransferMessage.java. Those of pushed and merged shuffle blocks are not here.
 *
 * @module
 */

/** What a message of the block service is. */
export const BlockTransferMessageType = {
  OpenBlocks: 0,
  UploadBlock: 1,
  RegisterExecutor: 2,
  StreamHandle: 3,
  UploadBlockStream: 6,
  RemoveBlocks: 7,
  BlocksRemoved: 8,
  FetchShuffleBlocks: 9,
  GetLocalDirsForExecutors: 10,
  LocalDirsForExecutors: 11,
  FetchShuffleBlockChunks: 15,
  DiagnoseCorruption: 16,
  CorruptionCause: 17,
} as const;

/** The number of a message. */
export type BlockTransferMessageType = (typeof BlockTransferMessageType)[keyof typeof BlockTransferMessageType];
