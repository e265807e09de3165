import { assert, assertEquals, assertInstanceOf, assertRejects, assertStringIncludes } from "@std/assert";
import { RpcError, RpcOverloadedError, RpcRemoteError, RpcTimeoutError } from "../../src/base/errors.ts";
import { java } from "../../src/rpc/java_serializer.ts";
import { NettyRpcEnv } from "../../src/rpc/netty_rpc_env.ts";
import type { RpcEndpointRef } from "../../src/rpc/rpc_endpoint_ref.ts";
import { RpcEnv, type RpcEnvOptions } from "../../src/rpc/rpc_env.ts";
import { PROBE_TIMEOUT_MS } from "../../src/rpc/spark_peer.ts";
import { originOf } from "../../src/serializer/java/java_mapping.ts";
import { FiniteDuration } from "../../src/serializer/java/scala_values.ts";
import { JavaRpcTimeout } from "../../src/serializer/java/spark_classes.ts";
import { HandTime } from "../_hand_time.ts";
import { test, type TestContext, until, within } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";
import { FakeRef, sparkException } from "../serializer/java/_java.ts";
import { type Build, FakeSpark } from "./_fake_spark.ts";

const BUILDS: readonly Build[] = ["3.5.8_2.13", "4.0.1_2.13", "4.1.1_2.13", "4.2.0_2.13"];
const REF = "org.apache.spark.rpc.RpcEndpointRef";
const DURATION = "scala.concurrent.duration.FiniteDuration";

/** An environment of ours, and a fake Spark whose endpoint `Echo` it has looked up. */
async function connect(context: TestContext, build: Build, options: Partial<RpcEnvOptions> = {}) {
  const fake = await FakeSpark.listen(context, build);
  const logger = new MemoryLogger();
  const env = await RpcEnv.create({ name: "here", host: "127.0.0.1", logger, serializers: [java], ...options });
  context.defer(() => within(env.shutdown(), "the environment to end"));
  const self = env.setupEndpoint("Self", {});
  const ref = (name: string) => within(env.setupEndpointRef(fake.uri(name)), "lookup");
  const echo = await ref("Echo");
  fake.takeHeard();
  return { fake, env, logger, self, ref, echo };
}

/** An environment of ours that a fake Spark has dialled, and the reference that it sent, which is bound to that connection. */
async function dialled(context: TestContext, build: Build, options: Partial<RpcEnvOptions> = {}) {
  const fake = await FakeSpark.create(context, build);
  const logger = new MemoryLogger();
  const env = await RpcEnv.create({ name: "here", host: "127.0.0.1", port: 0, logger, serializers: [java], ...options });
  context.defer(() => within(env.shutdown(), "the environment to end"));
  let back: RpcEndpointRef | undefined;
  env.setupEndpoint("Keeper", { receiveAndReply: (message) => void (back = message as RpcEndpointRef) });
  const client = await fake.dial(env.address!.port);
  await within(fake.ask(client, "Keeper", new FakeRef("Echo")), "answer");
  fake.takeHeard();
  return { fake, env, client, back: back! };
}

/** What comes back for a reference that was echoed. */
function nameOf(answer: unknown): string {
  return (answer as RpcEndpointRef).name;
}

