import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { ProtocolError, RpcError, RpcTimeoutError, SerializerError } from "../../src/base/errors.ts";
import { NettyRpcEndpointRef } from "../../src/rpc/netty_rpc_endpoint_ref.ts";
import type { NettyRpcEnv } from "../../src/rpc/netty_rpc_env.ts";
import { RpcAddress } from "../../src/rpc/rpc_address.ts";
import type { RpcEndpointRef } from "../../src/rpc/rpc_endpoint_ref.ts";
import { type LookupOptions, RpcEnv } from "../../src/rpc/rpc_env.ts";
import { cborSerializer } from "../../src/serializer/cbor.ts";
import type { Serializer, SerializerContext } from "../../src/serializer/serializer.ts";
import { defaultSocketDriver } from "../../src/socket/default.ts";
import { type SocketDriver, SocketError } from "../../src/socket/socket.ts";
import { HandTime } from "../_hand_time.ts";
import { deferred, test, type TestContext, until, within } from "../_harness.ts";
import { noIpv6 } from "../_ipv6.ts";
import { MemoryLogger } from "../_memory_logger.ts";
import { StubDriver } from "../transport/_stub_driver.ts";

/** CBOR of an environment that writes the host of its references in another way. */
function withHost(host: string): Serializer {
  const encode: Serializer["encode"] = (value, out, context) => {
    const encodeRef: SerializerContext["encodeRef"] = (ref) => {
      const encoded = context.encodeRef(ref);
      return encoded?.address && { ...encoded, address: { host, port: encoded.address.port } };
    };
    cborSerializer.encode(value, out, { ...context, encodeRef });
  };
  return { ...cborSerializer, encode };
}

for (const [bound, ...hosts] of [["127.0.0.1", "127.0.0.01"], ["[::1]", "::1", "0:0:0:0:0:0:0:1", "[0::0:1]"]] as const) {
  test(`Outboxes dials again after a connection to ${bound} was lost, however the peer writes that`, async (context) => {
    for (const host of hosts) await dialAgain(context, bound, host);
  }, { skip: bound === "[::1]" ? noIpv6 : undefined });
}

async function dialAgain(context: TestContext, bound: string, host: string): Promise<void> {
  const options = { name: "peer", host: bound, logger: new MemoryLogger(), serializers: [withHost(host)] };
  const first = await RpcEnv.create({ ...options, port: 0 });
  context.defer(() => first.shutdown());
  const endpoint = { receiveAndReply: (message: unknown): unknown => message === "self" ? ref : message };
  const ref = first.setupEndpoint("peer", endpoint);
  const env = await RpcEnv.create({ name: "env", logger: new MemoryLogger() });
  context.defer(() => env.shutdown());
  const address = first.address!;
  const lookedUp = await env.setupEndpointRef({ address, name: "peer" });
  const told = await lookedUp.ask("self") as RpcEndpointRef;
  assertEquals([String(told.address), await told.ask(1)], [`${host}:${address.port}`, 1]);
  await first.shutdown();
  await until(() => env.stats().connections.length === 0, "the end of the connection");
  assertEquals(env.stats().outboxes, []);
  await assertRejects(() => told.ask(2), RpcError);
  const second = await RpcEnv.create({ ...options, port: address.port });
  context.defer(() => second.shutdown());
  second.setupEndpoint("peer", endpoint);
  assertEquals([await told.ask(3), await lookedUp.ask(4)], [3, 4]);
}

test("A reference with an address that is none fails what it is asked, and nothing else", async (context) => {
  const options = { name: "peer", host: "127.0.0.1", port: 0, logger: new MemoryLogger(), serializers: [withHost("::1::")] };
  const peer = await RpcEnv.create(options);
  context.defer(() => peer.shutdown());
  const ref: RpcEndpointRef = peer.setupEndpoint("peer", { receiveAndReply: (message) => message === "self" ? ref : message });
  const real = await defaultSocketDriver();
  const dialled: string[] = [];
  const driver: SocketDriver = {
    name: "without names",
    listen: (...args) => real.listen(...args),
    connect(address, ...rest) {
      dialled.push(address.host);
      if (address.host === "127.0.0.1") return real.connect(address, ...rest);
      return Promise.reject(new SocketError("HOST_NOT_FOUND", "Cannot connect: host not found"));
    },
  };
  const logger = new MemoryLogger();
  const env = await RpcEnv.create({ name: "env", logger, driver });
  context.defer(() => env.shutdown());
  const lookedUp = await env.setupEndpointRef({ address: peer.address!, name: "peer" });
  const told = await lookedUp.ask("self") as RpcEndpointRef;
  await within(assertRejects(() => told.ask(1), SocketError, "host not found"), "the failure");
  told.send(2);
  await until(() => logger.has("Failed to send one-way RPC to ::1:::"), "the loss");
  assertEquals([dialled, await lookedUp.ask(3)], [["127.0.0.1", "::1::", "::1::"], 3]);
});

