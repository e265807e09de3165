import { assertEquals, assertThrows } from "@std/assert";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SerializerError } from "../../../src/base/errors.ts";
import { java } from "../../../src/rpc/java_serializer.ts";
import { sparkDeploy } from "../../../src/serializer/java/deploy_messages.ts";
import {
  buildsOf,
  describeBuilds,
  findIncompatibleClass,
  isSparkClass,
  PeerSparkVersion,
  SPARK_VERSIONS,
  sparkUid,
  type SparkVersion,
  variesBySpark,
} from "../../../src/serializer/java/spark_versions.ts";
import type { SerializerContext } from "../../../src/serializer/serializer.ts";
import { fromHex, test, toHex } from "../../_harness.ts";
import { projectRoot } from "../../_project.ts";
import { context, decode, encode, FakeRef, sparkException, vector } from "./_java.ts";

const REF = "org.apache.spark.rpc.RpcEndpointRef";
const EXCEPTION = "org.apache.spark.SparkException";

/** What ObjectStreamClass said of each class, in each build. */
function table(): { readonly builds: readonly string[]; readonly rows: readonly (readonly string[])[] } {
  const file = join(projectRoot, "tests", "vectors", "suids.tsv");
  if (!existsSync(file)) throw new Error(`There is no ${file}`);
  const [head, ...rows] = readFileSync(file, "utf8").trim().split("\n").map((line) => line.split("\t"));
  return { builds: head!.slice(1), rows };
}

test("The table of serialVersionUIDs is what each build of Spark says", () => {
  const { builds, rows } = table();
  let compared = 0;
  for (const [className, ...uids] of rows) {
    uids.forEach((uid, i) => {
      if (!isSparkClass(className!) || !/^-?\d+$/.test(uid)) return;
      const [spark, scala] = builds[i]!.split("_");
      const found = buildsOf(className!, BigInt(uid)).some((build) => spark!.startsWith(build.spark) && build.scala === scala);
      assertEquals(found, true, `${className} of ${builds[i]}`);
      if (scala === "2.13") assertEquals(sparkUid(className!, spark!.slice(0, 3) as SparkVersion), BigInt(uid));
      compared++;
    });
  }
  assertEquals(compared > 500, true);
  for (const className of ["java.lang.Integer", "com.example.None"]) assertEquals(isSparkClass(className), false);
});

test("Every deploy message is in the table, and all but four in that of Spark 3.5", () => {
  const names = Object.values(sparkDeploy).map(({ className }) => className).filter((name) => name.startsWith("org.apache."));
  assertEquals(names.length > 55, true);
  for (const name of names) assertEquals(typeof sparkUid(name, "4.2"), "bigint", name);
  const later = names.filter((name) => sparkUid(name, "3.5") === undefined).map((name) => name.replace(/^.*\$(?=.)/, ""));
  assertEquals(later, [
    "KillAllDriversResponse",
    "RequestClearCompletedDriversAndApps$",
    "RequestKillAllDrivers$",
    "RequestReadyz$",
  ]);
});

test("describeBuilds() says which Spark and which Scala", () => {
  assertEquals(describeBuilds(buildsOf(REF, -2184441956866814275n)), "Spark 3.5 with Scala 2.12");
  assertEquals(describeBuilds(buildsOf(REF, sparkUid(REF, "4.1")!)), "Spark 4.1 or 4.2 with Scala 2.13");
  assertEquals(
    describeBuilds(buildsOf("org.apache.spark.rpc.RpcTimeout", -5367083702551883755n)),
    "Spark 2.4 or 3.5 with Scala 2.12",
  );
  assertEquals(describeBuilds(buildsOf(REF, 1n)), "an unknown build");
});