for (const build of BUILDS) {
  const refused = ["3.5.8_2.13", "4.0.1_2.13"].includes(build);

  test(`PendingAsk is sent again, once, in the classes of its peer: ${build}`, async (context) => {
    const { fake, env, self, echo } = await connect(context, build);
    const { signal } = new AbortController();
    assertEquals(nameOf(await within(echo.ask(self, { signal }), "answer")), "Self");
    assertEquals(env.stats().signals, 0);
    assertEquals(fake.takeHeard(), [...(refused ? ["ask refused: RpcEndpointRef"] : []), "ask Echo ref(Self)"]);
    assertEquals(nameOf(await within(echo.ask(self), "answer")), "Self");
    assertEquals(fake.takeHeard(), ["ask Echo ref(Self)"], "what was learnt is kept");
  });

  test(`Outboxes ask what the peer is before a message that might be lost, and keep the order: ${build}`, async (context) => {
    const { fake, env, self, echo } = await connect(context, build);
    echo.send("first");
    echo.send(self);
    echo.send("between");
    const answer = echo.ask("asked");
    echo.send([self, "last"]);
    assertEquals(await within(answer, "answer"), "asked");
    await until(() => fake.heard.includes("send Echo [ref(Self), last]"), "the last message");
    const probes = build.startsWith("4.2") ? ["probe"] : ["probe refused: SparkException", "probe"];
    assertEquals(fake.takeHeard(), [
      ...["send Echo first", ...probes, "send Echo ref(Self)"],
      ...["send Echo between", "ask Echo asked", "send Echo [ref(Self), last]"],
    ]);
    assertEquals(env.stats().lostMessages, 0);
    assertEquals(env.stats().outboxes.map(({ queuedMessages, queuedBytes }) => [queuedMessages, queuedBytes]), [[0, 0]]);
  });
}

test("A reference goes with the timeout of its environment, whoever it is written for and however it is copied", async (context) => {
  const conf = { "spark.network.timeout": "45s" };
  const { env, self, echo } = await connect(context, "4.2.0_2.13", { conf, localMessages: "clone" });
  const timeoutOf = (ref: unknown) => originOf(ref as object)?.detail;
  const expected = new JavaRpcTimeout({
    duration: new FiniteDuration({ length: 45n, unit: "SECONDS" }),
    timeoutProp: "spark.network.timeout",
  });
  assertEquals(timeoutOf(await within(echo.ask(self), "answer")), expected);
  const local = env.setupEndpoint("Local", { receiveAndReply: (message) => message });
  assertEquals(await local.ask(self), self);
  assertEquals(timeoutOf(await within(echo.ask(self), "answer")), expected);
});

test("Outbox asks what the peer is when messages waited for the connection", async (context) => {
  const { fake, env, self, echo } = await connect(context, "3.5.8_2.13");
  fake.disconnect();
  await until(() => env.stats().connections.length === 0, "the end of the connection");
  // A new connection is dialled, and all of these wait for it.
  for (const message of ["first", self, "between"]) echo.send(message);
  const answer = echo.ask([self, "asked"]);
  echo.send("last");
  assertInstanceOf(await within(answer, "answer"), Array);
  await until(() => fake.heard.includes("send Echo last"), "the last message");
  assertEquals(fake.takeHeard(), [
    ...["send Echo first", "probe refused: SparkException", "probe", "send Echo ref(Self)", "send Echo between"],
    ...["ask Echo [ref(Self), asked]", "send Echo last"],
  ]);
});

test("Outbox that waits for what the peer is counts no bytes of what has gone before", async (context) => {
  const { fake, env, self, echo } = await connect(context, "3.5.8_2.13", { limits: { maxOutboxBytes: 4_096 } });
  fake.probes = "ignored";
  fake.disconnect();
  await until(() => env.stats().connections.length === 0, "the end of the connection");
  const large = new Uint8Array(3_000);
  echo.send(large);
  echo.send(self);
  await until(() => fake.heard.length === 1, "the message before");
  echo.send(large);
  const [outbox] = env.stats().outboxes;
  assertEquals([outbox?.queuedMessages, env.stats().lostMessages], [2, 0]);
  fake.disconnect();
  await until(() => env.stats().lostMessages === 2, "what waited to be lost");
});

