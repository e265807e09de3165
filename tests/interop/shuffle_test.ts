import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects } from "@std/assert";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type BlockDataManager,
  BytesManagedBuffer,
  DiskBlockManager,
  type MergedBlock,
  noOpRpcHandler,
  receiveUpload,
  RpcError,
  type RpcHandler,
  RpcRemoteError,
  silentLogger,
  SimpleDownloadFile,
  SparkConf,
  StreamError,
  type TransportClient,
  TransportConf,
  TransportContext,
} from "../../mod.ts";
import { nodeWritableFiles } from "../../src/platform/node_writable_files.ts";
import { runExample, whyNot } from "../examples/_example.ts";
import { makeFolder } from "../_folder.ts";
import { pattern } from "../_vectors.ts";
import { deferred, fromHex, test, type TestContext, toHex, until, within } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";
import { DEADLINE_MS, described, fetchAll, makeService, readBlock, shuffleBlocks } from "./_blocks.ts";
import { sha256 } from "./_notation.ts";
import { skip, Spark, sparkVersion, type ThrowableNotation } from "./_spark.ts";

// Shuffle services, which need no SparkContext: those of a Spark, and a Spark's clients of ours.

const BLOCKS = "examples/blocks.ts";
const SHUFFLE_MANAGER = "org.apache.spark.shuffle.sort.SortShuffleManager";

/** A Spark, its client of shuffle services, and one that it serves. */
interface Service {
  readonly spark: Spark;
  readonly there: { readonly host: string; readonly port: number };
}

/** What a Spark is asked to do with a service. */
function client(spark: Spark, there: object, op: string, details: object = {}): Promise<unknown> {
  return spark.command(`client.${op}`, { ...there, ...details }, DEADLINE_MS);
}

async function startClient(context: TestContext, conf: Readonly<Record<string, string>> = {}): Promise<Spark> {
  const spark = await Spark.open(context);
  await spark.command("createClient", { appId: "app-1", conf });
  return spark;
}

async function startService(context: TestContext, details: object = {}): Promise<Service> {
  const spark = await startClient(context);
  const { port } = await spark.command("startShuffleService", details) as { port: number };
  return { spark, there: { host: "127.0.0.1", port } };
}

/** The same, which knows an executor with this folder. */
async function startServiceOf(context: TestContext, folders: readonly string[], details: object = {}): Promise<Service> {
  const service = await startService(context, details);
  await client(service.spark, service.there, "register", { folders, shuffleManager: SHUFFLE_MANAGER });
  return service;
}

test("blocks are fetched from an external shuffle service, by examples/blocks.ts too", async (context) => {
  const folder = await makeFolder(context);
  const maps = [[10, 0, 3_000_000], [70_000, 5, 1]];
  const { spark, there } = await startServiceOf(context, [folder]);
  await spark.command("writeShuffle", { folder, maps, rdd: "rdd_4_0", rddLength: 80_000 });
  const service = await makeService(context, { "spark.shuffle.io.maxRetries": "0" }, { appId: "app-1" });
  const peer = { ...there, execId: "1" };
  const blocks = shuffleBlocks(maps);
  const found = await fetchAll(service, peer, [...blocks.keys()]);
  for (const [blockId, expected] of blocks) {
    const bytes = found.get(blockId);
    assertInstanceOf(bytes, Uint8Array, String(bytes));
    assertEquals(sha256(bytes), sha256(expected), blockId);
  }
  const rdd = await readBlock(await within(service.fetchBlock(peer, "rdd_4_0"), "block"));
  assertEquals(sha256(rdd), sha256(pattern(80_000)));
  const other = await makeService(context, { "spark.shuffle.io.maxRetries": "0" }, { appId: "app-2" });
  const error = await within(assertRejects(() => other.fetchBlock(peer, "shuffle_0_0_0"), RpcError), "refusal");
  assertMatch(error.message, /Executor is not registered \(appId=app-2, execId=1\)/);
  const missing = await fetchAll(service, peer, ["shuffle_0_7_0"]);
  assert(missing.get("shuffle_0_7_0") instanceof Error);
  const output = join(folder, "fetched");
  const whose = ["--app-id", "app-1", "--executor-id", "1"];
  const address = `127.0.0.1:${there.port}`;
  const fetched = await runExample(context, BLOCKS, ["fetch", address, "shuffle_0_0_2", "-o", output, ...whose]);
  assertEquals([fetched.code, fetched.stderr], [0, ""]);
  assertEquals(sha256(new Uint8Array(await readFile(join(output, "shuffle_0_0_2")))), sha256(pattern(3_000_000, 0)));
}, { skip: skip ?? whyNot(BLOCKS) });

