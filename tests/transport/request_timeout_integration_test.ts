import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { RpcError } from "../../src/base/errors.ts";
import { MessageType } from "../../src/protocol/message.ts";
import type { StreamCallback, StreamFlow } from "../../src/protocol/stream_callback.ts";
import { SocketError } from "../../src/socket/socket.ts";
import { CLOSE_LINGER_MS } from "../../src/transport/channel.ts";
import type { TransportClient } from "../../src/transport/transport_client.ts";
import { test, until } from "../_harness.ts";
import { frameOf } from "./_raw_peer.ts";
import { ask, askBytes, bytesOf, echo, type EndOptions, failureOf, Held, Stage, transportTest } from "./_stage.ts";
import { StubDriver } from "./_stub_driver.ts";

const TIMEOUT_MS = 10_000;
const shuffle: EndOptions = { module: "shuffle", conf: { connectionTimeout: "10s" } };
/** A server that closes nothing by itself, so that only the client's rule is at work. */
const patient: EndOptions = { module: "shuffle", conf: { connectionTimeout: "0" } };

/** All that was sent has left, so time may be moved. */
async function flushed(client: TransportClient): Promise<void> {
  await until(() => client.channel.outgoing.empty, "all bytes to leave");
}

// Spark: RequestTimeoutIntegrationSuite "timeoutInactiveRequests"
transportTest("TransportContext closes a connection that is silent while a request is outstanding", async (stage) => {
  const held = new Held();
  const { connection, client, listening } = await stage.pair({ ...patient, handler: held }, shuffle);
  const answered = ask(connection, "first");
  await held.count(1);
  held.requests[0]!.responder.onSuccess(new Uint8Array(16));
  assertEquals((await answered).length, 16);

  stage.clock.advance(7_000);
  const unanswered = failureOf(ask(connection, "second"));
  await held.count(2);
  await flushed(connection);
  stage.clock.advance(TIMEOUT_MS - 1);
  assertEquals([connection.isActive, connection.numOutstandingRequests], [true, 1]);
  stage.clock.advance(1);
  const error = await unanswered;
  assertInstanceOf(error, RpcError);
  assertEquals([error.code, error.message], ["DISCONNECTED", `Connection from 127.0.0.1:${listening.port} closed`]);
  assertInstanceOf(error.cause, SocketError);
  assertEquals(error.cause.socketCode, "TIMED_OUT");
  const text = `Connection to 127.0.0.1:${listening.port} has been quiet for 10000 ms while there are outstanding requests. ` +
    "Assuming connection is dead; please adjust spark.shuffle.io.connectionTimeout if this is wrong.";
  assertEquals(error.cause.message, text);
  assert(client.logger.lines.includes(`error: ${text}`));
  held.requests[1]!.responder.onSuccess(bytesOf("nobody hears this"));
});

// Spark: RequestTimeoutIntegrationSuite "timeoutCleanlyClosesClient"
transportTest("TransportClientFactory replaces a connection that timed out", async (stage) => {
  const held = new Held();
  const { connection, client, listening } = await stage.pair({ ...patient, handler: held }, shuffle);
  const unanswered = failureOf(ask(connection, "first"));
  await held.count(1);
  await flushed(connection);
  stage.clock.advance(TIMEOUT_MS);
  await unanswered;
  assertEquals(connection.isActive, false);

  const next = await client.dial(listening);
  assert(next !== connection);
  const answered = ask(next, "second");
  await held.count(2);
  held.requests[1]!.responder.onSuccess(bytesOf("answer"));
  assertEquals(await answered, "answer");
});

// Spark: RequestTimeoutIntegrationSuite "furtherRequestsDelay". There the requests are two chunks.
transportTest("TransportContext lets later requests delay the verdict, which then holds for all", async (stage) => {
  const held = new Held();
  const never = new Promise<undefined>(() => {});
  const handler = { ...held, streamManager: { openStream: () => never, getChunk: () => never } };
  const { connection } = await stage.pair({ ...patient, handler }, shuffle);
  const failed: string[] = [];
  const ofStream: StreamCallback = { onData() {}, onComplete() {}, onFailure: () => void failed.push("stream") };
  const requests = [
    () => connection.fetchChunk(0n, 0, { onSuccess() {}, onFailure: () => void failed.push("chunk 0") }),
    () => void failureOf(ask(connection, "ask")).then(() => failed.push("ask")),
    () => connection.stream("stream", ofStream),
    () => connection.fetchChunk(0n, 1, { onSuccess() {}, onFailure: () => void failed.push("chunk 1") }),
  ];
  for (const request of requests) {
    request();
    await flushed(connection);
    stage.clock.advance(TIMEOUT_MS - 1);
    assertEquals(connection.isActive, true);
  }
  assertEquals([connection.numOutstandingRequests, failed], [4, []]);
  stage.clock.advance(1);
  await until(() => failed.length === 4, "all failures");
  assertEquals(failed.sort(), ["ask", "chunk 0", "chunk 1", "stream"]);
});

