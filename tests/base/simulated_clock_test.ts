import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { AssertionError } from "../../src/base/assert.ts";
import type { Timer } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/random.ts";
import { SimulatedClock } from "../../src/base/simulated_clock.ts";
import { SimulatedHostClock } from "../../src/base/simulated_host_clock.ts";
import { test } from "../_harness.ts";

test("SimulatedClock.setTimer() fires by time, and in the order of setting where times are equal", async () => {
  const clock = new SimulatedClock(100);
  const log: string[] = [];
  for (const [delayMs, name] of [[20, "c"], [10, "a"], [20, "d"], [10, "b"], [0, "now"], [-5, "past"], [NaN, "nan"]] as const) {
    clock.setTimer(delayMs, () => log.push(`${name} ${clock.now()}`));
  }
  await clock.run();
  assertEquals(log, ["now 100", "past 100", "nan 100", "a 110", "b 110", "c 120", "d 120"]);
  assertEquals(clock.timerCount, 0);
});

test("SimulatedClock.setTimer() is forgotten after cancel(), and never fires at Infinity", async () => {
  const clock = new SimulatedClock();
  const log: string[] = [];
  const first = clock.setTimer(10, () => log.push("first"));
  const never = clock.setTimer(Infinity, () => log.push("never"));
  clock.setTimer(5, () => first.cancel());
  assertEquals(clock.timerCount, 3);
  await clock.run();
  first.cancel();
  assertEquals([log, clock.timerCount, clock.now()], [[], 1, 5]);
  never.cancel();
  never.cancel();
  assertEquals(clock.timerCount, 0);
});

test("SimulatedClock adds delays without rounding: a deadline is never reached a hair early", async () => {
  const clock = new SimulatedClock();
  let reached = 0;
  for (let i = 0; i < 200; i++) {
    clock.schedule(i * 0.1, () => {
      const dueMs = clock.now() + 0.7;
      clock.setTimer(0.7, () => {
        if (clock.now() >= dueMs) reached++;
      });
    });
  }
  await clock.run();
  assertEquals(reached, 200);
});

test("SimulatedClock.run() drains the microtasks of an event before the next one", async () => {
  const clock = new SimulatedClock();
  const log: string[] = [];
  const chain = async () => {
    for (let i = 0; i < 20; i++) await undefined;
    clock.soon(() => {
      log.push("chain over");
      clock.soon(() => log.push("and its microtask"));
    });
  };
  clock.schedule(0, () => {
    log.push("first");
    void chain();
  });
  clock.schedule(0, () => log.push("second"));
  clock.onDrained(() => log.push("drained"));
  await clock.run();
  assertEquals(log, ["drained", "first", "chain over", "and its microtask", "drained", "second", "drained"]);
});

test("SimulatedClock.soon() keeps its place among the microtasks of promises", async () => {
  const clock = new SimulatedClock();
  const log: string[] = [];
  clock.schedule(0, () => {
    clock.soon(() => {
      log.push("soon 1");
      Promise.resolve().then(() => log.push("then 2"));
      clock.soon(() => log.push("soon 2"));
    });
    Promise.resolve().then(() => {
      log.push("then 1");
      clock.soon(() => log.push("soon 3"));
    });
    void (async () => {
      await undefined;
      log.push("await 1");
      await undefined;
      log.push("await 2");
    })();
  });
  await clock.run();
  assertEquals(log, ["soon 1", "then 1", "await 1", "then 2", "soon 2", "soon 3", "await 2"]);
});

test("SimulatedClock.yieldThen() is an event at the same virtual time", async () => {
  const clock = new SimulatedClock();
  const log: string[] = [];
  clock.setTimer(1, () => {
    clock.yieldThen(() => log.push(`yielded ${clock.now()}`));
    clock.soon(() => log.push(`soon ${clock.now()}`));
  });
  clock.setTimer(1, () => log.push("timer"));
  await clock.run();
  assertEquals(log, ["soon 1", "timer", "yielded 1"]);
});

