import { assertEquals, assertInstanceOf, assertRejects, assertStringIncludes } from "@std/assert";
import { RpcRemoteError } from "../../src/base/errors.ts";
import { java } from "../../src/rpc/java_serializer.ts";
import { RpcAddress } from "../../src/rpc/rpc_address.ts";
import type { RpcEndpoint } from "../../src/rpc/rpc_endpoint.ts";
import type { RpcEndpointRef } from "../../src/rpc/rpc_endpoint_ref.ts";
import { RpcEnv, type RpcEnvOptions } from "../../src/rpc/rpc_env.ts";
import { PROBE_TIMEOUT_MS } from "../../src/rpc/spark_peer.ts";
import { MAX_REMEMBERED_PEERS, SparkPeers } from "../../src/rpc/spark_peers.ts";
import { VersionedContent } from "../../src/rpc/versioned_content.ts";
import { CheckExistence } from "../../src/serializer/java/check_existence.ts";
import { Deadlines } from "../../src/base/deadlines.ts";
import type { TransportClient } from "../../src/transport/transport_client.ts";
import { HandTime } from "../_hand_time.ts";
import { test, type TestContext, until, within } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";
import { context as fakeContext, FakeRef, sparkException } from "../serializer/java/_java.ts";
import { type Build, FakeSpark } from "./_fake_spark.ts";

const BUILDS: readonly Build[] = ["3.5.8_2.13", "4.0.1_2.13", "4.1.1_2.13", "4.2.0_2.13"];

/** A server of ours with an endpoint `Target`, and a fake Spark that has dialled it. */
async function serve(
  context: TestContext,
  build: Build,
  target: (self: () => RpcEndpointRef) => RpcEndpoint,
  options: Partial<RpcEnvOptions> = {},
) {
  const logger = new MemoryLogger();
  const serializers = [java];
  const env = await RpcEnv.create({ name: "here", host: "127.0.0.1", port: 0, logger, serializers, ...options });
  context.defer(() => within(env.shutdown(), "the environment to end"));
  const self: RpcEndpointRef = env.setupEndpoint("Target", target(() => self));
  const fake = await FakeSpark.create(context, build);
  const client = await fake.dial(env.address!.port);
  const ask = (message: unknown, name = "Target") => within(fake.ask(client, name, message), "answer");
  return { env, logger, fake, client, ask };
}

/** Answers with a reference to itself, whatever it is asked. */
const givesItself = (self: () => RpcEndpointRef): RpcEndpoint => ({ receiveAndReply: () => self() });

const throwsSparkException = (): RpcEndpoint => ({
  receiveAndReply() {
    throw sparkException();
  },
});

for (const build of BUILDS) {
  test(`SparkPeer asks an asker of which nothing is known what it can read, before it is answered: ${build}`, async (context) => {
    const { fake, ask } = await serve(context, build, givesItself);
    assertEquals(((await ask("a text")) as FakeRef).name, "Target");
    const probes = build.startsWith("4.2") ? ["probe"] : ["probe refused: SparkException", "probe"];
    assertEquals(fake.takeHeard(), probes);
    assertEquals(((await ask("another")) as FakeRef).name, "Target");
    assertEquals(fake.takeHeard(), [], "once is enough");
  });

  test(`SparkPeer learns what an asker can read from what it asks with: ${build}`, async (context) => {
    const { fake, ask } = await serve(context, build, givesItself);
    assertEquals(((await ask(new FakeRef("Mine"))) as FakeRef).name, "Target");
    assertEquals(fake.takeHeard(), []);
  });

  test(`SparkPeer answers what every version can read at once: ${build}`, async (context) => {
    const { fake, ask } = await serve(context, build, () => ({ receiveAndReply: (message) => [message, null, 1n, new Map()] }));
    assertEquals(await ask("a text"), ["a text", null, 1n, new Map()]);
    assertEquals(fake.takeHeard(), []);
  });

  test(`SparkPeer sends an exception of another version as text: ${build}`, async (context) => {
    const { ask } = await serve(context, build, throwsSparkException);
    const error = await assertRejects(() => ask("a text"), RpcRemoteError);
    const { message } = sparkException();
    if (build.startsWith("4.2")) assertEquals([error.remoteClass, error.message], ["org.apache.spark.SparkException", message]);
    else {
      assertEquals(error.remoteClass, undefined);
      assertStringIncludes(error.message, message);
    }
  });
}

test("SparkPeer asks once for all answers that wait, and bounds them by maxOutboxBytes", async (context) => {
  const options = { limits: { maxOutboxBytes: 4_096 } };
  const { fake, ask } = await serve(context, "4.0.1_2.13", (self) => ({
    receiveAndReply: (message) => [self(), new Uint8Array(Number(message))],
  }), options);
  const answers = [1_000, 500, 3_000].map((size) => ask(size).then((answer) => (answer as unknown[]).length, String));
  const [first, second, third] = await within(Promise.all(answers), "answers");
  assertEquals([first, second], [2, 2]);
  assertStringIncludes(String(third), "(maxOutboxBytes)");
  // One alone always has room.
  const other = await serve(
    context,
    "4.0.1_2.13",
    (self) => ({ receiveAndReply: () => [self(), new Uint8Array(9_000)] }),
    options,
  );
  assertEquals((await other.ask("a text") as unknown[]).length, 2);
  assertEquals(fake.takeHeard(), ["probe refused: SparkException", "probe"]);
});

