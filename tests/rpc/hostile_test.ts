import { assertEquals, assertInstanceOf, assertRejects, assertStringIncludes } from "@std/assert";
import { RpcError, RpcOverloadedError, RpcRemoteError, SerializerError } from "../../src/base/errors.ts";
import { int64FromSafe } from "../../src/base/int64.ts";
import { MessageBody } from "../../src/base/message_body.ts";
import { MessageType } from "../../src/protocol/message.ts";
import type { DroppedMessage } from "../../src/rpc/dispatcher.ts";
import type { RpcEndpoint } from "../../src/rpc/rpc_endpoint.ts";
import { RpcEnv } from "../../src/rpc/rpc_env.ts";
import type { RpcEnvOptions } from "../../src/rpc/rpc_env.ts";
import { cborSerializer } from "../../src/serializer/cbor.ts";
import type { Serializer } from "../../src/serializer/serializer.ts";
import { RpcFailure } from "../../src/serializer/serializer.ts";
import { defaultSocketDriver } from "../../src/socket/default.ts";
import type { SocketDriver } from "../../src/socket/socket.ts";
import { deferred, fromHex, test, until, within } from "../_harness.ts";
import type { TestContext } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";
import { ask, body, cbor, frame, noRefs, tell } from "./_raw_messages.ts";
import { RawPeer } from "./_raw_peer.ts";

interface Rig {
  readonly env: RpcEnv;
  readonly logger: MemoryLogger;
  readonly received: unknown[];
  readonly peer: RawPeer;
  /** Asks over another connection, to see that everything else goes on. */
  stillWorks(): Promise<void>;
}

async function setUp(context: TestContext, options: Partial<RpcEnvOptions> = {}, endpoint: RpcEndpoint = {}): Promise<Rig> {
  const logger = new MemoryLogger();
  const received: unknown[] = [];
  const env = await RpcEnv.create({ name: "server", host: "127.0.0.1", port: 0, logger, ...options });
  env.setupEndpoint("Echo", {
    receive: (message) => void received.push(message),
    receiveAndReply: (message) => message,
    ...endpoint,
  });
  const other = await RpcEnv.create({ name: "good", logger: new MemoryLogger() });
  const ref = await other.setupEndpointRef({ address: env.address!, name: "Echo" });
  const peer = await RawPeer.connect(await defaultSocketDriver(), { host: "127.0.0.1", port: env.address!.port });
  context.defer(() => env.shutdown());
  context.defer(() => other.shutdown());
  context.defer(() => peer.abort());
  const stillWorks = async (): Promise<void> => assertEquals(await ref.ask("works"), "works");
  return { env, logger, received, peer, stillWorks };
}

const BAD_CONTENTS: Record<string, Uint8Array> = {
  "no content at all": new Uint8Array(0),
  "an unknown prefix": fromHex("00112233"),
  "CBOR cut short": cbor([1, 2, 3]).slice(0, 5),
  "CBOR with bytes left over": fromHex("d9d9f70101"),
  "CBOR nested a thousand deep": fromHex("d9d9f7" + "81".repeat(1_000) + "01"),
  "CBOR that claims an array of 2³² elements": fromHex("d9d9f79affffffff"),
  "a Java class that nobody knows": fromHex("aced00057372000a6a6176612e45766c49"),
};

for (const [what, content] of Object.entries(BAD_CONTENTS)) {
  test(`RpcEnv fails an ask with ${what} by an RpcFailure frame, and the connection stays`, async (context) => {
    const { peer, stillWorks, env } = await setUp(context);
    peer.write(ask(5, body(content)));
    peer.write(ask(6, body(cbor("good"))));
    await until(() => peer.messages.length === 2, "both answers");
    const [failure, success] = peer.messages;
    assertEquals([failure?.type, success?.type], [MessageType.RpcFailure, MessageType.RpcResponse]);
    if (failure?.type === MessageType.RpcFailure) {
      assertEquals(failure.requestId, int64FromSafe(5));
      assertEquals(failure.error.includes("\n"), false);
    }
    await stillWorks();
    assertEquals(env.stats().connections.every((connection) => connection.unansweredRequests === 0), true);
  });

  test(`RpcEnv logs and counts a one-way message with ${what}, and the connection stays`, async (context) => {
    const { peer, stillWorks, env, logger, received } = await setUp(context);
    peer.write(tell(body(content)));
    peer.write(tell(body(cbor("good"))));
    await until(() => received.length === 1, "the good message");
    assertEquals(received, ["good"]);
    assertEquals(env.stats().undecodedMessages, 1);
    const line = /^error: .* for one-way message\. It came from 127\.0\.0\.1:\d+ \(1 of its messages failed so far\): \w.*$/;
    assertEquals(logger.lines.some((each) => line.test(each)), true);
    await stillWorks();
  });
}

