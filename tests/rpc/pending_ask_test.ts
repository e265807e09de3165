import { assertEquals, assertRejects } from "@std/assert";
import { RpcOverloadedError, RpcStoppedError, RpcTimeoutError } from "../../src/base/errors.ts";
import { NettyRpcEndpointRef } from "../../src/rpc/netty_rpc_endpoint_ref.ts";
import type { NettyRpcEnv } from "../../src/rpc/netty_rpc_env.ts";
import { RpcAddress } from "../../src/rpc/rpc_address.ts";
import { later, type RpcCallContext } from "../../src/rpc/rpc_call_context.ts";
import type { RpcEndpointRef } from "../../src/rpc/rpc_endpoint_ref.ts";
import { RpcEnv } from "../../src/rpc/rpc_env.ts";
import { untilCollected } from "../_garbage.ts";
import { HandTime } from "../_hand_time.ts";
import { test, until } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";
import { StubDriver } from "../transport/_stub_driver.ts";
import { environments } from "../typed/_environments.ts";

test("PendingAsk that a getter of its own message aborts is waited for by nobody", async (context) => {
  const logger = new MemoryLogger();
  const there = await RpcEnv.create({ name: "there", host: "127.0.0.1", port: 0, logger });
  context.defer(() => there.shutdown());
  there.setupEndpoint("silent", { receiveAndReply: () => later });
  const env = await RpcEnv.create({ name: "env", logger });
  context.defer(() => env.shutdown());
  const ref = await env.setupEndpointRef({ address: there.address!, name: "silent" });
  const abort = new AbortController();
  const message = {
    get last() {
      abort.abort(new Error("enough"));
      return 1;
    },
  };
  await assertRejects(() => ref.ask(message, { signal: abort.signal }), Error, "enough");
  assertEquals(env.stats().connections.map(({ outstandingRequests }) => outstandingRequests), [0]);
});

test("PendingAsk that a getter of its own message aborts is not kept where it stays within its environment", async (context) => {
  const env = await RpcEnv.create({ name: "env", localMessages: "clone", logger: new MemoryLogger() });
  context.defer(() => env.shutdown());
  const ref = env.setupEndpoint("silent", { receiveAndReply: () => later });
  const abort = new AbortController();
  const message = {
    get last() {
      abort.abort(new Error("enough"));
      return 1;
    },
  };
  await assertRejects(() => ref.ask(message, { signal: abort.signal }), Error, "enough");
  assertEquals([env.stats().localAsks, env.stats().signals], [0, 0]);
});

test("PendingAsk that ends at its deadline says whether it was waited for here, or looked up an endpoint", async (context) => {
  const driver = new StubDriver();
  driver.gate = new Promise(() => {});
  const env = await RpcEnv.create({ name: "env", driver, logger: new MemoryLogger() });
  context.defer(() => env.shutdown({ deadlineMs: 0 }));
  const silent = env.setupEndpoint("silent", { receiveAndReply: () => later });
  const address = { host: "127.0.0.1", port: 1 };
  const asks = [() => silent.ask("x", { timeoutMs: 1 }), () => env.setupEndpointRef({ address, name: "x" }, { timeoutMs: 1 })];
  const errors = await Promise.all(asks.map((ask) => assertRejects(ask, RpcTimeoutError)));
  assertEquals(errors.map(({ phase, key }) => [phase, key]), [["waiting", "timeoutMs"], ["lookup", "timeoutMs"]]);
  const texts = ["null", "127.0.0.1:1"].map((peer) => `Cannot receive any reply from ${peer} in 1 millisecond`);
  assertEquals(errors.map(({ message }) => message), texts.map((text) => `${text}. This timeout is controlled by timeoutMs`));
});

test("PendingAsk that ends at its deadline says whether it had a connection, and whether all had left that", async (context) => {
  const driver = new StubDriver();
  driver.silent = true;
  const clock = new HandTime();
  const logger = new MemoryLogger();
  const env = await RpcEnv.create({ name: "env", driver, clock, logger });
  context.defer(async () => {
    const closed = env.shutdown();
    for (const socket of driver.sockets) socket.queuedBytes = 0;
    clock.advance(10_000);
    await closed;
  });
  const phaseOf = async (name: string): Promise<string> => {
    const ref = new NettyRpcEndpointRef(env as NettyRpcEnv, new RpcAddress(name, 7077), "silent");
    const asking = assertRejects(() => ref.ask("x", { timeoutMs: 1_000 }), RpcTimeoutError);
    if (!driver.silent) await until(() => (driver.sockets[0]?.writtenBytes ?? 0) > 0, "the ask to leave");
    clock.advance(1_000);
    return (await asking).phase;
  };
  const unconnected = (): number =>
    logger.lines.filter((line) => line === "error: Ask terminated before connecting successfully").length;
  assertEquals([await phaseOf("unreachable"), unconnected()], ["connecting", 1]);
  const lookingUp = assertRejects(
    () => env.setupEndpointRef("spark://x@unreachable:7077", { timeoutMs: 1_000 }),
    RpcTimeoutError,
  );
  clock.advance(1_000);
  assertEquals([(await lookingUp).phase, unconnected()], ["lookup", 2]);
  driver.silent = false;
  assertEquals(await phaseOf("peer"), "waiting");
  driver.sockets[0]!.queuedBytes = 1;
  assertEquals(await phaseOf("peer"), "queued");
  assertEquals(unconnected(), 2);
});