test("An asker that does not say what it is gets its answer in the newest classes", async (context) => {
  const clock = new HandTime();
  const { env, fake, logger, ask } = await serve(context, "4.2.0_2.13", givesItself, { clock });
  fake.probes = "ignored";
  const answer = ask("a text");
  await until(() => env.stats().connections.some(({ outstandingRequests }) => outstandingRequests === 1), "the question");
  clock.advance(PROBE_TIMEOUT_MS + 1);
  assertEquals((await answer as FakeRef).name, "Target");
  assertEquals((await ask("another") as FakeRef).name, "Target");
  assertEquals(logger.lines.filter((line) => line.includes("does not say which version of Spark it is")).length, 1);
});

test("An asker that answers the question of what it is with a value gets its answer in the newest classes", async (context) => {
  const { fake, logger, ask } = await serve(context, "4.2.0_2.13", givesItself);
  fake.probes = "valued";
  assertEquals((await ask("a text") as FakeRef).name, "Target");
  assertEquals(fake.takeHeard(), ["probe"]);
  assertEquals(logger.lines.filter((line) => line.includes("does not say which version of Spark it is")).length, 1);
});

test("An answer that waits for an asker that goes is dropped", async (context) => {
  const { env, fake, client, ask } = await serve(context, "3.5.8_2.13", givesItself);
  fake.probes = "ignored";
  const failed = assertRejects(() => ask("a text"), Error);
  await until(() => env.stats().connections.some(({ outstandingRequests }) => outstandingRequests === 1), "the question");
  client.close();
  await within(failed, "failure");
  await until(() => env.stats().connections.length === 0, "the end of the connection");
});

test("An answer that no version of its asker can read fails its ask, and names the class", async (context) => {
  const { ask } = await serve(context, "4.0.1_2.13", () => ({ receiveAndReply: () => [sparkException()] }));
  const error = await assertRejects(() => ask("a text"), RpcRemoteError);
  assertStringIncludes(
    error.message,
    "cannot read this: org.apache.spark.SparkException of Spark 4.2 with Scala 2.13 is not that of Spark 4.0 with Scala 2.13",
  );
});

test("A Spark of Scala 2.12 finds an endpoint and hears of failures as text; the log names it once", async (context) => {
  const { logger, ask } = await serve(context, "3.5.8_2.12", throwsSparkException);
  for (let i = 0; i < 2; i++) assertEquals(await ask(new CheckExistence("Target"), "endpoint-verifier"), true);
  const error = await assertRejects(() => ask("a text"), RpcRemoteError);
  assertInstanceOf(error, RpcRemoteError);
  assertStringIncludes(error.message, sparkException().message);
  const named = logger.lines.filter((line) => line.includes("is no Spark that is known"));
  assertEquals(named.length, 1);
  assertStringIncludes(named[0]!, "that of Spark 2.4 or 3.5 with Scala 2.12; known are Spark 3.5 to 4.2 with Scala 2.13");
});

test("SparkPeers keeps asks up to maxOutboxBytes, and remembers so many addresses", () => {
  const logger = new MemoryLogger();
  const deadlines = new Deadlines(new HandTime());
  const peers = new SparkPeers({ encoding: fakeContext, deadlines, maxOutboxBytes: 10, logger });
  const of = (size: number) => new VersionedContent(new Uint8Array(size), []);
  assertEquals([peers.keep(of(100)), peers.keep(of(1))], [true, false], "one alone always has room");
  peers.release(of(100));
  assertEquals([peers.keep(of(6)), peers.keep(of(4)), peers.keep(of(1)), peers.keptBytes], [true, true, false, 10]);
  for (let i = 0; i <= MAX_REMEMBERED_PEERS; i++) peers.remember(`host:${i}`, "4.0");
  assertEquals([peers.remembered("host:0"), peers.remembered("host:1")], [undefined, "4.0"]);
  // What is learnt anew of one drives out no other.
  peers.remember("host:9", "3.5");
  assertEquals([peers.remembered("host:1"), peers.remembered("host:9")], ["4.0", "3.5"]);
  const address = new RpcAddress("host", 9);
  assertEquals(peers.at(undefined, address).sparkVersion, "3.5");
  // Who has dialled came from a port that tells nothing of who listens there.
  const connected = (dialled: boolean) => peers.of({ channel: { dialled } } as TransportClient, address).sparkVersion;
  assertEquals([connected(true), connected(false)], ["3.5", "4.2"]);
});
