import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { SimulatedNetwork } from "../../src/socket/sim.ts";
import type { SimulatedFaults } from "../../src/socket/sim.ts";
import { SocketError } from "../../src/socket/socket.ts";
import { test } from "../_harness.ts";
import { connectPair, Recorder, streamBytes } from "./_sim_peers.ts";

/** How long each of 200 writes was under way, with nothing else in the network. */
async function delaysOf(faults: SimulatedFaults): Promise<number[]> {
  const network = new SimulatedNetwork({ seed: 3, faults });
  const { server, near } = await connectPair(network);
  const delays: number[] = [];
  for (let i = 0; i < 200; i++) {
    const sentMs = network.clock.now();
    server.bytes.length = 0;
    near.write([new Uint8Array(1)]);
    await network.run(() => server.bytes.length === 1);
    delays.push(network.clock.now() - sentMs);
  }
  return delays;
}

test("SimulatedFaults.delayMinMs and delayMeanMs are the least and the mean time under way", async () => {
  const fixed = await delaysOf({ delayMinMs: 4 });
  assertEquals([Math.min(...fixed), Math.max(...fixed)], [4, 4]);
  const drawn = await delaysOf({ delayMinMs: 4, delayMeanMs: 14 });
  const mean = drawn.reduce((sum, delay) => sum + delay, 0) / drawn.length;
  assert(Math.min(...drawn) >= 4 && Math.max(...drawn) <= 54.001 && Math.max(...drawn) > 30);
  assert(mean > 11 && mean < 17, `mean ${mean}`);
});

test("SimulatedFaults.connectionDelayMs lets a later write overtake an earlier one of another connection", async () => {
  const network = new SimulatedNetwork({ seed: 1, faults: { connectionDelayMs: 100 } });
  const pairs = [
    await connectPair(network),
    await connectPair(network),
    await connectPair(network),
    await connectPair(network),
  ];
  const arrived: number[] = [];
  for (const [index, { server, near }] of pairs.entries()) {
    server.onBytes = () => arrived.push(index);
    near.write([new Uint8Array(1)]);
  }
  await network.run();
  assertEquals([...arrived].sort(), [0, 1, 2, 3]);
  assert(arrived.join() !== "0,1,2,3", "All arrived in the order of sending");
});

test("SimulatedFaults.splitProbability cuts runs at many places", async () => {
  const network = new SimulatedNetwork({ seed: 1, faults: { splitProbability: 1 } });
  const { server, near } = await connectPair(network);
  const firstSizes = new Set<string>();
  for (let i = 0; i < 100; i++) {
    server.log.length = 0;
    near.write([streamBytes(1, i * 20, i * 20 + 20)]);
    await network.run();
    assert(server.log.length >= 2 && server.log.length <= 4);
    firstSizes.add(server.log[0]!);
  }
  assert(firstSizes.size >= 10, `Only ${firstSizes.size} places`);
  assertEquals(server.bytes, [...streamBytes(1, 0, 2000)]);
});

test("SimulatedFaults.mergeProbability lets one read have what two events wrote", async () => {
  const network = new SimulatedNetwork({ seed: 1, faults: { mergeProbability: 1, delayMinMs: 10 } });
  const { server, near } = await connectPair(network);
  for (let i = 0; i < 5; i++) network.clock.schedule(i, () => near.write([streamBytes(1, i, i + 1)]));
  await network.run();
  assertEquals([server.log, server.bytes], [["data 5"], [...streamBytes(1, 0, 5)]]);
});

test("SimulatedFaults.slowReaderProbability lets a reader take little at a time, and backs its peer up", async () => {
  const faults = { slowReaderProbability: 1, slowReadBytes: 10, slowReadMs: 7 };
  const network = new SimulatedNetwork({ seed: 1, faults, bufferBytes: 20 });
  const { server, near } = await connectPair(network);
  near.write([streamBytes(1, 0, 45)]);
  await network.advance(8);
  assertEquals([server.log, near.queuedBytes], [["data 10", "data 10"], 5]);
  await network.run();
  assertEquals([server.log.length, server.bytes], [5, [...streamBytes(1, 0, 45)]]);
});

test("SimulatedFaults.refuseProbability refuses a connect although somebody listens", async () => {
  const network = new SimulatedNetwork({ seed: 1, faults: { refuseProbability: 1 } });
  const error = await assertRejects(() => connectPair(network), SocketError);
  assertEquals([error.socketCode, network.openSocketCount], ["CONNECTION_REFUSED", 0]);
});

test("SimulatedFaults.resetProbability cuts a connection off at any byte, for both ends", async () => {
  const lengths = new Set<number>();
  for (let seed = 0; seed < 100; seed++) {
    const network = new SimulatedNetwork({ seed, faults: { resetProbability: 1, delayMinMs: 1 } });
    const { client, server, near } = await connectPair(network);
    near.write([streamBytes(1, 0, 6)]);
    await network.run();
    assertEquals([client.log.at(-1), server.log.at(-1)], ["close CONNECTION_RESET", "close CONNECTION_RESET"]);
    assertEquals(server.bytes, [...streamBytes(1, 0, server.bytes.length)]);
    assertEquals(network.openSocketCount, 0);
    lengths.add(server.bytes.length);
  }
  assertEquals([...lengths].sort(), [0, 1, 2, 3, 4, 5, 6]);
});

