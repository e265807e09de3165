import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { systemClock } from "../../src/base/clock.ts";
import { RpcEndpointNotFoundError, RpcOverloadedError, RpcStoppedError } from "../../src/base/errors.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { Dispatcher } from "../../src/rpc/dispatcher.ts";
import { RpcAddress } from "../../src/rpc/rpc_address.ts";
import { ThreadSafeRpcEndpoint } from "../../src/rpc/rpc_endpoint.ts";
import type { RpcEndpoint } from "../../src/rpc/rpc_endpoint.ts";
import type { RpcEndpointRef } from "../../src/rpc/rpc_endpoint_ref.ts";
import { RpcEnv } from "../../src/rpc/rpc_env.ts";
import { countListeners } from "../_counted_listeners.ts";
import { untilCollected } from "../_garbage.ts";
import { test, until, within } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";
import { environment, environments } from "../typed/_environments.ts";

test("RpcEnv.setupEndpoint() of an endpoint that is stopping gives it its new reference, which the old one does not take along", async (context) => {
  const env = await environment(context);
  const seen: string[] = [];
  class Restarted extends ThreadSafeRpcEndpoint {
    override onStart(): void {
      seen.push(`onStart ${this.self}`);
    }
    override receiveAndReply(): string {
      return String(this.self);
    }
    override onStop(): void {
      seen.push(`onStop ${this.self}`);
    }
  }
  const endpoint = new Restarted(env);
  const first = env.setupEndpoint("first", endpoint);
  await first.ask("started?");
  env.stop(first);
  const second = env.setupEndpoint("second", endpoint);
  assertEquals(await second.ask("who are you?"), String(second));
  assertEquals(seen, [`onStart ${first}`, `onStop ${second}`, `onStart ${second}`]);
  env.stop(second);
  await env.shutdown();
  assertEquals(seen.at(-1), "onStop undefined");
});

test("RpcEnv.setupEndpoint() runs nothing of an endpoint whose onRegistered threw", async (context) => {
  const env = await environment(context);
  const calls: string[] = [];
  let asked: Promise<unknown> | undefined;
  const endpoint: RpcEndpoint = {
    onRegistered(self: RpcEndpointRef) {
      self.send("note");
      asked = self.ask("anybody?").catch((error: unknown) => error);
      throw new RangeError("not to be set up");
    },
    onStart: () => calls.push("onStart"),
    receive: () => calls.push("receive"),
    receiveAndReply: () => calls.push("receiveAndReply"),
    onStop: () => calls.push("onStop"),
  };
  assertThrows(() => env.setupEndpoint("broken", endpoint), RangeError, "not to be set up");
  assert(await asked instanceof RpcStoppedError);
  assertEquals(env.endpointRef(endpoint), undefined);
  assertEquals(env.stats().endpoints.map(({ name }) => name), ["endpoint-verifier"]);
  assertEquals(env.stats().droppedMessages, 2);
  const instead = env.setupEndpoint("broken", { receiveAndReply: () => "the name is free" });
  assertEquals(await instead.ask("whose?"), "the name is free");
  await env.shutdown();
  assertEquals(calls, []);
});

test("RpcEnv.setupEndpoint() under a second name that fails leaves an endpoint the reference of its first", async (context) => {
  const env = await environment(context);
  const endpoint: RpcEndpoint = {
    onRegistered({ name }) {
      if (name === "second") throw new RangeError("one name is enough");
    },
    receiveAndReply: () => String(env.endpointRef(endpoint)),
  };
  const first = env.setupEndpoint("first", endpoint);
  assertThrows(() => env.setupEndpoint("second", endpoint), RangeError, "one name is enough");
  assertEquals(await first.ask("who are you?"), String(first));
});