for (const useOldFetchProtocol of ["false", "true"]) {
  const how = useOldFetchProtocol === "true" ? "by name" : "by number";

  test(`thousands of a shuffle service's blocks are fetched at once ${how}, many of them empty`, async (context) => {
    const folder = await makeFolder(context);
    const maps = [[0, 0], Array.from({ length: 5_000 }, (_, part) => part % 5)];
    const { spark, there } = await startServiceOf(context, [folder]);
    await spark.command("writeShuffle", { folder, maps });
    const service = await makeService(context, { "spark.shuffle.useOldFetchProtocol": useOldFetchProtocol }, {
      appId: "app-1",
    });
    const blocks = shuffleBlocks(maps);
    const found = await fetchAll(service, { ...there, execId: "1" }, [...blocks.keys()]);
    assertEquals([...blocks.keys()].map((blockId) => found.get(blockId)), [...blocks.values()]);
  }, { skip });

  test(`thousands of our blocks are fetched at once by a Spark ${how}, many of them empty`, async (context) => {
    const blocks = shuffleBlocks([[0, 0], Array.from({ length: 5_000 }, (_, part) => part % 5)]);
    const service = await makeService(context, {}, { blocks: serving(blocks), port: 0, appId: "app-1" });
    const spark = await startClient(context, { "spark.shuffle.useOldFetchProtocol": useOldFetchProtocol });
    const found = await client(spark, { host: "127.0.0.1", port: service.port }, "fetch", { blocks: [...blocks.keys()] });
    assertEquals(found, [...blocks.values()].map(described));
  }, { skip });
}

/** Blocks in memory; nobody uploads any. */
function serving(blocks: ReadonlyMap<string, Uint8Array>): BlockDataManager {
  return {
    getLocalBlockData(blockId) {
      const bytes = blocks.get(blockId);
      if (bytes === undefined) throw new Error(`Block ${blockId} not found`);
      return new BytesManagedBuffer(bytes);
    },
    putBlockData: () => false,
    putBlockDataAsStream() {
      throw new Error("No uploads");
    },
  };
}

test("parts of a map task that lie side by side are fetched as one block, on both sides", async (context) => {
  const folder = await makeFolder(context);
  const { spark, there } = await startServiceOf(context, [folder]);
  await spark.command("writeShuffle", { folder, maps: [[10, 0, 300_000], [70_000, 5, 1], [0, 0, 0]] });
  const service = await makeService(context, {}, { appId: "app-1" });
  const peer = { ...there, execId: "1" };
  const none = new Uint8Array(0);
  const all = new Uint8Array([70_000, 5, 1].flatMap((length) => [...pattern(length, 1)]));
  const expected = {
    shuffle_0_1_0_3: all,
    shuffle_0_0_1_2: none,
    shuffle_0_2_0_3: none,
    shuffle_0_1_1_3: all.subarray(70_000),
  };
  assertEquals(Object.fromEntries(await fetchAll(service, peer, Object.keys(expected))), expected);
  const blocks = new Map([["shuffle_0_1_0_3", all], ["shuffle_0_2_4_9", pattern(20)]]);
  const here = await makeService(context, {}, { blocks: serving(blocks), port: 0 });
  const fetched = await client(spark, { ...there, port: here.port }, "fetch", { blocks: [...blocks.keys()] });
  assertEquals(fetched, [...blocks.values()].map(described));
}, { skip });

test("an executor that is registered again has its blocks where it says last", async (context) => {
  const folders = [await makeFolder(context), await makeFolder(context)];
  const { spark, there } = await startServiceOf(context, [folders[0]!]);
  const service = await makeService(context, {}, { appId: "app-1" });
  const peer = { ...there, execId: "1" };
  for (const [i, folder] of folders.entries()) {
    await spark.command("writeShuffle", { folder, maps: [[10 + i]], rdd: "rdd_0_0", rddLength: 20 + i });
    await client(spark, there, "register", { folders: [folder], shuffleManager: SHUFFLE_MANAGER });
    const sizes = [...await fetchAll(service, peer, ["shuffle_0_0_0"]), ...await fetchAll(service, peer, ["rdd_0_0"])];
    assertEquals(sizes.map(([, bytes]) => bytes instanceof Error ? bytes : bytes.length), [10 + i, 20 + i]);
  }
  await client(spark, there, "register", { execId: "2", folders, shuffleManager: SHUFFLE_MANAGER });
  const dirs = await within(service.getHostLocalDirs(peer, ["2", "1"]), "folders");
  assertEquals(dirs, new Map([["1", [folders[1]!]], ["2", folders]]));
  assertEquals(await client(spark, there, "removeBlocks", { blocks: ["rdd_0_0", "rdd_0_1"] }), 1);
  const gone = await within(assertRejects(() => service.fetchBlock(peer, "rdd_0_0"), RpcError), "refusal");
  assertMatch(gone.message, /Chunk was not found/);
}, { skip });

