import { assert, assertEquals, assertInstanceOf, assertRejects, assertStrictEquals } from "@std/assert";
import { RpcStoppedError } from "../../src/base/errors.ts";
import { SocketError } from "../../src/socket/socket.ts";
import type { TransportClientBootstrap } from "../../src/transport/transport_client_bootstrap.ts";
import type { TransportClient } from "../../src/transport/transport_client.ts";
import { countListeners } from "../_counted_listeners.ts";
import { deferred, test, until, within } from "../_harness.ts";
import { ask, echo, failureOf, Held, Stage, transportTest } from "./_stage.ts";
import { StubDriver } from "./_stub_driver.ts";

const PEER = { host: "peer", port: 7077 };

function stubbed(context: ConstructorParameters<typeof Stage>[0]): { stage: Stage; driver: StubDriver } {
  const driver = new StubDriver();
  return { stage: new Stage(context, driver), driver };
}

transportTest("TransportClientFactory.createClient() gives the open connection to the next who asks", async (stage) => {
  const { connection, client, server, listening } = await stage.pair({ handler: echo });
  for (let i = 0; i < 3; i++) assertStrictEquals(await client.dial(listening), connection);
  assertEquals(await ask(connection, "a"), "a");
  assertEquals([server.context.connections.size, client.context.connections.size, client.factory.size], [1, 1, 1]);
  const peer = `127.0.0.1:${listening.port}`;
  assertEquals(String(connection), `TransportClient[remoteAddress=${peer}, clientId=undefined, isActive=true]`);
  // Time stands still here.
  const line = `debug: Successfully created connection to ${peer} after 0 ms (0 ms spent in bootstraps)`;
  assertEquals(client.logger.lines.filter((each) => each === line).length, 1);
});

transportTest("TransportClientFactory.createClient() dials once for all who ask meanwhile", async (stage) => {
  const server = stage.end({ handler: echo });
  const listening = await server.listen();
  const client = stage.end();
  const clients = await Promise.all(Array.from({ length: 10 }, () => client.dial(listening)));
  assertEquals(new Set(clients).size, 1);
  assertEquals(await ask(clients[0]!, "a"), "a");
  assertEquals(server.context.connections.size, 1);
});

/** Asks for more connections than there may be, and gives those that it got. */
async function reused(stage: Stage, numConnectionsPerPeer: number, atOnce: boolean): Promise<Set<TransportClient>> {
  const server = stage.end({ handler: echo });
  const listening = await server.listen();
  const client = stage.end({ module: "shuffle", conf: { numConnectionsPerPeer: String(numConnectionsPerPeer) } });
  const clients = new Set<TransportClient>();
  const dial = async (): Promise<void> => void clients.add(await client.dial(listening));
  const dials = numConnectionsPerPeer * 10;
  if (atOnce) await Promise.all(Array.from({ length: dials }, dial));
  else for (let i = 0; i < dials; i++) await dial();
  assert([...clients].every((each) => each.isActive));
  for (const each of clients) assertEquals(await ask(each, "a"), "a");
  assertEquals([server.context.connections.size, client.context.connections.size], [clients.size, clients.size]);
  return clients;
}

// Spark: TransportClientFactorySuite "reuseClientsUpToConfigVariable"
transportTest("TransportClientFactory.createClient() makes up to numConnectionsPerPeer connections", async (stage) => {
  for (const most of [1, 2, 3, 4]) {
    const { size } = await reused(stage, most, false);
    assert(size > 0 && size <= most, `${size} of ${most}`);
  }
});

// Spark: TransportClientFactorySuite "reuseClientsUpToConfigVariableConcurrent"
transportTest("TransportClientFactory.createClient() dials once per slot, however many ask at once", async (stage) => {
  for (const most of [1, 2, 3, 4]) {
    const { size } = await reused(stage, most, true);
    assert(size > 0 && size <= most, `${size} of ${most}`);
  }
});

test("TransportClientFactory.createClient() takes memory for the connections that it makes, not for those that it may make", async (context) => {
  const { stage, driver } = stubbed(context);
  const end = stage.end({ module: "shuffle", conf: { numConnectionsPerPeer: String(2 ** 31 - 1) } });
  const clients = await Promise.all(Array.from({ length: 4 }, () => end.factory.createClient(PEER)));
  assertEquals([driver.dials, new Set(clients).size], [4, 4]);
});

