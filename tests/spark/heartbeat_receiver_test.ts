import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { UnsupportedMessageError } from "../../src/base/errors.ts";
import { SparkConf } from "../../src/base/spark_conf.ts";
import { TypedMessage } from "../../src/serializer/serializer.ts";
import { type Heartbeat, type HeartbeatContract, readHeartbeatConf } from "../../src/spark/heartbeat.ts";
import { HeartbeatReceiver, type HeartbeatScheduler } from "../../src/spark/heartbeat_receiver.ts";
import { type Ref, typedRef } from "../../src/typed/typed_ref.ts";
import { deferred, test, type TestContext, until, within } from "../_harness.ts";
import { driverEnv, type TestEnv } from "./_environments.ts";

/** It has a timer so often, and looks for the silent at each sixth. */
const PULSE_MS = 10_000;

/** Writes down what it is told. */
class Scheduler implements HeartbeatScheduler {
  readonly heartbeats: Heartbeat[] = [];
  readonly told: string[] = [];
  knows: boolean | Promise<boolean> = true;

  executorHeartbeatReceived(heartbeat: Heartbeat): boolean | Promise<boolean> {
    this.heartbeats.push(heartbeat);
    return this.knows;
  }

  killAndReplaceExecutor(executorId: string): void {
    this.told.push(`kill and replace ${executorId}`);
  }

  removeExecutor(executorId: string, reason: string): void {
    this.told.push(`remove ${executorId}: ${reason}`);
  }
}

interface Suite extends TestEnv {
  readonly receiver: HeartbeatReceiver;
  readonly ref: Ref<HeartbeatContract>;
  readonly scheduler: Scheduler;
  /** Sends a heartbeat and tells whether the executor shall register again. */
  readonly beat: (executorId: string) => Promise<boolean>;
}

/** A receiver with a scheduler, unless it shall have none. */
async function suite(context: TestContext, conf: Record<string, string> = {}, hasScheduler = true): Promise<Suite> {
  const driver = await driverEnv(context, conf);
  const receiver = new HeartbeatReceiver(driver.env);
  const ref = typedRef(receiver.start("heartbeat"));
  await until(() => driver.clock.timers.includes(PULSE_MS), "its onStart");
  const scheduler = new Scheduler();
  if (hasScheduler) receiver.setScheduler(scheduler);
  const beat = async (executorId: string) => {
    const heartbeat = { executorId, accumUpdates: [[1, [7]]] as const, blockManagerId: { host: "localhost", port: 12345 } };
    return (await within(ref.ask("Heartbeat", heartbeat), "the answer to a heartbeat")).reregisterBlockManager;
  };
  return { ...driver, receiver, ref, scheduler, beat };
}

const tracked = ({ executorLastSeen }: HeartbeatReceiver): string[] => [...executorLastSeen.keys()];

// Spark: HeartbeatReceiverSuite "task scheduler is set correctly"
test("HeartbeatReceiver.setScheduler() sets the scheduler", async (context) => {
  const { receiver } = await suite(context, {}, false);
  assertEquals(receiver.scheduler, undefined);
  const scheduler = new Scheduler();
  receiver.setScheduler(scheduler);
  assertEquals(receiver.scheduler, scheduler);
});

// Spark: HeartbeatReceiverSuite "normal heartbeat"
test("HeartbeatReceiver gives a heartbeat of an executor that it knows to the scheduler", async (context) => {
  const { receiver, scheduler, beat } = await suite(context);
  for (const id of ["1", "2"]) receiver.onExecutorAdded(id);
  assertEquals([await beat("1"), await beat("2")], [false, false]);
  assertEquals(tracked(receiver), ["1", "2"]);
  const blockManagerId = { host: "localhost", port: 12345 };
  assertEquals(scheduler.heartbeats[0], { executorId: "1", accumUpdates: [[1, [7]]], blockManagerId });
});

// Spark: HeartbeatReceiverSuite "reregister if scheduler is not ready yet"
test("HeartbeatReceiver has an executor register again while there is no scheduler", async (context) => {
  const { receiver, logger, beat } = await suite(context, {}, false);
  receiver.onExecutorAdded("1");
  assertEquals(await beat("1"), true);
  assertEquals(logger.has("warning: Dropping Heartbeat of executor 1 because TaskScheduler is not ready yet"), true);
});