test("a shuffle service says what made a block corrupt, by each kind of checksum", async (context) => {
  const folder = await makeFolder(context);
  const { spark, there } = await startServiceOf(context, [folder]);
  const service = await makeService(context, {}, { appId: "app-1" });
  const data = new DiskBlockManager(folder).getFile("shuffle_0_1_0.data");
  // CRC32C came with 4.0.
  for (const algorithm of ["ADLER32", "CRC32", ...(parseInt(sparkVersion) < 4 ? [] : ["CRC32C"])]) {
    const sums = await spark.command("writeShuffle", { folder, maps: [[10], [70_000, 5]], algorithm }) as number[][];
    const block = { shuffleId: 0, mapId: 1n, reduceId: 0 };
    const diagnose = (sum: bigint, by: string) =>
      within(service.diagnoseCorruption({ ...there, execId: "1" }, block, sum, by), "diagnosis");
    const sum = BigInt(sums[1]![0]!);
    assertEquals(await diagnose(sum, algorithm), "CHECKSUM_VERIFY_PASS");
    assertEquals(await diagnose(sum ^ 1n, algorithm), "NETWORK_ISSUE");
    assertEquals(await diagnose(sum, "MD5"), "UNSUPPORTED_CHECKSUM_ALGORITHM");
    await writeFile(data, new Uint8Array(70_005));
    assertEquals(await diagnose(sum ^ 1n, algorithm), "DISK_ISSUE");
  }
}, { skip });

/** A connection of the transport alone. */
async function dial(context: TestContext, { host, port }: Service["there"]): Promise<TransportClient> {
  const conf = new TransportConf("shuffle", new SparkConf());
  const transport = await TransportContext.create(noOpRpcHandler, { conf, logger: silentLogger });
  context.defer(() => transport.close());
  return await transport.createClientFactory().createClient({ host, port });
}

/** How many chunks a merged block has, and the bitmaps of the map tasks in them. */
function askMergedBlockMeta(client: TransportClient, block: MergedBlock): Promise<readonly [number, string]> {
  const found = deferred<readonly [number, string]>();
  client.sendMergedBlockMetaReq(block, {
    onSuccess: (numChunks, body) => found.resolve([numChunks, toHex(body.bytes)]),
    onFailure: found.reject,
  });
  return within(found.promise, "meta data");
}

/** Of the map tasks 0, 1 and 2, and of 3 and 4, as RoaringBitmap writes them. */
const BITMAPS = "3a300000010000000000020010000000000001000200" + "3a30000001000000000001001000000003000400";

