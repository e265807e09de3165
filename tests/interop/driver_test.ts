import { assertEquals, assertInstanceOf, assertMatch, assertRejects } from "@std/assert";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type BlockPeer,
  BytesManagedBuffer,
  DiskBlockManager,
  DiskBlockStore,
  type NettyBlockTransferService,
  RpcRemoteError,
} from "../../mod.ts";
import { MEMORY_AND_DISK_SER } from "../../examples/_upload_metadata.ts";
import { runExample, whyNot } from "../examples/_example.ts";
import { makeFolder } from "../_folder.ts";
import { pattern } from "../_vectors.ts";
import { concat, test, type TestContext, within } from "../_harness.ts";
import { DEADLINE_MS, described, fetchAll, makeService, readBlock } from "./_blocks.ts";
import { createEnv } from "./_envs.ts";
import { sha256 } from "./_notation.ts";
import { skip, Spark } from "./_spark.ts";

// All tests that start a SparkContext: there can be one in a JVM at a time, and the tests of a file follow one another.

const BLOCKS = "examples/blocks.ts";
const FETCH = "examples/fetch.ts";

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
    command: (op, details) => spark.command(`driver.${op}`, details, DEADLINE_MS),
  };
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
  for (const toFiles of [false, true]) {
    for (const ids of [rdds, shuffles]) {
      const found = await driver.command("fetch", { ...there, blocks: ids, toFiles });
      assertEquals(found, ids.map((id) => described(blocks[id])));
    }
  }
  const [missing] = await driver.command("fetch", { ...there, blocks: ["rdd_3_9"] }) as { message: string }[];
  assertMatch(missing!.message, /rdd_3_9/);
  for (const [block, length] of [["rdd_3_4", 10], ["rdd_3_5", 5_000_000], ["rdd_3_6", 0], ["shuffle_1_2_0", 20]] as const) {
    await driver.command("upload", { ...there, block, length });
    const [back] = await driver.command("fetch", { ...there, blocks: [block] }) as { sha256: string }[];
    assertEquals(back!.sha256, sha256(pattern(length)));
  }
}, { skip });

test("files of a shuffle that we upload to a driver are its own from then on", async (context) => {
  const driver = await startDriver(context);
  const service = await makeService(context, {}, { appId: driver.appId });
  const parts = [pattern(10, 1), pattern(0, 2), pattern(70_000, 3)];
  for (const [kind, bytes] of [["index", indexOf(parts)], ["data", concat(parts)]] as const) {
    const block = new BytesManagedBuffer(bytes);
    await within(service.uploadBlock(driver.peer, `shuffle_7_3_0.${kind}`, block, MEMORY_AND_DISK_SER), kind);
  }
  const names = parts.map((_, part) => `shuffle_7_3_${part}`);
  const found = await fetchAll(service, driver.peer, names);
  assertEquals(names.map((name) => found.get(name)), parts);
  const dirs = await within(service.getHostLocalDirs(driver.peer, ["driver"]), "folders");
  const there = new DiskBlockManager(dirs.get("driver")!);
  assertEquals(await readBlock(await there.getBlock("shuffle_7_3_0.index")), indexOf(parts));
}, { skip });

/** Where each part begins, and where the last one ends. */
function indexOf(parts: readonly Uint8Array[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * (parts.length + 1)));
  let end = 0;
  for (const [i, { length }] of parts.entries()) view.setBigInt64(8 * (i + 1), BigInt(end += length));
  return new Uint8Array(view.buffer);
}

const COUNT = 60;
const MAPS = 4;
const REDUCES = 3;

/** A driver that has shuffled arrays of `length` bytes, and whose map outputs are ours from then on. */
interface Shuffled {
  /** What was asked of us: blocks, as `block <map>_<reduce>`, `folders`, and what was to be diagnosed. */
  readonly asked: string[];
  readonly service: NettyBlockTransferService;
  /** What all reducers together read. */
  reduce(): Promise<unknown>;
}

/**
 * Has a driver shuffle, and takes its map outputs over; the third map's second part is what `change` makes of it. A reducer that
 * cannot have them fails its job.
 */
