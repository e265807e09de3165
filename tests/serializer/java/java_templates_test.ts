import { assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import { MessageBody } from "../../../src/base/message_body.ts";
import { ByteSink } from "../../../src/base/byte_sink.ts";
import { RpcRemoteError, SerializerError } from "../../../src/base/errors.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { CheckExistence } from "../../../src/serializer/java/check_existence.ts";
import { javaTemplates } from "../../../src/serializer/java/java_templates.ts";
import { RpcFailure, type SerializerContext } from "../../../src/serializer/serializer.ts";
import { fromHex, test, toHex } from "../../_harness.ts";
import { readVectors } from "../../_vectors.ts";

const context: SerializerContext = { encodeRef: () => undefined, decodeRef: () => ({}), exposeStack: false };

const vectors = new Map(readVectors("java_templates").map(({ name, hex }) => [name, hex]));

/** Where the serialVersionUID of a CheckExistence is. */
const UID_OFFSET = 69;

/** What each version of Spark gives CheckExistence. */
const CHECK_EXISTENCE_UIDS = {
  "2.4.8, 3.5.8 of Scala 2.12": 7789290765573734431n,
  "3.5.8 to 4.2.0 of Scala 2.13": 5378738997755484868n,
};

function hexOf(name: string): string {
  const hex = vectors.get(name);
  if (hex === undefined) throw new Error(`No vector ${name}`);
  return hex;
}

function decode(bytes: Uint8Array): unknown {
  return javaTemplates.decode(MessageBody.of(bytes), context);
}

function encode(value: unknown): Uint8Array {
  const out = new ByteSink(1);
  javaTemplates.encode(value, out, context);
  return out.copy();
}

function encodeFailure(error: Error): Uint8Array {
  const out = new ByteSink(1);
  javaTemplates.encodeFailure(error, out, context);
  return out.copy();
}

function decodeFailure(bytes: Uint8Array): RpcRemoteError {
  const failure = decode(bytes);
  assertInstanceOf(failure, RpcFailure);
  assertInstanceOf(failure.error, RpcRemoteError);
  return failure.error;
}

function decodeName(bytes: Uint8Array): string {
  const question = decode(bytes);
  assertInstanceOf(question, CheckExistence);
  return question.name;
}

/** A vector with bytes replaced, from `at` on. */
function patched(name: string, at: number, replacement: readonly number[]): Uint8Array {
  const bytes = fromHex(hexOf(name));
  bytes.set(replacement, at);
  return bytes;
}

test("javaTemplates writes what Spark writes", () => {
  assertEquals(toHex(encode(true)), hexOf("true"));
  assertEquals(toHex(encode(false)), hexOf("false"));
  assertEquals(toHex(encode(new CheckExistence("Echo"))), hexOf("CheckExistence"));
  for (const name of ["true", "CheckExistence", "RpcFailure_no_stack"]) {
    assertEquals(hexOf(name).startsWith(toHex(javaTemplates.prefix)), true);
  }
});

test("javaTemplates reads what Spark writes", () => {
  assertEquals(decode(fromHex(hexOf("true"))), true);
  assertEquals(decode(fromHex(hexOf("false"))), false);
  assertEquals(decodeName(fromHex(hexOf("CheckExistence"))), "Echo");
});

test("javaTemplates reads a CheckExistence with any serialVersionUID, and a Boolean with its own only", () => {
  const withUid = (uid: bigint) => {
    const bytes = fromHex(hexOf("CheckExistence"));
    new DataView(bytes.buffer).setBigInt64(UID_OFFSET, uid);
    return bytes;
  };
  assertEquals(toHex(withUid(CHECK_EXISTENCE_UIDS["3.5.8 to 4.2.0 of Scala 2.13"])), hexOf("CheckExistence"));
  for (const uid of [...Object.values(CHECK_EXISTENCE_UIDS), 0n, -1n]) {
    assertEquals(decodeName(withUid(uid)), "Echo", String(uid));
  }
  // The UID of a Boolean follows its name, of 17 bytes.
  assertThrows(() => decode(patched("true", 4 + 2 + 2 + 17, [0])), SerializerError, "another form");
});

for (const name of ["", "Master", "Écho你😀\0", "\ud83d", "x".repeat(65_535), "x".repeat(65_536), "é".repeat(40_000)]) {
  test(`javaTemplates round-trips a CheckExistence of ${JSON.stringify(name.slice(0, 8))} (${name.length})`, () => {
    assertEquals(decodeName(encode(new CheckExistence(name))), name);
  });
  test(`javaTemplates round-trips a failure with the text ${JSON.stringify(name.slice(0, 8))} (${name.length})`, () => {
    const error = decodeFailure(encodeFailure(new RangeError(name)));
    assertEquals([error.message, error.remoteClass, error.cause], [name, "java.lang.RuntimeException", undefined]);
  });
}

test("javaTemplates.encodeFailure() writes a RuntimeException like Spark's, without a stack", () => {
  const hex = toHex(encodeFailure(new RangeError("boom")));
  // Up to the text it is the exception of one vector; behind it, where nothing refers to a handle, that of another.
  const head = hexOf("RpcFailure_RuntimeException");
  const text = toHex(new TextEncoder().encode("boom"));
  const headEnd = head.indexOf(text) + text.length;
  const tail = hexOf("RpcFailure_no_stack");
  const otherText = toHex(new TextEncoder().encode("no stack"));
  assertEquals(hex, head.slice(0, headEnd) + tail.slice(tail.indexOf(otherText) + otherText.length));
  const again = new ByteSink();
  javaTemplates.encode(new RpcFailure(new RangeError("boom")), again, context);
  assertEquals(toHex(again.copy()), hex);
});

test("javaTemplates finds class, text and cause of Spark's failures", () => {
  const cases: [string, [string, string][]][] = [
    ["RpcFailure_no_stack", [["java.lang.IllegalStateException", "no stack"]]],
    ["RpcFailure_RuntimeException", [["java.lang.RuntimeException", "boom"]]],
    ["RpcFailure_SparkException_cause", [["org.apache.spark.SparkException", "outer"], ["java.io.IOException", "inner é"]]],
    ["RpcEndpointNotFoundException", [[
      "org.apache.spark.rpc.RpcEndpointNotFoundException",
      "Cannot find endpoint: spark://x@h:1",
    ]]],
  ];
  for (const [name, expected] of cases) {
    const found: [string | undefined, string][] = [];
    for (let at: unknown = decodeFailure(fromHex(hexOf(name))); at instanceof RpcRemoteError; at = at.cause) {
      found.push([at.remoteClass, at.message]);
    }
    assertEquals(found, expected, name);
  }
});

test("javaTemplates reads a failure with any serialVersionUID, and the stack in it", () => {
  // The UID follows the class's name, of 37 bytes.
  const error = decodeFailure(patched("RpcFailure_SparkException_cause", 4 + 2 + 2 + 37, [1, 2, 3]));
  assertEquals(error.message, "outer");
  assertStringIncludes(error.remoteStack ?? "", "org.apache.spark.SparkException: outer\n\tat ");
});

test("javaTemplates gives an exception without text its class as text", () => {
  const hex = hexOf("RpcFailure_no_stack");
  const text = toHex(Uint8Array.of(0x74, 0, 8)) + toHex(new TextEncoder().encode("no stack"));
  const error = decodeFailure(fromHex(hex.replace(text, "70")));
  assertEquals([error.message, error.remoteClass], ["java.lang.IllegalStateException", "java.lang.IllegalStateException"]);
});

test("javaTemplates names the class that it cannot read, and says what is needed", () => {
  const cases: [string, string][] = [
    ["Integer_42", "java.lang.Integer"],
    ["Double_pi", "java.lang.Double"],
    ["String_short", "java.lang.String"],
    ["null", "null"],
    ["bytes_64", "[B"],
    ["scala_None", "scala.runtime.ModuleSerializationProxy"],
    ["scala_Nil", "scala.collection.generic.DefaultSerializationProxy"],
    ["java_UUID", "java.util.UUID"],
    ["NettyRpcEndpointRef", "org.apache.spark.rpc.netty.NettyRpcEndpointRef"],
  ];
  for (const [name, className] of cases) {
    const error = assertThrows(() => decode(fromHex(hexOf(name))), SerializerError);
    assertEquals(error.message, `Cannot decode ${className}: the full Java codec is needed`);
    assertEquals(error.direction, "decode");
  }
});

test("javaTemplates names the value that it cannot write, and writes nothing", () => {
  class Heartbeat {}
  const cases: [unknown, string][] = [
    [null, "null"],
    [undefined, "undefined"],
    ["text", "a string"],
    [42, "42"],
    [2n ** 255n - 1n, `${2n ** 255n - 1n}n`],
    [2n ** 255n, "a large bigint"],
    [new Heartbeat(), "an object of class Heartbeat"],
    [Object.create(null), "an object of class null"],
    [[], "an object of class Array"],
  ];
  for (const [value, what] of cases) {
    const out = new ByteSink();
    const error = assertThrows(() => javaTemplates.encode(value, out, context), SerializerError);
    assertEquals(error.message, `Cannot encode ${what}: the full Java codec is needed`);
    assertEquals([error.direction, error.path, out.position], ["encode", "", 0]);
  }
});

test("javaTemplates refuses other headers, unknown kinds, and what follows the value", () => {
  const cases: [Uint8Array, string][] = [
    [Uint8Array.of(), "needs 4 bytes, but 0 are left"],
    [fromHex("d9d9f70182"), "Invalid Java stream header: d9d9f701"],
    [fromHex("aced000473"), "Invalid Java stream header: aced0004"],
    [fromHex("aced0005"), "Kind of value needs 1 bytes"],
    [fromHex("aced000579"), "Unknown kind of value: 0x79"],
    [fromHex("aced00057371"), "Unknown kind of class description: 0x71"],
    [fromHex(`${hexOf("true")}00`), "1 bytes follow the value"],
    [fromHex(`${hexOf("CheckExistence")}7000`), "2 bytes follow the value"],
    [fromHex(`${hexOf("RpcFailure_no_stack")}70`), "1 bytes follow the value"],
  ];
  for (const [bytes, message] of cases) assertThrows(() => decode(bytes), SerializerError, message);
  // A name that is null, as a JVM could send it: 70 for the string.
  const hex = hexOf("CheckExistence");
  const name = `740004${toHex(new TextEncoder().encode("Echo"))}`;
  assertThrows(() => decode(fromHex(hex.slice(0, -name.length) + "70")), SerializerError, "Name is not a string: 0x70");
});

for (
  const name of [
    "true",
    "CheckExistence",
    "RpcFailure_no_stack",
    "RpcFailure_RuntimeException",
    "RpcFailure_SparkException_cause",
  ]
) {
  test(`javaTemplates throws a SerializerError at every cut of ${name}`, () => {
    const bytes = fromHex(hexOf(name));
    for (let cut = 0; cut < bytes.length; cut++) {
      const error = assertThrows(() => decode(bytes.slice(0, cut)), SerializerError);
      assertEquals(error.offset !== undefined && error.offset <= cut, true, `cut at ${cut}: ${error.message}`);
    }
  });
}

test("javaTemplates throws nothing but SerializerError, whatever bytes come", () => {
  const random = seededRandom(5);
  const templates = [...vectors.values()].map(fromHex);
  templates.push(encodeFailure(new Error("x")));
  for (let round = 0; round < 20_000; round++) {
    const bytes = templates[Math.floor(random() * templates.length)]!.slice();
    const changes = 1 + Math.floor(random() * 4);
    for (let i = 0; i < changes; i++) {
      const at = Math.floor(random() * bytes.length);
      // The marks of a stream do more harm than other bytes.
      bytes[at] = random() < 0.5 ? 0x70 + Math.floor(random() * 15) : Math.floor(random() * 256);
    }
    try {
      decode(bytes);
    } catch (error) {
      if (!(error instanceof SerializerError)) throw error;
    }
  }
});

test("javaTemplates shows no more than 200 characters of a class name", () => {
  const length = 60_000;
  const bytes = new Uint8Array(8 + length).fill(0x61);
  bytes.set([0xac, 0xed, 0, 5, 0x73, 0x72, length >> 8, length & 0xff]);
  const error = assertThrows(() => decode(bytes), SerializerError);
  assertStringIncludes(error.message, "a".repeat(200));
  assertEquals(error.message.length < 300, true);
});
