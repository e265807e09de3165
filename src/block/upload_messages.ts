/**
 * The messages by which a block is uploaded: with its bytes, or in front of them as a stream.
 *
 * Spark: UploadBlock and UploadBlockStream in common/network-shuffle/…/protocol.
 *
 * @module
 */

import type { ByteReader } from "../base/byte_reader.ts";
import type { ByteSink } from "../base/byte_sink.ts";
import { readByteArray, readString, writeByteArray, writeString } from "../protocol/encoders.ts";
import { BlockTransferMessageType } from "./block_transfer_message_type.ts";

/**
 * How much may be said of a block's storage, where Spark says some 500 bytes. It is kept while the block arrives, and a connection
 * whose requests hold too much is not read: what is said of one block must leave room for its bytes to come.
 */
export const MAX_METADATA_BYTES: number = 1024 * 1024;

/** A block and its bytes; the answer is empty. */
export interface UploadBlock {
  /** Which message this is. */
  readonly type: typeof BlockTransferMessageType.UploadBlock;
  /** The application of who uploads. */
  readonly appId: string;
  /** The executor who is to have it. */
  readonly execId: string;
  /** Its name. */
  readonly blockId: string;
  /** Says how it is to be stored: in Spark the Java stream of a storage level and a class tag. */
  readonly metadata: Uint8Array;
  /** Its bytes. */
  readonly blockData: Uint8Array;
}

/** What stands in front of a block that is uploaded as a stream; the answer is empty. */
export interface UploadBlockStream {
  /** Which message this is. */
  readonly type: typeof BlockTransferMessageType.UploadBlockStream;
  /** The block's name. */
  readonly blockId: string;
  /** Says how it is to be stored, as in {@linkcode UploadBlock}. */
  readonly metadata: Uint8Array;
}

/** Appends the fields of a message. */
export function writeUploadBlock(out: ByteSink, message: UploadBlock): void {
  writeString(out, message.appId);
  writeString(out, message.execId);
  writeString(out, message.blockId);
  writeByteArray(out, message.metadata);
  writeByteArray(out, message.blockData);
}

/** Reads the fields of a message; byte arrays are views of what is read. */
export function readUploadBlock(reader: ByteReader): UploadBlock {
  return {
    type: BlockTransferMessageType.UploadBlock,
    appId: readString(reader, "application id"),
    execId: readString(reader, "executor id"),
    blockId: readString(reader, "block id"),
    metadata: readMetadata(reader),
    blockData: readByteArray(reader, "block data"),
  };
}

/** Appends the fields of a message. */
export function writeUploadBlockStream(out: ByteSink, message: UploadBlockStream): void {
  writeString(out, message.blockId);
  writeByteArray(out, message.metadata);
}

/** Reads the fields of a message; the metadata is a view of what is read. */
export function readUploadBlockStream(reader: ByteReader): UploadBlockStream {
  return {
    type: BlockTransferMessageType.UploadBlockStream,
    blockId: readString(reader, "block id"),
    metadata: readMetadata(reader),
  };
}

function readMetadata(reader: ByteReader): Uint8Array {
  const metadata = readByteArray(reader, "metadata");
  if (metadata.length <= MAX_METADATA_BYTES) return metadata;
  throw reader.errorHere(`The metadata of a block has ${metadata.length} bytes, more than ${MAX_METADATA_BYTES}`);
}