test("Outbox sends what a logger sends when it hears of a lost message, after all that waited before", async (context) => {
  let note = 0;
  class SendingLogger extends MemoryLogger {
    override warning(message: string): void {
      super.warning(message);
      if (message.startsWith("Failed to send one-way RPC")) echo.send(`note ${++note}`);
    }
  }
  const { fake, self, echo } = await connect(context, "4.2.0_2.13", { logger: new SendingLogger() });
  fake.own.set(REF, 7n);
  // The first is lost before the second waits once more, the third when nothing waits any more.
  for (const message of [self, sparkException(), self, "last"]) echo.send(message);
  await until(() => fake.heard.includes("send Echo note 2"), "the last message");
  assertEquals(fake.takeHeard().map((line) => line.replace(/RpcRemoteError.*/, "exception")), [
    ...["probe refused: RpcEndpointRef", "probe", "send Echo exception", "send Echo last"],
    ...["send Echo note 1", "send Echo note 2"],
  ]);
});

test("SparkPeer learns from what its peer sends, and then nothing is refused or probed", async (context) => {
  const { fake, self, ref, echo } = await connect(context, "4.0.1_2.13");
  await within((await ref("Give")).ask("a reference"), "answer");
  fake.takeHeard();
  echo.send(self);
  assertEquals(nameOf(await within(echo.ask(self), "answer")), "Self");
  assertEquals(fake.takeHeard(), ["send Echo ref(Self)", "ask Echo ref(Self)"]);
});

test("SparkPeer keeps apart what a message has and what its getter sends", async (context) => {
  const { fake, self, echo } = await connect(context, "4.2.0_2.13");
  const message = [self, {
    get sends() {
      echo.send("within");
      return 1;
    },
  }];
  await within(echo.ask(message), "answer");
  assertEquals(fake.takeHeard().map((line) => line.slice(0, 20)), ["ask Echo [ref(Self),", "send Echo within"]);
});

test("PendingAsk is sent again no more than once: a mismatch that remains is named", async (context) => {
  const { fake, self, echo } = await connect(context, "4.0.1_2.13");
  fake.own.set(DURATION, 7n);
  const error = await within(assertRejects(() => echo.ask(self), RpcError), "refusal");
  assertEquals(fake.takeHeard(), ["ask refused: RpcEndpointRef", "ask refused: FiniteDuration"]);
  assertEquals([error.code, (error.cause as RpcRemoteError).code], ["SERIALIZER", "REMOTE"]);
  assertEquals(
    error.message,
    `127.0.0.1:${fake.port} cannot read this, which was written for Spark 4.0 or 4.1 or 4.2 with Scala 2.13: its ${DURATION} has ` +
      "the serialVersionUID 7, an unknown build; known are Spark 3.5 to 4.2 with Scala 2.13",
  );
  // Whatever has no such class still goes there.
  assertEquals(await within(echo.ask("x"), "answer"), "x");
});

test("A Spark of Scala 2.12 is named when an endpoint is looked up", async (context) => {
  const fake = await FakeSpark.listen(context, "3.5.8_2.12");
  const logger = new MemoryLogger();
  const env = await RpcEnv.create({ name: "here", host: "127.0.0.1", logger, serializers: [java] });
  context.defer(() => env.shutdown());
  const error = await within(assertRejects(() => env.setupEndpointRef(fake.uri("Echo")), RpcError), "refusal");
  assertStringIncludes(error.message, "RpcEndpointVerifier$CheckExistence has the serialVersionUID 7789290765573734431");
  assertStringIncludes(error.message, "that of Spark 2.4 or 3.5 with Scala 2.12; known are Spark 3.5 to 4.2 with Scala 2.13");
  assertEquals(logger.lines.filter((line) => line.includes("is no Spark that is known")).length, 1);
});

test("A message that the peer cannot read is lost with a reason, and those after it go", async (context) => {
  const { fake, env, logger, self, echo } = await connect(context, "4.2.0_2.13");
  fake.own.set(REF, 7n);
  echo.send(self);
  echo.send("after");
  await until(() => fake.heard.includes("send Echo after"), "the message after it");
  assertEquals(fake.takeHeard(), ["probe refused: RpcEndpointRef", "send Echo after"]);
  assertEquals(env.stats().lostMessages, 1);
  assertEquals(logger.has(`cannot read this: ${REF} has the serialVersionUID 7, an unknown build`), true);
});

