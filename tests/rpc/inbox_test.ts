import { assertEquals, assertInstanceOf, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { setTimeout } from "node:timers/promises";
import { RpcOverloadedError, RpcStoppedError, UnsupportedMessageError } from "../../src/base/errors.ts";
import { Inbox } from "../../src/rpc/inbox.ts";
import type { DropReason, InboxHost } from "../../src/rpc/inbox.ts";
import type { InboxLimits } from "../../src/rpc/inbox_limits.ts";
import type { InboxMessage, NettyRpcCallContext } from "../../src/rpc/inbox_message.ts";
import { SharedMessageLoop } from "../../src/rpc/message_loop.ts";
import { RpcAddress } from "../../src/rpc/rpc_address.ts";
import { later, unhandled } from "../../src/rpc/rpc_call_context.ts";
import type { RpcEndpoint } from "../../src/rpc/rpc_endpoint.ts";
import { SlowHandlers } from "../../src/rpc/slow_handlers.ts";
import { SimulatedClock } from "../../src/base/simulated_clock.ts";
import { untilCollected } from "../_garbage.ts";
import { HandClock } from "../_hand_clock.ts";
import { deferred, test, until } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";

const sender = new RpcAddress("localhost", 12345);

class Host implements InboxHost {
  readonly logger = new MemoryLogger();
  readonly drops: DropReason[] = [];
  readonly removed: RpcEndpoint[] = [];
  ends = 0;

  describe(inbox: Inbox): string {
    return `NettyRpcEndpointRef(spark://${inbox.name}@localhost:1)`;
  }

  watch(): void {}

  removeRpcEndpointRef({ endpoint }: Inbox): void {
    this.removed.push(endpoint);
  }

  ended(): void {
    this.ends++;
  }

  dropped(_inbox: Inbox, _message: InboxMessage, reason: DropReason): void {
    this.drops.push(reason);
  }
}

class Context implements NettyRpcCallContext {
  readonly later: typeof later = later;
  readonly senderAddress = sender;
  readonly signal = new AbortController().signal;
  replied = false;
  readonly replies: unknown[] = [];
  readonly failures: Error[] = [];

  reply(response: unknown): void {
    if (response instanceof RangeError) throw response;
    if (this.replied) throw new Error("twice");
    this.replied = true;
    this.replies.push(response);
  }

  sendFailure(error: Error): void {
    this.replied = true;
    this.failures.push(error);
  }
}

interface Rig {
  readonly inbox: Inbox;
  readonly host: Host;
  readonly clock: HandClock;
  readonly calls: string[];
  readonly errors: Error[];
  readonly endpoint: RpcEndpoint;
}

function setUp(
  overrides: RpcEndpoint = {},
  limits: Partial<InboxLimits> = {},
): Rig {
  const calls: string[] = [];
  const errors: Error[] = [];
  const endpoint: RpcEndpoint = {
    receive: (message) => void calls.push(`receive ${message}`),
    receiveAndReply: (message) => {
      calls.push(`receiveAndReply ${message}`);
      return message;
    },
    onStart: () => void calls.push("onStart"),
    onStop: () => void calls.push("onStop"),
    onError: (error) => void errors.push(error),
    onConnected: (address) => void calls.push(`onConnected ${address}`),
    onDisconnected: (address) => void calls.push(`onDisconnected ${address}`),
    onNetworkError: (error, address) => void calls.push(`onNetworkError ${error.message} ${address}`),
    ...overrides,
  };
  const clock = new HandClock();
  const host = new Host();
  const inbox = new Inbox("test", endpoint, {
    loop: new SharedMessageLoop(clock),
    host,
    limits: { maxInboxMessages: 1_000, maxInboxBytes: 1_000, maxConcurrentMessages: 4, ...limits },
  });
  return { inbox, host, clock, calls, errors, endpoint };
}

const oneWay = (content: unknown): InboxMessage => ({ kind: "OneWayMessage", senderAddress: sender, content });
const ask = (content: unknown, context = new Context()): InboxMessage => ({
  kind: "RpcMessage",
  senderAddress: sender,
  content,
  context,
});
const ALL = 1_000_000;

/** Posts an ask of each, and gives their contexts. */
function askEach(inbox: Inbox, contents: readonly unknown[]): Context[] {
  return contents.map((content) => {
    const context = new Context();
    inbox.post(ask(content, context));
    return context;
  });
}

function raise(error: Error): never {
  throw error;
}

// Spark: InboxSuite "post"
test("Inbox.post() queues a message; process() gives it to receive()", () => {
  const { inbox, calls, host, endpoint } = setUp();
  inbox.post(oneWay("hi"));
  inbox.process(ALL);
  assertEquals(inbox.isEmpty, true);
  assertEquals(calls, ["onStart", "receive hi"]);
  inbox.stop();
  inbox.process(ALL);
  assertEquals(inbox.isEmpty, true);
  assertEquals(calls, ["onStart", "receive hi", "onStop"]);
  assertEquals([host.removed, host.ends], [[endpoint], 1]);
});

// Spark: InboxSuite "post: with reply"
test("Inbox.post() queues an ask; process() gives it to receiveAndReply()", () => {
  const { inbox, calls } = setUp();
  const context = new Context();
  inbox.post(ask("hi", context));
  inbox.process(ALL);
  assertEquals(calls, ["onStart", "receiveAndReply hi"]);
  assertEquals(context.replies, ["hi"]);
});

// Spark: InboxSuite "post: multiple threads"
test("Inbox.post() drops what comes after stop(), and delivers all that came before", () => {
  const { inbox, calls, host } = setUp();
  for (let i = 0; i < 400; i++) inbox.post(oneWay(i));
  inbox.stop();
  for (let i = 0; i < 600; i++) inbox.post(oneWay(i));
  inbox.process(ALL);
  assertEquals(calls.length, 402);
  assertEquals([calls[0], calls.at(-1)], ["onStart", "onStop"]);
  assertEquals([host.drops.length, inbox.droppedMessages], [600, 600]);
  assertEquals(calls.length - 2 + host.drops.length, 1_000);
});

test("Inbox.post() fails an ask that comes after stop()", () => {
  const { inbox } = setUp();
  inbox.stop();
  const context = new Context();
  inbox.post(ask("late", context));
  assertInstanceOf(context.failures[0], RpcStoppedError);
});

// Spark: InboxSuite "post: Associated"
test("Inbox.post() of RemoteProcessConnected calls onConnected()", () => {
  const { inbox, calls } = setUp();
  inbox.post({ kind: "RemoteProcessConnected", remoteAddress: new RpcAddress("localhost", 11111) });
  inbox.process(ALL);
  assertEquals(calls, ["onStart", "onConnected localhost:11111"]);
});

// Spark: InboxSuite "post: Disassociated"
test("Inbox.post() of RemoteProcessDisconnected calls onDisconnected()", () => {
  const { inbox, calls } = setUp();
  inbox.post({ kind: "RemoteProcessDisconnected", remoteAddress: new RpcAddress("localhost", 11111) });
  inbox.process(ALL);
  assertEquals(calls, ["onStart", "onDisconnected localhost:11111"]);
});

// Spark: InboxSuite "post: AssociationError"
test("Inbox.post() of RemoteProcessConnectionError calls onNetworkError()", () => {
  const { inbox, calls } = setUp();
  const remoteAddress = new RpcAddress("localhost", 11111);
  inbox.post({ kind: "RemoteProcessConnectionError", cause: new Error("Oops"), remoteAddress });
  inbox.process(ALL);
  assertEquals(calls, ["onStart", "onNetworkError Oops localhost:11111"]);
});

// Spark: InboxSuite "SPARK-32738: should reduce the number of active threads when fatal error happens"
test("Inbox.process() goes on after a handler ran out of stack", async () => {
  // Not a tail call: JavaScriptCore (Bun) would go round for ever.
  const overflow = (): number => 1 + overflow();
  const { inbox, host, errors, calls } = setUp({
    receiveAndReply: (message) => message === "async" ? Promise.resolve().then(overflow) : overflow(),
  });
  const contexts = [new Context(), new Context()];
  inbox.post(ask("sync", contexts[0]));
  inbox.post(ask("async", contexts[1]));
  inbox.process(ALL);
  await setTimeout();
  assertEquals(inbox.messagesInHand, 0);
  assertEquals(contexts.map((context) => context.failures[0]?.name), ["RangeError", "RangeError"]);
  assertEquals(errors, []);
  assertEquals(host.logger.lines.filter((line) => line.includes("An error happened while processing message")).length, 2);
  inbox.post(oneWay("still here"));
  inbox.process(ALL);
  assertEquals(calls.at(-1), "receive still here");
});

test("Inbox gives a thread-safe endpoint the next message when the last one has settled", async () => {
  const first = deferred<string>();
  const started: unknown[] = [];
  const { inbox, clock } = setUp({
    threadSafe: true,
    receiveAndReply: (message) => {
      started.push(message);
      return message === 1 ? first.promise : message;
    },
  });
  const contexts = [1, 2, 3].map(() => new Context());
  contexts.forEach((context, i) => inbox.post(ask(i + 1, context)));
  inbox.process(ALL);
  assertEquals(started, [1]);
  assertEquals([inbox.messagesInHand, inbox.ready], [1, false]);
  first.resolve("one");
  await first.promise;
  await Promise.resolve();
  clock.drain();
  assertEquals(started, [1, 2, 3]);
  assertEquals(contexts.map((context) => context.replies), [["one"], [2], [3]]);
});

test("Inbox gives a plain endpoint up to maxConcurrentMessages at once", async () => {
  const gates = Array.from({ length: 6 }, () => deferred());
  let running = 0;
  let most = 0;
  const { inbox } = setUp({
    receive: async (message) => {
      most = Math.max(most, ++running);
      await gates[message as number]!.promise;
      running--;
    },
  });
  for (let i = 0; i < 6; i++) inbox.post(oneWay(i));
  inbox.process(ALL);
  assertEquals([running, inbox.messagesInHand, inbox.length], [4, 4, 2]);
  for (const gate of gates) gate.resolve();
  await setTimeout();
  assertEquals([running, most, inbox.length], [0, 4, 0]);
});

test("Inbox keeps an endpoint to one message at a time when its onStart failed", () => {
  const pending = new Promise<void>(() => {});
  const { inbox, errors } = setUp({
    onStart: () => {
      throw new Error("no start");
    },
    receive: () => pending,
  });
  inbox.post(oneWay(1));
  inbox.post(oneWay(2));
  inbox.process(ALL);
  assertEquals(errors.map((error) => error.message), ["no start"]);
  assertEquals([inbox.messagesInHand, inbox.length], [1, 1]);
});

test("Inbox gives a plain endpoint the next message when one of many has failed", async () => {
  const { inbox, errors } = setUp({ receive: (message) => Promise.reject(message) }, { maxConcurrentMessages: 2 });
  for (let i = 0; i < 7; i++) inbox.post(oneWay(new Error(String(i))));
  inbox.process(ALL);
  assertEquals([inbox.messagesInHand, inbox.length], [2, 5]);
  await setTimeout();
  assertEquals([errors.length, inbox.messagesInHand, inbox.length], [7, 0, 0]);
});

test("Inbox that is stopped before its onStart gives one message at a time, so that onStop comes last", async () => {
  const gates = [deferred(), deferred()];
  const { inbox, calls, host } = setUp({ receive: (message) => gates[message as number]!.promise });
  inbox.post(oneWay(0));
  inbox.post(oneWay(1));
  inbox.stop();
  for (const gate of gates) {
    inbox.process(ALL);
    assertEquals([inbox.messagesInHand, calls], [1, ["onStart"]]);
    gate.resolve();
    await setTimeout();
  }
  assertEquals([calls, host.ends], [["onStart", "onStop"], 1]);
});

test("Inbox ends once, also if onStop fails", async () => {
  for (const onStop of [() => Promise.reject(new Error("no stop")), () => raise(new Error("no stop")), () => {}]) {
    const { inbox, host, errors } = setUp({ onStop });
    inbox.stop();
    inbox.stop();
    inbox.process(ALL);
    await setTimeout();
    assertEquals([host.ends, host.removed.length, errors.every(({ message }) => message === "no stop")], [1, 1, true]);
  }
});

test("Inbox gives nothing before an async onStart has settled", async () => {
  const start = deferred();
  const { inbox, calls } = setUp({ onStart: () => start.promise });
  inbox.post(oneWay(1));
  inbox.process(ALL);
  assertEquals(calls, []);
  start.resolve();
  await setTimeout();
  assertEquals(calls, ["receive 1"]);
});

test("Inbox.stop() lets what is in hand settle before onStop", async () => {
  const gate = deferred();
  const { inbox, calls } = setUp({ receive: () => gate.promise });
  inbox.post(oneWay(1));
  inbox.post(oneWay(2));
  inbox.process(ALL);
  inbox.stop();
  inbox.process(ALL);
  assertEquals(calls, ["onStart"]);
  gate.resolve();
  await setTimeout();
  assertEquals(calls, ["onStart", "onStop"]);
});

test("Inbox.post() refuses messages above maxInboxMessages, and never an event of the network", () => {
  const { inbox, host, calls } = setUp({}, { maxInboxMessages: 3 });
  inbox.post(oneWay(1));
  inbox.post(oneWay(2));
  inbox.post(oneWay(3));
  const context = new Context();
  inbox.post(ask(4, context));
  inbox.post({ kind: "RemoteProcessConnected", remoteAddress: sender });
  assertEquals(host.drops, ["full", "full"]);
  assertInstanceOf(context.failures[0], RpcOverloadedError);
  assertEquals([context.failures[0].queue, context.failures[0].limit], ["inbox of test", 3]);
  inbox.process(ALL);
  assertEquals(calls, ["onStart", "receive 1", "receive 2", "onConnected localhost:12345"]);
  inbox.post(oneWay(5));
  inbox.process(ALL);
  assertEquals([inbox.stats().maxQueuedMessages, inbox.stats().processedMessages], [4, 5]);
});

test("Inbox.post() refuses messages above maxInboxBytes until those that wait or are in hand have settled", async () => {
  const hands = [deferred<void>(), deferred<void>()];
  const taken: unknown[] = [];
  const { inbox, host } = setUp({
    receive: (message) => {
      taken.push(message);
      if (message === "throws") throw new Error("Boom");
      return hands[taken.length - 1]?.promise;
    },
  }, { maxInboxBytes: 10 });
  const sized = (content: unknown, bytes: number): InboxMessage => {
    return { kind: "OneWayMessage", senderAddress: sender, content, bytes };
  };
  inbox.process(ALL);
  inbox.post(sized("alone", 11));
  assertEquals(inbox.stats().bytes, 11);
  const context = new Context();
  inbox.post({ kind: "RpcMessage", senderAddress: sender, content: "ask", context, bytes: 1 });
  const error = context.failures[0];
  assertInstanceOf(error, RpcOverloadedError);
  assertEquals([error.message, error.queue, error.limit], [
    "The inbox of test is full: 11 of 10 bytes wait or are in hand (maxInboxBytes)",
    "inbox of test",
    10,
  ]);
  // What takes no memory that a peer has chosen has room.
  inbox.post(oneWay("of this process"));
  inbox.post({ kind: "RemoteProcessConnected", remoteAddress: sender });
  assertEquals(host.drops, ["full"]);

  inbox.process(ALL);
  assertEquals([inbox.length, inbox.stats().bytes], [0, 11]);
  inbox.post(sized("too much", 1));
  hands[0]!.resolve();
  await hands[0]!.promise;
  await Promise.resolve();
  assertEquals([inbox.stats().bytes, host.drops], [0, ["full", "full"]]);
  inbox.post(sized("throws", 4));
  inbox.post(sized("now", 6));
  inbox.post(sized("too much", 1));
  inbox.process(ALL);
  assertEquals([taken, inbox.stats().bytes, host.drops.length], [["alone", "of this process", "throws", "now"], 0, 3]);
  hands[1]!.resolve();

  inbox.post(sized("waits", 10));
  inbox.abandon();
  assertEquals([inbox.stats().bytes, host.drops], [0, ["full", "full", "full", "stopped"]]);
});

test("Inbox.abandon() before the endpoint has begun leaves it its beginning and its end", () => {
  const { inbox, calls, host } = setUp();
  inbox.post(oneWay("waits"));
  inbox.stop();
  inbox.abandon();
  assertEquals([inbox.length, inbox.droppedMessages], [2, 1]);
  inbox.process(ALL);
  assertEquals([calls, host.drops, host.ends], [["onStart", "onStop"], ["stopped"], 1]);
});

test("Inbox.discard() drops what waits and what comes, and the endpoint hears of nothing", () => {
  const { inbox, calls, host } = setUp();
  inbox.post(oneWay("waits"));
  inbox.discard();
  inbox.post(oneWay("late"));
  inbox.process(ALL);
  assertEquals([calls, host.drops, inbox.isEmpty, host.ends], [[], ["stopped", "stopped"], true, 1]);
});

test("Inbox answers an ask that fails, and tells onError", async () => {
  const boom = new Error("Boom");
  const { inbox, errors } = setUp({
    receiveAndReply: (message) => {
      if (message === "sync") throw boom;
      if (message === "async") return Promise.reject(boom);
      if (message === "unhandled") return unhandled;
      return new RangeError("not to be encoded");
    },
  });
  const contexts = askEach(inbox, ["sync", "async", "unhandled", "unserializable"]);
  inbox.process(ALL);
  await setTimeout();
  const texts = contexts.map((context) => context.failures[0]?.message);
  assertEquals(texts, ["Boom", "Boom", "Unsupported message unhandled from localhost:12345", "not to be encoded"]);
  assertInstanceOf(contexts[2]!.failures[0], UnsupportedMessageError);
  assertEquals(errors.length, 4);
});

test("Inbox logs why a failure could not be sent, and tells onError what failed", () => {
  const { inbox, host, errors } = setUp({ receiveAndReply: () => raise(new Error("Boom")) });
  const context = Object.assign(new Context(), { sendFailure: () => raise(new Error("no room")) });
  inbox.post(ask("hi", context));
  inbox.process(ALL);
  assertStringIncludes(host.logger.lines.join(), "could not be sent by endpoint test (no room)");
  assertEquals(errors.map(({ message }) => message), ["Boom"]);
});

test("Inbox awaits what is like a promise as await does, and takes its first answer only", async () => {
  type Settle = (value: unknown) => void;
  const answers: Record<string, unknown> = {
    nested: { then: (resolve: Settle) => resolve({ then: (inner: Settle) => inner("inner") }) },
    twice: {
      then: (resolve: Settle) => {
        resolve("first");
        resolve("second");
      },
    },
    throwing: {
      then: () => {
        throw new Error("then threw");
      },
    },
    unreadable: {
      get then(): never {
        throw new Error("then is not to be read");
      },
    },
  };
  for (const threadSafe of [true, false]) {
    const { inbox, errors } = setUp({ threadSafe, receiveAndReply: (message) => answers[String(message)] });
    inbox.process(ALL);
    const contexts = askEach(inbox, [...Object.keys(answers), "last"]);
    inbox.process(ALL);
    await setTimeout();
    assertEquals(contexts.map(({ replies }) => replies), [["inner"], ["first"], [], [], [undefined]]);
    const texts = contexts.map(({ failures }) => failures.map((failure) => failure.message));
    assertEquals(texts, [[], [], ["then threw"], ["then is not to be read"], []]);
    assertEquals(errors.map((error) => error.message).sort(), ["then is not to be read", "then threw"]);
  }
});

test("Inbox awaits a promise whose `then` or class is of its own making as it does what is only like one", async () => {
  class Refusing extends Promise<unknown> {
    override then(): never {
      throw new Error("then threw");
    }
  }
  const twice = Object.assign(Promise.resolve(), {
    then(resolve: (value: string) => void) {
      resolve("first");
      resolve("second");
    },
  });
  /** One whose `then`, which is that of all promises, cannot make another one of its class. */
  class Alone extends Promise<unknown> {
    static override get [Symbol.species](): never {
      throw new Error("no other of its kind");
    }
  }
  const answers: Record<string, unknown> = { refusing: new Refusing(() => {}), alone: new Alone(() => {}), twice };
  for (const threadSafe of [true, false]) {
    const { inbox, errors } = setUp({ threadSafe, receiveAndReply: (message) => answers[String(message)] });
    inbox.process(ALL);
    const contexts = askEach(inbox, [...Object.keys(answers), "last"]);
    inbox.process(ALL);
    await setTimeout();
    assertEquals(contexts.map(({ replies }) => replies), [[], [], ["first"], [undefined]]);
    assertEquals([errors.map(({ message }) => message), inbox.messagesInHand], [["then threw", "no other of its kind"], 0]);
  }
});

/** What an asker and onError hear of a handler that throws, at once and by a promise. */
async function whenThrown(
  thrown: unknown,
): Promise<{ readonly failures: readonly Error[][]; readonly errors: readonly Error[] }> {
  const { inbox, errors } = setUp({
    receiveAndReply: (message) => {
      if (message === "async") return Promise.reject(thrown);
      throw thrown;
    },
  });
  const contexts = askEach(inbox, ["sync", "async"]);
  inbox.process(ALL);
  await setTimeout();
  return { failures: contexts.map((context) => context.failures), errors };
}

test("Inbox answers an ask whose handler throws what has no text", async () => {
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  for (const thrown of [Object.create(null), revoked.proxy]) {
    const { failures, errors } = await whenThrown(thrown);
    for (const each of failures) assertEquals(each.map(({ message }) => message), ["Thrown: a value without text"]);
    assertEquals(errors.length, 2);
  }
});

test("Inbox answers an ask whose handler throws an error that has no text", async () => {
  const unreadable = Object.defineProperty(new RangeError(), "message", {
    get(): never {
      throw new Error("message is not to be read");
    },
  });
  const { failures, errors } = await whenThrown(unreadable);
  for (const each of failures) assertEquals(each.map((failure) => failure === unreadable), [true]);
  assertEquals(errors.map((error) => error === unreadable), [true, true]);
});

test("Inbox asks for threadCount() when it is made, so that what that throws reaches setupEndpoint()", () => {
  const threadCount = (): number => {
    throw new Error("no count");
  };
  assertThrows(() => setUp({ threadCount }), Error, "no count");
});

test("Inbox leaves an ask to its context after `later`, and after a reply within the handler; other symbols are answers", () => {
  const symbol = Symbol("answer");
  const { inbox, errors } = setUp({
    receiveAndReply: (message, context) => {
      if (message === "later") return context.later;
      if (message === "symbol") return symbol;
      context.reply("in hand");
    },
  });
  const contexts = askEach(inbox, ["later", "now", "symbol"]);
  inbox.process(ALL);
  assertEquals(contexts.map((context) => context.replies), [[], ["in hand"], [symbol]]);
  assertEquals(errors, []);
});

test("Inbox says in Spark's words that an endpoint has no receive and no receiveAndReply", () => {
  const errors: string[] = [];
  const endpoint: RpcEndpoint = { onError: (error) => void errors.push(error.message) };
  const inbox = new Inbox("bare", endpoint, {
    loop: new SharedMessageLoop(new HandClock()),
    host: new Host(),
    limits: { maxInboxMessages: 10, maxInboxBytes: 10, maxConcurrentMessages: 1 },
  });
  const context = new Context();
  inbox.post(oneWay(1));
  inbox.post(ask(1, context));
  inbox.process(ALL);
  assertEquals(errors, ["NettyRpcEndpointRef(spark://bare@localhost:1) does not implement 'receive'"]);
  assertEquals(context.failures[0]?.message, "NettyRpcEndpointRef(spark://bare@localhost:1) won't reply anything");
  // As who asks from elsewhere has it.
  assertInstanceOf(context.failures[0], UnsupportedMessageError);
});

test("Inbox logs and ignores what onError throws, and errors that have no onError", async () => {
  const failing = setUp({
    receive: () => {
      throw new Error("first");
    },
    onError: (error) => {
      if (error.message === "first") throw new Error("from onError");
    },
  });
  failing.inbox.post(oneWay(1));
  failing.inbox.process(ALL);
  assertStringIncludes(failing.host.logger.lines.join(), "Ignoring error of endpoint test (from onError)");
  const rejecting = setUp({
    receive: () => Promise.reject(new Error("r")),
    onError: () => Promise.reject(new Error("async onError")),
  });
  rejecting.inbox.post(oneWay(1));
  rejecting.inbox.process(ALL);
  await setTimeout();
  assertStringIncludes(rejecting.host.logger.lines.join(), "Ignoring error of endpoint test (async onError)");
});

test("Inbox logs the first, the second, the fourth … of the one-way messages that its endpoint does not take", async () => {
  const receives: RpcEndpoint["receive"][] = [
    undefined,
    () => unhandled,
    () => Promise.reject(new UnsupportedMessageError("Payload of Add is not valid")),
  ];
  for (const receive of receives) {
    const { inbox, host, endpoint } = setUp(receive && { receive }, { maxInboxMessages: 2_000 });
    delete endpoint.onError;
    if (receive === undefined) delete endpoint.receive;
    for (let i = 0; i < 1_000; i++) inbox.post(oneWay(i));
    await until(() => {
      inbox.process(ALL);
      return inbox.isEmpty && inbox.messagesInHand === 0;
    }, "all messages to be refused");
    assertEquals(host.logger.lines.length, 10);
    assertMatch(host.logger.lines.at(-1)!, /endpoint test \(512 messages that it does not take so far\): \w/);
  }
});

test("Inbox logs each error of a handler where there is no onError", () => {
  const { inbox, host, endpoint } = setUp({
    receive: (message) => {
      throw new Error(`no ${message}`);
    },
  });
  delete endpoint.onError;
  for (let i = 0; i < 3; i++) inbox.post(oneWay(i));
  inbox.process(ALL);
  assertEquals(host.logger.lines, [0, 1, 2].map((i) => `error: Ignoring error of endpoint test (no ${i})`));
  inbox.post(oneWay("more"));
  inbox.stop();
  inbox.process(ALL);
  assertEquals(host.logger.lines.slice(3), ["debug: Ignoring error of endpoint test"]);
});

test("Inbox logs what fails after the answer, of which the asker does not hear", async () => {
  const rig = setUp({
    receiveAndReply: (message, context) => {
      if (message === "before") throw new Error("before");
      context.reply("answer");
      if (message === "at once") throw new Error("at once");
      return message === "twice" ? "another" : Promise.reject(new Error("later"));
    },
  });
  delete rig.endpoint.onError;
  const { inbox, host } = rig;
  const contexts = askEach(inbox, ["before", "at once", "twice", "later"]);
  inbox.process(ALL);
  await setTimeout();
  inbox.process(ALL);
  assertEquals(contexts.map(({ replies, failures }) => replies.length + failures.length), [1, 1, 1, 1]);
  assertEquals(host.logger.lines.filter((line) => !line.startsWith("debug")), [
    "error: Ignoring error of endpoint test (at once)",
    "error: Ignoring error of endpoint test (twice)",
    "error: Ignoring error of endpoint test (later)",
  ]);
});

test("Inbox.scanSlow() gives a message that is in hand at two scans, once", () => {
  for (const threadSafe of [true, false]) {
    const { inbox } = setUp({ threadSafe, receive: () => new Promise(() => {}) });
    inbox.post(oneWay("slow"));
    inbox.process(ALL);
    assertEquals([1, 2, 3, 4].map(() => inbox.scanSlow().length), [0, 1, 0, 0]);
  }
});

test("SlowHandlers names an endpoint once per scan, however many messages it has in hand", async () => {
  const { inbox } = setUp({ threadSafe: false, receive: () => new Promise(() => {}) });
  const clock = new SimulatedClock();
  const logger = new MemoryLogger();
  const slow = new SlowHandlers(clock, logger, () => [inbox]);
  for (let sent = 0; sent < 3; sent++) inbox.post(oneWay("slow"));
  inbox.process(ALL);
  slow.watch();
  await clock.advance(2_000);
  inbox.post(oneWay("late"));
  inbox.process(ALL);
  await clock.advance(4_000);
  slow.stop();
  const lines = logger.lines.map((line) => line.replace(/handling .*? (and|for)/, "handling … $1"));
  assertEquals(lines.map((line) => line.slice("warning: Endpoint ".length)), [
    `${inbox.name} has been handling … and 2 other messages for more than a second`,
    `${inbox.name} has been handling … for more than a second`,
  ]);
});

test("Inbox.scanSlow() looks at each message anew", async () => {
  const gates = [deferred(), deferred(), deferred()];
  const { inbox } = setUp({ threadSafe: true, receive: (message) => gates[message as number]!.promise });
  for (const i of gates.keys()) inbox.post(oneWay(i));
  inbox.process(ALL);
  const reported: unknown[] = [];
  for (const [i, scans] of [1, 3, 2].entries()) {
    for (let scan = 0; scan < scans; scan++) {
      for (const message of inbox.scanSlow()) reported.push(message.kind === "OneWayMessage" ? message.content : message.kind);
    }
    gates[i]!.resolve();
    await setTimeout();
  }
  assertEquals(reported, [1, 2]);
});

test("Inbox keeps no message that its endpoint has done with, though no other comes", async () => {
  const outcomes: ((message: unknown) => unknown)[] = [
    () => 1,
    () => raise(new Error("no")),
    () => Promise.resolve(1),
    () => Promise.reject(new Error("no")),
  ];
  for (const threadSafe of [true, false]) {
    for (const receive of outcomes) {
      const { inbox } = setUp({ receive, threadSafe });
      inbox.process(ALL);
      const messages: WeakRef<object>[] = [];
      const post = (): void => {
        const content = { large: new Uint8Array(1_000_000) };
        messages.push(new WeakRef(content));
        inbox.post(oneWay(content));
        inbox.process(ALL);
      };
      post();
      await untilCollected(messages, "the message");
      assertEquals([inbox.isEmpty, inbox.messagesInHand, inbox.current], [true, 0, undefined]);
    }
  }
});
