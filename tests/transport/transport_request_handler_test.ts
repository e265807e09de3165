import { assert, assertEquals } from "@std/assert";
import { OneForOneStreamManager } from "../../src/block/one_for_one_stream_manager.ts";
import { systemClock } from "../../src/base/clock.ts";
import { int64FromBigInt, int64FromSafe } from "../../src/base/int64.ts";
import { BytesManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import { MessageType } from "../../src/protocol/message.ts";
import type { MergedBlockMetaReqHandler, MergedBlockMetaResponder } from "../../src/transport/merged_block_meta.ts";
import type { StreamManager } from "../../src/transport/stream_manager.ts";
import { type Deferred, deferred, until } from "../_harness.ts";
import { content, CountedBuffer, countedBuffers } from "../_counted_buffer.ts";
import { dialRaw, type RawPeer } from "./_raw_peer.ts";
import { ask, bytesOf, echo, type End, failureOf, Held, type Stage, transportTest, waiter } from "./_stage.ts";

interface Scene {
  readonly streamId: bigint;
  readonly manager: OneForOneStreamManager;
  readonly server: End;
  readonly peer: RawPeer;
  readonly buffers: readonly (CountedBuffer | undefined)[];
  /** Lets a chunk be read. */
  readonly gates: readonly Deferred<void>[];
}

/** A stream of five chunks, the third of which is missing, on a server that sends two at once; and a peer that asks for them. */
async function setUp(stage: Stage): Promise<Scene> {
  const manager = new OneForOneStreamManager();
  const server = stage.end({
    handler: { ...echo, streamManager: manager },
    conf: { "spark.shuffle.maxChunksBeingTransferred": "2" },
  });
  const peer = (await dialRaw(stage, await server.listen())).decoding();
  await server.connections(1);
  const gates = Array.from({ length: 5 }, () => deferred());
  const buffers = gates.map(({ promise }, i) =>
    i === 2 ? undefined : new CountedBuffer(content(10 * (i + 1), i), { gate: promise })
  );
  const { client } = [...server.context.connections][0]!;
  return { streamId: manager.registerStream("test-app", buffers, { client }), manager, server, peer, buffers, gates };
}

/** Asks for the chunks one after the other, as Spark's tests do, and sees that the fifth closes the connection. */
async function askForAll({ server, gates, buffers, manager }: Scene, ask: (index: number) => Promise<void>): Promise<void> {
  await ask(0);
  await ask(1);
  assertEquals(manager.chunksBeingTransferred(), 2);
  gates[0]!.resolve();
  await until(() => manager.chunksBeingTransferred() === 1, "the first to be sent");
  await ask(2);
  await ask(3);
  assertEquals(manager.chunksBeingTransferred(), 2);
  await ask(4);
  const text = "The number of chunks being transferred 2 is above 2, close the connection.";
  assert(server.logger.lines.includes(`warning: ${text}`));
  for (const gate of gates) gate.resolve();
  await until(() => buffers.every((buffer) => buffer === undefined || buffer.frees === 1), "all to be released");
  assertEquals([manager.numStreamStates, manager.chunksBeingTransferred()], [0, 0]);
}

/** Waits until all that was sent has arrived. */
async function arrived(server: End, bytes: number): Promise<void> {
  await until(() => [...server.context.connections][0]!.stats().bytesRead === bytes, "the request");
}

// Spark: ChunkFetchRequestHandlerSuite "handleChunkFetchRequest"
transportTest(
  "ChunkFetchRequestHandler answers each chunk in order, and closes above maxChunksBeingTransferred",
  async (stage) => {
    const scene = await setUp(stage);
    const { peer, server, streamId } = scene;
    let asked = 0;
    await askForAll(scene, (chunkIndex) => {
      peer.send({ type: MessageType.ChunkFetchRequest, streamId: int64FromBigInt(streamId), chunkIndex });
      return arrived(server, 21 * ++asked);
    });
    await peer.messagesCome(4);
    await peer.closedByOther();
    const heard = peer.messages.map((message) => {
      if (message.type === MessageType.ChunkFetchSuccess) return [message.chunkIndex, message.body.take()];
      return message.type === MessageType.ChunkFetchFailure ? [message.chunkIndex, message.error] : [message.type];
    });
    assertEquals(heard, [[0, content(10, 0)], [1, content(20, 1)], [2, "Chunk was not found"], [3, content(40, 3)]]);
    peer.end();
  },
);

// Spark: TransportRequestHandlerSuite "handleStreamRequest"
transportTest(
  "TransportRequestHandler answers each stream in order, and closes above maxChunksBeingTransferred",
  async (stage) => {
    const scene = await setUp(stage);
    const { peer, server, streamId } = scene;
    let bytes = 0;
    await askForAll(scene, async (index) => {
      const name = `${streamId}_${index}`;
      peer.send({ type: MessageType.StreamRequest, streamId: name });
      bytes += 13 + name.length;
      await arrived(server, bytes);
    });
    await peer.messagesCome(4);
    await peer.closedByOther();
    const heard = peer.messages.map((message) => {
      if (message.type === MessageType.StreamResponse) return [message.streamId, message.byteCount];
      return message.type === MessageType.StreamFailure ? [message.streamId, message.error] : [message.type];
    });
    assertEquals(heard, [
      [`${streamId}_0`, 10],
      [`${streamId}_1`, 20],
      [`${streamId}_2`, `Stream '${streamId}_2' was not found.`],
      [`${streamId}_3`, 40],
    ]);
    peer.end();
  },
);

transportTest(
  "maxChunksBeingTransferred holds for what is asked for in one piece, also while it is being found",
  async (stage) => {
    for (const kind of ["streams", "slow streams", "chunks", "slow chunks"]) {
      const { streamId, manager, server, peer, gates } = await setUp(stage);
      const found = deferred();
      let opened = 0;
      const getChunk = manager.getChunk.bind(manager);
      manager.getChunk = (id, index) => {
        const chunk = getChunk(id, index);
        opened++;
        return kind.startsWith("slow") ? found.promise.then(() => chunk) : chunk;
      };
      peer.send(
        ...[0, 1, 2, 3].map((chunkIndex) =>
          kind.endsWith("chunks")
            ? { type: MessageType.ChunkFetchRequest, streamId: int64FromBigInt(streamId), chunkIndex } as const
            : { type: MessageType.StreamRequest, streamId: `${streamId}_${chunkIndex}` } as const
        ),
      );
      const text = "The number of chunks being transferred 2 is above 2, close the connection.";
      await until(() => server.logger.lines.includes(`warning: ${text}`), `the third of the ${kind}`);
      assertEquals([kind, opened], [kind, 2]);
      found.resolve();
      for (const gate of gates) gate.resolve();
      await peer.closedByOther();
      peer.end();
      await server.connections(0);
    }
  },
);

// Spark: TransportRequestHandlerSuite "handleMergedBlockMetaRequest"
transportTest("TransportRequestHandler answers for the meta data of merged blocks as its handler does", async (stage) => {
  const responders: MergedBlockMetaResponder[] = [];
  const mergedBlockMetaReqHandler: MergedBlockMetaReqHandler = {
    receiveMergeBlockMetaReq(_, { appId, shuffleId, reduceId }, responder) {
      if (reduceId === 7) throw new RangeError("no such reducer");
      if (reduceId === 8) responders.push(responder);
      else if (shuffleId === -1) responder.onFailure(new Error("For test"));
      else responder.onSuccess(2, new BytesManagedBuffer(new TextEncoder().encode(appId)));
    },
  };
  const { connection, server, client } = await stage.pair({ handler: { ...echo, mergedBlockMetaReqHandler } });
  const ask = (shuffleId: number, reduceId: number) =>
    new Promise<readonly [number, string]>((resolve, reject) => {
      connection.sendMergedBlockMetaReq({ appId: "app1", shuffleId, shuffleMergeId: 0, reduceId }, {
        onSuccess: (numChunks, body) => resolve([numChunks, new TextDecoder().decode(body.bytes)]),
        onFailure: reject,
      });
    });
  assertEquals(await ask(0, 0), [2, "app1"]);
  assertEquals((await failureOf(ask(-1, 1))).message, "For test");
  assertEquals((await failureOf(ask(0, 7))).message, "no such reducer");
  // Whoever answers twice is told so; nobody else hears of it.
  const answer = ask(0, 8);
  await until(() => responders.length === 1, "the request");
  assertEquals(server.unanswered, 1);
  const buffer = countedBuffers(stage.test);
  const [responder] = responders;
  responder!.onSuccess(1, buffer(bytesOf("first")));
  responder!.onSuccess(2, buffer(bytesOf("second")));
  responder!.onFailure(new Error("third"));
  assertEquals([await answer, server.unanswered], [[1, "first"], 0]);
  assertEquals(server.logger.lines.filter((line) => line.includes("A second answer to a request")).length, 2);
  assertEquals(connection.numOutstandingRequests, 0);
  assertEquals(await ask(0, 0), [2, "app1"]);
  assert(!client.logger.has("not outstanding"));
});

// Spark: MessageEncoder, which answers with a failure where a body cannot be opened.
transportTest("TransportRequestHandler refuses meta data of a merged block that cannot be read", async (stage) => {
  const buffer = countedBuffers(stage.test);
  const mergedBlockMetaReqHandler: MergedBlockMetaReqHandler = {
    receiveMergeBlockMetaReq(_, { reduceId }, responder) {
      const answer = (): void => responder.onSuccess(1, buffer(new Uint8Array(reduceId), reduceId === 7 ? { failAt: 0 } : {}));
      // Also where it takes its time.
      if (reduceId === 7) answer();
      else systemClock.yieldThen(answer);
    },
  };
  const { connection, server } = await stage.pair({
    handler: { ...echo, mergedBlockMetaReqHandler },
    limits: { maxFrameBytes: 200 },
  });
  const failed = (reduceId: number) =>
    failureOf(
      new Promise((onSuccess, onFailure) => {
        const block = { appId: "app1", shuffleId: 0, shuffleMergeId: 0, reduceId };
        connection.sendMergedBlockMetaReq(block, { onSuccess, onFailure });
      }),
    );
  assertEquals((await failed(7)).message, "disk is gone");
  assert(server.logger.has("Error sending the meta data of a merged block"));
  assertEquals(
    (await failed(1_000)).message,
    "Message takes 1013 bytes, but the limit is 200 (maxFrameBytes; in an RpcEnv spark.rpc.message.maxSize)",
  );
  assertEquals(await ask(connection, "still here"), "still here");
});

transportTest("RpcHandler.receiveStream() that closes the connection itself still has its upload failed", async (stage) => {
  const events: string[] = [];
  const { connection, server } = await stage.pair({
    handler: {
      ...echo,
      receiveStream(client) {
        client.close();
        return {
          id: "u",
          onData: () => void events.push("data"),
          onComplete: () => void events.push("complete"),
          onFailure: () => void events.push("failure"),
        };
      },
    },
  });
  const failing = new Promise((_, reject) => {
    connection.uploadStream(new Uint8Array(0), new BytesManagedBuffer(new Uint8Array(1_000)), {
      deadline: Infinity,
      onSuccess() {},
      onFailure: reject,
      onTimeout() {},
    });
  });
  await failureOf(failing);
  assertEquals([events, server.unanswered], [["failure"], 0]);
});

transportTest(
  "ChunkFetchRequestHandler refuses chunks of another application, and of streams that there are not",
  async (stage) => {
    const manager = new OneForOneStreamManager({ random: () => 0 });
    const server = stage.end({ handler: { ...echo, streamManager: manager } });
    const peer = (await dialRaw(stage, await server.listen())).decoding();
    await server.connections(1);
    const { client } = [...server.context.connections][0]!;
    client.setClientId("app2");
    manager.registerStream("app1", [new BytesManagedBuffer(Uint8Array.of(1))]);
    const id = int64FromSafe;
    peer.send(
      { type: MessageType.ChunkFetchRequest, streamId: id(0), chunkIndex: 0 },
      { type: MessageType.ChunkFetchRequest, streamId: id(-1), chunkIndex: 0 },
      { type: MessageType.StreamRequest, streamId: "0_0" },
      { type: MessageType.StreamRequest, streamId: "../../etc/passwd" },
    );
    await peer.messagesCome(4);
    const refused = "Client app2 not authorized to read stream 0 (app app1).";
    assertEquals(
      peer.messages.map((message) => "error" in message && message.error).sort(),
      [refused, refused, "Unknown stream ID.", "Stream id and chunk index should be specified."].sort(),
    );
    assertEquals(manager.numStreamStates, 1);
  },
);

transportTest("TransportRequestHandler drops all answers to a request but the first", async (stage) => {
  const held = new Held();
  const { connection, server } = await stage.pair({ handler: held });
  for (const nth of [1, 2]) {
    const outcome = nth === 1 ? failureOf(ask(connection, "a")) : ask(connection, "b");
    await held.count(nth);
    const { responder } = held.requests.at(-1)!;
    if (nth === 1) responder.onFailure(new Error("no"));
    else responder.onSuccess(bytesOf("yes"));
    responder.onFailure(new Error("late"));
    responder.onSuccess(bytesOf("late"));
    const answer = await outcome;
    assertEquals(answer instanceof Error ? answer.message.split("\n")[0] : answer, nth === 1 ? "no" : "yes");
  }
  const dropped = server.logger.lines.filter((line) => line.includes("A second answer to a request"));
  assertEquals([dropped.length, server.unanswered, connection.numOutstandingRequests], [4, 0, 0]);
});

transportTest(
  "What an application throws at a connection's begin and end is logged, and keeps nothing from its turn",
  async (stage) => {
    const events: string[] = [];
    const fail = (event: string) => () => {
      events.push(event);
      throw new RangeError(event);
    };
    const streamManager: StreamManager = { openStream: () => undefined, connectionTerminated: fail("terminated") };
    const handler = {
      ...echo,
      streamManager,
      channelActive: fail("active"),
      channelInactive: fail("inactive"),
      exceptionCaught: fail("exception"),
    };
    const server = stage.end({ handler });
    const peer = await dialRaw(stage, await server.listen());
    await server.connections(1);
    const [connection] = server.context.connections;
    connection!.client.sendRpc(bytesOf("ask"), waiter(undefined, () => events.push("failure")));
    // No frame is that short.
    peer.write(new Uint8Array(8));
    await server.connections(0);
    assertEquals(events, ["active", "exception", "failure", "terminated", "inactive"]);
    const logged = server.logger.lines.filter((line) => line.startsWith("error: Handler of the connection to 127.0.0.1:"));
    assertEquals(logged.length, 4);
  },
);
