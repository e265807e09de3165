import { assertEquals, assertThrows } from "@std/assert";
import { fromTaggedJson, type Json, toTaggedJson } from "../../examples/_tagged_json.ts";
import {
  defineJavaClass,
  defineScalaObject,
  java,
  JavaBigDecimal,
  javaTypes,
  None,
  RpcEndpointAddress,
  RpcRemoteError,
  sparkDeploy,
  TypedMessage,
} from "../../mod.ts";
import { test } from "../_harness.ts";
import { decode, decodeVector, encode, exact } from "../serializer/java/_java.ts";

test("toTaggedJson() and fromTaggedJson() are each other's inverse", () => {
  const cases: readonly [unknown, Json][] = [
    [null, null],
    [{ a: [true, "text", 1.5, {}] }, { a: [true, "text", 1.5, {}] }],
    [undefined, { $undefined: true }],
    [NaN, { $number: "NaN" }],
    [-Infinity, { $number: "-Infinity" }],
    [-(2n ** 64n), { $bigint: "-18446744073709551616" }],
    [Uint8Array.of(0, 255), { $bytes: "AP8=" }],
    [new Uint8Array(), { $bytes: "" }],
    [new Date(1), { $date: "1970-01-01T00:00:00.001Z" }],
    [new Date(NaN), { $date: "invalid" }],
    [new Map<unknown, unknown>([[{ k: 1 }, undefined]]), { $map: [[{ k: 1 }, { $undefined: true }]] }],
    [{ $map: 1 }, { $$map: 1 }],
    [{ $$map: 1 }, { $$$map: 1 }],
    [{ $map: 1, other: 2 }, { $map: 1, other: 2 }],
    [JSON.parse('{"__proto__": 1}'), JSON.parse('{"__proto__": 1}')],
  ];
  for (const [value, json] of cases) {
    assertEquals(toTaggedJson(value), json);
    assertEquals(fromTaggedJson(JSON.parse(JSON.stringify(json))), value);
  }
  // Comparing two Sets takes a method that Node 20 has not got.
  const set = fromTaggedJson({ $set: [{ $bigint: "1" }] });
  assertEquals([set instanceof Set, toTaggedJson(set)], [true, { $set: [{ $bigint: "1" }] }]);
  assertEquals(toTaggedJson(-0), { $number: "-0" });
  assertEquals(Object.is(fromTaggedJson({ $number: "-0" }), -0), true);
});

test("toTaggedJson() prints what cannot be read again", () => {
  const cases: readonly [unknown, Json][] = [
    [/a+/g, { $regexp: "/a+/g" }],
    [new RangeError("No"), { $error: { name: "RangeError", message: "No" } }],
    [new RpcRemoteError("No", { remoteClass: "java.io.IOException" }), {
      $error: { name: "java.io.IOException", message: "No" },
    }],
    [new RpcRemoteError("No"), { $error: { name: "RpcRemoteError", message: "No" } }],
    [Float32Array.of(1, NaN), { $Float32Array: [1, { $number: "NaN" }] }],
    [BigInt64Array.of(1n), { $BigInt64Array: [{ $bigint: "1" }] }],
    [Uint8Array.of(1, 2).buffer, { $bytes: "AQI=" }],
    [new DataView(Uint8Array.of(1, 2, 3).buffer, 1), { $bytes: "AgM=" }],
    [new TypedMessage("Tag", [1]), { $message: ["Tag", [1]] }],
    [{ endpointAddress: new RpcEndpointAddress(undefined, "Asker") }, { $ref: "spark-client://Asker" }],
    // deno-lint-ignore no-sparse-arrays -- a hole is what this is about.
    [[, 1], [{ $undefined: true }, 1]],
  ];
  for (const [value, json] of cases) assertEquals(toTaggedJson(value), json);
});

test("toTaggedJson() prints a shared or circular value once", () => {
  const shared = { n: 1 };
  const circle: Record<string, unknown> = { first: { deep: [shared] }, "odd key": shared };
  circle.self = circle;
  assertEquals(toTaggedJson(circle), {
    first: { deep: [{ n: 1 }] },
    "odd key": { $same: ".first.deep[0]" },
    self: { $same: "." },
  });
  // Each level twice: printed in full, this would be 2^200 values.
  let tower: unknown = "top";
  for (let level = 0; level < 200; level++) tower = [tower, tower];
  assertEquals(JSON.stringify(toTaggedJson(tower)).length < 200_000, true);
});

