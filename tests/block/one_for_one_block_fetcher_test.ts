import { assertEquals, assertThrows } from "@std/assert";
import { setTimeout } from "node:timers/promises";
import { RpcError } from "../../src/base/errors.ts";
import { MessageBody } from "../../src/base/message_body.ts";
import { BlockTransferMessageType } from "../../src/block/block_transfer_message_type.ts";
import {
  type BlockTransferMessage,
  decodeBlockTransferMessage,
  encodeBlockTransferMessage,
} from "../../src/block/block_transfer_messages.ts";
import { MAX_CHUNKS_ON_THEIR_WAY, MAX_FILES_ON_THEIR_WAY } from "../../src/block/chunk_turns.ts";
import type { DownloadFile, DownloadFileManager } from "../../src/block/download_file.ts";
import { makeFetchRequest } from "../../src/block/fetch_request.ts";
import { type FetchingClient, OneForOneBlockFetcher } from "../../src/block/one_for_one_block_fetcher.ts";
import type { ManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import { ByteSink } from "../../src/base/byte_sink.ts";
import { writeContent } from "../../src/transport/rpc_response_callback.ts";
import { deferred, test, until } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";

const Type = BlockTransferMessageType;
const parties = { appId: "app-id", execId: "exec-id" } as const;

/** What the server has for each block; a failure where it has none. */
type Blocks = readonly (readonly [blockId: string, block: Uint8Array | undefined])[];

interface Fetched {
  /** What was asked for. */
  readonly message: BlockTransferMessage | undefined;
  readonly heard: string[];
}

interface FetchOptions {
  readonly useOldFetchProtocol?: boolean;
  /** What the server answers; a stream of as many chunks as there are blocks if left out. */
  readonly answer?: Uint8Array | Error;
  readonly downloadFileManager?: DownloadFileManager;
  readonly ids?: readonly string[];
  /** What the listener promises of a block that it has. */
  readonly taken?: ReadonlyMap<string, Promise<void>>;
  readonly logger?: MemoryLogger;
}

/** Fetches from a server that answers within the call. */
function fetchBlocks(blocks: Blocks, options: FetchOptions = {}): Fetched {
  const heard: string[] = [];
  let message: BlockTransferMessage | undefined;
  let expected = 0;
  const handle = { type: Type.StreamHandle, streamId: 123n, numChunks: blocks.length };
  const take = (streamId: bigint, index: number) => {
    assertEquals([streamId, index], [123n, expected++]);
    return blocks[index]![1];
  };
  const client: FetchingClient = {
    sendRpc(content, callback) {
      const out = new ByteSink();
      writeContent(content, out);
      message = decodeBlockTransferMessage(out.view());
      const answer = options.answer ?? encodeBlockTransferMessage(handle);
      if (answer instanceof Error) callback.onFailure(answer);
      else callback.onSuccess(MessageBody.of(answer));
      return 1;
    },
    fetchChunk(streamId, index, callback) {
      const block = take(streamId, index);
      if (block === undefined) callback.onFailure(index, new Error(`Failed ${index}`));
      else callback.onSuccess(index, MessageBody.of(block));
    },
    stream(name, callback) {
      const [streamId, index] = name.split("_");
      const block = take(BigInt(streamId!), Number(index));
      if (block === undefined) return callback.onFailure(name, new Error(`Failed ${index}`));
      callback.onStart?.(name, block.length);
      for (const half of [block.subarray(0, block.length >> 1), block.subarray(block.length >> 1)]) {
        if (half.length > 0) callback.onData(name, half, true, { pause() {}, resume() {} });
      }
      callback.onComplete(name);
    },
  };
  const listener = {
    onBlockFetchSuccess(blockId: string, data: ManagedBuffer) {
      heard.push(`${blockId}: ${data.size}`);
      return options.taken?.get(blockId);
    },
    onBlockFetchFailure: (blockId: string, error: Error) => void heard.push(`${blockId} failed: ${error.message}`),
  };
  const ids = options.ids ?? blocks.map(([blockId]) => blockId);
  const request = makeFetchRequest(parties, ids, options.useOldFetchProtocol);
  const { downloadFileManager, logger = new MemoryLogger() } = options;
  new OneForOneBlockFetcher(client, request, listener, { downloadFileManager, logger }).start();
  return { message, heard };
}

function shuffleMessage(mapIds: readonly bigint[], reduceIds: readonly (readonly number[])[], batchFetchEnabled = false) {
  return { type: Type.FetchShuffleBlocks, ...parties, shuffleId: 0, mapIds, reduceIds, batchFetchEnabled };
}

const bytes = (length: number) => new Uint8Array(length);

// Spark: OneForOneBlockFetcherSuite "testFetchOne".
test("OneForOneBlockFetcher fetches one block", () => {
  const { heard, message } = fetchBlocks([["shuffle_0_0_0", bytes(0)]]);
  assertEquals(heard, ["shuffle_0_0_0: 0"]);
  assertEquals(message, shuffleMessage([0n], [[0]]));
});

// Spark: OneForOneBlockFetcherSuite "testUseOldProtocol".
test("OneForOneBlockFetcher asks by name if told to", () => {
  const { heard, message } = fetchBlocks([["shuffle_0_0_0", bytes(0)]], { useOldFetchProtocol: true });
  assertEquals(heard, ["shuffle_0_0_0: 0"]);
  assertEquals(message, { type: Type.OpenBlocks, ...parties, blockIds: ["shuffle_0_0_0"] });
  for (const [ids, useOld] of [[["shuffleChunk_0_0_0_0"], true], [["shuffle_0_0_0", "rdd_0_0"], false]] as const) {
    assertEquals(makeFetchRequest(parties, ids, useOld).message, { type: Type.OpenBlocks, ...parties, blockIds: ids });
  }
});

// Spark: OneForOneBlockFetcherSuite "testFetchThreeShuffleBlocks".
test("OneForOneBlockFetcher asks for shuffle blocks by number", () => {
  const { heard, message } = fetchBlocks([["shuffle_0_0_0", bytes(12)], ["shuffle_0_0_1", bytes(23)], [
    "shuffle_0_0_2",
    bytes(23),
  ]]);
  assertEquals(heard, ["shuffle_0_0_0: 12", "shuffle_0_0_1: 23", "shuffle_0_0_2: 23"]);
  assertEquals(message, shuffleMessage([0n], [[0, 1, 2]]));
});

// Spark: OneForOneBlockFetcherSuite "testBatchFetchThreeShuffleBlocks".
test("OneForOneBlockFetcher asks for a batch by its ends", () => {
  const { heard, message } = fetchBlocks([["shuffle_0_0_0_3", bytes(58)]]);
  assertEquals(heard, ["shuffle_0_0_0_3: 58"]);
  assertEquals(message, shuffleMessage([0n], [[0, 3]], true));
});

// Spark: OneForOneBlockFetcherSuite "testFetchThree".
test("OneForOneBlockFetcher asks for other blocks by name", () => {
  const { heard, message } = fetchBlocks([["b0", bytes(12)], ["b1", bytes(23)], ["b2", bytes(23)]]);
  assertEquals(heard, ["b0: 12", "b1: 23", "b2: 23"]);
  assertEquals(message, { type: Type.OpenBlocks, ...parties, blockIds: ["b0", "b1", "b2"] });
});

// Spark: OneForOneBlockFetcherSuite "testFailure".
test("OneForOneBlockFetcher fails those behind a chunk that fails", () => {
  const { heard } = fetchBlocks([["b0", bytes(12)], ["b1", undefined], ["b2", undefined]]);
  assertEquals(heard, ["b0: 12", "b1 failed: Failed 1", "b2 failed: Failed 1", "b2 failed: Failed 2"]);
});

test("OneForOneBlockFetcher fails each block once if its chunks fail from the last to the first", () => {
  const ids = Array.from({ length: 1_000 }, (_, i) => `b${i}`);
  const waiting: (() => void)[] = [];
  const client: FetchingClient = {
    sendRpc(_, callback) {
      const handle = { type: Type.StreamHandle, streamId: 1n, numChunks: ids.length };
      callback.onSuccess(MessageBody.of(encodeBlockTransferMessage(handle)));
      return 1;
    },
    fetchChunk: (_, index, callback) => void waiting.push(() => callback.onFailure(index, new Error(`Failed ${index}`))),
    stream() {},
  };
  const heard: string[] = [];
  const listener = { onBlockFetchSuccess() {}, onBlockFetchFailure: (blockId: string) => void heard.push(blockId) };
  new OneForOneBlockFetcher(client, makeFetchRequest(parties, ids), listener, { logger: new MemoryLogger() }).start();
  while (waiting.length > 0) waiting.pop()!();
  assertEquals([heard.length, new Set(heard).size], [ids.length, ids.length]);
});

// Spark: OneForOneBlockFetcherSuite "testFailureAndSuccess".
test("OneForOneBlockFetcher may tell of a block that comes after all", () => {
  const { heard } = fetchBlocks([["b0", bytes(12)], ["b1", undefined], ["b2", bytes(21)]]);
  assertEquals(heard, ["b0: 12", "b1 failed: Failed 1", "b2 failed: Failed 1", "b2: 21"]);
});

// Spark: OneForOneBlockFetcherSuite "testEmptyBlockFetch".
test("OneForOneBlockFetcher wants blocks", () => {
  assertThrows(() => fetchBlocks([]), RangeError, "Zero-sized blockIds array");
});

// Spark: OneForOneBlockFetcherSuite "testFetchShuffleBlocksOrder".
test("OneForOneBlockFetcher takes map tasks in the order in which they were named first", () => {
  const { heard, message } = fetchBlocks([["shuffle_0_0_0", bytes(1)], ["shuffle_0_2_1", bytes(2)], [
    "shuffle_0_10_2",
    bytes(3),
  ]]);
  assertEquals(heard, ["shuffle_0_0_0: 1", "shuffle_0_2_1: 2", "shuffle_0_10_2: 3"]);
  assertEquals(message, shuffleMessage([0n, 2n, 10n], [[0], [1], [2]]));
});

test("OneForOneBlockFetcher knows in which order the chunks of mixed map tasks come", () => {
  const ids = ["shuffle_0_5_0", "shuffle_0_1_0", "shuffle_0_5_1"];
  const { heard, message } = fetchBlocks([["", bytes(50)], ["", bytes(51)], ["", bytes(10)]], { ids });
  assertEquals(heard, ["shuffle_0_5_0: 50", "shuffle_0_5_1: 51", "shuffle_0_1_0: 10"]);
  assertEquals(message, shuffleMessage([5n, 1n], [[0, 1], [0]]));
});

// Spark: OneForOneBlockFetcherSuite "testBatchFetchShuffleBlocksOrder".
test("OneForOneBlockFetcher takes batches in order, two of one map task too", () => {
  const ids = ["shuffle_0_0_1_2", "shuffle_0_2_2_3", "shuffle_0_10_3_4", "shuffle_0_2_7_9"];
  const { heard, message } = fetchBlocks(ids.map((id, i) => [id, bytes(i)]));
  assertEquals(heard, ids.map((id, i) => `${id}: ${i}`));
  assertEquals(message, shuffleMessage([0n, 2n, 10n, 2n], [[1, 2], [2, 3], [3, 4], [7, 9]], true));
});

// Spark: OneForOneBlockFetcherSuite "testShuffleBlockChunksFetch".
test("OneForOneBlockFetcher asks for chunks of merged blocks", () => {
  const ids = ["shuffleChunk_0_0_0_0", "shuffleChunk_0_0_0_1", "shuffleChunk_0_0_0_2"];
  const { heard, message } = fetchBlocks(ids.map((id, i) => [id, bytes(i)]));
  assertEquals(heard, ids.map((id, i) => `${id}: ${i}`));
  const numbers = { shuffleId: 0, shuffleMergeId: 0, reduceIds: [0], chunkIds: [[0, 1, 2]] };
  assertEquals(message, { type: Type.FetchShuffleBlockChunks, ...parties, ...numbers });
});

// Spark: OneForOneBlockFetcherSuite "testShuffleBlockChunkFetchFailure".
test("OneForOneBlockFetcher fails the chunks of merged blocks behind one that fails", () => {
  const ids = ["shuffleChunk_0_0_0_0", "shuffleChunk_0_0_0_1", "shuffleChunk_0_0_0_2"];
  const { heard } = fetchBlocks([[ids[0]!, bytes(12)], [ids[1]!, undefined], [ids[2]!, bytes(23)]]);
  assertEquals(heard, [`${ids[0]}: 12`, `${ids[1]} failed: Failed 1`, `${ids[2]} failed: Failed 1`, `${ids[2]}: 23`]);
});

// Spark: OneForOneBlockFetcherSuite "testInvalidShuffleBlockIds".
test("OneForOneBlockFetcher refuses names of shuffle blocks that are none", () => {
  const wrong: readonly (readonly [ids: string[], text: string])[] = [
    [["shuffle_0_0"], "Unexpected shuffle block id format: shuffle_0_0"],
    [["shuffleChunk_0_0_0_0_0"], "Unexpected shuffle block id format: shuffleChunk_0_0_0_0_0"],
    [["shuffleChunk_0_0_0"], "Unexpected shuffle block id format: shuffleChunk_0_0_0"],
    [["shuffle_0_0_0", "shuffle_1_0_0"], "Expected shuffleId=0, got:shuffle_1_0_0"],
    [["shuffle_0_0_0", "shuffle_0_0_1_2"], "Unexpected shuffle block id format: shuffle_0_0_1_2"],
    [["shuffle_0_0_0_1", "shuffle_0_0_1"], "Unexpected shuffle block id format: shuffle_0_0_1"],
    [
      ["shuffleChunk_0_1_0_0", "shuffleChunk_0_2_0_0"],
      "Expected shuffleId = 0 and shuffleMergeId = 1 but got shuffleChunk_0_2_0_0",
    ],
    [
      ["shuffleChunk_0_1_0_0", "shuffleChunk_1_1_0_0"],
      "Expected shuffleId = 0 and shuffleMergeId = 1 but got shuffleChunk_1_1_0_0",
    ],
  ];
  for (const [ids, text] of wrong) assertThrows(() => makeFetchRequest(parties, ids), RangeError, text);
});

test("OneForOneBlockFetcher asks for every chunk, however many fail, and tells of each failure twice at most", () => {
  const names = Array.from({ length: 3_000 }, (_, i) => `b${i}`);
  const { heard } = fetchBlocks(names.map((name, i) => [name, i === 2_999 ? bytes(1) : undefined]));
  assertEquals(heard.length, 3_000 + 2_998 + 1);
  assertEquals(heard.at(-1), "b2999: 1");
});

test("OneForOneBlockFetcher fails all when the stream cannot be opened, or is not what was asked for", () => {
  const answers: readonly (readonly [answer: Uint8Array | Error, text: string])[] = [
    [new Error("No such application"), "No such application"],
    [new Uint8Array(0), "The answer to a fetch is corrupt: message type needs 1 bytes, but 0 are left"],
    [Uint8Array.of(3, 0), "The answer to a fetch is corrupt: stream id needs 8 bytes, but 1 are left"],
    [Uint8Array.of(77), "The answer to a fetch is corrupt: Unknown message type: 77"],
    [encodeBlockTransferMessage({ type: Type.BlocksRemoved, numRemovedBlocks: 1 }), "no stream, but a message of type 8"],
    [
      encodeBlockTransferMessage({ type: Type.StreamHandle, streamId: 1n, numChunks: 1 }),
      "2 blocks were asked for, but the stream has 1",
    ],
    [encodeBlockTransferMessage({ type: Type.StreamHandle, streamId: 1n, numChunks: -1 }), "the stream has -1"],
    [
      encodeBlockTransferMessage({ type: Type.StreamHandle, streamId: 1n, numChunks: 2 ** 31 - 1 }),
      "the stream has 2147483647",
    ],
  ];
  for (const [answer, text] of answers) {
    const { heard } = fetchBlocks([["b0", bytes(1)], ["b1", bytes(1)]], { answer });
    assertEquals(
      heard.map((line) => [line.slice(0, 9), line.endsWith(text)]),
      [["b0 failed", true], ["b1 failed", true]],
      heard[0],
    );
  }
});

/** A connection over which a stream of so many chunks was opened. */
function opened(numChunks: number, calls: Partial<FetchingClient>): FetchingClient {
  return {
    sendRpc(_, callback) {
      callback.onSuccess(MessageBody.of(encodeBlockTransferMessage({ type: Type.StreamHandle, streamId: 1n, numChunks })));
      return 1;
    },
    fetchChunk() {},
    stream() {},
    ...calls,
  };
}

test("OneForOneBlockFetcher fails the rest when a chunk cannot be asked for", () => {
  const heard: string[] = [];
  const callbacks: ((index: number) => void)[] = [];
  const client = opened(3, {
    fetchChunk(_streamId, index, callback) {
      if (index > 0) throw new RpcError("OVERLOADED", "Too many chunks");
      callbacks.push(() => callback.onSuccess(index, MessageBody.of(bytes(5))));
    },
  });
  const listener = {
    onBlockFetchSuccess: (blockId: string) => void heard.push(blockId),
    onBlockFetchFailure: (blockId: string, error: Error) => void heard.push(`${blockId} failed: ${error.message}`),
  };
  new OneForOneBlockFetcher(client, makeFetchRequest(parties, ["a", "b", "c"]), listener, { logger: new MemoryLogger() })
    .start();
  for (const [index, succeed] of callbacks.entries()) succeed(index);
  assertEquals(heard, ["a", "b failed: Too many chunks", "c failed: Too many chunks"]);
});

test("OneForOneBlockFetcher asks for no more than 1,024 chunks before the first has come", () => {
  const waiting: (() => void)[] = [];
  let heard = 0;
  const numChunks = 3_000;
  const client = opened(numChunks, {
    fetchChunk: (_streamId, index, callback) => void waiting.push(() => callback.onSuccess(index, MessageBody.of(bytes(1)))),
  });
  const ids = Array.from({ length: numChunks }, (_, i) => `b${i}`);
  const listener = { onBlockFetchSuccess: () => void heard++, onBlockFetchFailure() {} };
  new OneForOneBlockFetcher(client, makeFetchRequest(parties, ids), listener, { logger: new MemoryLogger() }).start();
  assertEquals(waiting.length, 1_024);
  for (let i = 0; i < waiting.length; i++) waiting[i]!();
  assertEquals([heard, waiting.length], [numChunks, numChunks]);
});

test("OneForOneBlockFetcher asks for no more chunks of a connection than its far end lets wait, whoever fetches them", () => {
  const waiting: (() => void)[] = [];
  const numChunks = 1_000;
  const client = opened(numChunks, {
    fetchChunk: (_streamId, index, callback) => void waiting.push(() => callback.onSuccess(index, MessageBody.of(bytes(1)))),
  });
  const ids = Array.from({ length: numChunks }, (_, i) => `b${i}`);
  const heard = Array.from({ length: 40 }, () => 0);
  for (const which of heard.keys()) {
    const listener = { onBlockFetchSuccess: () => void heard[which]!++, onBlockFetchFailure() {} };
    new OneForOneBlockFetcher(client, makeFetchRequest(parties, ids), listener, { logger: new MemoryLogger() }).start();
  }
  assertEquals(waiting.length, MAX_CHUNKS_ON_THEIR_WAY);
  // Each that comes makes room for one.
  waiting[0]!();
  assertEquals(waiting.length, MAX_CHUNKS_ON_THEIR_WAY + 1);
  for (let i = 1; i < waiting.length; i++) waiting[i]!();
  assertEquals(heard, heard.map(() => numChunks));
});

test("OneForOneBlockFetcher waits for room that another's blocks take, whether one or both go into files", async () => {
  const under: (() => void)[] = [];
  const full = 10;
  let open = 0;
  /** The limits of the connection are those of both. */
  const ask = (come: () => void): void => {
    if (open === full) throw new RpcError("OVERLOADED", "Too much is queued");
    open++;
    under.push(() => {
      open--;
      come();
    });
  };
  const numChunks = 20;
  const client = opened(numChunks, {
    fetchChunk: (_streamId, index, callback) => ask(() => callback.onSuccess(index, MessageBody.of(bytes(1)))),
    stream: (name, callback) =>
      ask(() => {
        callback.onStart?.(name, 0);
        callback.onComplete(name);
      }),
  });
  const ids = Array.from({ length: numChunks }, (_, i) => `b${i}`);
  const files = new NotedFiles(true);
  const heard: string[] = [];
  const kinds = [files, undefined, files, undefined, undefined];
  for (const [which, downloadFileManager] of kinds.entries()) {
    const listener = {
      onBlockFetchSuccess: () => void heard.push(`success ${which}`),
      onBlockFetchFailure: () => void heard.push(`failure ${which}`),
    };
    new OneForOneBlockFetcher(client, makeFetchRequest(parties, ids), listener, {
      downloadFileManager,
      logger: new MemoryLogger(),
    })
      .start();
  }
  for (let i = 0; i < kinds.length * numChunks; i++) {
    await until(() => i < under.length, "the next one to be asked for");
    under[i]!();
  }
  await until(() => heard.length === kinds.length * numChunks, "the blocks");
  assertEquals(heard.filter((line) => line.startsWith("failure")), []);
});

/** Files in memory that note what is done to them. */
class NotedFiles implements DownloadFileManager {
  readonly notes: string[] = [];
  readonly keep: boolean;
  closeAndReadFails = false;
  #count = 0;

  constructor(keep: boolean) {
    this.keep = keep;
  }

  createTempFile(): DownloadFile {
    const name = `file${this.#count++}`;
    const { notes } = this;
    const fails = () => this.closeAndReadFails;
    let size = 0;
    const data = (): ManagedBuffer => ({
      size,
      read: () => 0,
      retain: () => data(),
      release: () => void notes.push(`${name} released`),
    });
    return {
      path: name,
      openForWriting(byteCount) {
        notes.push(`${name} opened for ${byteCount}`);
        return Promise.resolve({
          write: (chunk) => Promise.resolve(void (size += chunk.length)),
          closeAndRead: () => fails() ? Promise.reject(new Error("Cannot read")) : Promise.resolve(data()),
          close: () => Promise.resolve(void notes.push(`${name} closed`)),
        });
      },
      delete: () => Promise.resolve(void notes.push(`${name} deleted`)),
    };
  }

  registerTempFileToClean(): boolean {
    return this.keep;
  }
}

test("OneForOneBlockFetcher asks for no more blocks into files than a process can have open, whoever fetches them", async () => {
  const waiting: (() => void)[] = [];
  const numChunks = 200;
  const client = opened(numChunks, {
    stream(name, callback) {
      waiting.push(() => {
        callback.onStart?.(name, 0);
        callback.onComplete(name);
      });
    },
  });
  const downloadFileManager = new NotedFiles(true);
  const ids = Array.from({ length: numChunks }, (_, i) => `b${i}`);
  const heard = [0, 0, 0];
  for (const which of heard.keys()) {
    const listener = { onBlockFetchSuccess: () => void heard[which]!++, onBlockFetchFailure() {} };
    const options = { downloadFileManager, logger: new MemoryLogger() };
    new OneForOneBlockFetcher(client, makeFetchRequest(parties, ids), listener, options).start();
  }
  assertEquals(waiting.length, MAX_FILES_ON_THEIR_WAY);
  for (let i = 0; i < heard.length * numChunks; i++) {
    await until(() => i < waiting.length, "the next one to be asked for");
    waiting[i]!();
  }
  await until(() => heard.every((count) => count === numChunks), "the blocks");
});

test("OneForOneBlockFetcher writes blocks to files, and deletes those that nobody keeps", async () => {
  for (const keep of [true, false]) {
    const files = new NotedFiles(keep);
    const { heard } = fetchBlocks([["b0", bytes(12)], ["b1", bytes(0)]], { downloadFileManager: files });
    const expected = ["file0 opened for 12", "file1 opened for 0", "file0 released", "file1 released"];
    if (!keep) expected.push("file0 deleted", "file1 deleted");
    await until(() => files.notes.length >= expected.length, "the files");
    assertEquals([heard.sort(), files.notes.sort()], [["b0: 12", "b1: 0"], expected.sort()]);
  }
});

test("OneForOneBlockFetcher keeps a block until its listener has done with it, also where that fails", async () => {
  const files = new NotedFiles(false);
  const logger = new MemoryLogger();
  const [one, other] = [deferred(), deferred()];
  const taken = new Map([["b0", one.promise], ["b1", other.promise]]);
  const { heard } = fetchBlocks([["b0", bytes(1)], ["b1", bytes(2)]], { downloadFileManager: files, taken, logger });
  await until(() => heard.length === 2, "the blocks");
  await setTimeout();
  const notes = ["file0 opened for 1", "file1 opened for 2"];
  assertEquals(files.notes, notes);
  one.resolve();
  await until(() => files.notes.length === 4, "the first to be released");
  assertEquals(files.notes, [...notes, "file0 released", "file0 deleted"]);
  other.reject(new Error("Cannot merge it"));
  await until(() => files.notes.length === 6, "the other to be released");
  assertEquals(files.notes.slice(4), ["file1 released", "file1 deleted"]);
  assertEquals(logger.lines, ["error: Error in block fetch callback (Cannot merge it)"]);
});

// Spark: OneForOneBlockFetcherSuite "testFetchToDiskClosesAndDeletesTempFileWhenCloseAndReadFails".
test("OneForOneBlockFetcher closes and deletes a file that cannot be read back", async () => {
  const files = new NotedFiles(true);
  files.closeAndReadFails = true;
  const { heard } = fetchBlocks([["b0", bytes(12)]], { downloadFileManager: files });
  await until(() => heard.length === 1, "the failure");
  assertEquals(heard, ["b0 failed: Cannot read"]);
  assertEquals(files.notes, ["file0 opened for 12", "file0 closed", "file0 deleted"]);
});

test("OneForOneBlockFetcher leaves no file of a block that does not come, and makes none for what never began", async () => {
  const files = new NotedFiles(true);
  const { heard } = fetchBlocks([["b0", undefined], ["b1", bytes(3)]], { downloadFileManager: files });
  await until(() => heard.length === 3, "the end");
  assertEquals(heard.sort(), ["b0 failed: Failed 0", "b1 failed: Failed 0", "b1: 3"]);
  assertEquals(files.notes, ["file0 opened for 3", "file0 released"]);
});
