import { assertEquals, assertRejects } from "@std/assert";
import { setTimeout } from "node:timers/promises";
import { systemClock } from "../../src/base/clock.ts";
import { ByteSink } from "../../src/base/byte_sink.ts";
import { RpcError } from "../../src/base/errors.ts";
import { MessageBody } from "../../src/base/message_body.ts";
import { ReceivedBytes } from "../../src/base/received_bytes.ts";
import { SparkConf } from "../../src/base/spark_conf.ts";
import type { BlockDataManager } from "../../src/block/block_data_manager.ts";
import { BlockTransferMessageType } from "../../src/block/block_transfer_message_type.ts";
import {
  type BlockTransferMessage,
  decodeBlockTransferMessage,
  encodeBlockTransferMessage,
} from "../../src/block/block_transfer_messages.ts";
import { NettyBlockRpcServer } from "../../src/block/netty_block_rpc_server.ts";
import { MAX_REQUEST_BYTES, MAX_REQUESTS_AT_WORK } from "../../src/block/request_turns.ts";
import { MAX_METADATA_BYTES } from "../../src/block/upload_messages.ts";
import { encodeMessage } from "../../src/protocol/message_encoder.ts";
import { MessageType } from "../../src/protocol/message.ts";
import { defaultSocketDriver } from "../../src/socket/default.ts";
import type { SocketAddress } from "../../src/socket/socket.ts";
import { noOpRpcHandler, type RpcHandler } from "../../src/transport/rpc_handler.ts";
import type { RpcResponder } from "../../src/transport/rpc_response_callback.ts";
import type { TransportClient } from "../../src/transport/transport_client.ts";
import { TransportConf } from "../../src/transport/transport_conf.ts";
import { TransportContext } from "../../src/transport/transport_context.ts";
import { content } from "../_counted_buffer.ts";
import { deferred, test, type TestContext, until, within } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";
import { RawPeer } from "../rpc/_raw_peer.ts";
import { frameOf } from "../transport/_raw_peer.ts";
import { bufferOf, idle, MemoryBlocks, startService, type TestService } from "./_blocks.ts";

const Type = BlockTransferMessageType;
const own = { appId: "app-1", execId: "exec-1" } as const;

interface Pair {
  readonly server: TestService;
  readonly blocks: MemoryBlocks;
  readonly client: TransportClient;
}

function twoBlocks(): MemoryBlocks {
  return new MemoryBlocks({ a: content(5), b: content(6) });
}

/** A server with an application of its own, and a bare connection to it. */
async function pair(
  context: TestContext,
  { blocks = twoBlocks(), maxOpenBlocks }: { readonly blocks?: MemoryBlocks; readonly maxOpenBlocks?: number } = {},
): Promise<Pair> {
  const server = await startService(context, blocks, { appId: own.appId, maxOpenBlocks });
  return { server, blocks, client: await dial(context, server.peer) };
}

/** A context whose connections end with the test. */
async function contextOf(context: TestContext, handler: RpcHandler): Promise<TransportContext> {
  const transport = new TransportContext(new TransportConf("shuffle", new SparkConf()), handler, {
    driver: await defaultSocketDriver(),
    clock: systemClock,
    logger: new MemoryLogger(),
    random: Math.random,
  });
  context.defer(() => within(transport.close(), "the connections to close"));
  return transport;
}

async function dial(context: TestContext, address: SocketAddress): Promise<TransportClient> {
  return await within((await contextOf(context, noOpRpcHandler)).createClientFactory().createClient(address), "to connect");
}

function ask(client: TransportClient, message: Uint8Array): Promise<Uint8Array> {
  const answer = new Promise<Uint8Array>((resolve, reject) => {
    const callback = {
      deadline: Infinity,
      onSuccess: (body: { take(): Uint8Array }) => resolve(body.take()),
      onFailure: reject,
    };
    client.sendRpc(message, { ...callback, onTimeout() {} });
  });
  return within(answer, "the answer");
}

