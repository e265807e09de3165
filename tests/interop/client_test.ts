import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import {
  cborSerializer,
  defineJavaClass,
  java,
  JavaEnum,
  JavaObject,
  RpcEndpointNotFoundError,
  type RpcEndpointRef,
  type RpcEnv,
  RpcError,
  RpcRemoteError,
  RpcTimeoutError,
  sparkDeploy,
} from "../../mod.ts";
import { pattern } from "../_vectors.ts";
import { deferred, test, type TestContext, within } from "../_harness.ts";
import { createEnv, type EnvOptions } from "./_envs.ts";
import { integer, list, longText, type Notation, ofLongText, ofManyBytes } from "./_notation.ts";
import { skip, Spark, type SparkRpcEnv } from "./_spark.ts";
import { Person, valueCases } from "./_values.ts";

/** A Spark that is a server, and an environment of ours. */
interface Ends {
  readonly spark: Spark;
  readonly there: SparkRpcEnv;
  readonly here: RpcEnv;
  /** A reference to one of Spark's endpoints. */
  ref(name: string): Promise<RpcEndpointRef>;
}

async function connect(context: TestContext, options: EnvOptions = {}): Promise<Ends> {
  const spark = await Spark.open(context);
  const there = await spark.createEnv("there");
  const here = await createEnv(context, options);
  const ref = (name: string) => within(here.setupEndpointRef(there.uri(name)), `lookup of ${name}`);
  return { spark, there, here, ref };
}

/** Asks the endpoint Describe what it sees. */
async function described(ref: RpcEndpointRef, value: unknown): Promise<Notation> {
  const text = await within(ref.ask(value), "description");
  if (typeof text !== "string") throw new TypeError(`Spark described it by ${String(text)}`);
  return JSON.parse(text);
}

for (const [group, cases] of Object.entries(valueCases)) {
  test(`a Spark sees what was sent: ${group}`, async (context) => {
    const { ref } = await connect(context);
    const describe = await ref("Describe");
    for (const { value, spark } of cases) assertEquals(await described(describe, value), spark);
  }, { skip });

  test(`what a Spark sends is seen here: ${group}`, async (context) => {
    const { ref } = await connect(context);
    const make = await ref("Make");
    for (const one of cases) {
      const expected = "back" in one ? one.back : one.value;
      assertEquals(await within(make.ask(JSON.stringify(one.spark)), "value"), expected, JSON.stringify(one.spark));
    }
  }, { skip });

  test(`a Spark answers with what it was asked: ${group}`, async (context) => {
    const { ref } = await connect(context);
    const echo = await ref("Echo");
    for (const one of cases) {
      assertEquals(
        await within(echo.ask(one.value), "answer"),
        "back" in one ? one.back : one.value,
        JSON.stringify(one.spark),
      );
    }
  }, { skip });
}

test("a constant of an enum comes from a Spark, and goes back as what it was", async (context) => {
  const { ref } = await connect(context);
  const seconds: Notation = ["enum", "java.util.concurrent.TimeUnit", "SECONDS"];
  const value = await within((await ref("Make")).ask(JSON.stringify(seconds)), "value");
  assertInstanceOf(value, JavaEnum);
  assertEquals([value.className, value.name], ["java.util.concurrent.TimeUnit", "SECONDS"]);
  assertEquals(await described(await ref("Describe"), value), seconds);
}, { skip });

test("what a Spark sends goes back as what it was", async (context) => {
  const { ref } = await connect(context, { serializers: [java.with({ classes: [Person], exactNumbers: true })] });
  const [make, describe] = [await ref("Make"), await ref("Describe")];
  const notations: Notation[] = [
    ...Object.values(valueCases).flatMap((cases) => cases.map(({ spark }) => spark)),
    ["LinkedList", ["a"]],
    ["HashMap", [["a", integer(1)], ["b", list()]]],
    ["HashSet", ["a", "b"]],
    ["ArraySeq", ["a"]],
    ["URI", "spark://host:1/a%20b"],
  ];
  for (const notation of notations) {
    assertEquals(await described(describe, await within(make.ask(JSON.stringify(notation)), "value")), notation);
  }
}, { skip });

