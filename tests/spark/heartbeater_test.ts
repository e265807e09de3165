import { assertEquals, assertInstanceOf } from "@std/assert";
import { RpcStoppedError, RpcTimeoutError } from "../../src/base/errors.ts";
import type { NettyRpcEnv } from "../../src/rpc/netty_rpc_env.ts";
import type { RpcEndpointRef } from "../../src/rpc/rpc_endpoint_ref.ts";
import { makeDriverRef } from "../../src/spark/driver_ref.ts";
import { EndpointName } from "../../src/spark/endpoint_name.ts";
import type { Heartbeat, HeartbeatContract, HeartbeatResponse } from "../../src/spark/heartbeat.ts";
import { HEARTBEAT_FAILURE_EXIT_CODE, Heartbeater, type HeartbeaterOptions } from "../../src/spark/heartbeater.ts";
import { endpoint } from "../../src/typed/endpoint.ts";
import { deferred, test, type TestContext, until, within } from "../_harness.ts";
import { driverEnv, executorEnv, type TestEnv } from "./_environments.ts";

/** Deadlines of asks are looked at so far apart. */
const LOOK_GAP_MS = 2;

/** An executor with a heartbeater that has not been started, and a driver that answers as the test says. */
interface Suite extends TestEnv {
  readonly heartbeater: Heartbeater;
  readonly heartbeats: Heartbeat[];
  readonly exits: [exitCode: number, cause: Error][];
  answer: () => HeartbeatResponse | Promise<HeartbeatResponse>;
  /** Lets `ms` pass, and waits for the heartbeat that is due then. */
  beat(ms: number): Promise<void>;
}

const CONF = { "spark.executor.heartbeatInterval": "1s", "spark.executor.heartbeat.maxFailures": 3 };

async function suite(context: TestContext, options: Partial<HeartbeaterOptions> = {}): Promise<Suite> {
  const driver = await driverEnv(context, CONF);
  const heartbeats: Heartbeat[] = [];
  driver.env.rpcEnv.setupEndpoint(
    EndpointName.heartbeatReceiver,
    endpoint<HeartbeatContract>(() => ({
      receiveAndReply: {
        Heartbeat(heartbeat) {
          heartbeats.push(heartbeat);
          return made.answer();
        },
      },
    }), { threadSafe: false }),
  );
  const executor = await executorEnv(context, driver.env, "1", { random: () => 0.5 });
  const ref: RpcEndpointRef<HeartbeatContract> = await within(
    makeDriverRef(EndpointName.heartbeatReceiver, executor.env.rpcEnv),
    "the look-up",
  );
  const exits: [number, Error][] = [];
  const onExit = (exitCode: number, cause: Error) => void exits.push([exitCode, cause]);
  const heartbeater = new Heartbeater(executor.env, ref, { onExit, ...options });
  const made: Suite = {
    ...executor,
    heartbeater,
    heartbeats,
    exits,
    answer: () => ({ reregisterBlockManager: false }),
    async beat(ms) {
      const { length } = heartbeats;
      executor.clock.advance(ms);
      await until(() => heartbeats.length > length, "a heartbeat");
    },
  };
  return made;
}

/** So many heartbeats have been answered. */
const answered = ({ heartbeater }: Suite, count: number) => until(() => heartbeater.answered === count, `answer ${count}`);

/** So many heartbeats in a row have failed. */
const failed = ({ heartbeater }: Suite, count: number) => until(() => heartbeater.failures === count, `failure ${count}`);

/** What the executor has sent has arrived. */
async function fence({ env }: TestEnv): Promise<void> {
  await within(makeDriverRef(EndpointName.heartbeatReceiver, env.rpcEnv), "a look-up behind everything else");
}

