import { assertEquals, assertStrictEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type RpcRemoteError, SerializerError } from "../../../src/base/errors.ts";
import { defineJavaClass, type JavaClassValue } from "../../../src/serializer/java/define_java_class.ts";
import type { JavaType } from "../../../src/serializer/java/java_type.ts";
import { javaTypes } from "../../../src/serializer/java/java_types.ts";
import { sparkUid } from "../../../src/serializer/java/spark_versions.ts";
import { java } from "../../../src/rpc/java_serializer.ts";
import { test } from "../../_harness.ts";
import { decode, decodeHex, encode, nameHex } from "./_java.ts";

// It takes a dozen bytes to refer to a part of another object, however large that is: content that is small must not be much work.

const OBJECT_ARRAY = `72${nameHex("[Ljava.lang.Object;")}90ce589f1073296c02000078 70`;
const TOO_MUCH = "Content has more parts than its size allows";

/** 32 bits in hexadecimal. */
function int(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}

/** An array of objects: the first one, and so many that share a part with it. Its class and itself have the handles 0 and 1. */
function arrayOf(first: string, other: string, others: number, codec = java): unknown {
  return decodeHex(`75${OBJECT_ARRAY}${int(1 + others)}${first}${other.repeat(others)}`, codec);
}

/** Lists of `Arrays.asList` over one array of nulls. */
function lists(others: number, length: number): unknown {
  const field = `5b${nameHex("a")}74${nameHex("[Ljava/lang/Object;")}`;
  const first = `7372${nameHex("java.util.Arrays$ArrayList")}d9a43cbecd8806d2020001${field}7870 7571007e0000${int(length)}${
    "70".repeat(length)
  }`;
  return arrayOf(first, "7371007e000271007e0005", others);
}

/** ArraySeqs of Scala over one array of longs. */
function longs(others: number, length: number): unknown {
  const field = `5b${nameHex("unsafeArray")}74${nameHex("[J")}`;
  const array = `75 72${nameHex("[J")}782004b512b17593020000 7870${int(length)}${"00".repeat(8 * length)}`;
  const first = `7372${nameHex("scala.collection.immutable.ArraySeq$ofLong")}0000000000000003020001${field}7870 ${array}`;
  return arrayOf(first, "7371007e000271007e0006", others);
}

/** BigIntegers with one magnitude. */
function bigIntegers(others: number, length: number): unknown {
  const ints = ["bitCount", "bitLength", "firstNonzeroByteNum", "lowestSetBit", "signum"].map((name) => `49${nameHex(name)}`)
    .join("");
  const parent = `72${nameHex("java.lang.Number")}86ac951d0b94e08b0200007870`;
  const desc = `72${nameHex("java.math.BigInteger")}8cfc9f1fa93bfb1d030006${ints}5b${nameHex("magnitude")}74${
    nameHex("[B")
  }78${parent}`;
  const values = [-1, -1, -2, -2, 1].map(int).join("");
  const bytes = `75 72${nameHex("[B")}acf317f8060854e0020000 7870${int(length)}${"01".repeat(length)}`;
  return arrayOf(`73${desc}${values}${bytes}78`, `7371007e0002${values}71007e000778`, others);
}

test("java.decode() copies what objects have in common only as often as the size of the content allows", () => {
  for (const make of [lists, longs, bigIntegers]) {
    assertEquals((make(3, 5000) as unknown[]).length, 4, make.name);
    assertThrows(() => make(1000, 20_000), SerializerError, TOO_MUCH, make.name);
  }
});

/** Exceptions with one stack of so many equal elements, whose file has so long a name. */
function exceptions(others: number, elements: number, fileName: number): unknown {
  const text = nameHex("Ljava/lang/String;");
  // Handles: 2 the class, 3 a type, 4 the exception, 5 the class of stacks, 6 the stack, 7 the class of elements, 8 an element.
  const fields = `0002 4c${nameHex("detailMessage")}74${text} 4c${nameHex("stackTrace")}71007e0003`;
  const element = `7372${nameHex("java.lang.StackTraceElement")}6109c59a2636dd85020001 4c${nameHex("fileName")}71007e0003 7870`;
  const stack = `75 72${nameHex("[Ljava.lang.StackTraceElement;")}02462a3c3cfd2239020000 7870 ${int(elements)}`;
  const name = `74${fileName.toString(16).padStart(4, "0")}${"61".repeat(fileName)}`;
  const desc = `72${nameHex("java.lang.Throwable")}d5c635273977b8cb03${fields}7870`;
  const first = `73${desc} 70 ${stack} ${element}${name}${"71007e0008".repeat(elements - 1)} 78`;
  return arrayOf(first, "7371007e0002 70 71007e0006 78", others);
}

