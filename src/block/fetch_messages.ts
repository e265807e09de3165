/**
 * The messages by which blocks are fetched: what is wanted, by name or by number, and the stream that has it.
 *
 * Spark: OpenBlocks, FetchShuffleBlocks, FetchShuffleBlockChunks and StreamHandle in common/network-shuffle/…/protocol.
 *
 * @module
 */

import {
  MAX_LIST_LENGTH,
  readCount,
  readIntArray,
  readLongArray,
  writeIntArray,
  writeLongArray,
} from "../protocol/encoders.ts";
import { BlockTransferMessageType } from "./block_transfer_message_type.ts";
import { always, appId, execId, type Field, int, ints, long, record, texts } from "./message_fields.ts";

/** No list of numbers is shorter than its own count. */
const MIN_LIST_BYTES = 4;

/** Asks for blocks by their names; the answer is a {@linkcode StreamHandle}. */
export interface OpenBlocks {
  /** Which message this is. */
  readonly type: typeof BlockTransferMessageType.OpenBlocks;
  /** The application of who asks. */
  readonly appId: string;
  /** The executor whose blocks they are. */
  readonly execId: string;
  /** Their names; the n-th is the n-th chunk of the stream. */
  readonly blockIds: readonly string[];
}

/** Asks for blocks of one shuffle by their numbers; the answer is a {@linkcode StreamHandle}. */
export interface FetchShuffleBlocks {
  /** Which message this is. */
  readonly type: typeof BlockTransferMessageType.FetchShuffleBlocks;
  /** The application of who asks. */
  readonly appId: string;
  /** The executor whose blocks they are. */
  readonly execId: string;
  /** The shuffle. */
  readonly shuffleId: number;
  /** The map tasks whose output is wanted. */
  readonly mapIds: readonly bigint[];
  /** Of each of those: the parts that are wanted, or in a batch the first one and the one after the last. */
  readonly reduceIds: readonly (readonly number[])[];
  /** Whether the parts of a map task come as one block. */
  readonly batchFetchEnabled: boolean;
}

/** Asks for chunks of merged blocks of one shuffle; the answer is a {@linkcode StreamHandle}. Nothing here serves them. */
export interface FetchShuffleBlockChunks {
  /** Which message this is. */
  readonly type: typeof BlockTransferMessageType.FetchShuffleBlockChunks;
  /** The application of who asks. */
  readonly appId: string;
  /** The executor whose blocks they are. */
  readonly execId: string;
  /** The shuffle. */
  readonly shuffleId: number;
  /** Which attempt at merging it. */
  readonly shuffleMergeId: number;
  /** The parts that are wanted. */
  readonly reduceIds: readonly number[];
  /** Of each of those: the chunks that are wanted. */
  readonly chunkIds: readonly (readonly number[])[];
}

/** Says where the blocks are that were asked for: each is a chunk of this stream. */
export interface StreamHandle {
  /** Which message this is. */
  readonly type: typeof BlockTransferMessageType.StreamHandle;
  /** The stream. */
  readonly streamId: bigint;
  /** How many chunks it has. */
  readonly numChunks: number;
}

/** A list of lists; all of them together are no longer than one list may be. */
function intLists(what: string): Field<readonly (readonly number[])[]> {
  return {
    write(out, lists) {
      out.writeInt32(lists.length);
      for (const list of lists) writeIntArray(out, list);
    },
    read(reader) {
      const count = readCount(reader, MIN_LIST_BYTES, what);
      const lists: number[][] = [];
      let left = MAX_LIST_LENGTH;
      for (let i = 0; i < count; i++) {
        const list = readIntArray(reader, what, left);
        left -= list.length;
        lists.push(list);
      }
      return lists;
    },
  };
}

/** As on the JVM any other byte than 0 is true. */
const batchFetchEnabled: Field<boolean> = {
  write: (out, value) => out.writeUint8(value ? 1 : 0),
  read: (reader) => reader.readUint8("batch flag") !== 0,
};

/** The fields of a message. */
export const openBlocks: Field<OpenBlocks> = record({
  type: always(BlockTransferMessageType.OpenBlocks),
  appId,
  execId,
  blockIds: texts("block ids"),
});

/** The fields of a message. */
export const fetchShuffleBlocks: Field<FetchShuffleBlocks> = record({
  type: always(BlockTransferMessageType.FetchShuffleBlocks),
  appId,
  execId,
  shuffleId: int("shuffle id"),
  mapIds: { write: writeLongArray, read: (reader) => readLongArray(reader, "map ids") },
  reduceIds: intLists("reduce ids"),
  batchFetchEnabled,
});

/** The fields of a message. */
export const fetchShuffleBlockChunks: Field<FetchShuffleBlockChunks> = record({
  type: always(BlockTransferMessageType.FetchShuffleBlockChunks),
  appId,
  execId,
  shuffleId: int("shuffle id"),
  shuffleMergeId: int("shuffle merge id"),
  reduceIds: ints("reduce ids"),
  chunkIds: intLists("chunk ids"),
});

/** The fields of a message. */
export const streamHandle: Field<StreamHandle> = record({
  type: always(BlockTransferMessageType.StreamHandle),
  streamId: long("stream id"),
  numChunks: int("number of chunks"),
});
