/**
 * What an RpcEnv does over any driver: Spark's RpcEnvSuite and NettyRpcEnvSuite, without authentication and files.
 *
 * @module
 */

import { assertEquals, assertInstanceOf, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { setTimeout } from "node:timers/promises";
import {
  ProtocolError,
  RpcEndpointNotFoundError,
  RpcError,
  RpcRemoteError,
  RpcStoppedError,
  RpcTimeoutError,
  SerializerError,
  UnsupportedMessageError,
} from "../../src/base/errors.ts";
import type { RpcAddress } from "../../src/rpc/rpc_address.ts";
import { type RpcCallContext, unhandled } from "../../src/rpc/rpc_call_context.ts";
import type { RpcEndpoint } from "../../src/rpc/rpc_endpoint.ts";
import { IsolatedRpcEndpoint, ThreadSafeRpcEndpoint } from "../../src/rpc/rpc_endpoint.ts";
import type { RpcEndpointRef } from "../../src/rpc/rpc_endpoint_ref.ts";
import { RpcEnv } from "../../src/rpc/rpc_env.ts";
import type { RpcEnvOptions } from "../../src/rpc/rpc_env.ts";
import type { SocketDriver } from "../../src/socket/socket.ts";
import { typedRef } from "../../src/typed/typed_ref.ts";
import { deferred, test, until, within } from "../_harness.ts";
import type { TestContext } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";
import { otherLater, OtherRef, otherUnhandled } from "../_other_copy.ts";

/** Which driver, and what it is called. */
export interface RpcEnvSuiteOptions {
  readonly name: string;
  readonly driver: () => Promise<SocketDriver>;
}

/** An endpoint that keeps what it gets. */
class Recorder extends ThreadSafeRpcEndpoint {
  readonly messages: unknown[] = [];
  readonly events: string[] = [];

  override receive(message: unknown): void {
    this.messages.push(message);
  }

  override receiveAndReply(message: unknown): unknown {
    this.messages.push(message);
    return message;
  }

  override onConnected(address: RpcAddress): void {
    this.events.push(`onConnected ${address}`);
  }

  override onDisconnected(address: RpcAddress): void {
    this.events.push(`onDisconnected ${address}`);
  }

  override onNetworkError(_error: Error, address: RpcAddress): void {
    this.events.push(`onNetworkError ${address}`);
  }
}

/** Registers all cases. */
export function rpcEnvSuite({ name: driverName, driver }: RpcEnvSuiteOptions): void {
  async function create(context: TestContext, options: Partial<RpcEnvOptions> = {}): Promise<RpcEnv> {
    const env = await RpcEnv.create({
      name: "local",
      host: "127.0.0.1",
      logger: new MemoryLogger(),
      driver: await driver(),
      ...options,
    });
    context.defer(() => env.shutdown());
    return env;
  }

  const server = (context: TestContext, options: Partial<RpcEnvOptions> = {}) => create(context, { port: 0, ...options });
  const client = (context: TestContext, options: Partial<RpcEnvOptions> = {}) =>
    create(context, { name: "remote", ...options });

  /** A server with `endpoint`, and a reference to it from another environment in client mode. */
  async function remote(
    context: TestContext,
    endpoint: RpcEndpoint,
    options: Partial<RpcEnvOptions> = {},
  ): Promise<RpcEndpointRef> {
    const env = await server(context, options);
    env.setupEndpoint("endpoint", endpoint);
    return await (await client(context, options)).setupEndpointRef({ address: env.address!, name: "endpoint" });
  }

  const rpcTest = (name: string, body: (context: TestContext) => Promise<void>) =>
    test(`RpcEnv over ${driverName}: ${name}`, body);

  // Spark: RpcEnvSuite "send a message locally"
  rpcTest("send() reaches an endpoint of the same environment, with the same object", async (context) => {
    const env = await server(context);
    const endpoint = new Recorder(env);
    const message = { hello: 1 };
    env.setupEndpoint("send-locally", endpoint).send(message);
    await until(() => endpoint.messages.length === 1, "the message");
    assertEquals(endpoint.messages[0] === message, true);
  });

  // Spark: RpcEnvSuite "send a message remotely"
  rpcTest("send() reaches an endpoint of another environment", async (context) => {
    const env = await server(context);
    const endpoint = new Recorder(env);
    env.setupEndpoint("send-remotely", endpoint);
    const ref = await (await client(context)).setupEndpointRef(`spark://send-remotely@${env.address}`);
    ref.send("hello");
    await until(() => endpoint.messages.length === 1, "the message");
    assertEquals(endpoint.messages, ["hello"]);
  });

  // Spark: RpcEnvSuite "send a RpcEndpointRef"
  rpcTest("a reference travels in a message and answers where it was made", async (context) => {
    const env = await server(context);
    const endpoint = new Recorder(env);
    const ref = env.setupEndpoint("SendRpcEndpointRef", { receiveAndReply: () => env.endpointRef(endpoint) });
    env.setupEndpoint("inner", endpoint);
    const there = await client(context);
    const outer = await there.setupEndpointRef({ address: env.address!, name: "SendRpcEndpointRef" });
    const inner = await outer.ask("give me a ref") as RpcEndpointRef;
    assertEquals(String(inner), `NettyRpcEndpointRef(spark://inner@${env.address})`);
    assertEquals(await inner.ask("hello"), "hello");
    assertEquals(endpoint.messages, ["hello"]);
    const local = await ref.ask("give me a ref") as RpcEndpointRef;
    assertEquals(local.equals(inner), true);
  });

  rpcTest("a reference of a client travels to the server, which asks back over the same connection", async (context) => {
    const env = await server(context);
    const answers: unknown[] = [];
    env.setupEndpoint("Driver", {
      async receiveAndReply(message) {
        const executor = message as RpcEndpointRef;
        answers.push(String(executor), await executor.ask("are you there"));
        return "registered";
      },
    });
    const there = await client(context);
    const executor = there.setupEndpoint("Executor", { receiveAndReply: (message) => `${message}: yes` });
    const driver = await there.setupEndpointRef(`spark://Driver@${env.address}`);
    assertEquals(await driver.ask(executor), "registered");
    assertEquals(answers, ["NettyRpcEndpointRef(spark-client://Executor)", "are you there: yes"]);
    assertEquals(env.stats().connections.length, 1);
  });

  rpcTest("a reference that comes back to its own environment is local there", async (context) => {
    const env = await server(context);
    const endpoint = new Recorder(env);
    const own = env.setupEndpoint("own", endpoint);
    const message = { hello: 1 };
    env.setupEndpoint("teller", {
      receive: (ref) => (ref as RpcEndpointRef).send(message),
      receiveAndReply: () => own,
    });
    const teller = await (await client(context)).setupEndpointRef({ address: env.address!, name: "teller" });
    teller.send(await teller.ask("who?"));
    await until(() => endpoint.messages.length === 1, "the message");
    assertEquals(endpoint.messages[0] === message, true);
  });

  rpcTest("a reference that came over a connection ends with it, also if its address is that of the peer", async (context) => {
    const env = await server(context);
    const echo = { receiveAndReply: (message: unknown): unknown => message === "self" ? self : message };
    const self = env.setupEndpoint("echo", echo);
    const there = await client(context);
    const lookedUp = await there.setupEndpointRef({ address: env.address!, name: "echo" });
    const told = await lookedUp.ask("self") as RpcEndpointRef;
    assertEquals([await told.ask(1), told.equals(lookedUp)], [1, true]);
    await env.shutdown();
    await until(() => there.stats().connections.length === 0, "the end of the connection");
    (await server(context, { port: env.address!.port, conf: { "spark.port.maxRetries": 0 } })).setupEndpoint("echo", echo);
    assertEquals(await lookedUp.ask(2), 2);
    await assertRejects(() => told.ask(3), RpcError, `Failed to send RPC to ${env.address}: `);
    told.send(4);
    assertEquals(there.stats().lostMessages, 1);
  });

  rpcTest("a reference that is passed on leads to its owner, unless references are bound as in Spark", async (context) => {
    const owner = await server(context);
    owner.setupEndpoint("worker", { receiveAndReply: () => "the owner's" });
    const between = await server(context);
    const forwarded = await between.setupEndpointRef({ address: owner.address!, name: "worker" });
    between.setupEndpoint("registry", { receiveAndReply: () => forwarded });
    for (const bindForwardedRefs of [false, true]) {
      const there = await client(context, { bindForwardedRefs });
      const registry = await there.setupEndpointRef({ address: between.address!, name: "registry" });
      const worker = await registry.ask("which?") as RpcEndpointRef;
      assertEquals(String(worker.address), String(owner.address));
      const answer = await worker.ask("whose?").catch((error) => error.message);
      assertEquals(answer, bindForwardedRefs ? "Could not find worker." : "the owner's");
    }
  });

  rpcTest("a reference into client mode that is passed on says at its ask why it leads nowhere", async (context) => {
    const between = await server(context);
    let kept: unknown;
    const keep = (message: unknown): unknown => kept = message === "which?" ? kept : message;
    between.setupEndpoint("registry", { receiveAndReply: keep });
    const target = { address: between.address!, name: "registry" };
    const owner = await client(context);
    await (await owner.setupEndpointRef(target)).ask(owner.setupEndpoint("worker", {}));
    const worker = await (await (await client(context)).setupEndpointRef(target)).ask("which?") as RpcEndpointRef;
    const error = await assertRejects(() => worker.ask("whose?"), RpcEndpointNotFoundError);
    const why =
      `Its environment is in client mode, so its reference leads to ${between.address}, which sent it, and to nobody else`;
    assertEquals(error.message, `Could not find worker. ${why}`);
  });

  // Spark: RpcEnvSuite "ask a message locally"
  rpcTest("ask() is answered by an endpoint of the same environment", async (context) => {
    const env = await server(context);
    const message = { same: true };
    const reply = await env.setupEndpoint("ask-locally", { receiveAndReply: (content) => content }).ask(message);
    assertEquals(reply === message, true);
  });

  rpcTest("ask() clones local messages and answers if told so", async (context) => {
    const env = await server(context, { localMessages: "clone" });
    const message = { same: new Map([[1, 2]]) };
    const ref = env.setupEndpoint("clone", { receiveAndReply: (content) => content === message ? "shared" : content });
    const reply = await ref.ask(message);
    assertEquals(reply, message);
    assertEquals(reply === message, false);
  });

  rpcTest("ask() and send() clone no local message, and no answer, that is longer than a frame", async (context) => {
    const conf = { "spark.rpc.message.maxSize": 1 };
    const env = await server(context, { conf, localMessages: "clone" });
    const mebibyte = 2 ** 20;
    const ref = env.setupEndpoint("clone", { receiveAndReply: (length) => new Uint8Array(length as number) });
    const refused = `Message takes more than ${mebibyte} bytes (maxFrameBytes; in an RpcEnv spark.rpc.message.maxSize)`;
    await assertRejects(() => ref.ask(new Uint8Array(mebibyte)), ProtocolError, refused);
    assertThrows(() => ref.send(new Uint8Array(mebibyte)), ProtocolError, refused);
    await assertRejects(() => ref.ask(mebibyte), ProtocolError, refused);
    // Before the bytes there are the prefix of CBOR and their head.
    const fits = mebibyte - 8;
    assertEquals((await ref.ask(fits) as Uint8Array).length, fits);
    await assertRejects(() => ref.ask(fits + 1), ProtocolError, refused);
  });

  rpcTest("a reference of a client leads to that client also after it was cloned within the server", async (context) => {
    const env = await server(context, { localMessages: "clone" });
    env.setupEndpoint("Executor", { receiveAndReply: () => "the server's own" });
    const inner = env.setupEndpoint("Inner", { receiveAndReply: (message) => (message as RpcEndpointRef).ask("who?") });
    env.setupEndpoint("Outer", { receiveAndReply: (message) => inner.ask(message) });
    const there = await client(context);
    const executor = there.setupEndpoint("Executor", { receiveAndReply: () => "the client's" });
    const outer = await there.setupEndpointRef(`spark://Outer@${env.address}`);
    assertEquals(await outer.ask(executor), "the client's");
  });

  // Spark: RpcEnvSuite "ask a message remotely"
  rpcTest("ask() is answered by an endpoint of another environment", async (context) => {
    const ref = await remote(context, { receiveAndReply: (message) => message });
    assertEquals(await ref.ask("hello"), "hello");
  });

  // Spark: RpcEnvSuite "ask a message timeout"
  rpcTest("ask() fails when its time is up, and names the key", async (context) => {
    const ref = await remote(context, { receiveAndReply: (_, call) => call.later }, {
      conf: { "spark.rpc.askTimeout": "10ms" },
    });
    const error = await assertRejects(() => ref.ask("hello"), RpcTimeoutError, "Cannot receive any reply from 127.0.0.1:");
    assertStringIncludes(error.message, "in 10 milliseconds. This timeout is controlled by spark.rpc.askTimeout");
    assertEquals([error.key, error.timeoutMs, error.phase, error.code], ["spark.rpc.askTimeout", 10, "waiting", "TIMEOUT"]);
    assertEquals(error.peer, ref.address?.hostPort);
    const own = await assertRejects(() => ref.ask("hello", { timeoutMs: 5 }), RpcTimeoutError);
    assertEquals([own.key, own.timeoutMs], ["timeoutMs", 5]);
  });

  rpcTest("a reference that its own environment sends is asked over the same connection", async (context) => {
    const here = await server(context);
    const there = await server(context);
    const asker = { receiveAndReply: (message: unknown) => (message as RpcEndpointRef).ask("hello") };
    here.setupEndpoint("asker", asker);
    const echo = there.setupEndpoint("echo", { receiveAndReply: (message) => message });
    const ref = await there.setupEndpointRef({ address: here.address!, name: "asker" });
    assertEquals(await ref.ask(echo), "hello");
    assertEquals([here.stats().connections.length, there.stats().connections.length], [1, 1]);
  });

  rpcTest("create() and setupEndpoint() refuse values that mean nothing", async (context) => {
    const localMessages = "copy" as "clone";
    await assertRejects(() => server(context, { localMessages }), TypeError, 'localMessages must be "share" or "clone": copy');
    const securityManager = {
      isAuthenticationEnabled: () => true,
      getSaslUser: () => "sparkSaslUser",
      getSecretKey: () => "secret",
    };
    await assertRejects(() => server(context, { securityManager }), RangeError, "Authentication is not there yet");
    const env = await server(context);
    assertThrows(() => env.setupEndpoint("", {}), RangeError, "The name of an endpoint must not be empty");
  });

  rpcTest("ask() rejects when its time limit is none, and does not throw", async (context) => {
    const ref = await remote(context, { receiveAndReply: (message) => message });
    for (const timeoutMs of [-1, NaN]) {
      const asked = ref.ask("hello", { timeoutMs });
      const { future } = ref.askAbortable("hello", { timeoutMs });
      for (const promise of [asked, future]) {
        await assertRejects(() => promise, RangeError, "Timeout of timeoutMs must ");
      }
    }
  });

  // Spark: RpcEnvSuite "ask a message abort"
  rpcTest("askAbortable() can be given up, and a late answer is ignored", async (context) => {
    const gate = deferred<string>();
    const ref = await remote(context, { receiveAndReply: (message) => message === "wait" ? gate.promise : message });
    const { future, abort } = ref.askAbortable("wait");
    abort(new Error("TestAbort"));
    await assertRejects(() => future, Error, "TestAbort");
    gate.resolve("late");
    assertEquals(await ref.ask("after"), "after");
  });

  rpcTest("an ask of the same environment that is given up, or whose time is up, is kept by nobody", async (context) => {
    const logger = new MemoryLogger();
    const env = await server(context, { logger });
    const calls: RpcCallContext[] = [];
    const ref = env.setupEndpoint("silent", { receiveAndReply: (_, call) => calls.push(call) && call.later });
    const { future, abort } = ref.askAbortable(1);
    assertEquals(env.stats().localAsks, 1);
    abort(new Error("TestAbort"));
    await assertRejects(() => future, Error, "TestAbort");
    assertEquals(env.stats().localAsks, 0);
    await assertRejects(() => ref.ask(2, { timeoutMs: 1 }), RpcTimeoutError);
    assertEquals(env.stats().localAsks, 0);
    await until(() => calls.length === 2, "both asks");
    calls[0]!.reply("late");
    calls[1]!.sendFailure(new Error("late"));
    const ignored = logger.lines.filter((line) => line.includes("Ignored"));
    assertEquals(ignored, ["debug: Ignored message: the ask has ended", "debug: Ignored failure: the ask has ended"]);
  });

  rpcTest("ask() rejects with the reason of its signal", async (context) => {
    const env = await server(context);
    env.setupEndpoint("endpoint", { receiveAndReply: (_, call) => call.later });
    const there = await client(context);
    const ref = await there.setupEndpointRef({ address: env.address!, name: "endpoint" });
    const controller = new AbortController();
    const reason = new Error("enough");
    const asks = [1, 2, 3].map((message) => ref.ask(message, { signal: controller.signal }));
    assertEquals(there.stats().signals, 1);
    controller.abort(reason);
    for (const ask of asks) assertEquals(await ask.catch((error) => error), reason);
    assertEquals(await ref.ask(4, { signal: controller.signal }).catch((error) => error), reason);
    assertEquals([there.stats().signals, there.stats().connections[0]?.outstandingRequests], [0, 0]);
  });

  // Spark: RpcEnvSuite "onStart and onStop"
  rpcTest("onStart comes first and onStop last", async (context) => {
    const env = await server(context);
    const calls: string[] = [];
    const ref = env.setupEndpoint("start-stop-test", {
      onStart: () => void calls.push("start"),
      receive: (message) => void calls.push(String(message)),
      onStop: () => void calls.push("stop"),
    });
    ref.send("message");
    env.stop(ref);
    await until(() => calls.length === 3, "onStop");
    assertEquals(calls, ["start", "message", "stop"]);
  });

  // Spark: RpcEnvSuite "onError: error in onStart", "onError: error in onStop", "onError: error in receive"
  for (const where of ["onStart", "onStop", "receive"] as const) {
    rpcTest(`onError() gets what ${where} throws`, async (context) => {
      const env = await server(context);
      const errors: Error[] = [];
      const ref = env.setupEndpoint(`onError-${where}`, {
        receive() {},
        [where]: () => {
          throw new Error(`Oops! from ${where}`);
        },
        onError: (error) => void errors.push(error),
      });
      if (where === "receive") ref.send("Foo");
      if (where === "onStop") env.stop(ref);
      await until(() => errors.length === 1, "the error");
      assertEquals(errors[0]?.message, `Oops! from ${where}`);
    });
  }

  // Spark: RpcEnvSuite "self: call in onStart", "self: call in receive", "self: call in onStop"
  rpcTest("self is there in onStart and receive, and gone in onStop", async (context) => {
    const env = await server(context);
    const seen: [string, boolean][] = [];
    class Selfish extends ThreadSafeRpcEndpoint {
      override onStart(): void {
        seen.push(["onStart", this.self !== undefined]);
      }
      override receive(): void {
        seen.push(["receive", this.self !== undefined]);
      }
      override onStop(): void {
        seen.push(["onStop", this.self !== undefined]);
      }
    }
    const endpoint = new Selfish(env);
    const ref = env.setupEndpoint("self", endpoint);
    assertEquals(endpoint.self?.equals(ref), true);
    ref.send("Foo");
    env.stop(ref);
    await until(() => seen.length === 3, "onStop");
    assertEquals(seen, [["onStart", true], ["receive", true], ["onStop", false]]);
  });

  // Spark: RpcEnvSuite "call receive in sequence"
  rpcTest("a thread-safe endpoint receives in sequence, whoever sends", async (context) => {
    const env = await server(context);
    const counts: number[] = [];
    for (let i = 0; i < 100; i++) {
      let count = 0;
      const endpoint: RpcEndpoint = {
        threadSafe: true,
        async receive() {
          const before = count;
          await Promise.resolve();
          count = before + 1;
          if (count === 1_000) counts.push(count);
        },
      };
      const ref = env.setupEndpoint(`receive-in-sequence-${i}`, endpoint);
      await Promise.all(Array.from({ length: 10 }, async () => {
        for (let n = 0; n < 100; n++) {
          ref.send("Hello");
          if (n % 10 === 0) await Promise.resolve();
        }
      }));
    }
    await until(() => counts.length === 100, "all endpoints to have received 1,000 messages");
    assertEquals(counts, new Array<number>(100).fill(1_000));
  });

  rpcTest("messages to one address keep their order, also those sent before the connection stood", async (context) => {
    const env = await server(context);
    const endpoint = new Recorder(env);
    env.setupEndpoint("ordered", endpoint);
    const there = await client(context);
    const ref = await there.setupEndpointRef({ address: env.address!, name: "ordered" });
    const fresh = await client(context);
    const early = await fresh.setupEndpointRef({ address: env.address!, name: "ordered" });
    for (let i = 0; i < 500; i++) early.send(i);
    await early.ask("end");
    assertEquals(endpoint.messages.slice(0, 500), Array.from({ length: 500 }, (_, i) => i));
    ref.send("other");
    await until(() => endpoint.messages.includes("other"), "the last message");
  });

  // Spark: RpcEnvSuite "stop(RpcEndpointRef) reentrant"
  rpcTest("stop() twice runs onStop once", async (context) => {
    const env = await server(context);
    let stops = 0;
    const ref = env.setupEndpoint("stop-reentrant", { receive() {}, onStop: () => void stops++ });
    env.stop(ref);
    env.stop(ref);
    await until(() => stops > 0, "onStop");
    await env.shutdown();
    assertEquals(stops, 1);
  });

  rpcTest("Endpoints may return what another copy of the module says for unhandled and later", async (context) => {
    const endpoint: RpcEndpoint = {
      receiveAndReply(message, call) {
        if (message !== "later") return otherUnhandled;
        setTimeout().then(() => call.reply("ack later"));
        return otherLater;
      },
    };
    const here = (await server(context)).setupEndpoint("here", endpoint);
    const there = await remote(context, endpoint);
    for (const ref of [here, there]) {
      assertEquals(await ref.ask("later"), "ack later");
      await assertRejects(() => ref.ask("now"), RpcError, "Unsupported message now from");
    }
  });

  rpcTest("References travel in a property called ref as in any other", async (context) => {
    const env = await server(context);
    env.setupEndpoint("echo", { receiveAndReply: (message) => message });
    const there = await client(context);
    for (const serializer of ["cbor", "java"]) {
      const ref = await there.setupEndpointRef({ address: env.address!, name: "echo" }, { serializer });
      const held = { ref };
      const [first, second] = await ref.ask([held, held]) as unknown[];
      assertEquals(first === second, true);
      const arrived = first instanceof Map ? first.get("ref") : (first as typeof held).ref;
      assertEquals(ref.equals(arrived), true);
    }
    class Holder {
      readonly ref: RpcEndpointRef;
      constructor(ref: RpcEndpointRef) {
        this.ref = ref;
      }
    }
    const holder = new Holder(await there.setupEndpointRef({ address: env.address!, name: "echo" }));
    assertEquals(holder.ref.equals((await holder.ref.ask(holder) as Holder).ref), true);
  });

  rpcTest("References of another copy of the module travel as its own do", async (context) => {
    const env = await server(context);
    env.setupEndpoint("first", { receiveAndReply: (message) => (message as RpcEndpointRef).ask("asked") });
    env.setupEndpoint("second", { receiveAndReply: (message) => message });
    const there = await client(context);
    for (const serializer of ["cbor", "java"]) {
      const first = await there.setupEndpointRef({ address: env.address!, name: "first" }, { serializer });
      assertEquals(await first.ask(new OtherRef("second", env.address!)), "asked");
    }
  });

  // Spark: RpcEnvSuite "sendWithReply", "sendWithReply: remotely"
  rpcTest("context.reply() answers, at once or later", async (context) => {
    const endpoint: RpcEndpoint = {
      receiveAndReply(message, call) {
        if (message === "now") return call.reply("ack now");
        setTimeout().then(() => call.reply("ack later"));
        return call.later;
      },
    };
    const there = await remote(context, endpoint);
    const here = (await server(context)).setupEndpoint("sendWithReply", endpoint);
    for (const ref of [here, there]) assertEquals([await ref.ask("now"), await ref.ask("later")], ["ack now", "ack later"]);
  });

  // Spark: RpcEnvSuite "sendWithReply: error", "sendWithReply: remotely error"
  rpcTest("context.sendFailure() and a throw fail the ask", async (context) => {
    const endpoint: RpcEndpoint = {
      onError() {},
      receiveAndReply(message, call) {
        if (message === "throw") throw new RangeError("Oops");
        if (message === "reject") return Promise.reject(new RangeError("Oops"));
        call.sendFailure(new RangeError("Oops"));
      },
    };
    const there = await remote(context, endpoint);
    const here = (await server(context)).setupEndpoint("sendWithReply-error", endpoint);
    for (const message of ["throw", "reject", "fail"]) {
      const error = await assertRejects(() => there.ask(message), RpcRemoteError, "Oops");
      assertEquals([error.remoteClass, error.remoteStack], ["RangeError", undefined]);
      await assertRejects(() => here.ask(message), RangeError, "Oops");
    }
  });

  rpcTest("context.sendFailure() takes what anybody may throw, as a throw does", async (context) => {
    const endpoint: RpcEndpoint = {
      onError() {},
      receiveAndReply(message, call) {
        // What was caught is passed on, by a program without types or one that took it for an Error.
        call.sendFailure(message as Error);
      },
    };
    const env = await server(context);
    const here = env.setupEndpoint("catcher", endpoint);
    const there = await client(context);
    const refs = [here];
    for (const serializer of ["cbor", "java"]) {
      refs.push(await there.setupEndpointRef(here.endpointAddress.toString(), { serializer }));
    }
    for (const ref of refs) {
      await assertRejects(() => ref.ask("no more"), Error, "no more");
      await assertRejects(() => ref.ask(null), Error, "Thrown: null");
    }
  });

  rpcTest("a failure carries its stack only if the environment was told to", async (context) => {
    const endpoint: RpcEndpoint = { onError() {}, receiveAndReply: () => Promise.reject(new Error("Oops")) };
    const ref = await remote(context, endpoint, { exposeStack: true });
    const error = await assertRejects(() => ref.ask(1), RpcRemoteError);
    assertStringIncludes(error.remoteStack ?? "", "Oops");
  });

  rpcTest("a second answer is refused", async (context) => {
    const errors: string[] = [];
    const endpoint: RpcEndpoint = {
      onError: (error) => void errors.push(error.message),
      receiveAndReply(message, call) {
        call.reply(1);
        if (message === "fail") call.sendFailure(new Error("2"));
        else call.reply(2);
      },
    };
    const there = await remote(context, endpoint);
    const here = (await server(context)).setupEndpoint("twice", endpoint);
    for (const ref of [here, there]) assertEquals([await ref.ask("hello"), await ref.ask("fail")], [1, 1]);
    assertEquals(errors, new Array(4).fill("Promise already completed."));
  });

  rpcTest("context.signal aborts when the asker goes away, and when the environment stops", async (context) => {
    const env = await server(context);
    const aborted: string[] = [];
    const asked = deferred();
    env.setupEndpoint("endpoint", {
      receiveAndReply(message, call) {
        call.signal.addEventListener("abort", () => aborted.push(`${message}: ${call.signal.reason.message}`));
        if (message === "local") asked.resolve();
        return call.later;
      },
    });
    const there = await client(context);
    const ref = await there.setupEndpointRef({ address: env.address!, name: "endpoint" });
    const lost = ref.ask("remote").catch(() => "lost");
    await until(() => env.stats().connections.some((connection) => connection.unansweredRequests === 1), "the ask to arrive");
    const from = env.stats().connections[0]!.remote;
    await there.shutdown();
    assertEquals(await lost, "lost");
    await until(() => aborted.length === 1, "the signal to abort");
    const local = (await env.setupEndpointRef({ address: env.address!, name: "endpoint" })).ask("local").catch((error) =>
      error
    );
    await asked.promise;
    await env.shutdown();
    assertInstanceOf(await local, RpcStoppedError);
    assertEquals(aborted, [`remote: Connection from ${from} closed`, "local: RpcEnv already stopped."]);
  });

  rpcTest("shutdown() does not wait its deadline for handlers that wait on their signals", async (context) => {
    const env = await server(context);
    const asked = new Set<unknown>();
    const polling: RpcEndpoint = {
      async receiveAndReply(message, { signal }) {
        asked.add(message);
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
        throw signal.reason;
      },
    };
    const here = env.setupEndpoint("polling", polling);
    const there = await (await client(context)).setupEndpointRef({ address: env.address!, name: "polling" });
    const answers = [here.ask("local"), there.ask("remote")].map((answer) => answer.catch((error) => error));
    await until(() => asked.size === 2, "both asks to arrive");
    await within(env.shutdown({ deadlineMs: 30_000 }), "shutdown");
    for (const answer of answers) assertStringIncludes(String(await answer), "RpcEnv already stopped.");
  });

  // Spark: RpcEnvSuite "network events in sever RpcEnv when another RpcEnv is in server mode"
  rpcTest("a server hears of a peer in server mode: socket address and listening address, once each", async (context) => {
    const env = await server(context);
    const endpoint = new Recorder(env);
    env.setupEndpoint("network-events", endpoint);
    const there = await server(context, { name: "remote" });
    const ref = await there.setupEndpointRef({ address: env.address!, name: "network-events" });
    await ref.ask("hello");
    const listening = String(there.address);
    await until(() => endpoint.events.includes(`onConnected ${listening}`), "onConnected of the listening address");
    assertEquals(endpoint.events.filter((event) => event.startsWith("onConnected")).length, 2);
    await there.shutdown();
    await until(() => endpoint.events.filter((event) => event.startsWith("onDisconnected")).length === 2, "onDisconnected");
    assertEquals(endpoint.events.filter((event) => event === `onDisconnected ${listening}`).length, 1);
  });

  rpcTest("the sender of a message is where its environment listens, or the socket that it came from", async (context) => {
    const env = await server(context);
    const senders: string[] = [];
    env.setupEndpoint("endpoint", {
      receive: (_, sender) => senders.push(String(sender)),
      receiveAndReply: (_, { senderAddress }) => senders.push(String(senderAddress)),
    });
    const listening = await server(context);
    for (const there of [listening, await client(context)]) {
      const ref = await there.setupEndpointRef({ address: env.address!, name: "endpoint" });
      ref.send(1);
      await ref.ask(2);
    }
    const socket = env.stats().connections[1]?.remote;
    assertEquals(senders, [`${listening.address}`, `${listening.address}`, socket, socket]);
  });

  rpcTest(
    "the sender of a message that stays is the environment itself, with port 0 if it does not listen",
    async (context) => {
      const senders: string[] = [];
      const expected: string[] = [];
      for (const env of [await server(context), await client(context)]) {
        const ref = env.setupEndpoint("endpoint", {
          receive: (_, sender) => senders.push(String(sender)),
          receiveAndReply: (_, { senderAddress }) => senders.push(String(senderAddress)),
        });
        ref.send(1);
        await ref.ask(2);
        const address = String(env.address ?? "127.0.0.1:0");
        expected.push(address, address);
      }
      assertEquals(senders, expected);
    },
  );

  rpcTest("a look-up whose signal has aborted before it begins asks nobody", async (context) => {
    const there = await client(context);
    const signal = AbortSignal.abort(new Error("enough"));
    const target = { address: { host: "127.0.0.1", port: 1 }, name: "endpoint" };
    await within(assertRejects(() => there.setupEndpointRef(target, { signal }), Error, "enough"), "the refusal");
    assertEquals([there.stats().outboxes, there.stats().signals], [[], 0]);
  });

  // Spark: RpcEnvSuite "network events in sever RpcEnv when another RpcEnv is in client mode"
  rpcTest("a server hears of a peer in client mode by its socket address", async (context) => {
    const env = await server(context);
    const endpoint = new Recorder(env);
    env.setupEndpoint("network-events", endpoint);
    const there = await client(context);
    const ref = await there.setupEndpointRef({ address: env.address!, name: "network-events" });
    await ref.ask("hello");
    await there.shutdown();
    await until(() => endpoint.events.length === 2, "onDisconnected");
    const [connected, disconnected] = endpoint.events.map((event) => event.split(" "));
    assertEquals([connected?.[0], disconnected?.[0]], ["onConnected", "onDisconnected"]);
    assertEquals(connected?.[1], disconnected?.[1]);
  });

  // Spark: RpcEnvSuite "network events in client RpcEnv when another RpcEnv is in server mode"
  rpcTest("a client hears of the server by the address that it dialled", async (context) => {
    const env = await server(context);
    env.setupEndpoint("endpoint", { receiveAndReply: (message) => (message as RpcEndpointRef).ask("hello back") });
    const there = await client(context);
    const endpoint = new Recorder(there);
    const self = there.setupEndpoint("network-events", endpoint);
    const ref = await there.setupEndpointRef({ address: env.address!, name: "endpoint" });
    assertEquals(await ref.ask(self), "hello back");
    await until(() => endpoint.events.length === 1, "onConnected");
    await env.shutdown();
    await until(() => endpoint.events.length === 2, "onDisconnected");
    assertEquals(endpoint.events, [`onConnected ${env.address}`, `onDisconnected ${env.address}`]);
    await until(() => there.stats().outboxes.length === 0, "the outbox to go with its connection");
  });

  // Spark: RpcEnvSuite "sendWithReply: unserializable error"
  rpcTest("an ask whose answer or failure cannot be encoded fails all the same", async (context) => {
    const hostile = new Error("Oops");
    Object.defineProperty(hostile, "cause", { enumerable: true, value: () => {} });
    const endpoint: RpcEndpoint = {
      onError() {},
      receiveAndReply(message, call) {
        if (message === "reply") return { run: () => {} };
        call.sendFailure(hostile);
      },
    };
    const ref = await remote(context, endpoint);
    const error = await assertRejects(() => ref.ask("reply"), RpcError);
    assertStringIncludes(error.message, "function");
    await assertRejects(() => ref.ask("failure"), RpcError, "Oops");
  });

  // Spark: RpcEnvSuite "port conflict"
  rpcTest("a port in use is not fatal: the next one is taken", async (context) => {
    const first = await server(context);
    const second = await create(context, { name: "remote", port: first.address!.port });
    assertEquals(second.address!.port !== first.address!.port, true);
    const error = await assertRejects(
      () => create(context, { name: "strict", port: first.address!.port, conf: { "spark.port.maxRetries": 0 } }),
      RpcError,
      "Service 'strict' failed after 0 retries (starting from",
    );
    assertEquals(error.code, "SOCKET");
  });

  rpcTest("shutdown() refuses a deadline that is none, and has not begun then", async (context) => {
    const env = await server(context);
    for (const deadlineMs of [NaN, -1]) {
      await assertRejects(() => env.shutdown({ deadlineMs }), RangeError, `: ${deadlineMs} ms`);
    }
    assertEquals(await env.setupEndpoint("echo", { receiveAndReply: (message) => message }).ask("still here"), "still here");
  });

  // Spark: RpcEnvSuite "SPARK-14699: RpcEnv.shutdown should not fire onDisconnected events"
  rpcTest("shutdown() fires no onDisconnected at its own endpoints", async (context) => {
    const env = await server(context);
    const endpoint = new Recorder(env);
    env.setupEndpoint("SPARK-14699", endpoint);
    const there = await client(context);
    const ref = await there.setupEndpointRef({ address: env.address!, name: "SPARK-14699" });
    await ref.ask("hello");
    await env.shutdown();
    assertEquals(endpoint.events.filter((event) => !event.startsWith("onConnected")), []);
  });

  // Spark: RpcEnvSuite "isolated endpoints"
  rpcTest(
    "isolated endpoints keep nobody waiting, and take one message at a time unless they have several threads",
    async (context) => {
      const env = await server(context);
      const most = new Map<string, number>();
      class Busy extends IsolatedRpcEndpoint {
        readonly #name: string;
        readonly #threads: number;
        #running = 0;
        constructor(name: string, threads: number) {
          super(env);
          this.#name = name;
          this.#threads = threads;
        }
        override threadCount(): number {
          return this.#threads;
        }
        override async receiveAndReply(): Promise<void> {
          this.#running++;
          most.set(this.#name, Math.max(most.get(this.#name) ?? 0, this.#running));
          await setTimeout();
          this.#running--;
        }
      }
      const one = env.setupEndpoint("one", new Busy("one", 1));
      const two = env.setupEndpoint("two", new Busy("two", 2));
      const shared = env.setupEndpoint("shared", { receiveAndReply: (message) => message });
      const asks = [one, one, one, two, two, two].map((ref) => ref.ask("go"));
      assertEquals(await shared.ask("not kept waiting"), "not kept waiting");
      await Promise.all(asks);
      assertEquals([most.get("one"), most.get("two")], [1, 3]);
    },
  );

  // Spark: NettyRpcEnvSuite "non-existent endpoint"
  rpcTest("setupEndpointRef() of an endpoint that is not there fails with the URI", async (context) => {
    const env = await server(context);
    const uri = `spark://nonexist-endpoint@${env.address}`;
    for (const asker of [env, await client(context)]) {
      const error = await assertRejects(
        () => asker.setupEndpointRef(uri),
        RpcEndpointNotFoundError,
        `Cannot find endpoint: ${uri}`,
      );
      assertEquals(error.endpoint, uri);
    }
    const asGiven = `spark://%61bsent@${env.address}`;
    await assertRejects(() => env.setupEndpointRef(asGiven), RpcEndpointNotFoundError, `Cannot find endpoint: ${asGiven}`);
    await assertRejects(
      () => env.setupEndpointRef("spark://no-port@host"),
      RpcError,
      "Invalid Spark URL: spark://no-port@host",
    );
  });

  // Spark: NettyRpcEnvSuite "advertise address different from bind address"
  rpcTest("others are told the host, and the server listens at the bind host", async (context) => {
    const env = await server(context, { host: "advertised.example", bindHost: "127.0.0.1" });
    assertEquals(env.address!.hostPort, `advertised.example:${env.address!.port}`);
    env.setupEndpoint("endpoint", { receiveAndReply: (message) => message });
    const there = await client(context);
    const ref = await there.setupEndpointRef(`spark://endpoint@127.0.0.1:${env.address!.port}`);
    assertEquals(await ref.ask(1), 1);
  });

  // Spark: NettyRpcEnvSuite "StackOverflowError should be sent back and Dispatcher should survive"
  rpcTest("a handler that runs out of stack fails its ask and nothing else", async (context) => {
    // Not a tail call: JavaScriptCore (Bun) would go round for ever.
    const overflow = (): number => 1 + overflow();
    const ref = await remote(context, { receiveAndReply: (message) => message === "overflow" ? overflow() : message });
    const error = await assertRejects(() => ref.ask("overflow"), RpcRemoteError);
    assertEquals(error.remoteClass, "RangeError");
    assertEquals(await ref.ask("hello"), "hello");
  });

  // Spark: NettyRpcEnvSuite "SPARK-31233: ask rpcEndpointRef in client mode timeout"
  rpcTest("a timeout of an ask to a client names its socket address", async (context) => {
    const env = await server(context);
    const result = deferred<unknown>();
    env.setupEndpoint("server", {
      receiveAndReply(message) {
        (message as RpcEndpointRef).ask("hello", { timeoutMs: 10 }).catch(result.resolve);
        return "ok";
      },
    });
    const there = await client(context);
    const self = there.setupEndpoint("client", { receiveAndReply: (_, call) => call.later });
    await (await there.setupEndpointRef({ address: env.address!, name: "server" })).ask(self);
    const error = await result.promise;
    assertInstanceOf(error, RpcTimeoutError);
    assertEquals(error.peer?.startsWith("127.0.0.1:"), true);
    assertStringIncludes(error.message, `Cannot receive any reply from ${error.peer} in 10 milliseconds`);
  });

  rpcTest("an endpoint refuses what it does not take, in Spark's words", async (context) => {
    const errors: Error[] = [];
    const endpoint: RpcEndpoint = {
      receive: () => unhandled,
      receiveAndReply: () => unhandled,
      onError: (error) => void errors.push(error),
    };
    const ref = await remote(context, endpoint);
    await assertRejects(() => ref.ask({ what: 1 }), UnsupportedMessageError, 'Unsupported message {"what":1} from 127.0.0.1:');
    ref.send("one-way");
    await until(() => errors.length === 2, "onError");
    assertStringIncludes(errors[1]!.message, "Unsupported message one-way from 127.0.0.1:");
    const bare = await remote(context, {});
    await assertRejects(
      () => bare.ask(1),
      RpcError,
      `NettyRpcEndpointRef(spark://endpoint@${bare.address}) won't reply anything`,
    );
  });

  rpcTest("ask() fails with what the handler said, also if that is what an environment says of itself", async (context) => {
    const texts = ["Worker 7: RpcEnv already stopped.", "Cache: Could not find endpoint.", "invalid stream header: D9D9F7"];
    const ref = await remote(context, {
      receiveAndReply: (message) => {
        throw new RangeError(String(message));
      },
    });
    for (const text of texts) {
      const error = await assertRejects(() => ref.ask(text), RpcRemoteError);
      assertEquals([error.message, error.remoteClass], [text, "RangeError"]);
    }
  });

  rpcTest("ask() of an endpoint that is gone fails with its name, a send to it is logged there", async (context) => {
    const logger = new MemoryLogger();
    const env = await server(context, { logger });
    const own = env.setupEndpoint("endpoint", { receiveAndReply: (message) => message });
    const there = await client(context);
    const ref = await there.setupEndpointRef({ address: env.address!, name: "endpoint" });
    assertEquals(await ref.ask(1), 1);
    env.stop(own);
    const error = await assertRejects(() => ref.ask(2), RpcEndpointNotFoundError, "Could not find endpoint.");
    assertEquals(error.endpoint, "endpoint");
    ref.send(3);
    await until(() => logger.has("Could not find endpoint."), "the log line");
    assertThrows(() => own.send(4), RpcEndpointNotFoundError, "Could not find endpoint.");
    await assertRejects(() => own.ask(5), RpcEndpointNotFoundError, "Could not find endpoint.");
  });

  rpcTest("after shutdown() asks fail, sends are dropped, endpoints cannot be set up", async (context) => {
    const env = await server(context);
    env.setupEndpoint("endpoint", { receiveAndReply: (message) => message });
    const logger = new MemoryLogger();
    const there = await client(context, { logger });
    const ref = await there.setupEndpointRef({ address: env.address!, name: "endpoint" });
    const own = there.setupEndpoint("own", {});
    await there.shutdown();
    await there.shutdown();
    await there.awaitTermination();
    await assertRejects(() => ref.ask(1), RpcStoppedError, "RpcEnv already stopped.");
    await assertRejects(() => own.ask(1), RpcStoppedError, "RpcEnv already stopped.");
    own.send(2);
    ref.send(2);
    assertEquals(there.stats().lostMessages, 2);
    const why = (address: string, lost: number): string =>
      `debug: Failed to send one-way RPC to ${address}: RpcEnv already stopped. (${lost} lost so far)`;
    assertEquals(logger.lines.filter((line) => line.includes("Failed to send")), [
      why("127.0.0.1:0", 1),
      why(`${env.address}`, 2),
    ]);
    assertThrows(() => there.setupEndpoint("late", {}), RpcStoppedError, "RpcEnv has been stopped");
    assertEquals(there.stats().connections, []);
  });

  rpcTest("during shutdown() sends to its endpoints are dropped and counted, and nobody fails", async (context) => {
    const logger = new MemoryLogger();
    const env = await server(context, { logger });
    const other = env.setupEndpoint("other", {});
    const ended: string[] = [];
    const released = deferred();
    env.setupEndpoint("ending", {
      onStop: () => {
        other.send("bye");
        ended.push("said so");
      },
      onError: (error) => ended.push(error.message),
    });
    const slow = env.setupEndpoint("slow", { threadSafe: true, receiveAndReply: () => released.promise });
    const there = await client(context);
    const ref = await there.setupEndpointRef({ address: env.address!, name: "other" });
    const asked = slow.ask("wait");
    await Promise.resolve();
    const shutdown = env.shutdown();
    ref.send("late");
    // Comes after what was sent before.
    await assertRejects(() => ref.ask("late too"), RpcStoppedError);
    released.resolve();
    await Promise.all([shutdown, asked]);
    assertEquals(ended, ["said so"]);
    assertEquals([env.stats().lostMessages, env.stats().droppedMessages], [1, 1]);
    assertEquals(logger.lines.filter((line) => !line.startsWith("debug") && line.includes("stopped")), []);
  });

  rpcTest("shutdown() sends what was sent before it", async (context) => {
    const env = await server(context);
    const endpoint = new Recorder(env);
    env.setupEndpoint("endpoint", endpoint);
    const there = await client(context);
    const ref = await there.setupEndpointRef({ address: env.address!, name: "endpoint" });
    const fresh = await client(context);
    for (let i = 0; i < 1_000; i++) ref.send(i);
    const unconnected = fresh.setupEndpointRef({ address: env.address!, name: "endpoint" });
    await unconnected;
    await within(there.shutdown(), "shutdown");
    await until(() => endpoint.messages.length === 1_000, "all messages");
    assertEquals(endpoint.messages.at(-1), 999);
  });

  rpcTest("shutdown() sends what was sent before it to an address that is still being dialled", async (context) => {
    const there = await server(context);
    const endpoint = new Recorder(there);
    const ref = there.setupEndpoint("endpoint", endpoint);
    const between = await server(context);
    between.setupEndpoint("directory", { receiveAndReply: () => ref });
    const env = await client(context);
    const directory = await env.setupEndpointRef({ address: between.address!, name: "directory" });
    const told = await directory.ask("endpoint") as RpcEndpointRef;
    for (let i = 0; i < 3; i++) told.send(i);
    await within(env.shutdown(), "shutdown");
    await until(() => endpoint.messages.length === 3, "all messages");
    assertEquals([endpoint.messages, env.stats().lostMessages], [[0, 1, 2], 0]);
  });

  rpcTest("shutdown() from a handler is safe, and gives up on endpoints that do not end", async (context) => {
    const logger = new MemoryLogger();
    const env = await server(context, { logger });
    const endpoint: RpcEndpoint = { threadSafe: true, receive: () => env.shutdown({ deadlineMs: 20 }) };
    const ref = env.setupEndpoint("endpoint", endpoint);
    assertEquals(env.endpointRef(endpoint)?.equals(ref), true);
    ref.send("shutdown");
    await within(env.awaitTermination(), "termination");
    assertEquals(logger.has("Endpoint endpoint did not end in time"), true);
    assertEquals(env.endpointRef(endpoint), undefined);
  });

  rpcTest("shutdown() drops, fails and counts what waits for endpoints that it gives up on", async (context) => {
    const logger = new MemoryLogger();
    const env = await server(context, { logger });
    const handled: unknown[] = [];
    let goOn = (): void => {};
    let ended = (): void => {};
    const stopped = new Promise<void>((resolve) => ended = resolve);
    const handle = (message: unknown): Promise<void> => {
      handled.push(message);
      return new Promise((resolve) => goOn = resolve);
    };
    const endpoint = { threadSafe: true, receive: handle, receiveAndReply: handle, onStop: () => ended() };
    env.setupEndpoint("endpoint", endpoint);
    const there = await client(context);
    const ref = await there.setupEndpointRef({ address: env.address!, name: "endpoint" });
    for (let i = 0; i < 3; i++) ref.send(i);
    const asked = ref.ask("asked").catch((error) => error);
    await until(() => env.stats().endpoints.some(({ queuedMessages }) => queuedMessages === 3), "three that wait");
    await within(env.shutdown({ deadlineMs: 20 }), "shutdown");
    assertEquals(String(await within(asked, "the ask")), "RpcStoppedError: Endpoint endpoint is stopped");
    assertEquals(env.stats().droppedMessages, 3);
    assertEquals(logger.has("warning: Drop 1 because endpoint endpoint is stopped"), true);
    goOn();
    await within(stopped, "onStop");
    assertEquals([handled, env.stats().droppedMessages], [[0], 3]);
  });

  rpcTest("awaitTermination() resolves after shutdown, and rejects with its signal's reason", async (context) => {
    const env = await server(context);
    const controller = new AbortController();
    const reason = new Error("enough");
    const waiting = env.awaitTermination({ signal: controller.signal });
    controller.abort(reason);
    assertEquals(await waiting.catch((error) => error), reason);
    let terminated = false;
    const other = env.awaitTermination().then(() => terminated = true);
    await Promise.resolve();
    assertEquals(terminated, false);
    await env.shutdown();
    await other;
  });

  rpcTest("a message that cannot be encoded fails at the call: send() throws, ask() rejects", async (context) => {
    const ref = await remote(context, { receiveAndReply: (message) => message });
    assertThrows(() => ref.send({ run: () => {} }), SerializerError, "run");
    await assertRejects(() => ref.ask({ run: () => {} }), SerializerError, "run");
    for (const nothing of [null, undefined]) {
      assertThrows(() => ref.send(nothing), TypeError, "requirement failed: Message is null");
    }
    assertEquals(await ref.ask("still here"), "still here");
  });

  rpcTest("a typed reference in a message is refused, and the error names .ref", async (context) => {
    const env = await server(context);
    env.setupEndpoint("echo", { receiveAndReply: (message) => message });
    const there = await client(context);
    for (const serializer of ["cbor", "java"]) {
      const ref = await there.setupEndpointRef({ address: env.address!, name: "echo" }, { serializer });
      await assertRejects(() => ref.ask({ inner: typedRef(ref) }), SerializerError, "send its untyped one: .ref");
    }
  });

  rpcTest("an endpoint's name is taken once", async (context) => {
    const env = await server(context);
    env.setupEndpoint("endpoint", {});
    assertThrows(() => env.setupEndpoint("endpoint", {}), RangeError, "There is already an RpcEndpoint called endpoint");
  });

  rpcTest("an ask to a dead peer fails, and the next one dials again", async (context) => {
    const env = await server(context);
    env.setupEndpoint("endpoint", { receiveAndReply: (message) => message });
    const there = await client(context);
    const ref = await there.setupEndpointRef({ address: env.address!, name: "endpoint" });
    await env.shutdown();
    const error = await assertRejects(() => ref.ask(1), RpcError);
    assertEquals(error.code === "SOCKET" || error.code === "DISCONNECTED", true);
    ref.send(2);
    await until(() => there.stats().lostMessages === 1, "the lost message");
    const again = await create(context, { port: env.address!.port, conf: { "spark.port.maxRetries": "0" } });
    again.setupEndpoint("endpoint", { receiveAndReply: (message) => `again ${message}` });
    assertEquals(await ref.ask(3), "again 3");
  });

  rpcTest("what waits for an answer is failed when the connection is lost", async (context) => {
    const env = await server(context);
    env.setupEndpoint("endpoint", { receiveAndReply: (_, call) => call.later });
    const there = await client(context);
    const ref = await there.setupEndpointRef({ address: env.address!, name: "endpoint" });
    const asks = [1, 2, 3].map((message) => ref.ask(message).catch((error) => error));
    await until(() => env.stats().connections[0]?.unansweredRequests === 3, "the asks to arrive");
    await env.shutdown();
    for (const ask of asks) {
      const error = await ask;
      assertInstanceOf(error, RpcError);
      assertEquals(error.code, "DISCONNECTED");
    }
    assertEquals(there.stats().connections, []);
  });

  rpcTest("an endpoint that asks itself while it is busy is told so when the time is up", async (context) => {
    const env = await server(context);
    class Narcissus extends ThreadSafeRpcEndpoint {
      override async receiveAndReply(message: unknown): Promise<unknown> {
        return message === "outer" ? await this.self!.ask("inner", { timeoutMs: 20 }) : "inner";
      }
      override onError(): void {}
    }
    const ref = env.setupEndpoint("narcissus", new Narcissus(env));
    const error = await assertRejects(() => ref.ask("outer"), RpcTimeoutError);
    assertEquals(
      error.message,
      `Cannot receive any reply from ${env.address} in 20 milliseconds. This timeout is controlled by timeoutMs; ` +
        "endpoint narcissus was still handling outer when it should have answered itself",
    );
    assertEquals([error.key, error.peer, error.phase, error.timeoutMs], ["timeoutMs", String(env.address), "waiting", 20]);
  });
}