test("what a Spark pushed to a shuffle service is fetched in merged chunks", async (context) => {
  const folder = await makeFolder(context);
  const local = join(folder, "local");
  await mkdir(local);
  for (let i = 0; i < 64; i++) await mkdir(join(folder, "merged", i.toString(16).padStart(2, "0")), { recursive: true });
  const conf = { "spark.shuffle.push.server.minChunkSizeInMergedShuffleFile": "100k" };
  const { spark, there } = await startService(context, { merges: true, conf });
  const shuffleManager = `${SHUFFLE_MANAGER}:{"mergeDir":"merged"}`;
  await client(spark, there, "register", { folders: [local], shuffleManager });
  const merge = { shuffle: 0, merge: 1 };
  const pushed = [0, 1, 2, 3, 4].flatMap((map) => [0, 3].map((part) => [`shufflePush_0_1_${map}_${part}`, 40_000 + part, map]));
  assertEquals(await client(spark, there, "push", { blocks: pushed }), pushed.map(() => null));
  const maps = [0, 1, 2, 3, 4];
  assertEquals(await client(spark, there, "finalize", merge), { 0: { size: 200_000, maps }, 3: { size: 200_015, maps } });
  const [late] = await client(spark, there, "push", { blocks: [["shufflePush_0_1_9_0", 10, 0]] }) as ThrowableNotation[];
  assertMatch(late!.message!, /is received after merged shuffle is finalized/);

  const block = { appId: "app-1", shuffleId: 0, shuffleMergeId: 1, reduceId: 3 };
  const connection = await dial(context, there);
  assertEquals(await askMergedBlockMeta(connection, block), [2, BITMAPS]);
  await assertRejects(() => askMergedBlockMeta(connection, { ...block, reduceId: 9 }), RpcRemoteError, "not found");

  const service = await makeService(context, {}, { appId: "app-1" });
  const peer = { ...there, execId: "shuffle-push-merger" };
  const chunks = { 0: [0, 1, 2], 1: [3, 4] };
  const ids = [0, 3].flatMap((part) => [1, 0].map((chunk) => [`shuffleChunk_0_1_${part}_${chunk}`, part, chunk] as const));
  const found = await fetchAll(service, peer, ids.map(([blockId]) => blockId));
  for (const [blockId, part, chunk] of ids) {
    const bytes = found.get(blockId);
    assertInstanceOf(bytes, Uint8Array, String(bytes));
    const expected = chunks[chunk as 0 | 1].flatMap((map) => [...pattern(40_000 + part, map)]);
    assertEquals(sha256(bytes), sha256(new Uint8Array(expected)), blockId);
  }
  // Another attempt at the map stage has begun to push.
  assertEquals(await client(spark, there, "push", { blocks: [["shufflePush_0_2_0_0", 10, 0]] }), [null]);
  const [blockId] = ids[0]!;
  const stale = await within(assertRejects(() => service.fetchBlock(peer, blockId), StreamError), "refusal");
  assertMatch(stale.message, /is stale shuffle block fetch request/);
}, { skip });

test("a Spark pushes to a server of ours, and is told what that has merged", async (context) => {
  const pushed: [head: string, body: string][] = [];
  const server: RpcHandler = {
    ...noOpRpcHandler,
    receiveStream(_client, meta) {
      const head = toHex(meta.bytes);
      return receiveUpload("push", async (stream) => {
        pushed.push([head, sha256(new Uint8Array(await new Response(stream).arrayBuffer()))]);
        // BlockPushReturnCode: taken; or too late, and which.
        return Uint8Array.of(18, ...(pushed.length === 1 ? [0, 0, 0, 0, 0] : [1, 0, 0, 0, 1, 0x62]));
      });
    },
    mergedBlockMetaReqHandler: {
      receiveMergeBlockMetaReq(_client, { appId, shuffleId, shuffleMergeId, reduceId }, responder) {
        assertEquals([appId, shuffleId, shuffleMergeId], ["app-1", 5, 6]);
        if (reduceId !== 7) throw new Error(`There is nothing for ${reduceId}`);
        const bitmaps = fromHex(BITMAPS);
        responder.onSuccess(2, new BytesManagedBuffer(bitmaps));
      },
    },
  };
  const conf = new TransportConf("shuffle", new SparkConf());
  const transport = await TransportContext.create(server, { conf, logger: silentLogger });
  context.defer(() => transport.close());
  const listening = await transport.createServer(0, { host: "127.0.0.1" });
  context.defer(() => listening.close());
  const there = { host: "127.0.0.1", port: listening.port };
  const spark = await startClient(context);
  const merge = { shuffle: 5, merge: 6 };
  assertEquals(await client(spark, there, "mergedMeta", { ...merge, reduce: 7 }), [[0, 1, 2], [3, 4]]);
  await assertRejects(() => client(spark, there, "mergedMeta", { ...merge, reduce: 8 }), Error, "There is nothing for 8");
  const push = (map: number, length: number) =>
    client(spark, there, "push", { blocks: [[`shufflePush_5_6_${map}_7`, length, 7]] });
  assertEquals(await push(0, 2_000_000), [null]);
  const [late] = await push(1, 0) as ThrowableNotation[];
  assertEquals(late!.class, "org.apache.spark.network.server.BlockPushNonFatalFailure");
  const head = (map: number) =>
    `0c000000056170702d31ffffffff0000000500000006${map.toString(16).padStart(8, "0")}0000000700000000`;
  assertEquals(pushed, [[head(0), sha256(pattern(2_000_000))], [head(1), sha256(pattern(0))]]);
}, { skip });

