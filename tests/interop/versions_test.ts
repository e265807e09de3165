import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { java, type RpcEndpointRef, RpcError, type SparkVersion } from "../../mod.ts";
import { SPARK_VERSIONS } from "../../src/serializer/java/spark_versions.ts";
import { test, type TestContext, within } from "../_harness.ts";
import { createEnv, type EnvOptions } from "./_envs.ts";
import { integer, list, type Notation } from "./_notation.ts";
import { skip, Spark, type SparkEnvOptions, sparkVersion } from "./_spark.ts";

/** Which classes the Spark at the other end has; all of what is here goes without being told. */
const version: SparkVersion = SPARK_VERSIONS.find((one) => sparkVersion.startsWith(one)) ?? "4.2";

async function connect(context: TestContext, options: EnvOptions = {}) {
  const spark = await Spark.open(context);
  const there = await spark.createEnv("there");
  const here = await createEnv(context, options);
  const self = here.setupEndpoint("Self", { receiveAndReply: (message) => message });
  const ref = (name: string) => within(here.setupEndpointRef(there.uri(name)), "lookup");
  return { spark, there, here, self, ref };
}

function ours(ref: RpcEndpointRef): Notation {
  return ["ref", ref.name, ref.address === undefined ? null : String(ref.address)];
}

test("the first message to a Spark may hold a reference: it arrives, and what follows it comes after", async (context) => {
  for (const options of [{}, { port: 0 }]) {
    const { spark, self, ref, here } = await connect(context, options);
    const echo = await ref("Echo");
    echo.send("first");
    echo.send([self]);
    echo.send("between");
    const asked = echo.ask("asked");
    echo.send("last");
    for (const value of ["first", list(ours(self)), "between"]) {
      assertEquals((await spark.event("received")).value, value);
    }
    assertEquals(await within(asked, "answer"), "asked");
    assertEquals((await spark.event("received")).value, "last");
    assertEquals(here.stats().lostMessages, 0);
  }
}, { skip });

test("the first ask of a Spark may hold a reference", async (context) => {
  const { self, ref } = await connect(context);
  const echo = await ref("Echo");
  const answers = await within(Promise.all([echo.ask(self), echo.ask([self, self])]), "answers");
  assertEquals((answers[0] as RpcEndpointRef).name, "Self");
  const [first, second] = answers[1] as RpcEndpointRef[];
  assert(first === second);
}, { skip });

for (const client of [false, true]) {
  const mode: SparkEnvOptions = { client };
  test(
    `a Spark that has only sent texts is answered with a reference, and can ask it: ${client ? "client" : "server"}`,
    async (context) => {
      const here = await createEnv(context, { port: 0 });
      const self: RpcEndpointRef = here.setupEndpoint("Self", {
        receiveAndReply: (message) => message === "who" ? [self, 1] : message,
      });
      const there = await (await Spark.open(context)).createEnv("there", mode);
      const { ref } = await there.lookup(`spark://Self@${here.address}`);
      const answers = await Promise.all([there.ask(ref, "who"), there.ask(ref, "a text"), there.ask(ref, "who")]);
      assertEquals(answers, [list(ours(self), integer(1)), "a text", list(ours(self), integer(1))]);
    },
    { skip },
  );
}

test("Spark's own exceptions go back to it as what they were", async (context) => {
  const { here, there, self, ref } = await connect(context, { port: 0 });
  assert(self.address !== undefined);
  const failing = await ref("Failing");
  here.setupEndpoint("Relay", { receiveAndReply: (message) => failing.ask(message) });
  const relay = await there.lookup(`spark://Relay@${here.address}`);
  const failure = await assertRejects(() => there.ask(relay.ref, "sendFailure"), Error);
  const described = JSON.stringify((failure as Error & { readonly described: unknown }).described);
  assertStringIncludes(described, '"class":"org.apache.spark.SparkException","message":"sent"');
}, { skip });

test("a version that was stated is what is written, right or wrong", async (context) => {
  const right = await connect(context, { serializers: [java.with({ sparkVersion: version })] });
  const echo = await right.ref("Echo");
  assertEquals(((await within(echo.ask(right.self), "answer")) as RpcEndpointRef).name, "Self");
  const other = version === "3.5" ? "4.2" : "3.5";
  const wrong = await createEnv(context, { serializers: [java.with({ sparkVersion: other })] });
  const refused = await within(wrong.setupEndpointRef(right.there.uri("Echo")), "lookup");
  const self = wrong.setupEndpoint("Self", {});
  const error = await within(assertRejects(() => refused.ask(self), RpcError), "refusal");
  assertStringIncludes(error.message, `Spark ${version}`.replace(/4\.[12]/, "4.1 or 4.2"));
  assertStringIncludes(error.message, "RpcEndpointRef has the serialVersionUID");
}, { skip });
