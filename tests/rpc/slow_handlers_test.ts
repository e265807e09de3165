import { assertEquals } from "@std/assert";
import { silentLogger } from "../../src/base/logger.ts";
import { SlowHandlers } from "../../src/rpc/slow_handlers.ts";
import { HandClock } from "../_hand_clock.ts";
import { test } from "../_harness.ts";

test("SlowHandlers has no timer when a scan finds no message in hand, until it is told of one", () => {
  const clock = new HandClock();
  const slow = new SlowHandlers(clock, silentLogger, () => []);
  for (let round = 0; round < 2; round++) {
    slow.watch();
    assertEquals(clock.timers.length, 1);
    clock.advance(1_000);
    assertEquals(clock.timers, []);
  }
});

test("SlowHandlers has a timer as long as it watches, and none after stop(), whatever a handler does then", () => {
  const clock = new HandClock();
  const slow = new SlowHandlers(clock, silentLogger, () => []);
  slow.watch();
  slow.watch();
  assertEquals(clock.timers.length, 1);
  slow.stop();
  slow.watch();
  assertEquals(clock.timers, []);
});
