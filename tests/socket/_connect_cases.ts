/**
 * Cases of the socket suite about getting connected or not: listeners, failures by code, and giving up.
 *
 * @module
 */

import { assert, assertEquals, assertNotEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { systemClock } from "../../src/base/clock.ts";
import { type ConnectOptions, type SocketAddress, SocketError, type SocketErrorCode } from "../../src/socket/socket.ts";
import type { Peer } from "./_peer.ts";
import { noIpv6 } from "../_ipv6.ts";
import { socketCase, type SocketSuiteOptions, type Stage } from "./_stage.ts";

/** Registers the cases. */
export function connectCases(suite: SocketSuiteOptions): void {
  listenerCases(suite);
  failureCases(suite);
  signalCases(suite);
}

function listenerCases(suite: SocketSuiteOptions): void {
  socketCase(suite, "SocketDriver.listen() on port 0 says which port it got", async (stage) => {
    const [one, other] = [await stage.listen(), await stage.listen()];
    assertEquals(one.address.host, stage.host);
    assert(one.address.port > 0);
    assertNotEquals(one.address.port, other.address.port);
  });

  socketCase(suite, "SocketListener accepts many connections and tells them apart", async (stage) => {
    const listener = await stage.listen({ hooks: { onData: (peer, chunk) => void peer.send(chunk.length) } });
    const clients = await Promise.all(Array.from({ length: 40 }, () => stage.connect(listener.address)));
    for (const [index, client] of clients.entries()) client.send(index + 1);
    for (const client of clients) {
      await stage.until(client, "the echo", () => client.receivedBytes === client.sentBytes);
    }
    const ports = (peers: readonly Peer[], end: "localAddress" | "remoteAddress") =>
      peers.map(({ socket }) => socket[end].port).sort((a, b) => a - b);
    assertEquals(ports(listener.accepted, "remoteAddress"), ports(clients, "localAddress"));
  });

  socketCase(suite, "SocketListener.close() stops accepting and leaves open sockets alone", async (stage) => {
    const listener = await stage.listen();
    const client = await stage.connect(listener.address);
    const server = await listener.next();
    await stage.run(listener.listener.close(), "to close");
    await stage.run(listener.listener[Symbol.asyncDispose](), "to close again");
    const error = await connectError(stage, listener.address);
    assertEquals(error.socketCode, "CONNECTION_REFUSED");
    client.send(10);
    server.send(20);
    await stage.until(server, "bytes", () => server.receivedBytes === 10);
    await stage.until(client, "bytes", () => client.receivedBytes === 20);
    assertEquals(listener.accepted.length, 1);
  });

  socketCase(suite, "SocketListener.close() frees the port", async (stage) => {
    const { listener, address } = await stage.listen();
    await stage.run(listener.close(), "to close");
    const again = await stage.run(suite.driver.listen(address, (socket) => stage.track(socket), listenTls(suite)), "to listen");
    assertEquals(again.address, address);
    // It is not the first one's any more.
    await stage.run(listener.close(), "to close again");
    await stage.connect(again.address);
    await again.close();
  });

  if (suite.realNetwork ?? true) {
    socketCase(suite, "SocketDriver.listen() on ::1 has no brackets in its addresses", async (stage) => {
      const listener = await stage.listen({}, "::1");
      const client = await stage.connect(listener.address);
      const server = await listener.next();
      assertEquals([listener.address.host, client.socket.localAddress.host, server.socket.remoteAddress.host], [
        "::1",
        "::1",
        "::1",
      ]);
    }, { skip: noIpv6 });

    socketCase(suite, "SocketDriver.listen() on :: shows an IPv4 peer by its IPv4 address", async (stage) => {
      const listener = await stage.listen({}, "::");
      const client = await stage.connect({ host: "127.0.0.1", port: listener.address.port });
      const server = await listener.next();
      assertEquals(server.socket.remoteAddress, client.socket.localAddress);
      assertEquals(server.socket.localAddress.host, "127.0.0.1");
    }, { skip: noIpv6 });
  }
}

/** A port where nobody listens. One that was just closed may be given to another process at once. */
const NOBODY = 1;

function failureCases(suite: SocketSuiteOptions): void {
  socketCase(suite, "SocketDriver.connect() to a port where nobody listens is CONNECTION_REFUSED", async (stage) => {
    const { address: { host } } = await stage.listen();
    const address = { host, port: NOBODY };
    const error = await connectError(stage, address);
    assertEquals(error.socketCode, "CONNECTION_REFUSED");
    assertEquals(error.message, `Cannot connect to ${address.host}:${address.port}: connection refused`);
    if (suite.realNetwork ?? true) assert(error.cause instanceof Error);
  });

  socketCase(suite, "SocketDriver.connect() to port 0, where nobody can listen, is CONNECTION_REFUSED", async (stage) => {
    const { address: { host } } = await stage.listen();
    const error = await connectError(stage, { host, port: 0 });
    assertEquals([error.socketCode, error.message], ["CONNECTION_REFUSED", `Cannot connect to ${host}:0: connection refused`]);
  });

  socketCase(suite, "SocketDriver.listen() on a port in use is ADDRESS_IN_USE", async (stage) => {
    const { address } = await stage.listen();
    const error = await listenError(stage, address);
    assertEquals(error.socketCode, "ADDRESS_IN_USE");
    assertEquals(error.message, `Cannot listen on ${address.host}:${address.port}: address already in use`);
  });

  for (const port of [-1, 65_536, 1.5, NaN]) {
    socketCase(suite, `SocketDriver refuses the port ${port}`, async (stage) => {
      const address = { host: stage.host, port };
      await assertRejects(() => stage.dialler.connect(address, (socket) => stage.track(socket)), RangeError, `${port}`);
      await assertRejects(() => suite.driver.listen(address, (socket) => stage.track(socket)), RangeError, `${port}`);
    });
  }

  if (suite.realNetwork === false) return;

  // A label of more than 63 characters fits in no DNS query: the answer does not depend on a network.
  socketCase(suite, "SocketDriver.connect() to a name that does not exist is HOST_NOT_FOUND", async (stage) => {
    for (const host of [`${"x".repeat(64)}.invalid`, "no such host"]) {
      assertEquals((await connectError(stage, { host, port: 7077 })).socketCode, "HOST_NOT_FOUND");
    }
  });

  socketCase(suite, "SocketDriver.listen() on an address of another machine is ADDRESS_NOT_AVAILABLE", async (stage) => {
    assertEquals((await listenError(stage, { host: "203.0.113.1", port: 0 })).socketCode, "ADDRESS_NOT_AVAILABLE");
  });

  socketCase(suite, "SocketDriver.listen() on a name that does not exist is HOST_NOT_FOUND", async (stage) => {
    assertEquals((await listenError(stage, { host: `${"x".repeat(64)}.invalid`, port: 0 })).socketCode, "HOST_NOT_FOUND");
  });

  socketCase(suite, "SocketDriver refuses options that are out of range", async (stage) => {
    const address = { host: stage.host, port: 0 };
    for (const options of [{ highWaterMarkBytes: 0 }, { maxQueuedBytes: -1 }, { highWaterMarkBytes: NaN }]) {
      await assertRejects(() => stage.dialler.connect(address, (socket) => stage.track(socket), options), RangeError);
      await assertRejects(() => suite.driver.listen(address, (socket) => stage.track(socket), options), RangeError);
    }
    await assertRejects(() => stage.dialler.connect({ host: "", port: 1 }, (socket) => stage.track(socket)), TypeError);
  });
}

function signalCases(suite: SocketSuiteOptions): void {
  const reason = new Error("given up");

  socketCase(suite, "SocketDriver.connect() with an aborted signal rejects with its reason", async (stage) => {
    const { address, accepted } = await stage.listen();
    const thrown = await rejection(stage, address, { signal: AbortSignal.abort(reason) });
    assertStrictEquals(thrown, reason);
    await stage.letPass();
    assertEquals(accepted, []);
  });

  socketCase(
    suite,
    "SocketDriver.connect() rejects with signal.reason and attaches nothing when aborted meanwhile",
    async (stage) => {
      const listener = await stage.listen();
      const controller = new AbortController();
      const rejected = rejection(stage, listener.address, { signal: controller.signal });
      controller.abort(reason);
      assertStrictEquals(await rejected, reason);
      // Whether or not the listener has seen it, no connection is left behind.
      const client = await stage.connect(listener.address);
      client.send(1);
      await stage.letPass();
      for (const peer of listener.accepted) {
        if (peer.socket.remoteAddress.port === client.socket.localAddress.port) continue;
        await stage.until(peer, "to be cut off", () => peer.hasEnded || peer.isClosed);
      }
    },
  );

  if (suite.realNetwork ?? true) {
    socketCase(suite, "SocketDriver.connect() that is aborted as it succeeds leaves no connection behind", abortedAsItSucceeds);
  }

  socketCase(suite, "SocketDriver.connect() is done with the signal once it is connected or has failed", async (stage) => {
    const listening = await stage.listen({ hooks: { onData: (peer, chunk) => void peer.send(chunk.length) } });
    const { address } = listening;
    const controller = new AbortController();
    const { signal } = controller;
    let listeners = 0;
    signal.addEventListener = (...args: Parameters<EventTarget["addEventListener"]>) => {
      listeners++;
      EventTarget.prototype.addEventListener.apply(signal, args);
    };
    signal.removeEventListener = (...args: Parameters<EventTarget["removeEventListener"]>) => {
      listeners--;
      EventTarget.prototype.removeEventListener.apply(signal, args);
    };
    const client = await stage.connect(address, { options: { signal } });
    assertEquals(listeners, 0);
    await listening.next();
    assert(await rejection(stage, { ...address, port: NOBODY }, { signal }) instanceof SocketError);
    assertEquals(listeners, 0);
    controller.abort();
    client.send(10);
    await stage.until(client, "the echo", () => client.receivedBytes === 10);
  });
}

/** Each time both the connection and the moment to give up have come before a busy runtime looks at either. */
async function abortedAsItSucceeds(stage: Stage): Promise<void> {
  const reason = new Error("given up");
  const listener = await stage.listen();
  const clients: Peer[] = [];
  for (let i = 0; i < 20; i++) {
    const controller = new AbortController();
    const connected = clients.length;
    const dialled = stage.dial(listener.address, (socket) => {
      const client = stage.track(socket);
      clients.push(client);
      return client;
    }, { signal: controller.signal });
    systemClock.setTimer(0, () => controller.abort(reason));
    for (const start = systemClock.now(); systemClock.now() - start < 2;);
    const thrown = await stage.run(dialled.then(() => undefined, (error) => error), "to connect or to fail");
    assertStrictEquals(thrown, clients.length > connected ? undefined : reason);
  }
  const last = await stage.connect(listener.address);
  clients.push(last);
  const ports = new Set(clients.map(({ socket }) => socket.localAddress.port));
  // Over TLS nobody is heard of who has left in the midst of the handshake.
  for (let port = 0; port !== last.socket.localAddress.port;) {
    const server = await listener.next();
    port = server.socket.remoteAddress.port;
    if (!ports.has(port)) await stage.until(server, "to be cut off", () => server.hasEnded || server.isClosed);
  }
}

/** What a connect rejects with. */
async function rejection(stage: Stage, address: SocketAddress, options: ConnectOptions = {}): Promise<unknown> {
  let attached = 0;
  const dialled = stage.dial(address, (socket) => {
    attached++;
    return stage.track(socket);
  }, options);
  const thrown = await stage.run(dialled.then(() => undefined, (error) => error), "the connect to fail");
  assertEquals(attached, 0);
  return thrown;
}

async function connectError(stage: Stage, address: SocketAddress): Promise<SocketError & { socketCode: SocketErrorCode }> {
  const thrown = await rejection(stage, address);
  assert(thrown instanceof SocketError, `connect rejected with ${thrown}`);
  return thrown;
}

function listenTls({ tls }: SocketSuiteOptions): ConnectOptions {
  return tls === undefined ? {} : { tls: tls.listen };
}

async function listenError(stage: Stage, address: SocketAddress): Promise<SocketError> {
  const listening = stage.suite.driver.listen(address, (socket) => stage.track(socket), listenTls(stage.suite));
  return await assertRejects(() => stage.run(listening, "listen to fail"), SocketError);
}