test("toTaggedJson() prints objects of Java with their classes and fields", () => {
  const Shape = defineJavaClass("com.example.Shape", { serialVersionUID: 1n, fields: { name: "String", id: "long" } });
  const Circle = defineJavaClass("com.example.Circle", {
    serialVersionUID: 1n,
    extends: Shape,
    fields: { centre: javaTypes.seq("int"), again: "Object", $odd: "byte" },
  });
  const Unit = defineScalaObject("com.example.Unit$", { serialVersionUID: 1n });
  const told = java.with({ classes: [Circle, Unit] });
  const circle = new Circle({ name: "é", id: 2n ** 60n, centre: [1, 2], again: null, $odd: 3 });
  const fields = { id: { $bigint: String(2n ** 60n) }, name: "é", $odd: 3, again: null, centre: [1, 2] };
  // Who knows the class has a value of it, who does not an inert object: both are printed alike.
  for (const value of [circle, decode(encode(circle, told))]) {
    const json = toTaggedJson(value) as { $java: [string, Record<string, Json>] };
    assertEquals([json.$java[0], Object.keys(json.$java[1]).sort()], ["com.example.Circle", Object.keys(fields).sort()]);
    assertEquals(json.$java[1], fields);
  }
  assertEquals(toTaggedJson(decode(encode(Unit, told))), { $java: ["com.example.Unit$"] });
  assertEquals(toTaggedJson(None), { $java: ["scala.None$"] });
  assertEquals(toTaggedJson(new sparkDeploy.ApplicationRemoved({ message: "gone" })), {
    $java: ["org.apache.spark.deploy.DeployMessages$ApplicationRemoved", { message: "gone" }],
  });
  assertEquals(toTaggedJson(decode(encode(1.5), exact)), { $java: ["double", 1.5] });
  assertEquals(toTaggedJson(new JavaBigDecimal(-150n, 2)), { $java: ["java.math.BigDecimal", "-1.50"] });
});

test("toTaggedJson() prints what a JDK wrote, whatever it is", () => {
  const cases: readonly [string, Json][] = [
    ["externalizable", { $java: ["Gen$Ext", {}, { $bytes: "P/gAAAAAAAA=" }, "ext", { $bytes: "Aw==" }] }],
    ["enum", { $java: ["Gen$Color", "RED"] }],
    ["class", { $java: ["java.lang.Class", "java.lang.String"] }],
    ["cycle_of_unknown", {
      $java: ["Gen$Node", {
        n: 1,
        next: { $java: ["Gen$Node", { n: 2, next: { $same: "." }, value: "same" }] },
        value: "same",
      }],
    }],
  ];
  for (const [name, json] of cases) assertEquals(toTaggedJson(decodeVector(name)), json, name);
  const { $java } = toTaggedJson(decodeVector("writeObject_with_blocks")) as { $java: [string, ...Json[]] };
  // Its parent has a field of the same name, which is told apart by the class.
  const fields = { c: "x", "Gen$Base.name": "base", f: 2.5, s: -5, name: "custom" };
  assertEquals($java.slice(0, 4), ["Gen$Custom", fields, { $bytes: "AAAABwAEZGF0YQ==" }, "between"]);
});

test("fromTaggedJson() refuses what no key stands for", () => {
  const cases: readonly [Json, string][] = [
    [{ $ref: "spark://a@b:1" }, "$ref cannot be read; write $$ref for a key of that name"],
    [{ list: [{ $bigint: "1.5" }] }, "No whole number: 1.5"],
    [{ $bigint: 1 }, "Expected a text: 1"],
    [{ $number: "one" }, "No such number: one"],
    [{ $bytes: "§" }, "No base64: §"],
    [{ $date: "soon" }, "No date: soon"],
    [{ $set: { a: 1 } }, 'Expected a list: {"a":1}'],
    [{ $map: [["key"]] }, "An entry of $map has a key and a value"],
    [{ $map: [["key", 1, 2]] }, "An entry of $map has a key and a value"],
  ];
  for (const [json, message] of cases) assertThrows(() => fromTaggedJson(json), SyntaxError, message);
});
