import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { ProtocolError, RpcError, RpcOverloadedError } from "../../src/base/errors.ts";
import { int64FromSafe } from "../../src/base/int64.ts";
import { MessageBody } from "../../src/base/message_body.ts";
import { MessageType } from "../../src/protocol/message.ts";
import type { RpcHandler } from "../../src/transport/rpc_handler.ts";
import { deferred, fromHex, until, untilStill } from "../_harness.ts";
import { content, CountedBuffer, countedBuffers } from "../_counted_buffer.ts";
import { dialRaw, frameOf, listenRaw } from "./_raw_peer.ts";
import { ask, bytesOf, failureOf, transportTest, waiter } from "./_stage.ts";
import { upload, Uploads } from "./_uploads.ts";

const MIB = 1024 * 1024;
const SIZES: Readonly<Record<string, number>> = {
  largeBuffer: 3_000_000,
  mediumBuffer: 100_000,
  smallBuffer: 100,
  emptyBuffer: 0,
  file: 512 * 1024 + 1,
};

// Spark: RpcIntegrationSuite "sendRpcWithStreamOneAtATime"
transportTest("TransportClient.uploadStream() sends bytes of all kinds, one after the other", async (stage) => {
  const uploads = new Uploads();
  const buffer = countedBuffers(stage.test);
  const { connection } = await stage.pair({ handler: uploads.handler });
  for (const [name, size] of Object.entries(SIZES)) {
    const data = buffer(content(size), { inMemory: name !== "file" });
    assertEquals(await upload(connection, name, data), `${name}: ${size}`);
    const received = await uploads.named(name);
    assertEquals(received.bytes, content(size));
    assertEquals(received.events, size === 0 ? ["start", "complete"] : ["start", "data", "complete"]);
  }
  assertEquals(connection.numOutstandingRequests, 0);
});

// Spark: RpcIntegrationSuite "sendRpcWithStreamConcurrently"
transportTest("TransportClient.uploadStream() sends many at once, and requests between them", async (stage) => {
  const uploads = new Uploads();
  const buffer = countedBuffers(stage.test);
  const { connection, server } = await stage.pair({ handler: uploads.handler });
  const all = Array.from({ length: 20 }, (_, i) => {
    const [name, size] = Object.entries(SIZES)[i % 5]!;
    return [
      upload(connection, `${name} ${i}`, buffer(content(size, i), { inMemory: i % 2 === 0 })),
      ask(connection, `ask ${i}`),
    ];
  });
  const answers = await Promise.all(all.flat());
  for (let i = 0; i < 20; i++) {
    const [name, size] = Object.entries(SIZES)[i % 5]!;
    assertEquals(answers.slice(2 * i, 2 * i + 2), [`${name} ${i}: ${size}`, `ask ${i}`]);
    assertEquals((await uploads.named(`${name} ${i}`)).bytes, content(size, i));
  }
  assertEquals([connection.numOutstandingRequests, server.unanswered], [0, 0]);
});

// Spark: RpcIntegrationSuite "sendRpcWithStreamFailures"
transportTest(
  "RpcHandler.receiveStream() that fails fails the upload, and the connection, though no bytes follow",
  async (stage) => {
    const ondata = "failed to read stream data!";
    const cases = [
      ["fail/exception-ondata", 100, `Destination failed while reading stream: ${ondata}`, ondata],
      ...[100, 0].flatMap((size) => [
        ["fail/null", size, "rpcHandler returned a null streamHandler", "rpcHandler returned a null streamHandler"] as const,
        ["fail/throws", size, "no room for that", "no room for that"] as const,
      ]),
    ] as const;
    for (const [id, size, text, cause] of cases) {
      const uploads = new Uploads();
      const caught: string[] = [];
      const handler: Partial<RpcHandler> = {
        ...uploads.handler,
        exceptionCaught: (_, error) => void caught.push(error.message),
      };
      const buffer = countedBuffers(stage.test);
      const { connection, server } = await stage.pair({ handler });
      const failures = [upload(connection, id, buffer(content(size))), upload(connection, "smallBuffer", buffer(content(100)))];
      const [first, second] = await Promise.all(failures.map(failureOf));
      assertEquals([first!.message, second!.message.startsWith("Connection from 127.0.0.1:")], [text, true]);
      assertEquals([server.unanswered, connection.isActive, caught], [0, false, [cause]]);
      await server.connections(0);
      const lines = server.logger.lines.filter((line) =>
        /^warning: Exception in connection from 127\.0\.0\.1:\d+: /.test(line)
      );
      assertEquals(lines.map((line) => line.endsWith(`: ${cause}`)), [true], server.logger.lines.join("\n"));
      const events = id === "fail/exception-ondata" ? [["start", "data", "failure"]] : [];
      assertEquals(uploads.received.map((each) => each.events), events);
    }
  },
);

