import { assertEquals } from "@std/assert";
import { RpcEnv } from "../../src/rpc/rpc_env.ts";
import { test, until, within } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";

test("context.signal of an ask that was answered does not abort, and no signal is kept when its ask has ended", async (context) => {
  const logger = new MemoryLogger();
  const server = await RpcEnv.create({ name: "server", host: "127.0.0.1", port: 0, logger });
  context.defer(() => server.shutdown());
  const client = await RpcEnv.create({ name: "client", logger });
  context.defer(() => client.shutdown());
  const signals: AbortSignal[] = [];
  const local = server.setupEndpoint("e", {
    receiveAndReply(message, call) {
      if (message === "early") signals.push(call.signal);
      call.reply(message);
      signals.push(call.signal);
    },
  });
  const remote = await client.setupEndpointRef({ address: server.address!, name: "e" });
  const { signal } = new AbortController();
  for (const ref of [local, remote]) {
    for (const message of ["early", "late"]) {
      assertEquals(await within(ref.askAbortable(message, { signal }).future, "the answer"), message);
    }
  }
  assertEquals([server.stats().signals, client.stats().signals, signals.length], [0, 0, 6]);
  await client.shutdown();
  await until(() => server.stats().connections.length === 0, "the end of the connection");
  await server.shutdown();
  assertEquals(signals.map(({ aborted }) => aborted), signals.map(() => false));
});
