import { assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import { RpcRemoteError, SerializerError } from "../../../src/base/errors.ts";
import { java } from "../../../src/rpc/java_serializer.ts";
import { RpcAddress } from "../../../src/rpc/rpc_address.ts";
import { RpcEndpointAddress } from "../../../src/rpc/rpc_endpoint_address.ts";
import { CheckExistence } from "../../../src/serializer/java/check_existence.ts";
import { JavaClassDesc } from "../../../src/serializer/java/class_desc.ts";
import { defineJavaClass } from "../../../src/serializer/java/define_java_class.ts";
import { sparkDeploy } from "../../../src/serializer/java/deploy_messages.ts";
import { JavaBigDecimal, JavaNumber } from "../../../src/serializer/java/java_numbers.ts";
import { JavaBlockData, JavaClassObject, JavaEnum, JavaObject } from "../../../src/serializer/java/java_object.ts";
import { asJava, javaTypes } from "../../../src/serializer/java/java_types.ts";
import { Failure, FiniteDuration, Left, None, Right, Some, Success } from "../../../src/serializer/java/scala_values.ts";
import { JavaRpcTimeout } from "../../../src/serializer/java/spark_classes.ts";
import { RpcFailure } from "../../../src/serializer/serializer.ts";
import { fromHex, test, toHex } from "../../_harness.ts";
import { readVectors } from "../../_vectors.ts";
import { assertSame } from "../_cbor.ts";
import {
  classHex,
  context,
  decode,
  decodeHex,
  decodeVector,
  encode,
  encodeHex,
  exact,
  FakeRef,
  nameHex,
  vector,
  vectors,
} from "./_java.ts";

/** What the JDK wrote that is no message, and why it is refused. */
const REFUSED: Readonly<Record<string, string>> = {
  exception_in_stream: "Writing was broken off at the other end by java.io.NotSerializableException: java.lang.Object",
  proxy: "Proxies are refused, at byte 5",
  primitive_content: "Bytes of an object where a value is expected, at byte 4",
};

/** What goes on without the mark that its writer had forgotten what it wrote before. */
const WITHOUT_RESET = new Set(["reset_after", "reset_before"]);

for (const { name, hex } of vectors) {
  if (name in REFUSED) {
    test(`java.decode() refuses ${name}`, () => {
      assertThrows(() => decode(fromHex(hex)), SerializerError, REFUSED[name]);
    });
  } else {
    test(`java reads ${name} and writes it again byte for byte`, () => {
      const written = toHex(encode(decode(fromHex(hex), exact), exact));
      const reset = WITHOUT_RESET.has(name) ? hex.replace(/^aced000579/, "aced0005").replace(/79$/, "") : hex;
      assertEquals(written, reset);
    });
  }
}

test("java reads the same whatever it read before", () => {
  const accepted = vectors.filter(({ name }) => !(name in REFUSED));
  const written = () => accepted.map(({ hex }) => toHex(encode(decode(fromHex(hex), exact), exact)));
  const first = written();
  // More classes than are kept for the next content, in either order.
  accepted.reverse();
  assertEquals(written().reverse(), first);
});

for (const { name, hex } of readVectors("requests")) {
  test(`java reads the content of ${name} and writes it again byte for byte`, () => {
    const content = hex.slice(hex.indexOf("aced0005"));
    assertEquals(toHex(encode(decode(fromHex(content)))), content);
  });
}

test("java gives each box its value", () => {
  const values: readonly [string, unknown][] = [
    ["null", null],
    ["true", true],
    ["false", false],
    ["Integer_0", 0],
    ["Integer_min", -2147483648],
    ["Integer_42", 42],
    ["Long_max", 9223372036854775807n],
    ["Long_-1", -1n],
    ["Double_pi", Math.PI],
    ["Double_nan", NaN],
    ["double_one", 1],
    ["minus_zero", -0],
    ["Float", new JavaNumber("float", 1.5)],
    ["Short", new JavaNumber("short", -2)],
    ["Byte", new JavaNumber("byte", -3)],
    ["Character", new JavaNumber("char", "é")],
    ["scala_BigInt", new JavaNumber("BigInt", 123456789n)],
    ["java_BigInteger", -123456789012345678901234567890n],
    ["bigInteger_zero", 0n],
    ["java_BigDecimal", new JavaBigDecimal(150n, 2)],
    ["bigDecimal_negative", new JavaBigDecimal(-1n, 5)],
    ["scala_Unit", undefined],
    ["java_Date", new Date(0)],
    ["date_before", new Date(-1)],
  ];
  for (const [name, value] of values) assertSame(decodeVector(name), value, name);
  assertEquals(decodeVector("double_one", exact), new JavaNumber("double", 1));
  assertEquals(decodeVector("bigInteger_small", exact), new JavaNumber("BigInteger", 5n));
});

test("java gives strings and arrays their values", () => {
  const values: readonly [string, unknown][] = [
    ["String_empty", ""],
    ["String_short", "hello"],
    ["String_nul_bmp_nonbmp", "a\0é你😀z"],
    ["String_lone_surrogate", "x\ud83dy"],
    ["String_65535", "a".repeat(65_535)],
    ["String_65536_TC_LONGSTRING", "a".repeat(65_536)],
    ["bytes_0", new Uint8Array()],
    ["bytes_300", vector("bytes_300").slice(-300)],
    ["ints", Int32Array.of(1, -2, 3)],
    ["longs", BigInt64Array.of(1n, -2n)],
    ["doubles", Float64Array.of(0.5)],
    ["booleans", [true, false]],
    ["chars", Uint16Array.of(97, 0xd83d)],
    ["floats", Float32Array.of(1.5, NaN)],
    ["shorts", Int16Array.of(-1, 2)],
    ["Strings", ["a", "b", "a", null]],
    ["Objects", [1, "a", null, 1]],
    ["nested_arrays", [Int32Array.of(1), new Int32Array(), null]],
    ["Integers", [1, null, 1]],
  ];
  for (const [name, value] of values) assertEquals(decodeVector(name), value, name);
});

test("java gives collections of Java their values", () => {
  const values: readonly [string, unknown][] = [
    ["java_ArrayList", ["a", 1]],
    ["java_HashMap", new Map([["k", 1]])],
    ["java_LinkedHashMap", new Map([["k", 1]])],
    ["java_HashSet", new Set(["k"])],
    ["java_List_of", ["a", "b"]],
    ["setOf", new Set(["a"])],
    ["mapOf", new Map([["k", 2]])],
    ["asList", ["a", 1, "a"]],
    ["linkedList", ["x", "y"]],
    ["emptyList", []],
    ["linkedHashSet", new Set([3, 1, 2])],
    ["bytes_in_list", [Uint8Array.of(1, 2)]],
    ["linkedHashMap", new Map(Array.from({ length: 20 }, (_, i) => [`k${i}`, i * 100]))],
  ];
  for (const [name, value] of values) assertEquals(decodeVector(name), value, name);
  const list = decodeVector("list_in_itself") as unknown[];
  assertEquals(list[0] === list, true);
  const map = decodeVector("map_in_itself") as Map<unknown, unknown>;
  assertEquals(map.get("me") === map, true);
});

test("java leaves a list inert whose array holds the list itself, as long as that is not complete", () => {
  for (const [name, field] of [["array_in_its_list", "a"], ["array_in_its_ArraySeq", "unsafeArray"]] as const) {
    const array = decodeVector(name) as unknown[];
    assertEquals([array.length, array[1]], [2, "x"], name);
    assertInstanceOf(array[0], JavaObject, name);
    assertEquals(array[0].get(field) === array, true, name);
  }
});

test("java gives collections and values of Scala their values", () => {
  const entries = (count: number) => new Map(Array.from({ length: count }, (_, i) => [`k${i}`, i]));
  const values: readonly [string, unknown][] = [
    ["scala_None", None],
    ["scala_Some_String", new Some({ value: "x" })],
    ["scala_Some_Int", new Some({ value: 1 })],
    ["scala_Nil", []],
    ["scala_List_1", ["a"]],
    ["scala_List_3", ["a", 2, true]],
    ["scala_Vector_0", []],
    ["scala_Vector_3", ["a", "b", "c"]],
    ["scala_Vector_40", Array.from({ length: 40 }, (_, i) => i)],
    ["scala_Map_0", new Map()],
    ["scala_Map_1", entries(1)],
    ["scala_Map_4", entries(4)],
    ["scala_Set_0", new Set()],
    ["scala_Set_2", new Set(["a", "b"])],
    ["scala_Seq_from_mutable_ArrayBuffer", ["a", "b"]],
    ["scala_Tuple2", ["a", 1]],
    ["scala_Tuple3", ["a", 1, null]],
    ["scala_Left", new Left({ value: "l" })],
    ["scala_Right", new Right({ value: 1 })],
    ["scala_Success", new Success({ value: "ok" })],
  ];
  for (const [name, value] of values) assertEquals(decodeVector(name), value, name);
  assertEquals([...decodeVector("scala_Map_6") as Map<unknown, unknown>].sort(), [...entries(6)]);
  assertEquals([...decodeVector("scala_Set_6") as Set<unknown>].sort(), [0, 1, 2, 3, 4, 5]);
  const failure = decodeVector("scala_Failure");
  assertInstanceOf(failure, Failure);
  assertEquals(failure.exception.message, "f");
});

test("java gives Spark's values and references theirs", () => {
  assertEquals(decodeVector("CheckExistence"), new CheckExistence("Echo"));
  assertEquals(decodeVector("RpcAddress"), new RpcAddress("127.0.0.1", 7077));
  const address = decodeVector("RpcEndpointAddress");
  assertInstanceOf(address, RpcEndpointAddress);
  assertEquals(String(address), "spark://Master@127.0.0.1:7077");
  assertEquals(String(decodeVector("RpcEndpointAddress_client")), "spark-client://driver");
  assertEquals(decodeVector("NettyRpcEndpointRef"), new FakeRef("Master", new RpcAddress("127.0.0.1", 7077)));
  assertEquals(decodeVector("NettyRpcEndpointRef_client"), new FakeRef("client-endpoint"));
  const duration = new FiniteDuration({ length: 120n, unit: "SECONDS" });
  assertEquals(decodeVector("RpcTimeout"), new JavaRpcTimeout({ duration, timeoutProp: "lab" }));
});

test("java keeps class, text, stack and cause of an exception", () => {
  const failure = decodeVector("RpcFailure_SparkException_cause");
  assertInstanceOf(failure, RpcFailure);
  const { error } = failure;
  assertInstanceOf(error, RpcRemoteError);
  assertEquals([error.message, error.remoteClass], ["outer", "org.apache.spark.SparkException"]);
  assertStringIncludes(
    error.remoteStack ?? "",
    "org.apache.spark.SparkException: outer\n\tat org.apache.spark.lab.Vectors.javas(Vectors.java:175)\n",
  );
  const { cause } = error;
  assertInstanceOf(cause, RpcRemoteError);
  assertEquals([cause.message, cause.remoteClass, cause.cause], ["inner é", "java.io.IOException", undefined]);
  assertEquals(cause.data, undefined);
  const bare = decodeVector("RpcFailure_no_stack");
  assertInstanceOf(bare, RpcFailure);
  assertEquals((bare.error as RpcRemoteError).remoteStack, undefined);
  const own = decodeVector("exception_of_unknown_class");
  assertInstanceOf(own, RpcRemoteError);
  assertEquals([own.message, own.remoteClass, { ...own.data }], ["text", "Gen$MyEx", { code: 42, hint: "h" }]);
  assertEquals((own.cause as RpcRemoteError).message, "java.lang.RuntimeException");
});

test("java gives deploy messages their values", () => {
  assertEquals(decodeVector("BoundPortsRequest"), sparkDeploy.BoundPortsRequest);
  assertEquals(
    decodeVector("BoundPortsResponse_none"),
    new sparkDeploy.BoundPortsResponse({ rpcEndpointPort: 7077, webUIPort: 8080 }),
  );
  assertEquals(
    decodeVector("DriverStatusResponse_found"),
    new sparkDeploy.DriverStatusResponse({
      found: true,
      state: "RUNNING",
      workerId: "worker-1",
      workerHostPort: "127.0.0.1:7078",
      exception: undefined,
    }),
  );
  const state = decodeVector("MasterStateResponse_full");
  assertInstanceOf(state, sparkDeploy.MasterStateResponse);
  assertEquals([state.host, state.port, state.restPort, state.status], ["127.0.0.1", 7077, 6066, "STANDBY"]);
  assertEquals(state.workers.map(({ id, cores, endpoint }) => [id, cores, endpoint.name]), [["worker-1", 2, "Worker"]]);
  const { desc, submitDate } = state.activeApps[0]!;
  assertEquals([desc.name, desc.maxCores, desc.command.environment.get("SPARK_USER")], ["app", 4, "root"]);
  assertEquals(desc.defaultProfile.taskResources.get("cpus")?.amount, 1);
  assertEquals(submitDate, new Date(1_700_000_000_000));
  assertEquals(state.activeDrivers[0]?.desc.command.arguments, ["a"]);
  const gpu = decodeVector("RegisterWorker_gpu");
  assertInstanceOf(gpu, sparkDeploy.RegisterWorker);
  assertEquals(gpu.resources.get("gpu")?.addresses, ["0", "1"]);
  assertEquals(gpu.masterAddress.port, 7077);
});

test("java leaves what it does not know inert, to be looked into", () => {
  const custom = decodeVector("writeObject_with_blocks");
  assertInstanceOf(custom, JavaObject);
  assertEquals([custom.className, custom.serialVersionUID], ["Gen$Custom", 12n]);
  assertEquals([...custom.fieldNames()], ["c", "name", "f", "s", "name"]);
  assertEquals([custom.get("name"), custom.get("name", "Gen$Base"), custom.get("c"), custom.get("s")], [
    "custom",
    "base",
    "x",
    -5,
  ]);
  assertEquals(custom.get("none"), undefined);
  const [block, between] = custom.annotation();
  assertInstanceOf(block, JavaBlockData);
  assertEquals([toHex(block.bytes), between], ["00000007000464617461", "between"]);
  const cycle = decodeVector("cycle_of_unknown") as JavaObject;
  assertEquals(((cycle.get("next") as JavaObject).get("next") as JavaObject) === cycle, true);
  const red = decodeVector("enum");
  assertInstanceOf(red, JavaEnum);
  assertEquals([red.className, red.name], ["Gen$Color", "RED"]);
  const type = decodeVector("class");
  assertInstanceOf(type, JavaClassObject);
  assertEquals(String(type), "class java.lang.String");
  const many = decodeVector("all_primitives") as JavaObject;
  assertSame(
    ["z", "b", "c", "s", "i", "l", "f", "d", "str"].map((name) => many.get(name)),
    [true, -1, "\ud800", -32768, -2147483648, -(2n ** 63n), NaN, -0, "é"],
  );
  assertEquals(many.get("self") === many, true);
});

test("an object of an Externalizable class has what that wrote, and nothing of the classes that it extends", () => {
  const [ext, sub, after] = decodeVector("externalizable_of_serializables") as [JavaObject, JavaObject, string];
  assertEquals([ext.className, sub.className, sub.desc.parent === ext.desc, after], ["Gen$Ext", "Gen$Sub", true, "after"]);
  assertEquals([ext.desc.parent?.name, ext.get("number"), [...ext.fieldNames()]], ["Gen$Base", undefined, []]);
  assertEquals([ext, sub].map((object) => object.annotation()[1]), ["written", "written"]);
  assertEquals([sub.annotation().length, sub.annotation("Gen$Ext")], [3, []]);
});

test("an object of an Externalizable class goes on without the fields that its class is said to have", () => {
  const content = `73${classHex("a.B", { flags: "0c", fields: "000149000161" })}7701ff78`;
  const object = decodeHex(content);
  assertInstanceOf(object, JavaObject);
  assertEquals([object.get("a"), encodeHex(object)], [null, content]);
});

test("a class goes on with what its writer put after its fields", () => {
  const array = encodeHex(asJava(["in it"], javaTypes.array("Object")));
  const annotation = `7701ff${array}7a00000100${"00".repeat(256)}`;
  const content = `73${classHex("a.B").replace(/7870$/, `${annotation}7870`)}`;
  assertEquals(encodeHex(decodeHex(content)), content);
  // Also of a class that is known, of which nothing is kept then: each content has its own array.
  const list = toHex(vector("java_ArrayList")).replace("74000161", "71007e0002").replace("7870", `${annotation}7870`);
  const [one, other] = [decode(fromHex(list)), decode(fromHex(list))] as [unknown[], unknown[]];
  assertEquals([one, one[0] === other[0]], [[["in it"], 1], false]);
});

test("what java.time writes of itself can be read, and made here: an Instant", () => {
  const instant = decodeVector("instant");
  assertInstanceOf(instant, JavaObject);
  assertEquals([instant.className, [...instant.fieldNames()]], ["java.time.Ser", []]);
  const [block] = instant.annotation();
  assertInstanceOf(block, JavaBlockData);
  const view = new DataView(block.bytes.buffer, block.bytes.byteOffset, block.bytes.length);
  assertEquals([view.getUint8(0), view.getBigInt64(1), view.getInt32(9)], [2, 1_700_000_000n, 123_456_789]);
  const made = new JavaClassDesc("java.time.Ser", -7683839454370182990n, { flags: 12, fields: [], parent: undefined });
  assertEquals(encode(new JavaObject(made, [], [[new JavaBlockData(block.bytes.slice())]])), vector("instant"));
});

test("a class of Java's own that writes its fields can be defined as any other: a UUID", () => {
  const fields = { mostSigBits: "long", leastSigBits: "long" } as const;
  const UUID = defineJavaClass("java.util.UUID", { serialVersionUID: -4856846361193249489n, fields });
  const codec = java.with({ classes: [UUID] });
  const uuid = new UUID({ mostSigBits: 0x123e4567e89b12d3n, leastSigBits: BigInt.asIntN(64, 0xa456426614174000n) });
  assertEquals(decodeVector("uuid", codec), uuid);
  assertEquals(encode(uuid, codec), vector("uuid"));
});

test("java lets a reference go on with the timeout that it came with", () => {
  const usual = toHex(vector("NettyRpcEndpointRef"));
  assertEquals(toHex(encode(new FakeRef("Master", { host: "127.0.0.1", port: 7077 }))), usual);
  const shorter = usual.replace("0000000000000078", "000000000000001e");
  assertEquals(shorter === usual, false);
  assertEquals(toHex(encode(decode(fromHex(shorter)))), shorter);
});

test("java gives a reference the timeout of its environment, unless it came with another", () => {
  const usual = toHex(vector("NettyRpcEndpointRef"));
  const address = { host: "127.0.0.1", port: 7077 };
  const written = (durationMs: number, ref: object = new FakeRef("Master", address)) => {
    const askTimeout = { durationMs, timeoutProp: "spark.network.timeout" };
    return toHex(encode(ref, java, { ...context, encodeRef: () => ({ name: "Master", address, askTimeout }) }));
  };
  const expected = (length: string, unit: string) =>
    usual.replace("0000000000000078", length).replace(nameHex("SECONDS"), nameHex(unit))
      .replace(nameHex("spark.rpc.askTimeout"), nameHex("spark.network.timeout"));
  assertEquals(written(30_000), expected("000000000000001e", "SECONDS"));
  assertEquals(written(1_500), expected("00000000000005dc", "MILLISECONDS"));
  // More than a FiniteDuration can be.
  assertEquals(written(2 ** 63), expected("000008637bd05af6", "MILLISECONDS"));
  assertEquals(written(30_000, decode(fromHex(usual)) as FakeRef), usual);
});