async function askMessage(client: TransportClient, message: BlockTransferMessage): Promise<BlockTransferMessage> {
  return decodeBlockTransferMessage(await ask(client, encodeBlockTransferMessage(message)));
}

async function open(client: TransportClient, ...blockIds: string[]): Promise<bigint> {
  const handle = await askMessage(client, { type: Type.OpenBlocks, ...own, blockIds });
  if (handle.type !== Type.StreamHandle) throw new Error("No stream");
  assertEquals(handle.numChunks, blockIds.length);
  return handle.streamId;
}

function chunk(client: TransportClient, streamId: bigint, index: number): Promise<Uint8Array> {
  const answer = new Promise<Uint8Array>((resolve, reject) => {
    client.fetchChunk(streamId, index, {
      onSuccess: (_, body) => resolve(body.take()),
      onFailure: (_, error) => reject(error),
    });
  });
  return within(answer, "the chunk");
}

const advice = "Please use `spark.authenticate.*` configurations in case of security incidents.";

// Spark: NettyBlockRpcServerSuite "SPARK-38830: Rethrow IllegalArgumentException due to `Unknown message type`".
test("NettyBlockRpcServer fails a message of a type that it does not know, and warns", async (context) => {
  const { client, server } = await pair(context);
  await assertRejects(() => ask(client, Uint8Array.of(0x24)), RpcError, "Unknown message type: 36");
  const warning =
    `warning: This could be a corrupted RPC message (capacity: 1) from ${client.channel.socket.localAddress.host}`;
  assertEquals(server.logger.lines.filter((line) => line.startsWith(warning) && line.endsWith(advice)).length, 1);
  assertEquals(await chunk(client, await open(client, "a"), 0), content(5));
});

// Spark: NettyBlockRpcServerSuite "SPARK-38830: Warn and ignore NegativeArraySizeException due to the corruption".
test("NettyBlockRpcServer fails a message with a negative length, and warns", async (context) => {
  const { client, server } = await pair(context);
  const corrupt = Uint8Array.of(0, 0xff, 0xff, 0xff, 0xff);
  await assertRejects(
    () => ask(client, corrupt),
    RpcError,
    "Corrupted block message: Length of application id is negative: -1",
  );
  assertEquals(
    server.logger.lines.filter((line) => line.startsWith("warning: Refused a corrupted RPC message (capacity: 5)")).length,
    1,
  );
  assertEquals(await chunk(client, await open(client, "a"), 0), content(5));
});

// Spark: NettyBlockRpcServerSuite "SPARK-38830: Warn and ignore IndexOutOfBoundsException due to the corruption".
test("NettyBlockRpcServer fails a message that ends too early, and one without a byte, and warns", async (context) => {
  const { client, server } = await pair(context);
  const whole = encodeBlockTransferMessage({ type: Type.OpenBlocks, ...own, blockIds: ["a", "b"] });
  for (let length = 0; length < whole.length; length++) {
    await assertRejects(() => ask(client, whole.slice(0, length)), RpcError, "Corrupted block message: ");
  }
  assertEquals(server.logger.has("Refused a corrupted RPC message"), true);
  assertEquals(await chunk(client, await open(client, "a"), 0), content(5));
  await idle(server);
});

test("NettyBlockRpcServer warns of a connection's corrupt messages now and then, and says how many there were", async (context) => {
  const { client, server } = await pair(context);
  const answers = Array.from({ length: 1_000 }, (_, i) => ask(client, Uint8Array.of(i % 2 === 0 ? 0x24 : 0)).catch(String));
  await within(Promise.all(answers), "the answers");
  const lines = server.logger.lines.filter((line) => line.includes("corrupted RPC message"));
  assertEquals(
    lines.map((line) => /\((\d+) of its messages so far\)/.exec(line)?.[1]),
    [..."1248"].concat("16,32,64,128,256,512".split(",")),
  );
  await assertRejects(
    async () => await ask(await dial(context, server.peer), Uint8Array.of(0x24)),
    RpcError,
    "Unknown message type",
  );
  assertEquals(server.logger.lines.filter((line) => line.includes("(1 of its messages so far)")).length, 2);
});

