import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { untilAborted } from "../../src/base/until_aborted.ts";
import { countListeners } from "../_counted_listeners.ts";
import { test } from "../_harness.ts";

test("untilAborted() settles as its promise does, and leaves its signal alone afterwards", async () => {
  const { signal } = new AbortController();
  const listeners = countListeners(signal);
  assertEquals(await untilAborted(Promise.resolve(1), signal), 1);
  assertEquals(listeners(), 0);
  await assertRejects(() => untilAborted(Promise.reject(new RangeError("no")), signal), RangeError, "no");
  assertEquals(listeners(), 0);
  const promise = Promise.resolve(2);
  assertStrictEquals(untilAborted(promise, undefined), promise);
});

test("untilAborted() rejects with the signal's reason as it is, before or while it waits", async () => {
  const never = new Promise<never>(() => {});
  assertEquals(await untilAborted(never, AbortSignal.abort("no Error")).catch((reason) => reason), "no Error");
  const abort = new AbortController();
  const waiting = untilAborted(never, abort.signal);
  abort.abort("enough");
  assertEquals(await waiting.catch((reason) => reason), "enough");
});