test("SimulatedFaults.finProbability ends a stream at any byte while its sender knows nothing", async () => {
  const network = new SimulatedNetwork({ seed: 2, faults: { finProbability: 1 } });
  const { client, server, near, far } = await connectPair(network);
  near.write([streamBytes(1, 0, 50)]);
  await network.run();
  assertEquals([server.log.at(-1), client.log], ["end", []]);
  assert(server.bytes.length < 50);
  near.write([streamBytes(1, 50, 100_000)]);
  await network.run();
  assertEquals([near.queuedBytes, server.log.at(-1), client.log.at(-1)], [0, "end", "drain"]);
  far.shutdown();
  await network.run();
  assertEquals([server.log.at(-1), client.log.at(-1)], ["close", "end"]);
  near.write([new Uint8Array(1)]);
  await network.run();
  assertEquals(client.log.at(-1), "close CONNECTION_RESET");
  assertEquals(network.openSocketCount, 0);
});

test("SimulatedFaults.silenceProbability lets a connection die, which only its sender learns, and late", async () => {
  const network = new SimulatedNetwork({ seed: 1, faults: { silenceProbability: 1 }, retransmitTimeoutMs: 60_000 });
  const { client, server, near } = await connectPair(network);
  near.write([new Uint8Array(100_000)]);
  await network.run();
  assertEquals([client.log, client.error?.socketCode, server.log], [["close TIMED_OUT"], "TIMED_OUT", []]);
  assertEquals([network.clock.now(), network.openSocketCount], [60_000, 1]);
  network.heal();
  await network.run();
  assertEquals([server.log, network.openSocketCount], [["close CONNECTION_RESET"], 0]);
});

test("SimulatedHost.silence() cuts a host off, and SimulatedNetwork.heal() resets what hung", async () => {
  const faults = { delayMinMs: 10 };
  const network = new SimulatedNetwork({ seed: 1, faults, connectTimeoutMs: 5_000 });
  const { client, server, near } = await connectPair(network);
  const listener = await network.driver("server").listen({ host: "server", port: 0 }, new Recorder().attach);
  near.write([streamBytes(1, 0, 3)]);
  await network.advance(5);
  network.host("server").silence();
  const attempt = network.driver("client").connect(listener.address, new Recorder().attach);
  const error = await assertRejects(() => network.settle(attempt), SocketError);
  assertEquals([error.socketCode, network.clock.now(), server.log], ["TIMED_OUT", 5_025, []]);
  near.write([streamBytes(1, 3, 6)]);
  await network.advance(5);
  network.heal();
  await network.run();
  assertEquals([client.log, server.log], [["close CONNECTION_RESET"], ["close CONNECTION_RESET"]]);
  await network.settle(network.driver("client").connect(listener.address, new Recorder().attach));
});

test("SimulatedNetwork.heal() never joins what came after a gap to what came before it", async () => {
  const network = new SimulatedNetwork({ seed: 1, faults: { delayMinMs: 10 } });
  const { server, near } = await connectPair(network);
  const startMs = network.clock.now();
  for (const atMs of [0, 4, 8]) network.clock.schedule(atMs, () => near.write([streamBytes(1, atMs, atMs + 4)]));
  network.clock.schedule(12, () => network.host("server").silence());
  network.clock.schedule(16, () => network.heal());
  await network.run();
  assertEquals([server.log, server.bytes], [["data 4", "close CONNECTION_RESET"], [...streamBytes(1, 0, 4)]]);
  assert(network.clock.now() >= startMs + 18, "The third write was still under way when the network was healed");
});

test("SimulatedFaults.freezeProbability lets a host stand still", async () => {
  const frozen = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    const network = new SimulatedNetwork({ seed, faults: { freezeProbability: 1, freezeMs: 500 } });
    const { server, near } = await connectPair(network);
    near.write([new Uint8Array(1)]);
    await network.run(() => network.trace.tail.some((line) => line.includes("freezes")));
    for (const name of ["client", "server"]) if (network.host(name).clock.frozen) frozen.add(name);
    const waitsMs = network.host("server").clock.frozen ? 500 : 0;
    await network.run(() => server.bytes.length === 1);
    assertEquals(network.clock.now(), waitsMs);
  }
  assertEquals([...frozen].sort(), ["client", "server"]);
});

test("SimulatedFaults.clockJumpProbability moves the clock of a host ahead of the other's", async () => {
  const network = new SimulatedNetwork({ seed: 1, faults: { clockJumpProbability: 1, clockJumpMs: 5_000 } });
  const { near } = await connectPair(network);
  near.write([new Uint8Array(1)]);
  await network.run();
  const times = ["client", "server"].map((name) => network.host(name).clock.now());
  assertEquals([times.sort((a, b) => a - b), network.clock.now()], [[0, 5_000], 0]);
});

test("SimulatedNetwork refuses faults that make no sense", () => {
  for (
    const faults of [{ splitProbability: 1.5 }, { delayMinMs: -1 }, { resetProbability: NaN }, { slowReadBytes: 0.5 }]
  ) {
    assertThrows(() => new SimulatedNetwork({ seed: 1, faults }), RangeError);
  }
  assertThrows(() => new SimulatedNetwork({ seed: 1, bufferBytes: 0 }), RangeError);
});

test("SimulatedNetwork.heal() leaves connections alone that were well, and lets a frozen host go on", async () => {
  const network = new SimulatedNetwork({ seed: 1 });
  const { client, server, near } = await connectPair(network);
  network.host("server").freeze(1_000_000);
  near.write([new Uint8Array(5)]);
  await network.advance(100);
  assertEquals(server.log, []);
  network.heal();
  await network.advance(100);
  assertEquals([server.log, client.log], [["data 5"], []]);
});

test("SimulatedHost.silence() is learnt by who has sent before and was not read", async () => {
  const network = new SimulatedNetwork({ seed: 1, retransmitTimeoutMs: 60_000 });
  const { client, server, near, far } = await connectPair(network);
  far.pause();
  near.write([new Uint8Array(5)]);
  await network.advance(100);
  network.host("server").silence();
  await network.advance(60_001);
  assertEquals([client.log, server.log], [["close TIMED_OUT"], []]);
});