async function moveShuffle(
  context: TestContext,
  length: number,
  conf: Readonly<Record<string, string>>,
  change = (bytes: Uint8Array): Uint8Array => bytes,
): Promise<Shuffled> {
  const driver = await startDriver(context, { "spark.stage.maxConsecutiveAttempts": "1", ...conf });
  const job = { count: COUNT, length, maps: MAPS, reduces: REDUCES };
  const { shuffle, maps } = await driver.command("shuffle", job) as { shuffle: number; maps: number[] };
  const store = new DiskBlockStore(new DiskBlockManager(await makeFolder(context)));
  const asked: string[] = [];
  const service = await makeService(context, {}, {
    ...{ appId: driver.appId, executorId: "5", port: 0 },
    blocks: {
      getLocalBlockData(blockId) {
        asked.push(blockId.replace(`shuffle_${shuffle}_`, "block "));
        return store.getLocalBlockData(blockId);
      },
      putBlockData: () => false,
      putBlockDataAsStream: (blockId) => store.putBlockDataAsStream(blockId),
      getLocalDiskDirs() {
        asked.push("folders");
        return store.getLocalDiskDirs();
      },
      diagnoseShuffleBlockCorruption(blockId, checksum, algorithm) {
        asked.push(`diagnosis ${blockId.replace(`shuffle_${shuffle}_`, "")} ${algorithm} ${checksum}`);
        return "DISK_ISSUE";
      },
    },
  });
  for (const map of maps) {
    const names = Array.from({ length: REDUCES }, (_, reduce) => `shuffle_${shuffle}_${map}_${reduce}`);
    const found = await fetchAll(service, driver.peer, names);
    const parts = names.map((name) => found.get(name) as Uint8Array);
    if (map === maps[2]) parts[1] = change(parts[1]!);
    const prefix = `shuffle_${shuffle}_${map}_0`;
    const files = [[`${prefix}.data`, concat(parts)], [`${prefix}.index`, indexOf(parts)]] as const;
    const blocks = names.map((name, i) => [name, parts[i]!] as const);
    for (const [name, bytes] of [...files, ...blocks]) await store.putBlockData(name, new BytesManagedBuffer(bytes));
  }
  await driver.command("moveShuffle", { execId: "5", host: "127.0.0.1", port: service.port });
  return { asked, service, reduce: () => driver.command("reduce", {}) };
}

/** What all reducers together read, if it is what the maps wrote. */
function shuffled(length: number): Readonly<Record<string, string>> {
  return Object.fromEntries(Array.from({ length: COUNT }, (_, number) => [number, sha256(pattern(length, number))]));
}

const ALL_BLOCKS = Array.from({ length: MAPS * REDUCES }, (_, i) => `block ${Math.floor(i / REDUCES)}_${i % REDUCES}`);

const ways = {
  "into memory": { length: 3_000, conf: {}, sent: { chunksSent: MAPS * REDUCES, streamsSent: 0 } },
  "into files": {
    length: 20_000,
    conf: { "spark.network.maxRemoteBlockSizeFetchToMem": "100k", "spark.shuffle.compress": "false" },
    sent: { chunksSent: 0, streamsSent: MAPS * REDUCES },
  },
};

for (const [way, { length, conf, sent }] of Object.entries(ways)) {
  test(`a driver's reducers fetch a shuffle from us, ${way}`, async (context) => {
    const { asked, service, reduce } = await moveShuffle(context, length, {
      "spark.shuffle.readHostLocalDisk": "false",
      ...conf,
    });
    assertEquals(await reduce(), shuffled(length));
    assertEquals(asked.sort(), ALL_BLOCKS);
    const { chunksSent, streamsSent } = service.stats().transports[0]!;
    assertEquals({ chunksSent, streamsSent }, sent);
  }, { skip });
}

test("a driver's reducers on the same machine read a shuffle from our folders", async (context) => {
  const { asked, reduce } = await moveShuffle(context, 3_000, {});
  assertEquals(await reduce(), shuffled(3_000));
  assertEquals(asked, ["folders"]);
}, { skip });

test("a driver asks us what made a block corrupt, and runs the map task again", async (context) => {
  let adler32 = 0;
  const again = { "spark.shuffle.readHostLocalDisk": "false", "spark.stage.maxConsecutiveAttempts": "2" };
  const { asked, reduce } = await moveShuffle(context, 3_000, again, (bytes) => {
    const corrupt = bytes.map((byte, i) => i === bytes.length >> 1 ? byte ^ 1 : byte);
    const [low, high] = corrupt.reduce(([a, b], byte) => [(a + byte) % 65_521, (a + byte + b) % 65_521], [1, 0]);
    adler32 = high * 65_536 + low;
    return corrupt;
  });
  assertEquals(await reduce(), shuffled(3_000));
  assertEquals(asked.filter((what) => what.startsWith("diagnosis")), [`diagnosis 2_1 ADLER32 ${adler32}`]);
}, { skip });
