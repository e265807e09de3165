import { runInNewContext } from "node:vm";
import { assertEquals, assertInstanceOf, assertNotStrictEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ByteSink } from "../../../src/base/byte_sink.ts";
import { type RpcRemoteError, SerializerError } from "../../../src/base/errors.ts";
import { type Random, seededRandom } from "../../../src/base/random.ts";
import { java } from "../../../src/rpc/java_serializer.ts";
import { JavaBigDecimal, JavaNumber } from "../../../src/serializer/java/java_numbers.ts";
import { MAX_CAUSES, MAX_DEPTH, MAX_HANDLES } from "../../../src/serializer/java/java_limits.ts";
import { JavaObject } from "../../../src/serializer/java/java_object.ts";
import { asJava, javaTypes } from "../../../src/serializer/java/java_types.ts";
import { sparkDeploy } from "../../../src/serializer/java/deploy_messages.ts";
import { None, Some } from "../../../src/serializer/java/scala_values.ts";
import { RpcFailure, TypedMessage } from "../../../src/serializer/serializer.ts";
import { fromHex, test, toHex } from "../../_harness.ts";
import { context, decode, decodeVector, encode, encodeHex, exact, FakeRef, nameHex, roundTrip, vector } from "./_java.ts";

/** The class of the object that the content is. */
function classOf(value: unknown): string {
  const hex = encodeHex(value);
  const at = hex.indexOf("72");
  const length = parseInt(hex.slice(at + 2, at + 6), 16);
  return new TextDecoder().decode(fromHex(hex.slice(at + 6, at + 6 + 2 * length)));
}

test("java.encode() gives each value its class", () => {
  const classes: readonly [unknown, string][] = [
    [true, "java.lang.Boolean"],
    [1, "java.lang.Integer"],
    [-(2 ** 31), "java.lang.Integer"],
    [2 ** 31, "java.lang.Double"],
    [1.5, "java.lang.Double"],
    [-0, "java.lang.Double"],
    [NaN, "java.lang.Double"],
    [1n, "java.lang.Long"],
    [-(2n ** 63n), "java.lang.Long"],
    [2n ** 63n, "java.math.BigInteger"],
    [undefined, "scala.runtime.BoxedUnit"],
    [[], "java.util.ArrayList"],
    [new (class extends Array {})(), "java.util.ArrayList"],
    [runInNewContext("[]"), "java.util.ArrayList"],
    [new Map(), "java.util.LinkedHashMap"],
    [{}, "java.util.LinkedHashMap"],
    [Object.create(null), "java.util.LinkedHashMap"],
    [new Set(), "java.util.LinkedHashSet"],
    [new Date(), "java.util.Date"],
    [new Uint8Array(1), "[B"],
    [new Int8Array(1), "[B"],
    [new Uint16Array(1), "[C"],
    [new Int16Array(1), "[S"],
    [new Int32Array(1), "[I"],
    [new BigInt64Array(1), "[J"],
    [new Float32Array(1), "[F"],
    [new Float64Array(1), "[D"],
    [new Error("e"), "java.lang.RuntimeException"],
    [new JavaNumber("byte", 1), "java.lang.Byte"],
    [new JavaNumber("short", 1), "java.lang.Short"],
    [new JavaNumber("int", 1), "java.lang.Integer"],
    [new JavaNumber("long", 1n), "java.lang.Long"],
    [new JavaNumber("float", 1), "java.lang.Float"],
    [new JavaNumber("double", 1), "java.lang.Double"],
    [new JavaNumber("char", "a"), "java.lang.Character"],
    [new JavaNumber("BigInteger", 1n), "java.math.BigInteger"],
    [new JavaNumber("BigInt", 1n), "scala.math.BigInt"],
    [new JavaBigDecimal(1n, 0), "java.math.BigDecimal"],
    [asJava(1, "double"), "java.lang.Double"],
    [asJava(1, "short"), "java.lang.Short"],
    [asJava(["a"], javaTypes.array("String")), "[Ljava.lang.String;"],
    [asJava(["a"], javaTypes.seq("String")), "scala.collection.generic.DefaultSerializationProxy"],
    [asJava(new Map([["a", 1]]), javaTypes.scalaMap("String", "int")), "scala.collection.immutable.Map$Map1"],
    [asJava([1, 2], javaTypes.tuple("int", "int")), "scala.Tuple2"],
    [new Some({ value: 1 }), "scala.Some"],
    [None, "scala.runtime.ModuleSerializationProxy"],
    [new FakeRef("a"), "org.apache.spark.rpc.netty.NettyRpcEndpointRef"],
  ];
  for (const [value, className] of classes) assertEquals(classOf(value), className);
  assertEquals(encodeHex(null), "70");
  assertEquals(encodeHex("é\0"), "740004c3a9c080");
});

