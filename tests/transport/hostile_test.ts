import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { ProtocolError } from "../../src/base/errors.ts";
import { int64FromSafe } from "../../src/base/int64.ts";
import { MessageBody } from "../../src/base/message_body.ts";
import { type Message, MessageType } from "../../src/protocol/message.ts";
import { SocketError } from "../../src/socket/socket.ts";
import type { RpcHandler } from "../../src/transport/rpc_handler.ts";
import type { TransportClient } from "../../src/transport/transport_client.ts";
import { fromHex, until } from "../_harness.ts";
import { dialRaw, frameOf, listenRaw, type RawPeer } from "./_raw_peer.ts";
import { ReceivedStream } from "./_received_stream.ts";
import { ask, bytesOf, echo, type End, failureOf, type Stage, transportTest } from "./_stage.ts";

const ID = int64FromSafe(5);
const body = MessageBody.of(bytesOf("abc"));

interface Scene {
  readonly server: End;
  readonly attacker: RawPeer;
  /** What the application was told to have gone wrong. */
  readonly causes: Error[];
  /** A good client on another connection still gets answers, and only its connection is left. */
  othersGoOn(): Promise<void>;
  /** A good client on another connection still gets answers, and so does the attacker's. */
  allGoOn(): Promise<void>;
}

async function setUp(stage: Stage, handler: Partial<RpcHandler> = {}): Promise<Scene> {
  const causes: Error[] = [];
  const exceptionCaught = (_: unknown, cause: Error): void => void causes.push(cause);
  const { server, connection, listening } = await stage.pair({ handler: { ...echo, exceptionCaught, ...handler } });
  assertEquals(await ask(connection, "before"), "before");
  const attacker = (await dialRaw(stage, listening)).decoding();
  await server.connections(2);
  return {
    server,
    attacker,
    causes,
    async othersGoOn() {
      await server.connections(1);
      assertEquals(await ask(connection, "after"), "after");
      assertEquals(server.unanswered, 0);
    },
    async allGoOn() {
      const before = attacker.messages.length;
      attacker.send({ type: MessageType.RpcRequest, idHigh: 0, idLow: 77, body });
      await attacker.messagesCome(before + 1);
      assertEquals(attacker.messages.at(-1)?.type, MessageType.RpcResponse);
      assertEquals(await ask(connection, "after"), "after");
      await server.connections(2);
    },
  };
}

/** Bytes that no Spark sends, and what the log says of them. */
const BAD_BYTES: Readonly<Record<string, readonly [bytes: Uint8Array, log: string]>> = {
  "a negative length": [fromHex("ffffffffffffffff03"), "Frame length should be positive: -9"],
  "a length of zero": [fromHex("0000000000000000"), "Frame length should be positive: -8"],
  "a length that does not cover itself": [fromHex("0000000000000007"), "Frame length should be positive: -1"],
  "an empty frame": [fromHex("0000000000000008"), "Frame length should be positive: 0"],
  "a length of 2 GiB": [fromHex("0000000080000007"), "Too large frame: 2147483647"],
  "a length of 2⁶³-1": [fromHex("7fffffffffffffff"), "Too large frame: 9223372036854775799"],
  "an unknown type": [fromHex("00000000000000094d"), "Unknown message type: 77"],
  "the user's own type": [fromHex("0000000000000009ff"), "User type messages cannot be decoded."],
  "an RpcRequest cut short": [fromHex("000000000000000d0300000000"), "RpcRequest needs 13 bytes, but its frame has 5"],
  "a OneWayMessage cut short": [fromHex("000000000000000b090000"), "OneWayMessage needs 5 bytes, but its frame has 3"],
  "a StreamRequest whose id is cut short": [
    fromHex("000000000000000f06000000ff6162"),
    "Stream id of StreamRequest needs 255 bytes, but 2 are left",
  ],
  "a StreamRequest whose id has a negative length": [fromHex("000000000000000d06ffffffff"), "is negative: -1"],
  "an UploadStream whose meta is cut short": [
    fromHex("00000000000000160a0000000000000005000003e861"),
    "Meta of UploadStream needs 1000 bytes, but 1 are left",
  ],
  "an RpcFailure with bytes left over": [
    fromHex("00000000000000170500000000000000050000000161ff"),
    "Bytes left over behind a message of type 5: 1",
  ],
  "an HTTP request": [bytesOf("GET / HTTP/1.1\r\nHost: spark\r\n\r\n"), "these are the first bytes of HTTP"],
  "an HTTP answer": [
    bytesOf("HTTP/1.1 400 Bad Request\r\n\r\n"),
    "Too large frame: 5211883372140375593: these are the first bytes of HTTP",
  ],
  "a TLS handshake": [fromHex("16030102000100" + "01fc0303"), "these are the first bytes of TLS"],
  "an SSH greeting": [bytesOf("SSH-2.0-OpenSSH_9.6\r\n"), "these are the first bytes of SSH"],
};

