import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { RpcError, RpcStoppedError } from "../../src/base/errors.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { MessageBody } from "../../src/base/message_body.ts";
import { type Socket, type SocketDriver, SocketError, type SocketOptions } from "../../src/socket/socket.ts";
import { askRpc } from "../../src/transport/ask_rpc.ts";
import { noOpRpcHandler, type RpcHandler } from "../../src/transport/rpc_handler.ts";
import type { TransportClient } from "../../src/transport/transport_client.ts";
import { TransportContext } from "../../src/transport/transport_context.ts";
import { test, until, within } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";
import { SERVER_CERT, SERVER_KEY } from "../socket/certificates.ts";
import { dialRaw } from "./_raw_peer.ts";
import { ask, bytesOf, echo, failureOf, Held, Life, textOf, transportTest } from "./_stage.ts";

transportTest("TransportServer.close() closes what it accepted, and may be called again", async (stage) => {
  const { connection, client, server, listening } = await stage.pair({ handler: echo });
  assertEquals(await ask(connection, "a"), "a");
  await within(Promise.all([listening.close(), listening.close()]), "the server to close");
  assertEquals(server.context.connections.size, 0);
  await client.connections(0);
  assertEquals(connection.isActive, false);
  const error = await failureOf(client.dial(listening));
  assertEquals(error instanceof SocketError && error.socketCode, "CONNECTION_REFUSED");
});

transportTest("TransportServer.close() fails what it has asked over its connections with its reason", async (stage) => {
  const { server, listening } = await stage.pair({}, { handler: new Held() });
  await server.connections(1);
  const [accepted] = server.context.connections;
  const asking = failureOf(ask(accepted!.client, "a"));
  const reason = new RpcStoppedError("no more");
  await within(listening.close(reason), "the server to close");
  assertStrictEquals(await asking, reason);
});

transportTest("TransportServer.close() asks nothing of connections that have gone before", async (stage) => {
  const asked: Socket[] = [];
  const driver: SocketDriver = {
    ...stage.driver,
    listen(address, attach, options) {
      const spied: typeof attach = (socket) => {
        const handler = attach(socket);
        const { closed } = socket;
        Object.defineProperty(socket, "closed", { get: () => (asked.push(socket), closed) });
        return handler;
      };
      return stage.driver.listen(address, spied, options);
    },
  };
  const server = stage.end({ handler: echo, driver });
  const listening = await server.listen();
  const first = await stage.end().dial(listening);
  const second = await stage.end().dial(listening);
  await server.connections(2);
  first.close();
  await server.connections(1);
  asked.length = 0;
  await listening.close();
  assertEquals(new Set(asked).size, 1);
  assertEquals(asked[0]?.remoteAddress, second.channel.socket.localAddress);
});

transportTest("TransportServer.port is the one that the system chose, and the next server may not have it", async (stage) => {
  const end = stage.end();
  const { port, address } = await end.listen();
  assertEquals([address, port > 0], [{ host: "127.0.0.1", port }, true]);
  const error = await failureOf(end.context.createServer(port));
  assertEquals(error instanceof SocketError && error.socketCode, "ADDRESS_IN_USE");
});

transportTest(
  "TransportServer lets as many connections wait to be accepted as the system allows, or backLog says",
  async (stage) => {
    const backlogs: (number | undefined)[] = [];
    const driver: SocketDriver = {
      ...stage.driver,
      listen(address, attach, options) {
        backlogs.push(options?.backlog);
        return stage.driver.listen(address, attach, options);
      },
    };
    for (const backLog of ["-1", "0", "7"]) await stage.end({ driver, conf: { backLog } }).listen();
    // The system takes its own limit where that is lower; what runtimes choose by themselves is 511.
    assertEquals(backlogs, [65_535, 65_535, 7]);
  },
);

transportTest(
  "Connections send at once, and those that were dialled are probed; enableTcpKeepAlive is for the others",
  async (stage) => {
    const seen: unknown[] = [];
    const note = (how: string, { noDelay, keepAlive }: SocketOptions = {}) => void seen.push([how, noDelay, keepAlive]);
    const driver: SocketDriver = {
      ...stage.driver,
      listen(address, attach, options) {
        note("listen", options);
        return stage.driver.listen(address, attach, options);
      },
      connect(address, attach, options) {
        note("connect", options);
        return stage.driver.connect(address, attach, options);
      },
    };
    for (const enableTcpKeepAlive of ["false", "true"]) {
      const end = stage.end({ driver, conf: { enableTcpKeepAlive } });
      await end.dial(await end.listen());
    }
    assertEquals(seen, [["listen", true, false], ["connect", true, true], ["listen", true, true], ["connect", true, true]]);
  },
);

