/**
 * The messages by which blocks are fetched: what is wanted, by name or by number, and the stream that has it.
 *
 * Spark: OpenBlocks, FetchShuffleBlocks, FetchShuffleBlockChunks and StreamHandle in common/network-shuffle/…/protocol.
 *
 * @module
 */

import type { ByteReader } from "../base/byte_reader.ts";
import type { ByteSink } from "../base/byte_sink.ts";
import {
  MAX_LIST_LENGTH,
  readCount,
  readIntArray,
  readLongArray,
  readString,
  readStringArray,
  writeIntArray,
  writeLongArray,
  writeString,
  writeStringArray,
} from "../protocol/encoders.ts";
import { BlockTransferMessageType } from "./block_transfer_message_type.ts";

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

/** Appends the fields of a message. */
export function writeOpenBlocks(out: ByteSink, message: OpenBlocks): void {
  writeString(out, message.appId);
  writeString(out, message.execId);
  writeStringArray(out, message.blockIds);
}

/** Reads the fields of a message. */
export function readOpenBlocks(reader: ByteReader): OpenBlocks {
  return {
    type: BlockTransferMessageType.OpenBlocks,
    appId: readString(reader, "application id"),
    execId: readString(reader, "executor id"),
    blockIds: readStringArray(reader, "block ids"),
  };
}

/** Appends the fields of a message. */
export function writeFetchShuffleBlocks(out: ByteSink, message: FetchShuffleBlocks): void {
  writeString(out, message.appId);
  writeString(out, message.execId);
  out.writeInt32(message.shuffleId);
  writeLongArray(out, message.mapIds);
  writeIntLists(out, message.reduceIds);
  out.writeUint8(message.batchFetchEnabled ? 1 : 0);
}

/** Reads the fields of a message. */
export function readFetchShuffleBlocks(reader: ByteReader): FetchShuffleBlocks {
  return {
    type: BlockTransferMessageType.FetchShuffleBlocks,
    appId: readString(reader, "application id"),
    execId: readString(reader, "executor id"),
    shuffleId: reader.readInt32("shuffle id"),
    mapIds: readLongArray(reader, "map ids"),
    reduceIds: readIntLists(reader, "reduce ids"),
    // As on the JVM: any other byte than 0.
    batchFetchEnabled: reader.readUint8("batch flag") !== 0,
  };
}

/** Appends the fields of a message. */
export function writeFetchShuffleBlockChunks(out: ByteSink, message: FetchShuffleBlockChunks): void {
  writeString(out, message.appId);
  writeString(out, message.execId);
  out.writeInt32(message.shuffleId);
  out.writeInt32(message.shuffleMergeId);
  writeIntArray(out, message.reduceIds);
  writeIntLists(out, message.chunkIds);
}

/** Reads the fields of a message. */
export function readFetchShuffleBlockChunks(reader: ByteReader): FetchShuffleBlockChunks {
  return {
    type: BlockTransferMessageType.FetchShuffleBlockChunks,
    appId: readString(reader, "application id"),
    execId: readString(reader, "executor id"),
    shuffleId: reader.readInt32("shuffle id"),
    shuffleMergeId: reader.readInt32("shuffle merge id"),
    reduceIds: readIntArray(reader, "reduce ids"),
    chunkIds: readIntLists(reader, "chunk ids"),
  };
}

/** Appends the fields of a message. */
export function writeStreamHandle(out: ByteSink, { streamId, numChunks }: StreamHandle): void {
  out.writeBigInt64(streamId);
  out.writeInt32(numChunks);
}

/** Reads the fields of a message. */
export function readStreamHandle(reader: ByteReader): StreamHandle {
  return {
    type: BlockTransferMessageType.StreamHandle,
    streamId: reader.readInt64("stream id"),
    numChunks: reader.readInt32("number of chunks"),
  };
}

function writeIntLists(out: ByteSink, lists: readonly (readonly number[])[]): void {
  out.writeInt32(lists.length);
  for (const list of lists) writeIntArray(out, list);
}

/** All of them together are no longer than one list may be. */
function readIntLists(reader: ByteReader, what: string): number[][] {
  const count = readCount(reader, MIN_LIST_BYTES, what);
  const lists: number[][] = [];
  let left = MAX_LIST_LENGTH;
  for (let i = 0; i < count; i++) {
    const list = readIntArray(reader, what, left);
    left -= list.length;
    lists.push(list);
  }
  return lists;
}