test("java.encode() writes collections of Scala as Scala does", () => {
  const entries = (count: number) => new Map(Array.from({ length: count }, (_, i) => [`k${i}`, i]));
  const map = javaTypes.scalaMap("String", "int");
  const cases: readonly [unknown, string][] = [
    [asJava([], javaTypes.seq("String")), "scala_Nil"],
    [asJava(["a"], javaTypes.scalaList("String")), "scala_List_1"],
    [asJava(["a", 2, true], javaTypes.seq("Object")), "scala_List_3"],
    [asJava(["a", "b", "c"], javaTypes.vector("String")), "scala_Vector_3"],
    [asJava([], javaTypes.vector("String")), "scala_Vector_0"],
    [asJava(entries(0), map), "scala_Map_0"],
    [asJava(entries(1), map), "scala_Map_1"],
    [asJava(entries(2), map), "scala_Map_2"],
    [asJava(entries(3), map), "scala_Map_3"],
    [asJava(entries(4), map), "scala_Map_4"],
    [asJava(decodeVector("scala_Map_5") as Map<string, number>, map), "scala_Map_5"],
    [asJava(new Set<string>(), javaTypes.scalaSet("String")), "scala_Set_0"],
    [asJava(new Set(["a", "b"]), javaTypes.scalaSet("String")), "scala_Set_2"],
    [asJava(new Set([0, 5, 1, 2, 3, 4]), javaTypes.scalaSet("int")), "scala_Set_6"],
    [asJava(undefined, javaTypes.option("String")), "scala_None"],
    [asJava("x", javaTypes.option("String")), "scala_Some_String"],
    [asJava(1, javaTypes.option("int")), "scala_Some_Int"],
    [asJava(["a", 1], javaTypes.tuple("String", "int")), "scala_Tuple2"],
    [asJava(["a", "b", "a", null], javaTypes.array(javaTypes.nullable("String"))), "Strings"],
  ];
  for (const [value, name] of cases) assertEquals(toHex(encode(value)), toHex(vector(name)), name);
});

test("java.encode() writes deploy messages as Spark does", () => {
  // The same list is one object in Spark, too.
  const none: string[] = [];
  const command = {
    mainClass: "org.example.Main",
    arguments: ["a"],
    environment: new Map<string, string>(),
    classPathEntries: none,
    libraryPathEntries: none,
    javaOpts: none,
  };
  const driverDescription = {
    jarUrl: "file:/tmp/app.jar",
    mem: 1024,
    cores: 1,
    supervise: false,
    command,
    resourceReqs: none as never[],
  };
  const master = new FakeRef("Master", { host: "127.0.0.1", port: 7077 });
  const cases: readonly [unknown, string][] = [
    [sparkDeploy.BoundPortsRequest, "BoundPortsRequest"],
    [sparkDeploy.RequestMasterState, "RequestMasterState"],
    [new sparkDeploy.BoundPortsResponse({ rpcEndpointPort: 7077, webUIPort: 8080, restPort: 6066 }), "BoundPortsResponse"],
    [new sparkDeploy.BoundPortsResponse({ rpcEndpointPort: 7077, webUIPort: 8080 }), "BoundPortsResponse_none"],
    [new sparkDeploy.RequestKillDriver({ driverId: "driver-1" }), "RequestKillDriver"],
    [new sparkDeploy.RequestDriverStatus({ driverId: "driver-1" }), "RequestDriverStatus"],
    [new sparkDeploy.RequestSubmitDriver({ driverDescription }), "RequestSubmitDriver"],
    [
      new sparkDeploy.DriverStatusResponse({
        found: true,
        state: "RUNNING",
        workerId: "worker-1",
        workerHostPort: "127.0.0.1:7078",
      }),
      "DriverStatusResponse_found",
    ],
    [
      new sparkDeploy.ExecutorUpdated({
        id: 1,
        state: "EXITED",
        message: "Command exited with code 1",
        exitStatus: 1,
        workerHost: "127.0.0.1",
      }),
      "ExecutorUpdated_all",
    ],
    [
      new sparkDeploy.KillDriverResponse({
        master,
        driverId: "driver-1",
        success: true,
        message: "Kill request for driver-1 submitted",
      }),
      "KillDriverResponse",
    ],
  ];
  for (const [value, name] of cases) assertEquals(toHex(encode(value)), toHex(vector(name)), name);
});

