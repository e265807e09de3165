/**
 * The messages by which a block is uploaded: with its bytes, or in front of them as a stream.
 *
 * Spark: UploadBlock and UploadBlockStream in common/network-shuffle/…/protocol.
 *
 * @module
 */

import { readByteArray, writeByteArray } from "../protocol/encoders.ts";
import { BlockTransferMessageType } from "./block_transfer_message_type.ts";
import { always, appId, execId, type Field, record, text } from "./message_fields.ts";

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

const blockId = text("block id");
/** A view of what is read. */
const metadata: Field<Uint8Array> = {
  write: writeByteArray,
  read(reader) {
    const bytes = readByteArray(reader, "metadata");
    if (bytes.length <= MAX_METADATA_BYTES) return bytes;
    throw reader.errorHere(`The metadata of a block has ${bytes.length} bytes, more than ${MAX_METADATA_BYTES}`);
  },
};

/** The fields of a message; those of bytes are views of what is read. */
export const uploadBlock: Field<UploadBlock> = record({
  type: always(BlockTransferMessageType.UploadBlock),
  appId,
  execId,
  blockId,
  metadata,
  blockData: { write: writeByteArray, read: (reader) => readByteArray(reader, "block data") },
});

/** The fields of a message. */
export const uploadBlockStream: Field<UploadBlockStream> = record({
  type: always(BlockTransferMessageType.UploadBlockStream),
  blockId,
  metadata,
});
