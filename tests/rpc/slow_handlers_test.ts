import { assertEquals } from "@std/assert";
import { silentLogger } from "../../src/base/logger.ts";
import { RpcEnv } from "../../src/rpc/rpc_env.ts";
import { SlowHandlers } from "../../src/rpc/slow_handlers.ts";
import { HandClock } from "../_hand_clock.ts";
import { HandTime } from "../_hand_time.ts";
import { deferred, test, until } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";

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

test("RpcEnv says which endpoint has had a message in hand for more than a second, and which message", async (context) => {
  const clock = new HandTime();
  const logger = new MemoryLogger();
  const env = await RpcEnv.create({ name: "env", clock, logger });
  context.defer(() => env.shutdown());
  const released = deferred<string>();
  const slow = env.setupEndpoint("slow", { receiveAndReply: () => released.promise });
  const asked = slow.ask("wait");
  await until(() => env.stats().endpoints.some(({ messagesInHand }) => messagesInHand === 1), "the message to be in hand");
  clock.advance(1_000);
  assertEquals(logger.lines, []);
  clock.advance(1_000);
  released.resolve("done");
  assertEquals(await asked, "done");
  assertEquals(logger.lines, ["warning: Endpoint slow has been handling wait for more than a second"]);
});