// Spark: HeartbeatReceiverSuite "reregister if heartbeat from unregistered executor"
test("HeartbeatReceiver has an executor register again that it has never known", async (context) => {
  const { receiver, scheduler, logger, beat } = await suite(context);
  assertEquals(await beat("1"), true);
  assertEquals([tracked(receiver), scheduler.heartbeats], [[], []]);
  assertEquals(logger.has("debug: Received heartbeat from unknown executor 1"), true);
});

// Spark: HeartbeatReceiverSuite "reregister if heartbeat from removed executor"
test("HeartbeatReceiver has an executor register again that was removed", async (context) => {
  const { receiver, beat } = await suite(context);
  for (const id of ["1", "2"]) receiver.onExecutorAdded(id);
  receiver.onExecutorRemoved("2");
  assertEquals([await beat("1"), await beat("2")], [false, true]);
  assertEquals(tracked(receiver), ["1"]);
});

test("HeartbeatReceiver has an executor register again whose block manager the scheduler does not know", async (context) => {
  const { receiver, scheduler, beat } = await suite(context);
  receiver.onExecutorAdded("1");
  scheduler.knows = Promise.resolve(false);
  assertEquals(await beat("1"), true);
  assertEquals(tracked(receiver), ["1"]);
});

test("HeartbeatReceiver takes blocks for known where the scheduler does not care for heartbeats", async (context) => {
  const { receiver, beat } = await suite(context, {}, false);
  receiver.setScheduler({ removeExecutor() {} });
  receiver.onExecutorAdded("1");
  assertEquals(await beat("1"), false);
});

// Spark: HeartbeatReceiverSuite "expire dead hosts"
test("HeartbeatReceiver.expireDeadHosts() expires those that were silent for longer than the limit", async (context) => {
  const { receiver, scheduler, clock, logger, beat } = await suite(context);
  const { executorTimeoutMs } = receiver.heartbeatConf;
  for (const id of ["1", "2"]) receiver.onExecutorAdded(id);
  assertEquals([await beat("1"), await beat("2")], [false, false]);
  clock.advance(executorTimeoutMs / 2);
  assertEquals(await beat("1"), false);
  // By then it has looked for them itself.
  clock.advance(executorTimeoutMs);
  assertEquals(receiver.expireDeadHosts(), []);
  assertEquals(scheduler.told, ["kill and replace 2", "remove 2: Executor heartbeat timed out after 180000 ms"]);
  assertEquals(tracked(receiver), ["1"]);
  const line = "Removing executor 2 with no recent heartbeats: 180000 ms exceeds timeout 120000 ms";
  assertEquals(logger.has(line), true);
  assertEquals(await beat("2"), true);
});

test("HeartbeatReceiver.expireDeadHosts() says whom it has expired, and has forgotten each before anybody is told", async (context) => {
  const { receiver, clock } = await suite(context, {}, false);
  const left: string[][] = [];
  receiver.setScheduler({ removeExecutor: () => left.push(tracked(receiver)) });
  for (const id of ["1", "2"]) receiver.onExecutorAdded(id);
  // Silence counts in whole milliseconds.
  clock.skip(120_000.4);
  assertEquals(receiver.expireDeadHosts(), []);
  clock.skip(0.2);
  assertEquals(receiver.expireDeadHosts(), ["1", "2"]);
  assertEquals(left, [["2"], []]);
});

test("HeartbeatReceiver.start() looks at once for those that were silent before", async (context) => {
  const { env, clock } = await driverEnv(context);
  const receiver = new HeartbeatReceiver(env);
  const scheduler = new Scheduler();
  receiver.setScheduler(scheduler);
  receiver.onExecutorAdded("1");
  clock.skip(120_001);
  receiver.start();
  await until(() => scheduler.told.length > 0, "the first look");
  assertEquals(tracked(receiver), []);
});