test("java lets a LinkedHashMap in the order of use go on as one, also after it was changed", () => {
  // new LinkedHashMap<>(16, 0.75f, true), of a JDK 17.
  const hex = "aced0005737200176a6176612e7574696c2e4c696e6b6564486173684d617034c04e5c106cc0fb0200015a000b6163636573734f726465" +
    "72787200116a6176612e7574696c2e486173684d61700507dac1c31660d103000246000a6c6f6164466163746f72490009746872657368" +
    "6f6c6478703f4000000000000c7708000000100000000274000161737200116a6176612e6c616e672e496e746567657212e2a0a4f78187" +
    "3802000149000576616c7565787200106a6176612e6c616e672e4e756d62657286ac951d0b94e08b020000787000000001740001627371" +
    "007e0004000000027801";
  const cache = decode(fromHex(hex)) as Map<string, number>;
  assertEquals(toHex(encode(cache)), hex);
  cache.delete("b");
  // The flag is the last of all.
  assertEquals([encode(cache).at(-1), encode(new Map([["a", 1]])).at(-1)], [1, 0]);
});

test("java lets a collection go on as what it came as, also after it was changed", () => {
  const map = decodeVector("scala_Map_4") as Map<string, number>;
  map.set("k4", 4);
  assertEquals(classOf(map), "scala.collection.generic.DefaultSerializationProxy");
  map.clear();
  assertEquals(toHex(encode(map)), toHex(vector("scala_Map_0")));
  const list = decodeVector("scala_List_1") as string[];
  list.push("b");
  assertEquals(toHex(encode(list)), toHex(vector("scala_Seq_from_mutable_ArrayBuffer")));
  const empty = decodeVector("scala_Map_0") as Map<string, number>;
  assertNotStrictEquals(empty, decodeVector("scala_Map_0"));
  empty.set("k0", 0);
  assertEquals(toHex(encode(empty)), toHex(vector("scala_Map_1")));
  assertEquals(classOf([...list]), "java.util.ArrayList", "a copy is an array like any other");
});

test("java.encode() writes what is the same object once, and equal texts and numbers too", () => {
  const shared = ["a"];
  const [one, other] = roundTrip([shared, shared]) as [unknown, unknown];
  assertEquals(one === other, true);
  const twice = encodeHex(["text", "text", 1000, 1000]);
  assertEquals(twice.split(toHex(new TextEncoder().encode("text"))).length, 2);
  assertEquals(twice.split("000003e8").length, 2);
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const decoded = roundTrip(cycle) as unknown[];
  assertEquals(decoded[0] === decoded, true);
});

test("java lets texts of a list that are equal and not the same go on as that", () => {
  // Who wrote it had the text "ab" twice.
  const content = fromHex(toHex(encode(["ab", "ac"])).replace("7400026163", "7400026162"));
  const list = decode(content);
  assertEquals(list, ["ab", "ab"]);
  assertEquals(toHex(encode(list)), toHex(content));
});