test("NettyBlockRpcServer refuses messages of another application, and serves any if it has none itself", async (context) => {
  const { client, blocks, server } = await pair(context);
  const other = { appId: "app-2", execId: "exec-1" };
  const messages: BlockTransferMessage[] = [
    { type: Type.OpenBlocks, ...other, blockIds: ["a"] },
    { type: Type.FetchShuffleBlocks, ...other, shuffleId: 0, mapIds: [0n], reduceIds: [[0]], batchFetchEnabled: false },
    { type: Type.UploadBlock, ...other, blockId: "c", metadata: content(0), blockData: content(1) },
    { type: Type.GetLocalDirsForExecutors, appId: "app-2", execIds: ["exec-1"] },
  ];
  for (const message of messages) {
    const text = "Client for app-1 not authorized for application app-2.";
    await assertRejects(() => askMessage(client, message), RpcError, text);
  }
  assertEquals([blocks.handedOut.length, blocks.blocks.has("c")], [0, false]);
  await idle(server);
  const free = await startService(context, blocks);
  const { service } = await startService(context, undefined, { appId: "app-2" });
  const block = await within(service.fetchBlock(free.peer, "a"), "the block");
  assertEquals(block.bytes, content(5));
});

test("NettyBlockRpcServer refuses an authenticated peer the application of others", async (context) => {
  const logger = new MemoryLogger();
  const rpcServer = new NettyBlockRpcServer(new MemoryBlocks({ a: content(5) }), {
    appId: undefined,
    executorId: undefined,
    random: Math.random,
    logger,
  });
  // As its bootstrap would.
  const handler = Object.assign(rpcServer, { channelActive: (client: TransportClient) => client.setClientId("app-2") });
  const serving = await contextOf(context, handler);
  const listening = await within(serving.createServer(), "to listen");
  context.defer(() => within(listening.close(), "the server to close"));
  const client = await dial(context, { host: "127.0.0.1", port: listening.port });
  await assertRejects(() => open(client, "a"), RpcError, "Client for app-2 not authorized for application app-1.");
  const streamId = rpcServer.streamManager.registerStream("app-1", [bufferOf(content(5))]);
  const text = `Client app-2 not authorized to read stream ${streamId} (app app-1).`;
  await assertRejects(() => chunk(client, streamId, 0), RpcError, text);
});

test("NettyBlockRpcServer keeps nothing of a message that lies in its connection's memory", async (context) => {
  const put: Uint8Array[] = [];
  const blocks = new MemoryBlocks();
  blocks.putBlockData = (_blockId, { bytes }, metadata) => put.push(bytes!, metadata) > 0;
  blocks.putBlockDataAsStream = (id, metadata) => {
    put.push(metadata);
    return { id, onData() {}, onComplete() {}, onFailure() {} };
  };
  const options = { appId: undefined, executorId: undefined, random: () => 0, logger: new MemoryLogger() };
  const rpcServer = new NettyBlockRpcServer(blocks, options);
  const { client } = await pair(context);
  /** A message that is over once `read` has returned. */
  const borrowed = (message: BlockTransferMessage, read: (body: MessageBody) => void) => {
    const memory = encodeBlockTransferMessage(message);
    read(new MessageBody(new ReceivedBytes(memory, false), 0, memory.length));
    memory.fill(0xee);
  };
  const upload = { type: Type.UploadBlock, ...own, blockId: "c", metadata: content(3), blockData: content(9) } as const;
  const answered = deferred<unknown>();
  const responder = { onSuccess: answered.resolve, onFailure: answered.reject };
  borrowed(upload, (body) => rpcServer.receive(client, body, responder as unknown as RpcResponder));
  assertEquals(await within(answered.promise, "the answer"), new Uint8Array(0));
  const stream = { type: Type.UploadBlockStream, blockId: "d", metadata: content(4) } as const;
  borrowed(stream, (body) => void rpcServer.receiveStream(client, body));
  assertEquals(put, [content(9), content(3), content(4)]);
});