const BAD_HEADERS: Record<string, Uint8Array> = {
  "no header": new Uint8Array(0),
  "a host that is longer than the message": fromHex("01ffff31"),
  "a name that is no modified UTF-8": fromHex("00000002c0c0"),
  "a header cut within the port": fromHex("0100013100"),
};

for (const [what, bytes] of Object.entries(BAD_HEADERS)) {
  for (const [kind, wrap] of [["ask", (each: MessageBody) => ask(1, each)], ["one-way message", tell]] as const) {
    test(`RpcEnv closes a connection that sends an ${kind} with ${what}`, async (context) => {
      const { peer, stillWorks, logger, env } = await setUp(context);
      peer.write(wrap(MessageBody.of(bytes)));
      await within(peer.closed, "the connection to be closed");
      assertEquals(logger.has("Exception in connection from 127.0.0.1:"), true);
      await stillWorks();
      await until(() => env.stats().connections.length === 1, "the connection to be forgotten");
    });
  }
}

test("RpcEnv answers an ask for an unknown endpoint without decoding its content", async (context) => {
  const { peer } = await setUp(context);
  peer.write(ask(1, body(fromHex("00"), "Nobody")));
  await until(() => peer.messages.length === 1, "the answer");
  const [failure] = peer.messages;
  assertEquals(failure?.type === MessageType.RpcFailure && failure.error, "Could not find Nobody.");
});

test("RpcEnv drops answers that nobody waits for", async (context) => {
  const { peer, stillWorks } = await setUp(context);
  for (const requestId of [int64FromSafe(1), { high: -1, low: -1 }, { high: 0x7fffffff, low: -1 }]) {
    peer.write(
      frame({ type: MessageType.RpcResponse, idHigh: requestId.high, idLow: requestId.low, body: MessageBody.of(cbor(1)) }),
    );
    peer.write(frame({ type: MessageType.RpcFailure, requestId, error: "no" }));
  }
  peer.write(ask(9, body(cbor("still here"))));
  await until(() => peer.messages.length === 1, "the answer");
  await stillWorks();
});

test("RpcEnv refuses Java content where only CBOR is accepted, but for look-ups", async (context) => {
  const { peer, env } = await setUp(context, { accept: ["cbor"] });
  peer.write(ask(1, body(fromHex("aced0005740005"), "Echo")));
  await until(() => peer.messages.length === 1, "the answer");
  const [failure] = peer.messages;
  assertStringIncludes(failure?.type === MessageType.RpcFailure ? failure.error : "", "accepted are cbor");
  assertEquals(String(await env.setupEndpointRef({ address: env.address!, name: "Echo" })).includes("Echo"), true);
});

test("RpcEnv fails an ask whose answer cannot be decoded, and nothing else", async (context) => {
  const { env } = await setUp(context);
  const odd: Serializer = {
    name: "odd",
    prefix: Uint8Array.of(0x01),
    encode(value, out) {
      out.writeUint8(1);
      out.writeUtf8(String(value));
    },
    decode(content) {
      const text = new TextDecoder().decode(content.bytes.subarray(1));
      if (text.includes("broken")) throw new SerializerError("This is broken", { direction: "decode", offset: 1 });
      return text;
    },
    encodeFailure(error, out) {
      this.encode(new RpcFailure(error), out, noRefs);
    },
  };
  const strange = await RpcEnv.create({
    name: "strange",
    host: "127.0.0.1",
    port: 0,
    serializers: [odd],
    logger: new MemoryLogger(),
  });
  context.defer(() => strange.shutdown());
  const gate = deferred<string>();
  strange.setupEndpoint("Odd", { receiveAndReply: (message) => message === "wait" ? gate.promise : `${message}en` });
  const asker = await RpcEnv.create({ name: "asker", serializers: [odd], logger: new MemoryLogger() });
  context.defer(() => asker.shutdown());
  const ref = await asker.setupEndpointRef({ address: strange.address!, name: "Odd" });
  const waiting = ref.ask("wait");
  await assertRejects(() => ref.ask("brok"), SerializerError, "This is broken");
  gate.resolve("good");
  assertEquals(await waiting, "good");
  const wrong = await asker.setupEndpointRef({ address: env.address!, name: "Echo" });
  await assertRejects(() => wrong.ask("x"), RpcError, "Content begins with 0178; accepted are cbor, java");
});

