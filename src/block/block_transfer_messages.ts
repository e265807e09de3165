/**
 * The messages of the block service: a byte that says which, then its fields.
 *
 * Spark: common/network-shuffle/…/protocol/BlockTransferMessage.java. Differences: every length and count is checked against the
 * bytes that are there, as everywhere in the transport; bytes behind the last field are refused, which Spark ignores. The
 * messages of pushed and merged shuffle blocks are unknown here.
 *
 * @module
 */

import { ByteSink } from "../base/byte_sink.ts";
import { ProtocolError } from "../base/errors.ts";
import { protocolReader } from "../protocol/encoders.ts";
import { BlockTransferMessageType } from "./block_transfer_message_type.ts";
import * as corruption from "./corruption_messages.ts";
import * as executor from "./executor_messages.ts";
import * as fetch from "./fetch_messages.ts";
import type { Field } from "./message_fields.ts";
import * as upload from "./upload_messages.ts";

/** Any message of the block service. */
export type BlockTransferMessage =
  | corruption.CorruptionCause
  | corruption.DiagnoseCorruption
  | executor.BlocksRemoved
  | executor.GetLocalDirsForExecutors
  | executor.LocalDirsForExecutors
  | executor.RegisterExecutor
  | executor.RemoveBlocks
  | fetch.FetchShuffleBlockChunks
  | fetch.FetchShuffleBlocks
  | fetch.OpenBlocks
  | fetch.StreamHandle
  | upload.UploadBlock
  | upload.UploadBlockStream;

/**
 * The largest message that is read, but for blocks: names of 64 bytes for the longest list. Texts are read before anybody can say that
 * nobody wants them, and one of 500 MB takes the loop for twenty seconds.
 */
export const MAX_MESSAGE_BYTES: number = 64 * 1024 * 1024;

/** The fields of each message, by its first byte. */
const MESSAGES: { readonly [T in BlockTransferMessageType]: Field<Extract<BlockTransferMessage, { readonly type: T }>> } = {
  [BlockTransferMessageType.OpenBlocks]: fetch.openBlocks,
  [BlockTransferMessageType.UploadBlock]: upload.uploadBlock,
  [BlockTransferMessageType.RegisterExecutor]: executor.registerExecutor,
  [BlockTransferMessageType.StreamHandle]: fetch.streamHandle,
  [BlockTransferMessageType.UploadBlockStream]: upload.uploadBlockStream,
  [BlockTransferMessageType.RemoveBlocks]: executor.removeBlocks,
  [BlockTransferMessageType.BlocksRemoved]: executor.blocksRemoved,
  [BlockTransferMessageType.FetchShuffleBlocks]: fetch.fetchShuffleBlocks,
  [BlockTransferMessageType.GetLocalDirsForExecutors]: executor.getLocalDirsForExecutors,
  [BlockTransferMessageType.LocalDirsForExecutors]: executor.localDirsForExecutors,
  [BlockTransferMessageType.FetchShuffleBlockChunks]: fetch.fetchShuffleBlockChunks,
  [BlockTransferMessageType.DiagnoseCorruption]: corruption.diagnoseCorruption,
  [BlockTransferMessageType.CorruptionCause]: corruption.corruptionCause,
};

/** The fields of the messages that begin with the byte `type`; undefined if there are none. */
function fieldsOf(type: number): Field<BlockTransferMessage> | undefined {
  return MESSAGES[type as BlockTransferMessageType];
}

/** The first byte is none of a message; Spark: IllegalArgumentException. */
export class UnknownMessageTypeError extends ProtocolError {
  /** The class's name; kept when code is minified. */
  override readonly name: string = "UnknownMessageTypeError";
}

/** Appends a message to `out`. Spark: encode. */
export function writeBlockTransferMessage(out: ByteSink, message: BlockTransferMessage): void {
  out.writeUint8(message.type);
  fieldsOf(message.type)!.write(out, message);
}

/** The bytes of a message. Spark: toByteBuffer. */
export function encodeBlockTransferMessage(message: BlockTransferMessage): Uint8Array {
  const out = new ByteSink(256);
  writeBlockTransferMessage(out, message);
  return out.view();
}

/**
 * Reads a message. Spark: Decoder.fromByteBuffer.
 *
 * @param bytes All of it; byte arrays in the message are views of them.
 * @throws UnknownMessageTypeError `Unknown message type: <n>`; ProtocolError if a length or a count is negative or larger than
 * what is there, if a list or the message is too long, or if bytes are left over.
 */
export function decodeBlockTransferMessage(bytes: Uint8Array): BlockTransferMessage {
  const reader = protocolReader(bytes);
  const type = reader.readUint8("message type");
  const fields = fieldsOf(type);
  // Spark has a signed byte.
  if (fields === undefined) throw new UnknownMessageTypeError(`Unknown message type: ${type << 24 >> 24}`, { offset: 0 });
  if (bytes.length > MAX_MESSAGE_BYTES && type !== BlockTransferMessageType.UploadBlock) {
    const error = `A block message of type ${type} has ${bytes.length} bytes`;
    throw new ProtocolError(error, { offset: 0, limit: MAX_MESSAGE_BYTES });
  }
  const message = fields.read(reader);
  if (reader.remaining > 0) {
    const error = `${reader.remaining} bytes are left over behind a block message of type ${type}`;
    throw new ProtocolError(error, { offset: reader.position });
  }
  return message;
}