test("java.encode() names what it cannot write, and where, and writes nothing", () => {
  class Unknown {}
  const cases: readonly [unknown, string, string][] = [
    [() => 0, "Cannot encode a function", ""],
    [[1, Symbol("s")], "Cannot encode a symbol at [1]", "[1]"],
    [{ id: 1, workers: [{ id: 2, run() {} }] }, "Cannot encode a function at .workers[0].run", ".workers[0].run"],
    [new Map<unknown, unknown>([["a", 1], ["b", () => 0]]), "Cannot encode a function at .entries()[1]", ".entries()[1]"],
    [new Map<unknown, unknown>([["a", 1], [Symbol("b"), 1]]), "Cannot encode a symbol at .entries()[1]", ".entries()[1]"],
    [new Set([1, () => 0]), "Cannot encode a function at .entries()[1]", ".entries()[1]"],
    [new Unknown(), "Cannot encode an object of class Unknown", ""],
    [new Some({ value: [new Unknown()] }), "Cannot encode an object of class Unknown at .value[0]", ".value[0]"],
    [new ArrayBuffer(1), "Cannot encode an object of class ArrayBuffer", ""],
    [new Uint32Array(1), "Cannot encode an object of class Uint32Array", ""],
    [Promise.resolve(), "Cannot encode an object of class Promise", ""],
    [new Date(NaN), "Cannot encode an invalid Date", ""],
    [new TypedMessage("Tag"), "Cannot encode a message Tag: no class of Java has that tag, see defineJavaClass", ""],
    // deno-lint-ignore no-explicit-any -- what a type cast can hide is what is tested.
    [asJava("a" as any, "int"), "Cannot encode a string where an Integer is expected", ""],
  ];
  for (const [value, message, path] of cases) {
    const out = new ByteSink(16);
    out.writeUint8(7);
    const error = assertThrows(() => java.encode(value, out, context), SerializerError);
    assertEquals([error.message, error.path, out.position], [message, path, 1]);
  }
});

test("java.encode() says where in its sender's collection a value is that it cannot write, whatever becomes of that in Java", () => {
  const bad = () => 0;
  const { array, list, map, scalaMap, scalaSet, seq, set, tuple, vector } = javaTypes;
  const entries = (size: number) => new Map(Array.from({ length: size }, (_, i) => [`k${i}`, i === size - 1 ? bad : 0]));
  const came = (name: string, change: (value: unknown) => void) => {
    const value = decodeVector(name);
    change(value);
    return value;
  };
  const cases: readonly [unknown, string][] = [
    [asJava([0, bad], list("Object")), "[1]"],
    [asJava([0, bad], array("Object")), "[1]"],
    [asJava([0, bad], seq("Object")), "[1]"],
    [asJava([0, bad], vector("Object")), "[1]"],
    [asJava([0, bad], tuple("Object", "Object")), "[1]"],
    [asJava(entries(2), map("Object", "Object")), ".entries()[1]"],
    [asJava(new Map([[{ bad }, 1]]), map("Object", "Object")), ".entries()[0].bad"],
    [asJava(entries(2), scalaMap("Object", "Object")), ".entries()[1]"],
    [asJava(new Map([[{ bad }, 1]]), scalaMap("Object", "Object")), ".entries()[0].bad"],
    [asJava(entries(9), scalaMap("Object", "Object")), ".entries()[8]"],
    [asJava(new Set([0, bad]), set("Object")), ".entries()[1]"],
    [asJava(new Set([0, bad]), scalaSet("Object")), ".entries()[1]"],
    [asJava(new Set([0, 1, 2, 3, 4, bad]), scalaSet("Object")), ".entries()[5]"],
    [came("java_HashMap", (value) => (value as Map<unknown, unknown>).set("z", bad)), ".entries()[1]"],
    [came("java_HashSet", (value) => (value as Set<unknown>).add(bad)), ".entries()[1]"],
    [came("java_List_of", (value) => (value as unknown[])[1] = bad), "[1]"],
    [came("mapOf", (value) => (value as Map<unknown, unknown>).set("z", bad)), ".entries()[1]"],
    [came("scala_Set_2", (value) => (value as Set<unknown>).add(bad)), ".entries()[2]"],
  ];
  for (const [value, path] of cases) assertEquals(assertThrows(() => encode(value), SerializerError).path, path);
});

test("java.encode() refuses arrays whose memory has been transferred", () => {
  for (const array of [new Uint8Array(8), new Int8Array(8), new Int32Array(2), new BigInt64Array(1)]) {
    structuredClone(array.buffer, { transfer: [array.buffer] });
    assertThrows(() => encode(array), SerializerError, "Cannot encode a value: ");
    assertThrows(() => encode([1, array]), SerializerError, "Cannot encode a value at [1]: ");
  }
  assertEquals(roundTrip([new Uint8Array(0), new Int32Array(0)]), [new Uint8Array(0), new Int32Array(0)]);
  assertEquals(roundTrip(new Uint8Array(0)), new Uint8Array(0));
});