test("Heartbeater.start() beats after one interval and a random part of another, then each interval", async (context) => {
  const made = await suite(context);
  made.heartbeater.start();
  made.heartbeater.start();
  assertEquals(made.heartbeats, []);
  made.clock.advance(1_499);
  await fence(made);
  assertEquals(made.heartbeats, []);
  await made.beat(1);
  for (const count of [1, 2]) {
    await answered(made, count);
    await made.beat(1_000);
  }
  assertEquals(made.heartbeats, [{ executorId: "1" }, { executorId: "1" }, { executorId: "1" }]);
  assertEquals([made.heartbeater.failures, made.exits], [0, []]);
});

test("Heartbeater says what its options say", async (context) => {
  let count = 0;
  const made = await suite(context, { updates: () => ({ accumUpdates: [[++count, "records"]], blockManagerId: "here" }) });
  made.heartbeater.start();
  await made.beat(1_500);
  await answered(made, 1);
  await made.beat(1_000);
  const expected = [1, 2].map((task) => ({ executorId: "1", accumUpdates: [[task, "records"]], blockManagerId: "here" }));
  assertEquals<unknown>(made.heartbeats, expected);
});

test("Heartbeater exits once when as many heartbeats in a row have failed as may", async (context) => {
  const made = await suite(context);
  const { heartbeater, exits, clock, logger } = made;
  // No answer before the end, when the driver waits for it.
  made.answer = () => new Promise((resolve) => context.defer(() => resolve({ reregisterBlockManager: false })));
  heartbeater.start();
  for (let failures = 1; failures <= 3; failures++) {
    await made.beat(failures === 1 ? 1_500 : 0);
    assertEquals(exits, []);
    // Its time is up when the next one is due.
    clock.advance(1_000 + LOOK_GAP_MS);
    await failed(made, failures);
  }
  assertEquals(exits.length, 1);
  const [exitCode, cause] = exits[0]!;
  assertEquals([exitCode, HEARTBEAT_FAILURE_EXIT_CODE], [56, 56]);
  assertInstanceOf(cause, RpcTimeoutError);
  assertEquals(cause.message.startsWith("Cannot receive any reply from 127.0.0.1:"), true, cause.message);
  const ending = " in 1 second. This timeout is controlled by spark.executor.heartbeatInterval";
  assertEquals([cause.message.endsWith(ending), cause.key], [true, "spark.executor.heartbeatInterval"], cause.message);
  assertEquals(logger.lines.filter((line) => line === "warning: Issue communicating with driver in heartbeater").length, 3);
  assertEquals(logger.has("error: Exit as unable to send heartbeats to driver more than 3 times"), true);
  clock.advance(10_000);
  await fence(made);
  assertEquals([exits.length, made.heartbeats.length], [1, 3]);
  await heartbeater.stop();
});

test("Heartbeater counts failures in a row only", async (context) => {
  const made = await suite(context);
  const failing = () => Promise.reject(new Error("Failed on purpose"));
  made.heartbeater.start();
  for (const [index, fails] of [true, true, false, true, true].entries()) {
    if (fails) made.answer = failing;
    else made.answer = () => ({ reregisterBlockManager: false });
    await made.beat(index === 0 ? 1_500 : 1_000);
    await failed(made, [1, 2, 0, 1, 2][index]!);
  }
  assertEquals(made.exits, []);
});

test("Heartbeater calls onReregister when it is told to, and a failure of that is a heartbeat's", async (context) => {
  let told = 0;
  const onReregister = () => {
    if (++told === 2) throw new Error("Cannot register");
    if (told === 3) return Promise.reject(new Error("Cannot register either"));
  };
  const made = await suite(context, { onReregister });
  made.heartbeater.start();
  await made.beat(1_500);
  await answered(made, 1);
  assertEquals(told, 0);
  made.answer = () => ({ reregisterBlockManager: true });
  await made.beat(1_000);
  await answered(made, 2);
  for (const failures of [1, 2]) {
    await made.beat(1_000);
    await failed(made, failures);
  }
  assertEquals([told, made.heartbeater.answered], [3, 2]);
  assertEquals(made.logger.has("info: Told to re-register on heartbeat"), true);
});

