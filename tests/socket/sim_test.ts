import { assert, assertEquals, assertRejects, assertStrictEquals, assertStringIncludes } from "@std/assert";
import { AssertionError } from "../../src/base/assert.ts";
import { SimulatedNetwork } from "../../src/socket/sim.ts";
import type { Socket } from "../../src/socket/socket.ts";
import { SocketError } from "../../src/socket/socket.ts";
import { test } from "../_harness.ts";
import { connectPair, Recorder, streamBytes } from "./_sim_peers.ts";

async function connectError(network: SimulatedNetwork, host: string, port: number, signal?: AbortSignal): Promise<string> {
  const attempt = network.driver("client").connect(
    { host, port },
    new Recorder().attach,
    signal === undefined ? {} : { signal },
  );
  const error = await assertRejects(() => network.settle(attempt), SocketError);
  return error.socketCode;
}

async function listenError(network: SimulatedNetwork, host: string, port: number): Promise<string> {
  const attempt = network.driver("server").listen({ host, port }, new Recorder().attach);
  return (await assertRejects(() => attempt, SocketError)).socketCode;
}

test("SimulatedHost.driver chooses the same free ports each time and refuses those in use", async () => {
  const network = new SimulatedNetwork({ seed: 1 });
  const { driver } = network.host("server");
  const { attach } = new Recorder();
  const fixed = await driver.listen({ host: "0.0.0.0", port: 49_153 }, attach);
  const chosen = [
    await driver.listen({ host: "server", port: 0 }, attach),
    await driver.listen({ host: "::1", port: 0 }, attach),
  ];
  assertEquals(chosen.map((listener) => listener.address), [{ host: "server", port: 49_152 }, { host: "::1", port: 49_154 }]);
  assertEquals(await listenError(network, "server", 49_153), "ADDRESS_IN_USE");
  assertEquals(await listenError(network, "elsewhere", 0), "ADDRESS_NOT_AVAILABLE");
  await fixed.close();
  await fixed.close();
  const again = await driver.listen({ host: "server", port: 49_153 }, attach);
  assertEquals(network.listenerCount, 3);
  for (const listener of [again, ...chosen]) await listener[Symbol.asyncDispose]();
  assertEquals(network.listenerCount, 0);
});

test("SimulatedHost.driver connects by own name, by wildcard and by loopback, as bound", async () => {
  const network = new SimulatedNetwork({ seed: 1 });
  const { driver } = network.host("client");
  for (
    const [bound, dialled, works] of [
      ["0.0.0.0", "client", true],
      ["::", "127.0.0.1", true],
      ["localhost", "::1", true],
      ["127.0.0.1", "localhost", true],
      ["127.0.0.1", "::1", false],
      ["127.0.0.1", "client", false],
      ["client", "localhost", false],
    ] as const
  ) {
    const accepted = new Recorder();
    const listener = await driver.listen({ host: bound, port: 0 }, accepted.attach);
    const { port } = listener.address;
    if (works) {
      const socket = await network.settle(driver.connect({ host: dialled, port }, new Recorder().attach));
      assertEquals(socket.remoteAddress, { host: dialled, port });
      assertEquals(accepted.socket!.localAddress, socket.remoteAddress);
      assertEquals(accepted.socket!.remoteAddress, socket.localAddress);
      socket.abort();
    } else {
      assertEquals(await connectError(network, dialled, port), "CONNECTION_REFUSED");
    }
    await listener.close();
  }
  await network.run();
  assertEquals(network.openSocketCount, 0);
});

test("SimulatedHost.driver refuses a connect where there is no host, nobody listens, or TLS is not on both sides", async () => {
  const network = new SimulatedNetwork({ seed: 1 });
  assertEquals(await connectError(network, "nowhere", 1), "HOST_NOT_FOUND");
  const { address } = await network.driver("server").listen({ host: "server", port: 0 }, new Recorder().attach, { tls: {} });
  assertEquals(await connectError(network, "server", address.port + 1), "CONNECTION_REFUSED");
  assertEquals(await connectError(network, "server", address.port), "TLS");
  const secure = await network.settle(network.driver("client").connect(address, new Recorder().attach, { tls: {} }));
  assertEquals(secure.secure, true);
  await assertRejects(() => network.driver("client").connect({ host: "server", port: -1 }, new Recorder().attach), RangeError);
});

