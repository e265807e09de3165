import { assertEquals, assertRejects } from "@std/assert";
import { later, type RpcCallContext } from "../../src/rpc/rpc_call_context.ts";
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

test("context.signal that is asked for when the connection has ended is aborted", async (context) => {
  const logger = new MemoryLogger();
  const server = await RpcEnv.create({ name: "server", host: "127.0.0.1", port: 0, logger });
  context.defer(() => server.shutdown());
  const client = await RpcEnv.create({ name: "client", logger });
  context.defer(() => client.shutdown());
  const calls: RpcCallContext[] = [];
  server.setupEndpoint("e", {
    receiveAndReply(_, call) {
      calls.push(call);
      return later;
    },
  });
  const ref = await client.setupEndpointRef({ address: server.address!, name: "e" });
  const failed = assertRejects(() => ref.ask("x"));
  await until(() => calls.length === 1, "the ask");
  await client.shutdown();
  await failed;
  await until(() => server.stats().connections.length === 0, "the end of the connection");
  assertEquals([calls[0]!.signal.aborted, server.stats().signals], [true, 0]);
});