test("RpcEnv sends a failure as text where its serializer cannot encode that", async (context) => {
  const encodeFailure = () => {
    throw new Error("Too long a stack");
  };
  const { env, logger } = await setUp(context, { serializers: [{ ...cborSerializer, encodeFailure }] });
  env.setupEndpoint("Failing", { receiveAndReply: () => Promise.reject(new RangeError("No such day")) });
  const asker = await RpcEnv.create({ name: "asker", logger: new MemoryLogger() });
  context.defer(() => asker.shutdown());
  const ref = await asker.setupEndpointRef({ address: env.address!, name: "Failing" });
  await within(assertRejects(() => ref.ask(1), RpcRemoteError, "No such day"), "the failure");
  assertEquals(logger.has("debug: Failure was sent as text since it could not be encoded"), true);
});

test("RpcEnv keeps no more bytes for an endpoint that does not come back than maxInboxBytes", async (context) => {
  const gate = deferred();
  const { env, stillWorks, logger } = await setUp(context, { limits: { maxInboxBytes: 2_500_000 } });
  env.setupEndpoint("Busy", { threadSafe: true, receiveAndReply: () => gate.promise, receive: () => gate.promise });
  const asker = await RpcEnv.create({ name: "asker", logger: new MemoryLogger() });
  context.defer(() => asker.shutdown());
  const ref = await asker.setupEndpointRef({ address: env.address!, name: "Busy" });
  const million = new Uint8Array(1_000_000);
  const asks = [ref.ask(million), ref.ask(million)];
  const refused = await within(assertRejects(() => ref.ask(million), RpcOverloadedError), "the refusal");
  assertEquals([refused.queue, refused.limit], ["inbox of Busy", 2_500_000]);
  ref.send(million);
  const small = ref.ask("small");
  await stillWorks();
  await until(() => env.stats().droppedMessages === 2, "the dropped message");
  const busy = env.stats().endpoints.find(({ name }) => name === "Busy");
  assertEquals([busy?.queuedMessages, busy?.messagesInHand, Math.floor(busy!.bytes / 1000)], [2, 1, 2000]);
  assertEquals(logger.has("because endpoint Busy is full (maxInboxBytes), 1 so far"), true);
  gate.resolve();
  await Promise.all([...asks, small]);
  await until(() => env.stats().endpoints.find(({ name }) => name === "Busy")?.bytes === 0, "nothing in hand");
});

test("RpcEnv answers OVERLOADED when an inbox is full, and other endpoints go on", async (context) => {
  const gate = deferred();
  const dropped: DroppedMessage[] = [];
  const { env, stillWorks, logger } = await setUp(context, {
    limits: { maxInboxMessages: 10 },
    onDropped: (drop) => dropped.push(drop),
  });
  env.setupEndpoint("Busy", { threadSafe: true, receiveAndReply: () => gate.promise, receive() {} });
  const asker = await RpcEnv.create({ name: "asker", logger: new MemoryLogger() });
  context.defer(() => asker.shutdown());
  const ref = await asker.setupEndpointRef({ address: env.address!, name: "Busy" });
  const asks = Array.from({ length: 15 }, () => ref.ask(1).catch((error) => error));
  const refused = await within(Promise.race(asks), "the first refusal");
  assertInstanceOf(refused, RpcOverloadedError);
  assertEquals([refused.queue, refused.limit, refused.code], ["inbox of Busy", 10, "OVERLOADED"]);
  // The first may still find room: what is in hand has left it.
  for (let i = 0; i < 3; i++) ref.send("dropped");
  await stillWorks();
  await until(() => dropped.some((drop) => drop.message === "dropped"), "the hook");
  assertEquals(dropped.at(-1), { endpoint: "Busy", message: "dropped", reason: "full" });
  assertEquals(logger.has("Drop 1 because endpoint Busy is full (maxInboxMessages), 1 so far"), true);
  gate.resolve();
  const results = await Promise.all(asks);
  // Ten wait, and one may be in hand by the time the eleventh comes.
  const refusals = results.filter((result) => result instanceof RpcOverloadedError).length;
  assertEquals(refusals === 4 || refusals === 5, true);
  assertEquals(env.stats().droppedMessages, dropped.length);
  assertEquals(dropped.filter((drop) => drop.message === 1).length, refusals);
});