test("SimulatedClock.run() ends when the condition holds, and goes on from there", async () => {
  const clock = new SimulatedClock();
  let fired = 0;
  for (let i = 1; i <= 4; i++) clock.setTimer(i, () => fired++);
  await clock.run(() => fired === 2);
  assertEquals([fired, clock.now(), clock.eventCount], [2, 2, 2]);
  await clock.run();
  assertEquals([fired, clock.now()], [4, 4]);
});

test("SimulatedClock.run() says when it is stuck", async () => {
  const clock = new SimulatedClock();
  clock.setTimer(7, () => {});
  const error = await assertRejects(() => clock.run(() => false), AssertionError);
  assertEquals(error.message, "Simulation is stuck at 7 ms: no event is left and the condition does not hold");
});

test("SimulatedClock.run() stops at its limits and can go on after them", async () => {
  const clock = new SimulatedClock();
  let ticks = 0;
  const tick = () => {
    if (++ticks < 100) clock.setTimer(1, tick);
  };
  clock.setTimer(1, tick);
  const byEvents = await assertRejects(() => clock.run(undefined, { maxEvents: 10 }), AssertionError);
  assertEquals([ticks, byEvents.message], [10, "Simulation went on 10 events long, its limit, at 10 ms"]);
  const byTime = await assertRejects(() => clock.run(undefined, { maxMs: 5 }), AssertionError);
  assertEquals([ticks, byTime.message], [15, "Simulation went on until 15 ms, its limit, at 15 ms"]);
  await clock.run();
  assertEquals(ticks, 100);
});

test("SimulatedClock.run() takes a million events for endless, unless it is told otherwise", async () => {
  const clock = new SimulatedClock();
  const again = (): void => void clock.schedule(0, again);
  again();
  await assertRejects(() => clock.run(), AssertionError, "Simulation went on 1000000 events long, its limit, at 0 ms");
});

test("SimulatedClock.run() rejects with what an event, a timer or a microtask threw", async () => {
  const clock = new SimulatedClock();
  const errors = [new Error("event"), new Error("timer"), new Error("microtask")];
  let later = false;
  clock.schedule(1, () => {
    throw errors[0];
  });
  clock.setTimer(2, () => {
    throw errors[1];
  });
  clock.schedule(3, () =>
    clock.soon(() => {
      throw errors[2];
    }));
  clock.schedule(3, () => later = true);
  for (const error of errors) assertStrictEquals(await clock.run().catch((thrown: unknown) => thrown), error);
  assertEquals(later, false);
  await clock.run();
  assertEquals(later, true);
});

test("SimulatedClock.run() shares the events among several runs, each with its own condition and limits", async () => {
  const clock = new SimulatedClock();
  const log: string[] = [];
  for (let i = 1; i <= 5; i++) clock.setTimer(i, () => log.push(`event ${i}`));
  const note = (run: Promise<void>, name: string) =>
    run.then(() => log.push(`${name} over`), (error: Error) => log.push(`${name}: ${error.message}`));
  const bug = new Error("bug in a condition");
  await Promise.all([
    note(clock.run(), "all"),
    note(clock.run(() => clock.now() === 2), "two"),
    note(clock.run(() => false, { maxEvents: 3 }), "three"),
    note(clock.run(() => false, { maxMs: 4 }), "four"),
    note(
      clock.run(() => {
        if (clock.now() < 5) return false;
        throw bug;
      }),
      "five",
    ),
    note(clock.run(() => false), "never"),
  ]);
  assertEquals(log, [
    "event 1",
    "event 2",
    "two over",
    "event 3",
    "three: Simulation went on 3 events long, its limit, at 3 ms",
    "event 4",
    "four: Simulation went on until 4 ms, its limit, at 4 ms",
    "event 5",
    "five: bug in a condition",
    "all over",
    "never: Simulation is stuck at 5 ms: no event is left and the condition does not hold",
  ]);
});