test("TransportClientFactory.createClient() chooses among the slots by chance, each alike", async (context) => {
  const { stage, driver } = stubbed(context);
  let next = 0;
  const end = stage.end({ module: "shuffle", conf: { numConnectionsPerPeer: "4" }, random: () => (next++ % 4) / 4 });
  const clients: TransportClient[] = [];
  for (let i = 0; i < 8; i++) clients.push(await end.factory.createClient(PEER));
  assertEquals([driver.dials, new Set(clients).size], [4, 4]);
  assertEquals(clients.slice(4), clients.slice(0, 4));
});

// Spark: TransportClientFactorySuite "fastFailConnectionInTimeWindow"
test("TransportClientFactory.createClient() fails fast within 0.95 of retryWait after a failure, if it is asked to", async (context) => {
  const { stage, driver } = stubbed(context);
  driver.failure = new SocketError("CONNECTION_REFUSED", "Cannot connect: connection refused");
  const { factory } = stage.end({ module: "shuffle" });
  const fast = { fastFail: true };
  assertEquals((await failureOf(factory.createClient(PEER, fast))).message.startsWith("Failed to connect to peer:7077"), true);
  assertEquals(driver.dials, 1);
  stage.clock.advance(4_749);
  const text = "Connecting to peer:7077 failed in the last 4750 ms, fail this connection directly";
  const error = await failureOf(factory.createClient(PEER, fast));
  assertInstanceOf(error, SocketError);
  assertEquals([error.message, driver.dials, factory.size], [text, 1, 0]);
  // Another peer, and one who does not ask for it, are dialled.
  await failureOf(factory.createClient({ host: "other", port: 7077 }, fast));
  assertEquals(driver.dials, 2);
  stage.clock.advance(1);
  await failureOf(factory.createClient(PEER, fast));
  await failureOf(factory.createClient(PEER));
  assertEquals(driver.dials, 4);
  assertEquals((await failureOf(factory.createClient(PEER, fast))).message, text);
  driver.failure = undefined;
  const client = await factory.createClient(PEER);
  assertEquals(await factory.createClient(PEER, fast), client);
  driver.sockets.at(-1)!.close();
  await until(() => factory.size === 0, "the connection to be forgotten");
  assertEquals((await factory.createClient(PEER, fast)).isActive, true);
});

test("TransportClientFactory.createClient() does not fail fast because a bootstrap failed", async (context) => {
  const { stage, driver } = stubbed(context);
  // The second is of another peer, one that has the passwords, say.
  const errors = [new RangeError("wrong password"), new SocketError("CONNECTION_REFUSED", "Cannot connect to passwords:1")];
  for (const error of errors) {
    const before = driver.dials;
    const factory = stage.end().makeFactory([{ doBootstrap: () => Promise.reject(error) }]);
    for (let i = 0; i < 2; i++) assertStrictEquals(await failureOf(factory.createClient(PEER, { fastFail: true })), error);
    assertEquals(driver.dials - before, 2);
  }
});

test("TransportClientFactory remembers at most 1024 peers that it could not reach", async (context) => {
  const { stage, driver } = stubbed(context);
  driver.failure = new SocketError("CONNECTION_REFUSED", "Cannot connect: connection refused");
  const { factory } = stage.end();
  const dial = (port: number) => failureOf(factory.createClient({ host: "peer", port }, { fastFail: true }));
  for (let port = 1; port <= 1_025; port++) await dial(port);
  assertEquals(driver.dials, 1_025);
  assertEquals((await dial(2)).message.startsWith("Connecting to peer:2 failed in the last"), true);
  assertEquals([driver.dials, (await dial(1)).message.startsWith("Failed to connect"), driver.dials], [1_025, true, 1_026]);
});

// Spark: TransportClientFactorySuite "returnDifferentClientsForDifferentServers"
transportTest("TransportClientFactory.createClient() gives different connections for different servers", async (stage) => {
  const ends = [stage.end({ handler: echo }), stage.end({ handler: echo })];
  const client = stage.end();
  const clients: TransportClient[] = [];
  for (const end of ends) clients.push(await client.dial(await end.listen()));
  assert(clients[0] !== clients[1]);
  assert(clients.every((each) => each.isActive));
  assertEquals([ends[0]!.context.connections.size, ends[1]!.context.connections.size, client.factory.size], [1, 1, 2]);
});