test("objects that occur twice or in themselves do so at a Spark, and back here", async (context) => {
  const { ref } = await connect(context);
  const [describe, echo] = [await ref("Describe"), await ref("Echo")];
  const shared: unknown[] = [1];
  assertEquals(await described(describe, [shared, shared]), list(list(integer(1)), ["#", 1]));
  const ring: unknown[] = [];
  ring.push(ring, new Map([["ring", ring]]));
  assertEquals(await described(describe, ring), list(["#", 0], ["LinkedHashMap", [["ring", ["#", 0]]]]));
  const back = await within(echo.ask(ring), "answer");
  assert(Array.isArray(back) && back.length === 2 && back[1] instanceof Map);
  assert(back[0] === back && back[1].get("ring") === back);
  const twice = await within(echo.ask([shared, shared]), "answer") as unknown[];
  assert(twice[0] === twice[1]);
}, { skip });

test("a text of 70,000 units goes to a Spark and comes from one", async (context) => {
  const { ref } = await connect(context);
  const text = longText(70_000);
  assertEquals(await described(await ref("Describe"), text), ofLongText(text));
  assert(await within((await ref("Make")).ask('["String", 70000]'), "text") === text);
  assert(await within((await ref("Echo")).ask(text), "answer") === text);
}, { skip });

test("100 MB of byte[] go to a Spark, and come from one", async (context) => {
  const { ref, spark } = await connect(context);
  const bytes = pattern(100_000_000);
  const describe = await ref("Describe");
  const text = await within(describe.ask(bytes), "description", 60_000);
  assertEquals(JSON.parse(String(text)), ofManyBytes(bytes));
  const made = await within((await ref("Make")).ask(`["byte[]", ${bytes.length}, 7]`), "bytes", 60_000);
  assertInstanceOf(made, Uint8Array);
  assertEquals(ofManyBytes(made), ofManyBytes(bytes));
  await spark.command("collect");
}, { skip });

test("a class that is not known here is an inert record, and goes back to its Spark whole", async (context) => {
  const { ref } = await connect(context, { serializers: [java] });
  const notation = valueCases["known classes"]!.find(({ value }) => value instanceof Person)!.spark;
  const value = await within((await ref("Make")).ask(JSON.stringify(notation)), "value");
  assertInstanceOf(value, JavaObject);
  assertEquals([value.className, value.get("name"), value.get("tags")], ["sparkwire.interop.Person", "Ada", ["x"]]);
  assertEquals(await described(await ref("Describe"), value), notation);
}, { skip });

test("a handler's exception comes with its class, text, stack and cause", async (context) => {
  const { ref } = await connect(context);
  const failing = await ref("Failing");
  const thrown = await within(assertRejects(() => failing.ask("throw"), RpcRemoteError), "failure");
  assertEquals([thrown.remoteClass, thrown.message], ["java.lang.IllegalStateException", "thrown \u00e9\u{1f600}"]);
  assertMatch(
    thrown.remoteStack ?? "",
    /^java\.lang\.IllegalStateException: thrown .*\n\tat sparkwire\.interop\.Endpoints\$Failing\.answer\(Endpoints\.java:\d+\)\n/,
  );
  assertInstanceOf(thrown.cause, RpcRemoteError);
  assertEquals([thrown.cause.remoteClass, thrown.cause.message], ["java.io.IOException", "the cause"]);
}, { skip });

test("exceptions of each kind: Spark's own, a user's own, one without a text", async (context) => {
  const { ref } = await connect(context);
  const failing = await ref("Failing");
  const sent = await within(assertRejects(() => failing.ask("sendFailure"), RpcRemoteError, "sent"), "failure");
  assertEquals(sent.remoteClass, "org.apache.spark.SparkException");
  assertEquals((sent.cause as RpcRemoteError).remoteClass, "java.lang.NumberFormatException");
  const own = await within(assertRejects(() => failing.ask("own class"), RpcRemoteError, "of a class of its own"), "failure");
  assertEquals([own.remoteClass, own.data?.code], ["sparkwire.interop.OwnException", 42]);
  const silent = await within(assertRejects(() => failing.ask("without text"), RpcRemoteError), "failure");
  assertEquals([silent.remoteClass, silent.message], ["java.lang.NullPointerException", "java.lang.NullPointerException"]);
}, { skip });

test("an answer that a Spark cannot write is a failure that says so", async (context) => {
  const { ref } = await connect(context);
  const error = await within(
    assertRejects(async () => (await ref("Failing")).ask("reply that cannot be written"), RpcRemoteError),
    "failure",
  );
  assertEquals(error.remoteClass, "java.io.NotSerializableException");
  assertStringIncludes(error.message, "java.lang.Object");
}, { skip });

