import { assertEquals } from "@std/assert";
import { IsolatedRpcEndpoint, ThreadSafeRpcEndpoint } from "../../src/rpc/rpc_endpoint.ts";
import { RpcEnv } from "../../src/rpc/rpc_env.ts";
import { deferred, test, until } from "../_harness.ts";

class Stopping extends ThreadSafeRpcEndpoint {
  readonly calls: string[] = [];

  override receive(message: unknown): void {
    this.calls.push(String(message));
    if (message === "stop") this.stop();
  }

  override onStop(): void {
    this.calls.push("onStop");
    // It has no reference any more, so nothing happens.
    this.stop();
  }
}

test("ThreadSafeRpcEndpoint.stop() stops the endpoint itself, and nothing once it has stopped", async (context) => {
  const env = await RpcEnv.create({ name: "local" });
  context.defer(() => env.shutdown());
  const endpoint = new Stopping(env);
  endpoint.stop();
  const ref = env.setupEndpoint("Stopping", endpoint);
  for (const message of ["stop", "sent before it stopped"]) ref.send(message);
  await until(() => endpoint.calls.includes("onStop"), "onStop");
  endpoint.stop();
  assertEquals(endpoint.calls, ["stop", "sent before it stopped", "onStop"]);
});

class Counted extends IsolatedRpcEndpoint {
  readonly gate = deferred();
  inHand = 0;
  readonly #threads: number;

  constructor(env: RpcEnv, threads: number) {
    super(env);
    this.#threads = threads;
  }

  override threadCount(): number {
    return this.#threads;
  }

  override async receive(): Promise<void> {
    this.inHand++;
    await this.gate.promise;
  }
}

test("IsolatedRpcEndpoint takes one message at a time with one thread, and with more as many as a plain endpoint", async (context) => {
  const env = await RpcEnv.create({ name: "local", limits: { maxConcurrentMessages: 5 } });
  context.defer(() => env.shutdown());
  const endpoints = [1, 2].map((threads) => new Counted(env, threads));
  for (const [i, endpoint] of endpoints.entries()) {
    const ref = env.setupEndpoint(`Counted-${i}`, endpoint);
    for (let n = 0; n < 10; n++) ref.send(n);
  }
  await until(() => endpoints.every(({ inHand }) => inHand > 0), "the first messages");
  assertEquals(endpoints.map(({ inHand }) => inHand), [1, 5]);
  for (const { gate } of endpoints) gate.resolve();
  await until(() => endpoints.every(({ inHand }) => inHand === 10), "all messages");
});
