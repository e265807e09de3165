/**
 * How to test endpoints of one's own in a simulated network: the same seed gives the same run, faults included, and hours of
 * waiting take no time.
 *
 *     deno test -A examples/simulated_test.ts
 *
 * What is simulated takes its time from `env.clock`, its connections from the environment, and no chances but from a seed.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { type Clock, endpoint, RpcEnv, RpcRemoteError, typedRef } from "../mod.ts";

/** A shop that sells each order once, however often it is placed, and gives back what was not paid in time. */
interface Shop {
  receive: { Pay(orderId: string): void };
  receiveAndReply: {
    Order(m: { readonly orderId: string; readonly amount: number }): { readonly left: number };
  };
}

const SHOP = "spark://Shop@shop:7077";
const PAYMENT_MS = 60 * 60_000;

/** The endpoint under test. */
function shop(clock: Clock, stock: { left: number }) {
  return endpoint<Shop>(() => {
    const unpaid = new Map<string, { cancel(): void }>();
    const known = new Set<string>();
    return {
      receive: { Pay: (orderId) => unpaid.get(orderId)?.cancel() },
      receiveAndReply: {
        Order({ orderId, amount }) {
          if (known.has(orderId)) return { left: stock.left };
          if (amount > stock.left) throw new RangeError(`Cannot sell ${amount}: ${stock.left} left`);
          known.add(orderId);
          stock.left -= amount;
          unpaid.set(orderId, clock.setTimer(PAYMENT_MS, () => stock.left += amount));
          return { left: stock.left };
        },
      },
    };
  });
}

/** The client under test: it places its order until somebody answers. Returns how often that was. */
async function order(env: RpcEnv, orderId: string, amount: number): Promise<number> {
  for (let times = 1;; times++) {
    try {
      const ref = typedRef<Shop>(await env.setupEndpointRef(SHOP, { timeoutMs: 1_000 }));
      await ref.ask("Order", { orderId, amount }, { timeoutMs: 1_000 });
      ref.send("Pay", orderId);
      return times;
    } catch (error) {
      if (error instanceof RpcRemoteError) throw error;
      await new Promise<void>((resolve) => env.clock.setTimer(100, resolve));
    }
  }
}

test("Shop sells each order once over a network that breaks connections", async () => {
  let repeated = 0;
  for (let seed = 1; seed <= 50; seed++) {
    const world = RpcEnv.createSimulated(seed, { delayMeanMs: 20, splitProbability: 0.3, resetProbability: 0.1 });
    const server = await world.create({ name: "shop", host: "shop", port: 7077 });
    const stock = { left: 100 };
    server.setupEndpoint("Shop", shop(server.clock, stock));

    const times: Promise<number>[] = [];
    for (const host of ["alice", "bob"]) {
      const client = await world.create({ name: host, host });
      for (let number = 1; number <= 5; number++) times.push(order(client, `${host} ${number}`, 3));
    }
    // Nothing happens but within `settle`, `advance` and `run`; what fails there has the seed and the last events in its text.
    for (const count of await world.settle(Promise.all(times))) if (count > 1) repeated++;
    equal(stock.left, 100 - 10 * 3, world.report());
    await world.shutdown();
  }
  ok(repeated > 0, "No connection broke: the test shows nothing");
});

test("Shop takes back what a client that has vanished does not pay", async () => {
  const world = RpcEnv.createSimulated(1, { delayMinMs: 5 });
  const server = await world.create({ name: "shop", host: "shop", port: 7077 });
  const stock = { left: 10 };
  server.setupEndpoint("Shop", shop(server.clock, stock));

  const client = await world.create({ name: "alice", host: "alice" });
  const placed = order(client, "alice 1", 4);
  await world.run(() => stock.left === 6);
  // The cable is pulled while the answer is on its way: the order is placed again and again, and never paid.
  world.silence("alice");
  await world.advance(PAYMENT_MS + 1_000);
  equal(stock.left, 10);

  // A known order is not sold again.
  world.heal();
  ok(await world.settle(placed) > 1);
  equal(stock.left, 10);
  await world.shutdown();
});
