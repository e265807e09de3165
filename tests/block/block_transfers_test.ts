import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { RpcError, RpcStoppedError } from "../../src/base/errors.ts";
import { SparkConf } from "../../src/base/spark_conf.ts";
import type { BlockFetchingListener } from "../../src/block/block_fetching_listener.ts";
import { type DownloadFile, type DownloadFileManager, SimpleDownloadFile } from "../../src/block/download_file.ts";
import { MemoryWritableFiles } from "../../src/platform/memory_writable_files.ts";
import { nodeWritableFiles } from "../../src/platform/node_writable_files.ts";
import type { ManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import { StreamManagedBuffer } from "../../src/transport/stream_managed_buffer.ts";
import { receiveUpload } from "../../src/transport/transfers.ts";
import { SparkEnv } from "../../src/spark/spark_env.ts";
import { countListeners } from "../_counted_listeners.ts";
import { makeFolder } from "../_folder.ts";
import { DEFAULT_TRANSPORT_LIMITS } from "../../src/transport/transport_limits.ts";
import { content, CountedBuffer } from "../_counted_buffer.ts";
import { type Deferred, deferred, test, type TestContext, until, untilStill, within } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";
import { bufferOf, Ear, idle, MemoryBlocks, startService, type TestService } from "./_blocks.ts";

/** A block whose first bytes come at once, and the others when the test says so. */
class SlowBlock implements ManagedBuffer {
  readonly size: number;
  readonly rest: Deferred<void> = deferred();
  holders = 1;
  /** Resolves when the rest is wanted. */
  readonly wanted: Deferred<void> = deferred();

  constructor(size = 4_000_000) {
    this.size = size;
  }

  async read(position: number, into: Uint8Array): Promise<number> {
    if (position > 0) {
      this.wanted.resolve();
      await this.rest.promise;
    }
    const count = Math.min(into.length, this.size - position, 100_000);
    into.fill(1, 0, count);
    return count;
  }

  retain(): this {
    this.holders++;
    return this;
  }

  release(): void {
    this.holders--;
  }
}

/** Temporary files in a folder of the test's. */
class TemporaryFiles implements DownloadFileManager {
  readonly folder: string;
  readonly keep: boolean;
  #count = 0;

  constructor(folder: string, keep: boolean) {
    this.folder = folder;
    this.keep = keep;
  }

  createTempFile(): DownloadFile {
    return new SimpleDownloadFile(nodeWritableFiles, join(this.folder, String(this.#count++)));
  }

  registerTempFileToClean(): boolean {
    return this.keep;
  }
}

/** A server whose blocks are slow, and its client. */
async function slowPair(context: TestContext) {
  const block = new SlowBlock();
  context.defer(() => block.rest.reject(new Error("The test is over")));
  block.rest.promise.catch(() => {});
  const blocks = Object.assign(new MemoryBlocks(), { getLocalBlockData: () => block });
  return { block, blocks, server: await startService(context, blocks), client: await startService(context) };
}

/** Waits until neither end has anything left of a transfer with a connection of its own. */
async function bothFree(...services: readonly TestService[]): Promise<void> {
  for (const service of services) {
    await idle(service);
    await until(() => service.service.stats().connections.length === 0, "the connection to close");
  }
}

test("fetchBlocks() writes blocks to files that never are in memory, and deletes those that nobody keeps", async (context) => {
  const contents = { big: content(5_000_000), small: content(10), empty: new Uint8Array(0) };
  const server = await startService(context, new MemoryBlocks(contents));
  const client = await startService(context);
  for (const keep of [true, false]) {
    const folder = await makeFolder(context);
    const sizes: Record<string, number> = {};
    const done = deferred();
    const listener: BlockFetchingListener = {
      onBlockFetchSuccess(blockId, data) {
        assertEquals(data.bytes, undefined);
        sizes[blockId] = data.size;
        if (Object.keys(sizes).length === 3) done.resolve();
      },
      onBlockFetchFailure: (_, error) => done.reject(error),
    };
    const downloadFileManager = new TemporaryFiles(folder, keep);
    client.service.fetchBlocks(server.peer, ["big", "small", "empty"], listener, { downloadFileManager });
    await within(done.promise, "the blocks");
    assertEquals(sizes, { big: 5_000_000, small: 10, empty: 0 });
    if (keep) assertEquals(new Uint8Array(await readFile(join(folder, "0"))), contents.big);
    else await within(emptied(folder), "the files to be deleted");
  }
  await idle(server);
  await idle(client);
});

test("fetchBlocks() to files has more streams at once than servers of other modules send", async (context) => {
  const ids = Array.from({ length: DEFAULT_TRANSPORT_LIMITS.maxStreams + 1 }, (_, i) => `b${i}`);
  const read = deferred();
  const blocks = new MemoryBlocks();
  blocks.getLocalBlockData = (id) => {
    if (id === ids.at(-1)) read.resolve();
    return new CountedBuffer(content(10), { gate: read.promise });
  };
  const server = await startService(context, blocks);
  const client = await startService(context);
  const ear = new Ear();
  const downloadFileManager = new TemporaryFiles(await makeFolder(context), true);
  client.service.fetchBlocks(server.peer, ids, ear, { downloadFileManager });
  await ear.count(ids.length);
  assertEquals([ear.failures, ear.blocks.size], [new Map(), ids.length]);
});

test("fetchBlocks() holds a block until what its listener promises has settled, or until it is released", async (context) => {
  const names = Array.from({ length: 8 }, (_, i) => `block_${i}`);
  const contents = Object.fromEntries(names.map((name, i) => [name, content(1_500_000 + i, i)]));
  const server = await startService(context, new MemoryBlocks(contents));
  const client = await startService(context);
  const kept = new Map<string, ManagedBuffer>();
  const looked: string[] = [];
  const allCame = deferred();
  const done = deferred();
  client.service.fetchBlocks(server.peer, names, {
    onBlockFetchSuccess(blockId, data): void | Promise<void> {
      if (kept.size + 1 + looked.length === names.length) allCame.resolve();
      if (Number(blockId.slice(-1)) % 2 === 0) return void kept.set(blockId, data.retain());
      return look(blockId, data);
    },
    onBlockFetchFailure: (_, error) => done.reject(error),
  });
  async function look(blockId: string, data: ManagedBuffer): Promise<void> {
    looked.push(blockId);
    await allCame.promise;
    assertEquals(data.bytes, contents[blockId]);
    if (looked.indexOf(blockId) === looked.length - 1) done.resolve();
    throw new Error(`Have seen ${blockId}`);
  }
  await within(done.promise, "the blocks");
  for (const [blockId, data] of kept) {
    assertEquals(data.bytes, contents[blockId]);
    data.release();
  }
  const seen = () => client.logger.lines.filter((line) => line.includes("Have seen")).length;
  await until(() => seen() === looked.length, "what the promises were rejected with to be logged");
  await idle(server);
});

test("fetchBlocks() holds a block until what its listener promises has settled, also by a promise of another library", async (context) => {
  const server = await startService(context, new MemoryBlocks({ block: content(100_000) }));
  const client = await startService(context);
  const folder = await makeFolder(context);
  const gone = deferred();
  const came = deferred();
  const promised = gone.promise.then(() => Promise.reject(new Error("Have seen it")));
  const like: unknown = { then: promised.then.bind(promised) };
  const downloadFileManager = new TemporaryFiles(folder, false);
  client.service.fetchBlocks(server.peer, ["block"], {
    onBlockFetchSuccess() {
      came.resolve();
      return like as Promise<void>;
    },
    onBlockFetchFailure: (_, error) => came.reject(error),
  }, { downloadFileManager });
  await within(came.promise, "the block");
  for (let i = 0; i < 10; i++) assertEquals((await readdir(folder)).length, 1);
  gone.resolve();
  await within(emptied(folder), "the file to be deleted");
  await until(() => client.logger.has("Have seen it"), "what the promise was rejected with to be logged");
  await idle(client);
});

test("fetchBlocks(): a listener that releases what it has not retained spoils no other block", async (context) => {
  const names = Array.from({ length: 4 }, (_, i) => `b${i}`);
  const large = Object.fromEntries(names.map((name, i) => [name, content(1_500_000, i)]));
  const server = await startService(context, new MemoryBlocks(large));
  // A chunk at a time, so that each waits for the one before it.
  const client = await startService(context, undefined, { limits: { maxOutstandingRequests: 1 } });
  const folder = await makeFolder(context);
  for (const downloadFileManager of [undefined, new TemporaryFiles(folder, false)]) {
    const told: string[] = [];
    const ended = deferred();
    client.service.fetchBlocks(server.peer, names, {
      onBlockFetchSuccess(blockId, data) {
        if (told.push(blockId) === names.length) ended.resolve();
        data.release();
      },
      onBlockFetchFailure: (_, error) => ended.reject(error),
    }, { downloadFileManager });
    await within(ended.promise, "all blocks");
    assertEquals(told.sort(), names);
    await idle(client);
    await within(emptied(folder), "the files to be deleted");
  }
  assert(client.logger.has("A file segment was released twice"));
});

test("fetchBlocks() deletes a file that its manager cannot take, and fails no block for it", async (context) => {
  const names = Array.from({ length: 4 }, (_, i) => `b${i}`);
  const large = Object.fromEntries(names.map((name) => [name, content(1_000_000)]));
  const server = await startService(context, new MemoryBlocks(large));
  const client = await startService(context);
  const files = new MemoryWritableFiles();
  const paths: string[] = [];
  const downloadFileManager: DownloadFileManager = {
    createTempFile: () => new SimpleDownloadFile(files, `/files/${paths.push(`/files/${paths.length + 1}`)}`),
    registerTempFileToClean() {
      throw new Error("Stopped already");
    },
  };
  const ear = new Ear();
  client.service.fetchBlocks(server.peer, names, ear, { downloadFileManager });
  await ear.count(names.length);
  assertEquals([[...ear.blocks.keys()].sort(), [...ear.failures]], [names, []]);
  await until(() => client.logger.has(`Cannot tidy up ${paths.at(-1)}`), "the line");
  await idle(client);
  for (const path of paths) await assertRejects(() => files.stat(path), RpcError, "No such file");
});

test("fetchBlocks() says in its log which file of a fetch that failed it cannot delete", async (context) => {
  const server = await startService(context, new MemoryBlocks({ a: content(10) }));
  const client = await startService(context);
  const downloadFileManager: DownloadFileManager = {
    createTempFile: () => ({
      path: "/files/1",
      openForWriting: () => Promise.reject(new Error("No space left")),
      delete: () => Promise.reject(new Error("Read-only now")),
    }),
    registerTempFileToClean: () => true,
  };
  const ear = new Ear();
  client.service.fetchBlocks(server.peer, ["a"], ear, { downloadFileManager });
  await ear.count(1);
  assertStringIncludes(String(ear.failures.get("a")), "No space left");
  assert(client.logger.has("Cannot tidy up /files/1"));
  await idle(client);
});

async function emptied(folder: string): Promise<void> {
  while ((await readdir(folder)).length > 0);
}

test("fetchBlock() to a file that cannot be written fails, and the connection lives", async (context) => {
  const server = await startService(context, new MemoryBlocks({ big: content(5_000_000), small: content(10) }));
  const client = await startService(context);
  const downloadFileManager = new TemporaryFiles("/nowhere/at/all", true);
  const failed = client.service.fetchBlock(server.peer, "big", { downloadFileManager });
  await within(assertRejects(() => failed, RpcError, "No such file: /nowhere/at/all/0"), "the failure");
  const block = await within(client.service.fetchBlock(server.peer, "small"), "the block");
  assertEquals(block.bytes, content(10));
  await idle(server);
  assertEquals(server.service.stats().connections.length, 1);
});

test("fetchBlock() to a file that is there already fails, and leaves that alone", async (context) => {
  const server = await startService(context, new MemoryBlocks({ big: content(5_000_000), small: content(10) }));
  const client = await startService(context);
  const folder = await makeFolder(context);
  await writeFile(join(folder, "0"), "somebody else's");
  const downloadFileManager = new TemporaryFiles(folder, true);
  const failed = client.service.fetchBlock(server.peer, "big", { downloadFileManager });
  await within(assertRejects(() => failed, RpcError, "File exists"), "the failure");
  assertEquals(await readFile(join(folder, "0"), "utf8"), "somebody else's");
  const block = await within(client.service.fetchBlock(server.peer, "small", { downloadFileManager }), "the block");
  assertEquals(block.size, 10);
  block.release();
  await idle(server);
});

test("fetchBlock() that is aborted fails with the signal's reason, and frees both ends", async (context) => {
  const folder = await makeFolder(context);
  for (const downloadFileManager of [undefined, new TemporaryFiles(folder, true)]) {
    const { block, server, client } = await slowPair(context);
    const stop = new AbortController();
    const reason = new Error("No longer wanted");
    const failed = client.service.fetchBlock(server.peer, "slow", { signal: stop.signal, downloadFileManager });
    await within(block.wanted.promise, "the first bytes");
    stop.abort(reason);
    assertEquals(await within(failed.catch((error) => error), "the failure"), reason);
    block.rest.reject(new Error("Nobody reads on"));
    await bothFree(client, server);
    await until(() => block.holders === 0, "the release");
    assertEquals(client.logger.has("Retrying"), false);
  }
  await within(emptied(folder), "the file to be deleted");
});

test("fetchBlocks() with a signal has a connection of its own until the last block, or until that aborts", async (context) => {
  const sizes = { a: 3_000_000, b: 2_000_000, c: 1_000_000 };
  const blocks = new MemoryBlocks(Object.fromEntries(Object.entries(sizes).map(([name, size]) => [name, content(size)])));
  const server = await startService(context, blocks);
  const client = await startService(context);
  const names = Object.keys(sizes);
  const connections = () => server.service.stats().connections.length;
  for (const reason of [undefined, new Error("One is enough")]) {
    const stop = new AbortController();
    const meanwhile: number[] = [];
    class Stopping extends Ear {
      override onBlockFetchSuccess(blockId: string, data: ManagedBuffer): void {
        super.onBlockFetchSuccess(blockId, data);
        meanwhile.push(connections());
        if (reason !== undefined) stop.abort(reason);
      }
    }
    const ear = new Stopping();
    client.service.fetchBlocks(server.peer, names, ear, { signal: stop.signal });
    await ear.count(3);
    assertEquals([[...ear.order].sort(), meanwhile], [names, reason === undefined ? [1, 1, 1] : [1]]);
    assertEquals([...ear.failures.values()], reason === undefined ? [] : [reason, reason]);
    await until(() => connections() === 0 && blocks.held === 0, "both ends to be free");
    assertEquals(client.logger.has("Retrying"), false);
  }
});

test("fetchBlock(), uploadBlock() and openBlock() whose signal has been aborted begin nothing", async (context) => {
  const server = await startService(context, new MemoryBlocks({ a: content(1) }));
  const client = await startService(context);
  for (const reason of [new Error("Never wanted"), "a reason that is no Error"]) {
    const aborted = AbortSignal.abort(reason);
    const data = new SlowBlock();
    const attempts = [
      client.service.fetchBlock(server.peer, "a", { signal: aborted }),
      client.service.uploadBlock(server.peer, "a", data, new Uint8Array(0), { signal: aborted }),
      new Response(client.service.openBlock(server.peer, "a", { signal: aborted })).text(),
    ];
    for (const attempt of attempts) assertEquals(await within(attempt.catch((error) => error), "the failure"), reason);
    await bothFree(client, server);
    assertEquals(data.holders, 0);
  }
});

test("fetchBlock(), uploadBlock() and openBlock() leave their signal alone once they are over", async (context) => {
  const server = await startService(context, new MemoryBlocks({ a: content(1) }));
  const client = await startService(context);
  const { signal } = new AbortController();
  const listeners = countListeners(signal);
  for (const [blockId, isThere] of [["a", true], ["b", false]] as const) {
    const fetched = client.service.fetchBlock(server.peer, blockId, { signal });
    assertEquals(await within(fetched.then(() => true, () => false), "the fetch"), isThere);
    const streamed = new Response(client.service.openBlock(server.peer, blockId, { signal })).text();
    assertEquals(await within(streamed.then(() => true, () => false), "the stream"), isThere);
  }
  const upload = client.service.uploadBlock(server.peer, "c", bufferOf(content(1)), new Uint8Array(0), { signal });
  await within(upload, "the upload");
  assertEquals(listeners(), 0);
  await bothFree(client, server);
});

test("uploadBlock() that its service ends leaves its signal alone, also while its bytes are waited for", async (context) => {
  const server = await startService(context, new MemoryBlocks());
  const { service } = await startService(context);
  const { signal } = new AbortController();
  const listeners = countListeners(signal);
  const data = new SlowBlock(10);
  const wanted = deferred();
  const rest = deferred<number>();
  const slow = Object.assign(data, { read: () => (wanted.resolve(), rest.promise) });
  const failed = assertRejects(
    () => service.uploadBlock(server.peer, "a", slow, new Uint8Array(0), { signal }),
    RpcStoppedError,
  );
  await within(wanted.promise, "the read");
  await within(service.close(), "to close");
  await within(failed, "the failure");
  assertEquals([listeners(), data.holders], [0, 1]);
  rest.resolve(10);
  await until(() => data.holders === 0, "the release");
});

test("uploadBlock() that is aborted fails with the signal's reason, and frees both ends", async (context) => {
  const { blocks, server, client } = await slowPair(context);
  const data = new SlowBlock();
  context.defer(() => data.rest.reject(new Error("The test is over")));
  data.rest.promise.catch(() => {});
  const stop = new AbortController();
  const reason = new Error("No longer wanted");
  const options = { signal: stop.signal };
  const failed = client.service.uploadBlock(server.peer, "shuffle_0_0_0", data, new Uint8Array(0), options);
  await within(data.wanted.promise, "the first bytes");
  await until(() => server.service.stats().uploads === 1, "the upload");
  stop.abort(reason);
  assertEquals(await within(failed.catch((error) => error), "the failure"), reason);
  data.rest.reject(new Error("Nobody writes on"));
  await bothFree(client, server);
  await until(() => data.holders === 0, "the release");
  assertEquals([blocks.aborted, blocks.blocks.size], [["shuffle_0_0_0"], 0]);
});

test("openBlock() that is cancelled or aborted frees both ends, and holds its sender back until then", async (context) => {
  for (const how of ["cancel", "abort"] as const) {
    const { block, server, client } = await slowPair(context);
    const stop = new AbortController();
    const reader = client.service.openBlock(server.peer, "slow", { signal: stop.signal }).getReader();
    await within(reader.read(), "the first bytes");
    await within(block.wanted.promise, "the rest to be wanted");
    const reason = new Error("No longer wanted");
    if (how === "cancel") await reader.cancel();
    else {
      stop.abort(reason);
      await within(assertRejects(() => drain(reader), Error, reason.message), "the failure");
    }
    block.rest.reject(new Error("Nobody reads on"));
    await bothFree(client, server);
    await until(() => block.holders === 0, "the release");
  }
});

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}

test("openBlock() to a reader that stalls keeps little of a large block in memory, at both ends", async (context) => {
  const size = 256 * 1024 * 1024;
  let read = 0;
  const block: ManagedBuffer = {
    size,
    read(position, into) {
      read = Math.max(read, position + into.length);
      return into.length;
    },
    retain: () => block,
    release() {},
  };
  const server = await startService(context, Object.assign(new MemoryBlocks(), { getLocalBlockData: () => block }));
  const client = await startService(context);
  const reader = client.service.openBlock(server.peer, "huge").getReader();
  await within(reader.read(), "the first bytes");
  // Whatever a system buffers for a connection, it is not this much; what is read is sent or waits to be.
  await untilStill(() => read, "the sender to stand still");
  assertEquals(read < 64 * 1024 * 1024, true, `${read} bytes were read`);
  assertEquals(server.service.stats().connections[0]!.queuedBytes < 8 * 1024 * 1024, true);
  await reader.cancel();
  await bothFree(client, server);
});

test("uploadBlock() takes an AsyncIterable, and who receives it has a ReadableStream", async (context) => {
  const size = 3_000_000;
  const all = content(size);
  const received: Uint8Array[] = [];
  const blocks = Object.assign(new MemoryBlocks(), {
    putBlockDataAsStream: (blockId: string) =>
      receiveUpload(blockId, async (bytes, byteCount) => {
        assertEquals(byteCount, size);
        received.push(new Uint8Array(await new Response(bytes).arrayBuffer()));
      }),
  });
  const server = await startService(context, blocks);
  const client = await startService(context, undefined, { conf: { "spark.network.maxRemoteBlockSizeFetchToMem": "1m" } });
  async function* pieces(length: number) {
    for (let at = 0; at < length; at += 70_000) {
      yield await Promise.resolve(all.subarray(at, Math.min(length, at + 70_000)));
    }
  }
  const upload = (length: number) =>
    client.service.uploadBlock(server.peer, "rdd_0_0", new StreamManagedBuffer(size, pieces(length)), new Uint8Array(0));
  await within(upload(size), "the upload");
  assertEquals(received, [all]);
  // A source that has less than it said costs its upload.
  await within(assertRejects(() => upload(size - 1)), "the failure");
  await bothIdle(client, server);
});

async function bothIdle(...services: readonly TestService[]): Promise<void> {
  for (const service of services) await idle(service);
}

test("A block that turns out shorter than it said fails its fetch, and nothing else of its executor", async (context) => {
  const short: ManagedBuffer = {
    size: 3_000_000,
    read: (position) => position === 0 ? 1_000 : Promise.reject(new Error("The file is shorter")),
    retain: () => short,
    release() {},
  };
  const blocks = new MemoryBlocks({ fine: content(10) });
  const original = blocks.getLocalBlockData.bind(blocks);
  Object.assign(blocks, { getLocalBlockData: (id: string) => id === "short" ? short : original(id) });
  const server = await startService(context, blocks);
  const client = await startService(context, undefined, { conf: { "spark.shuffle.io.maxRetries": "1" } });
  const ear = new Ear();
  client.service.fetchBlocks(server.peer, ["short", "fine"], ear);
  await ear.count(2);
  assertEquals([...ear.failures.keys()], ["short", "fine"]);
  const fine = await within(client.service.fetchBlock(server.peer, "fine"), "the block");
  assertEquals(fine.bytes, content(10));
  await idle(server);
  await idle(client);
});

test("fetchBlocks() that is refused some blocks leaves none open, and its connection can open others", async (context) => {
  const names = Array.from({ length: 6 }, (_, i) => `b${i}`);
  const blocks = new MemoryBlocks(Object.fromEntries(names.map((name) => [name, content(100_000)])));
  const server = await startService(context, blocks, { limits: { maxChunks: 2, maxStreams: 2 }, maxOpenBlocks: 6 });
  const { service } = await startService(context);
  const files = new TemporaryFiles(await makeFolder(context), false);
  for (const downloadFileManager of [undefined, undefined, files, files]) {
    const ear = new Ear();
    service.fetchBlocks(server.peer, names, ear, { downloadFileManager });
    await ear.count(6);
    assert(ear.failures.size > 0, "nothing was refused");
    for (const { message } of ear.failures.values()) assertStringIncludes(message, "at once on one connection");
    await idle(server);
    assertEquals([blocks.held, server.service.stats().connections.length], [0, 1]);
  }
});

test("fetchBlocks() of more chunks than a connection may wait for takes turns, and leaves no block open", async (context) => {
  const names = Array.from({ length: 6 }, (_, i) => `b${i}`);
  const server = await startService(context, new MemoryBlocks(Object.fromEntries(names.map((name) => [name, content(9)]))));
  const client = await startService(context, undefined, { limits: { maxOutstandingRequests: 4 } });
  const ears = [new Ear(), new Ear(), new Ear(), new Ear()];
  for (const ear of ears) client.service.fetchBlocks(server.peer, names, ear);
  for (const ear of ears) {
    await ear.count(6);
    assertEquals([[...ear.blocks.keys()], [...ear.failures]], [names, []]);
  }
  await idle(server);
  await idle(client);
});

test("SparkEnv carries the block service, which ends with it", async (context) => {
  const conf = new SparkConf({ "spark.driver.host": "127.0.0.1", "spark.driver.port": 0, "spark.app.id": "app-1" });
  const driver = await SparkEnv.createDriverEnv(conf, false, 1, { logger: new MemoryLogger() });
  context.defer(() => driver.stop());
  const options = { logger: new MemoryLogger() };
  const executor = await SparkEnv.createExecutorEnv(conf.clone(), "1", "127.0.0.1", "127.0.0.1", 1, undefined, false, options);
  context.defer(() => executor.stop());
  assertEquals(executor.blockTransferService.port, undefined);
  await within(executor.blockTransferService.init(new MemoryBlocks({ rdd_0_0: content(9) })), "to listen");
  const peer = { host: executor.blockTransferService.hostName, port: executor.blockTransferService.port!, execId: "1" };
  const block = await within(driver.blockTransferService.fetchBlock(peer, "rdd_0_0"), "the block");
  assertEquals(block.bytes, content(9));
  await within(
    driver.blockTransferService.uploadBlock(peer, "rdd_0_1", bufferOf(content(8)), new Uint8Array(0)),
    "the upload",
  );
  await within(executor.stop(), "the end");
  assertEquals(executor.blockTransferService.stats().connections, []);
  await within(driver.stop(), "the end");
});

test("SparkEnv whose block service makes no sense leaves nothing behind", async () => {
  const conf = new SparkConf({
    "spark.driver.host": "127.0.0.1",
    "spark.driver.port": 0,
    "spark.shuffle.io.maxRetries": "many",
  });
  const made = () => SparkEnv.createDriverEnv(conf, false, 1, { logger: new MemoryLogger() });
  await within(assertRejects(made, RangeError, "spark.shuffle.io.maxRetries"), "the refusal");
});