test("java.encode() refuses arrays whose memory has shrunk below them", () => {
  for (const array of [Uint8Array, Int8Array, Int32Array, BigInt64Array]) {
    const buffer = new ArrayBuffer(16, { maxByteLength: 16 });
    const [part, rest] = [new array(buffer, 8, 1), new array(buffer, 8)];
    buffer.resize(8);
    assertThrows(() => encode(part), SerializerError, "Cannot encode a value: ");
    assertThrows(() => encode([1, part]), SerializerError, "Cannot encode a value at [1]: ");
    assertEquals((roundTrip(rest) as typeof rest).length, 0);
  }
});

test(`java.encode() writes ${MAX_DEPTH} levels and no more`, () => {
  let value: unknown = 1;
  for (let i = 0; i < MAX_DEPTH - 1; i++) value = [value];
  assertEquals(roundTrip(value), value);
  assertThrows(() => encode([value]), SerializerError, `Cannot encode more than ${MAX_DEPTH} levels`);
  const error = assertThrows(() => encode([[value]]), SerializerError, `Cannot encode more than ${MAX_DEPTH} levels`);
  assertEquals(error.path, "[0]".repeat(8) + "…" + "[0]".repeat(8));
});

test(`java.encode() writes no more than ${MAX_HANDLES} objects, which is what java.decode() reads`, () => {
  const lists = Array.from({ length: MAX_HANDLES }, () => []);
  assertThrows(() => encode(lists), SerializerError, `Cannot encode more than ${MAX_HANDLES} objects`);
});

test("java.encode() can be called from within itself", () => {
  const inner: Uint8Array[] = [];
  const value = {
    get first() {
      inner.push(encode(["inner"]));
      return "x";
    },
    second: "x",
  };
  assertEquals(roundTrip(value), new Map([["first", "x"], ["second", "x"]]));
  assertEquals(inner.map((content) => decode(content)).every((one) => (one as string[])[0] === "inner"), true);
});

test("java.encodeFailure() writes class, text and causes, and the stack only if it may", () => {
  const error = new RangeError("outer", { cause: new TypeError("inner") });
  const encodeFailure = (exposeStack: boolean) => {
    const out = new ByteSink(16);
    java.encodeFailure(error, out, { ...context, exposeStack });
    return out.copy();
  };
  const failure = decode(encodeFailure(false));
  assertInstanceOf(failure, RpcFailure);
  const { message, remoteClass, remoteStack, cause } = failure.error as RpcRemoteError;
  assertEquals([message, remoteClass, remoteStack], ["outer", "java.lang.RuntimeException", undefined]);
  assertEquals((cause as Error).message, "inner");
  const open = decode(encodeFailure(true)) as RpcFailure;
  assertStringIncludes((open.error as RpcRemoteError).remoteStack ?? "", "java_write_test");
});

test("java.encode() and encodeFailure() write an error of another realm like any other", () => {
  const error = runInNewContext("new RangeError('outer', { cause: new TypeError('inner') })") as Error;
  const out = new ByteSink(16);
  java.encodeFailure(error, out, context);
  const failure = decode(out.copy()) as RpcFailure;
  for (const arrived of [failure.error, roundTrip(error) as RpcRemoteError]) {
    assertEquals([arrived.message, (arrived.cause as Error).message], ["outer", "inner"]);
  }
});

test("java.encodeFailure() finds the lines of a stack behind whatever text a peer has sent", () => {
  const runs = [" ", "\t", "a:1 (", "a@", "1:", ":1", "at "].map((part) => part.repeat(Math.ceil(1_000_000 / part.length)));
  const error = new Error("No such user");
  error.stack = `Error: No such user\n${runs.join("\n")}\n    at find (file:///app/users.ts:7:3)\nlook@/app/users.js:8:3`;
  const out = new ByteSink(16);
  java.encodeFailure(error, out, { ...context, exposeStack: true });
  const { remoteStack = "" } = (decode(out.copy()) as RpcFailure).error as RpcRemoteError;
  assertStringIncludes(remoteStack, "at .find(file:///app/users.ts:7)");
  assertStringIncludes(remoteStack, "at .look(/app/users.js:8)");
});

test("java.encodeFailure() tells of an error that cannot be read", () => {
  const error = new Error("x");
  Object.defineProperty(error, "message", {
    get() {
      throw new Error("no");
    },
  });
  const out = new ByteSink(16);
  java.encodeFailure(error, out, context);
  assertEquals((decode(out.copy()) as RpcFailure).error.message, "A failure that has no text");
});

