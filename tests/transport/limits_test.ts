import { assert, assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import type { ByteSink } from "../../src/base/byte_sink.ts";
import { ProtocolError, RpcOverloadedError, RpcRemoteError, StreamError } from "../../src/base/errors.ts";
import { BytesManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import type { ManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import { MessageBody } from "../../src/base/message_body.ts";
import { type Message, MessageType } from "../../src/protocol/message.ts";
import { SocketError } from "../../src/socket/socket.ts";
import type { RpcHandler } from "../../src/transport/rpc_handler.ts";
import type { StreamManager } from "../../src/transport/stream_manager.ts";
import { readStream, receiveUpload, sendUpload } from "../../src/transport/transfers.ts";
import { MAX_STREAMS_WAITING } from "../../src/transport/outstanding_streams.ts";
import { countedBuffers } from "../_counted_buffer.ts";
import { deferred, until, within } from "../_harness.ts";
import { FetchedChunks } from "./_fetched_chunks.ts";
import { dialRaw, listenRaw } from "./_raw_peer.ts";
import { ReceivedStream } from "./_received_stream.ts";
import { ask, askBytes, bytesOf, echo, failureOf, Held, streamsOf, textOf, transportTest, waiter } from "./_stage.ts";

/** What an RpcRequest or RpcResponse takes besides its body, without the length field; and a OneWayMessage. */
const RPC_BYTES = 13;
const ONE_WAY_BYTES = 5;
const LIMIT = 1_000;

function request(id: number, content: string): Message {
  return { type: MessageType.RpcRequest, idHigh: 0, idLow: id, body: MessageBody.of(bytesOf(content)) };
}

transportTest(
  "maxFrameBytes: a frame of just that size goes through, a larger one fails where it is to be sent",
  async (stage) => {
    const received: number[] = [];
    const limits = { maxFrameBytes: LIMIT };
    const handler = { ...echo, receiveOneWay: (_: unknown, body: MessageBody) => void received.push(body.length) };
    const { connection } = await stage.pair({ handler, limits }, { limits });
    assertEquals((await askBytes(connection, new Uint8Array(LIMIT - RPC_BYTES))).length, LIMIT - RPC_BYTES);
    connection.send(new Uint8Array(LIMIT - ONE_WAY_BYTES));
    await until(() => received.length === 1, "the message");
    await until(() => connection.channel.outgoing.empty, "all to leave");
    const before = connection.channel.outgoing.writtenBytes;
    const sends = [
      () => connection.sendRpc(new Uint8Array(LIMIT - RPC_BYTES + 1), waiter()),
      () => connection.sendRpc((out) => out.writeBytes(new Uint8Array(LIMIT - RPC_BYTES + 1)), waiter()),
      () => connection.send(new Uint8Array(LIMIT - ONE_WAY_BYTES + 1)),
    ];
    for (const send of sends) {
      const error = assertThrows(
        send,
        ProtocolError,
        "Message takes 1001 bytes, but the limit is 1000 (maxFrameBytes; in an RpcEnv spark.rpc.message.maxSize)",
      );
      assertEquals([error.limit, error.offset], [LIMIT, undefined]);
    }
    assertEquals([connection.numOutstandingRequests, connection.channel.outgoing.queuedBytes], [0, 0]);
    assertEquals(connection.channel.outgoing.writtenBytes, before);
    assertEquals(await ask(connection, "still here"), "still here");
    assertEquals(received, [LIMIT - ONE_WAY_BYTES]);
  },
);

transportTest("maxFrameBytes: what writes far more than that is broken off soon, and the connection stays", async (stage) => {
  let written = 0;
  const endless = (out: ByteSink): void => {
    for (written = 0; written < 100_000_000; written += 100) out.writeBytes(new Uint8Array(100));
  };
  const { connection } = await stage.pair({
    limits: { maxFrameBytes: LIMIT },
    handler: { receive: (_, body, responder) => void responder.onSuccess(textOf(body) === "endless" ? endless : body.take()) },
  }, { limits: { maxFrameBytes: LIMIT } });
  const text = "Message takes more than 1000 bytes (maxFrameBytes; in an RpcEnv spark.rpc.message.maxSize)";
  const error = assertThrows(() => connection.sendRpc(endless, waiter()), ProtocolError, text);
  assertEquals([error.limit, written < 100_000], [LIMIT, true]);
  assertEquals((await failureOf(ask(connection, "endless"))).message, text);
  assertEquals(written < 100_000, true);
  assertEquals(await ask(connection, "still here"), "still here");
});

transportTest("maxFrameBytes: an answer that is too large becomes a failure, and the connection stays", async (stage) => {
  const { connection } = await stage.pair({
    limits: { maxFrameBytes: LIMIT },
    handler: { receive: (_, body, responder) => void responder.onSuccess(new Uint8Array(Number(textOf(body)))) },
  });
  assertEquals((await ask(connection, String(LIMIT - RPC_BYTES))).length, LIMIT - RPC_BYTES);
  const error = await failureOf(ask(connection, String(LIMIT - RPC_BYTES + 1)));
  assertEquals(
    error.message,
    "Message takes 1001 bytes, but the limit is 1000 (maxFrameBytes; in an RpcEnv spark.rpc.message.maxSize)",
  );
  assertEquals(await ask(connection, "0"), "");
});

transportTest("maxFrameBytes: a larger frame that arrives closes its connection", async (stage) => {
  const causes: Error[] = [];
  const { connection, server, client, listening } = await stage.pair({
    limits: { maxFrameBytes: LIMIT },
    handler: { ...echo, exceptionCaught: (_, cause) => void causes.push(cause) },
  });
  await failureOf(askBytes(connection, new Uint8Array(LIMIT - RPC_BYTES + 1)));
  assert(server.logger.has("Too large frame: 1001: the limit is 1000 bytes"));
  assert(causes[0] instanceof ProtocolError);
  assertEquals(causes[0].limit, LIMIT);
  assertEquals(await ask(await client.dial(listening), "anew"), "anew");
});

transportTest("maxFrameBytes: a stream whose answer is too large is refused, and the connection stays", async (stage) => {
  const buffer = countedBuffers(stage.test);
  const sent: number[] = [];
  const streamManager: StreamManager = {
    openStream: (name) => buffer(bytesOf(name)),
    streamSent: (name) => void sent.push(name.length),
  };
  const { connection, server } = await stage.pair({ handler: { ...echo, streamManager }, limits: { maxFrameBytes: LIMIT } });
  const read = (length: number): Promise<string> => new Response(readStream(connection, "x".repeat(length))).text();
  // The answer takes eight bytes more than the request does.
  const text = "Message takes 1003 bytes, but the limit is 1000 (maxFrameBytes; in an RpcEnv spark.rpc.message.maxSize)";
  assertEquals((await failureOf(read(LIMIT - 10))).message, text);
  assertEquals((await within(read(LIMIT - 13), "the stream")).length, LIMIT - 13);
  assertEquals(sent, [LIMIT - 10, LIMIT - 13]);
  const { streamsSent, transfersFailed } = server.context.stats();
  assertEquals([streamsSent, transfersFailed], [1, 1]);
});

transportTest("maxFrameBytes: a failure's text is cut to what fits, and the connection stays", async (stage) => {
  const limits = { maxFrameBytes: LIMIT };
  const refuse = (): never => {
    throw new RangeError("€".repeat(5_000));
  };
  const streamManager: StreamManager = { openStream: refuse, getChunk: refuse };
  const handler: Partial<RpcHandler> = {
    streamManager,
    receive: (_, body, responder) => void responder.onSuccess(textOf(body) === "refuse" ? refuse() : body.take()),
  };
  const { connection } = await stage.pair({ handler, limits }, { limits });
  const chunks = await FetchedChunks.of(connection, 1n, [0]);
  const failures = [
    await failureOf(ask(connection, "refuse")),
    await ReceivedStream.of(connection, "s").failure(),
    chunks.failures.get(0)!,
  ];
  // A letter takes three bytes, and 17 are of the rest of a frame.
  const text = "€".repeat(Math.floor((LIMIT - 17) / 3));
  const prefix = "Failure while fetching StreamChunkId[streamId=1,chunkIndex=0]: ";
  assertEquals(failures.map(({ message }) => message), [text, text, prefix + text]);
  assertEquals(await ask(connection, "still here"), "still here");
});

transportTest(
  "maxFrameBytes: a stream or a merged block whose name does not fit is refused where it is asked for",
  async (stage) => {
    const limits = { maxFrameBytes: LIMIT };
    const { connection } = await stage.pair({ handler: echo, limits }, { limits });
    const stream = new ReceivedStream("s");
    const block = { appId: "a".repeat(LIMIT), shuffleId: 0, shuffleMergeId: 0, reduceId: 0 };
    const heard: string[] = [];
    const meta = { onSuccess: () => void heard.push("success"), onFailure: () => void heard.push("failure") };
    const requests: [() => void, number][] = [
      [() => connection.stream("€".repeat(LIMIT / 2), stream), 1 + 4 + 3 * LIMIT / 2],
      [() => connection.sendMergedBlockMetaReq(block, meta), 1 + 8 + 4 + LIMIT + 12],
    ];
    for (const [request, size] of requests) {
      const text = `Message takes ${size} bytes, but the limit is 1000 (maxFrameBytes; in an RpcEnv spark.rpc.message.maxSize)`;
      assertThrows(request, ProtocolError, text);
    }
    assertEquals([connection.numOutstandingRequests, stream.events, heard], [0, [], []]);
    assertEquals(await ask(connection, "still here"), "still here");
  },
);

transportTest("maxOutstandingRequests: one more fails before it is sent", async (stage) => {
  const held = new Held();
  const { connection, listening } = await stage.pair({ handler: held }, { limits: { maxOutstandingRequests: 3 } });
  const asks = ["a", "b", "c"].map((text) => ask(connection, text));
  const queue = `requests to 127.0.0.1:${listening.port}`;
  const text = `Cannot ask: 3 ${queue} wait for their answers (maxOutstandingRequests)`;
  const error = assertThrows(() => connection.sendRpc(bytesOf("d"), waiter()), RpcOverloadedError, text);
  assertEquals([error.queue, error.limit, error.code], [queue, 3, "OVERLOADED"]);
  await held.count(3);
  held.requests[1]!.responder.onSuccess(bytesOf("b"));
  assertEquals(await asks[1], "b");
  const fourth = ask(connection, "d");
  await held.count(4);
  for (const { responder, text } of held.requests) if (text !== "b") responder.onSuccess(bytesOf(text));
  assertEquals(await Promise.all([...asks, fourth]), ["a", "b", "c", "d"]);
});

transportTest("maxUnansweredRequests: one more is answered with a failure, and the connection stays", async (stage) => {
  const held = new Held();
  const received: string[] = [];
  const uploads: string[] = [];
  const { connection, server } = await stage.pair({
    limits: { maxUnansweredRequests: 2 },
    handler: {
      ...held,
      receiveOneWay: (_, body) => void received.push(textOf(body)),
      receiveStream: (_, meta) =>
        receiveUpload(textOf(meta), async (stream) => {
          uploads.push(`${textOf(meta)}: ${(await new Response(stream).arrayBuffer()).byteLength}`);
        }),
    },
  });
  const asks = ["a", "b"].map((text) => ask(connection, text));
  await held.count(2);
  const queue = `requests of ${[...server.context.connections][0]!.channel.remote}`;
  const text = `Cannot take the request: 2 ${queue} wait for their answers (maxUnansweredRequests)`;
  const block = { appId: "a", shuffleId: 0, shuffleMergeId: 0, reduceId: 0 };
  const meta = new Promise((onSuccess, onFailure) => connection.sendMergedBlockMetaReq(block, { onSuccess, onFailure }));
  for (const refused of [askBytes(connection, bytesOf("c")), sendUpload(connection, bytesOf("u"), [], { size: 0 }), meta]) {
    const error = await failureOf(refused);
    assertInstanceOf(error, RpcRemoteError);
    assertEquals(error.message, text);
  }
  // The bytes of an upload that is refused are read and dropped, and what is behind them is heard.
  const refused = failureOf(sendUpload(connection, bytesOf("u"), new BytesManagedBuffer(new Uint8Array(3_000_000))));
  connection.send(bytesOf("behind"));
  assertEquals((await refused).message, text);
  await until(() => received.length === 1, "the message behind it");
  assertEquals([held.requests.length, server.unanswered, server.context.stats().uploadsFailed], [2, 2, 2]);
  held.requests[1]!.responder.onSuccess(bytesOf("b"));
  assertEquals(await asks[1], "b");
  assertEquals(await sendUpload(connection, bytesOf("v"), new BytesManagedBuffer(new Uint8Array(10))), new Uint8Array(0));
  const again = ask(connection, "c");
  await held.count(3);
  for (const { responder, text } of held.requests) if (text !== "b") responder.onSuccess(bytesOf(text));
  assertEquals([await asks[0], await again, uploads, server.unanswered], ["a", "c", ["v: 10"], 0]);
});

transportTest("maxOutboxBytes: a message alone always goes, the next ones are refused until it has left", async (stage) => {
  const raw = await listenRaw(stage);
  const connection = await stage.end({ limits: { maxOutboxBytes: LIMIT } }).dial(raw);
  await until(() => raw.peers.length === 1, "the connection");
  const peer = raw.peers[0]!;
  peer.read(0);
  const failed = failureOf(askBytes(connection, new Uint8Array(50_000_000)));
  assertEquals(connection.numOutstandingRequests, 1);
  const stream = new ReceivedStream("s");
  const sends = [
    () => connection.sendRpc(bytesOf("a"), waiter()),
    () => connection.send(bytesOf("b")),
    () => connection.stream("s", stream),
    () => connection.fetchChunk(1n, 0, { onSuccess() {}, onFailure() {} }),
    () => connection.sendMergedBlockMetaReq(block, { onSuccess() {}, onFailure() {} }),
    () => connection.uploadStream(bytesOf("c"), new BytesManagedBuffer(bytesOf("c")), waiter()),
  ];
  const block = { appId: "app-1", shuffleId: 1, shuffleMergeId: 2, reduceId: 3 };
  const queue = `outbox to 127.0.0.1:${raw.port}`;
  for (const send of sends) {
    const text = `Cannot send: more than 1000 bytes wait in the ${queue} (maxOutboxBytes)`;
    const error = assertThrows(send, RpcOverloadedError, text);
    assertEquals([error.queue, error.limit], [queue, LIMIT]);
  }
  assertEquals([connection.isActive, connection.numOutstandingRequests, stream.events], [true, 1, []]);
  peer.read(Infinity);
  await until(() => connection.channel.outgoing.empty, "the first to leave");
  for (const send of sends) send();
  assertEquals(connection.numOutstandingRequests, 6);
  peer.reset();
  await failed;
});

transportTest("maxConnections: one more is reset, told of now and then, and later there is room again", async (stage) => {
  const { server, client, listening, connection } = await stage.pair({ limits: { maxConnections: 2 }, handler: echo });
  const other = await dialRaw(stage, listening);
  await server.connections(2);
  for (let refused = 1; refused <= 5; refused++) {
    // The reset may come before the dial is known to have succeeded.
    await dialRaw(stage, listening).then(
      (raw) => raw.closedByOther(),
      (error) => assertEquals(error.socketCode, "CONNECTION_RESET"),
    );
    assertEquals(server.context.stats().connectionsRefused, refused);
  }
  assertEquals([server.context.connections.size, server.context.stats().connectionsOpened], [2, 2]);
  const lines = server.logger.lines.filter((line) => line.includes("(maxConnections)"));
  assertEquals(lines.length, 3);
  assertStringIncludes(lines[2]!, ": the server has 2 already (maxConnections), 4 so far");
  assertEquals(await ask(connection, "x"), "x");
  other.reset();
  await server.connections(1);
  const later = await client.makeFactory().createClient(listening.address);
  assertEquals(await ask(later, "y"), "y");
  await server.connections(2);
});

transportTest("maxQueuedBytes: a connection whose answers pile up is aborted, and no other", async (stage) => {
  const causes: Error[] = [];
  const { connection, listening, server } = await stage.pair({
    limits: { maxQueuedBytes: 1_000_000 },
    handler: {
      receive: (_, body, responder) => void responder.onSuccess(body.length > 1 ? new Uint8Array(100_000) : body.take()),
      exceptionCaught: (_, cause) => void causes.push(cause),
    },
  });
  const greedy = await dialRaw(stage, listening);
  greedy.read(0);
  for (let i = 0; i < 200; i++) greedy.send(request(i, "more"));
  await server.connections(1);
  assertEquals(causes.map((cause) => cause instanceof SocketError && cause.socketCode), ["QUEUE_OVERFLOW"]);
  assert(server.logger.has("too many bytes are queued"));
  assertEquals(await ask(connection, "x"), "x");
});

transportTest("maxQueuedBytes: a larger message or answer is refused, and others on its connection go on", async (stage) => {
  const held = new Held();
  const limits = { maxQueuedBytes: 1_000_000 };
  const { connection } = await stage.pair({ limits, handler: held }, { limits });
  const waiting = ask(connection, "waiting");
  const [tooMuch, fits] = [new Uint8Array(1_000_000), new Uint8Array(900_000)];
  const text = " of 1000000 bytes wait already in ";
  const sends = [() => connection.sendRpc(tooMuch, waiter()), () => connection.send(tooMuch)];
  for (const send of sends) assertEquals(assertThrows(send, RpcOverloadedError, text).limit, 1_000_000);
  const unanswerable = failureOf(ask(connection, "?"));
  const answered = askBytes(connection, fits);
  await held.count(3);
  const { responder } = held.requests[1]!;
  responder.onFailure(assertThrows(() => responder.onSuccess(tooMuch), RpcOverloadedError, text));
  held.requests[2]!.responder.onSuccess(fits);
  held.requests[0]!.responder.onSuccess(bytesOf("waited"));
  assertEquals([await waiting, (await answered).length], ["waited", fits.length]);
  assertStringIncludes((await unanswerable).message, text);
});

transportTest("maxQueuedBytes: own messages never have their connection aborted", async (stage) => {
  const raw = await listenRaw(stage);
  const limits = { maxQueuedBytes: 1_000_000, maxOutboxBytes: Infinity };
  const connection = await stage.end({ limits }).dial(raw);
  await until(() => raw.peers.length === 1, "the connection");
  raw.peers[0]!.read(0);
  for (const bytes of [1_000, 900_000, 400_000]) {
    const content = new Uint8Array(bytes);
    const error = assertThrows(() => {
      // More than any system takes.
      for (let sent = 0; sent < 2 ** 30; sent += bytes) {
        connection.send(content);
        connection.channel.outgoing.flush();
      }
    }, RpcOverloadedError);
    assertStringIncludes(error.message, "127.0.0.1");
    assertEquals(connection.isActive, true);
  }
  raw.peers[0]!.reset();
  await until(() => !connection.isActive, "the end");
});

transportTest("maxQueuedBytes: answers that wait behind a stream count too", async (stage) => {
  const causes: Error[] = [];
  const sent: string[] = [];
  const { connection, listening, server } = await stage.pair({
    limits: { maxQueuedBytes: 1_000_000 },
    handler: {
      ...echo,
      streamManager: { ...streamsOf({ big: new Uint8Array(50_000_000) }), streamSent: (name) => void sent.push(name) },
      exceptionCaught: (_, cause) => void causes.push(cause),
    },
  });
  const greedy = await dialRaw(stage, listening);
  greedy.read(0);
  greedy.send({ type: MessageType.StreamRequest, streamId: "big" });
  const content = "y".repeat(1_000);
  for (let i = 0; i < 3_000 && causes.length === 0; i++) {
    greedy.send(request(i, content));
    if (i % 50 === 0) await stage.turns(1);
  }
  await server.connections(1);
  assertEquals(causes.length, 1);
  assert(causes[0]!.cause instanceof SocketError);
  assertEquals(causes[0]!.cause.socketCode, "QUEUE_OVERFLOW");
  assert(server.logger.has("More than 1000000 bytes wait behind a stream to 127.0.0.1:"));
  assertEquals(sent, ["big"]);
  assertEquals(await ask(connection, "x"), "x");
});

transportTest("maxStreams: one more is refused in its turn, and later there is room again", async (stage) => {
  const gates = new Map(["a", "b", "d"].map((name) => [name, deferred<ManagedBuffer>()]));
  const opened: string[] = [];
  const { connection } = await stage.pair({
    limits: { maxStreams: 2 },
    handler: {
      ...echo,
      streamManager: {
        openStream(name) {
          opened.push(name);
          return gates.get(name)!.promise;
        },
      },
    },
  });
  const [a, b, c] = ["a", "b", "c"].map((name) => ReceivedStream.of(connection, name));
  await ask(connection, "all have come");
  assertEquals([opened, c!.events], [["a", "b"], []]);
  gates.get("b")!.resolve(new BytesManagedBuffer(Uint8Array.of(2)));
  gates.get("a")!.resolve(new BytesManagedBuffer(Uint8Array.of(1)));
  assertEquals([await a!.bytes(), await b!.bytes()], [Uint8Array.of(1), Uint8Array.of(2)]);
  const error = await c!.failure();
  assertInstanceOf(error, StreamError);
  assertEquals([error.streamId, error.message], ["c", "More than 2 streams at once on one connection"]);
  const d = ReceivedStream.of(connection, "d");
  gates.get("d")!.resolve(new BytesManagedBuffer(Uint8Array.of(4)));
  assertEquals(await d.bytes(), Uint8Array.of(4));
});

transportTest("maxStreams: streams that were not found or refused make room again", async (stage) => {
  const gates = [1, 2, 3].map(() => deferred<undefined>());
  let opened = 0;
  const { connection } = await stage.pair({
    limits: { maxStreams: 1 },
    handler: { ...echo, streamManager: { openStream: () => gates[opened++]!.promise } },
  });
  for (const gate of gates) {
    const streams = Array.from({ length: 600 }, (_, i) => ReceivedStream.of(connection, `s${i}`));
    await ask(connection, "all have come");
    gate.resolve(undefined);
    const texts = new Set((await Promise.all(streams.slice(1).map((each) => each.failure()))).map(({ message }) => message));
    assertEquals((await streams[0]!.failure()).message, "Stream 's0' was not found.");
    assertEquals([...texts], ["More than 1 streams at once on one connection"]);
  }
});

transportTest("maxStreams: a peer that does not stop asking is closed", async (stage) => {
  const { connection, listening, server } = await stage.pair({
    limits: { maxStreams: 1 },
    handler: { ...echo, streamManager: { openStream: () => new Promise(() => {}) } },
  });
  const greedy = (await dialRaw(stage, listening)).decoding();
  const message = { type: MessageType.StreamRequest, streamId: "s" } as const;
  greedy.send(...Array.from({ length: 1_025 }, () => message), request(1, "here?"));
  await greedy.messagesCome(1);
  assertEquals(greedy.messages.map((each) => each.type), [MessageType.RpcResponse]);
  greedy.send(message);
  await server.connections(1);
  assert(server.logger.has("1 streams and 1024 more were asked for at once"));
  assertEquals(await ask(connection, "x"), "x");
});

// Spark: TransportRequestHandlerSuite "handleStreamRequest", which also has chunks
transportTest("maxChunksBeingTransferred: one more stream closes the connection without an answer", async (stage) => {
  let transferred = 0;
  const gate = deferred();
  const handler = {
    ...echo,
    streamManager: {
      async openStream() {
        await gate.promise;
        return new BytesManagedBuffer(new Uint8Array(30_000_000));
      },
      streamBeingSent: () => void transferred++,
      streamSent: () => void transferred--,
      chunksBeingTransferred: () => transferred,
    },
  };
  const { connection, listening, server } = await stage.pair({
    handler,
    conf: { "spark.shuffle.maxChunksBeingTransferred": "2" },
  });
  const slow = await dialRaw(stage, listening);
  slow.read(0);
  for (const streamId of ["0", "1"]) slow.send({ type: MessageType.StreamRequest, streamId });
  gate.resolve();
  await until(() => transferred === 2, "two streams to be on their way");
  const third = await ReceivedStream.of(connection, "2").failure();
  assertEquals(third.message, `Connection from 127.0.0.1:${listening.port} closed`);
  const text = "The number of chunks being transferred 2 is above 2, close the connection.";
  assert(server.logger.lines.includes(`warning: ${text}`));
  await server.connections(1);
  slow.reset();
  await until(() => transferred === 0, "the streams to be given up");
});

transportTest("TransportClient.stream() waits for at most 65536 streams", async (stage) => {
  const raw = await listenRaw(stage);
  const connection = await stage.end().dial(raw);
  const failures: string[] = [];
  const callback = { onData() {}, onComplete() {}, onFailure: (id: string) => void failures.push(id) };
  for (let i = 0; i < MAX_STREAMS_WAITING; i++) connection.stream("s", callback);
  const error = assertThrows(() => connection.stream("one more", callback), RpcOverloadedError);
  assertEquals(error.limit, MAX_STREAMS_WAITING);
  assertEquals(connection.numOutstandingRequests, MAX_STREAMS_WAITING);
  await until(() => raw.peers.length === 1, "the connection");
  raw.peers[0]!.end();
  await until(() => failures.length === MAX_STREAMS_WAITING, "all to fail");
  assertEquals(failures.includes("one more"), false);
});
