/**
 * The messages about an executor's folders and the blocks in them.
 *
 * Spark: RegisterExecutor with ExecutorShuffleInfo, RemoveBlocks, BlocksRemoved, GetLocalDirsForExecutors and
 * LocalDirsForExecutors in common/network-shuffle/…/protocol.
 *
 * @module
 */

import { ProtocolError } from "../base/errors.ts";
import { readIntArray, readStringArray, writeIntArray, writeStringArray } from "../protocol/encoders.ts";
import { KeyCollisions } from "../serializer/key_collisions.ts";
import { BlockTransferMessageType } from "./block_transfer_message_type.ts";
import { always, appId, execId, type Field, int, record, text, texts } from "./message_fields.ts";

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

/** The fields of a message. */
export const registerExecutor: Field<RegisterExecutor> = record({
  type: always(BlockTransferMessageType.RegisterExecutor),
  appId,
  execId,
  executorInfo: record({
    localDirs: texts("local folders"),
    subDirsPerLocalDir: int("number of folders"),
    shuffleManager: text("shuffle manager"),
  }),
});

/** The fields of a message. */
export const removeBlocks: Field<RemoveBlocks> = record({
  type: always(BlockTransferMessageType.RemoveBlocks),
  appId,
  execId,
  blockIds: texts("block ids"),
});

/** The fields of a message. */
export const blocksRemoved: Field<BlocksRemoved> = record({
  type: always(BlockTransferMessageType.BlocksRemoved),
  numRemovedBlocks: int("number of blocks"),
});

/** The fields of a message. */
export const getLocalDirsForExecutors: Field<GetLocalDirsForExecutors> = record({
  type: always(BlockTransferMessageType.GetLocalDirsForExecutors),
  appId,
  execIds: texts("executor ids"),
});

/** Executors, how many folders each has, and all their folders. */
const localDirsByExec: Field<LocalDirsForExecutors["localDirsByExec"]> = {
  write(out, dirsByExec) {
    const lists = [...dirsByExec.values()];
    writeStringArray(out, [...dirsByExec.keys()]);
    writeIntArray(out, lists.map((dirs) => dirs.length));
    writeStringArray(out, lists.flat());
  },
  read(reader) {
    const start = reader.position;
    const execIds = readStringArray(reader, "executor ids");
    const counts = readIntArray(reader, "numbers of local folders");
    const dirs = readStringArray(reader, "local folders");
    const sum = counts.reduce((all, count) => count < 0 ? NaN : all + count, 0);
    if (counts.length !== execIds.length || sum !== dirs.length) {
      const shown = counts.slice(0, 8).join(", ");
      const message = `${execIds.length} executors have ${dirs.length} folders, but their numbers are ${shown}`;
      throw new ProtocolError(message, { offset: start });
    }
    const dirsByExec = new Map<string, readonly string[]>();
    const collisions = new KeyCollisions(dirsByExec);
    let at = 0;
    for (const [i, execId] of execIds.entries()) {
      dirsByExec.set(execId, dirs.slice(at, at += counts[i]!));
      collisions.check(execId, { fail: (message) => new ProtocolError(message, { offset: start }) });
    }
    return dirsByExec;
  },
};

/** The fields of a message. */
export const localDirsForExecutors: Field<LocalDirsForExecutors> = record({
  type: always(BlockTransferMessageType.LocalDirsForExecutors),
  localDirsByExec,
});
