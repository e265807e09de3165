import { assertEquals, assertInstanceOf } from "@std/assert";
import { RpcOverloadedError } from "../../src/base/errors.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { SparkConf } from "../../src/base/spark_conf.ts";
import { BytesManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import type { StreamCallback, StreamFlow } from "../../src/protocol/stream_callback.ts";
import type { RpcCallContext } from "../../src/rpc/rpc_call_context.ts";
import { RpcEnv } from "../../src/rpc/rpc_env.ts";
import type { SimulatedWorld } from "../../src/rpc/simulated_world.ts";
import { noOpRpcHandler, type RpcHandler } from "../../src/transport/rpc_handler.ts";
import type { StreamManager } from "../../src/transport/stream_manager.ts";
import { TransportConf } from "../../src/transport/transport_conf.ts";
import { TransportContext } from "../../src/transport/transport_context.ts";
import { test } from "../_harness.ts";
import { CountedBuffer } from "./counted_buffer.ts";

// What simulated worlds have found, each as small as it can be made. The number is the seed at which it was seen first.

/** A transport on a host of its own. */
function transport(world: SimulatedWorld, host: string, handler: RpcHandler): TransportContext {
  const { driver, clock } = world.host(host);
  const conf = new TransportConf("shuffle", new SparkConf());
  return new TransportContext(conf, handler, { driver, clock, logger: silentLogger, random: world.random });
}

test("sim seed 1: an ask within an environment is forgotten when it is answered, refused or failed", async () => {
  const world = RpcEnv.createSimulated(1);
  const env = await world.create({ name: "env", host: "host", port: 7077 });
  const ref = env.setupEndpoint("endpoint", {
    receiveAndReply: (message) => {
      if (message === "fail") throw new RangeError("Failed on purpose");
      return message;
    },
  });
  assertEquals(await world.settle(ref.ask("answer")), "answer");
  await world.settle(ref.ask("fail").catch(() => {}));
  assertEquals(env.stats().localAsks, 0);
  env.stop(ref);
  await world.settle(ref.ask("refuse").catch(() => {}));
  assertEquals(env.stats().localAsks, 0);
  await world.shutdown();
});

test("sim seed 2: an environment that clones its local messages finds its own endpoints", async () => {
  const world = RpcEnv.createSimulated(2);
  const env = await world.create({ name: "env", host: "host", port: 7077, localMessages: "clone" });
  env.setupEndpoint("endpoint", { receiveAndReply: (message) => message });
  const ref = await world.settle(env.setupEndpointRef("spark://endpoint@host:7077"));
  assertEquals(await world.settle(ref.ask({ a: 1 })), { a: 1 });
  await world.shutdown();
});

test("sim seed 227: a call's signal that is read after the asker's connection has closed is aborted", async () => {
  const world = RpcEnv.createSimulated(227);
  const server = await world.create({ name: "server", host: "server", port: 7077 });
  const signals: AbortSignal[] = [];
  server.setupEndpoint("slow", {
    threadSafe: true,
    async receiveAndReply(message, context) {
      if (message === "first") await new Promise<void>((resolve) => server.clock.setTimer(100, resolve));
      signals.push(context.signal);
    },
  });
  const client = await world.create({ name: "client", host: "client" });
  const ref = await world.settle(client.setupEndpointRef("spark://slow@server:7077"));
  const asks = ["first", "second"].map((message) => ref.ask(message).catch(() => {}));
  await world.advance(10);
  await world.settle(client.shutdown());
  await world.settle(Promise.all(asks));
  await world.run();
  assertEquals(signals.map((signal) => signal.aborted), [true, true]);
  await world.shutdown();
});

test("sim seed 227: a call's signal that is read after its environment has stopped is aborted", async () => {
  const world = RpcEnv.createSimulated(227);
  const env = await world.create({ name: "env", host: "host", port: 7077 });
  const signals: AbortSignal[] = [];
  const ref = env.setupEndpoint("slow", {
    async receiveAndReply(_, context) {
      await new Promise<void>((resolve) => env.clock.setTimer(100, resolve));
      signals.push(context.signal);
    },
  });
  ref.ask("message").catch(() => {});
  await world.settle(env.shutdown({ deadlineMs: 10 }));
  await world.run();
  assertEquals(signals.map((signal) => signal.aborted), [true]);
});

test("sim seed 60: a stream that comes after one whose body broke is released", async () => {
  // The connection hears of the failure some microtasks after it: the second stream is open before, in between, and after.
  for (let microtasks = 0; microtasks < 24; microtasks++) {
    const world = RpcEnv.createSimulated(60);
    const broken = new CountedBuffer(1, 100, "broken", world.clock);
    const whole = new CountedBuffer(2, 100_000, "pieces", world.clock);
    const openWhole = async () => {
      for (let i = 0; i < microtasks; i++) await undefined;
      return whole;
    };
    const streamManager: StreamManager = { openStream: (streamId) => streamId === "broken" ? broken : openWhole() };
    const serving = transport(world, "server", { ...noOpRpcHandler, streamManager });
    const server = await world.settle(serving.createServer(7337, { host: "server" }));
    const factory = transport(world, "client", noOpRpcHandler).createClientFactory();
    const client = await world.settle(factory.createClient({ host: "server", port: 7337 }));
    const failed: string[] = [];
    const callback: StreamCallback = { onData() {}, onComplete() {}, onFailure: (streamId) => void failed.push(streamId) };
    for (const streamId of ["broken", "whole"]) client.stream(streamId, callback);
    await world.run(() => failed.length === 2);
    await world.settle(Promise.all([factory.close(), server.close()]));
    await world.run();
    assertEquals([broken.holders, whole.holders], [0, 0], `after ${microtasks} microtasks`);
  }
});

test("sim seed 64: a consumer that is late to resume does not wake the stream after its own", async () => {
  const world = RpcEnv.createSimulated(64);
  const serving = transport(world, "server", {
    ...noOpRpcHandler,
    streamManager: { openStream: () => new BytesManagedBuffer(new Uint8Array(100_000)) },
  });
  const server = await world.settle(serving.createServer(7337, { host: "server" }));
  const factory = transport(world, "client", noOpRpcHandler).createClientFactory();
  const client = await world.settle(factory.createClient({ host: "server", port: 7337 }));
  const flows: StreamFlow[] = [];
  let bytesOfSecond = 0;
  client.stream("first", { onData: (_id, _chunk, _owned, flow) => void flows.push(flow), onComplete() {}, onFailure() {} });
  client.stream("second", {
    onData(_id, chunk, _owned, flow) {
      bytesOfSecond += chunk.length;
      flow.pause();
    },
    onComplete() {},
    onFailure() {},
  });
  await world.run(() => bytesOfSecond > 0);
  const before = bytesOfSecond;
  flows[0]!.resume();
  await world.advance(1_000);
  assertEquals(bytesOfSecond, before);
  await world.settle(Promise.all([factory.close(), server.close()]));
});

test("sim seed 9880000173: an answer that comes late and finds no room is refused, and its asker can be told", async () => {
  const world = RpcEnv.createSimulated(9880000173);
  const limits = { maxQueuedBytes: 20_000 };
  const server = await world.create({ name: "server", host: "server", port: 7077, limits });
  const client = await world.create({ name: "client", host: "client" });
  const waiting: RpcCallContext[] = [];
  server.setupEndpoint("endpoint", { receiveAndReply: (_, context) => (waiting.push(context), context.later) });
  const ref = await world.settle(client.setupEndpointRef(`spark://endpoint@${server.address}`));
  const answers = Promise.allSettled(Array.from({ length: 20 }, (_, i) => ref.ask(i)));
  await world.run(() => waiting.length === 20);
  for (const context of waiting) {
    try {
      context.reply(new Uint8Array(1_000));
    } catch (thrown) {
      assertInstanceOf(thrown, RpcOverloadedError);
      context.sendFailure(thrown);
    }
  }
  const settled = await world.settle(answers);
  const refused = settled.flatMap((answer) => answer.status === "rejected" ? [answer.reason] : []);
  assertEquals(refused.length, 10);
  for (const reason of refused) assertInstanceOf(reason, RpcOverloadedError);
  await world.shutdown();
});
