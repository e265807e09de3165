import { assertEquals } from "@std/assert";
import { RpcEnv } from "../../src/rpc/rpc_env.ts";
import { test } from "../_harness.ts";

// What simulated worlds have found, each as small as it can be made. The number is the seed at which it was seen first.

test("sim seed 1: an ask within an environment is forgotten when it is answered, refused or failed", async () => {
  const world = RpcEnv.createSimulated(1);
  const env = await world.create({ name: "env", host: "host", port: 7077 });
  const ref = env.setupEndpoint("endpoint", {
    receiveAndReply: (message) => {
      if (message === "fail") throw new RangeError("Failed on purpose");
      return message;
    },
  });
  assertEquals(await world.settle(ref.ask("answer")), "answer");
  await world.settle(ref.ask("fail").catch(() => {}));
  assertEquals(env.stats().localAsks, 0);
  env.stop(ref);
  await world.settle(ref.ask("refuse").catch(() => {}));
  assertEquals(env.stats().localAsks, 0);
  await world.shutdown();
});