test("NettyBlockRpcServer counts no blocks as open that could not be opened, and streams until they are read", async (context) => {
  const { client, server } = await pair(context, { maxOpenBlocks: 2 });
  for (let i = 0; i < 3; i++) await assertRejects(() => open(client, "a", "nowhere"), RpcError, "Block nowhere not found");
  assertEquals(server.service.stats().openBlocks, 0);
  const streamId = await open(client, "a", "b");
  assertEquals([server.service.stats().openBlocks, server.service.stats().streams], [2, 1]);
  for (const index of [0, 1]) await chunk(client, streamId, index);
  await idle(server);
});

test("NettyBlockRpcServer refuses messages that it has no answer to", async (context) => {
  const { client } = await pair(context);
  const messages: BlockTransferMessage[] = [
    { type: Type.StreamHandle, streamId: 1n, numChunks: 1 },
    { type: Type.RemoveBlocks, ...own, blockIds: ["a"] },
    { type: Type.UploadBlockStream, blockId: "a", metadata: content(0) },
  ];
  for (const message of messages) {
    const text = `Unexpected message: the block service takes none of type ${message.type}`;
    await assertRejects(() => askMessage(client, message), RpcError, text);
  }
  await assertRejects(
    () => askMessage(client, { type: Type.GetLocalDirsForExecutors, appId: "app-1", execIds: ["exec-1"] }),
    RpcError,
    "This server tells no local folders",
  );
});

test("NettyBlockRpcServer refuses fetches whose lists do not fit together", async (context) => {
  const { client } = await pair(context);
  const fetch = { type: Type.FetchShuffleBlocks, ...own, shuffleId: 0 } as const;
  const wrong = [
    { mapIds: [0n, 1n], reduceIds: [[0]], batchFetchEnabled: false },
    { mapIds: [0n], reduceIds: [[0, 1, 2, 3]], batchFetchEnabled: true },
    { mapIds: [0n], reduceIds: [[]], batchFetchEnabled: true },
  ];
  for (const lists of wrong) {
    await assertRejects(() => askMessage(client, { ...fetch, ...lists }), RpcError, "Invalid shuffle fetch request");
  }
});

test("NettyBlockRpcServer gives each chunk once and in order; what is out of order fails alone", async (context) => {
  const { client, blocks, server } = await pair(context);
  const streamId = await open(client, "a", "b", "a");
  await assertRejects(() => chunk(client, streamId, 1), RpcError, "Received out-of-order chunk index 1 (expected 0)");
  assertEquals(await chunk(client, streamId, 0), content(5));
  await assertRejects(() => chunk(client, streamId, 0), RpcError, "Received out-of-order chunk index 0 (expected 1)");
  await assertRejects(() => chunk(client, streamId, -1), RpcError, "Received out-of-order chunk index -1 (expected 1)");
  assertEquals(await chunk(client, streamId, 1), content(6));
  assertEquals(await chunk(client, streamId, 2), content(5));
  await assertRejects(() => chunk(client, streamId, 3), RpcError, `streamId ${streamId} is closed`);
  await idle(server);
  assertEquals(blocks.held, 0);
});

test("NettyBlockRpcServer releases what a connection has opened when it goes, once", async (context) => {
  const { client, blocks, server } = await pair(context);
  const streamId = await open(client, "a", "b", "a");
  await open(client, "b");
  assertEquals(await chunk(client, streamId, 0), content(5));
  await until(() => blocks.held === 3, "the chunk to be released");
  assertEquals([server.service.stats().streams, server.service.stats().openBlocks], [2, 3]);
  client.channel.abort(new Error("Gone"));
  await until(() => blocks.held === 0, "the rest to be released");
  await idle(server);
});