test("SimulatedHost.driver gives a connect up by its signal, before, during and after", async () => {
  const network = new SimulatedNetwork({ seed: 1, faults: { delayMinMs: 50 } });
  const server = new Recorder();
  const { address } = await network.driver("server").listen({ host: "server", port: 0 }, server.attach);
  const reason = new Error("changed my mind");
  const client = network.host("client");
  const never = () => {
    throw new Error("attach was called");
  };
  const dead = AbortSignal.abort(reason);
  assertStrictEquals(await client.driver.connect(address, never, { signal: dead }).catch((e: unknown) => e), reason);
  const controller = new AbortController();
  const attempt = client.driver.connect(address, never, { signal: controller.signal });
  client.clock.setTimer(75, () => controller.abort(reason));
  assertStrictEquals(await network.settle(attempt).catch((e: unknown) => e), reason);
  assertEquals(network.clock.now(), 75);
  await network.run();
  assertEquals(server.log, ["close CONNECTION_RESET"]);
  const late = new AbortController();
  const recorder = new Recorder();
  const established = client.driver.connect(address, recorder.attach, { signal: late.signal });
  const socket = await network.settle(established);
  late.abort(reason);
  socket.write([new Uint8Array(3)]);
  await network.run(() => server.log.includes("data 3"));
  assertEquals(recorder.log, []);
});

test("SimulatedHost.driver takes its listener off the signal, however a connect ends", async () => {
  const network = new SimulatedNetwork({ seed: 1 });
  const { address } = await network.driver("server").listen({ host: "server", port: 0 }, new Recorder().attach);
  const { signal } = new AbortController();
  let listeners = 0;
  const spied = Object.assign(signal, {
    addEventListener: () => void listeners++,
    removeEventListener: () => void listeners--,
  });
  const connecting = network.driver("client").connect(address, new Recorder().attach, { signal: spied });
  assertEquals(listeners, 1);
  await network.settle(connecting);
  assertEquals(listeners, 0);
  assertEquals(await connectError(network, "nowhere", 1, spied), "HOST_NOT_FOUND");
  assertEquals(listeners, 0);
});

test("SimulatedHost.driver frees the port of a connection that has closed or failed", async () => {
  const network = new SimulatedNetwork({ seed: 1 });
  const { near } = await connectPair(network);
  const { driver } = network.host("client");
  const listen = async (port: number) => await (await driver.listen({ host: "client", port }, new Recorder().attach)).close();
  const { port } = near.localAddress;
  await assertRejects(() => listen(port), SocketError, "address already in use");
  near.abort();
  await listen(port);
  assertEquals(await connectError(network, "server", 1), "CONNECTION_REFUSED");
  await listen(port + 1);
});

test("SimulatedSocket keeps the order of callbacks through data, half-close and close", async () => {
  const network = new SimulatedNetwork({ seed: 1, faults: { delayMinMs: 5 } });
  const { client, server, near, far } = await connectPair(network);
  server.onEnded = (socket) => {
    socket.write([streamBytes(2, 0, 4)]);
    socket.shutdown();
    assertEquals(socket.write([new Uint8Array(1)]), false);
  };
  assertEquals(near.write([streamBytes(1, 0, 3), new Uint8Array(0), streamBytes(1, 3, 5)]), true);
  assertEquals(near.queuedBytes, 5);
  near.shutdown();
  await network.run();
  assertEquals([server.log, client.log], [["data 5", "end", "close"], ["data 4", "end", "close"]]);
  assertEquals([server.bytes, client.bytes], [[...streamBytes(1, 0, 5)], [...streamBytes(2, 0, 4)]]);
  await Promise.all([near.closed, far.closed]);
  assertEquals([near.write([new Uint8Array(1)]), near.queuedBytes, network.openSocketCount], [false, 0, 0]);
});

test("SimulatedSocket sends what an event wrote as one run, in the order of the sockets' numbers", async () => {
  const network = new SimulatedNetwork({ seed: 1 });
  const first = await connectPair(network);
  const second = await connectPair(network);
  const before = network.trace.count;
  network.clock.schedule(1, () => {
    second.near.write([new Uint8Array(1)]);
    first.near.write([new Uint8Array(2)]);
    network.clock.soon(() => first.near.write([new Uint8Array(3)]));
  });
  await network.run();
  const lines = network.trace.tail.slice(before - network.trace.count);
  assertEquals(lines.filter((line) => line.includes(" sends ")).map((line) => line.split(" ").at(-2)), ["5", "1"]);
  assertEquals([first.server.log, second.server.log], [["data 5"], ["data 1"]]);
});

test("SimulatedSocket decides nothing inside write(): how an event writes its bytes leaves no trace", async () => {
  const hashes = new Set<string>();
  for (const sizes of [[60], [1, 59], [20, 20, 20], [0, 59, 1]]) {
    const faults = { delayMinMs: 1, delayMeanMs: 9, splitProbability: 0.7, mergeProbability: 0.5 };
    const network = new SimulatedNetwork({ seed: 11, faults });
    const { server, near } = await connectPair(network);
    let written = 0;
    const writeNext = () => {
      const size = sizes[written++];
      if (size === undefined) return;
      const start = sizes.slice(0, written - 1).reduce((sum, other) => sum + other, 0);
      near.write([streamBytes(1, start, start + size)]);
      network.clock.soon(writeNext);
    };
    network.clock.schedule(1, writeNext);
    await network.run();
    assertEquals(server.bytes, [...streamBytes(1, 0, 60)]);
    hashes.add(network.trace.hash);
  }
  assertEquals(hashes.size, 1);
});

