import { assertEquals } from "@std/assert";
import { MAX_TASK_FAILURES, TaskScheduler } from "../../examples/_task_scheduler.ts";
import { test } from "../_harness.ts";

/** What is launched now, as `executor:index`. */
function offersOf(scheduler: TaskScheduler): string[] {
  return scheduler.takeOffers().map(({ executorId, index }) => `${executorId}:${index}`);
}

test("TaskScheduler.takeOffers() gives a task for each free core, to the executors in turn", () => {
  const scheduler = new TaskScheduler(6);
  assertEquals(offersOf(scheduler), []);
  scheduler.addExecutor("a", 1);
  scheduler.addExecutor("b", 3);
  assertEquals(offersOf(scheduler), ["a:0", "b:1", "b:2", "b:3"]);
  assertEquals(offersOf(scheduler), []);
  scheduler.finish(scheduler.find("a", 0)!);
  assertEquals(offersOf(scheduler), ["a:4"]);
  scheduler.addExecutor("c", 9);
  assertEquals(offersOf(scheduler), ["c:5"]);
});

test("TaskScheduler.isDone when each task has finished once", () => {
  assertEquals(new TaskScheduler(0).isDone, true);
  const scheduler = new TaskScheduler(2);
  scheduler.addExecutor("a", 2);
  const [first, second] = scheduler.takeOffers();
  scheduler.finish(first!);
  assertEquals(scheduler.isDone, false);
  // What is finished is so once.
  scheduler.finish(first!);
  assertEquals(scheduler.isDone, false);
  scheduler.finish(second!);
  assertEquals(scheduler.isDone, true);
});

test("TaskScheduler.removeExecutor() has its tasks run elsewhere, before new ones", () => {
  const scheduler = new TaskScheduler(5);
  scheduler.addExecutor("a", 2);
  scheduler.addExecutor("b", 1);
  assertEquals(offersOf(scheduler), ["a:0", "b:1", "a:2"]);
  scheduler.finish(scheduler.find("a", 0)!);
  assertEquals(offersOf(scheduler), ["a:3"]);
  assertEquals(scheduler.removeExecutor("a").map(({ index }) => index), [2, 3]);
  assertEquals(scheduler.removeExecutor("a"), []);
  assertEquals(offersOf(scheduler), []);
  // What it finished before it was lost stays so.
  scheduler.addExecutor("c", 9);
  assertEquals(offersOf(scheduler), ["c:2", "c:3", "c:4"]);
});

test("TaskScheduler.find() knows an attempt only with the executor that has it in hand", () => {
  const scheduler = new TaskScheduler(1);
  scheduler.addExecutor("a", 1);
  const [lost] = scheduler.takeOffers();
  assertEquals(scheduler.find("b", lost!.taskId), undefined);
  scheduler.removeExecutor("a");
  scheduler.addExecutor("b", 1);
  const [again] = scheduler.takeOffers();
  assertEquals([again!.index, again!.taskId === lost!.taskId], [0, false]);
  // Neither its old attempt nor the new one is that of the executor that is lost.
  assertEquals([scheduler.find("a", lost!.taskId), scheduler.find("a", again!.taskId)], [undefined, undefined]);
  assertEquals(scheduler.find("b", again!.taskId), again);
  scheduler.finish(again!);
  assertEquals(scheduler.find("b", again!.taskId), undefined);
});

test("TaskScheduler.fail() tries a task four times, and does not count the executors that it lost", () => {
  assertEquals(MAX_TASK_FAILURES, 4);
  const scheduler = new TaskScheduler(2);
  for (let lost = 0; lost < 10; lost++) {
    scheduler.addExecutor(`lost ${lost}`, 2);
    assertEquals(scheduler.takeOffers().length, 2);
    scheduler.removeExecutor(`lost ${lost}`);
  }
  scheduler.addExecutor("a", 1);
  const outcomes: string[] = [];
  for (let times = 0; times < 8; times++) {
    const [attempt] = scheduler.takeOffers();
    assertEquals(attempt!.index, times % 2);
    outcomes.push(scheduler.fail(attempt!));
  }
  assertEquals(outcomes, [...Array.from({ length: 6 }, () => "again"), "given up", "given up"]);
});