test("TransportClientFactory.createClient() takes two names of one host for two peers", async (context) => {
  const { stage, driver } = stubbed(context);
  const { factory } = stage.end();
  const clients: TransportClient[] = [];
  for (const host of ["localhost", "127.0.0.1", "::1"]) clients.push(await factory.createClient({ host, port: 7077 }));
  assertEquals([driver.dials, factory.size, new Set(clients).size], [3, 3, 3]);
  assertEquals(clients.map((client) => client.channel.remote), ["localhost:7077", "127.0.0.1:7077", "[::1]:7077"]);
});

test("TransportClientFactory dials hosts as Java writes them: IPv6 in brackets", async (context) => {
  const { stage, driver } = stubbed(context);
  const { factory } = stage.end();
  const address = { host: "[fe80::1]", port: 7077 };
  const client = await factory.createClient(address);
  assertStrictEquals(await factory.createClient({ host: "fe80::1", port: 7077 }), client);
  await factory.createUnmanagedClient(address);
  assertEquals(driver.sockets.map((socket) => socket.remoteAddress.host), ["fe80::1", "fe80::1"]);
});

// Spark: TransportClientFactorySuite "neverReturnInactiveClients"
transportTest("TransportClientFactory.createClient() replaces a connection that was closed", async (stage) => {
  const { connection, client, listening } = await stage.pair({ handler: echo });
  connection.close();
  assertEquals(connection.isActive, false);
  const next = await client.dial(listening);
  assert(next !== connection);
  assertEquals([next.isActive, await ask(next, "a")], [true, "a"]);
});

transportTest("TransportClientFactory.createClient() replaces a connection that the peer closed", async (stage) => {
  const { connection, client, server, listening } = await stage.pair({ handler: echo });
  for (const handler of server.context.connections) handler.client.close();
  await until(() => !connection.isActive, "the connection to be closed");
  assertEquals(await ask(await client.dial(listening), "a"), "a");
});

transportTest("TransportClientFactory forgets a peer whose connections are gone", async (stage) => {
  const { client, server, listening } = await stage.pair();
  assertEquals(client.factory.size, 1);
  await listening.close();
  await until(() => client.factory.size === 0, "the peer to be forgotten");
  await server.connections(0);
  await failureOf(client.dial(listening));
  assertEquals(client.factory.size, 0);
});

// Spark: TransportClientFactorySuite "closeBlockClientsWithFactory"
transportTest("TransportClientFactory.close() closes its connections, whose requests fail with its reason", async (stage) => {
  const held = new Held();
  const { connection: first, client } = await stage.pair({ handler: held });
  const second = await client.dial(await stage.end().listen());
  assert(first.isActive && second.isActive);
  const asking = failureOf(ask(first, "a"));
  const reason = new RpcStoppedError("no more");
  await within(client.factory.close(reason), "the factory to close");
  assertStrictEquals(await asking, reason);
  assertEquals([first.isActive, second.isActive, client.context.connections.size], [false, false, 0]);
});

// Spark: TransportClientFactorySuite "closeIdleConnectionForRequestTimeOut"
transportTest("TransportClientFactory.createClient() replaces a connection that was closed as idle", async (stage) => {
  const { connection, client, listening } = await stage.pair(
    { handler: echo },
    { conf: { connectionTimeout: "1s" }, closeIdleConnections: true },
  );
  stage.clock.advance(1_000);
  assertEquals(connection.isActive, false);
  assertEquals(await ask(await client.dial(listening), "a"), "a");
});

// Spark: TransportClientFactorySuite "closeFactoryBeforeCreateClient"
test("TransportClientFactory.createClient() rejects after close()", async (context) => {
  const { stage, driver } = stubbed(context);
  const { factory } = stage.end();
  await factory.close();
  for (const dial of [() => factory.createClient(PEER), () => factory.createUnmanagedClient(PEER)]) {
    await assertRejects(dial, RpcStoppedError, "TransportClientFactory is closed");
  }
  assertEquals(driver.dials, 0);
});