test("A peer whose telling class is its own is asked by the classes of the message alone", async (context) => {
  const { fake, env, self, echo } = await connect(context, "4.0.1_2.13");
  fake.own.set("org.apache.spark.SparkException", 7n);
  echo.send(self);
  echo.send("after");
  await until(() => fake.heard.includes("send Echo after"), "the message after it");
  assertEquals(fake.takeHeard(), [
    ...["probe refused: SparkException", "probe refused: RpcEndpointRef", "probe"],
    ...["send Echo ref(Self)", "send Echo after"],
  ]);
  assertEquals(env.stats().lostMessages, 0);
});

test("PendingAsk that was sent again still ends at its own deadline", async (context) => {
  const clock = new HandTime();
  const { fake, env, self, ref } = await connect(context, "3.5.8_2.13", { clock });
  const later = await ref("Later");
  fake.takeHeard();
  fake.onRefused = () => clock.advance(600);
  const failed = assertRejects(() => later.ask(self, { timeoutMs: 1_000 }), RpcTimeoutError);
  await until(() => fake.later.length === 1, "the second ask");
  assertEquals(fake.takeHeard(), ["ask refused: RpcEndpointRef", "ask Later ref(Self)"]);
  clock.advance(401);
  await within(failed, "timeout");
  assertEquals(env.stats().connections.map(({ outstandingRequests }) => outstandingRequests), [0]);
});

test("PendingAsk that is aborted before it was sent again is not, and one that was is forgotten", async (context) => {
  const { fake, env, self, ref } = await connect(context, "3.5.8_2.13");
  const later = await ref("Later");
  fake.takeHeard();
  const first = new AbortController();
  fake.onRefused = () => first.abort("first");
  assertEquals(await within(later.ask(self, { signal: first.signal }).catch((reason) => reason), "abort"), "first");
  // The refusal that came too late for it has taught nothing, so this one is refused too.
  const second = new AbortController();
  fake.onRefused = () => {};
  const aborted = later.ask(self, { signal: second.signal }).catch((reason: unknown) => reason);
  await until(() => fake.later.length === 1, "the second ask");
  second.abort("second");
  assertEquals(await within(aborted, "abort"), "second");
  assertEquals(fake.takeHeard(), ["ask refused: RpcEndpointRef", "ask refused: RpcEndpointRef", "ask Later ref(Self)"]);
  assertEquals(env.stats().signals, 0);
  assertEquals(env.stats().connections.map(({ outstandingRequests }) => outstandingRequests), [0]);
});

test("SparkPeer asks a peer that refuses whatever it is asked no more than eight times", async (context) => {
  const { fake, logger, self, echo } = await connect(context, "4.2.0_2.13");
  fake.probesRefusedFor = "a.B";
  echo.send(self);
  await until(() => fake.heard.includes("send Echo ref(Self)"), "the message");
  assertEquals(fake.takeHeard(), [...Array(8).fill("probe refused: B"), "send Echo ref(Self)"]);
  assert(logger.has("does not say which version of Spark it is; it is taken for Spark 4.2"));
});

test("A failure of the endpoint itself is no refusal, whatever it says", async (context) => {
  const { fake, self, ref } = await connect(context, "4.2.0_2.13");
  const failing = await ref("Failing");
  fake.takeHeard();
  const error = await within(assertRejects(() => failing.ask(self), RpcRemoteError), "failure");
  assertStringIncludes(error.message, "InvalidClassException: a.B");
  assertEquals(fake.takeHeard(), ["ask Failing ref(Self)"]);
});