test("findIncompatibleClass() finds class and serialVersionUIDs in the text of a failure", () => {
  const text = `java.lang.RuntimeException: java.io.InvalidClassException: ${REF}; local class incompatible: ` +
    "stream classdesc serialVersionUID = -6062078299962416402, local class serialVersionUID = 7061521101402579207\n\tat a.b(C.java:1)";
  assertEquals(findIncompatibleClass(text), {
    className: REF,
    sentUid: -6062078299962416402n,
    localUid: 7061521101402579207n,
  });
  assertEquals(findIncompatibleClass("java.io.InvalidClassException: a.B; no valid constructor"), undefined);
  assertEquals(findIncompatibleClass("x".repeat(100_000)), undefined);
});

test("PeerSparkVersion learns from the classes that a peer sends", () => {
  for (const version of SPARK_VERSIONS) {
    const peer = new PeerSparkVersion();
    assertEquals(peer.candidates, SPARK_VERSIONS);
    assertEquals(peer.observe("org.apache.spark.rpc.RpcAddress", sparkUid("org.apache.spark.rpc.RpcAddress", version)!), false);
    assertEquals(peer.observe("com.example.Mine", 1n), false);
    assertEquals(peer.observe(EXCEPTION, sparkUid(EXCEPTION, version)!), true);
    assertEquals([peer.candidates, peer.problem], [[version], undefined]);
    assertEquals(peer.observe(REF, sparkUid(REF, version)!), false);
  }
});

test("PeerSparkVersion has the newest first of those that a peer can be", () => {
  const peer = new PeerSparkVersion();
  assertEquals(peer.observe(REF, sparkUid(REF, "4.1")!), true);
  assertEquals(peer.candidates, ["4.2", "4.1"]);
});

test("PeerSparkVersion starts again from a class that contradicts all it knew", () => {
  const peer = new PeerSparkVersion();
  for (const version of ["4.2", "3.5", "4.2"] as const) {
    assertEquals(peer.observe(EXCEPTION, sparkUid(EXCEPTION, version)!), true);
    assertEquals([peer.candidates, peer.observe(EXCEPTION, sparkUid(EXCEPTION, version)!)], [[version], false]);
  }
  for (const [className, version] of [[REF, "4.0"], [EXCEPTION, "4.2"]] as const) {
    assertEquals([peer.observe(className, sparkUid(className, version)!), peer.candidates], [true, [version]]);
  }
});

test("PeerSparkVersion.isSure() is so if every version that a peer can be has the class so", () => {
  const peer = new PeerSparkVersion();
  const sure = () => SPARK_VERSIONS.map((version) => peer.isSure(REF, sparkUid(REF, version)!));
  assertEquals(sure(), [false, false, false, false]);
  peer.observe(REF, sparkUid(REF, "4.1")!);
  assertEquals(sure(), [true, true, false, false]);
  assertEquals(peer.isSure(EXCEPTION, sparkUid(EXCEPTION, "4.1")!), false);
  assertEquals([peer.isSure("com.example.Mine", 1n), peer.isSure(REF, 1n)], [true, false]);
  assertEquals([peer.observe(EXCEPTION, 1n), peer.observe(EXCEPTION, 1n)], [true, false]);
  assertEquals(sure(), [true, true, false, false], "one class of no known build says nothing of the others");
  assertEquals([peer.isSure(EXCEPTION, sparkUid(EXCEPTION, "4.2")!), peer.isSure(EXCEPTION, 1n)], [false, true]);
  assertEquals([peer.problemOf(EXCEPTION), peer.problemOf(REF)], [peer.problem, undefined]);
});

test("variesBySpark() names the classes that are not the same from 3.5 to 4.2", () => {
  const names = table().rows.map(([name]) => name!).filter(variesBySpark).map((name) => name.replace(/^.*[.$]/, ""));
  assertEquals(names, [
    ...["RpcEndpointRef", "SparkException", "WorkerInfo", "WorkerResourceInfo", "ResourceProfile", "ResourceInformation"],
    ...["SparkAppConfig", "Vector", "Range", "Inclusive", "Exclusive", "FiniteDuration"],
  ]);
});