test("PendingAsk of a look-up has the limit of look-ups, not that of asks", async (context) => {
  const driver = new StubDriver();
  driver.gate = new Promise(() => {});
  const conf = { "spark.rpc.lookupTimeout": "1ms", "spark.rpc.askTimeout": "1h" };
  const env = await RpcEnv.create({ name: "env", driver, logger: new MemoryLogger(), conf });
  context.defer(() => env.shutdown({ deadlineMs: 0 }));
  const error = await assertRejects(() => env.setupEndpointRef("spark://x@127.0.0.1:1"), RpcTimeoutError);
  assertEquals([error.key, error.timeoutMs, error.phase], ["spark.rpc.lookupTimeout", 1, "lookup"]);
});

test("PendingAsk whose answer has been taken is kept by nobody, nor is its environment after its shutdown", async (context) => {
  const there = await RpcEnv.create({ name: "there", host: "127.0.0.1", port: 0, logger: new MemoryLogger() });
  context.defer(() => there.shutdown());
  there.setupEndpoint("large", { receiveAndReply: () => ({ bytes: new Uint8Array(1_000_000) }) });
  const kept: WeakRef<object>[] = [];
  const ask = async (): Promise<void> => {
    const env = await RpcEnv.create({ name: "env", logger: new MemoryLogger() });
    const ref = await env.setupEndpointRef({ address: there.address!, name: "large" });
    kept.push(new WeakRef(await ref.ask(1) as object), new WeakRef(ref), new WeakRef(env));
    await env.shutdown();
  };
  await ask();
  await untilCollected(kept, "the answer, the reference and the environment");
  assertEquals(kept.length, 3);
});

test("PendingAsk lets go of its message when that has been written, or lies in an inbox that has done with it", async (context) => {
  const { server, client } = await environments(context);
  const [far, near] = [server, client].map((env) => env.setupEndpoint("silent", { receiveAndReply: () => later }));
  const remote = await client.setupEndpointRef({ address: server.address!, name: far!.name });
  const messages: WeakRef<object>[] = [];
  const asked: Promise<unknown>[] = [];
  const ask = (ref: RpcEndpointRef): void => {
    const message = { large: new Uint8Array(100_000) };
    messages.push(new WeakRef(message));
    asked.push(ref.ask(message).catch((error: unknown) => error));
  };
  ask(remote);
  ask(near!);
  await untilCollected(messages, "the messages");
  assertEquals([client.stats().localAsks, client.stats().connections[0]?.outstandingRequests], [1, 1]);
  await client.shutdown();
  assertEquals((await Promise.all(asked)).map((error) => error instanceof RpcStoppedError), [true, true]);
});

test("PendingAsk of an own endpoint: one more than maxOutstandingRequests fails, until one of them has its answer", async (context) => {
  const env = await RpcEnv.create({ name: "env", logger: new MemoryLogger(), limits: { maxOutstandingRequests: 2 } });
  context.defer(() => env.shutdown());
  const calls: RpcCallContext[] = [];
  const ref = env.setupEndpoint("held", {
    receiveAndReply(_, call) {
      calls.push(call);
      return later;
    },
  });
  const asked = ["a", "b"].map((message) => ref.ask(message));
  const error = await assertRejects(
    () => ref.ask("c"),
    RpcOverloadedError,
    "Cannot ask: 2 local asks wait (maxOutstandingRequests)",
  );
  assertEquals([error.queue, error.limit, env.stats().localAsks], ["local asks", 2, 2]);
  await until(() => calls.length === 2, "both to be handled");
  calls[0]!.reply("first");
  assertEquals([await asked[0], env.stats().localAsks], ["first", 1]);
  const next = ref.ask("d");
  await until(() => calls.length === 3, "the one that has room now");
  for (const call of calls.slice(1)) call.reply("later");
  assertEquals(await Promise.all([asked[1], next]), ["later", "later"]);
});

test("PendingAsk of an own endpoint holds its place while its message is copied: what a getter asks has none then", async (context) => {
  const limits = { maxOutstandingRequests: 1 };
  const env = await RpcEnv.create({ name: "env", localMessages: "clone", logger: new MemoryLogger(), limits });
  context.defer(() => env.shutdown());
  const ref = env.setupEndpoint("echo", { receiveAndReply: (message) => message });
  const inner: Promise<Error>[] = [];
  const message = {
    get nested() {
      inner.push(assertRejects(() => ref.ask("nested"), RpcOverloadedError));
      return env.stats().localAsks;
    },
  };
  assertEquals(await ref.ask(message), { nested: 1 });
  assertEquals([(await Promise.all(inner)).length, env.stats().localAsks], [1, 0]);
  const broken = {
    get broken(): never {
      throw new RangeError("no such thing");
    },
  };
  await assertRejects(() => ref.ask(broken), Error, "no such thing");
  assertEquals([env.stats().localAsks, await ref.ask("next")], [0, "next"]);
});