test("a fetch goes on when a shuffle service that went away in the middle of a block is back", async (context) => {
  const folder = await makeFolder(context);
  const { spark, there } = await startServiceOf(context, [folder]);
  const blocks = shuffleBlocks([[20_000_000, 10, 0]]);
  await spark.command("writeShuffle", { folder, maps: [[20_000_000, 10, 0]] });
  const logger = new MemoryLogger();
  const retrying = { "spark.shuffle.io.maxRetries": "60", "spark.shuffle.io.retryWait": "1s" };
  const service = await makeService(context, retrying, { appId: "app-1", logger });
  const began = deferred();
  const stopped = deferred();
  let files = 0;
  const downloadFileManager = {
    createTempFile() {
      const file = new SimpleDownloadFile(nodeWritableFiles, join(folder, `file${files++}`));
      return {
        path: file.path,
        delete: () => file.delete(),
        async openForWriting() {
          began.resolve();
          await stopped.promise;
          return await file.openForWriting();
        },
      };
    },
    registerTempFileToClean: () => true,
  };
  const fetching = fetchAll(service, { ...there, execId: "1" }, [...blocks.keys()], { downloadFileManager });
  await within(began.promise, "a block to come");
  await spark.command("stopShuffleService");
  stopped.resolve();
  await until(() => logger.has("Retrying fetch (2/60)"), "attempts");
  const knows = [{ appId: "app-1", execId: "1", folder }];
  await spark.command("startShuffleService", { knows, conf: { "spark.shuffle.service.port": String(there.port) } });
  const found = await fetching;
  for (const [blockId, bytes] of blocks) {
    const block = found.get(blockId);
    assertInstanceOf(block, Uint8Array, String(block));
    assertEquals(sha256(block), sha256(bytes), blockId);
  }
}, { skip });

test("a Spark's fetch goes on when our service, which went away, is back", async (context) => {
  const spark = await startClient(context, { "spark.shuffle.io.maxRetries": "60", "spark.shuffle.io.retryWait": "1s" });
  const asked = deferred();
  const hanging = { ...serving(new Map()), getLocalBlockData: () => (asked.resolve(), new Promise<never>(() => {})) };
  const first = await makeService(context, {}, { blocks: hanging, port: 0 });
  const port = first.port!;
  const blocks = shuffleBlocks([[5_000_000, 0]]);
  const fetching = client(spark, { host: "127.0.0.1", port }, "fetch", { blocks: [...blocks.keys()] });
  await within(asked.promise, "to be asked");
  await first.close();
  await makeService(context, {}, { blocks: serving(blocks), port });
  assertEquals(await fetching, [...blocks.values()].map(described));
}, { skip });

test("a Spark asks us for folders, and what made a block corrupt; what we have none of is refused", async (context) => {
  const spark = await startClient(context, { "spark.shuffle.io.maxRetries": "0" });
  const asked: unknown[] = [];
  const blocks: BlockDataManager = {
    ...serving(new Map()),
    getLocalDiskDirs: () => ["/a", "/b"],
    diagnoseShuffleBlockCorruption(...question) {
      asked.push(question);
      return "DISK_ISSUE";
    },
  };
  const service = await makeService(context, {}, { blocks, port: 0, appId: "app-1", executorId: "5" });
  const there = { host: "127.0.0.1", port: service.port };
  assertEquals(await client(spark, there, "localDirs", { execIds: ["5"] }), { 5: ["/a", "/b"] });
  await assertRejects(
    () => client(spark, there, "localDirs", { execIds: ["6"] }),
    Error,
    "Invalid executor id: 6, expected 5.",
  );
  const corrupt = { shuffle: 3, map: 2 ** 40, reduce: 4, checksum: 4_000_000_000 };
  for (const algorithm of ["ADLER32", "CRC32", "CRC32C"]) {
    assertEquals(await client(spark, there, "diagnose", { ...corrupt, algorithm }), "DISK_ISSUE");
    assertEquals(asked.pop(), ["shuffle_3_1099511627776_4", 4_000_000_000n, algorithm]);
  }
  const merge = { shuffle: 0, merge: 0, reduce: 0 };
  await assertRejects(() => client(spark, there, "mergedMeta", merge), Error, "This server has no merged blocks");
  await assertRejects(() => client(spark, there, "finalize", merge), Error, "Unknown message type: 13");
  const [chunk] = await client(spark, there, "fetch", { blocks: ["shuffleChunk_0_0_0_0"] }) as ThrowableNotation[];
  assertMatch(chunk!.message!, /Unexpected message: the block service takes none of type 15/);
  const [push] = await client(spark, there, "push", { blocks: [["shufflePush_0_0_0_0", 10, 0]] }) as ThrowableNotation[];
  assertMatch(push!.message!, /Unknown message type: 12/);
}, { skip });