transportTest("TransportContext counts bytes in either direction as activity", async (stage) => {
  const held = new Held();
  const clients: TransportClient[] = [];
  const handler = { receive: held.receive, channelActive: (client: TransportClient) => void clients.push(client) };
  const received: number[] = [];
  const { connection } = await stage.pair(
    { ...patient, handler },
    { ...shuffle, handler: { receiveOneWay: (_, body) => void received.push(body.length) } },
  );
  const asking = ask(connection, "slow");
  await held.count(1);
  for (let i = 1; i <= 3; i++) {
    stage.clock.advance(TIMEOUT_MS - 1);
    clients[0]!.send(bytesOf("news"));
    await until(() => received.length === i, "the news");
    stage.clock.advance(TIMEOUT_MS - 1);
    connection.send(bytesOf("thanks"));
    await flushed(connection);
  }
  assertEquals(connection.isActive, true);
  held.requests[0]!.responder.onSuccess(bytesOf("done"));
  assertEquals(await asking, "done");
});

transportTest("TransportContext leaves an idle connection without outstanding requests alone", async (stage) => {
  const { connection, server } = await stage.pair({ ...shuffle, handler: echo }, shuffle);
  assertEquals(await ask(connection, "a"), "a");
  await flushed(connection);
  for (let i = 0; i < 5; i++) stage.clock.advance(TIMEOUT_MS);
  assertEquals([connection.isActive, server.context.connections.size], [true, 1]);
  assertEquals(await ask(connection, "b"), "b");
});

transportTest("TransportContext closes idle connections if closeIdleConnections is set", async (stage) => {
  const { connection, server } = await stage.pair({ ...patient, handler: echo }, { ...shuffle, closeIdleConnections: true });
  stage.clock.advance(TIMEOUT_MS - 1);
  assertEquals(await ask(connection, "a"), "a");
  await flushed(connection);
  stage.clock.advance(TIMEOUT_MS - 1);
  assertEquals(connection.isActive, true);
  stage.clock.advance(1);
  assertEquals(connection.isActive, false);
  await server.connections(0);
});

transportTest(
  "TransportClientFactory.createClient() keeps an idle connection from being closed under its new user",
  async (stage) => {
    const { connection, client, listening } = await stage.pair(
      { ...patient, handler: echo },
      { ...shuffle, closeIdleConnections: true },
    );
    stage.clock.advance(TIMEOUT_MS - 1);
    assertEquals(await client.dial(listening), connection);
    stage.clock.advance(TIMEOUT_MS - 1);
    assertEquals(await ask(connection, "still open"), "still open");
  },
);

transportTest("TransportContext with a connection timeout of 0 waits for ever", async (stage) => {
  for (const connectionTimeout of ["0", "-1", "500ms"]) {
    const held = new Held();
    const { connection, client } = await stage.pair({ ...patient, handler: held }, {
      module: "shuffle",
      conf: { connectionTimeout },
      closeIdleConnections: true,
    });
    const asking = ask(connection, "patience");
    await held.count(1);
    await flushed(connection);
    stage.clock.advance(1e9);
    assertEquals([connection.isActive, client.logger.has("quiet")], [true, false]);
    held.requests[0]!.responder.onSuccess(bytesOf("at last"));
    assertEquals(await asking, "at last");
  }
});