// Spark: HeartbeatReceiverSuite "expire dead hosts should kill executors with replacement (SPARK-8119)"
test("HeartbeatReceiver has each silent executor replaced, and removes it even if that fails", async (context) => {
  const { receiver, clock, logger } = await suite(context, {}, false);
  const removed: string[] = [];
  receiver.setScheduler({
    killAndReplaceExecutor(executorId) {
      if (executorId === "1") throw new Error("No cluster manager");
      return Promise.reject(new Error("No more machines"));
    },
    removeExecutor(executorId) {
      removed.push(executorId);
      // As one of another library would.
      if (executorId === "2") {
        return { then: (_: unknown, reject: (reason: Error) => void) => reject(new Error("No such task")) };
      }
    },
  });
  for (const id of ["1", "2"]) receiver.onExecutorAdded(id);
  clock.advance(2 * receiver.heartbeatConf.executorTimeoutMs);
  assertEquals(removed, ["1", "2"]);
  await until(() => logger.lines.filter((line) => line.startsWith("error")).length === 3, "all failures in the log");
  assertEquals(logger.has("Expiring an executor failed (No such task)"), true);
  assertEquals(logger.has("Expiring an executor failed (No cluster manager)"), true);
  assertEquals(logger.has("Expiring an executor failed (No more machines)"), true);
});

// Spark: HeartbeatReceiverSuite "SPARK-34273: Do not reregister BlockManager when SparkContext is stopped"
test("HeartbeatReceiver has nobody register again once its environment is stopped", async (context) => {
  const { env, receiver, scheduler, beat } = await suite(context);
  receiver.onExecutorAdded("1");
  const knows = deferred<boolean>();
  scheduler.knows = knows.promise;
  const answer = beat("1");
  await until(() => scheduler.heartbeats.length === 1, "the heartbeat");
  const stopped = env.stop();
  knows.resolve(false);
  assertEquals(await answer, false);
  await within(stopped, "the end of the environment");
});

// Spark: HeartbeatReceiverSuite "SPARK-44726 (spark.network.timeout)"
// Spark: HeartbeatReceiverSuite "SPARK-44726 (spark.storage.blockManagerHeartbeatTimeoutMs)"
test("readHeartbeatConf() refuses intervals that the limits of silence do not allow, with Spark's text", () => {
  const network = "spark.network.timeout";
  const interval = "spark.network.timeoutInterval";
  const blocks = "spark.storage.blockManagerHeartbeatTimeoutMs";
  const heartbeat = "spark.executor.heartbeatInterval";
  const cases: [Record<string, string>, string][] = [
    [{ [network]: "30s" }, `requirement failed: ${interval} should be less than or equal to ${network}.`],
    [{ [blocks]: "30s" }, `requirement failed: ${interval} should be less than or equal to ${blocks}.`],
    [{ [blocks]: "5s", [interval]: "5s" }, `requirement failed: ${heartbeat} should be less than or equal to ${blocks}`],
    [
      { [network]: "10s", [interval]: "1s" },
      `requirement failed: The value of ${network}=10000ms must be greater than the value of ${heartbeat}=10000ms.`,
    ],
  ];
  for (const [conf, text] of cases) {
    assertEquals(assertThrows(() => readHeartbeatConf(new SparkConf(conf)), RangeError).message, text);
  }
});

test("readHeartbeatConf() refuses an interval of no time and less than one failure", () => {
  const keys = [
    "spark.executor.heartbeatInterval",
    "spark.network.timeoutInterval",
    "spark.storage.blockManagerHeartbeatTimeoutMs",
    "spark.executor.heartbeat.maxFailures",
  ];
  for (const key of keys) {
    for (const value of ["0", "-1"]) {
      assertThrows(() => readHeartbeatConf(new SparkConf({ [key]: value })), RangeError, `Illegal value for config key ${key}`);
    }
  }
});

test("readHeartbeatConf() reads Spark's defaults and units", () => {
  const defaults = { intervalMs: 10_000, maxFailures: 60, executorTimeoutMs: 120_000, checkIntervalMs: 60_000 };
  assertEquals(readHeartbeatConf(new SparkConf()), defaults);
  const conf = new SparkConf({
    "spark.executor.heartbeatInterval": "1000",
    "spark.executor.heartbeat.maxFailures": 3,
    "spark.network.timeout": "10",
    "spark.network.timeoutInterval": "2s",
  });
  const expected = { intervalMs: 1_000, maxFailures: 3, executorTimeoutMs: 10_000, checkIntervalMs: 2_000 };
  assertEquals(readHeartbeatConf(conf), expected);
  const shortest = { "spark.storage.blockManagerHeartbeatTimeoutMs": "10s", "spark.network.timeoutInterval": "10s" };
  assertEquals(readHeartbeatConf(new SparkConf(shortest)).executorTimeoutMs, 10_000);
  conf.set("spark.storage.blockManagerHeartbeatTimeoutMs", "7000");
  assertEquals(readHeartbeatConf(conf), { ...expected, executorTimeoutMs: 7_000 });
  assertEquals(readHeartbeatConf(new SparkConf({ "spark.executor.heartbeat.maxFailures": 1 })).maxFailures, 1);
  assertEquals(readHeartbeatConf(new SparkConf({ "spark.executor.heartbeatInterval": "1ms" })).intervalMs, 1);
});