test("NettyBlockRpcServer releases blocks that are found when their connection has gone", async (context) => {
  const blocks = new MemoryBlocks({ a: content(5) });
  let find!: () => void;
  const found = new Promise<void>((resolve) => find = resolve);
  const original = blocks.getLocalBlockData.bind(blocks);
  Object.assign(blocks, { getLocalBlockData: (blockId: string) => found.then(() => original(blockId)) });
  const { client, server } = await pair(context, { blocks });
  open(client, "a").catch(() => {});
  await until(() => server.service.stats().openBlocks === 1, "the request");
  client.channel.abort(new Error("Gone"));
  await until(() => server.service.stats().connections.length === 0, "the end of the connection");
  find();
  await until(() => blocks.handedOut.length === 1 && blocks.held === 0, "the release");
  await idle(server);
});

test("NettyBlockRpcServer releases what was found beside a block that is not there, also behind one that cannot be", async (context) => {
  const { server, blocks, client } = await pair(context);
  const get = blocks.getLocalBlockData.bind(blocks);
  const stuck = Object.assign(bufferOf(content(1)), {
    release() {
      throw new Error("The lock is gone");
    },
  });
  blocks.getLocalBlockData = (blockId) => blockId === "stuck" ? stuck : get(blockId);
  await assertRejects(() => open(client, "stuck", "a", "b", "none"), RpcError, "Block none not found");
  assertEquals(blocks.held, 0);
  await idle(server);
});

test("NettyBlockRpcServer limits the blocks that a connection has open", async (context) => {
  const { client, blocks, server } = await pair(context, { maxOpenBlocks: 3 });
  const streamId = await open(client, "a", "b");
  const text = "Cannot open 2 blocks: of 3 that may be open, 2 are (maxOpenBlocks)";
  await assertRejects(() => open(client, "a", "b"), RpcError, text);
  assertEquals(blocks.handedOut.length, 2);
  await chunk(client, streamId, 0);
  await open(client, "a", "b");
  assertEquals(server.service.stats().openBlocks, 3);
});

test("NettyBlockRpcServer limits them to 500,000, unless it is told otherwise", async (context) => {
  const { client, blocks, server } = await pair(context);
  const openMany = (count: number) => {
    return askMessage(client, { type: Type.OpenBlocks, ...own, blockIds: new Array<string>(count).fill("a") });
  };
  const text = "Cannot open 500001 blocks: of 500000 that may be open, 0 are (maxOpenBlocks)";
  await assertRejects(() => openMany(500_001), RpcError, text);
  await openMany(500_000);
  assertEquals([blocks.handedOut.length, server.service.stats().openBlocks], [500_000, 500_000]);
});

test("NettyBlockRpcServer refuses a limit that is none", async (context) => {
  await assertRejects(
    () => pair(context, { maxOpenBlocks: NaN }),
    RangeError,
    "Limit maxOpenBlocks is no number from 0 on: NaN",
  );
});

test("NettyBlockRpcServer: a fetch of nothing leaves nothing behind", async (context) => {
  const { client, server } = await pair(context);
  await open(client);
  assertEquals([server.service.stats().streams, server.service.stats().openBlocks], [0, 0]);
});

/** How an upload of a hundred bytes fails. */
async function uploadFailure(client: TransportClient, meta: Uint8Array): Promise<Error> {
  const failed = new Promise<Error>((onFailure) => {
    client.uploadStream(meta, bufferOf(content(100)), { deadline: Infinity, onSuccess() {}, onFailure, onTimeout() {} });
  });
  return await within(failed, "the failure");
}

test("NettyBlockRpcServer refuses an upload whose head is none, and closes, as bytes follow", async (context) => {
  for (const meta of [Uint8Array.of(6, 0), encodeBlockTransferMessage({ type: Type.OpenBlocks, ...own, blockIds: [] })]) {
    const { client, server } = await pair(context);
    const { message } = await uploadFailure(client, meta);
    assertEquals(/Corrupted block message|takes none of type 0/.test(message), true, message);
    await idle(server);
  }
});

