import { assert, assertEquals } from "@std/assert";
import { java, type RpcEndpointRef, type SparkVersion } from "../../mod.ts";
import { SPARK_VERSIONS, sparkUid } from "../../src/serializer/java/spark_versions.ts";
import { fromHex, test, type TestContext, toHex, within } from "../_harness.ts";
import { readVectors } from "../_vectors.ts";
import { createEnv } from "./_envs.ts";
import { skip, Spark, sparkVersion } from "./_spark.ts";

const version = SPARK_VERSIONS.find((one) => sparkVersion.startsWith(one)) ?? "4.2";

/** What the vectors describe that is another class in another version. */
const VARYING = [
  ...["rpc.RpcEndpointRef", "SparkException", "deploy.master.WorkerInfo", "deploy.master.WorkerResourceInfo"],
  ...["resource.ResourceProfile", "resource.ResourceInformation"],
].map((name) => `org.apache.spark.${name}`).concat(
  "scala.concurrent.duration.FiniteDuration",
  ...["Vector", "Range", "Range$Inclusive", "Range$Exclusive"].map((name) => `scala.collection.immutable.${name}`),
);

/** What a Spark 4.2 wrote, as the Spark at the other end would have: with its own serialVersionUIDs. */
function retargeted(hex: string): string {
  let text = hex;
  for (const className of VARYING) {
    const uid = (of: SparkVersion) => BigInt.asUintN(64, sparkUid(className, of)!).toString(16).padStart(16, "0");
    const name = toHex(new TextEncoder().encode(className));
    text = text.replaceAll(name + uid("4.2"), name + uid(version));
  }
  return text;
}

/** The class of failures, as it stands in a content; one as the value of an answer is the failure of its ask. */
const FAILURE = toHex(new TextEncoder().encode("org.apache.spark.rpc.netty.RpcFailure"));

async function connect(context: TestContext) {
  const there = await (await Spark.open(context)).createEnv("there");
  const here = await createEnv(context, { serializers: [java.with({ exactNumbers: true })] });
  const ref = (name: string) => within(here.setupEndpointRef(there.uri(name)), "lookup");
  return { read: await ref("Read"), copy: await ref("Copy"), describe: await ref("Describe") };
}

async function textOf(ref: RpcEndpointRef, message: unknown): Promise<string> {
  return String(await within(ref.ask(message), "description"));
}

for (const file of ["collections-4.2.0_2.13", "deploy-4.2.0_2.13", "java-4.2.0_2.13", "upload-4.2.0_2.13"]) {
  test(`what a vector holds is the same to a Spark when it comes from here: ${file}`, async (context) => {
    const { read, copy, describe } = await connect(context);
    const vectors = readVectors(file);
    assert(vectors.length > 0);
    for (const { name, hex } of vectors) {
      if (hex.includes(FAILURE)) continue;
      const bytes = fromHex(retargeted(hex));
      const value = await within(copy.ask(bytes), name);
      assertEquals(JSON.parse(await textOf(describe, value)), JSON.parse(await textOf(read, bytes)), name);
    }
  }, { skip });
}
