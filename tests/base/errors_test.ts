import { assert, assertEquals } from "@std/assert";
import { inspect } from "node:util";
import { runInNewContext } from "node:vm";
import { RpcError, RpcTimeoutError, toError } from "../../src/base/errors.ts";
import { test } from "../_harness.ts";

test("RpcError.is() knows its own and those of another copy of the module, and nothing else", () => {
  const foreign = Object.assign(new Error("late"), { [Symbol.for("sparkwire.RpcError")]: true });
  assert(RpcError.is(new RpcError("STOPPED", "Stopped")));
  assert(RpcError.is(new RpcTimeoutError("late", { timeoutMs: 1, key: "timeoutMs", phase: "waiting" })));
  assert(RpcError.is(foreign));
  for (const other of [new Error("late"), undefined, null, "late", {}]) assert(!RpcError.is(other));
});

test("What marks an RpcError is not printed with it", () => {
  const error = new RpcError("NOT_FOUND", "Could not find me.");
  assertEquals(Object.getOwnPropertySymbols(error), []);
  assert(!inspect(error).includes("sparkwire.RpcError"), inspect(error));
});

test("toError() says what was thrown, and of an array no more than its length", () => {
  let array: unknown[] = [];
  for (let i = 0; i < 100; i++) array = [array, array];
  const own = new RpcError("STOPPED", "Stopped");
  assert(toError(own) === own);
  for (
    const [thrown, message] of [["late", "late"], [7, "Thrown: 7"], [{}, "Thrown: [object Object]"], [
      array,
      "Thrown: an array of 2",
    ]]
  ) {
    const error = toError(thrown);
    assertEquals(error.message, message);
    assert(error.cause === thrown);
  }
});

test("toError() passes an error of another realm on, and nothing that only says that it is one", () => {
  const foreign = runInNewContext("Object.assign(new Error('no such file'), { code: 'ENOENT' })") as Error;
  assert(!(foreign instanceof Error));
  assert(toError(foreign) === foreign);
  const tagged = { [Symbol.toStringTag]: "Error" };
  assertEquals(toError(tagged).message, "Thrown: [object Error]");
});