test("SimulatedSocket.abort() drops the queue, calls onClose in a microtask and resets the peer", async () => {
  const network = new SimulatedNetwork({ seed: 1, faults: { delayMinMs: 5 } });
  const { client, server, near } = await connectPair(network);
  near.write([streamBytes(1, 0, 3)]);
  await network.advance(5);
  const reason = new Error("enough");
  near.write([streamBytes(1, 3, 100)]);
  near.abort(reason);
  near.abort(new Error("again"));
  assertEquals([client.log, near.queuedBytes], [[], 0]);
  await near.closed;
  assertEquals(client.log, ["close ABORTED"]);
  assertStrictEquals(client.error!.cause, reason);
  await network.run();
  assertEquals(server.log, ["data 3", "close CONNECTION_RESET"]);
});

test("SimulatedSocket aborts alone where a handler throws", async () => {
  const network = new SimulatedNetwork({ seed: 1 });
  const [broken, other] = [await connectPair(network), await connectPair(network)];
  const bug = new Error("bug");
  broken.server.onBytes = () => {
    throw bug;
  };
  for (const { near } of [broken, other]) near.write([new Uint8Array(2)]);
  await network.run();
  assertEquals(broken.server.log, ["data 2", "close ABORTED"]);
  assertStrictEquals(broken.server.error!.cause, bug);
  assertEquals([broken.client.log, other.server.log], [["close CONNECTION_RESET"], ["data 2"]]);
});

test("SimulatedSocket.pause() holds data and FIN back until resume()", async () => {
  const network = new SimulatedNetwork({ seed: 1, bufferBytes: 100 });
  const { server, near, far } = await connectPair(network);
  far.pause();
  near.write([streamBytes(1, 0, 250)]);
  near.shutdown();
  await network.run();
  assertEquals([server.log, near.queuedBytes], [[], 150]);
  server.onBytes = (socket) => socket.pause();
  far.resume();
  await network.run();
  assertEquals([server.log, near.queuedBytes], [["data 100"], 50]);
  server.onBytes = () => {};
  far.resume();
  await network.run();
  assertEquals(server.log, ["data 100", "data 100", "data 50", "end"]);
  assertEquals(server.bytes, [...streamBytes(1, 0, 250)]);
});

test("SimulatedSocket.write() returns false from the mark on, and onDrain follows below half of it", async () => {
  const network = new SimulatedNetwork({ seed: 1, bufferBytes: 10 });
  const { client, server, near, far } = await connectPair(network, { highWaterMarkBytes: 100 });
  far.pause();
  assertEquals([near.write([new Uint8Array(99)]), near.write([new Uint8Array(1)])], [true, false]);
  await network.run();
  assertEquals([near.queuedBytes, client.log], [90, []]);
  let queuedAtDrain = -1;
  client.onDrained = (socket) => queuedAtDrain = socket.queuedBytes;
  far.resume();
  await network.run();
  assertEquals([client.log, server.bytes.length], [["drain"], 100]);
  assert(queuedAtDrain < 50);
});

test("SimulatedSocket owes onDrain also if more is written before it could come", async () => {
  const network = new SimulatedNetwork({ seed: 1, bufferBytes: 100 });
  const { client, near, far } = await connectPair(network, { highWaterMarkBytes: 100 });
  far.pause();
  network.clock.schedule(0, () => assertEquals(near.write([new Uint8Array(100)]), false));
  network.clock.schedule(0, () => assertEquals(near.write([new Uint8Array(60)]), true));
  await network.run();
  assertEquals([near.queuedBytes, client.log], [60, []]);
  far.resume();
  await network.run();
  assertEquals([near.queuedBytes, client.log], [0, ["drain"]]);
});

test("SimulatedSocket.write() above maxQueuedBytes aborts with QUEUE_OVERFLOW", async () => {
  const network = new SimulatedNetwork({ seed: 1 });
  const { client, server, near } = await connectPair(network, { highWaterMarkBytes: 100, maxQueuedBytes: 200 });
  assertEquals(near.write([new Uint8Array(200)]), false);
  assertEquals(near.write([new Uint8Array(1)]), false);
  await network.run();
  assertEquals([client.log, server.log], [["close QUEUE_OVERFLOW"], ["close CONNECTION_RESET"]]);
});