test("Outbox counts the bytes that wait, and forgets asks that have ended", async (context) => {
  const driver = new StubDriver();
  const opened = deferred();
  driver.gate = opened.promise;
  const env = await RpcEnv.create({ name: "env", driver, logger: new MemoryLogger() });
  context.defer(() => env.shutdown());
  const address = { host: "127.0.0.1", port: 1 };
  const lookUp = (options: LookupOptions) => assertRejects(() => env.setupEndpointRef({ address, name: "x" }, options));
  const outbox = () => env.stats().outboxes.map(({ queuedMessages, queuedBytes }) => [queuedMessages, queuedBytes > 0]);
  const abort = new AbortController();
  const aborted = lookUp({ signal: abort.signal });
  abort.abort(new Error("enough"));
  await aborted;
  await lookUp({ timeoutMs: 1 });
  assertEquals(outbox(), [[0, false]]);
  const sent = lookUp({});
  assertEquals(outbox(), [[1, true]]);
  await lookUp({ timeoutMs: 1 });
  assertEquals(outbox(), [[1, true]], "whose time is not up stays");
  const late = new AbortController();
  const givenUp = lookUp({ signal: late.signal });
  late.abort(new Error("enough"));
  await givenUp;
  opened.resolve();
  await until(() => driver.sockets.length === 1 && driver.sockets[0]!.writtenBytes > 0, "the message to be sent");
  assertEquals(outbox(), [[0, false]]);
  assertEquals(env.stats().connections.map(({ framesWritten }) => framesWritten), [1], "of who has given up nothing is sent");
  await env.shutdown();
  await sent;
});

test("Outbox refuses at the call what no frame can hold, and others have the room", async (context) => {
  const driver = new StubDriver();
  const opened = deferred();
  driver.gate = opened.promise;
  const options = { name: "env", driver, logger: new MemoryLogger(), conf: { "spark.rpc.message.maxSize": 1 } };
  const env = await RpcEnv.create({ ...options, limits: { maxOutboxBytes: 4_096 } });
  context.defer(() => env.shutdown());
  const ref = new NettyRpcEndpointRef(env as NettyRpcEnv, new RpcAddress("127.0.0.1", 1), "x");
  const large = new Uint8Array(1024 * 1024);
  const refuse = async (): Promise<void> => {
    const text = /^Message takes 10486\d\d bytes, but the limit is 1048576 /;
    assertMatch(assertThrows(() => ref.send(large), ProtocolError).message, text);
    assertMatch((await within(assertRejects(() => ref.ask(large), ProtocolError), "the refusal")).message, text);
  };
  await refuse();
  assertEquals([driver.dials, env.stats().outboxes, env.stats().lostMessages], [0, [], 0]);
  ref.send("small");
  await refuse();
  ref.send("small too");
  opened.resolve();
  await until(() => env.stats().connections[0]?.framesWritten === 2, "the messages to leave");
  await refuse();
  assertEquals(env.stats().lostMessages, 0);
});

test("Outbox takes the longest message that a frame can hold, and not a byte more", async (context) => {
  const driver = new StubDriver();
  const opened = deferred();
  driver.gate = opened.promise;
  const options = { name: "env", driver, logger: new MemoryLogger(), conf: { "spark.rpc.message.maxSize": 1 } };
  const env = await RpcEnv.create(options);
  context.defer(() => env.shutdown());
  const ref = new NettyRpcEndpointRef(env as NettyRpcEnv, new RpcAddress("127.0.0.1", 1), "x");
  const longest = 1024 * 1024;
  const { message } = assertThrows(() => ref.send(new Uint8Array(longest)), ProtocolError);
  const besides = Number(/takes (\d+) bytes/.exec(message)?.[1]) - longest;
  assertThrows(() => ref.send(new Uint8Array(longest - besides + 1)), ProtocolError, `takes ${longest + 1} bytes`);
  ref.send(new Uint8Array(longest - besides));
  opened.resolve();
  await until(() => env.stats().connections[0]?.framesWritten === 1, "the message to leave");
  assertEquals(env.stats().connections[0]?.bytesWritten, longest + 8);
});

