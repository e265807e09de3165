import { assertEquals } from "@std/assert";
import { systemClock } from "../../src/base/clock.ts";
import { test } from "../_harness.ts";

test("systemClock.setTimer() waits in several steps for longer than a timer of the runtime can, until it is cancelled", (context) => {
  const MAX_MS = 2 ** 31 - 1;
  const { setTimeout, clearTimeout } = globalThis;
  const steps: (number | undefined)[] = [];
  const cleared: unknown[] = [];
  let fire = () => {};
  const take = (callback: () => void, delayMs?: number) => {
    fire = callback;
    return steps.push(delayMs);
  };
  Object.assign(globalThis, { setTimeout: take, clearTimeout: (handle: unknown) => void cleared.push(handle) });
  context.defer(() => Object.assign(globalThis, { setTimeout, clearTimeout }));
  let fired = 0;
  systemClock.setTimer(MAX_MS + 5, () => fired++);
  fire();
  assertEquals([steps, fired], [[MAX_MS, 5], 0]);
  fire();
  assertEquals([steps.length, fired], [2, 1]);
  const never = systemClock.setTimer(Infinity, () => fired++);
  fire();
  never.cancel();
  assertEquals([steps.slice(2), cleared, fired], [[MAX_MS, MAX_MS], [4], 1]);
});
