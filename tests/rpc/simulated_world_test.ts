import { assertEquals, assertRejects } from "@std/assert";
import { RpcError } from "../../src/base/errors.ts";
import { RpcEnv } from "../../src/rpc/rpc_env.ts";
import type { SimulatedWorld } from "../../src/rpc/simulated_world.ts";
import { untilCollected } from "../_garbage.ts";
import { test } from "../_harness.ts";

/** An environment comes, asks, and goes. */
async function visit(world: SimulatedWorld): Promise<WeakRef<object>> {
  const client = await world.create({ name: "client", host: "client" });
  const echo = await world.settle(client.setupEndpointRef("spark://Echo@server:7077"));
  assertEquals(await world.settle(echo.ask("Ada")), "Ada");
  await world.settle(client.shutdown());
  return new WeakRef(client);
}

test("SimulatedWorld lets go of environments that have been shut down", async () => {
  const world = RpcEnv.createSimulated(1);
  const server = await world.create({ name: "server", host: "server", port: 7077 });
  server.setupEndpoint("Echo", { receiveAndReply: (message) => message });
  const gone: WeakRef<object>[] = [];
  for (let i = 0; i < 5; i++) gone.push(await visit(world));
  // What was used last may still lie on a stack.
  await untilCollected(gone, "the environments", 1);
  await world.shutdown();
});

test("SimulatedWorld.shutdown() waits for environments whose own shutdown is under way", async () => {
  const world = RpcEnv.createSimulated(1, { delayMinMs: 1 });
  const server = await world.create({ name: "server", host: "server", port: 7077 });
  server.setupEndpoint("Echo", { receiveAndReply: (message) => message });
  const client = await world.create({ name: "client", host: "client" });
  await world.settle(client.setupEndpointRef("spark://Echo@server:7077"));
  let ended = false;
  client.shutdown().then(() => ended = true);
  await client.awaitTermination();
  assertEquals(ended, false);
  await world.shutdown();
  assertEquals([ended, world.network.openSocketCount, world.clock.timerCount], [true, 0, 0]);
});

test("A client environment that is not shut down has no timer left when nobody could be reached, or is there any more", async () => {
  const world = RpcEnv.createSimulated(1);
  const client = await world.create({ name: "client", host: "client" });
  const own = client.setupEndpoint("Own", { receiveAndReply: (message) => message });
  await assertRejects(() => world.settle(client.setupEndpointRef("spark://Echo@nobody:7077")), RpcError);
  assertEquals(world.clock.timerCount, 0);
  const server = await world.create({ name: "server", host: "server", port: 7077 });
  server.setupEndpoint("Echo", { receiveAndReply: (message) => message });
  const echo = await world.settle(client.setupEndpointRef("spark://Echo@server:7077"));
  assertEquals(await world.settle(Promise.all([echo.ask("Ada"), own.ask("Ada")])), ["Ada", "Ada"]);
  await world.settle(server.shutdown());
  await world.clock.run(() => client.stats().connections.length === 0);
  assertEquals(world.clock.timerCount, 0);
  await world.shutdown();
});
