/**
 * The messages about an executor's folders and the blocks in them.
 *
 * Spark: RegisterExecutor with ExecutorShuffleInfo, RemoveBlocks, BlocksRemoved, GetLocalDirsForExecutors and
 * LocalDirsForExecutors in common/network-shuffle/…/protocol.
 *
 * @module
 */

import type { ByteReader } from "../base/byte_reader.ts";
import type { ByteSink } from "../base/byte_sink.ts";
import { ProtocolError } from "../base/errors.ts";
import {
  readIntArray,
  readString,
  readStringArray,
  writeIntArray,
  writeString,
  writeStringArray,
} from "../protocol/encoders.ts";
import { BlockTransferMessageType } from "./block_transfer_message_type.ts";

/** Where an executor keeps its shuffle files. */
export interface ExecutorShuffleInfo {
  /** Its folders. */
  readonly localDirs: readonly string[];
  /** How many folders are in each of those. */
  readonly subDirsPerLocalDir: number;
  /** The class that wrote the files. */
  readonly shuffleManager: string;
}

/** Tells a shuffle service of an executor; the answer is empty. */
export interface RegisterExecutor {
  /** Which message this is. */
  readonly type: typeof BlockTransferMessageType.RegisterExecutor;
  /** The application. */
  readonly appId: string;
  /** The executor. */
  readonly execId: string;
  /** Where its files are. */
  readonly executorInfo: ExecutorShuffleInfo;
}

/** Asks a shuffle service to remove blocks; the answer is {@linkcode BlocksRemoved}. */
export interface RemoveBlocks {
  /** Which message this is. */
  readonly type: typeof BlockTransferMessageType.RemoveBlocks;
  /** The application. */
  readonly appId: string;
  /** The executor whose blocks they are. */
  readonly execId: string;
  /** Their names. */
  readonly blockIds: readonly string[];
}

/** Says how many blocks were removed. */
export interface BlocksRemoved {
  /** Which message this is. */
  readonly type: typeof BlockTransferMessageType.BlocksRemoved;
  /** How many. */
  readonly numRemovedBlocks: number;
}

/** Asks for the folders of executors on the same machine; the answer is {@linkcode LocalDirsForExecutors}. */
export interface GetLocalDirsForExecutors {
  /** Which message this is. */
  readonly type: typeof BlockTransferMessageType.GetLocalDirsForExecutors;
  /** The application. */
  readonly appId: string;
  /** The executors. */
  readonly execIds: readonly string[];
}

/** Says which folders executors have. */
export interface LocalDirsForExecutors {
  /** Which message this is. */
  readonly type: typeof BlockTransferMessageType.LocalDirsForExecutors;
  /** Their folders by executor, in the order in which they travel. */
  readonly localDirsByExec: ReadonlyMap<string, readonly string[]>;
}

/** Appends the fields of a message. */
export function writeRegisterExecutor(out: ByteSink, { appId, execId, executorInfo }: RegisterExecutor): void {
  writeString(out, appId);
  writeString(out, execId);
  writeStringArray(out, executorInfo.localDirs);
  out.writeInt32(executorInfo.subDirsPerLocalDir);
  writeString(out, executorInfo.shuffleManager);
}

/** Reads the fields of a message. */
export function readRegisterExecutor(reader: ByteReader): RegisterExecutor {
  return {
    type: BlockTransferMessageType.RegisterExecutor,
    appId: readString(reader, "application id"),
    execId: readString(reader, "executor id"),
    executorInfo: {
      localDirs: readStringArray(reader, "local folders"),
      subDirsPerLocalDir: reader.readInt32("number of folders"),
      shuffleManager: readString(reader, "shuffle manager"),
    },
  };
}

/** Appends the fields of a message. */
export function writeRemoveBlocks(out: ByteSink, message: RemoveBlocks): void {
  writeString(out, message.appId);
  writeString(out, message.execId);
  writeStringArray(out, message.blockIds);
}

/** Reads the fields of a message. */
export function readRemoveBlocks(reader: ByteReader): RemoveBlocks {
  return {
    type: BlockTransferMessageType.RemoveBlocks,
    appId: readString(reader, "application id"),
    execId: readString(reader, "executor id"),
    blockIds: readStringArray(reader, "block ids"),
  };
}

/** Appends the fields of a message. */
export function writeBlocksRemoved(out: ByteSink, { numRemovedBlocks }: BlocksRemoved): void {
  out.writeInt32(numRemovedBlocks);
}

/** Reads the fields of a message. */
export function readBlocksRemoved(reader: ByteReader): BlocksRemoved {
  return { type: BlockTransferMessageType.BlocksRemoved, numRemovedBlocks: reader.readInt32("number of blocks") };
}

/** Appends the fields of a message. */
export function writeGetLocalDirsForExecutors(out: ByteSink, { appId, execIds }: GetLocalDirsForExecutors): void {
  writeString(out, appId);
  writeStringArray(out, execIds);
}

/** Reads the fields of a message. */
export function readGetLocalDirsForExecutors(reader: ByteReader): GetLocalDirsForExecutors {
  return {
    type: BlockTransferMessageType.GetLocalDirsForExecutors,
    appId: readString(reader, "application id"),
    execIds: readStringArray(reader, "executor ids"),
  };
}

/** Appends the fields of a message. */
export function writeLocalDirsForExecutors(out: ByteSink, { localDirsByExec }: LocalDirsForExecutors): void {
  const lists = [...localDirsByExec.values()];
  writeStringArray(out, [...localDirsByExec.keys()]);
  writeIntArray(out, lists.map((dirs) => dirs.length));
  writeStringArray(out, lists.flat());
}

/** Reads the fields of a message. */
export function readLocalDirsForExecutors(reader: ByteReader): LocalDirsForExecutors {
  const start = reader.position;
  const execIds = readStringArray(reader, "executor ids");
  const counts = readIntArray(reader, "numbers of local folders");
  const dirs = readStringArray(reader, "local folders");
  const sum = counts.reduce((all, count) => count < 0 ? NaN : all + count, 0);
  if (counts.length !== execIds.length || sum !== dirs.length) {
    const message = `${execIds.length} executors have ${dirs.length} folders, but their numbers are ${
      counts.slice(0, 8).join(", ")
    }`;
    throw new ProtocolError(message, { offset: start });
  }
  const localDirsByExec = new Map<string, readonly string[]>();
  let at = 0;
  execIds.forEach((execId, i) => {
    localDirsByExec.set(execId, dirs.slice(at, at + counts[i]!));
    at += counts[i]!;
  });
  return { type: BlockTransferMessageType.LocalDirsForExecutors, localDirsByExec };
}