// Spark: TransportClientFactorySuite "unlimitedConnectionAndCreationTimeouts"
test("TransportClientFactory waits for ever with a creation timeout of 0", async (context) => {
  const { stage, driver } = stubbed(context);
  const gate = deferred();
  driver.gate = gate.promise;
  const client = stage.end({ conf: { connectionTimeout: "-1", connectionCreationTimeout: "-1" } });
  const dialling = client.factory.createClient(PEER);
  stage.clock.advance(1e12);
  assertEquals([driver.aborted, stage.clock.timers], [0, []]);
  gate.resolve();
  assertEquals((await dialling).isActive, true);
});

test("TransportClientFactory.createClient() gives up a peer that does not answer", async (context) => {
  const { stage, driver } = stubbed(context);
  driver.silent = true;
  const { factory } = stage.end({ conf: { connectionCreationTimeout: "7s" } });
  const dials = [failureOf(factory.createClient(PEER)), failureOf(factory.createClient(PEER))];
  stage.clock.advance(6_999);
  assertEquals([driver.dials, driver.aborted], [1, 0]);
  stage.clock.advance(1);
  const [error, other] = await Promise.all(dials);
  assertInstanceOf(error, SocketError);
  assertStrictEquals(error, other);
  assertEquals([error.socketCode, error.message], ["TIMED_OUT", "Connecting to peer:7077 timed out (7000 ms)"]);
  assertEquals([driver.aborted, factory.size, stage.clock.timers], [1, 0, []]);
});

test("TransportClientFactory.createClient() says to whom it could not connect, and tries anew the next time", async (context) => {
  const { stage, driver } = stubbed(context);
  const { factory } = stage.end();
  for (const [host, text] of [["peer", "peer:7077"], ["::1", "[::1]:7077"], ["no host", "no host:7077"]] as const) {
    driver.failure = new SocketError("CONNECTION_REFUSED", `Cannot connect to ${text}: connection refused`);
    const error = await failureOf(factory.createClient({ host, port: 7077 }));
    assertInstanceOf(error, SocketError);
    assertEquals(error.socketCode, "CONNECTION_REFUSED");
    assertEquals(error.message, `Failed to connect to ${text}: connection refused`);
    assertStrictEquals(error.cause, driver.failure);
  }
  assertEquals([factory.size, stage.clock.timers], [0, []]);
  driver.failure = undefined;
  assertEquals((await factory.createClient(PEER)).isActive, true);
});

transportTest("TransportClientFactory.createClient() of a port that nobody listens on is refused", async (stage) => {
  // Not one that was just closed, which may be given to another process at once.
  const error = await failureOf(stage.end().dial({ port: 1 }));
  assertInstanceOf(error, SocketError);
  assertEquals(error.socketCode, "CONNECTION_REFUSED");
  assert(error.message.startsWith("Failed to connect to 127.0.0.1:1: "));
});

test("TransportClientFactory.close() gives up the dials", async (context) => {
  const { stage, driver } = stubbed(context);
  driver.silent = true;
  const { factory } = stage.end();
  const dials = [factory.createClient(PEER), factory.createUnmanagedClient(PEER)].map(failureOf);
  await factory.close();
  for (const error of await Promise.all(dials)) assertInstanceOf(error, RpcStoppedError);
  assertEquals(driver.aborted, 2);
});

test("TransportClientFactory.close() closes a connection that was made at the same moment", async (context) => {
  const { stage, driver } = stubbed(context);
  const { factory } = stage.end();
  driver.onAttached = () => void factory.close();
  assertInstanceOf(await failureOf(factory.createClient(PEER)), RpcStoppedError);
  assertEquals(driver.sockets.map((socket) => socket.isShut), [true]);
});

test("TransportClientFactory.close() leaves no connection open whose dial ends at the same moment", async (context) => {
  const { stage, driver } = stubbed(context);
  for (let turns = 0; turns < 12; turns++) {
    const bootstrapped = deferred();
    const end = stage.end();
    const factory = end.makeFactory([{ doBootstrap: () => bootstrapped.promise }]);
    const dialling = factory.createClient(PEER);
    await until(() => end.context.connections.size === 1, "the bootstrap to begin");
    bootstrapped.resolve();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    await factory.close();
    // Whoever was given it has been given a closed one.
    await dialling.then((client) => assertEquals(client.isActive, false), (error) => assertInstanceOf(error, RpcStoppedError));
    assertEquals(driver.sockets.at(-1)!.isShut, true, `after ${turns} turns`);
  }
});

