import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects } from "@std/assert";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type BlockDataManager,
  type BlockPeer,
  type BlockTransferServiceOptions,
  BytesManagedBuffer,
  DiskBlockManager,
  DiskBlockStore,
  type ManagedBuffer,
  NettyBlockTransferService,
  RpcError,
  RpcRemoteError,
  silentLogger,
  SparkConf,
} from "../../mod.ts";
import { MEMORY_AND_DISK_SER } from "../../examples/_upload_metadata.ts";
import { runExample, whyNot } from "../examples/_example.ts";
import { test, type TestContext, within } from "../_harness.ts";
import { createEnv } from "./_envs.ts";
import { pattern, sha256 } from "./_notation.ts";
import { skip, Spark } from "./_spark.ts";

// All tests that start a SparkContext: there can be one in a JVM at a time, and the tests of a file follow one another.

const BLOCKS = "examples/blocks.ts";
const FETCH = "examples/fetch.ts";
const DEADLINE_MS = 30_000;

/** A driver of Spark. */
interface Driver {
  readonly peer: BlockPeer;
  readonly appId: string;
  command(op: string, details: object): Promise<unknown>;
}

async function startDriver(context: TestContext, conf: Readonly<Record<string, string>> = {}): Promise<Driver> {
  const spark = await Spark.open(context);
  const { blocks, appId } = await spark.command("startDriver", { conf }, 60_000) as { blocks: string; appId: string };
  const [host, port] = blocks.split(":");
  return {
    peer: { host: host!, port: Number(port), execId: "driver" },
    appId,
    command: (op, details) => spark.command(`driver.${op}`, details),
  };
}

/** A block service of ours, with this configuration; it serves `blocks`, if it is given some. */
async function makeService(
  context: TestContext,
  conf: Readonly<Record<string, string>> = {},
  options: Partial<BlockTransferServiceOptions> & { readonly blocks?: BlockDataManager } = {},
): Promise<NettyBlockTransferService> {
  const { blocks, ...others } = options;
  const service = new NettyBlockTransferService(new SparkConf(conf), { host: "127.0.0.1", logger: silentLogger, ...others });
  context.defer(() => service.close());
  if (blocks !== undefined) await service.init(blocks);
  return service;
}

async function makeFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sparkwire-"));
  context.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function readBlock(block: ManagedBuffer): Promise<Uint8Array> {
  const bytes = new Uint8Array(block.size);
  for (let read = 0; read < bytes.length;) read += await block.read(read, bytes.subarray(read));
  block.release();
  return bytes;
}

/** Fetches several blocks at once; gives what each is, or what it failed with. */
async function fetchAll(
  service: NettyBlockTransferService,
  peer: BlockPeer,
  blockIds: readonly string[],
): Promise<Map<string, Uint8Array | Error>> {
  const found = new Map<string, Uint8Array | Error>();
  const fetched = blockIds.map((blockId) => [blockId] as const);
  const all = new Promise<void>((resolve) => {
    const take = (blockId: string, what: Uint8Array | Error) => {
      found.set(blockId, what);
      if (found.size === fetched.length) resolve();
    };
    service.fetchBlocks(peer, blockIds, {
      onBlockFetchSuccess(blockId, data) {
        data.retain();
        readBlock(data).then((bytes) => take(blockId, bytes), (error) => take(blockId, error));
      },
      onBlockFetchFailure: take,
    });
  });
  await within(all, `blocks ${blockIds.join(", ")}`, DEADLINE_MS);
  return found;
}

test("files of a driver are downloaded, by examples/fetch.ts too", async (context) => {
  const folder = await makeFolder(context);
  const path = join(folder, "data.bin");
  const bytes = pattern(300_000);
  await writeFile(path, bytes);
  const driver = await startDriver(context);
  const uri = await driver.command("addFile", { path }) as string;
  const here = await createEnv(context);
  const downloaded = await within(new Response(here.openChannel(uri)).arrayBuffer(), "download");
  assertEquals(new Uint8Array(downloaded), bytes);
  const output = join(folder, "fetched");
  const { code, stderr } = await runExample(context, FETCH, [uri, "-o", output]);
  assertEquals([code, stderr], [0, ""]);
  assertEquals(new Uint8Array(await readFile(output)), bytes);
}, { skip: skip ?? whyNot(FETCH) });