test("SimulatedSocket spoils borrowed memory when onData returns", async () => {
  const network = new SimulatedNetwork({ seed: 1 });
  const { server, near } = await connectPair(network);
  const kept: Uint8Array[] = [];
  server.onBytes = (_, chunk) => {
    assertEquals(chunk, streamBytes(1, 0, 3));
    kept.push(chunk);
  };
  near.write([streamBytes(1, 0, 3)]);
  await network.run();
  assertEquals(kept, [Uint8Array.of(0xee, 0xee, 0xee)]);
  assert(kept[0]!.byteOffset > 0, "Whoever takes the buffer for the chunk is found out");
});

test("SimulatedSocket reads into the memory of allocate(), and leaves it alone afterwards", async () => {
  const network = new SimulatedNetwork({ seed: 1 });
  const { driver } = network.host("server");
  const memory = new Uint8Array(8).fill(1);
  const chunks: [Uint8Array, boolean][] = [];
  let asked = 0;
  const recorder = new Recorder();
  const listener = await driver.listen({ host: "server", port: 0 }, () => ({
    allocate: () => ++asked === 1 ? memory.subarray(2, 6) : undefined,
    onData: (_: Socket, chunk: Uint8Array, owned: boolean) => chunks.push([chunk, owned]),
    onDrain: () => {},
    onEnd: () => {},
    onClose: () => {},
  }));
  const socket = await network.settle(network.driver("client").connect(listener.address, recorder.attach));
  assertEquals([asked, [...memory]], [1, [1, 1, 0xee, 0xee, 0xee, 0xee, 1, 1]]);
  socket.write([streamBytes(1, 0, 6)]);
  await network.run();
  assertEquals([...memory], [1, 1, ...streamBytes(1, 0, 4), 1, 1]);
  assertStrictEquals(chunks[0]![0].buffer, memory.buffer);
  assertEquals(chunks.map(([chunk, owned]) => [chunk.length, owned]), [[4, true], [2, false]]);
});

test("SimulatedSocket finds memory of allocate() that was changed while it was reserved", async () => {
  const network = new SimulatedNetwork({ seed: 1 });
  const memory = new Uint8Array(16);
  const recorder = Object.assign(new Recorder(), { allocate: () => memory });
  const listener = await network.driver("server").listen({ host: "server", port: 0 }, recorder.attach);
  const socket = await network.settle(network.driver("client").connect(listener.address, new Recorder().attach));
  memory[1] = 7;
  socket.write([new Uint8Array(4)]);
  const error = await assertRejects(() => network.run(), AssertionError);
  assertStringIncludes(error.message, "Memory given by allocate() was changed while it was reserved: byte 1");
});

test("SimulatedSocket finds memory of a write that was reused too early", async () => {
  const network = new SimulatedNetwork({ seed: 77, bufferBytes: 10 });
  const { near, far } = await connectPair(network);
  const memory = streamBytes(1, 0, 30);
  far.pause();
  near.write([memory]);
  await network.run();
  assertEquals(near.queuedBytes, 20);
  memory[9] = 99;
  far.resume();
  await network.run(() => near.queuedBytes === 10);
  memory[29] = 99;
  const error = await assertRejects(() => network.run(), AssertionError);
  assertStringIncludes(error.message, "Memory was changed before it had left the queue: byte 29 of a write of 30");
  assertStringIncludes(error.message, "Seed 77");
  assertStringIncludes(error.message, "client:49152 > server:49152 sends 10");
});

test("SimulatedSocket lets memory be reused once the bytes have left queuedBytes", async () => {
  const network = new SimulatedNetwork({ seed: 1, faults: { delayMinMs: 5 } });
  const { server, near } = await connectPair(network);
  const memory = new Uint8Array(10);
  for (let round = 0; round < 3; round++) {
    memory.set(streamBytes(1, round * 10, round * 10 + 10));
    near.write([memory]);
    await network.run(() => near.queuedBytes === 0);
  }
  await network.run();
  assertEquals(server.bytes, [...streamBytes(1, 0, 30)]);
});

test("SimulatedNetwork.run() says seed, hash and last events when it is stuck", async () => {
  const network = new SimulatedNetwork({ seed: 5 });
  const { near } = await connectPair(network);
  for (let i = 0; i < 60; i++) {
    near.write([new Uint8Array(i + 1)]);
    await network.run();
  }
  const error = await assertRejects(() => network.run(() => false), AssertionError);
  const [first, second, ...tail] = error.message.split("\n");
  assertEquals(first, "Simulation is stuck at 0 ms: no event is left and the condition does not hold");
  assertEquals(second, `Seed 5, trace ${network.trace.hash} of ${network.trace.count} events at 0 ms, the last ones:`);
  assertEquals([tail.length, tail.at(-1)], [50, "       0.000 ms  server:49152 > client:49152 reads 60"]);
});
