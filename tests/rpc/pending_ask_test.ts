import { assertEquals, assertRejects } from "@std/assert";
import { later } from "../../src/rpc/rpc_call_context.ts";
import { RpcEnv } from "../../src/rpc/rpc_env.ts";
import { test } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";

test("PendingAsk that a getter of its own message aborts is waited for by nobody", async (context) => {
  const logger = new MemoryLogger();
  const there = await RpcEnv.create({ name: "there", host: "127.0.0.1", port: 0, logger });
  context.defer(() => there.shutdown());
  there.setupEndpoint("silent", { receiveAndReply: () => later });
  const env = await RpcEnv.create({ name: "env", logger });
  context.defer(() => env.shutdown());
  const ref = await env.setupEndpointRef({ address: there.address!, name: "silent" });
  const abort = new AbortController();
  const message = {
    get last() {
      abort.abort(new Error("enough"));
      return 1;
    },
  };
  await assertRejects(() => ref.ask(message, { signal: abort.signal }), Error, "enough");
  assertEquals(env.stats().connections.map(({ outstandingRequests }) => outstandingRequests), [0]);
});