test("NettyBlockRpcServer counts an upload once whose answer fails", async (context) => {
  const blocks = twoBlocks();
  const put = blocks.putBlockDataAsStream.bind(blocks);
  const completionResponse = () => {
    throw new Error("No answer");
  };
  blocks.putBlockDataAsStream = (blockId, metadata) => ({ ...put(blockId, metadata), completionResponse });
  const { client, server } = await pair(context, { blocks });
  const meta = encodeBlockTransferMessage({ type: Type.UploadBlockStream, blockId: "c", metadata: new Uint8Array(0) });
  assertEquals((await uploadFailure(client, meta)).message.endsWith("No answer"), true);
  assertEquals([server.service.stats().uploads, blocks.aborted], [0, ["c"]]);
});

test("NettyBlockRpcServer answers nothing to a one-way message, and lives on", async (context) => {
  const { client, server } = await pair(context);
  client.send(encodeBlockTransferMessage({ type: Type.OpenBlocks, ...own, blockIds: ["a"] }));
  await until(() => server.logger.has("one-way message"), "the log");
  assertEquals(await chunk(client, await open(client, "a"), 0), content(5));
});

/** Uploads with nothing but a name, all in one piece: as messages, or as streams. */
function manyUploads(count: number, asStreams: boolean): Uint8Array {
  const out = new ByteSink();
  for (let i = 0; i < count; i++) {
    const blockId = `block-${i}`;
    const metadata = new Uint8Array(0);
    if (asStreams) {
      const meta = MessageBody.of(encodeBlockTransferMessage({ type: Type.UploadBlockStream, blockId, metadata }));
      encodeMessage({ type: MessageType.UploadStream, requestId: { high: 0, low: i }, meta, bodyByteCount: 2 }, out);
      out.writeBytes(Uint8Array.of(i, i >> 8));
    } else {
      const blockData = Uint8Array.of(i, i >> 8);
      const body = MessageBody.of(encodeBlockTransferMessage({ type: Type.UploadBlock, ...own, blockId, metadata, blockData }));
      encodeMessage({ type: MessageType.RpcRequest, idHigh: 0, idLow: i, body }, out);
    }
  }
  return out.copy();
}

for (const asStreams of [false, true]) {
  const what = asStreams ? "streams" : "messages";
  test(`NettyBlockRpcServer takes the uploads of a connection a few at a time, as ${what}`, async (context) => {
    const blocks = new MemoryBlocks();
    let atWork = 0;
    let most = 0;
    /** As long as a disk takes, which has all that were begun open. */
    const work = async () => {
      most = Math.max(most, ++atWork);
      await setTimeout();
      atWork--;
    };
    const put = blocks.putBlockData.bind(blocks);
    const putAsStream = blocks.putBlockDataAsStream.bind(blocks);
    const slow: BlockDataManager = {
      getLocalBlockData: (blockId) => blocks.getLocalBlockData(blockId),
      putBlockData: (...block) => work().then(() => put(...block)),
      putBlockDataAsStream(blockId, metadata) {
        const upload = putAsStream(blockId, metadata);
        const working = work();
        return { ...upload, onComplete: (id) => working.then(() => upload.onComplete(id)) };
      },
    };
    const server = await startService(context, slow, { appId: own.appId });
    const peer = await within(RawPeer.connect(await defaultSocketDriver(), server.peer), "to connect");
    context.defer(() => peer.abort());
    peer.write(manyUploads(500, asStreams));
    await until(() => peer.messages.length === 500, "the answers");
    assertEquals(peer.messages.filter(({ type }) => type !== MessageType.RpcResponse), []);
    assertEquals([most, blocks.blocks.size], [MAX_REQUESTS_AT_WORK, 500]);
    for (let i = 0; i < 500; i++) assertEquals(blocks.blocks.get(`block-${i}`), Uint8Array.of(i, i >> 8), String(i));
    await idle(server);
  });
}

