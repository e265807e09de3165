import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { SerializerError } from "../../../src/base/errors.ts";
import { java } from "../../../src/rpc/java_serializer.ts";
import { defineJavaClass } from "../../../src/serializer/java/define_java_class.ts";
import { JavaObject } from "../../../src/serializer/java/java_object.ts";
import { asJava, javaTypes } from "../../../src/serializer/java/java_types.ts";
import { fromHex, test, toHex } from "../../_harness.ts";
import { context, decode, decodeVector, encode, vector } from "./_java.ts";

test("a Range of Scala is the array of its elements", () => {
  const values: readonly [string, unknown][] = [
    ["scala_Range_to", [1, 2, 3]],
    ["scala_Range_until", [0, 1, 2]],
    ["scala_Range_by", [10, 7, 4, 1]],
    ["scala_Range_empty", []],
    ["scala_Range_until_by", [0, 4, 8]],
    ["scala_Range_extremes", [[2147483646, 2147483647], [-2147483648, -1, 2147483646]]],
  ];
  for (const [name, expected] of values) assertEquals(decodeVector(name), expected, name);
});

test("a Range that has more elements than its content allows stays inert", () => {
  for (const name of ["scala_Range_huge", "scala_Range_more_than_ints"]) {
    const range = decodeVector(name);
    assertInstanceOf(range, JavaObject, name);
    assertEquals(range.get("step"), 1, name);
  }
});

test("a Range that does not have as many elements as it says is refused", () => {
  const hex = toHex(vector("scala_Range_to"));
  const fields = "00000003" + "00" + "00000003" + "00000003" + "00000001" + "00000001";
  assertEquals(hex.endsWith(fields), true);
  const content = (end: string) => fromHex(hex.slice(0, -fields.length) + end);
  const [count, step] = [fields.replace(/0000000300000001/, "0000000400000001"), fields.replace(/1$/, "0")];
  assertThrows(() => decode(content(count)), SerializerError, "Range does not have as many elements as it says");
  assertThrows(() => decode(content(step)), SerializerError, "Range has no start, end or step");
});

test("a Range that was changed goes on as a Vector", () => {
  const range = decodeVector("scala_Range_to") as number[];
  range.push(9);
  assertEquals(toHex(encode(range)), toHex(encode(asJava([1, 2, 3, 9], javaTypes.vector("int")))));
  const other = decodeVector("scala_Range_to") as number[];
  other[1] = 5;
  assertEquals(decode(encode(other)), [1, 5, 3]);
  const shorter = decodeVector("scala_Range_to") as number[];
  shorter.pop();
  assertEquals(decode(encode(shorter)), [1, 2]);
});

test("a field of a Seq takes a Range, and gives it back as what it was; that of a List writes a List", () => {
  const define = (seq: Parameters<typeof javaTypes.declaredAs>[1]) =>
    defineJavaClass("com.example.Job", { serialVersionUID: 1n, fields: { seq } });
  const [Any, Job, Listed] = [
    define(javaTypes.declaredAs("scala.collection.immutable.Seq", "Object")),
    define(javaTypes.seq("int")),
    define(javaTypes.scalaList("int")),
  ];
  const content = encode(new Any({ seq: decodeVector("scala_Range_to") }), java.with({ classes: [Any] }));
  const codec = java.with({ classes: [Job] });
  const job = decode(content, codec);
  assertInstanceOf(job, Job);
  assertEquals(job.seq, [1, 2, 3]);
  assertEquals(toHex(encode(job, codec)), toHex(content));
  const list = decode(encode(new Listed({ seq: job.seq }), java.with({ classes: [Listed] })));
  assertInstanceOf(list, JavaObject);
  assertEquals(toHex(encode(list.get("seq"))), toHex(encode(asJava([1, 2, 3], javaTypes.scalaList("int")))));
});

test("a Range goes to each Spark with its own serialVersionUID", () => {
  const hex = toHex(vector("scala_Range_to"));
  const older = encode(decodeVector("scala_Range_to"), java, { ...context, sparkVersion: "4.0" });
  assertEquals(toHex(older), hex.replaceAll("0000000000000004", "0000000000000003"));
  assertEquals(decode(older), [1, 2, 3]);
});