// A real socket cannot be told how fast to send, so there is none here.
test("TransportContext takes bytes that are still leaving for activity, until none leave any more", async (context) => {
  const driver = new StubDriver();
  const stage = new Stage(context, driver);
  const connection = await stage.end(shuffle).dial({ port: 1 });
  const socket = driver.sockets[0]!;
  const failed = failureOf(askBytes(connection, new Uint8Array(1_000_000)));
  for (const left of [1_000_000, 999_999, 10]) {
    socket.queuedBytes = left;
    stage.clock.advance(TIMEOUT_MS);
    assertEquals(connection.isActive, true, `${left} bytes left`);
  }
  stage.clock.advance(TIMEOUT_MS);
  assertEquals([connection.isActive, socket.isShut], [false, true]);
  assertInstanceOf(await failed, RpcError);
  // What is left cannot be flushed either.
  assertEquals(socket.aborted, undefined);
  stage.clock.advance(CLOSE_LINGER_MS);
  assert(socket.aborted !== undefined);
});

test("TransportContext takes bytes that are still leaving for activity after an earlier silence, too", async (context) => {
  const driver = new StubDriver();
  const stage = new Stage(context, driver);
  const connection = await stage.end(shuffle).dial({ port: 1 });
  const socket = driver.sockets[0]!;
  // Nobody waits for anything, and a little is leaving.
  for (const left of [10, 0]) {
    socket.queuedBytes = left;
    stage.clock.advance(TIMEOUT_MS);
  }
  const failed = failureOf(askBytes(connection, new Uint8Array(1_000_000)));
  await until(() => socket.writtenBytes > 1_000_000, "the request to be written");
  for (const left of [500_000, 10]) {
    socket.queuedBytes = left;
    stage.clock.advance(TIMEOUT_MS);
    assertEquals(connection.isActive, true, `${left} bytes left`);
  }
  stage.clock.advance(TIMEOUT_MS);
  assertEquals(connection.isActive, false);
  assertInstanceOf(await failed, RpcError);
  stage.clock.advance(CLOSE_LINGER_MS);
});

test("TransportContext does not take a connection for dead whose reader holds it back, nor at once when that goes on", async (context) => {
  const driver = new StubDriver();
  const stage = new Stage(context, driver);
  const connection = await stage.end(shuffle).dial({ port: 1 });
  const socket = driver.sockets[0]!;
  let flow: StreamFlow | undefined;
  const failures: Error[] = [];
  connection.stream("s", {
    onData: (_id, _chunk, _owned, given) => (flow = given).pause(),
    onComplete() {},
    onFailure: (_id, error) => void failures.push(error),
  });
  await flushed(connection);
  socket.handler.onData(socket, frameOf({ type: MessageType.StreamResponse, streamId: "s", byteCount: 100 }), true);
  socket.handler.onData(socket, new Uint8Array(10), true);
  assertEquals(socket.isPaused, true);
  for (let i = 0; i < 3; i++) stage.clock.advance(TIMEOUT_MS);
  stage.clock.advance(TIMEOUT_MS - 1);
  // The time that this turn began with has been forgotten.
  await stage.turns(1);
  flow!.resume();
  stage.clock.advance(1);
  assertEquals([connection.isActive, socket.isPaused], [true, false]);
  stage.clock.advance(TIMEOUT_MS - 2);
  assertEquals([connection.isActive, failures], [true, []]);
  stage.clock.advance(1);
  assertEquals([connection.isActive, failures.length], [false, 1]);
  await until(() => socket.isShut, "the connection to close");
});

test("TransportContext does not take a connection for dead that more than one holds back", async (context) => {
  const driver = new StubDriver();
  const stage = new Stage(context, driver);
  const connection = await stage.end(shuffle).dial({ port: 1 });
  const socket = driver.sockets[0]!;
  const { autoRead } = connection.channel;
  const [disk, reader] = [{}, {}];
  autoRead.hold(disk);
  autoRead.hold(reader);
  autoRead.hold(reader);
  autoRead.release(reader);
  autoRead.release(reader);
  assertEquals([autoRead.isHeld, socket.isPaused], [true, true]);
  const unanswered = failureOf(ask(connection, "first"));
  await flushed(connection);
  for (let i = 0; i < 3; i++) stage.clock.advance(TIMEOUT_MS);
  assertEquals([connection.isActive, socket.isPaused], [true, true]);
  autoRead.release(disk);
  assertEquals([autoRead.isHeld, socket.isPaused], [false, false]);
  autoRead.hold(disk);
  connection.channel.close();
  autoRead.hold(reader);
  assertEquals([autoRead.isHeld, socket.isPaused], [false, false]);
  assertInstanceOf(await unanswered, RpcError);
  stage.clock.advance(CLOSE_LINGER_MS);
});