test("What waits for what the peer is counts against maxOutboxBytes", async (context) => {
  const { fake, env, self, echo } = await connect(context, "3.5.8_2.13", { limits: { maxOutboxBytes: 4_096 } });
  fake.probes = "ignored";
  echo.send(self);
  echo.send(new Uint8Array(2_000));
  assertEquals(env.stats().outboxes.map(({ queuedMessages }) => queuedMessages), [2]);
  echo.send(new Uint8Array(2_000));
  await within(assertRejects(() => echo.ask(new Uint8Array(2_000)), RpcOverloadedError, "maxOutboxBytes"), "refusal");
  assertEquals(env.stats().lostMessages, 1);
  fake.disconnect();
  await until(() => env.stats().lostMessages === 3, "what waited to be lost");
  assertEquals(env.stats().outboxes, []);
});

test("What waits for what the peer is ends with the connection: asks fail, messages are lost", async (context) => {
  const { fake, env, logger, self, echo } = await connect(context, "3.5.8_2.13");
  fake.probes = "ignored";
  echo.send(self);
  const failed = assertRejects(() => echo.ask("waits"), RpcError, "Outbox is stopped");
  const [connection] = env.stats().connections;
  fake.disconnect();
  assertStringIncludes(String((await within(failed, "failure")).cause), connection!.remote);
  assertEquals([env.stats().lostMessages, fake.takeHeard()], [1, []]);
  fake.probes = "answered";
  echo.send(self);
  await until(() => fake.heard.includes("send Echo ref(Self)"), "the message over a new connection");
  assertEquals(logger.has("does not say which version of Spark it is"), false);
});

test("An ask that waits for what the peer is ends at its deadline, and a peer that is silent is taken for the newest", async (context) => {
  const clock = new HandTime();
  const { fake, logger, self, echo } = await connect(context, "4.1.1_2.13", { clock });
  fake.probes = "ignored";
  echo.send(self);
  const failed = assertRejects(() => echo.ask("waits", { timeoutMs: 1_000 }), RpcTimeoutError);
  clock.advance(1_001);
  assertEquals((await within(failed, "timeout")).phase, "queued");
  echo.send("after");
  clock.advance(PROBE_TIMEOUT_MS);
  await until(() => fake.heard.length === 2, "what waited");
  assertEquals(fake.takeHeard(), ["send Echo ref(Self)", "send Echo after"]);
  assertEquals(logger.lines.filter((line) => line.includes("it is taken for Spark 4.2")).length, 1);
});

test("What a peer was is remembered for the next connection, and forgotten when it is another", async (context) => {
  const { fake, env, self, echo } = await connect(context, "3.5.8_2.13");
  await within(echo.ask(self), "answer");
  const reconnect = async (build: Build) => {
    fake.build = build;
    fake.disconnect();
    await until(() => env.stats().connections.length === 0, "the end of the connection");
    fake.takeHeard();
  };
  await reconnect("3.5.8_2.13");
  await within(echo.ask(self), "answer");
  assertEquals(fake.takeHeard(), ["ask Echo ref(Self)"], "the same as before");
  await reconnect("4.0.1_2.13");
  await within(echo.ask(self), "answer");
  assertEquals(fake.takeHeard(), ["ask refused: RpcEndpointRef", "ask Echo ref(Self)"], "another");
  await reconnect("4.2.0_2.13");
  // What is remembered is a guess: a message that could be lost asks first.
  echo.send(self);
  await until(() => fake.heard.includes("send Echo ref(Self)"), "the message");
  assertEquals(fake.takeHeard(), ["probe refused: SparkException", "probe", "send Echo ref(Self)"]);
});

test("java.with({ sparkVersion }) is what is written, whatever the peer is", async (context) => {
  const serializers = [java.with({ sparkVersion: "3.5" })];
  const { fake, self, echo } = await connect(context, "3.5.8_2.13", { serializers });
  echo.send(self);
  assertEquals(nameOf(await within(echo.ask(self), "answer")), "Self");
  assertEquals(fake.takeHeard(), ["send Echo ref(Self)", "ask Echo ref(Self)"]);
  fake.build = "4.2.0_2.13";
  const error = await within(assertRejects(() => echo.ask(self), RpcError), "refusal");
  assertStringIncludes(error.message, "which was written for Spark 3.5 with Scala 2.13: its ");
  assertStringIncludes(error.message, "that of Spark 4.1 or 4.2 with Scala 2.13");
  assertEquals(fake.takeHeard(), ["ask refused: RpcEndpointRef"]);
});