for (const [what, [bytes, log]] of Object.entries(BAD_BYTES)) {
  transportTest(`TransportChannelHandler closes a connection that sends ${what}`, async (stage) => {
    const { server, attacker, causes, othersGoOn } = await setUp(stage);
    attacker.write(bytes);
    await attacker.closedByOther();
    assert(
      server.logger.lines.some((line) =>
        line.startsWith("warning: Exception in connection from 127.0.0.1:") && line.includes(log)
      ),
    );
    assertEquals(causes.length, 1);
    assertInstanceOf(causes[0], ProtocolError);
    assertEquals(attacker.messages, []);
    await othersGoOn();
  });
}

transportTest("TransportChannelHandler answers what came before bad bytes in one piece, or closes", async (stage) => {
  const { attacker, othersGoOn, causes } = await setUp(stage);
  const good = frameOf({ type: MessageType.RpcRequest, idHigh: ID.high, idLow: ID.low, body });
  const bad = fromHex("ffffffffffffffff");
  const both = new Uint8Array(good.length + bad.length);
  both.set(good);
  both.set(bad, good.length);
  attacker.write(both);
  await attacker.closedByOther();
  assertEquals(causes.length, 1);
  assert(attacker.messages.every((message) => message.type === MessageType.RpcResponse));
  await othersGoOn();
});

const RESPONSES: readonly Message[] = [
  { type: MessageType.RpcResponse, idHigh: ID.high, idLow: ID.low, body },
  { type: MessageType.RpcResponse, idHigh: -1, idLow: -1, body },
  { type: MessageType.RpcFailure, requestId: ID, error: "no" },
  { type: MessageType.StreamFailure, streamId: "s", error: "no" },
  { type: MessageType.ChunkFetchSuccess, streamId: ID, chunkIndex: 1, body },
  { type: MessageType.ChunkFetchFailure, streamId: ID, chunkIndex: 1, error: "no" },
  { type: MessageType.MergedBlockMetaSuccess, requestId: ID, numChunks: 1, body },
];

transportTest("TransportResponseHandler ignores answers that nobody asked for", async (stage) => {
  const { server, attacker, allGoOn, causes } = await setUp(stage);
  attacker.send(...RESPONSES);
  await allGoOn();
  const ignored = server.logger.lines.filter((line) => line.includes("Ignoring response for"));
  assertEquals(ignored.length, RESPONSES.length);
  assert(ignored[0]!.startsWith("debug: Ignoring response for RPC 5 from 127.0.0.1:"));
  assert(ignored.every((line) => line.endsWith(" since it is not outstanding")));
  assertEquals(causes, []);
});

transportTest("TransportResponseHandler closes a connection that sends a stream which nobody asked for", async (stage) => {
  for (const byteCount of [0, 1, 2 ** 52]) {
    const { server, attacker, othersGoOn, causes } = await setUp(stage);
    attacker.send({ type: MessageType.StreamResponse, streamId: "unasked", byteCount });
    await attacker.closedByOther();
    assert(server.logger.has("Could not find callback for StreamResponse. Nobody asked for unasked"));
    assertInstanceOf(causes[0], ProtocolError);
    await othersGoOn();
  }
});