test("TransportClientFactory.close() at any moment of a dial without bootstraps leaves no connection and no error behind", async (context) => {
  const { stage } = stubbed(context);
  for (let turns = 0; turns < 16; turns++) {
    const { factory, context: { connections } } = stage.end();
    const dialling = factory.createClient(PEER);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    await factory.close();
    await dialling.then((client) => assertEquals(client.isActive, false), (error) => assertInstanceOf(error, RpcStoppedError));
    await until(() => connections.size === 0, `the connection to close after ${turns} turns`);
  }
});

transportTest("TransportClientFactory runs bootstraps in their order before anybody gets the connection", async (stage) => {
  const listening = await stage.end({ handler: echo }).listen();
  const heard: string[] = [];
  const bootstrap = (name: string): TransportClientBootstrap => ({
    async doBootstrap(client) {
      heard.push(`${name} begins`);
      heard.push(await ask(client, name));
    },
  });
  const factory = stage.end().makeFactory([
    bootstrap("first"),
    { doBootstrap: () => void heard.push("sync") },
    bootstrap("last"),
  ]);
  const dials = [1, 2].map(() => factory.createClient({ host: "127.0.0.1", port: listening.port }));
  const [client, other] = await within(Promise.all(dials), "to connect");
  heard.push("handed out");
  assertStrictEquals(client, other);
  assertEquals(heard, ["first begins", "first", "sync", "last begins", "last", "handed out"]);
});

transportTest("TransportClientFactory closes a connection whose bootstrap fails", async (stage) => {
  const server = stage.end({ handler: echo });
  const { port } = await server.listen();
  const client = stage.end();
  let clients: TransportClient[] = [];
  const failing = (doBootstrap: TransportClientBootstrap["doBootstrap"]) => {
    clients = [];
    const note = { doBootstrap: (each: TransportClient) => void clients.push(each) };
    const never = { doBootstrap: () => void clients.push(clients[0]!) };
    return client.makeFactory([note, { doBootstrap }, never]).createClient({ host: "127.0.0.1", port });
  };
  const thrower = () => {
    throw new RangeError("wrong password");
  };
  for (const doBootstrap of [thrower, () => Promise.reject(new RangeError("wrong password"))]) {
    const error = await failureOf(failing(doBootstrap));
    assertInstanceOf(error, RangeError);
    assertEquals([error.message, clients.length, clients[0]!.isActive], ["wrong password", 1, false]);
    await Promise.all([client.connections(0), server.connections(0)]);
  }
  assert(client.logger.has(`Exception while bootstrapping client of 127.0.0.1:${port} (wrong password)`));
});

test("TransportClientFactory ends a bootstrap that outlasts the creation timeout, or its factory", async (context) => {
  const { stage, driver } = stubbed(context);
  for (const how of ["timeout", "close"]) {
    const end = stage.end({ conf: { connectionCreationTimeout: "5s" } });
    const factory = end.makeFactory([{ doBootstrap: () => new Promise(() => {}) }]);
    const dialling = failureOf(factory.createClient(PEER));
    await until(() => end.context.connections.size === 1, "the bootstrap to begin");
    const socket = driver.sockets.at(-1)!;
    if (how === "timeout") stage.clock.advance(5_000);
    else await factory.close();
    const error = await dialling;
    if (how === "timeout") assertEquals(error.message, "Connecting to peer:7077 timed out (5000 ms)");
    else assertInstanceOf(error, RpcStoppedError);
    assertEquals(socket.isShut, true);
  }
});

test("TransportClientFactory that a bootstrap closes before it throws leaves no error behind", async (context) => {
  const { stage } = stubbed(context);
  const end = stage.end();
  const factory = end.makeFactory([{
    doBootstrap() {
      void factory.close();
      throw new RangeError("wrong password");
    },
  }]);
  const error = await failureOf(factory.createClient(PEER));
  assertEquals([error.name, error.message], ["RangeError", "wrong password"]);
  await until(() => end.context.connections.size === 0, "the connection to close");
});

