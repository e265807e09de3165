import { assertEquals } from "@std/assert";
import { Deadlines } from "../../src/base/deadlines.ts";
import type { DeadlineSource } from "../../src/base/deadlines.ts";
import { READING_TURNS } from "../../src/base/watch_timer.ts";
import { HandClock } from "../_hand_clock.ts";
import { test } from "../_harness.ts";

class Source implements DeadlineSource {
  readonly expired: number[] = [];
  looks = 0;
  waiting: number[];
  size: number;

  constructor(waiting: number[], size = waiting.length) {
    this.waiting = waiting;
    this.size = size;
  }

  expire(now: number): number {
    this.looks++;
    this.expired.push(...this.waiting.filter((deadline) => deadline <= now));
    this.waiting = this.waiting.filter((deadline) => deadline > now);
    return Math.min(Infinity, ...this.waiting);
  }
}

test("Deadlines.note() sets one timer, at the earliest deadline", () => {
  const clock = new HandClock();
  const deadlines = new Deadlines(clock);
  const source = new Source([50, 20, 90]);
  deadlines.add(source);
  for (const deadline of source.waiting) deadlines.note(deadline);
  assertEquals(clock.timers, [20]);
  clock.advance(20);
  assertEquals(source.expired, [20]);
  assertEquals(clock.timers, [50]);
  clock.advance(100);
  assertEquals(source.expired, [20, 50, 90]);
  assertEquals(clock.timers, []);
  assertEquals(source.looks, 3);
});

test("Deadlines.note() never looks before a deadline that is a fraction of a millisecond away", () => {
  const clock = new HandClock();
  const deadlines = new Deadlines(clock);
  deadlines.add(new Source([10.25]));
  deadlines.note(10.25);
  assertEquals(clock.timers, [11]);
});

test("Deadlines looks at many deadlines less often", () => {
  const clock = new HandClock();
  const deadlines = new Deadlines(clock);
  const source = new Source([10, 11, 12, 13, 14, 15, 16, 17, 18, 40], 32_768);
  deadlines.add(source);
  deadlines.note(10);
  clock.advance(40);
  assertEquals(source.expired.length, 9);
  // At 10, at 26 (a gap of 16 ms later) and at 42: not at each of the ten.
  clock.advance(2);
  assertEquals(source.expired.length, 10);
  assertEquals(source.looks, 3);
});

test("Deadlines.remove() takes the timer away with the last source", () => {
  const clock = new HandClock();
  const deadlines = new Deadlines(clock);
  const [a, b] = [new Source([5]), new Source([7])];
  deadlines.add(a);
  deadlines.add(b);
  deadlines.note(5);
  deadlines.remove(a);
  assertEquals(clock.timers, [5]);
  deadlines.remove(b);
  assertEquals(clock.timers, []);
});

test("Deadlines.remove() takes the timer away where the one source that is left waits for nothing", () => {
  const clock = new HandClock();
  const deadlines = new Deadlines(clock);
  const [a, b, own] = [new Source([5]), new Source([7]), new Source([9])];
  for (const source of [own, a, b]) deadlines.add(source);
  deadlines.note(5);
  deadlines.remove(a);
  deadlines.remove(b);
  assertEquals(clock.timers, [5]);
  own.size = 0;
  deadlines.remove(b);
  assertEquals(clock.timers, []);
  deadlines.note(90);
  assertEquals(clock.timers, [90]);
});

test("Deadlines of a source that comes after the last one went have a timer, though they are later than its were", () => {
  const clock = new HandClock();
  const deadlines = new Deadlines(clock);
  const gone = new Source([50]);
  deadlines.add(gone);
  deadlines.note(50);
  deadlines.remove(gone);
  const next = new Source([90]);
  deadlines.add(next);
  deadlines.note(90);
  assertEquals(clock.timers, [90]);
});

test("Deadlines leaves no timer for a source that is removed while it is looked at", () => {
  const clock = new HandClock();
  const deadlines = new Deadlines(clock);
  const source = new Source([5, 600_000]);
  deadlines.add({
    size: 2,
    expire(now) {
      const earliest = source.expire(now);
      deadlines.remove(this);
      return earliest;
    },
  });
  deadlines.note(5);
  clock.advance(5);
  assertEquals([source.expired, clock.timers], [[5], []]);
});

test("Deadlines.now() reads the clock once per turn", () => {
  const clock = new HandClock();
  const deadlines = new Deadlines(clock);
  assertEquals(deadlines.now(), 0);
  clock.advance(5);
  clock.drain();
  assertEquals(deadlines.now(), 5);
  clock.advance(5);
  assertEquals(deadlines.now(), 5);
  clock.drain();
  assertEquals(deadlines.now(), 10);
});

test("Deadlines.after(): a wait of under 30 s begins at the very moment, a longer one when the turn did", () => {
  const clock = new HandClock();
  const deadlines = new Deadlines(clock);
  deadlines.now();
  clock.skip(500);
  assertEquals([29_999, 30_000, Infinity].map((ms) => deadlines.after(ms)), [30_499, 30_000, Infinity]);
  clock.drain();
  assertEquals(deadlines.after(30_000), 30_500);
});

test("Deadlines that are looked at late leave 20 ms and some turns to those whose answers are there", () => {
  const clock = new HandClock();
  const deadlines = new Deadlines(clock);
  const source = new Source([100, 200]);
  deadlines.add(source);
  deadlines.note(100);
  clock.sleep(150);
  assertEquals(source.expired, []);
  // An answer was read.
  source.waiting = [200];
  clock.advance(20);
  clock.turn(READING_TURNS);
  assertEquals([source.expired, clock.timers], [[], [200]]);
});