test("a failure goes back to a Spark as what it was", async (context) => {
  const { ref } = await connect(context);
  const error = await within(assertRejects(async () => (await ref("Failing")).ask("own class"), RpcRemoteError), "failure");
  assertEquals(await described(await ref("Describe"), error), [
    "Throwable",
    "sparkwire.interop.OwnException",
    "of a class of its own",
    null,
  ]);
}, { skip });

test("an endpoint that is not there is not found", async (context) => {
  const { here, there } = await connect(context);
  await within(assertRejects(() => here.setupEndpointRef(there.uri("Nobody")), RpcEndpointNotFoundError), "refusal");
}, { skip });

test("an endpoint that takes no such message says so", async (context) => {
  const { ref } = await connect(context);
  const error = await within(assertRejects(async () => (await ref("Watcher")).ask(1), RpcRemoteError), "refusal");
  assertEquals(error.remoteClass, "java.lang.UnsupportedOperationException");
}, { skip });

test("a class that a Spark does not have fails its own ask, and says which class", async (context) => {
  const Nowhere = defineJavaClass("com.example.Nowhere", { serialVersionUID: 1n, fields: { a: "int" } });
  const { ref } = await connect(context, { serializers: [java.with({ classes: [Nowhere] })] });
  const echo = await ref("Echo");
  const error = await within(assertRejects(() => echo.ask(new Nowhere({ a: 1 })), RpcRemoteError), "refusal");
  assertStringIncludes(error.message, "ClassNotFoundException: com.example.Nowhere");
  assertEquals(await within(echo.ask(1), "answer"), 1);
}, { skip });

test("a serialVersionUID that is not a Spark's fails its own ask, and says both", async (context) => {
  const Wrong = defineJavaClass("sparkwire.interop.Person", { serialVersionUID: 2n, fields: {} });
  const { ref } = await connect(context, { serializers: [java.with({ classes: [Wrong] })] });
  const echo = await ref("Echo");
  const error = await within(assertRejects(() => echo.ask(new Wrong({})), RpcRemoteError), "refusal");
  assertStringIncludes(error.message, "stream classdesc serialVersionUID = 2, local class serialVersionUID = 1");
  assertEquals(await within(echo.ask(1), "answer"), 1);
}, { skip });

test("a Spark that is asked in CBOR does not understand, and the error says what to do", async (context) => {
  const { here, there } = await connect(context, { serializers: [cborSerializer, java] });
  const echo = await within(here.setupEndpointRef(there.uri("Echo")), "lookup");
  const error = await within(assertRejects(() => echo.ask(1), RpcError), "refusal");
  assertStringIncludes(error.message, 'serializer: "java"');
  const inJava = await within(here.setupEndpointRef(there.uri("Echo"), { serializer: "java" }), "lookup");
  assertEquals(await within(inJava.ask(1), "answer"), 1);
}, { skip });

test("messages that want no answer arrive in order, and values whole", async (context) => {
  const { ref, spark } = await connect(context);
  const echo = await ref("Echo");
  const count = 500;
  for (let i = 0; i < count; i++) echo.send(i);
  echo.send(new Map([["last", "\ud800"]]));
  for (let i = 0; i < count; i++) assertEquals((await spark.event("received")).value, integer(i));
  assertEquals((await spark.event("received")).value, ["LinkedHashMap", [["last", "\ud800"]]]);
}, { skip });

test("a late answer arrives, after others have", async (context) => {
  const { ref, spark, there } = await connect(context);
  const [later, echo] = [await ref("Later"), await ref("Echo")];
  const [first, second] = [later.ask("first"), later.ask("second")];
  await spark.event("waiting");
  await spark.event("waiting");
  assertEquals(await within(echo.ask("between"), "answer"), "between");
  await there.release("one");
  assertEquals(await within(first, "answer"), "one");
  await there.release(integer(2));
  assertEquals(await within(second, "answer"), 2);
}, { skip });

test("an ask without an answer times out, and its late answer hurts no other", async (context) => {
  const { ref, spark, there } = await connect(context);
  const [later, echo] = [await ref("Later"), await ref("Echo")];
  const error = await within(assertRejects(() => later.ask("never", { timeoutMs: 50 }), RpcTimeoutError), "timeout");
  assertEquals([error.phase, error.peer], ["waiting", there.address]);
  await spark.event("waiting");
  await there.release("too late");
  assertEquals(await within(echo.ask(1), "answer"), 1);
}, { skip });

