import { assertEquals } from "@std/assert";
import { READING_TURNS } from "../../src/base/watch_timer.ts";
import { IdleState } from "../../src/transport/idle_state.ts";
import { HandClock } from "../_hand_clock.ts";
import { test, type TestContext } from "../_harness.ts";

/** A connection that may be silent for a second, and when it was found idle. */
function watch(context: TestContext) {
  const clock = new HandClock();
  const idleAt: number[] = [];
  const subject = {
    lastActivityAt: 0,
    onIdle() {
      idleAt.push(clock.now());
      return true;
    },
  };
  const state = new IdleState(clock, 1_000, subject);
  context.defer(() => state.stop());
  return { clock, subject, idleAt };
}

test("IdleState tells of a silence once per timeout, counted from what happened last", (context) => {
  const { clock, subject, idleAt } = watch(context);
  clock.advance(400);
  subject.lastActivityAt = 400;
  clock.advance(999);
  assertEquals(idleAt, []);
  clock.advance(1);
  assertEquals(idleAt, [1_400]);
  clock.advance(1_000);
  assertEquals(idleAt, [1_400, 2_400]);
});

test("IdleState of a process that slept hears first of what came meanwhile", (context) => {
  const { clock, subject, idleAt } = watch(context);
  clock.sleep(60_000);
  assertEquals(idleAt, []);
  // The sockets are read.
  subject.lastActivityAt = 60_000;
  clock.advance(20);
  clock.turn(READING_TURNS);
  clock.advance(979);
  assertEquals(idleAt, []);
  clock.advance(100);
  assertEquals(idleAt.length, 1);
});

test("IdleState of a process that slept tells of a silence that goes on", (context) => {
  const { clock, idleAt } = watch(context);
  clock.sleep(60_000);
  clock.advance(20);
  clock.turn(READING_TURNS);
  assertEquals(idleAt, [60_020]);
});