test("java.decode() makes texts of stacks that exceptions have in common only as long as the size of the content allows", () => {
  const [one] = exceptions(0, 2, 3) as RpcRemoteError[];
  assertEquals(one?.remoteStack, "java.lang.Throwable\n\tat .(aaa)\n\tat .(aaa)");
  assertEquals((exceptions(3, 100, 100) as unknown[]).length, 4);
  assertThrows(() => exceptions(100, 1024, 60_000), SerializerError, TOO_MUCH);
});

test("java.decode() takes the texts of the longest stacks that there are", () => {
  const deep = new Error("deep");
  deep.stack = `Error: deep\n${"    at a.long.name.of.a.Class.method (file:///a/long/name/of/a/file.ts:12:34)\n".repeat(1024)}`;
  const content = encode(deep, java, { encodeRef: () => undefined, decodeRef: () => ({}), exposeStack: true });
  assertEquals((decode(content) as RpcRemoteError).remoteStack?.split("\n").length, 1024);
});

/** The class that a collection is a field of, where nothing is said of the collection. */
const Loose = defineJavaClass("com.example.Holder", { serialVersionUID: 1n, fields: { held: "Object" } });
const loosely = java.with({ classes: [Loose] });

/** A type whose values are counted. */
class Counted implements JavaType<unknown> {
  readonly signature = "Ljava/lang/Object;";
  count = 0;

  toJava(value: unknown): unknown {
    return value;
  }

  fromJava(value: unknown): unknown {
    this.count++;
    return `${String(value)}!`;
  }
}

test("defineJavaClass() converts a collection once that many objects have in common", () => {
  const counted = new Counted();
  const { array, list, set, scalaMap } = javaTypes;
  const cases = [
    { type: array(counted), value: Array.from({ length: 100 }, (_, i) => i) },
    { type: list(counted), value: Array.from({ length: 100 }, (_, i) => i) },
    { type: set(counted), value: new Set(Array.from({ length: 100 }, (_, i) => i)) },
    { type: scalaMap("Object", counted), value: new Map(Array.from({ length: 100 }, (_, i) => [i, i])) },
  ];
  for (const { type, value } of cases) {
    const Holder = defineJavaClass("com.example.Holder", { serialVersionUID: 1n, fields: { held: type } });
    type Holder = JavaClassValue<typeof Holder>;
    const codec = java.with({ classes: [Holder] });
    // Through a field of no particular type, so that all refer to the same one, in the class that the type wants.
    const came = (decode(encode(new Holder({ held: value }), codec), loosely) as Holder).held;
    counted.count = 0;
    const content = encode(Array.from({ length: 50 }, () => new Loose({ held: came })), loosely);
    const holders = decode(content, codec) as Holder[];
    assertEquals([holders.length, counted.count], [50, 100]);
    assertStrictEquals(holders[49]!.held, holders[0]!.held);
  }
});

test("defineJavaClass() converts a collection once that many objects have in common, also when they are written", () => {
  let count = 0;
  const counted: JavaType<number> = {
    signature: "Ljava/lang/Object;",
    toJava: (value) => (count++, `${String(value)}!`),
    fromJava: (value) => Number(String(value).slice(0, -1)),
  };
  const { array, list, set, scalaMap } = javaTypes;
  const numbers = Array.from({ length: 100 }, (_, i) => i);
  const cases = [
    { type: array(counted), value: numbers },
    { type: list(counted), value: numbers },
    { type: set(counted), value: new Set(numbers) },
    { type: scalaMap("Object", counted), value: new Map(numbers.map((i) => [i, i])) },
  ];
  for (const { type, value } of cases) {
    const Holder = defineJavaClass("com.example.Holder", { serialVersionUID: 1n, fields: { held: type } });
    const codec = java.with({ classes: [Holder] });
    count = 0;
    const content = encode(Array.from({ length: 50 }, () => new Holder({ held: value })), codec);
    const holders = decode(content, codec) as JavaClassValue<typeof Holder>[];
    assertEquals([holders.length, count], [50, 100]);
    assertEquals(holders[49]!.held, value);
    assertStrictEquals(holders[49]!.held, holders[0]!.held);
  }
});