// Spark: RpcIntegrationSuite "sendRpcWithStreamFailures"
transportTest("StreamCallbackWithId.onComplete() that fails fails the upload, and the connection stays", async (stage) => {
  const uploads = new Uploads();
  const buffer = countedBuffers(stage.test);
  const { connection, server } = await stage.pair({ handler: uploads.handler });
  for (const how of ["exception", "rejects"]) {
    const id = `fail/${how}-oncomplete`;
    const failing = failureOf(upload(connection, id, buffer(content(100))));
    assertEquals(await upload(connection, `after ${how}`, buffer(content(100))), `after ${how}: 100`);
    const cause = how === "exception" ? "exception in onComplete" : "rejected in onComplete";
    const text = "Failure post-processing complete stream; failing this rpc and leaving channel active";
    assertEquals((await failing).message, `${text}: ${cause}`);
    assertEquals((await uploads.named(id)).events, ["start", "data", "complete", "failure"]);
  }
  assertEquals([connection.isActive, server.unanswered], [true, 0]);
});

transportTest("StreamCallbackWithId.onComplete() is waited for, and nobody behind it waits too", async (stage) => {
  const uploads = new Uploads();
  const gate = deferred();
  uploads.onUpload = (each) => each.completing = gate.promise;
  const { connection, server } = await stage.pair({ handler: uploads.handler });
  let answered = false;
  const uploading = upload(connection, "slow", new CountedBuffer(content(50_000))).then((text) => {
    answered = true;
    return text;
  });
  await uploads.named("slow");
  assertEquals(await ask(connection, "and I"), "and I");
  assertEquals([answered, server.unanswered], [false, 1]);
  gate.resolve();
  assertEquals(await uploading, "slow: 50000");
  assertEquals(server.unanswered, 0);
});

transportTest("An upload's receiver holds its sender back while it is full", async (stage) => {
  const uploads = new Uploads();
  uploads.onUpload = (each) => each.onChunk = (flow) => flow.pause();
  const buffer = countedBuffers(stage.test);
  const { connection } = await stage.pair({ handler: uploads.handler });
  const data = buffer(new Uint8Array(30 * MIB));
  const uploading = upload(connection, "big", data);
  const received = await uploads.named("big");
  await until(() => received.receivedBytes > 0, "the first bytes");
  await untilStill(() => connection.channel.outgoing.writtenBytes, "the sender to be held back");
  await stage.turns(10);
  assert(connection.channel.outgoing.writtenBytes < 20 * MIB);
  received.onChunk = undefined;
  received.flow!.resume();
  assertEquals(await uploading, `big: ${30 * MIB}`);
});

transportTest("An upload whose connection breaks fails at both ends, once", async (stage) => {
  const uploads = new Uploads();
  uploads.onUpload = (each) => each.onChunk = (flow) => flow.pause();
  const buffer = countedBuffers(stage.test);
  const { connection, server } = await stage.pair({ handler: uploads.handler });
  const failures = [
    upload(connection, "first", buffer(new Uint8Array(20 * MIB))),
    upload(connection, "second", buffer(new Uint8Array(20 * MIB), { inMemory: true })),
  ].map(failureOf);
  const received = await uploads.named("first");
  await until(() => received.receivedBytes > 0, "the first bytes");
  connection.channel.abort(new Error("pulled the plug"));
  for (const error of await Promise.all(failures)) {
    assertInstanceOf(error, RpcError);
    assertEquals([error.code, error.message.endsWith(" closed")], ["DISCONNECTED", true]);
  }
  received.onChunk = undefined;
  received.flow!.resume();
  await server.connections(0);
  assertEquals([received.events, server.unanswered, uploads.received.length], [["start", "data", "failure"], 0, 1]);
});

transportTest(
  "TransportClient.uploadStream() of bytes that cannot be read says why, and closes the connection",
  async (stage) => {
    const uploads = new Uploads();
    const buffer = countedBuffers(stage.test);
    const { connection, server } = await stage.pair({ handler: uploads.handler });
    const failing = upload(connection, "broken", buffer(content(3 * MIB), { failAt: 2 * MIB }));
    const other = failureOf(ask(connection, "behind it"));
    const error = await failureOf(failing);
    assertEquals(error.message, `Failed to send RPC RPC 1 to ${connection.channel.remote}: disk is gone`);
    assert((await other).message.endsWith(" closed"));
    await server.connections(0);
    assertEquals((await uploads.named("broken")).events.at(-1), "failure");
    assertEquals(server.unanswered, 0);
  },
);

