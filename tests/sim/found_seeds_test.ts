import { assertEquals } from "@std/assert";
import { RpcEnv } from "../../src/rpc/rpc_env.ts";
import { test } from "../_harness.ts";

// What simulated worlds have found, each as small as it can be made. The number is the seed at which it was seen first.

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