test("HeartbeatReceiver expires only at the first look after the limit, and a silence as long as the limit is none", async (context) => {
  const { receiver, scheduler, clock } = await suite(context, { "spark.network.timeout": "100s" });
  receiver.onExecutorAdded("1");
  clock.advance(100_000);
  assertEquals([receiver.expireDeadHosts(), tracked(receiver)], [[], ["1"]]);
  clock.advance(19_999);
  assertEquals(scheduler.told, []);
  clock.advance(1);
  assertEquals(scheduler.told[1], "remove 1: Executor heartbeat timed out after 120000 ms");
});

test("HeartbeatReceiver holds the time in which its own driver stood still against nobody", async (context) => {
  const { receiver, scheduler, clock } = await suite(context);
  receiver.onExecutorAdded("1");
  clock.sleep(600_000);
  assertEquals([scheduler.told, tracked(receiver)], [[], ["1"]]);
  // From here on silence counts again.
  clock.advance(169_999);
  assertEquals(scheduler.told, []);
  clock.advance(1);
  assertEquals(scheduler.told[1], "remove 1: Executor heartbeat timed out after 180000 ms");
});

test("HeartbeatReceiver forgives a standstill that ends just after a look was due", async (context) => {
  const { receiver, scheduler, clock } = await suite(context, { "spark.network.timeout": "61s" });
  clock.advance(52_000);
  receiver.onExecutorAdded("1");
  clock.advance(9_000);
  // The second look is due at 120 s, and hardly late.
  clock.sleep(60_500);
  assertEquals([scheduler.told, tracked(receiver)], [[], ["1"]]);
});

test("HeartbeatReceiver reads what was said in a standstill before it judges", async (context) => {
  const conf = { "spark.network.timeout": "15s", "spark.network.timeoutInterval": "10s" };
  const { receiver, scheduler, clock, beat } = await suite(context, conf);
  clock.advance(1_000);
  receiver.onExecutorAdded("1");
  clock.advance(9_500);
  // The look that was due at 20 s would find 19 s of silence before the standstill is over.
  clock.sleep(50_000);
  assertEquals(await beat("1"), false);
  clock.advance(10_000);
  assertEquals([scheduler.told, tracked(receiver)], [[], ["1"]]);
});

test("HeartbeatReceiver does not take those for heard of later than now that it heard of after a standstill", async (context) => {
  const { receiver, clock, beat } = await suite(context);
  receiver.onExecutorAdded("1");
  // The heartbeat is read before the timer is seen to be late.
  clock.skip(600_000);
  assertEquals(await beat("1"), false);
  clock.advance(0);
  assertEquals(receiver.executorLastSeen.get("1"), 600_000);
});

test("HeartbeatReceiver refuses what is no heartbeat", async (context) => {
  const { ref } = await suite(context);
  for (const payload of [undefined, null, "1", {}, { executorId: 1 }]) {
    await assertRejects(
      () => within(ref.ref.ask(new TypedMessage("Heartbeat", payload)), "the refusal"),
      UnsupportedMessageError,
      "Payload of Heartbeat is not valid: Expected an executorId that is a text",
    );
  }
});

test("HeartbeatReceiver.start() works once, and its endpoint leaves no timer", async (context) => {
  const { env, receiver, ref, clock } = await suite(context);
  assertThrows(() => receiver.start(), TypeError, "this receiver has been started before");
  env.rpcEnv.stop(ref.ref);
  await until(() => !clock.timers.includes(PULSE_MS), "no look any more");
});

test("HeartbeatReceiver's scheduler may stop everything when it is told of a silent executor", async (context) => {
  const { env, receiver, clock } = await suite(context, {}, false);
  const stopped: Promise<void>[] = [];
  receiver.setScheduler({ removeExecutor: () => stopped.push(env.stop()) });
  receiver.onExecutorAdded("1");
  clock.advance(180_000);
  assertEquals(stopped.length, 1);
  await within(stopped[0]!, "the end of the environment");
  assertEquals(clock.timers, []);
});