transportTest("TransportContext.connections has those that were dialled and those that were accepted", async (stage) => {
  const end = stage.end({ handler: echo });
  const listening = await end.listen();
  const connection = await end.dial(listening);
  await end.connections(2);
  assertEquals(await ask(connection, "to myself"), "to myself");
  const stats = [...end.context.connections].map((handler) => handler.stats());
  assertEquals(stats.map(({ dialled }) => dialled).sort(), [false, true]);
  const [dialled, accepted] = stats[0]!.dialled ? stats : [stats[1], stats[0]];
  assertEquals(dialled!.remote, `127.0.0.1:${listening.port}`);
  assert(accepted!.remote.startsWith("127.0.0.1:") && accepted!.remote !== dialled!.remote);
  assertEquals([dialled!.bytesWritten, dialled!.bytesRead], [accepted!.bytesRead, accepted!.bytesWritten]);
  assertEquals([dialled!.outstandingRequests, accepted!.unansweredRequests], [0, 0]);
});

transportTest("TransportServerBootstrap wraps the handler of each accepted connection, in order", async (stage) => {
  const server = stage.end({ handler: echo });
  const wrap = (name: string) => ({
    doBootstrap: (_: TransportClient, handler: RpcHandler): RpcHandler => ({
      ...handler,
      receive: (client, content, responder) =>
        handler.receive(client, MessageBody.of(bytesOf(`${name}(${textOf(content)})`)), responder),
    }),
  });
  const listening = await server.context.createServer(0, { bootstraps: [wrap("inner"), wrap("outer")] });
  stage.defer("the server", () => listening.close());
  assertEquals(await ask(await stage.end().dial(listening), "x"), "inner(outer(x))");
});

transportTest("TransportServerBootstrap that throws or closes costs its connection only", async (stage) => {
  const life = new Life();
  const server = stage.end({ handler: life.handler });
  let mode = "throw";
  const bootstrap = {
    doBootstrap(client: TransportClient, handler: RpcHandler): RpcHandler {
      if (mode === "throw") throw new RangeError("not you");
      if (mode === "close") client.close();
      return handler;
    },
  };
  const listening = await server.context.createServer(0, { bootstraps: [bootstrap] });
  stage.defer("the server", () => listening.close());
  // The reset may come before the dial is known to have succeeded.
  const refused = await dialRaw(stage, listening).catch(() => undefined);
  await refused?.closedByOther();
  await until(() => server.logger.has("Exception while bootstrapping connection from 127.0.0.1:"), "the log");
  mode = "close";
  const closed = await dialRaw(stage, listening);
  await closed.closedByOther();
  closed.end();
  await server.connections(0);
  assertEquals(life.events, []);
  mode = "pass";
  assertEquals(await ask(await stage.end().dial(listening), "x"), "x");
  assertEquals(life.events, ["active"]);
});

test("TransportServer logs now and then whose handshake failed, of which nobody else hears", async (context) => {
  const logger = new MemoryLogger();
  const tls = { cert: SERVER_CERT, key: SERVER_KEY };
  const server = await (await TransportContext.create(noOpRpcHandler, { tls, logger })).createServer();
  context.defer(() => server.close());
  const plain = await TransportContext.create(noOpRpcHandler, { logger: silentLogger });
  const factory = plain.createClientFactory();
  context.defer(() => factory.close());
  for (let failed = 1; failed <= 5; failed++) {
    const client = await factory.createClient(server.address);
    await assertRejects(() => askRpc(client, new Uint8Array(100)), RpcError);
    const lines = () => logger.lines.filter((line) => line.includes("Refused a connection"));
    await until(() => lines().length === failed, `line ${failed}`);
    assertEquals(lines().map((line) => line.startsWith("warning")), [true, true, false, true, false].slice(0, failed));
  }
  assert(logger.has("warning: Refused a connection, 4 so far: Handshake with "));
});
