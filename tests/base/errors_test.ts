import { assert, assertEquals } from "@std/assert";
import { inspect } from "node:util";
import { RpcError, RpcTimeoutError } from "../../src/base/errors.ts";
import { test } from "../_harness.ts";

test("RpcError.is() knows its own and those of another copy of the module, and nothing else", () => {
  const foreign = Object.assign(new Error("late"), { [Symbol.for("sparkwire.RpcError")]: true });
  assert(RpcError.is(new RpcError("STOPPED", "Stopped")));
  assert(RpcError.is(new RpcTimeoutError("late", { timeoutMs: 1, key: "timeoutMs", phase: "sent" })));
  assert(RpcError.is(foreign));
  for (const other of [new Error("late"), undefined, null, "late", {}]) assert(!RpcError.is(other));
});

test("What marks an RpcError is not printed with it", () => {
  const error = new RpcError("NOT_FOUND", "Could not find me.");
  assertEquals(Object.getOwnPropertySymbols(error), []);
  assert(!inspect(error).includes("sparkwire.RpcError"), inspect(error));
});
