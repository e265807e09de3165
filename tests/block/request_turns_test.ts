import { assertEquals } from "@std/assert";
import { MAX_REQUEST_BYTES, MAX_REQUESTS_AT_WORK, RequestTurns } from "../../src/block/request_turns.ts";
import { test, type TestContext } from "../_harness.ts";
import { Stage } from "../transport/_stage.ts";
import { StubDriver } from "../transport/_stub_driver.ts";

/** The turns of a connection, which requests have begun, and whether it is read. */
async function turnsOf(context: TestContext) {
  const driver = new StubDriver();
  const connection = await new Stage(context, driver).end().dial({ port: 1 });
  const turns = new RequestTurns(connection);
  const begun: number[] = [];
  const take = (bytes: number, id = 0) => turns.take(bytes, () => void begun.push(id));
  return { turns, begun, take, isRead: () => !driver.sockets[0]!.isPaused };
}

test("RequestTurns lets a few begin at once, the others in their order, and reads on when none waits", async (context) => {
  const { turns, begun, take, isRead } = await turnsOf(context);
  for (let i = 0; i < MAX_REQUESTS_AT_WORK; i++) take(1, i);
  assertEquals([begun.length, isRead()], [MAX_REQUESTS_AT_WORK, true]);
  for (const id of [100, 101]) take(1, id);
  assertEquals([begun.length, isRead()], [MAX_REQUESTS_AT_WORK, false]);
  turns.end(1);
  assertEquals([begun.slice(MAX_REQUESTS_AT_WORK), isRead()], [[100], false]);
  turns.end(1);
  assertEquals([begun.slice(MAX_REQUESTS_AT_WORK), isRead()], [[100, 101], true]);
  // The two that waited have taken the turns of those that have ended.
  take(1, 102);
  assertEquals([begun.includes(102), isRead()], [false, false]);
  for (let i = 0; i < MAX_REQUESTS_AT_WORK + 1; i++) turns.end(1);
  for (let i = 0; i < MAX_REQUESTS_AT_WORK; i++) take(1, 200 + i);
  assertEquals([begun.length, isRead()], [2 * MAX_REQUESTS_AT_WORK + 3, true]);
});

test("RequestTurns reads no more while a few large requests are worked on, until there is room again", async (context) => {
  const { turns, begun, take, isRead } = await turnsOf(context);
  take(MAX_REQUEST_BYTES - 1);
  assertEquals(isRead(), true);
  take(1);
  assertEquals(isRead(), false);
  // What had come by then begins all the same.
  take(5);
  assertEquals(begun.length, 3);
  turns.end(5);
  assertEquals(isRead(), false);
  turns.end(1);
  assertEquals(isRead(), true);
});