test("NettyBlockRpcServer reads no more of a connection whose blocks wait for a disk", async (context) => {
  const blocks = new MemoryBlocks();
  const disk = deferred();
  blocks.putBlockData = (() => disk.promise.then(() => true)) as () => never;
  const { client, server } = await pair(context, { blocks });
  const blockData = content(1024 * 1024);
  const upload = { type: Type.UploadBlock, ...own, metadata: new Uint8Array(0), blockData } as const;
  const answers = Array.from({ length: 64 }, (_, i) => askMessage(client, { ...upload, blockId: `${i}` }).catch(String));
  const read = () => server.service.stats().connections[0]?.bytesRead ?? 0;
  await until(() => read() >= MAX_REQUEST_BYTES, "what is taken at once");
  // Another connection is served, and what this one may send in that time is not read.
  for (let i = 0; i < 20; i++) await within(dial(context, server.peer).then((other) => open(other)), "another's answer");
  assertEquals(read() < MAX_REQUEST_BYTES + 4 * blockData.length, true, String(read()));
  disk.resolve();
  await within(Promise.all(answers), "the answers");
  await idle(server);
});

test("NettyBlockRpcServer reads on behind what is said of a block, or refuses it", async (context) => {
  const blocks = new MemoryBlocks();
  const server = await startService(context, blocks, { appId: own.appId });
  const upload = (metadataBytes: number) => {
    const metadata = new Uint8Array(metadataBytes);
    const meta = MessageBody.of(encodeBlockTransferMessage({ type: Type.UploadBlockStream, blockId: "a", metadata }));
    return frameOf({ type: MessageType.UploadStream, requestId: { high: 0, low: 1 }, meta, bodyByteCount: 3 });
  };
  for (
    const [bytes, type] of [[MAX_METADATA_BYTES, MessageType.RpcResponse], [MAX_REQUEST_BYTES, MessageType.RpcFailure]] as const
  ) {
    const peer = await within(RawPeer.connect(await defaultSocketDriver(), server.peer), "to connect");
    context.defer(() => peer.abort());
    peer.write(upload(bytes));
    // Not before all of that has been read. What is refused may have its answer by then, and no connection any more.
    const isRead = () => server.service.stats().connections.some(({ bytesRead }) => bytesRead > bytes);
    await until(() => isRead() || peer.messages.length > 0, "the message");
    peer.write(Uint8Array.of(1, 2, 3));
    await until(() => peer.messages.length > 0, "the answer");
    assertEquals(peer.messages[0]!.type, type);
    peer.abort();
    await within(peer.closed, "the end of the connection");
    await until(() => server.service.stats().connections.length === 0, "the same at the server");
  }
  assertEquals([...blocks.blocks], [["a", Uint8Array.of(1, 2, 3)]]);
  const refused = `The metadata of a block has ${MAX_REQUEST_BYTES} bytes, more than ${MAX_METADATA_BYTES}`;
  assertEquals(server.logger.lines.filter((line) => line.includes(refused)).length > 0, true);
  await idle(server);
});

test("NettyBlockRpcServer looks for no more blocks of a connection that has gone", async (context) => {
  const blocks = new MemoryBlocks({ a: content(5) });
  const released = deferred();
  let asked = 0;
  const original = blocks.getLocalBlockData.bind(blocks);
  Object.assign(blocks, { getLocalBlockData: (blockId: string) => (asked++, released.promise.then(() => original(blockId))) });
  const { client, server } = await pair(context, { blocks });
  open(client, ...new Array<string>(10_000).fill("a")).catch(() => {});
  await until(() => asked > 0, "the first of them");
  const first = asked;
  client.channel.abort(new Error("Gone"));
  await until(() => server.service.stats().connections.length === 0, "the end of the connection");
  released.resolve();
  await idle(server);
  assertEquals([asked, blocks.held], [first, 0]);
});