test("java.encode() tells where it writes classes that vary, and that those which came are not its own to change", () => {
  for (const [value, own] of [[new FakeRef("Master"), true], [sparkException(), false]] as const) {
    const told: (readonly [string, bigint, number])[] = [];
    const listening = { ...context, wroteSparkClass: (...one: readonly [string, bigint, number]) => void told.push(one) };
    // The first time and those after it: what was written before is not written in one piece.
    for (let i = 0; i < 2; i++) {
      told.length = 0;
      const bytes = encode(value, java, listening);
      assertEquals(told.length > 0, true);
      for (const [, uid, at] of told) {
        assertEquals(at >= 0, own);
        if (own) assertEquals(new DataView(bytes.buffer).getBigInt64(at), uid);
      }
    }
    told.length = 0;
    encode(value, java.with({ sparkVersion: "3.5" }), listening);
    assertEquals(told, [], "a codec that was told of a version asks nobody");
  }
});

test("PeerSparkVersion names a Spark of Scala 2.12, and one that it does not know", () => {
  const peer = new PeerSparkVersion();
  assertEquals(peer.observe(REF, -2184441956866814275n), true);
  assertEquals(
    peer.problem,
    `${REF} has the serialVersionUID -2184441956866814275, that of Spark 3.5 with Scala 2.12; known are Spark 3.5 to 4.2 with Scala 2.13`,
  );
  const unknown = new PeerSparkVersion();
  unknown.observe(REF, 1n);
  assertEquals(
    unknown.problem,
    `${REF} has the serialVersionUID 1, an unknown build; known are Spark 3.5 to 4.2 with Scala 2.13`,
  );
});

test("java.decode() tells the environment of each class that content describes", () => {
  const peer = new PeerSparkVersion();
  const seen: string[] = [];
  const listening: SerializerContext = {
    ...context,
    sawJavaClass(className, uid) {
      seen.push(className);
      peer.observe(className, uid);
    },
  };
  const before = java.with({});
  for (let i = 0; i < 3; i++) decode(vector("NettyRpcEndpointRef"), before, listening);
  assertEquals(seen.filter((className) => className === REF).length, 3, "also of those that it knows by their bytes");
  assertEquals(peer.candidates, ["4.2", "4.1"]);
});

for (const version of SPARK_VERSIONS) {
  test(`java.encode() writes for Spark ${version}, and reads what that writes`, () => {
    const ref = new FakeRef("Master", { host: "127.0.0.1", port: 7077 });
    const told = encode(ref, java, { ...context, sparkVersion: version });
    assertEquals(toHex(told), toHex(encode(ref, java.with({ sparkVersion: version }))));
    const peer = new PeerSparkVersion();
    const arrived = decode(told, java, { ...context, sawJavaClass: (name, uid) => void peer.observe(name, uid) });
    assertEquals((arrived as FakeRef).name, "Master");
    assertEquals(peer.candidates.includes(version), true);
    const newest = toHex(vector("NettyRpcEndpointRef"));
    const uid = (of: SparkVersion) => BigInt.asUintN(64, sparkUid(REF, of)!).toString(16).padStart(16, "0");
    const duration = (of: SparkVersion) =>
      BigInt.asUintN(64, sparkUid("scala.concurrent.duration.FiniteDuration", of)!).toString(16).padStart(16, "0");
    assertEquals(toHex(told), newest.replace(uid("4.2"), uid(version)).replace(duration("4.2"), duration(version)));
  });
}

test("java.decode() names the class, the Spark and the Scala that it cannot read", () => {
  const uid = (value: bigint) => BigInt.asUintN(64, value).toString(16).padStart(16, "0");
  const hex = toHex(vector("NettyRpcEndpointRef")).replace(uid(sparkUid(REF, "4.2")!), uid(-2184441956866814275n));
  assertThrows(
    () => decode(fromHex(hex)),
    SerializerError,
    `${REF} has the serialVersionUID -2184441956866814275, that of Spark 3.5 with Scala 2.12`,
  );
});