transportTest("TransportClient.uploadStream() releases its bytes where nothing is sent", async (stage) => {
  const buffer = countedBuffers(stage.test);
  const uploads = new Uploads();
  const { connection } = await stage.pair(
    { handler: uploads.handler },
    { limits: { maxOutstandingRequests: 1, maxFrameBytes: 1_000 } },
  );
  const data = buffer(content(10));
  assertThrows(() => connection.uploadStream(new Uint8Array(980), data, waiter()), ProtocolError, "Message takes 1001 bytes");
  assertEquals([data.frees, connection.numOutstandingRequests], [1, 0]);
  const gate = deferred();
  uploads.onUpload = (each) => each.completing = gate.promise;
  const uploading = upload(connection, "x", buffer(content(10)));
  assertThrows(() => connection.uploadStream(bytesOf("y"), buffer(content(10)), waiter()), RpcOverloadedError);
  gate.resolve();
  assertEquals(await uploading, "x: 10");
  connection.close();
  const error = await failureOf(upload(connection, "z", buffer(content(10))));
  assert(error.message.startsWith("Failed to send RPC to 127.0.0.1:"));
  assertEquals(connection.uploadStream(bytesOf("z"), buffer(content(10)), waiter()), -1);
});

transportTest("TransportClient.uploadStream() from within the content of another message follows that one", async (stage) => {
  const uploads = new Uploads();
  const buffer = countedBuffers(stage.test);
  const { connection } = await stage.pair({ handler: uploads.handler });
  let uploading: Promise<string> | undefined;
  const outer = new Promise<string>((resolve, reject) => {
    connection.sendRpc((out) => {
      out.writeBytes(bytesOf("out"));
      uploading = upload(connection, "inner", buffer(content(100_000)));
      out.writeBytes(bytesOf("er"));
    }, waiter((body) => resolve(new TextDecoder().decode(body.bytes)), reject));
  });
  assertEquals([await outer, await uploading], ["outer", "inner: 100000"]);
});

const ID = int64FromSafe(5);
const uploadFrame = (bodyByteCount: number) =>
  frameOf({ type: MessageType.UploadStream, requestId: ID, meta: MessageBody.of(bytesOf("raw")), bodyByteCount });

transportTest("An upload that is cut short at any point fails its receiver once, and nobody else", async (stage) => {
  const uploads = new Uploads();
  const { connection, server, listening } = await stage.pair({ handler: uploads.handler });
  const head = uploadFrame(40);
  const whole = new Uint8Array(head.length + 40);
  whole.set(head);
  for (let cut = 1; cut < whole.length; cut += 3) {
    for (const how of ["end", "reset"] as const) {
      uploads.received.length = 0;
      const attacker = await dialRaw(stage, listening);
      await server.connections(2);
      attacker.write(whole.subarray(0, cut));
      await until(() => [...server.context.connections].some((each) => each.stats().bytesRead === cut), "the beginning");
      attacker[how]();
      await server.connections(1);
      const events = cut === head.length ? ["start", "failure"] : ["start", "data", "failure"];
      assertEquals(uploads.received.map((each) => each.events), cut < head.length ? [] : [events], `cut at ${cut}`);
      assertEquals(server.unanswered, 0);
    }
  }
  assertEquals(await ask(connection, "after"), "after");
});

transportTest("An upload of more bytes than it declares has the rest taken for a frame, and closes", async (stage) => {
  const uploads = new Uploads();
  const { connection, server, listening } = await stage.pair({ handler: uploads.handler });
  const attacker = (await dialRaw(stage, listening)).decoding();
  attacker.write(uploadFrame(10));
  attacker.write(new Uint8Array(10 + 8));
  await attacker.closedByOther();
  await server.connections(1);
  assertEquals(uploads.received.map((each) => [each.events, each.receivedBytes]), [[["start", "data", "complete"], 10]]);
  assert(server.logger.has("Frame length should be positive: -8"));
  assertEquals([await ask(connection, "after"), server.unanswered], ["after", 0]);
});

transportTest("An upload that declares a negative or impossible length is no message", async (stage) => {
  for (const [length, text] of [["ffffffffffffffff", "is negative: -1"], ["7fffffffffffffff", "is no safe integer"]] as const) {
    const uploads = new Uploads();
    const { connection, server, listening } = await stage.pair({ handler: uploads.handler });
    const attacker = await dialRaw(stage, listening);
    attacker.write(fromHex(`000000000000001d0a000000000000000500000000${length}`));
    await attacker.closedByOther();
    await server.connections(1);
    assert(server.logger.has(`Byte count of UploadStream ${text}`), server.logger.lines.join("\n"));
    assertEquals([uploads.received, await ask(connection, "after")], [[], "after"]);
  }
});

transportTest("An upload is answered by a server that closes early, and its bytes are released", async (stage) => {
  const buffer = countedBuffers(stage.test);
  const raw = await listenRaw(stage);
  const connection = await stage.end().dial(raw);
  const failing = failureOf(upload(connection, "x", buffer(new Uint8Array(50 * MIB))));
  await until(() => raw.peers.length === 1 && raw.peers[0]!.receivedBytes > 0, "the upload to begin");
  const peer = raw.peers[0]!;
  peer.read(0);
  peer.send({ type: MessageType.RpcFailure, requestId: int64FromSafe(1), error: "enough" });
  assertEquals((await failing).message, "enough");
  peer.reset();
  await until(() => !connection.isActive, "the end");
});