transportTest("TransportRequestHandler refuses what it does not serve", async (stage) => {
  const { attacker, allGoOn } = await setUp(stage);
  attacker.send(
    { type: MessageType.ChunkFetchRequest, streamId: ID, chunkIndex: 3 },
    { type: MessageType.MergedBlockMetaRequest, requestId: ID, appId: "app", shuffleId: 1, shuffleMergeId: 2, reduceId: 3 },
    { type: MessageType.StreamRequest, streamId: "nope" },
  );
  await attacker.messagesCome(3);
  assertEquals(attacker.messages, [
    { type: MessageType.ChunkFetchFailure, streamId: ID, chunkIndex: 3, error: "This server has no chunks" },
    { type: MessageType.RpcFailure, requestId: ID, error: "This server has no merged blocks" },
    { type: MessageType.StreamFailure, streamId: "nope", error: "Stream 'nope' was not found." },
  ]);
  await allGoOn();
});

transportTest("TransportRequestHandler refuses an upload, and closes since its bytes follow", async (stage) => {
  const { attacker, othersGoOn } = await setUp(stage);
  attacker.send({ type: MessageType.UploadStream, requestId: ID, meta: body, bodyByteCount: 1_000_000 });
  for (let i = 0; i < 10; i++) attacker.write(new Uint8Array(100_000));
  await attacker.closedByOther();
  assertEquals(attacker.messages, [{ type: MessageType.RpcFailure, requestId: ID, error: "This server takes no uploads" }]);
  attacker.end();
  await othersGoOn();
});

transportTest("TransportRequestHandler closes a connection that asks for a stream with an endless name", async (stage) => {
  const { server, attacker, othersGoOn, causes } = await setUp(stage);
  attacker.send({ type: MessageType.StreamRequest, streamId: "x".repeat(65_537) });
  await attacker.closedByOther();
  assert(server.logger.has("Stream id has 65537 characters"));
  assertEquals(causes[0] instanceof ProtocolError && causes[0].limit, 65_536);
  await othersGoOn();
});

transportTest("TransportServer bears peers that say nothing, and forgets them when they go", async (stage) => {
  const { server, attacker, causes, othersGoOn } = await setUp(stage);
  const listening = await server.listen();
  const silent = await Promise.all(Array.from({ length: 20 }, () => dialRaw(stage, listening)));
  await server.connections(22);
  stage.clock.advance(1e9);
  assertEquals(server.context.connections.size, 22);
  for (const [i, peer] of silent.entries()) i % 2 === 0 ? peer.end() : peer.reset();
  attacker.end();
  await othersGoOn();
  // The end of a connection that had nothing to say is an event, and an RST an error; neither is a fault in the bytes.
  assert(causes.every((cause) => !(cause instanceof ProtocolError)));
});

for (const how of ["a FIN", "an RST"] as const) {
  transportTest(`TransportChannelHandler bears a peer that goes with ${how} in the middle of a frame`, async (stage) => {
    const received: number[] = [];
    const { server, attacker, othersGoOn } = await setUp(stage, {
      receive(_, content, responder) {
        received.push(content.length);
        responder.onSuccess(content.take());
      },
    });
    const frame = frameOf({
      type: MessageType.RpcRequest,
      idHigh: ID.high,
      idLow: ID.low,
      body: MessageBody.of(new Uint8Array(300_000)),
    });
    attacker.write(frame.subarray(0, 200_000));
    await until(() => [...server.context.connections].some((each) => each.stats().bytesRead === 200_000), "half a frame");
    if (how === "a FIN") attacker.end();
    else attacker.reset();
    await server.connections(1);
    assertEquals(received.filter((length) => length > 100), []);
    if (how === "a FIN") assert(server.logger.has("ended within a frame: 200000 bytes of it had come"));
    await othersGoOn();
  });
}

transportTest("TransportChannelHandler lets a frame come as slowly as it likes, and others do not notice", async (stage) => {
  const { server, attacker, allGoOn } = await setUp(stage);
  const frame = frameOf({ type: MessageType.RpcRequest, idHigh: ID.high, idLow: ID.low, body });
  for (const [i, byte] of frame.entries()) {
    attacker.write(Uint8Array.of(byte));
    const arrived = (): boolean => [...server.context.connections].some((each) => each.stats().bytesRead === i + 1);
    await until(arrived, `byte ${i}`);
    stage.clock.advance(60_000);
  }
  await attacker.messagesCome(1);
  assertEquals(attacker.messages.length, 1);
  await allGoOn();
});

