import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { RpcError, RpcStoppedError, RpcTimeoutError } from "../../src/base/errors.ts";
import { SparkConf } from "../../src/base/spark_conf.ts";
import { type BlockPeer, ExecutorDeadError } from "../../src/block/block_transfer_service.ts";
import { BlockTransferMessageType } from "../../src/block/block_transfer_message_type.ts";
import { type BlockTransferMessage, encodeBlockTransferMessage } from "../../src/block/block_transfer_messages.ts";
import { NettyBlockTransferService } from "../../src/block/netty_block_transfer_service.ts";
import { silentLogger } from "../../src/base/logger.ts";
import type { ManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import { RpcEnv } from "../../src/rpc/rpc_env.ts";
import { SocketError } from "../../src/socket/socket.ts";
import { content, CountedBuffer } from "../_counted_buffer.ts";
import { deferred, fromHex, test, until, within } from "../_harness.ts";
import { noIpv6 } from "../_ipv6.ts";
import { noOpRpcHandler, type RpcHandler } from "../../src/transport/rpc_handler.ts";
import { TransportContext } from "../../src/transport/transport_context.ts";
import { StreamManagedBuffer } from "../../src/transport/stream_managed_buffer.ts";
import { StubDriver } from "../transport/_stub_driver.ts";
import { HandTime } from "../_hand_time.ts";
import { readVectors } from "../_vectors.ts";
import { Ear, idle, MemoryBlocks, startService } from "./_blocks.ts";

const MIB = 1024 * 1024;

// Spark: NettyBlockTransferServiceSuite "can bind to a random port".
test("NettyBlockTransferService.init() listens on a port that the system chooses", async (context) => {
  const { service, logger } = await startService(context, new MemoryBlocks());
  assertEquals(service.port !== undefined && service.port > 0, true);
  assertEquals(logger.has(`Server created on 127.0.0.1:${service.port}`), true);
});

// Spark: NettyBlockTransferServiceSuite "can bind to two random ports".
test("NettyBlockTransferService: two services have two ports", async (context) => {
  const one = await startService(context, new MemoryBlocks());
  const other = await startService(context, new MemoryBlocks());
  assertEquals(one.service.port !== other.service.port, true);
});

// Spark: NettyBlockTransferServiceSuite "can bind to a specific port".
test("NettyBlockTransferService.init() listens on the port that it is told, or that configuration says", async (context) => {
  const { service } = await startService(context, new MemoryBlocks());
  const port = service.port!;
  await within(service.close(), "to close");
  const again = await startService(context, new MemoryBlocks(), { port });
  assertEquals(again.service.port, port);
  await within(again.service.close(), "to close");
  const own = { "spark.blockManager.port": String(port) };
  for (
    const conf of [
      { "spark.executor.id": "driver", "spark.blockManager.port": "1", "spark.driver.blockManager.port": String(port) },
      { "spark.executor.id": "driver", ...own },
      { "spark.executor.id": "1", "spark.driver.blockManager.port": "1", ...own },
    ]
  ) {
    const configured = await startService(context, new MemoryBlocks(), { conf });
    assertEquals(configured.service.port, port);
    await within(configured.service.close(), "to close");
  }
});

test("NettyBlockTransferService.init() listens where it is told to bind, whatever others call it", async (context) => {
  const blocks = new MemoryBlocks({ rdd_0_0: content(10) });
  const server = await startService(context, blocks, { host: "blocks.invalid", bindHost: "127.0.0.1" });
  const client = await startService(context);
  const block = await within(client.service.fetchBlock(server.peer, "rdd_0_0"), "the block");
  assertEquals([server.service.hostName, block.bytes], ["blocks.invalid", content(10)]);
  block.release();
});

// Spark: BlockManagerId has the host of an executor so.
test("NettyBlockTransferService listens at an IPv6 address in brackets, and fetches from it", async (context) => {
  const host = "[::1]";
  const server = await startService(context, new MemoryBlocks({ rdd_0_0: content(10) }), { host });
  const client = await startService(context);
  const block = await within(client.service.fetchBlock({ ...server.peer, host }, "rdd_0_0"), "the block");
  assertEquals([server.service.hostName, block.bytes], [host, content(10)]);
  block.release();
}, { skip: noIpv6 });

test("NettyBlockTransferService refuses at once what it could not use later, and hears nothing of what is set later", async (context) => {
  const host = "127.0.0.1";
  for (
    const [id, key] of [["1", "spark.blockManager.port"], ["driver", "spark.blockManager.port"], [
      "driver",
      "spark.driver.blockManager.port",
    ]] as const
  ) {
    const conf = new SparkConf({ "spark.executor.id": id, [key]: "7k" });
    assertThrows(() => new NettyBlockTransferService(conf, { host }), RangeError, `${key}: Value must be a whole number`);
  }
  for (
    const [limits, text] of [[{ maxQueuedBytes: 0 }, "maxQueuedBytes must be"], [{ maxStreams: NaN }, "maxStreams is"]] as const
  ) {
    assertThrows(() => new NettyBlockTransferService(new SparkConf(), { host, limits }), RangeError, text);
  }
  const conf = new SparkConf();
  const service = new NettyBlockTransferService(conf, { host });
  context.defer(() => service.close());
  conf.set("spark.blockManager.port", 1);
  await within(service.init(new MemoryBlocks()), "to listen");
});

test("NettyBlockTransferService takes its application and its way to ask from the configuration", async (context) => {
  // A name that says nothing about a shuffle can only be asked for as a name.
  const server = await startService(context, new MemoryBlocks({ shuffle_x: content(3) }), {
    conf: { "spark.app.id": "app-1" },
  });
  const fetch = async (conf: Readonly<Record<string, string>>) => {
    const { service } = await startService(context, undefined, { conf });
    const block = await within(service.fetchBlock(server.peer, "shuffle_x"), "the block");
    block.release();
    return block.size;
  };
  const old = { "spark.shuffle.useOldFetchProtocol": "true" };
  assertEquals(await fetch({ "spark.app.id": "app-1", ...old }), 3);
  await assertRejects(() => fetch({ "spark.app.id": "app-2", ...old }), RpcError, "Client for app-1 not authorized");
  await assertRejects(() => fetch({ "spark.app.id": "app-1" }), RangeError, "Unexpected shuffle block id format: shuffle_x");
});

// Spark: NettyBlockTransferServiceSuite "can bind to a specific port twice and the second increments".
test("NettyBlockTransferService.init() takes the next port if one is in use", async (context) => {
  const one = await startService(context, new MemoryBlocks());
  const other = await startService(context, new MemoryBlocks(), { port: one.service.port });
  assertEquals(other.service.port !== one.service.port, true);
  assertEquals(
    other.logger.has("Service 'org.apache.spark.network.netty.NettyBlockTransferService' could not bind on port"),
    true,
  );
});

test("NettyBlockTransferService.init() that found no port may be called again", async (context) => {
  const other = await startService(context, new MemoryBlocks());
  const { service } = await startService(context, undefined, {
    port: other.service.port,
    conf: { "spark.port.maxRetries": "0" },
  });
  await within(assertRejects(() => service.init(new MemoryBlocks()), SocketError), "the failure");
  const { port } = other.service;
  await within(other.service.close(), "to close");
  await within(service.init(new MemoryBlocks()), "to listen");
  assertEquals(service.port, port);
  await assertRejects(() => service.init(new MemoryBlocks()), RpcError, "has been started already");
});

// Spark: NettyBlockTransferServiceSuite "SPARK-27637: test fetch block with executor dead".
test("NettyBlockTransferService.fetchBlock() does not ask a dead executor again", async (context) => {
  const gone = await startService(context, new MemoryBlocks());
  const { peer } = gone;
  const asked: string[] = [];
  const isExecutorAlive = (execId: string) => {
    asked.push(execId);
    return Promise.resolve(false);
  };
  const client = await startService(context, undefined, { isExecutorAlive });
  const port = peer.port;
  await within(gone.service.close(), "to close");
  const failed = client.service.fetchBlock({ ...peer, port }, "block1");
  const text = "The relative remote executor(Id: exec-1), which maintains the block data to fetch is dead.";
  const error = await within(assertRejects(() => failed, ExecutorDeadError, text), "the failure");
  assertEquals(error.execId, "exec-1");
  assertEquals([asked, client.logger.has("Retrying fetch")], [["exec-1"], false]);
  // Nobody is asked because of what is no fault of the network.
  const unsafe = await startService(context, undefined, { isExecutorAlive, conf: { "spark.ssl.rpc.enabled": "true" } });
  const refused = unsafe.service.fetchBlock({ ...peer, port }, "block1");
  await within(assertRejects(() => refused, RangeError, "spark.ssl.rpc.enabled"), "the failure");
  assertEquals(asked, ["exec-1"]);
});

test("NettyBlockTransferService.fetchBlock() retries while the executor may live, then fails as the network did", async (context) => {
  for (const isExecutorAlive of [undefined, () => Promise.resolve(true), () => Promise.reject(new Error("Who knows"))]) {
    const gone = await startService(context, new MemoryBlocks());
    const peer = { ...gone.peer };
    await within(gone.service.close(), "to close");
    const client = await startService(context, undefined, { isExecutorAlive });
    await within(assertRejects(() => client.service.fetchBlock(peer, "block1"), SocketError), "the failure");
    assertEquals(client.logger.lines.filter((line) => line.includes("Retrying fetch")).length, 3);
    await idle(client);
  }
});

test("NettyBlockTransferService.fetchBlocks() fetches by name and by number, each block once", async (context) => {
  const contents: Record<string, Uint8Array> = { rdd_0_0: content(10), rdd_0_1: content(0), big: content(3_000_000) };
  for (const id of ["shuffle_0_7_0", "shuffle_0_7_1", "shuffle_0_-3_5", "shuffle_0_8_0_4"]) {
    contents[id] = content(id.length, 7);
  }
  const blocks = new MemoryBlocks(contents);
  const server = await startService(context, blocks);
  const client = await startService(context);
  const requests = [["rdd_0_0", "rdd_0_1", "big"], ["shuffle_0_7_0", "shuffle_0_-3_5", "shuffle_0_7_1"], ["shuffle_0_8_0_4"]];
  for (const blockIds of requests) {
    const ear = new Ear();
    client.service.fetchBlocks(server.peer, blockIds, ear);
    await ear.count(blockIds.length);
    assertEquals([...ear.blocks.keys()].sort(), [...blockIds].sort());
    for (const blockId of blockIds) assertEquals(ear.blocks.get(blockId), contents[blockId], blockId);
  }
  await idle(client);
  await idle(server);
  assertEquals([blocks.handedOut.length, blocks.held], [7, 0]);
  assertEquals(server.service.stats().connections.length, 1);
});

test("NettyBlockTransferService.fetchBlocks() asks by name with spark.shuffle.useOldFetchProtocol", async (context) => {
  const server = await startService(context, new MemoryBlocks({ shuffle_0_0_0: content(3), other: content(4) }));
  const client = await startService(context, undefined, { conf: { "spark.shuffle.useOldFetchProtocol": "true" } });
  const ear = new Ear();
  client.service.fetchBlocks(server.peer, ["shuffle_0_0_0", "other"], ear);
  await ear.count(2);
  assertEquals(ear.blocks.size, 2);
});

test("NettyBlockTransferService.fetchBlocks() wants blocks, and fails names that are none", async (context) => {
  const server = await startService(context, new MemoryBlocks());
  const client = await startService(context);
  const ear = new Ear();
  assertThrows(() => client.service.fetchBlocks(server.peer, [], ear), RangeError, "Zero-sized blockIds array");
  client.service.fetchBlocks(server.peer, ["shuffle_0_0", "shuffle_0_0_0"], ear);
  await ear.count(2);
  assertEquals(
    [...ear.failures.values()].map(({ message }) => message),
    Array(2).fill("Unexpected shuffle block id format: shuffle_0_0"),
  );
  await idle(client);
});

test("NettyBlockTransferService.fetchBlock() fails with the peer's words, and those that were found are released", async (context) => {
  const blocks = new MemoryBlocks({ here: content(5) });
  const server = await startService(context, blocks);
  const client = await startService(context);
  const ear = new Ear();
  client.service.fetchBlocks(server.peer, ["here", "gone"], ear);
  await ear.count(2);
  assertEquals([...ear.failures].map(([id, { message }]) => [id, message]), [
    ["here", "Block gone not found"],
    ["gone", "Block gone not found"],
  ]);
  assertEquals([blocks.handedOut.length, blocks.held, client.logger.has("Retrying")], [1, 0, false]);
});

test("NettyBlockTransferService and RpcEnv, each asked for what the other has, say that it is another's port", async (context) => {
  const env = await RpcEnv.create({ name: "rpc", host: "127.0.0.1", port: 0, logger: silentLogger });
  context.defer(() => env.shutdown());
  const { service, peer } = await startService(context, new MemoryBlocks());
  const fetched = service.fetchBlock({ ...peer, port: env.address!.port }, "rdd_0_0");
  const noBlocks = "this is the port of an RpcEnv, which has no blocks";
  await within(assertRejects(() => fetched, RpcError, noBlocks), "the refusal of a fetch");
  const lookup = env.setupEndpointRef(`spark://Master@127.0.0.1:${peer.port}`);
  await within(assertRejects(() => lookup, RpcError, "serves blocks and has no endpoints"), "that of a look-up");
});

test("NettyBlockTransferService: two thousand blocks in one fetch come in order", async (context) => {
  const ids = Array.from({ length: 2_000 }, (_, i) => `b${i}`);
  const server = await startService(
    context,
    new MemoryBlocks(Object.fromEntries(ids.map((id, i) => [id, content(i % 50, i)]))),
  );
  const client = await startService(context);
  const ear = new Ear();
  client.service.fetchBlocks(server.peer, ids, ear);
  await ear.count(ids.length);
  assertEquals(ear.order, ids);
  for (const [i, id] of ids.entries()) assertEquals(ear.blocks.get(id), content(i % 50, i));
});

test("NettyBlockTransferService.uploadBlock() uploads whole, with the metadata that Spark writes", async (context) => {
  const blocks = new MemoryBlocks();
  const server = await startService(context, blocks);
  const client = await startService(context);
  const metadata = fromHex(readVectors("upload").find(({ name }) => name === "UploadMetadata_MEMORY_ONLY")!.hex);
  const data = new CountedBuffer(content(100_000));
  await within(client.service.uploadBlock(server.peer, "rdd_1_2", data, metadata), "the upload");
  assertEquals([blocks.blocks.get("rdd_1_2"), blocks.metadata.get("rdd_1_2")], [content(100_000), metadata]);
  assertEquals(data.holders, 0);
  await idle(client);
  await idle(server);
});

test("NettyBlockTransferService.uploadBlock() fails, whole or as a stream, if there are not as many bytes as the block has", async (context) => {
  const blocks = new MemoryBlocks();
  const server = await startService(context, blocks);
  const client = await startService(context);
  const fewer = Object.assign(new CountedBuffer(content(100)), { bytes: content(10) });
  for (const blockId of ["rdd_1_2", "shuffle_0_0_0"]) {
    const upload = client.service.uploadBlock(server.peer, blockId, fewer, new Uint8Array(0));
    await assertRejects(() => upload, RangeError, "A body of 100 bytes has 10");
  }
  assertEquals([...blocks.blocks.keys()], []);
  await idle(client);
  await idle(server);
});

test("NettyBlockTransferService.uploadBlock() streams large blocks and a shuffle's", async (context) => {
  const blocks = new MemoryBlocks();
  const server = await startService(context, blocks);
  const client = await startService(context, undefined, { conf: { "spark.network.maxRemoteBlockSizeFetchToMem": "1k" } });
  const streamed: string[] = [];
  const original = blocks.putBlockDataAsStream.bind(blocks);
  blocks.putBlockDataAsStream = (blockId, metadata) => {
    streamed.push(blockId);
    return original(blockId, metadata);
  };
  const sizes: readonly (readonly [string, number])[] = [["a", 1024], ["b", 1025], ["c", 3_000_000], ["shuffle_0_0_0", 5], [
    "d",
    0,
  ]];
  for (const [blockId, size] of sizes) {
    const data = new CountedBuffer(content(size));
    await within(client.service.uploadBlock(server.peer, blockId, data, Uint8Array.of(1, 2)), "the upload");
    assertEquals([blocks.blocks.get(blockId), blocks.metadata.get(blockId), data.holders], [
      content(size),
      Uint8Array.of(1, 2),
      0,
    ]);
  }
  assertEquals(streamed, ["b", "c", "shuffle_0_0_0"]);
  await idle(client);
  await idle(server);
});

test("NettyBlockTransferService.uploadBlock() takes 200 MiB for the most that is in memory", async (context) => {
  const server = await startService(context, new MemoryBlocks());
  const limits = { maxOutboxBytes: 400 * MIB, maxQueuedBytes: 800 * MIB };
  const client = await startService(context, undefined, { limits });
  for (const [size, piece] of [[200 * MIB, 200 * MIB], [200 * MIB + 1, MIB]] as const) {
    const wanted: number[] = [];
    const data: ManagedBuffer = {
      size,
      read(_, into) {
        wanted.push(into.length);
        throw new Error("That was to be seen");
      },
      retain: () => data,
      release() {},
    };
    const failed = client.service.uploadBlock(server.peer, "rdd_0_0", data, new Uint8Array(0));
    await within(assertRejects(() => failed, Error, "That was to be seen"), "the failure");
    assertEquals(wanted, [piece]);
  }
});

test("NettyBlockTransferService.uploadBlock() closes a connection of its own when the block is there", async (context) => {
  const blocks = new MemoryBlocks();
  const server = await startService(context, blocks);
  const client = await startService(context);
  const { signal } = new AbortController();
  for (const blockId of ["a", "shuffle_0_0_0"]) {
    const upload = client.service.uploadBlock(server.peer, blockId, new CountedBuffer(content(10)), new Uint8Array(0), {
      signal,
    });
    await within(upload, "the upload");
    await until(() => client.service.stats().connections.length === 0, "its connection to close");
    assertEquals(blocks.blocks.get(blockId), content(10));
  }
});

test("NettyBlockTransferService.uploadBlock() streams what does not fit into a message, or beside what waits to be sent", async (context) => {
  const blocks = new MemoryBlocks({ rdd_0_0: content(10) });
  const server = await startService(context, blocks);
  const limits = { maxOutboxBytes: 2_000_000, maxFrameBytes: 1_500_000 };
  const client = await startService(context, undefined, { limits });
  const fetched = async () => (await client.service.fetchBlock(server.peer, "rdd_0_0")).release();
  await within(fetched(), "the connection");
  const all = content(6_000_000);
  // The third message leaves no room for others, and all of them are more than any system takes at once.
  const sizes = [...new Array<number>(20).fill(900_000), 1_500_000, 6_000_000];
  const uploads = sizes.map(async (size, i) => {
    const data = new CountedBuffer(all.subarray(0, size));
    await client.service.uploadBlock(server.peer, `rdd_1_${i}`, data, Uint8Array.of(i));
    assertEquals(data.holders, 0);
  });
  await within(Promise.all([...uploads, fetched()]), "the uploads");
  assertEquals(sizes.map((_, i) => blocks.blocks.get(`rdd_1_${i}`)?.length), sizes);
  assertEquals(sizes.map((_, i) => blocks.metadata.get(`rdd_1_${i}`)?.[0]), sizes.map((_, i) => i));
  assertEquals(blocks.blocks.get("rdd_1_21"), all);
  await idle(client);
  await idle(server);
});

test("NettyBlockTransferService.uploadBlock() reads a block that can be read once only once, whoever was faster", async (context) => {
  const blocks = new MemoryBlocks({ rdd_0_0: content(10) });
  const server = await startService(context, blocks);
  const client = await startService(context, undefined, { limits: { maxOutboxBytes: 2_000_000 } });
  const all = content(900_000);
  async function* pieces() {
    yield all.subarray(0, 100_000);
    yield all.subarray(100_000);
  }
  const names = Array.from({ length: 20 }, (_, i) => `rdd_1_${i}`);
  const uploads = names.map((name) => {
    return client.service.uploadBlock(server.peer, name, new StreamManagedBuffer(all.length, pieces()), Uint8Array.of(1));
  });
  await within(Promise.all(uploads), "the uploads");
  for (const name of names) assertEquals(blocks.blocks.get(name), all);
  await idle(client);
  await idle(server);
});

test("NettyBlockTransferService.uploadBlock() fails once when there is no room, whole or streamed, and the connection lives", async (context) => {
  const blocks = new MemoryBlocks();
  blocks.hasRoom = false;
  const server = await startService(context, blocks);
  const client = await startService(context);
  const upload = (blockId: string, data: CountedBuffer) =>
    client.service.uploadBlock(server.peer, blockId, data, new Uint8Array(0));
  const whole = new CountedBuffer(content(10));
  const text =
    "Upload block for a failed. This mostly happens when there is not sufficient space available to store the block.";
  await within(assertRejects(() => upload("a", whole), RpcError, text), "the failure");
  const streamed = new CountedBuffer(content(10));
  await within(assertRejects(() => upload("shuffle_0_0_0", streamed), RpcError, "No room"), "the failure");
  assertEquals([whole.holders, streamed.holders, blocks.aborted], [0, 0, ["shuffle_0_0_0"]]);
  blocks.hasRoom = true;
  await within(upload("a", new CountedBuffer(content(10))), "the upload");
  await idle(client);
  await idle(server);
  assertEquals(server.service.stats().connections.length, 1);
});

test("NettyBlockTransferService.uploadBlock() releases the block when nobody is there", async (context) => {
  const gone = await startService(context, new MemoryBlocks());
  const peer = { ...gone.peer };
  await within(gone.service.close(), "to close");
  const client = await startService(context);
  for (const blockId of ["rdd_0_0", "shuffle_0_0_0"]) {
    const data = new CountedBuffer(content(10));
    await within(
      assertRejects(() => client.service.uploadBlock(peer, blockId, data, new Uint8Array(0)), SocketError),
      "the failure",
    );
    assertEquals(data.holders, 0);
  }
  await idle(client);
});

test("NettyBlockTransferService.openBlock() streams a block, and says its size first", async (context) => {
  const blocks = new MemoryBlocks({ big: content(5_000_000), empty: new Uint8Array(0) });
  const server = await startService(context, blocks);
  const client = await startService(context);
  for (const [blockId, bytes] of blocks.blocks) {
    const sizes: number[] = [];
    const stream = client.service.openBlock(server.peer, blockId, { onSize: (size) => sizes.push(size) });
    assertEquals(new Uint8Array(await within(new Response(stream).arrayBuffer(), "the stream")), bytes);
    assertEquals(sizes, [bytes.length]);
  }
  const missing = client.service.openBlock(server.peer, "gone");
  await within(assertRejects(() => new Response(missing).text(), RpcError, "Block gone not found"), "the failure");
  await idle(client);
  await idle(server);
  await until(() => client.service.stats().connections.length === 0, "the connections to close");
  assertEquals(blocks.held, 0);
});

test("NettyBlockTransferService.getHostLocalDirs() tells the folders of the one executor, to its own application", async (context) => {
  const blocks = Object.assign(new MemoryBlocks(), { getLocalDiskDirs: () => ["/a", "/b"] });
  const server = await startService(context, blocks, { executorId: "7", appId: "app-1" });
  const client = await startService(context, undefined, { appId: "app-1" });
  const ask = (...execIds: string[]) => within(client.service.getHostLocalDirs(server.peer, execIds), "the answer");
  assertEquals(await ask("7"), new Map([["7", ["/a", "/b"]]]));
  await assertRejects(() => ask("8"), RpcError, "Invalid executor id: 8, expected 7.");
  await assertRejects(
    () => ask("7", "8"),
    RpcError,
    "Invalid GetLocalDirsForExecutors request: incorrect executor number: 2 (expected 1);",
  );
  const other = await startService(context, undefined, { appId: "app-2" });
  const refused = within(other.service.getHostLocalDirs(server.peer, ["7"]), "the answer");
  await assertRejects(() => refused, RpcError, "Client for app-1 not authorized for application app-2.");
  const without = await startService(context, new MemoryBlocks(), { executorId: "7", appId: "app-1" });
  const unknown = within(client.service.getHostLocalDirs(without.peer, ["7"]), "the answer");
  await assertRejects(() => unknown, RpcError, "This server tells no local folders");
});

test("NettyBlockTransferService.diagnoseCorruption() hands the question on, and knows when nobody can answer it", async (context) => {
  const asked: unknown[] = [];
  const diagnoses = Object.assign(new MemoryBlocks(), {
    diagnoseShuffleBlockCorruption(...question: unknown[]) {
      asked.push(question);
      return Promise.resolve("DISK_ISSUE" as const);
    },
  });
  const client = await startService(context);
  const block = { shuffleId: 1, mapId: 2n, reduceId: 3 };
  for (const [blocks, cause] of [[diagnoses, "DISK_ISSUE"], [new MemoryBlocks(), "UNKNOWN_ISSUE"]] as const) {
    const server = await startService(context, blocks);
    assertEquals(
      await within(client.service.diagnoseCorruption(server.peer, block, 0xdeadbeefn, "ADLER32"), "the answer"),
      cause,
    );
  }
  assertEquals(asked, [["shuffle_1_2_3", 0xdeadbeefn, "ADLER32"]]);
});

test("NettyBlockTransferService.diagnoseCorruption() waits for spark.shuffle.io.connectionTimeout, whatever else its peer answers", async (context) => {
  const asked = deferred();
  const blocks = Object.assign(new MemoryBlocks(), {
    getLocalDiskDirs: () => ["/a"],
    diagnoseShuffleBlockCorruption() {
      asked.resolve();
      return new Promise<never>(() => {});
    },
  });
  const server = await startService(context, blocks, { executorId: "7", appId: "app-1" });
  const clock = new HandTime();
  const conf = { "spark.shuffle.io.connectionTimeout": "10s" };
  const client = await startService(context, undefined, { appId: "app-1", conf, clock });
  const block = { shuffleId: 1, mapId: 2n, reduceId: 3 };
  const diagnosis = client.service.diagnoseCorruption(server.peer, block, 1n, "ADLER32");
  const failed = assertRejects(
    () => diagnosis,
    RpcTimeoutError,
    "in 10000 ms. This timeout is controlled by spark.shuffle.io.",
  );
  await within(asked.promise, "the question");
  for (let seconds = 1; seconds <= 10; seconds++) {
    clock.advance(1_000);
    await within(client.service.getHostLocalDirs(server.peer, ["7"]), "the folders");
  }
  assertEquals((await within(failed, "the failure")).key, "spark.shuffle.io.connectionTimeout");
  await idle(client);
});

test("NettyBlockTransferService takes no answer to another question", async (context) => {
  let answer: BlockTransferMessage = { type: BlockTransferMessageType.CorruptionCause, cause: "DISK_ISSUE" };
  const receive: RpcHandler["receive"] = (_, _body, responder) => responder.onSuccess(encodeBlockTransferMessage(answer));
  const server = await (await TransportContext.create({ ...noOpRpcHandler, receive }, { logger: silentLogger })).createServer();
  context.defer(() => server.close());
  const peer = { ...server.address, execId: "7" };
  const { service } = await startService(context);
  const text = (type: number) => `The answer is a message of type ${type}, which was not asked for`;
  await within(assertRejects(() => service.getHostLocalDirs(peer, ["7"]), RpcError, text(answer.type)), "the failure");
  answer = { type: BlockTransferMessageType.LocalDirsForExecutors, localDirsByExec: new Map() };
  const block = { shuffleId: 1, mapId: 2n, reduceId: 3 };
  const diagnosis = service.diagnoseCorruption(peer, block, 1n, "ADLER32");
  await within(assertRejects(() => diagnosis, RpcError, text(answer.type)), "the failure");
});

test("NettyBlockTransferService.uploadBlock() fails where its block ends before its size, in one message", async (context) => {
  const blocks = new MemoryBlocks();
  const server = await startService(context, blocks);
  const client = await startService(context);
  let released = 0;
  const cut: ManagedBuffer = {
    size: 10,
    bytes: undefined,
    read: (position, into) => position === 0 ? into.subarray(0, 4).fill(1).length : 0,
    retain: () => cut,
    release: () => void released++,
  };
  const failed = client.service.uploadBlock(server.peer, "a", cut, new Uint8Array(0));
  await within(assertRejects(() => failed, RpcError, "A block of 10 bytes ended after 4"), "the failure");
  assertEquals([released, blocks.blocks.size], [1, 0]);
});

test("NettyBlockTransferService.close() fails what is under way, once, and refuses the rest", async (context) => {
  const blocks = new MemoryBlocks();
  const never = new Promise<never>(() => {});
  Object.assign(blocks, { getLocalBlockData: () => never, putBlockData: () => never });
  const server = await startService(context, blocks);
  const client = await startService(context);
  const data = new CountedBuffer(content(5));
  const settled: string[] = [];
  const note = (what: string, promise: Promise<unknown>) =>
    promise.then(() => settled.push(`${what} succeeded`), (error) => settled.push(`${what}: ${error.constructor.name}`));
  const all = [
    note("fetch", client.service.fetchBlock(server.peer, "a")),
    note("upload", client.service.uploadBlock(server.peer, "a", data, new Uint8Array(0))),
    note("stream", new Response(client.service.openBlock(server.peer, "a")).text()),
  ];
  await until(() => server.service.stats().openBlocks === 2 && server.service.stats().uploads === 1, "the requests");
  assertEquals(client.service.stats().transfers, 3);
  await within(client.service.close(), "to close");
  await within(Promise.all(all), "the failures");
  assertEquals(settled.sort(), ["fetch: RpcStoppedError", "stream: RpcStoppedError", "upload: RpcStoppedError"]);
  assertEquals([data.holders, client.service.stats().transfers, client.service.stats().connections], [0, 0, []]);
  await within(assertRejects(() => client.service.fetchBlock(server.peer, "a"), RpcStoppedError), "the refusal");
  await within(assertRejects(() => client.service.init(blocks), RpcStoppedError), "the refusal");
});

test("NettyBlockTransferService.close() waits for nothing of an upload that it fails", async (context) => {
  const blocks = new MemoryBlocks();
  const server = await startService(context, blocks);
  // Time stands still: whoever gives the bytes time to leave waits for ever.
  const client = await startService(context, undefined, { clock: new HandTime() });
  async function* unending(): AsyncGenerator<Uint8Array> {
    yield content(5);
    await new Promise(() => {});
  }
  const data = new StreamManagedBuffer(10, unending());
  const failed = assertRejects(
    () => client.service.uploadBlock(server.peer, "shuffle_0_0_0", data, new Uint8Array(0)),
    RpcStoppedError,
  );
  await until(() => server.service.stats().uploads === 1, "the upload");
  await within(client.service.close(), "to close");
  await within(failed, "the failure");
  await until(() => blocks.aborted.includes("shuffle_0_0_0"), "the other end to hear of it");
});

test("NettyBlockTransferService.close() gives up the dial of a shared connection", async (context) => {
  const driver = new StubDriver();
  driver.silent = true;
  const { service } = await startService(context, undefined, { driver });
  const failed = assertRejects(() => service.fetchBlock({ host: "127.0.0.1", port: 1, execId: "1" }, "a"), RpcStoppedError);
  await until(() => driver.dials === 1, "the dial");
  await within(service.close(), "to close");
  await within(failed, "the failure");
  assertEquals(driver.aborted, 1);
});

test("NettyBlockTransferService that has been closed before it dialled anybody dials nobody", async (context) => {
  const driver = new StubDriver();
  const { service } = await startService(context, undefined, { driver });
  await within(service.close(), "to close");
  const peer = { host: "127.0.0.1", port: 1, execId: "1" };
  await within(assertRejects(() => service.fetchBlock(peer, "a"), RpcStoppedError), "the refusal");
  await within(assertRejects(() => service.getHostLocalDirs(peer, ["1"]), RpcStoppedError), "the refusal");
  assertEquals(driver.dials, 0);
});

/** Begins a transfer, and settles as it does. */
type Transfer = (
  service: NettyBlockTransferService,
  peer: BlockPeer,
  signal: AbortSignal,
  data?: CountedBuffer,
) => Promise<unknown>;

const fetchOf: Transfer = (service, peer, signal) => service.fetchBlock(peer, "a", { signal });
const uploadOf: Transfer = (service, peer, signal, data = new CountedBuffer(content(5))) =>
  service.uploadBlock(peer, "shuffle_0_0_0", data, new Uint8Array(0), { signal });
const streamOf: Transfer = (service, peer, signal) => new Response(service.openBlock(peer, "a", { signal })).text();

test("NettyBlockTransferService gives up the dial of a transfer that is aborted", async (context) => {
  const driver = new StubDriver();
  driver.silent = true;
  const { service } = await startService(context, undefined, { driver });
  const peer = { host: "127.0.0.1", port: 1, execId: "1" };
  for (const [i, transfer] of [fetchOf, uploadOf, streamOf].entries()) {
    const stop = new AbortController();
    const failed = assertRejects(() => transfer(service, peer, stop.signal), Error, "enough");
    await until(() => driver.dials === i + 1, "the dial");
    stop.abort(new Error("enough"));
    await within(failed, "the failure");
    await until(() => driver.aborted === i + 1, "the end of the dial");
  }
});

test("NettyBlockTransferService leaves no connection open that is made as its transfer is aborted", async (context) => {
  const driver = new StubDriver();
  const { service } = await startService(context, undefined, { driver });
  const peer = { host: "127.0.0.1", port: 1, execId: "1" };
  for (let turns = 0; turns < 24; turns++) {
    for (const begin of [fetchOf, uploadOf, streamOf]) {
      const gate = deferred();
      driver.gate = gate.promise;
      const stop = new AbortController();
      const data = new CountedBuffer(content(5));
      const dials = driver.dials;
      const failed = assertRejects(() => begin(service, peer, stop.signal, data), Error, "enough");
      await until(() => driver.dials > dials, "the dial");
      gate.resolve();
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      stop.abort(new Error("enough"));
      await within(failed, "the failure");
      if (begin === uploadOf) await until(() => data.holders === 0, "the release");
      await until(() => service.stats().connections.length === 0, `the end of the connection after ${turns} turns`);
    }
  }
});

test("NettyBlockTransferService.fetchBlock() leaves a peer alone that could not be reached a moment ago, if it is to be retried", async (context) => {
  for (const [maxRetries, dials] of [["1", 1], ["0", 2]] as const) {
    const driver = new StubDriver();
    driver.failure = new SocketError("CONNECTION_REFUSED", "Cannot connect: connection refused");
    const conf = { "spark.shuffle.io.retryWait": "1h", "spark.shuffle.io.maxRetries": maxRetries };
    const { service, logger } = await startService(context, undefined, { driver, conf });
    const peer = { host: "127.0.0.1", port: 1, execId: "1" };
    const heard = () => logger.lines.filter((line) => line.includes("Exception while beginning fetch")).length;
    const failed: Promise<unknown>[] = [];
    for (let count = 1; count <= 2; count++) {
      failed.push(assertRejects(() => service.fetchBlock(peer, "a"), RpcError));
      await until(() => heard() === count, "the failure");
    }
    assertEquals(driver.dials, dials);
    await within(service.close(), "to close");
    await within(Promise.all(failed), "the failures");
  }
});

test("NettyBlockTransferService dials a peer that could not be reached a moment ago for what is not retried", async (context) => {
  const driver = new StubDriver();
  driver.failure = new SocketError("CONNECTION_REFUSED", "Cannot connect: connection refused");
  const { service } = await startService(context, undefined, { driver });
  const peer = { host: "127.0.0.1", port: 1, execId: "1" };
  const calls = [
    () => service.uploadBlock(peer, "a", new CountedBuffer(content(10)), new Uint8Array(0)),
    () => service.openBlock(peer, "a").getReader().read(),
    () => service.getHostLocalDirs(peer, ["1"]),
  ];
  for (const [index, call] of [...calls, ...calls].entries()) {
    const { message } = await within(assertRejects(call, SocketError), "the failure");
    assertEquals([message, driver.dials], ["Failed to connect to 127.0.0.1:1: Cannot connect: connection refused", index + 1]);
  }
});