test("Outbox breaks off what is written far beyond what a frame can hold", async (context) => {
  const options = {
    name: "env",
    driver: new StubDriver(),
    logger: new MemoryLogger(),
    conf: { "spark.rpc.message.maxSize": 1 },
  };
  const env = await RpcEnv.create(options);
  context.defer(() => env.shutdown());
  const ref = new NettyRpcEndpointRef(env as NettyRpcEnv, new RpcAddress("127.0.0.1", 1), "x");
  // As a text is that came by references, and goes on in full.
  let read = 0;
  const texts = Array.from({ length: 1000 }, () => ({ toJSON: () => (read++, "x".repeat(100_000)) }));
  const error = assertThrows(() => ref.send(texts), ProtocolError, "Message takes more than 1048576 bytes (maxFrameBytes; ");
  assertEquals([error.limit, read < 50], [1_048_576, true]);
});

test("Outbox whose connection breaks as soon as it stands fails what waits with the reason", async (context) => {
  const driver = new StubDriver();
  driver.onAttached = () => driver.sockets[0]!.close(new SocketError("CONNECTION_RESET", "Gone at once"));
  const env = await RpcEnv.create({ name: "env", driver, logger: new MemoryLogger() });
  context.defer(() => env.shutdown());
  const address = { host: "127.0.0.1", port: 1 };
  const error = await assertRejects(() => env.setupEndpointRef({ address, name: "x" }), SocketError);
  assertEquals([error.message, env.stats().outboxes], ["Gone at once", []]);
});

test("Outbox takes no more than the connection will: what had room while it was dialled is sent", async (context) => {
  const driver = new StubDriver();
  const opened = deferred();
  driver.gate = opened.promise;
  const limits = { maxOutboxBytes: 4_096 };
  const env = await RpcEnv.create({ name: "env", driver, logger: new MemoryLogger(), limits });
  context.defer(() => env.shutdown());
  const ref = new NettyRpcEndpointRef(env as NettyRpcEnv, new RpcAddress("127.0.0.1", 1), "x");
  const refused: Promise<unknown>[] = [];
  for (let i = 0; i < 100; i++) {
    ref.send(i);
    ref.send(i);
    refused.push(ref.ask(i, { timeoutMs: 60_000 }).catch((error: RpcError) => error.code));
  }
  const { lostMessages, outboxes: [outbox] } = env.stats();
  assert(lostMessages > 0 && outbox!.queuedBytes > 4_000, `${outbox!.queuedBytes} bytes wait`);
  opened.resolve();
  await until(() => (driver.sockets[0]?.writtenBytes ?? 0) > 0, "the messages to leave");
  const { lostMessages: lost, connections: [connection] } = env.stats();
  assertEquals([lost, connection!.framesWritten, connection!.bytesWritten], [
    lostMessages,
    outbox!.queuedMessages,
    outbox!.queuedBytes,
  ]);
  await env.shutdown();
  const codes = await Promise.all(refused);
  assertEquals(codes.filter((code) => code === "STOPPED").length, connection!.outstandingRequests);
});

test("RpcEnv.shutdown() gives connections its deadline to send what was sent before", async () => {
  for (const deadlineMs of [30_000, 1]) {
    const world = RpcEnv.createSimulated(1);
    const server = await world.settle(world.create({ host: "server", name: "server", port: 7077 }));
    const received: unknown[] = [];
    server.setupEndpoint("slow", { receive: (message) => received.push((message as Uint8Array).length) });
    const client = await world.settle(world.create({ host: "client", name: "client" }));
    const ref = await world.settle(client.setupEndpointRef({ address: server.address!, name: "slow" }));
    // As one that swaps, or is stopped.
    world.freeze("server", 12_000);
    ref.send(new Uint8Array(10_000_000));
    const begunAt = client.clock.now();
    await world.settle(client.shutdown({ deadlineMs }));
    const tookMs = client.clock.now() - begunAt;
    await world.shutdown();
    if (deadlineMs === 1) assert(tookMs >= 5_000 && tookMs < 6_000, `${tookMs} ms`);
    else assertEquals(received, [10_000_000]);
  }
});

test("Outboxes keeps none for an address that nothing could be sent to", async (context) => {
  const env = await RpcEnv.create({ name: "env", driver: new StubDriver(), logger: new MemoryLogger() });
  context.defer(() => env.shutdown());
  let ref!: NettyRpcEndpointRef;
  for (let port = 100; port > 0; port--) {
    ref = new NettyRpcEndpointRef(env as NettyRpcEnv, new RpcAddress("127.0.0.1", port), "x");
    await assertRejects(() => ref.ask(() => {}), SerializerError);
    assertThrows(() => ref.send(() => {}), SerializerError);
  }
  assertEquals(env.stats().outboxes, []);
  ref.send("what can be sent");
  assertEquals(env.stats().outboxes.map(({ address, queuedMessages }) => [address, queuedMessages]), [["127.0.0.1:1", 1]]);
});

