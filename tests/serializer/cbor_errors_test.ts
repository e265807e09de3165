import { runInNewContext } from "node:vm";
import { assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import { ByteSink } from "../../src/base/byte_sink.ts";
import {
  RpcEndpointNotFoundError,
  RpcError,
  RpcOverloadedError,
  RpcRemoteError,
  RpcStoppedError,
  RpcTimeoutError,
  SerializerError,
  StreamError,
  toError,
  UnsupportedMessageError,
} from "../../src/base/errors.ts";
import { MessageBody } from "../../src/base/message_body.ts";
import { describeContent } from "../../src/rpc/describe_content.ts";
import { java } from "../../src/rpc/java_serializer.ts";
import { cborSerializer } from "../../src/serializer/cbor.ts";
import { RpcFailure } from "../../src/serializer/serializer.ts";
import { test } from "../_harness.ts";
import { assertSame, context, decode, decodeHex, encode, encodeFailure, encodeHex, roundTrip } from "./_cbor.ts";

const exposing = { ...context, exposeStack: true };

class OutOfStock extends Error {
  readonly item = "bolt";
  readonly left = 0;
  readonly request = { huge: true };
  readonly retry = () => 1;
}

/** The error at the asker's end for a handler that failed with `error`. */
function fail(error: Error, using = context): Error {
  const failure = decode(encodeFailure(error, using));
  assertInstanceOf(failure, RpcFailure);
  return failure.error;
}

function failRemotely(error: Error, using = context): RpcRemoteError {
  const arrived = fail(error, using);
  assertInstanceOf(arrived, RpcRemoteError);
  return arrived;
}

for (const known of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) {
  test(`cborSerializer carries a ${known.name} that is a value as itself`, () => {
    const arrived = roundTrip([new known("why")]) as [Error];
    assertSame(arrived, [new known("why")]);
    assertEquals(Object.keys(arrived[0]), []);
    assertEquals(arrived[0].stack, `${known.name}: why`);
  });
}

test("cborSerializer carries an AggregateError with its errors", () => {
  const value = new AggregateError([new TypeError("a"), "b"], "both");
  assertSame(roundTrip(value), value);
});

test("cborSerializer carries an error's own fields, and an unknown class by its name", () => {
  const error = Object.assign(new Error("no file", { cause: { path: "/a" } }), { code: "ENOENT", errno: -2 });
  error.name = "SystemError";
  const arrived = roundTrip(error) as Error & { code: string };
  assertEquals([arrived.name, arrived.message, arrived.code, arrived.cause], ["SystemError", "no file", "ENOENT", {
    path: "/a",
  }]);
  assertEquals(Object.getPrototypeOf(arrived), Error.prototype);
  assertEquals(Object.keys(arrived), ["code", "errno"]);
  const own = roundTrip(new RpcStoppedError()) as RpcStoppedError;
  assertEquals([own.name, own.code, RpcError.is(own)], ["RpcStoppedError", "STOPPED", false]);
});

test("cborSerializer carries an error that is its own cause", () => {
  const error = new Error("round");
  error.cause = error;
  const arrived = roundTrip(error) as Error;
  assertStrictEquals(arrived.cause, arrived);
});

test("cborSerializer sends an error's stack only if the environment says so", () => {
  const error = new Error("where");
  assertEquals((decode(encode(error)) as Error).stack, "Error: where");
  assertEquals((decode(encode(error, exposing)) as Error).stack, error.stack);
  assertEquals(failRemotely(error).remoteStack, undefined);
  assertEquals(failRemotely(error, exposing).remoteStack, error.stack);
});

test("cborSerializer.encodeFailure() is told apart from an Error that is the answer", () => {
  assertInstanceOf(roundTrip(new TypeError("value")), TypeError);
  assertEquals(failRemotely(new TypeError("failure")).remoteClass, "TypeError");
  assertSame(roundTrip(new RpcFailure(new Error("a"))), { error: new Error("a") });
});

test("cborSerializer.encodeFailure() carries message, class, causes and the fields that are no objects", () => {
  const error = new OutOfStock("no bolts", { cause: new RangeError("count", { cause: "text" }) });
  const arrived = failRemotely(error);
  assertEquals([arrived.code, arrived.message, arrived.remoteClass], ["REMOTE", "no bolts", "OutOfStock"]);
  assertEquals(arrived.data, { item: "bolt", left: 0 });
  const cause = arrived.cause as RpcRemoteError;
  assertInstanceOf(cause, RpcRemoteError);
  assertEquals([cause.message, cause.remoteClass, cause.data, cause.cause], ["count", "RangeError", undefined, undefined]);
  const odd = Object.assign(new Error("a"), { code: "ENOENT" });
  Object.defineProperty(odd, "__proto__", { value: "own", enumerable: true });
  assertEquals(Object.entries(failRemotely(odd).data!), [["code", "ENOENT"], ["__proto__", "own"]]);
});

test("cborSerializer.encodeFailure() carries an error of another realm, as a runtime's are under Jest, like any other", () => {
  const source = "Object.assign(new RangeError('no such file', { cause: new TypeError('why') }), { code: 'ENOENT' })";
  const { message, remoteClass, data, cause } = failRemotely(toError(runInNewContext(source)));
  assertEquals([message, remoteClass, data], ["no such file", "RangeError", { code: "ENOENT" }]);
  assertEquals([(cause as RpcRemoteError).message, (cause as RpcRemoteError).remoteClass], ["why", "TypeError"]);
});

test("cborSerializer.encodeFailure() keeps the classes that askers catch, with their values", () => {
  const options = { cause: new Error("why") };
  for (
    const error of [
      new RpcEndpointNotFoundError("Cannot find endpoint: Master", "Master", options),
      new RpcStoppedError("Stopped", options),
      new UnsupportedMessageError("Unsupported message", options),
      new RpcOverloadedError("Full", "inbox of Master", 100, options),
      new StreamError("Broken", "/jars/a.jar", options),
      new SerializerError("Cannot encode a function at .f", { direction: "encode", path: ".f", ...options }),
    ]
  ) {
    const arrived = fail(error);
    assertEquals(Object.getPrototypeOf(arrived), Object.getPrototypeOf(error));
    assertEquals(arrived.message, error.message);
    assertEquals(Object.entries(arrived), Object.entries(error));
    assertEquals((arrived.cause as RpcRemoteError).message, "why");
  }
});

test("cborSerializer.encodeFailure() makes no timeout of the asker's own out of another's", () => {
  const timeout = new RpcTimeoutError("late", { timeoutMs: 5, key: "spark.rpc.askTimeout", phase: "waiting" });
  const arrived = failRemotely(timeout);
  assertEquals([arrived.code, arrived.remoteClass], ["REMOTE", "RpcTimeoutError"]);
  assertEquals(arrived.data, { timeoutMs: 5, key: "spark.rpc.askTimeout", phase: "waiting" });
});

test("cborSerializer.encodeFailure() passes on what was remote already, its stack only if that may be told", () => {
  const error = new RpcRemoteError("far", { remoteClass: "java.lang.Error", remoteStack: "at far", data: { a: 1 } });
  const arrived = failRemotely(error);
  assertEquals([arrived.remoteClass, arrived.remoteStack, arrived.data], ["java.lang.Error", undefined, { a: 1 }]);
  assertEquals(failRemotely(error, exposing).remoteStack, "at far");
  assertEquals(failRemotely(new RpcRemoteError("no class")).remoteClass, "RpcRemoteError");
});

test("cborSerializer.encodeFailure() sends sixteen causes of a chain that is a circle", () => {
  const error = new Error("round");
  error.cause = error;
  let depth = 0;
  for (let at: unknown = fail(error); at instanceof Error && at.cause !== undefined; at = at.cause) depth++;
  assertEquals(depth, 16);
});

test("cborSerializer.encodeFailure() sends the text of what cannot be encoded", () => {
  class Hostile extends Error {
    override get message(): string {
      throw new Error("no message");
    }
    override toString(): string {
      return "hostile";
    }
  }
  assertEquals(failRemotely(new Hostile()).message, "hostile");
  class Mute extends Hostile {
    override toString(): string {
      throw new Error("no text");
    }
  }
  assertEquals(failRemotely(new Mute()).message, "A failure that has no text");
  assertEquals(failRemotely(Object.assign(new Error("a"), { big: 1n << 524_288n })).message, "Error: a");
});

test("cborSerializer.decode() refuses a failure that is none, or not the whole answer", () => {
  const name = encodeHex("sparkwire:failure");
  assertInstanceOf(decodeHex(`d81b82${name}${encodeHex({ class: "A", message: "b" })}`), RpcFailure);
  for (
    const fields of [
      1,
      null,
      [],
      {},
      new Map(),
      { class: "A" },
      { class: 1, message: "b" },
      {
        class: "A",
        message: "b",
        data: 1,
      },
      { class: "A", message: "b", code: 1 },
      { class: "A", message: "b", stack: {} },
    ]
  ) {
    assertThrows(() => decodeHex(`d81b82${name}${encodeHex(fields)}`), SerializerError, "Failure has no");
  }
  assertThrows(() => decodeHex(`81d81b82${name}${encodeHex({ class: "A", message: "b" })}`), SerializerError, "Failure inside");
});

test("cborSerializer.decode() makes a remote error of a failure of ours that lacks its values", () => {
  const name = encodeHex("sparkwire:failure");
  for (const code of ["NOT_FOUND", "OVERLOADED", "STREAM", "SERIALIZER", "TIMEOUT", "NONE", "__proto__"]) {
    const failure = decodeHex(`d81b82${name}${encodeHex({ class: "A", message: "b", code, data: { limit: "x" } })}`);
    assertInstanceOf(failure, RpcFailure);
    assertInstanceOf(failure.error, RpcRemoteError);
  }
});

test("cborSerializer.decode() ends the causes of a failure that is its own cause", () => {
  const fields: Record<string, unknown> = { class: "A", message: "b" };
  fields.cause = fields;
  const marked = encodeHex(fields);
  const failure = decodeHex(`d81b82${encodeHex("sparkwire:failure")}${marked}`) as RpcFailure;
  let depth = 0;
  for (let at: unknown = failure.error; at instanceof Error && at.cause !== undefined; at = at.cause) depth++;
  assertEquals(depth, 16);
});

test("cborSerializer.decode() refuses an Error value that is none", () => {
  const name = encodeHex("sparkwire:error");
  for (const parts of ["01 6161 a0", "6161 01 a0", "6161 6161 80", "6161 6161 a1 01 02"]) {
    assertThrows(() => decodeHex(`d81b84${name}${parts}`), SerializerError, undefined, parts);
  }
  const odd = decodeHex(`d81b84${name} 6161 6162 a2 ${encodeHex("__proto__")} a0 ${encodeHex("stack")} 01`) as Error;
  assertEquals(Object.getPrototypeOf(odd), Error.prototype);
});

test("cborSerializer.decode() leaves out what is no text where an error's text is", () => {
  // Its text would have 2^60 commas.
  let shared: unknown[] = [];
  for (let i = 0; i < 60; i++) shared = [shared, shared];
  for (const field of ["name", "message", "stack"]) {
    const fields = encodeHex({ [field]: shared, path: "/a" });
    const arrived = decodeHex(
      `d81b84${["sparkwire:error", "E", "why"].map((part) => encodeHex(part)).join("")}${fields}`,
    );
    assertInstanceOf(arrived, Error);
    assertEquals([describeContent(arrived), arrived.stack], ["E: why", "E: why"]);
    assertEquals(Object.entries(arrived), [["path", "/a"]]);
    assertSame(roundTrip(arrived), arrived);
  }
});

test("cborSerializer.decode() leaves out of a failure's data what is an object", () => {
  const fields = { class: "E", message: "why", data: { a: 1, b: "text", c: null, d: { deep: 1 }, e: [1], f: 2n } };
  const failure = decodeHex(`d81b82${encodeHex("sparkwire:failure")}${encodeHex(fields)}`);
  assertInstanceOf(failure, RpcFailure);
  assertInstanceOf(failure.error, RpcRemoteError);
  assertEquals(failure.error.data, { a: 1, b: "text", c: null, f: 2n });
});

for (const [name, serializer] of Object.entries({ cbor: cborSerializer, java })) {
  test(`${name}.decode() notes no stack of its own with an error, which would take longer than all the rest`, () => {
    let lines = 0;
    const before: unknown = Reflect.get(Error, "prepareStackTrace");
    Reflect.set(Error, "prepareStackTrace", (error: Error, sites: readonly unknown[]) => {
      lines += sites.length;
      return String(error);
    });
    const limit: unknown = Reflect.get(Error, "stackTraceLimit");
    try {
      const out = new ByteSink();
      serializer.encode([new TypeError("No such day"), new Error("")], out, context);
      lines = 0;
      const errors = serializer.decode(MessageBody.of(out.copy()), context) as Error[];
      const text = `${serializer === java ? "RpcRemoteError" : "TypeError"}: No such day`;
      assertEquals([errors[0]?.stack, lines], [text, 0]);
      assertEquals(Object.keys(errors[0]!).includes("stack"), false);
    } finally {
      Reflect.set(Error, "prepareStackTrace", before);
    }
    assertEquals(Reflect.get(Error, "stackTraceLimit"), limit);
  });
}