test("defineJavaClass() boxes the elements of a sequence once that many objects have in common", () => {
  const Holder = defineJavaClass("com.example.Holder", { serialVersionUID: 1n, fields: { held: javaTypes.seq("int") } });
  const type = `4c${nameHex("held")}74${nameHex("Lscala/collection/immutable/Seq;")}`;
  const ints = `75 72${nameHex("[I")}4dba602676eab2a5020000 7870${int(100_000)}${"00".repeat(400_000)}`;
  const field = `5b${nameHex("unsafeArray")}74${nameHex("[I")}`;
  const seq = `7372${nameHex("scala.collection.immutable.ArraySeq$ofInt")}0000000000000003020001${field}7870 ${ints}`;
  const first = `7372${nameHex("com.example.Holder")}0000000000000001020001${type}7870 ${seq}`;
  const others = 20_000;
  const holders = arrayOf(first, "7371007e000271007e0007", others, java.with({ classes: [Holder] })) as { held: number[] }[];
  assertEquals([holders.length, holders[0]!.held.length], [1 + others, 100_000]);
  assertStrictEquals(holders[others]!.held, holders[0]!.held);
});

test("defineJavaClass() converts small collections within one another no more often than that", () => {
  let count = 0;
  const counted: JavaType<unknown> = {
    signature: "Ljava/lang/Object;",
    toJava: (value) => value,
    fromJava: (value) => (count++, value),
  };
  const fields = (type: JavaType<unknown>) => ({ serialVersionUID: 1n, fields: { held: javaTypes.list(type) } });
  const Loose = defineJavaClass("com.example.Nest", fields(javaTypes.nullable("Object")));
  const Nest = defineJavaClass("com.example.Nest", fields(javaTypes.list(javaTypes.list(javaTypes.list(counted)))));
  for (const [size, most] of [[31, 31], [4, 4], [3, 81]] as const) {
    let held: unknown[] = new Array(size).fill(1);
    for (let level = 0; level < 3; level++) held = new Array(size).fill(held);
    count = 0;
    decode(encode(new Loose({ held }), java.with({ classes: [Loose] })), java.with({ classes: [Nest] }));
    assertEquals(count, most);
  }
});

/** An array that has another twice, which has another twice, and so on: its text has 2^60 commas. The next free handle is `first`. */
function doubling(first: number): string {
  const levels = 60;
  const reference = (handle: number) => `71${int(0x7e_0000 + handle)}`;
  let items = "7070";
  for (let level = levels; level > 0; level--) items = `75${reference(first)}${int(2)}${items}${reference(first + 1 + level)}`;
  return `75${OBJECT_ARRAY}${int(2)}${items}`;
}

test("java.decode() shows nothing of a value that stands where a number belongs", () => {
  const field = (name: string) => `4c${nameHex(name)}74${nameHex("Ljava/lang/Object;")}`;
  const number = `72${nameHex("java.lang.Number")}86ac951d0b94e08b0200007870`;
  const scalaNumber = `72${nameHex("scala.math.ScalaNumber")}1265d75c7e2e808102000078${number}`;
  const pair = "scala.Tuple2$mcCC$sp";
  const uidOf = (name: string) => BigInt.asUintN(64, sparkUid(name, "4.2")!).toString(16).padStart(16, "0");
  const parent = `72${nameHex("scala.Tuple2")}${uidOf("scala.Tuple2")}020002${field("_1")}${field("_2")}7870`;
  const cases = [
    [`72${nameHex("scala.math.BigInt")}a6ff4e0e6c4a125b020001${field("_bigInteger")}78${scalaNumber}${doubling(5)}`, "BigInt"],
    [
      `72${nameHex("java.util.ArrayList")}7881d21d99c7619d030001${field("size")}7870${doubling(3)}770400000000 78`,
      "Collection",
    ],
    [`72${nameHex(pair)}${uidOf(pair)}020002${field("_1$mcC$sp")}${field("_2$mcC$sp")}78${parent}7070${doubling(7)}70`, "char"],
  ] as const;
  for (const [hex, what] of cases) {
    const error = assertThrows(() => decodeHex(`73${hex}`), SerializerError, "an object of class Array");
    assertStringIncludes(error.message, what);
  }
});