test("Outbox ends each ask that waits for the connection when its own time is up", async (context) => {
  const driver = new StubDriver();
  driver.silent = true;
  const clock = new HandTime();
  const env = await RpcEnv.create({ name: "env", driver, clock, logger: new MemoryLogger() });
  context.defer(async () => {
    const closed = env.shutdown();
    clock.advance(10_000);
    await closed;
  });
  const ref = new NettyRpcEndpointRef(env as NettyRpcEnv, new RpcAddress("127.0.0.1", 1), "x");
  const ended: number[] = [];
  const asked = [1_000, 3_000, 2_000].map(async (timeoutMs) => {
    await assertRejects(() => ref.ask("x", { timeoutMs }), RpcTimeoutError);
    ended.push(timeoutMs);
  });
  for (let second = 0; second < 3; second++) clock.advance(1_000);
  await within(Promise.all(asked), "the asks to end");
  assertEquals(ended, [1_000, 2_000, 3_000]);
});

test("Outbox fails the asks that the connection has no room for, which are no lost messages", async (context) => {
  const driver = new StubDriver();
  const opened = deferred();
  driver.gate = opened.promise;
  const env = await RpcEnv.create({ name: "env", driver, logger: new MemoryLogger(), limits: { maxOutstandingRequests: 1 } });
  context.defer(() => env.shutdown());
  const ref = new NettyRpcEndpointRef(env as NettyRpcEnv, new RpcAddress("127.0.0.1", 1), "x");
  const asked = [1, 2].map((message) => ref.ask(message).catch((error: RpcError) => error.code));
  opened.resolve();
  assertEquals(await within(Promise.race(asked), "the refusal"), "OVERLOADED");
  assertEquals([env.stats().lostMessages, env.stats().connections[0]?.outstandingRequests], [0, 1]);
  await env.shutdown();
  assertEquals(await Promise.all(asked), ["STOPPED", "OVERLOADED"]);
});

test("Outboxes refuses messages to an endpoint that nobody listens for, over no connection, in Spark's words", async (context) => {
  const env = await RpcEnv.create({ name: "env", driver: new StubDriver(), logger: new MemoryLogger() });
  context.defer(() => env.shutdown());
  const ref = new NettyRpcEndpointRef(env as NettyRpcEnv, undefined, "x");
  const text = "requirement failed: Cannot send message to client endpoint with no listen address.";
  await assertRejects(() => ref.ask(1), RpcError, text);
  assertThrows(() => ref.send(1), RpcError, text);
});

test("Outboxes says of the first, the second, the fourth … message that is lost that it was", async (context) => {
  const driver = new StubDriver();
  const { promise, resolve } = deferred();
  driver.gate = promise;
  const logger = new MemoryLogger();
  const env = await RpcEnv.create({ name: "env", driver, logger });
  context.defer(() => env.shutdown());
  const ref = new NettyRpcEndpointRef(env as NettyRpcEnv, new RpcAddress("127.0.0.1", 1), "x");
  for (let i = 0; i < 9; i++) ref.send(i);
  driver.failure = new SocketError("CONNECTION_REFUSED", "Cannot connect: connection refused");
  resolve();
  await until(() => env.stats().lostMessages === 9, "the loss");
  const said = logger.lines.filter((line) => line.includes("Failed to send one-way RPC to 127.0.0.1:1: "));
  const counts = said.map((line) => /^warning: .*refused \((\d+) lost so far\)$/.exec(line)?.[1]);
  assertEquals(counts, ["1", "2", "4", "8"]);
});

test("RpcEnv.shutdown() fails what still waits for a connection when its deadline has come", async (context) => {
  const driver = new StubDriver();
  const { promise, resolve } = deferred();
  context.defer(resolve);
  driver.gate = promise;
  const logger = new MemoryLogger();
  const env = await RpcEnv.create({ name: "env", driver, logger });
  const ref = new NettyRpcEndpointRef(env as NettyRpcEnv, new RpcAddress("127.0.0.1", 1), "x");
  ref.send(1);
  const failed = assertRejects(() => ref.ask(2), RpcError);
  await within(env.shutdown({ deadlineMs: 1 }), "the environment to end");
  assertEquals([(await failed).code, env.stats().lostMessages, env.stats().outboxes], ["STOPPED", 1, []]);
  // Nobody expects it to be sent.
  assertEquals(logger.lines, ["debug: Failed to send one-way RPC to 127.0.0.1:1: RpcEnv already stopped. (1 lost so far)"]);
});