test(`java.encode() writes ${MAX_CAUSES} causes and no more, and a ring as one`, () => {
  const causesOf = (error: unknown): number =>
    error instanceof Error && error.cause !== undefined ? 1 + causesOf(error.cause) : 0;
  let chain = new Error("innermost");
  for (let i = 0; i < 2 * MAX_CAUSES; i++) chain = new Error("outer", { cause: chain });
  assertEquals(causesOf(roundTrip(chain)), MAX_CAUSES);
  const ring = new Error("ring");
  ring.cause = ring;
  assertEquals(causesOf(roundTrip(ring)), 0);
  ring.cause = new Error("other", { cause: ring });
  assertEquals(causesOf(roundTrip(ring)), 1);
});

test("java.encode() writes an error once that is the cause of others", () => {
  const errors = [new Error("first")];
  for (let i = 1; i < 1000; i++) errors.push(new Error("other", { cause: errors[i - 1] }));
  const content = encode(errors);
  assertEquals(content.length < 100 * errors.length, true, `${content.length} bytes`);
  const arrived = decode(content) as Error[];
  assertEquals(arrived.slice(1).every((error, i) => error.cause === arrived[i]), true);
});

test("java.decode() keeps 1,024 lines of an exception's stack", () => {
  const error = new Error("deep");
  error.stack = "Error: deep" + "\n    at f (file.ts:1:2)".repeat(1000);
  const open = { ...context, exposeStack: true };
  const arrived = decode(encode(error, java, open)) as RpcRemoteError;
  assertEquals(arrived.remoteStack?.split("\n").length, 1001);
  assertStringIncludes(arrived.remoteStack ?? "", "java.lang.RuntimeException: deep\n\tat .f(file.ts:1)\n");
  error.stack += "\n    at f (file.ts:1:2)".repeat(1000);
  assertEquals((decode(encode(error, java, open)) as RpcRemoteError).remoteStack?.split("\n").length, 1024);
});

test("java lets an exception go on as what it was, also as the cause of an error", () => {
  const failure = decodeVector("RpcFailure_SparkException_cause") as RpcFailure;
  const again = roundTrip(new Error("outermost", { cause: failure.error })) as RpcRemoteError;
  assertEquals(again.remoteClass, "java.lang.RuntimeException");
  assertEquals((again.cause as RpcRemoteError).remoteClass, "org.apache.spark.SparkException");
});

test("java.with({ exactNumbers }) keeps Doubles and BigIntegers apart from Integers and Longs", () => {
  for (const value of [new JavaNumber("double", 1), new JavaNumber("double", 1.5), new JavaNumber("BigInteger", 5n)]) {
    assertEquals(roundTrip(value, exact), value);
  }
  assertEquals(roundTrip([new JavaNumber("double", 1), new JavaNumber("BigInteger", 5n)]), [1, 5n]);
});

test("new JavaNumber() refuses what its type does not have", () => {
  const wrong: (() => unknown)[] = [
    () => new JavaNumber("byte", 128),
    () => new JavaNumber("short", -32769),
    () => new JavaNumber("int", 1.5),
    () => new JavaNumber("int", -0),
    () => new JavaNumber("long", 2n ** 63n),
    () => new JavaNumber("char", "ab"),
    () => new JavaBigDecimal(1n, 2 ** 31),
  ];
  for (const make of wrong) assertThrows(make, RangeError);
  assertEquals(new JavaNumber("float", 0.1).value, Math.fround(0.1));
  assertEquals(Number(new JavaNumber("double", 2)) + 1, 3);
});

test("JavaBigDecimal prints itself as Java does", () => {
  const texts: readonly [bigint, number, string][] = [
    [0n, 0, "0"],
    [123n, 0, "123"],
    [-123n, 1, "-12.3"],
    [123n, 3, "0.123"],
    [123n, 5, "0.00123"],
    [123n, 10, "1.23E-8"],
    [-123n, 12, "-1.23E-10"],
    [123n, -1, "1.23E+3"],
    [5n, -3, "5E+3"],
    [-1n, 6, "-0.000001"],
    [1n, 7, "1E-7"],
    [12n, 7, "0.0000012"],
    [0n, 6, "0.000000"],
    [0n, 7, "0E-7"],
    [0n, -3, "0E+3"],
  ];
  for (const [unscaled, scale, text] of texts) assertEquals(String(new JavaBigDecimal(unscaled, scale)), text);
});

