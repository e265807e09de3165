import { assertEquals, assertRejects } from "@std/assert";
import { later, type RpcCallContext } from "../../src/rpc/rpc_call_context.ts";
import type { RpcEndpointRef } from "../../src/rpc/rpc_endpoint_ref.ts";
import { RpcEnv } from "../../src/rpc/rpc_env.ts";
import { defaultSocketDriver } from "../../src/socket/default.ts";
import type { Socket, SocketDriver } from "../../src/socket/socket.ts";
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

test("What a listener of context.signal sends when its connection breaks goes over a new one", async (context) => {
  const logger = new MemoryLogger();
  const own = await defaultSocketDriver();
  const dialled: Socket[] = [];
  const driver: SocketDriver = {
    ...own,
    async connect(address, attach, options) {
      const socket = await own.connect(address, attach, options);
      dialled.push(socket);
      return socket;
    },
  };
  const driverEnv = await RpcEnv.create({ name: "driver", host: "127.0.0.1", port: 0, logger, driver });
  context.defer(() => driverEnv.shutdown());
  const worker = await RpcEnv.create({ name: "worker", host: "127.0.0.1", port: 0, logger });
  context.defer(() => worker.shutdown());
  const received: unknown[] = [];
  worker.setupEndpoint("worker", {
    receive: (message) => void received.push(message),
    receiveAndReply(message) {
      if (typeof message !== "object") return message;
      // A reference that came over a connection is asked over it.
      (message as { ref: RpcEndpointRef }).ref.ask("wait").catch(() => {});
      return "asked";
    },
  });
  const ref = await driverEnv.setupEndpointRef({ address: worker.address!, name: "worker" });
  const answers: unknown[] = [];
  const waiting = driverEnv.setupEndpoint("driver", {
    receiveAndReply(_, { signal }) {
      signal.addEventListener("abort", () => {
        ref.send("sent");
        ref.ask("asked").then((answer) => answers.push(answer), (error) => answers.push(error));
      });
      return later;
    },
  });
  await within(ref.ask({ ref: waiting }), "the worker to ask");
  await until(() => driverEnv.stats().connections[0]?.unansweredRequests === 1, "its ask to come");
  dialled[0]!.abort();
  await until(() => answers.length === 1, "the answer");
  assertEquals([answers, received], [["asked"], ["sent"]]);
  assertEquals([dialled.length, driverEnv.stats().lostMessages], [2, 0]);
});
