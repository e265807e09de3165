import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { RpcError, UnsupportedMessageError } from "../../src/base/errors.ts";
import { TypedMessage } from "../../src/serializer/serializer.ts";
import { endpoint } from "../../src/typed/endpoint.ts";
import type { StandardIssue, StandardResult, StandardSchema } from "../../src/typed/standard_schema.ts";
import { MAX_ISSUE_LENGTH, MAX_ISSUES, validatePayload } from "../../src/typed/standard_schema.ts";
import { typedRef } from "../../src/typed/typed_ref.ts";
import { test } from "../_harness.ts";
import { environment, environments } from "./_environments.ts";

interface Sum {
  receive: { Note(m: { text: string }): void };
  receiveAndReply: { Add(m: { a: number; b: number }): number; Last(): number };
}

function schema<T>(validate: (value: unknown) => StandardResult<T> | Promise<StandardResult<T>>): StandardSchema<T> {
  return { "~standard": { version: 1, vendor: "test", validate } };
}

/** Takes numbers, also as texts, and gives numbers. */
function numbers(value: unknown): StandardResult<{ a: number; b: number }> {
  const { a, b } = Object(value) as { a?: unknown; b?: unknown };
  const issues: StandardIssue[] = [];
  if (Number.isNaN(Number(a))) issues.push({ message: "Expected a number", path: ["a"] });
  if (Number.isNaN(Number(b))) issues.push({ message: "Expected a number", path: [{ key: "b" }] });
  return issues.length > 0 ? { issues } : { value: { a: Number(a), b: Number(b) } };
}

const notes = schema<{ text: string }>((value) => {
  const { text } = Object(value) as { text?: unknown };
  return typeof text === "string" ? { value: { text } } : { issues: [{ message: "No text" }] };
});

const variants = {
  sync: schema(numbers),
  async: schema(async (value) => {
    await null;
    return numbers(value);
  }),
  // What another library or realm has for a promise: the type says Promise, which nothing at run time holds it to.
  thenable: schema((value) => {
    const { then } = Promise.prototype;
    const thenable = { then: then.bind(Promise.resolve(numbers(value))) };
    return thenable as Promise<StandardResult<{ a: number; b: number }>>;
  }),
};

for (const [kind, Add] of Object.entries(variants)) {
  test(`endpoint(): ${kind} validation lets pass what fits, as the schema makes it`, async (context) => {
    const { server, client } = await environments(context);
    let handled = 0;
    const errors: Error[] = [];
    server.setupEndpoint(
      "Sum",
      endpoint<Sum>(() => ({
        onError: (error) => errors.push(error),
        receive: { Note: () => handled++ },
        receiveAndReply: {
          Add({ a, b }) {
            handled++;
            return a + b;
          },
          Last: () => handled,
        },
      }), { validate: { Add, Note: notes } }),
    );
    const sum = typedRef<Sum>(await client.setupEndpointRef(`spark://Sum@${server.address}`));
    assertEquals(await sum.ask("Add", { a: 1, b: 2 }), 3);
    assertEquals(await sum.ref.ask(new TypedMessage("Add", { a: "1", b: "2" })), 3);
    const error = await assertRejects(() => sum.ref.ask(new TypedMessage("Add", { a: "x" })), RpcError);
    const text = "Payload of Add is not valid: a: Expected a number; b: Expected a number";
    assertStringIncludes(error.message, text);
    await assertRejects(() => sum.ref.ask(new TypedMessage("Add")), RpcError, text);
    sum.ref.send(new TypedMessage("Note", { text: 1 }));
    sum.send("Note", { text: "fits" });
    assertEquals(await sum.ask("Last"), 3);
    assertEquals(errors.map(({ message }) => message), [text, text, "Payload of Note is not valid: No text"]);
    assertEquals(errors.every((error) => error instanceof UnsupportedMessageError), true);
  });
}

test("endpoint(): a schema for a message that nobody handles is refused: what it should check would go unchecked", async (context) => {
  const env = await environment(context);
  // As an object literal it would not compile.
  const validate = { Add: variants.sync, Notes: notes };
  const sum = endpoint<Sum>(() => ({ receive: { Note() {} }, receiveAndReply: { Add: () => 1, Last: () => 2 } }), { validate });
  assertThrows(() => env.setupEndpoint("Sum", sum), TypeError, "Schema for Notes: endpoint Sum has no handler of that tag");
  assertEquals(env.stats().endpoints.map(({ name }) => name), ["endpoint-verifier"]);
});

test("endpoint(): a schema that throws fails its own message only", async (context) => {
  const env = await environment(context);
  const broken = schema<{ a: number; b: number }>(() => {
    throw new RangeError("schema broke");
  });
  const sum = typedRef(env.setupEndpoint(
    "Sum",
    endpoint<Sum>(() => ({ receive: { Note() {} }, receiveAndReply: { Add: () => 1, Last: () => 2 } }), {
      validate: { Add: broken },
    }),
  ));
  await assertRejects(() => sum.ask("Add", { a: 1, b: 2 }), RangeError, "schema broke");
  assertEquals(await sum.ask("Last"), 2);
});

test("validatePayload() bounds its text, whatever the payload", async () => {
  const issues = Array.from({ length: 1_000 }, (_, index) => ({ message: "x".repeat(10_000), path: [index, Symbol("s")] }));
  const error = await assertRejects(
    () => Promise.resolve().then(() => validatePayload(schema(() => ({ issues })), "Add", {})),
    UnsupportedMessageError,
    `; and ${1_000 - MAX_ISSUES} more`,
  );
  assertEquals(error.message.length < MAX_ISSUES * (MAX_ISSUE_LENGTH + 3) + 100, true);
  assertStringIncludes(error.message, "0.Symbol(s): xxx");
  const all = Array.from({ length: MAX_ISSUES }, () => ({ message: "x".repeat(MAX_ISSUE_LENGTH) }));
  const whole = assertThrows(() => validatePayload(schema(() => ({ issues: all })), "Add", {}), UnsupportedMessageError);
  assertEquals(whole.message, `Payload of Add is not valid: ${all.map(({ message }) => message).join("; ")}`);
});

test("validatePayload() takes issues and paths that are lists of a library's own", () => {
  // As ArkType has it: `map` asks it for a path of a length, and gets one that has the length for a key.
  class Path extends Array<PropertyKey> {
    constructor(...keys: PropertyKey[]) {
      super();
      this.push(...keys);
    }
  }
  const issues = [{ message: "Not an object", path: new Path() }, { message: "Not a number", path: new Path("a", 0) }];
  assertThrows(
    () => validatePayload(schema(() => ({ issues })), "Add", undefined),
    UnsupportedMessageError,
    "Payload of Add is not valid: Not an object; a.0: Not a number",
  );
});