const TEXTS = ["", "a", "é😀\0", "\ud800", "x".repeat(70_000)];

/** A value that goes to and fro as it is, of all that has no class of its own. */
function randomValue(random: Random, depth: number): unknown {
  const below = (limit: number) => Math.floor(random() * limit);
  const inner = () => randomValue(random, depth - 1);
  const many = <T>(make: () => T) => Array.from({ length: below(5) }, make);
  switch (depth === 0 ? below(7) : below(11)) {
    case 0:
      return TEXTS[below(random() < 0.05 ? 5 : 4)];
    case 1:
      return [null, undefined, true, false, None][below(5)];
    case 2:
      return [1, -1, 2 ** 31 - 1, 2 ** 31, 0.5, -0, NaN, Infinity][below(8)];
    case 3:
      return [1n, 2n ** 62n, -(2n ** 63n), 2n ** 63n, -(2n ** 200n)][below(5)];
    case 4:
      return [Int32Array.of(below(9)), Float64Array.of(random()), new Uint8Array(below(40)), BigInt64Array.of(-5n)][below(4)];
    case 5:
      return [
        new Date(below(2 ** 40)),
        new FakeRef("r"),
        new JavaNumber("short", below(99)),
        new JavaBigDecimal(7n, 2),
      ][below(4)];
    case 6:
      return new FakeRef("n", { host: "h", port: below(65_536) });
    case 7:
      return many(inner);
    case 8:
      return new Map(many(() => [`k${below(1000)}`, inner()] as const));
    case 9:
      return new Set(many(() => below(1000)));
    default:
      return new Some({ value: inner() });
  }
}

test("java.decode() gives back what java.encode() was given", () => {
  const random = seededRandom(3);
  for (let round = 0; round < 1500; round++) {
    const value = randomValue(random, 4);
    const content = encode(value);
    const decoded = decode(content);
    assertEquals(plain(decoded), plain(value));
    assertEquals(toHex(encode(decoded)), toHex(content));
  }
});

/** Addresses of references are another class after a round trip. */
function plain(value: unknown): unknown {
  if (value instanceof FakeRef) return `${value.name} ${value.address?.host} ${value.address?.port}`;
  if (value instanceof Some) return { some: plain(value.value) };
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, plain(item)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

test("java reads and writes an array of bytes by itself as it does within others", () => {
  for (const length of [0, 1, 64, 1024, 70_000]) {
    const bytes = Uint8Array.from({ length }, (_, i) => i);
    assertEquals(roundTrip(bytes), bytes);
    assertEquals(roundTrip([bytes]), [bytes]);
  }
  const head = `aced00057572${nameHex("[B")}acf317f8060854e0020000787000000002`;
  assertEquals(toHex(encode(Uint8Array.of(1, 2))), `${head}0102`);
  assertThrows(() => decode(fromHex(`${head}01`)), SerializerError, "Array needs 2 bytes, but 1 are left");
  assertThrows(() => decode(fromHex(`${head}010203`)), SerializerError, "1 bytes follow the value");
  const other = decode(fromHex(`${head}0102`.replace("acf317f8060854e0", "0000000000000001")));
  assertEquals(other, Uint8Array.of(1, 2), "Java asks for no serialVersionUID of an array either");
});

test("java.encode() writes an inert object only with values that its class has", () => {
  const { desc } = decodeVector("shared_integers_in_unknown") as JavaObject;
  const good = new JavaObject(desc, [1, null, "v"], [undefined]);
  assertEquals((roundTrip(good) as JavaObject).get("value"), "v");
  const bad = new JavaObject(desc, ["text", null, "v"], [undefined]);
  const error = assertThrows(() => encode(bad), SerializerError, 'Cannot encode "text" in a field of type I at .n');
  assertEquals(error.path, ".n");
  const worse = new JavaObject(desc, [Object.create(null), null, "v"], [undefined]);
  assertThrows(() => encode(worse), SerializerError, "Cannot encode an object in a field of type I at .n");
  const zero = new JavaObject(bad.desc, [-0], bad.annotations);
  assertThrows(() => encode(zero), SerializerError, "Cannot encode -0 in a field of type I at .n");
  assertThrows(() => encode(asJava(-0, "int")), SerializerError, "Cannot encode -0 where an Integer is expected");
  assertThrows(() => new JavaNumber("byte", -0), RangeError, "There is no byte of Java that is -0");
});
