/** Asks of a process that is busy or asleep: how long it waits for an answer, and that an answer which is there counts. */
import { assertEquals, assertInstanceOf } from "@std/assert";
import { RpcTimeoutError } from "../../src/base/errors.ts";
import type { RpcEndpointRef } from "../../src/rpc/rpc_endpoint_ref.ts";
import { RpcEnv } from "../../src/rpc/rpc_env.ts";
import { HandTime } from "../_hand_time.ts";
import { deferred, test, type TestContext, until, within } from "../_harness.ts";

/** An environment whose time stands still until it is moved, and which ends with the test. */
async function makeEnv(context: TestContext, name: string) {
  const clock = new HandTime();
  const env = await RpcEnv.create({ name, host: "127.0.0.1", port: 0, clock });
  context.defer(() => within(env.shutdown(), `${name} to end`));
  return { env, clock };
}

/** An environment that has been asked and is busy for `busyMs`, then asks another one, which answers when the test says so. */
async function busyAsker(context: TestContext, busyMs: number, timeoutMs: number) {
  const { env: other } = await makeEnv(context, "other");
  const answer = deferred<string>();
  let asked = false;
  other.setupEndpoint("answerer", {
    receiveAndReply() {
      asked = true;
      return answer.promise;
    },
  });
  const { env, clock } = await makeEnv(context, "asker");
  const answerer = await within(env.setupEndpointRef(`spark://answerer@${other.address}`), "the answerer");
  let outcome: Promise<unknown> | undefined;
  env.setupEndpoint("worker", {
    receiveAndReply() {
      clock.skip(busyMs);
      outcome = answerer.ask("?", { timeoutMs }).catch((error: unknown) => error);
      return "worked";
    },
  });
  const worker: RpcEndpointRef = await within(other.setupEndpointRef(`spark://worker@${env.address}`), "the worker");
  assertEquals(await within(worker.ask("work"), "the work"), "worked");
  await until(() => asked, "the ask to arrive");
  // Or it could not end.
  context.defer(() => answer.resolve("late"));
  return { clock, outcome: outcome!, answer: answer.resolve };
}

for (const timeoutMs of [100, 29_999]) {
  test(`An ask of ${timeoutMs} ms begins when it is asked, however long its handler has been busy before`, async (context) => {
    const { clock, outcome, answer } = await busyAsker(context, 60_000, timeoutMs);
    clock.advance(timeoutMs - 1);
    answer("in time");
    assertEquals(await within(outcome, "the answer"), "in time");
  });

  test(`An ask of ${timeoutMs} ms ends when its time is over, however long its handler has been busy before`, async (context) => {
    const { clock, outcome } = await busyAsker(context, 60_000, timeoutMs);
    clock.advance(timeoutMs + 1);
    assertInstanceOf(await within(outcome, "the error"), RpcTimeoutError);
  });
}

test("An ask takes an answer that came in time, though its process slept past its end", async (context) => {
  const { clock, outcome, answer } = await busyAsker(context, 0, 1_000);
  answer("in time");
  clock.sleep(60_000);
  assertEquals(await within(outcome, "the answer"), "in time");
});

test("An ask that has no answer ends soon after its process wakes up", async (context) => {
  const { clock, outcome } = await busyAsker(context, 0, 1_000);
  clock.sleep(60_000);
  clock.advance(50);
  assertInstanceOf(await within(outcome, "the error"), RpcTimeoutError);
});