test("blocks of a driver are fetched: together, one by one, as streams", async (context) => {
  const driver = await startDriver(context);
  const lengths = { rdd_1_0: 10, rdd_1_1: 3_000_000, broadcast_7_piece0: 100_000, rdd_1_2: 20_000_000 };
  for (const [block, length] of Object.entries(lengths)) await driver.command("putBlock", { block, length });
  const service = await makeService(context);
  const found = await fetchAll(service, driver.peer, Object.keys(lengths));
  for (const [block, length] of Object.entries(lengths)) {
    const sum = sha256(pattern(length));
    const bytes = found.get(block);
    assertInstanceOf(bytes, Uint8Array, `${block}: ${bytes}`);
    assertEquals(sha256(bytes), sum, block);
    assertEquals(sha256(await readBlock(await within(service.fetchBlock(driver.peer, block), block))), sum);
    const streamed = await within(new Response(service.openBlock(driver.peer, block)).arrayBuffer(), block, DEADLINE_MS);
    assertEquals(sha256(new Uint8Array(streamed)), sum);
  }
}, { skip });

test("a block that a driver does not have fails with its exception", async (context) => {
  const driver = await startDriver(context);
  await driver.command("putBlock", { block: "rdd_1_0", length: 10 });
  const service = await makeService(context);
  const error = await within(assertRejects(() => service.fetchBlock(driver.peer, "rdd_1_9"), RpcRemoteError), "refusal");
  assertMatch(error.message, /BlockNotFoundException: Block rdd_1_9 not found/);
  assertEquals((await readBlock(await within(service.fetchBlock(driver.peer, "rdd_1_0"), "block"))).length, 10);
}, { skip });

test("blocks are uploaded to a driver, in one message and as streams, by examples/blocks.ts too", async (context) => {
  const folder = await makeFolder(context);
  const driver = await startDriver(context);
  const service = await makeService(context, { "spark.network.maxRemoteBlockSizeFetchToMem": "1m" });
  const lengths = { rdd_2_0: 10, rdd_2_1: 900_000, rdd_2_2: 5_000_000 };
  for (const [block, length] of Object.entries(lengths)) {
    const bytes = new BytesManagedBuffer(pattern(length));
    await within(service.uploadBlock(driver.peer, block, bytes, MEMORY_AND_DISK_SER), block, DEADLINE_MS);
    assertEquals(await driver.command("describeBlock", { block }), { length, sha256: sha256(pattern(length)) });
  }
  const path = join(folder, "block");
  await writeFile(path, pattern(2_000_000));
  const address = `${driver.peer.host}:${driver.peer.port}`;
  const put = await runExample(context, BLOCKS, ["put", address, "rdd_2_3", path, "--app-id", driver.appId]);
  assertEquals([put.code, put.stderr], [0, ""]);
  const output = join(folder, "fetched");
  const fetched = await runExample(context, BLOCKS, [
    "fetch",
    address,
    "rdd_2_3",
    "rdd_2_1",
    "-o",
    output,
    "--app-id",
    driver.appId,
  ]);
  assertEquals([fetched.code, fetched.stderr], [0, ""]);
  assertEquals(sha256(new Uint8Array(await readFile(join(output, "rdd_2_3")))), sha256(pattern(2_000_000)));
  assertEquals(sha256(new Uint8Array(await readFile(join(output, "rdd_2_1")))), sha256(pattern(900_000)));
}, { skip: skip ?? whyNot(BLOCKS) });