test("TransportClientFactory that a bootstrap closes before it rejects leaves no error behind", async (context) => {
  const { stage } = stubbed(context);
  const end = stage.end();
  const bootstrapped = deferred();
  const factory = end.makeFactory([{
    doBootstrap() {
      void factory.close();
      return bootstrapped.promise.then(() => Promise.reject(new RangeError("wrong password")));
    },
  }]);
  assertInstanceOf(await failureOf(factory.createClient(PEER)), RpcStoppedError);
  bootstrapped.resolve();
  await until(() => end.context.connections.size === 0, "the connection to close");
});

test("TransportClientFactory.createUnmanagedClient() rejects with the reason itself, whatever it is, also in a bootstrap", async (context) => {
  const { stage } = stubbed(context);
  for (const reason of ["enough", undefined, new RangeError("enough")]) {
    const end = stage.end();
    const factory = end.makeFactory([{ doBootstrap: () => new Promise(() => {}) }]);
    const abort = new AbortController();
    const dialling = factory.createUnmanagedClient(PEER, { signal: abort.signal }).catch((thrown: unknown) => thrown);
    await until(() => end.context.connections.size === 1, "the bootstrap to begin");
    abort.abort(reason);
    assertStrictEquals(await within(dialling, "the reason"), abort.signal.reason);
  }
});

transportTest("TransportClientFactory.createClient() is given up by its signal for who has it alone", async (stage) => {
  const held = deferred();
  const server = stage.end({ handler: echo });
  const listening = await server.listen();
  const client = stage.end();
  const factory = client.makeFactory([{ doBootstrap: () => held.promise }]);
  const abort = new AbortController();
  const givenUp = failureOf(factory.createClient(listening.address, { signal: abort.signal }));
  const patient = factory.createClient(listening.address);
  await client.connections(1);
  const reason = new RangeError("enough");
  abort.abort(reason);
  assertStrictEquals(await givenUp, reason);
  held.resolve();
  const connection = await within(patient, "to connect");
  assertEquals(await ask(connection, "a"), "a");
  assertStrictEquals(await factory.createClient(listening.address, { signal: new AbortController().signal }), connection);
  await assertRejects(() => factory.createClient(listening.address, { signal: abort.signal }), RangeError, "enough");
  assertEquals(server.context.connections.size, 1);
});

test("TransportClientFactory.createClient() dials nobody for a signal that has aborted", async (context) => {
  const { stage, driver } = stubbed(context);
  const signal = AbortSignal.abort(new RangeError("enough"));
  const error = await failureOf(stage.end().factory.createClient(PEER, { signal }));
  assertEquals([error.message, driver.dials], ["enough", 0]);
});

test("TransportClientFactory.createUnmanagedClient() gives a dial up at once for a signal that has aborted", async (context) => {
  const { stage, driver } = stubbed(context);
  driver.gate = new Promise(() => {});
  const signal = AbortSignal.abort(new RangeError("enough"));
  const listeners = countListeners(signal);
  const error = await failureOf(stage.end().factory.createUnmanagedClient(PEER, { signal }));
  assertEquals([error, listeners(), stage.clock.timers], [signal.reason, 0, []]);
});

test("TransportClientFactory leaves a signal alone once its dial has ended", async (context) => {
  const { stage, driver } = stubbed(context);
  const { factory } = stage.end();
  const { signal } = new AbortController();
  const listeners = countListeners(signal);
  await factory.createUnmanagedClient(PEER, { signal });
  await factory.createClient(PEER, { signal });
  driver.failure = new SocketError("CONNECTION_REFUSED", "Cannot connect: connection refused");
  await failureOf(factory.createUnmanagedClient(PEER, { signal }));
  await failureOf(factory.createClient({ ...PEER, port: 1 }, { signal }));
  assertEquals(listeners(), 0);
});

transportTest("TransportClientFactory.createUnmanagedClient() dials a connection that nobody else gets", async (stage) => {
  const { connection, client, server, listening } = await stage.pair({ handler: echo });
  const own = await within(client.factory.createUnmanagedClient({ host: "127.0.0.1", port: listening.port }), "to connect");
  assert(own !== connection);
  assertStrictEquals(await client.dial(listening), connection);
  assertEquals(await ask(own, "a"), "a");
  await client.factory.close();
  assertEquals([own.isActive, server.context.connections.size > 0], [true, true]);
});