test("Heartbeater.stop() gives up the heartbeat that is under way, and calls nobody", async (context) => {
  let told = 0;
  const made = await suite(context, { onReregister: () => void told++ });
  const answer = deferred<HeartbeatResponse>();
  made.answer = () => answer.promise;
  made.heartbeater.start();
  await made.beat(1_500);
  await within(made.heartbeater.stop(), "the end");
  answer.resolve({ reregisterBlockManager: true });
  assertEquals([told, made.heartbeater.failures, made.exits], [0, 0, []]);
  // It does not come to life again.
  made.heartbeater.start();
  made.clock.advance(10_000);
  await fence(made);
  assertEquals(made.clock.timers.filter((at) => at <= 12_500), [], "no timer for another one");
  assertEquals(made.heartbeats.length, 1);
});

test("Heartbeater.stop() waits for what a heartbeat has led to", async (context) => {
  const registered = deferred();
  let told = 0;
  const onReregister = () => {
    told++;
    return registered.promise;
  };
  const made = await suite(context, { onReregister });
  made.answer = () => ({ reregisterBlockManager: true });
  made.heartbeater.start();
  await made.beat(1_500);
  await until(() => told === 1, "the heartbeat's consequence");
  let isOver = false;
  const stopped = made.heartbeater.stop().then(() => isOver = true);
  await fence(made);
  assertEquals(isOver, false);
  registered.resolve();
  await within(stopped, "the end");
});

test("Heartbeater ends with its environment", async (context) => {
  const made = await suite(context);
  const before = made.clock.timers;
  made.heartbeater.start();
  assertEquals(made.clock.timers, [...before, 1_500].sort((a, b) => a - b));
  await within(made.env.stop(), "the end of the environment");
  await until(() => made.clock.timers.length === 0, "no heartbeat any more");
  assertEquals(made.exits, []);
});

test("Heartbeater that stood still beats at once, and does not make up for what it missed", async (context) => {
  const made = await suite(context);
  made.heartbeater.start();
  made.clock.sleep(60_000);
  await answered(made, 1);
  await made.beat(0);
  await answered(made, 2);
  made.clock.advance(999);
  await fence(made);
  assertEquals(made.heartbeats.length, 2);
  await made.beat(1);
});

test("Heartbeater takes an exit that throws or rejects for what it is", async (context) => {
  for (
    const [text, exit] of [
      ["thrown", () => throwing()],
      ["rejected", () => Promise.reject(new Error("Not yet"))],
      [
        "rejected by another library's promise",
        () => ({ then: (_: unknown, reject: (reason: Error) => void) => reject(new Error("Not yet")) }),
      ],
    ] as const
  ) {
    const exits: string[] = [];
    const made = await suite(context, {
      onExit() {
        exits.push(text);
        return exit();
      },
    });
    made.answer = () => Promise.reject(new RpcStoppedError());
    made.heartbeater.start();
    for (let beats = 0; beats < 3; beats++) {
      await made.beat(beats === 0 ? 1_500 : 1_000);
      await failed(made, beats + 1);
    }
    await until(() => made.logger.has("error: Exiting failed (Not yet)"), "the line");
    assertEquals(exits, [text]);
  }
});

function throwing(): never {
  throw new Error("Not yet");
}

test("Heartbeater.stop() is forgotten by its environment, and so is one that has given up", async (context) => {
  const made = await suite(context);
  const { dispatcher } = made.env.rpcEnv as NettyRpcEnv;
  made.heartbeater.start();
  assertEquals(dispatcher.waiting, 1);
  await made.heartbeater.stop();
  await until(() => dispatcher.waiting === 0, "the environment to forget it");
  const failing = await suite(context);
  failing.answer = () => Promise.reject(new Error("no"));
  failing.heartbeater.start();
  for (let beats = 1; beats <= 3; beats++) {
    await failing.beat(beats === 1 ? 1_500 : 1_000);
    await failed(failing, beats);
  }
  await until(() => (failing.env.rpcEnv as NettyRpcEnv).dispatcher.waiting === 0, "the environment to forget it");
  assertEquals(failing.exits.length, 1);
});