test("RpcEnv answers OVERLOADED while half of maxQueuedBytes waits for a peer that does not read", async (context) => {
  let handled = 0;
  const endpoint: RpcEndpoint = {
    receiveAndReply() {
      handled++;
      return new Uint8Array(1_000_000);
    },
  };
  const { env, peer } = await setUp(context, { limits: { maxQueuedBytes: 20_000_000 } }, endpoint);
  const queuedBytes = () => Math.max(...env.stats().connections.map((connection) => connection.queuedBytes));
  const unanswered = () => env.stats().connections.some((connection) => connection.unansweredRequests > 0);
  peer.pause();
  let asks = 0;
  while (queuedBytes() <= 10_000_000) {
    const before = env.stats().connections.reduce((sum, connection) => sum + connection.bytesRead, 0);
    peer.write(ask(++asks, body(cbor("more"))));
    await until(() => env.stats().connections.reduce((sum, connection) => sum + connection.bytesRead, 0) > before, "the ask");
    await until(() => !unanswered(), "its answer");
  }
  peer.write(ask(++asks, body(cbor("one too many"))));
  peer.resume();
  await until(() => peer.messages.length === asks, "all answers");
  const last = peer.messages.at(-1);
  const failure = last?.type === MessageType.RpcResponse ? cborSerializer.decode(last.body, noRefs) : undefined;
  assertInstanceOf(failure, RpcFailure);
  assertInstanceOf(failure.error, RpcOverloadedError);
  assertStringIncludes(failure.error.message, "maxQueuedBytes");
  assertEquals(handled, asks - 1);
});

test("RpcEnv answers OVERLOADED what it was asked before the answers to others waited, and the connection lives", async (context) => {
  const gate = deferred<void>();
  const answer = new Uint8Array(1_000_000);
  const { env } = await setUp(context, { limits: { maxQueuedBytes: 20_000_000 } });
  env.setupEndpoint("at-once", { receiveAndReply: () => answer });
  env.setupEndpoint("later", { receiveAndReply: () => gate.promise.then(() => answer) });
  const asker = await RpcEnv.create({ name: "asker" });
  context.defer(() => within(asker.shutdown(), "the asker to end"));
  for (const name of ["at-once", "later"]) {
    const ref = await asker.setupEndpointRef(`spark://${name}@${env.address}`);
    const asks = Array.from({ length: 100 }, (_, i) => ref.ask(i).catch((error: unknown) => error));
    if (name === "later") {
      await until(() => env.stats().connections.some(({ unansweredRequests }) => unansweredRequests === 100), "the asks");
      gate.resolve();
    }
    const results = await within(Promise.all(asks), "the answers");
    const [answered, refused] = [Uint8Array, RpcOverloadedError].map((kind) => results.filter((r) => r instanceof kind).length);
    assertEquals([answered! + refused!, answered! >= 10], [100, true]);
    assertEquals(await ref.ask("once more"), answer);
  }
  assertEquals(asker.stats().transports[0]!.connectionsOpened, 1);
});

test("RpcEnv bounds what waits for a connection: asks fail OVERLOADED, sends are lost and counted, one alone goes", async () => {
  const driver: SocketDriver = {
    ...await defaultSocketDriver(),
    connect: (_address, _attach, options) =>
      new Promise((_, reject) =>
        options?.signal?.addEventListener("abort", () => reject(options.signal?.reason), { once: true })
      ),
  };
  const asker = await RpcEnv.create({ name: "asker", driver, limits: { maxOutboxBytes: 1_000 }, logger: new MemoryLogger() });
  const lookups = Array.from(
    { length: 12 },
    (_, i) =>
      asker.setupEndpointRef({ address: { host: "127.0.0.1", port: 1 }, name: i === 0 ? "x".repeat(5_000) : `e${i}` })
        .catch((error) => error),
  );
  const refused = await within(Promise.race(lookups), "the first refusal");
  assertInstanceOf(refused, RpcOverloadedError);
  assertEquals([refused.queue, refused.limit], ["outbox to 127.0.0.1:1", 1_000]);
  assertEquals(asker.stats().outboxes[0]?.queuedMessages, 1);
  await asker.shutdown({ deadlineMs: 1 });
  await Promise.all(lookups);
});
