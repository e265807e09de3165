import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { RpcError } from "../../mod.ts";
import { runExample, startExample, whyNot } from "../examples/_example.ts";
import { deferred, test, within } from "../_harness.ts";
import { createEnv } from "./_envs.ts";
import { skip, Spark, SparkFailure, startSparkProcess } from "./_spark.ts";

const ASK = "examples/ask.ts";
const ECHO = "examples/echo.ts";

test("a Spark's process that is killed is seen to go, and asks that are under way fail", async (context) => {
  const jvm = await startSparkProcess(context);
  const spark = await Spark.open(context, jvm.address);
  const there = await spark.createEnv("there");
  const here = await createEnv(context);
  const gone = deferred<string>();
  here.setupEndpoint("Watcher", { onDisconnected: (address) => gone.resolve(String(address)) });
  const later = await within(here.setupEndpointRef(there.uri("Later")), "lookup");
  const failed = assertRejects(() => later.ask("never"), RpcError, there.address);
  await spark.event("waiting");
  jvm.kill("SIGKILL");
  await within(failed, "failure");
  assertEquals(await within(gone.promise, "onDisconnected"), there.address);
  await within(spark.ended, "the end of the session");
}, { skip });

test("a Spark sees that our process was killed", async (context) => {
  const spark = await Spark.open(context);
  const there = await spark.createEnv("there", { client: true });
  const ours = startExample(context, ECHO, []);
  const [, uri, address] = await ours.waitFor(/^READY (\S+@(\S+))$/m);
  const { ref } = await there.lookup(uri!);
  const { described } = await assertRejects(() => there.ask(ref, "no typed message"), SparkFailure);
  assertMatch(described.cause?.message ?? "", /^Unsupported message/);
  ours.kill("SIGKILL");
  await spark.event("disconnected", (event) => event.address === address);
}, { skip: skip ?? whyNot(ECHO) });

test("ask.ts asks a Spark, and prints its answer or its failure", async (context) => {
  const there = await (await Spark.open(context)).createEnv("there");
  const ask = (endpoint: string, json: string) =>
    runExample(context, ASK, [there.uri(endpoint), json, "--serializer", "java", "--timeout", "20s"]);
  const echoed = await ask("Echo", '["a", 1, {"$bigint": "9007199254740993"}, {"$bytes": "AQID"}]');
  assertEquals([echoed.code, echoed.stderr], [0, ""]);
  assertEquals(JSON.parse(echoed.stdout), ["a", 1, { $bigint: "9007199254740993" }, { $bytes: "AQID" }]);
  const unknown = await ask("Specimens", '"UUID"');
  assertEquals([unknown.code, unknown.stderr], [0, ""]);
  const fields = { leastSigBits: { $bigint: "-1" }, mostSigBits: { $bigint: "1" } };
  assertEquals(JSON.parse(unknown.stdout), { $java: ["java.util.UUID", fields] });
  const failed = await ask("Failing", '"throw"');
  assertEquals([failed.code, failed.stdout], [1, ""]);
  assertStringIncludes(failed.stderr, "the endpoint failed with java.lang.IllegalStateException: thrown \u00e9\u{1f600}");
  const missing = await ask("Nobody", "1");
  assertEquals(missing.code, 1);
  assertMatch(missing.stderr, /Cannot find endpoint/);
}, { skip: skip ?? whyNot(ASK) });