test("Dispatcher drops news of connections and one-way messages once it has been stopped, and logs that", async () => {
  const logger = new MemoryLogger();
  const limits = { maxInboxMessages: 1, maxInboxBytes: 1, maxConcurrentMessages: 1 };
  const dispatcher = new Dispatcher({ clock: systemClock, logger, ...limits });
  await dispatcher.stop();
  dispatcher.postToAll({ kind: "RemoteProcessConnected", remoteAddress: new RpcAddress("h", 1) });
  dispatcher.dropOneWay("gone");
  assertEquals(logger.lines, [
    "debug: Message RemoteProcessConnected(h:1) dropped. RpcEnv already stopped.",
    "debug: One-way message for gone dropped. RpcEnv already stopped.",
  ]);
  assertEquals(dispatcher.droppedMessages, 1);
});

test("RpcEnvOptions.onDropped that throws is logged, and neither asks nor counts nor the shutdown hear of it", async (context) => {
  const { client, logger } = await environments(context);
  const onDropped = (): void => {
    throw new Error("hook");
  };
  const limits = { maxInboxMessages: 1 };
  const server = await RpcEnv.create({ name: "full", host: "127.0.0.1", port: 0, logger, limits, onDropped });
  context.defer(() => server.shutdown());
  const never = () => new Promise<void>(() => {});
  const own = server.setupEndpoint("Worker", { threadSafe: true, receive: never, receiveAndReply: never });
  const theirs = await client.setupEndpointRef(`spark://Worker@${server.address}`);
  const worker = () => server.stats().endpoints.find(({ name }) => name === "Worker");
  theirs.send("in hand");
  await until(() => worker()?.messagesInHand === 1 && worker()?.queuedMessages === 0, "a message in hand");
  for (const message of ["waits", "dropped", "dropped too"]) theirs.send(message);
  const refused = "The inbox of Worker is full: 1 messages wait (maxInboxMessages)";
  await assertRejects(() => theirs.ask("remotely"), RpcOverloadedError, refused);
  await assertRejects(() => own.ask("locally"), RpcOverloadedError, refused);
  assertEquals([server.stats().undecodedMessages, worker()?.droppedMessages], [0, 4]);
  await within(server.shutdown({ deadlineMs: 20 }), "shutdown");
  assertEquals(server.stats().droppedMessages, 5);
  assert(logger.has("Option onDropped failed for a message to Worker"));
});

test("Dispatcher says of the first, the second, the fourth … message that it drops that it did, and of a hook that throws", async () => {
  const logger = new MemoryLogger();
  const onDropped = (): void => {
    throw new Error("hook");
  };
  const limits = { maxInboxMessages: 1, maxInboxBytes: 1, maxConcurrentMessages: 1 };
  const dispatcher = new Dispatcher({ clock: systemClock, logger, ...limits, onDropped });
  dispatcher.registerRpcEndpoint("Full", {}, () => ({}) as RpcEndpointRef);
  const message = { kind: "OneWayMessage", senderAddress: new RpcAddress("h", 1), content: "x" } as const;
  for (let i = 0; i < 9; i++) dispatcher.postMessage("Full", message);
  const said = logger.lines.map((line) =>
    /^warning: Drop x .* full \(maxInboxMessages\), (\d) so far$/.exec(line)?.[1] ?? line
  );
  const hook = "error: Option onDropped failed for a message to Full (hook)";
  assertEquals(said, ["1", "2", "4", "8"].flatMap((count) => [count, hook]));
  await dispatcher.stop();
});

test("Dispatcher keeps no loop of an endpoint that has ended", async () => {
  const limits = { maxInboxMessages: 1, maxInboxBytes: 1, maxConcurrentMessages: 1 };
  const dispatcher = new Dispatcher({ clock: systemClock, logger: silentLogger, ...limits });
  const loops: WeakRef<object>[] = [];
  const serve = (): void => {
    dispatcher.registerRpcEndpoint("Isolated", { threadCount: () => 1 }, () => ({}) as RpcEndpointRef);
    loops.push(new WeakRef(dispatcher.find("Isolated")!.loop));
    dispatcher.unregisterRpcEndpoint("Isolated");
  };
  serve();
  await untilCollected(loops, "the loop");
  await dispatcher.stop();
});