test("An ask that may have to be sent again is kept until it has ended, however it ends", async (context) => {
  for (const build of BUILDS) {
    const { env, self, echo } = await connect(context, build);
    assertInstanceOf(env, NettyRpcEnv);
    const early = new AbortController();
    const message = {
      self,
      get last() {
        early.abort(new Error("enough"));
        return 1;
      },
    };
    await assertRejects(() => echo.ask(message, { signal: early.signal }), Error, "enough");
    assertEquals(env.sparkPeers.keptBytes, 0, build);
    const abort = new AbortController();
    const aborted = assertRejects(() => echo.askAbortable([self], { signal: abort.signal }).future, Error, "enough");
    const answered = echo.ask(self);
    assert(env.sparkPeers.keptBytes > 0, build);
    abort.abort(new Error("enough"));
    await within(aborted, "the failure");
    assertEquals(nameOf(await within(answered, "answer")), "Self");
    assertEquals(env.sparkPeers.keptBytes, 0, build);
  }
});

for (const build of ["4.1.1_2.13", "4.2.0_2.13"] as const) {
  test(`References that are bound to a connection wait with all else that goes over it: ${build}`, async (context) => {
    // References are the same in 4.1 and 4.2; an exception of Spark's own is not.
    const { fake, env, back } = await dialled(context, build);
    back.send("first");
    back.send(sparkException());
    back.send("between");
    assertEquals(await within(back.ask("asked"), "answer"), "asked");
    const heard = fake.takeHeard().map((line) => line.replace(/RpcRemoteError.*/, "exception"));
    assertEquals(heard, [
      ...[
        "send Echo first",
        ...(build === "4.1.1_2.13" ? ["probe refused: SparkException", "probe"] : ["probe", "send Echo exception"]),
      ],
      ...["send Echo between", "ask Echo asked"],
    ]);
    assertEquals(
      env.stats().lostMessages,
      build === "4.1.1_2.13" ? 1 : 0,
      "it came from a Spark 4.2, and no other can read it",
    );
    assertEquals(env.stats().outboxes, []);
  });
}

test("A reference that is bound to a connection tells of its end alike, whether something waited there or not", async (context) => {
  for (const waits of [false, true]) {
    const { fake, env, client, back } = await dialled(context, "4.1.1_2.13");
    fake.probes = "ignored";
    const heard: string[] = [];
    env.setupEndpoint("Listener", {
      async onDisconnected() {
        back.send("sent");
        await back.ask("asked").catch(({ code }) => heard.push(code));
      },
      onError: ({ message }) => void heard.push(message),
    });
    if (waits) back.send(sparkException());
    client.close();
    await until(() => heard.length > 0, "the end of the connection");
    assertEquals([heard, env.stats().lostMessages], [["DISCONNECTED"], waits ? 2 : 1]);
  }
});

test("What waits on a connection that a reference is bound to ends at its deadline, and leaves no timer behind", async (context) => {
  const clock = new HandTime();
  const { fake, env, client, back } = await dialled(context, "4.1.1_2.13", { clock });
  fake.probes = "ignored";
  back.send(sparkException());
  const failed = assertRejects(() => back.ask("waits", { timeoutMs: 1_000 }), RpcTimeoutError);
  clock.advance(1_001);
  assertEquals((await within(failed, "timeout")).phase, "queued");
  clock.advance(PROBE_TIMEOUT_MS);
  await until(() => fake.heard.length === 1, "what waited");
  assertEquals(await within(back.ask("after"), "answer"), "after");
  const before = clock.timers.length;
  client.close();
  await until(() => env.stats().connections.length === 0, "the end of the connection");
  assertEquals([before > 0, clock.timers, env.stats().outboxes], [true, [], []]);
});