test("a driver fetches our blocks, and uploads to us", async (context) => {
  const folder = await makeFolder(context);
  const blocks = {
    rdd_3_0: pattern(10),
    rdd_3_1: pattern(5_000_000),
    shuffle_0_1_2: pattern(70_000),
    shuffle_0_1_3: pattern(3),
  };
  for (const [block, bytes] of Object.entries(blocks)) await writeFile(join(folder, block), bytes);
  const store = new DiskBlockStore(new DiskBlockManager(folder, { subDirectories: 0 }));
  const service = await makeService(context, {}, { blocks: store, port: 0 });
  const there = { host: "127.0.0.1", port: service.port };
  const driver = await startDriver(context, { "spark.shuffle.io.maxRetries": "0" });
  const rdds = ["rdd_3_0", "rdd_3_1"] as const;
  const shuffles = ["shuffle_0_1_2", "shuffle_0_1_3"] as const;
  for (const ids of [rdds, shuffles]) {
    const found = await driver.command("fetch", { ...there, blocks: ids });
    assertEquals(found, ids.map((id) => ({ length: blocks[id].length, sha256: sha256(blocks[id]) })));
  }
  const [missing] = await driver.command("fetch", { ...there, blocks: ["rdd_3_9"] }) as { message: string }[];
  assertMatch(missing!.message, /rdd_3_9/);
  for (const [block, length] of [["rdd_3_4", 10], ["rdd_3_5", 5_000_000], ["shuffle_1_2_0", 20]] as const) {
    await driver.command("upload", { ...there, block, length });
    const [back] = await driver.command("fetch", { ...there, blocks: [block] }) as { sha256: string }[];
    assertEquals(back!.sha256, sha256(pattern(length)));
  }
}, { skip });

test("blocks are fetched from an external shuffle service, by examples/blocks.ts too", async (context) => {
  const folder = await makeFolder(context);
  await mkdir(join(folder, "local"));
  const maps = [[10, 0, 3_000_000], [70_000, 5, 1]];
  const spark = await Spark.open(context);
  const { port } = await spark.command("startShuffleService", {
    ...{ folder: join(folder, "local"), appId: "app-1", maps },
    ...{ rdd: "rdd_4_0", rddLength: 80_000 },
  }) as { port: number };
  const service = await makeService(context, { "spark.shuffle.io.maxRetries": "0" }, { appId: "app-1" });
  const peer = { host: "127.0.0.1", port, execId: "1" };
  const ids = maps.flatMap((parts, map) => parts.map((_, part) => `shuffle_0_${map}_${part}`));
  const found = await fetchAll(service, peer, ids);
  for (const [map, parts] of maps.entries()) {
    for (const [part, length] of parts.entries()) {
      const bytes = found.get(`shuffle_0_${map}_${part}`);
      assertInstanceOf(bytes, Uint8Array, String(bytes));
      assertEquals(sha256(bytes), sha256(pattern(length, map)), `shuffle_0_${map}_${part}`);
    }
  }
  // All parts of a map as one block.
  const batch = await readBlock(await within(service.fetchBlock(peer, "shuffle_0_1_0_3"), "batch", DEADLINE_MS));
  assertEquals(batch.length, 70_006);
  const rdd = await readBlock(await within(service.fetchBlock(peer, "rdd_4_0"), "block"));
  assertEquals(sha256(rdd), sha256(pattern(80_000)));
  const other = await makeService(context, { "spark.shuffle.io.maxRetries": "0" }, { appId: "app-2" });
  const error = await within(assertRejects(() => other.fetchBlock(peer, "shuffle_0_0_0"), RpcError), "refusal");
  assertMatch(error.message, /Executor is not registered \(appId=app-2, execId=1\)/);
  const missing = await fetchAll(service, peer, ["shuffle_0_7_0"]);
  assert(missing.get("shuffle_0_7_0") instanceof Error);
  const output = join(folder, "fetched");
  const whose = ["--app-id", "app-1", "--executor-id", "1"];
  const fetched = await runExample(context, BLOCKS, ["fetch", `127.0.0.1:${port}`, "shuffle_0_0_2", "-o", output, ...whose]);
  assertEquals([fetched.code, fetched.stderr], [0, ""]);
  assertEquals(sha256(new Uint8Array(await readFile(join(output, "shuffle_0_0_2")))), sha256(pattern(3_000_000, 0)));
}, { skip: skip ?? whyNot(BLOCKS) });