transportTest("TransportChannelHandler claims no memory for a frame that only says that it is large", async (stage) => {
  const { server, attacker, othersGoOn } = await setUp(stage);
  attacker.write(fromHex("000000007ffffff0" + "03" + "00".repeat(12)));
  await until(() => [...server.context.connections].some((each) => each.stats().bytesRead === 21), "the length");
  const handler = [...server.context.connections].find((each) => each.stats().bytesRead === 21)!;
  assertEquals(handler.allocate()!.length < 1_000_000, true);
  attacker.end();
  await othersGoOn();
});

transportTest("TransportServer answers a flood of requests, and others besides", async (stage) => {
  const { attacker, allGoOn, server } = await setUp(stage);
  const count = 20_000;
  const one = frameOf({ type: MessageType.RpcRequest, idHigh: ID.high, idLow: ID.low, body });
  const flood = new Uint8Array(one.length * count);
  for (let i = 0; i < count; i++) flood.set(one, i * one.length);
  attacker.write(flood);
  await attacker.messagesCome(count);
  assert(attacker.messages.every((message) => message.type === MessageType.RpcResponse));
  await allGoOn();
  assertEquals(server.unanswered, 0);
});

transportTest("RpcHandler.receive() that throws whatever it likes costs nobody the connection", async (stage) => {
  let thrown: unknown;
  const { attacker, allGoOn } = await setUp(stage, {
    receive(_, content, responder) {
      if (thrown !== undefined) throw thrown;
      responder.onSuccess(content.take());
    },
  });
  for (const each of [new TypeError("a"), "text", null, new ProtocolError("of what I was to send")]) {
    thrown = each;
    const before = attacker.messages.length;
    attacker.send({ type: MessageType.RpcRequest, idHigh: ID.high, idLow: ID.low, body });
    await attacker.messagesCome(before + 1);
    assertEquals(attacker.messages.at(-1)?.type, MessageType.RpcFailure);
  }
  thrown = undefined;
  await allGoOn();
});

/** What a server that is none of ours does to a client of ours. */
const BAD_SERVERS: Readonly<Record<string, readonly [answer: (peer: RawPeer) => void, log: string]>> = {
  "speaks HTTP": [(peer) => peer.write(bytesOf("HTTP/1.1 400 Bad Request\r\n\r\n")), "these are the first bytes of HTTP"],
  // An alert has seven bytes, of which no frame's length can be read.
  "speaks TLS": [
    (peer) => {
      peer.write(fromHex("15030100020246"));
      peer.end();
    },
    "ended within a frame: 7 bytes of it had come: these are the first bytes of TLS, so the peer encrypts and this end does not",
  ],
  "answers with half a frame and a FIN": [
    (peer) => {
      peer.write(fromHex("00000000000000ff0400"));
      peer.end();
    },
    "ended within a frame: 10 bytes of it had come",
  ],
  "closes at once": [(peer) => peer.end(), "Still have 2 requests outstanding"],
  "resets": [(peer) => peer.reset(), "Still have 2 requests outstanding"],
};

for (const [what, [answer, log]] of Object.entries(BAD_SERVERS)) {
  transportTest(`TransportClient of a server that ${what} fails its requests`, async (stage) => {
    const raw = await listenRaw(stage);
    const end = stage.end();
    const connection: TransportClient = await end.dial(raw);
    const failures = [failureOf(ask(connection, "a")), ReceivedStream.of(connection, "s").failure()];
    await until(() => raw.peers.length === 1 && raw.peers[0]!.receivedBytes > 0, "the requests to arrive");
    answer(raw.peers[0]!);
    for (const error of await Promise.all(failures)) {
      assertEquals(error.message, `Connection from 127.0.0.1:${raw.port} closed`);
      const ofBytes = what.startsWith("speaks") || what.startsWith("answers");
      if (ofBytes) assertInstanceOf(error.cause, ProtocolError);
      else assertInstanceOf(error.cause, SocketError);
    }
    assert(end.logger.has(log), end.logger.lines.join("\n"));
    await end.connections(0);
  });
}