test("RpcEnv.stop() refuses a reference to another environment's endpoint, and leaves its own of that name alone", async (context) => {
  const { server, client } = await environments(context);
  server.setupEndpoint("Worker", { receiveAndReply: () => "theirs" });
  const own = client.setupEndpoint("Worker", { receiveAndReply: () => "own" });
  const theirs = await client.setupEndpointRef(`spark://Worker@${server.address}`);
  assertEquals([own.equals(theirs), theirs.equals(own)], [false, false]);
  const message = `requirement failed: ${theirs} is no reference to an endpoint of this environment`;
  assertThrows(() => client.stop(theirs), TypeError, message);
  assertThrows(() => server.stop(own), TypeError, "requirement failed: ");
  assertEquals([await own.ask("whose?"), await theirs.ask("whose?")], ["own", "theirs"]);
  server.stop(await server.setupEndpointRef(`spark://Worker@${server.address}`));
  await assertRejects(() => theirs.ask("whose?"), RpcEndpointNotFoundError);
});

test("Dispatcher.awaitTermination() forgets who has given up, and its signal who has come to the end", async () => {
  const dispatcher = new Dispatcher({
    clock: systemClock,
    logger: silentLogger,
    maxInboxMessages: 1,
    maxInboxBytes: 1,
    maxConcurrentMessages: 1,
  });
  dispatcher.registerRpcEndpoint("Any", {}, () => ({}) as RpcEndpointRef);
  const [impatient, patient] = [new AbortController(), new AbortController()];
  const listeners = countListeners(patient.signal);
  const givenUp = assertRejects(() => dispatcher.awaitTermination(impatient.signal), Error, "enough");
  const waits = dispatcher.awaitTermination(patient.signal);
  assertEquals(dispatcher.waiting, 2);
  impatient.abort(new Error("enough"));
  await givenUp;
  assertEquals(dispatcher.waiting, 1);
  await assertRejects(() => dispatcher.awaitTermination(impatient.signal), Error, "enough");
  assertEquals(dispatcher.waiting, 1);
  await dispatcher.stop();
  await waits;
  assertEquals(dispatcher.waiting, 0);
  assertEquals(listeners(), 0);
});

test("RpcEnv.stop() lets go of an endpoint, though connections remember where it was", async (context) => {
  const { server: there, client: here } = await environments(context);
  const ended: WeakRef<object>[] = [];
  const serve = async (name: string, endpoint: RpcEndpoint): Promise<void> => {
    const ref = there.setupEndpoint(name, endpoint);
    const asked = await here.setupEndpointRef({ address: there.address!, name });
    assertEquals(await asked.ask(1), 1);
    there.stop(ref);
    await until(() => there.stats().endpoints.every((each) => each.name !== name), "its end");
    ended.push(new WeakRef(endpoint));
  };
  await serve("shared", { receiveAndReply: (message) => message });
  await serve("isolated", { receiveAndReply: (message) => message, threadCount: () => 1 });
  await untilCollected(ended, "the endpoints");
  assertEquals([ended.length, there.stats().connections.length], [2, 1]);
});

test("RpcEndpoint with a threadCount has turns of its own", async (context) => {
  const env = await environment(context);
  const order: string[] = [];
  const serve = (name: string, more: Partial<RpcEndpoint> = {}): RpcEndpointRef =>
    env.setupEndpoint(name, { receive: () => void order.push(name), ...more });
  const [busy, other, isolated] = [serve("busy"), serve("other"), serve("isolated", { threadCount: () => 1 })];
  await until(() => env.stats().endpoints.every(({ queuedMessages }) => queuedMessages === 0), "the endpoints to have begun");
  for (let i = 0; i < 200; i++) busy.send(i);
  other.send(0);
  isolated.send(0);
  await until(() => order.length === 202, "all messages");
  // Those that share a loop have batches of 64 in turn.
  assertEquals([order.indexOf("other"), order.indexOf("isolated")], [64, 201]);
});