test("a thousand asks at once get each its own answer", async (context) => {
  const { ref } = await connect(context);
  const echo = await ref("Echo");
  const asked = Array.from({ length: 1_000 }, (_, i) => [i, `text ${i}`]);
  assertEquals(await within(Promise.all(asked.map((value) => echo.ask(value))), "answers"), asked);
}, { skip });

test("a reference in a message leads a Spark back over the connection, from client mode too", async (context) => {
  for (const options of [{}, { port: 0 }]) {
    const { ref, here, spark, there } = await connect(context, options);
    const heard = deferred<unknown>();
    const self = here.setupEndpoint("Back", {
      receiveAndReply: (message) => ["answered", message],
      receive: (message) => heard.resolve(message),
    });
    const keeper = await ref("Keeper");
    assertEquals(await within(keeper.ask([self, "asked"]), "answer"), ["answered", "asked"]);
    assertEquals(await within(keeper.ask(self), "answer"), "kept");
    const kept = await spark.event("kept");
    assertEquals(kept.value, ["ref", "Back", here.address === undefined ? null : String(here.address)]);
    await there.send(kept.ref!, "sent");
    assertEquals(await within(heard.promise, "message"), "sent");
    assertEquals(await there.ask(kept.ref!, integer(1)), list("answered", integer(1)));
  }
}, { skip });

test("a failure of an endpoint that a Spark asks back comes around to the first asker", async (context) => {
  const { ref, here } = await connect(context);
  const self = here.setupEndpoint("Back", {
    receiveAndReply() {
      throw new RangeError("not here");
    },
  });
  const error = await within(assertRejects(async () => (await ref("Keeper")).ask([self, 1]), RpcRemoteError), "failure");
  assertEquals([error.remoteClass, error.message], ["java.lang.RuntimeException", "not here"]);
}, { skip });

test("a reference that a Spark sends can be asked, and goes back as what it was", async (context) => {
  const { ref, there } = await connect(context);
  const notation: Notation = ["ref", "Echo", there.address];
  const echo = await within((await ref("Make")).ask(JSON.stringify(notation)), "reference") as RpcEndpointRef;
  assertEquals([echo.name, String(echo.address)], ["Echo", there.address]);
  assertEquals(await within(echo.ask("over it"), "answer"), "over it");
  assertEquals(await described(await ref("Describe"), echo), notation);
}, { skip });

test("Spark's own messages are understood there", async (context) => {
  const { ref } = await connect(context);
  const message = new sparkDeploy.RequestDriverStatus({ driverId: "driver-1" });
  assertEquals(await described(await ref("Describe"), message), [
    "org.apache.spark.deploy.DeployMessages$RequestDriverStatus",
    ["driver-1"],
  ]);
  const back = await within((await ref("Echo")).ask(message), "answer");
  assertInstanceOf(back, sparkDeploy.RequestDriverStatus);
  assertEquals(back.driverId, "driver-1");
}, { skip });

test("connections are seen at both ends, and so is their end", async (context) => {
  const { here, spark, there } = await connect(context, { port: 0 });
  const [connected, disconnected] = [deferred<string>(), deferred<string>()];
  here.setupEndpoint("Watcher", {
    onConnected: (address) => connected.resolve(String(address)),
    onDisconnected: (address) => disconnected.resolve(String(address)),
  });
  await within(here.setupEndpointRef(there.uri("Echo")), "lookup");
  assertEquals(await within(connected.promise, "onConnected"), there.address);
  // First by the socket's address, then by the address that the first message names.
  const listening = String(here.address);
  assert((await spark.event("connected")).address !== listening);
  await spark.event("connected", ({ address }) => address === listening);
  await there.shutdown();
  assertEquals(await within(disconnected.promise, "onDisconnected"), there.address);
}, { skip });

test("a Spark learns that we have gone, by both addresses", async (context) => {
  const { here, spark, there } = await connect(context, { port: 0 });
  const listening = String(here.address);
  await within(here.setupEndpointRef(there.uri("Echo")), "lookup");
  const socket = (await spark.event("connected")).address;
  await here.shutdown();
  await spark.event("disconnected", ({ address }) => address === socket);
  await spark.event("disconnected", ({ address }) => address === listening);
}, { skip });

test("asks that are under way fail when a Spark goes", async (context) => {
  const { ref, spark, there } = await connect(context);
  const later = await ref("Later");
  const failed = assertRejects(() => later.ask("never"), RpcError, there.address);
  await spark.event("waiting");
  await there.shutdown();
  await within(failed, "failure");
}, { skip });