test("SimulatedClock.settle() gives what the promise gave, as SimulatedClock.advance() lets time pass", async () => {
  const clock = new SimulatedClock();
  const sleep = (ms: number) => new Promise<number>((resolve) => clock.setTimer(ms, () => resolve(clock.now())));
  assertEquals(await clock.settle(sleep(86_400_000)), 86_400_000);
  const refused = new Error("refused");
  assertStrictEquals(await clock.settle(Promise.reject(refused)).catch((thrown: unknown) => thrown), refused);
  await clock.advance(0.5);
  assertEquals(clock.now(), 86_400_000.5);
  await assertRejects(() => clock.settle(new Promise(() => {})), AssertionError, "stuck");
});

test("SimulatedClock.advance() that fails leaves no event behind", async () => {
  const clock = new SimulatedClock();
  const bug = new Error("bug");
  clock.schedule(1, () => {
    throw bug;
  });
  assertStrictEquals(await clock.advance(10).catch((thrown: unknown) => thrown), bug);
  await clock.run();
  assertEquals(clock.now(), 1);
});

test("SimulatedHostClock.freeze() makes everything of its host late, in its order, and nothing of others", async () => {
  const clock = new SimulatedClock();
  const [a, b] = [new SimulatedHostClock(clock), new SimulatedHostClock(clock)];
  const log: string[] = [];
  const note = (what: string) => () => log.push(`${what} ${clock.now()}`);
  a.setTimer(3, note("a timer 3"));
  a.schedule(2, note("a event 2"));
  a.setTimer(20, note("a timer 20"));
  b.setTimer(3, note("b timer 3"));
  const cancelled = a.setTimer(4, note("a timer 4"));
  clock.schedule(5, () => cancelled.cancel());
  a.freeze(5);
  a.freeze(10);
  a.freeze(1);
  assertEquals([a.frozen, b.frozen], [true, false]);
  await clock.run();
  assertEquals(log, ["b timer 3 3", "a event 2 10", "a timer 3 10", "a timer 20 20"]);
  assertEquals([a.frozen, clock.timerCount], [false, 0]);
});

test("SimulatedHostClock.thaw() ends a freeze that has no end of its own", async () => {
  const clock = new SimulatedClock();
  const host = new SimulatedHostClock(clock);
  let fired = false;
  host.setTimer(1, () => fired = true);
  host.freeze(Infinity);
  await assertRejects(() => clock.run(() => fired), AssertionError, "stuck");
  host.thaw();
  await clock.run(() => fired);
  assertEquals(fired, true);
});

test("SimulatedHostClock.jump() moves one host's time, and its overdue timers fire in the order of their deadlines", async () => {
  const clock = new SimulatedClock();
  const [a, b] = [new SimulatedHostClock(clock), new SimulatedHostClock(clock)];
  const log: string[] = [];
  for (const ms of [50, 30, 40, 70, 5]) a.setTimer(ms, () => log.push(`a ${ms} ${a.now()} ${clock.now()}`));
  b.setTimer(30, () => log.push(`b 30 ${b.now()}`));
  clock.schedule(10, () => a.jump(45));
  await clock.run();
  assertEquals(log, ["a 5 5 5", "a 30 55 10", "a 40 55 10", "a 50 55 10", "a 70 70 25", "b 30 30"]);
  assertEquals(clock.timerCount, 0);
});

test("SimulatedClock.schedule() keeps its order, whatever is called off", async () => {
  const random = seededRandom(1);
  const clock = new SimulatedClock();
  const waiting = new Map<number, { readonly timeMs: number; readonly timer: Timer }>();
  const log: number[] = [];
  for (let id = 0; id < 500; id++) {
    const timeMs = Math.floor(random() * 50);
    const timer = clock.schedule(timeMs, () => {
      log.push(id);
      // What has happened can no more be called off.
      timer.cancel();
    });
    waiting.set(id, { timeMs, timer });
    const victim = Math.floor(random() * 500);
    if (random() < 0.4) {
      waiting.get(victim)?.timer.cancel();
      waiting.delete(victim);
    }
  }
  const expected = [...waiting].sort(([a, { timeMs: x }], [b, { timeMs: y }]) => x - y || a - b).map(([id]) => id);
  await clock.run();
  assertEquals(log, expected);
});
