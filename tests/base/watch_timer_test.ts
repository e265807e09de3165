import { assertEquals } from "@std/assert";
import { LATE_MS, READING_TURNS, WatchTimer } from "../../src/base/watch_timer.ts";
import { HandClock } from "../_hand_clock.ts";
import { test } from "../_harness.ts";

/** A clock, and when the timer of 100 ms that was set at 0 has fired. */
function watch(): { readonly clock: HandClock; readonly fired: number[]; readonly timer: WatchTimer } {
  const clock = new HandClock();
  const fired: number[] = [];
  return { clock, fired, timer: new WatchTimer(clock, 100, () => fired.push(clock.now())) };
}

test("WatchTimer fires when it is due", () => {
  const { clock, fired } = watch();
  clock.advance(99);
  assertEquals(fired, []);
  clock.advance(1);
  assertEquals([fired, clock.timers], [[100], []]);
});

test(`WatchTimer that is ${LATE_MS} ms late waits as long again, one that is less late does not`, () => {
  for (const lateMs of [LATE_MS - 1, LATE_MS, 60_000]) {
    const { clock, fired } = watch();
    clock.sleep(100 + lateMs);
    const waits = lateMs >= LATE_MS;
    assertEquals(fired, waits ? [] : [100 + lateMs]);
    clock.advance(LATE_MS);
    clock.turn(READING_TURNS);
    assertEquals([fired, clock.timers], [[100 + lateMs + (waits ? LATE_MS : 0)], []]);
  }
});

test("WatchTimer that was late leaves turns for reading, however long it takes to handle what is read", () => {
  const { clock, fired } = watch();
  clock.sleep(1_000);
  clock.sleep(100);
  clock.turn(READING_TURNS - 1);
  assertEquals([fired, clock.yielded], [[], 1]);
  clock.turn();
  assertEquals([fired, clock.yielded], [[1_100], 0]);
});

test("WatchTimer that is late twice fires within a second: a process that is always busy still gives up", () => {
  const { clock, fired } = watch();
  clock.sleep(1_000);
  clock.sleep(900);
  clock.turn();
  clock.skip(100);
  clock.turn();
  assertEquals([fired, clock.timers, clock.yielded], [[2_000], [], 0]);
});

test("WatchTimer.cancel() forgets it, also while it waits again", () => {
  for (const [sleepMs, turns] of [[0, 0], [1_000, 0], [1_000, 1]] as const) {
    const { clock, fired, timer } = watch();
    clock.sleep(sleepMs);
    if (turns > 0) clock.advance(LATE_MS);
    clock.turn(turns);
    timer.cancel();
    clock.advance(10_000);
    clock.turn(READING_TURNS);
    assertEquals([fired, clock.timers, clock.yielded], [[], [], 0]);
  }
});
