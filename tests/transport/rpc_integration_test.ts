import { assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import { RpcRemoteError } from "../../src/base/errors.ts";
import type { RpcHandler } from "../../src/transport/rpc_handler.ts";
import type { TransportClient } from "../../src/transport/transport_client.ts";
import { deferred, until, within } from "../_harness.ts";
import { ask, askBytes, bytesOf, echo, failureOf, Held, type Stage, textOf, transportTest, waiter } from "./_stage.ts";

/** The handler of RpcIntegrationSuite. */
const handler: Partial<RpcHandler> = {
  receive(_, body, responder) {
    const [command, argument] = textOf(body).split("/");
    if (command === "hello") responder.onSuccess(bytesOf(`Hello, ${argument}!`));
    else if (command === "return error") responder.onFailure(new Error(`Returned: ${argument}`));
    else if (command === "throw error") throw new Error(`Thrown: ${argument}`);
  },
};

/** Sends all at once; what succeeded and what failed, sorted. */
async function sendRpcs(stage: Stage, ...commands: string[]): Promise<{ successes: string[]; errors: string[] }> {
  const { connection } = await stage.pair({ handler });
  const successes: string[] = [];
  const errors: string[] = [];
  await Promise.all(commands.map((command) =>
    ask(connection, command).then((text) => successes.push(text), (error) => {
      assertInstanceOf(error, RpcRemoteError);
      errors.push(error.message);
    })
  ));
  assertEquals(connection.numOutstandingRequests, 0);
  return { successes: successes.sort(), errors: errors.sort() };
}

// Spark: RpcIntegrationSuite "singleRPC"
transportTest("TransportClient.sendRpc() gets the answer", async (stage) => {
  assertEquals(await sendRpcs(stage, "hello/Aaron"), { successes: ["Hello, Aaron!"], errors: [] });
});

// Spark: RpcIntegrationSuite "doubleRPC"
transportTest("TransportClient.sendRpc() gets two answers", async (stage) => {
  const result = await sendRpcs(stage, "hello/Aaron", "hello/Reynold");
  assertEquals(result, { successes: ["Hello, Aaron!", "Hello, Reynold!"], errors: [] });
});

// Spark: RpcIntegrationSuite "returnErrorRPC"
transportTest("TransportClient.sendRpc() hears of a failure that was returned", async (stage) => {
  assertEquals(await sendRpcs(stage, "return error/OK"), { successes: [], errors: ["Returned: OK"] });
});

// Spark: RpcIntegrationSuite "throwErrorRPC"
transportTest("TransportClient.sendRpc() hears of a failure that was thrown", async (stage) => {
  assertEquals(await sendRpcs(stage, "throw error/uh-oh"), { successes: [], errors: ["Thrown: uh-oh"] });
});

// Spark: RpcIntegrationSuite "doubleTrouble"
transportTest("TransportClient.sendRpc() hears of both kinds of failure", async (stage) => {
  const result = await sendRpcs(stage, "return error/OK", "throw error/uh-oh");
  assertEquals(result, { successes: [], errors: ["Returned: OK", "Thrown: uh-oh"] });
});

// Spark: RpcIntegrationSuite "sendSuccessAndFailure"
transportTest("TransportClient.sendRpc() keeps successes and failures apart", async (stage) => {
  const result = await sendRpcs(stage, "hello/Bob", "throw error/the", "hello/Builder", "return error/!");
  assertEquals(result, { successes: ["Hello, Bob!", "Hello, Builder!"], errors: ["Returned: !", "Thrown: the"] });
});

// Spark: RpcIntegrationSuite "sendOneWayMessage"
transportTest("TransportClient.send() delivers in order and waits for nothing", async (stage) => {
  const received: string[] = [];
  const { connection } = await stage.pair({ handler: { receiveOneWay: (_, body) => void received.push(textOf(body)) } });
  for (const text of ["no reply", "nor to this"]) assertEquals(connection.send(bytesOf(text)), true);
  assertEquals(connection.numOutstandingRequests, 0);
  await until(() => received.length === 2, "both messages");
  assertEquals(received, ["no reply", "nor to this"]);
});

transportTest("RpcHandler.receiveOneWay() may throw, and the connection goes on", async (stage) => {
  const bug = () => {
    throw new TypeError("a bug");
  };
  // What is the peer's fault is a line; the handler's own errors are given to the logger, with their stack.
  for (const [receiveOneWay, said] of [[undefined, ": Cannot handle messages"], [bug, " (a bug)"]] as const) {
    const { connection, server } = await stage.pair({ handler: { ...echo, ...(receiveOneWay && { receiveOneWay }) } });
    connection.send(bytesOf("nobody takes this"));
    assertEquals(await ask(connection, "still here"), "still here");
    const peer = [...server.context.connections].map(({ channel }) => channel.remote).join();
    const line = `one-way message. It came from ${peer} (1 of its messages failed so far)${said}`;
    assertEquals(server.logger.has(line), true);
  }
});

transportTest("TransportClient carries bodies of all sizes both ways", async (stage) => {
  const { connection } = await stage.pair({ handler: echo });
  const sizes = [0, 1, 16_383, 65_536, 65_600, 1_000_000, 9_000_000];
  await Promise.all(sizes.map(async (size) => {
    const content = new Uint8Array(size).map((_, i) => (i * 7 + size) & 0xff);
    assertEquals(await within(askBytes(connection, content.slice()), `${size} bytes`), content);
  }));
});

transportTest("TransportClient of the accepting end asks over the same connection", async (stage) => {
  const clients: TransportClient[] = [];
  const { connection, server, client } = await stage.pair(
    { handler: { ...echo, channelActive: (each) => void clients.push(each) } },
    { handler: { receive: (_, body, responder) => void responder.onSuccess(bytesOf(`client got ${textOf(body)}`)) } },
  );
  await server.connections(1);
  const answers = await Promise.all([ask(clients[0]!, "a"), ask(connection, "b"), ask(clients[0]!, "c")]);
  assertEquals(answers, ["client got a", "b", "client got c"]);
  assertEquals([server.context.connections.size, client.context.connections.size], [1, 1]);
});

transportTest("RpcHandler.receive() is given the same client for each message of a connection", async (stage) => {
  const seen = new Set<TransportClient>();
  const { connection, client, listening } = await stage.pair({
    handler: {
      receive(each, body, responder) {
        seen.add(each);
        responder.onSuccess(body.take());
      },
      receiveOneWay: (each) => void seen.add(each),
    },
  });
  connection.send(bytesOf("1"));
  await Promise.all([ask(connection, "2"), ask(connection, "3")]);
  assertEquals(seen.size, 1);
  const other = await within(client.factory.createUnmanagedClient({ host: "127.0.0.1", port: listening.port }), "to connect");
  await ask(other, "4");
  assertEquals(seen.size, 2);
});

transportTest("RpcResponder sends the first answer only", async (stage) => {
  const held = new Held();
  const { connection, server } = await stage.pair({ handler: held });
  const asking = ask(connection, "x");
  await held.count(1);
  const { responder } = held.requests[0]!;
  assertEquals(responder.onSuccess(bytesOf("first")) > 0, true);
  assertEquals(responder.onSuccess(bytesOf("second")), 0);
  responder.onFailure(new Error("third"));
  assertEquals(await asking, "first");
  assertEquals(server.logger.lines.filter((line) => line.includes("was dropped")).length, 2);
  assertEquals(server.unanswered, 0);
});

transportTest("RpcResponder.onSuccess() whose content throws has not answered yet", async (stage) => {
  const held = new Held();
  const { connection, server } = await stage.pair({ handler: held });
  const asking = ask(connection, "x");
  await held.count(1);
  const { responder } = held.requests[0]!;
  assertThrows(
    () =>
      responder.onSuccess(() => {
        throw new RangeError("cannot be written");
      }),
    RangeError,
    "cannot be written",
  );
  assertEquals(server.unanswered, 1);
  responder.onFailure(new Error("so it failed"));
  assertEquals((await failureOf(asking)).message, "so it failed");
  assertEquals(server.unanswered, 0);
});

transportTest("RpcResponder that its own content answers with is counted once", async (stage) => {
  const { connection, server } = await stage.pair({
    handler: {
      receive(_, __, responder) {
        responder.onSuccess((out) => {
          responder.onFailure(new Error("changed its mind"));
          out.writeUtf8("first");
        });
      },
    },
  });
  assertEquals([await ask(connection, "x"), await ask(connection, "y")], ["first", "first"]);
  assertEquals(server.unanswered, 0);
});

transportTest("TransportClient.removeRpcRequest() forgets a request, whose answer is ignored", async (stage) => {
  const held = new Held();
  const { connection, client } = await stage.pair({ handler: held });
  const heard: string[] = [];
  const id = connection.sendRpc(bytesOf("a"), waiter(() => heard.push("success"), () => heard.push("failure")));
  const other = ask(connection, "b");
  await held.count(2);
  connection.removeRpcRequest(id);
  for (const { responder, text } of held.requests) responder.onSuccess(bytesOf(text));
  assertEquals(await other, "b");
  assertEquals(heard, []);
  assertEquals(client.logger.has(`Ignoring response for RPC ${id} from `), true);
});

transportTest("RpcResponseCallback.onTimeout() is called at the deadline, and a late answer is ignored", async (stage) => {
  const held = new Held();
  const { connection } = await stage.pair({ handler: held });
  const events: string[] = [];
  const late = deferred();
  connection.sendRpc(bytesOf("a"), {
    deadline: 1_000,
    onSuccess: () => void events.push("success"),
    onFailure: () => void events.push("failure"),
    onTimeout: () => {
      events.push("timeout");
      late.resolve();
    },
  });
  await held.count(1);
  stage.clock.advance(999);
  assertEquals(events, []);
  stage.clock.advance(1);
  await within(late.promise, "the timeout");
  held.requests[0]!.responder.onSuccess(bytesOf("too late"));
  const asking = ask(connection, "b");
  await held.count(2);
  held.requests[1]!.responder.onSuccess(bytesOf("b"));
  assertEquals(await asking, "b");
  assertEquals(events, ["timeout"]);
});

transportTest("RpcResponseCallback.onSuccess() that throws fails nobody else", async (stage) => {
  const { connection, client } = await stage.pair({ handler: echo });
  const failing = waiter(() => {
    throw new Error("my own fault");
  });
  connection.sendRpc(bytesOf("a"), failing);
  assertEquals(await ask(connection, "b"), "b");
  assertEquals(client.logger.has("failed (my own fault)"), true);
});

transportTest("RpcResponseCallback.onTimeout() that throws keeps nobody else from theirs", async (stage) => {
  const held = new Held();
  const { connection, client } = await stage.pair({ handler: held });
  const timeouts: number[] = [];
  for (const deadline of [1_000, 1_000, 2_000]) {
    connection.sendRpc(bytesOf("a"), {
      ...waiter(),
      deadline,
      onTimeout() {
        timeouts.push(deadline);
        throw new Error("my own fault");
      },
    });
  }
  await held.count(3);
  stage.clock.advance(1_000);
  stage.clock.advance(1_000);
  assertEquals(timeouts, [1_000, 1_000, 2_000]);
  assertEquals(client.logger.lines.filter((line) => line.includes("failed (my own fault)")).length, 3);
});

transportTest("TransportContext tells peers the stack of a failure only if exposeStack is set", async (stage) => {
  for (const exposeStack of [false, true]) {
    const { connection } = await stage.pair({ handler, exposeStack });
    const { message } = await failureOf(ask(connection, "throw error/deep"));
    if (exposeStack) assertStringIncludes(message, "receive");
    else assertEquals(message, "Thrown: deep");
  }
});

transportTest("RpcResponder.onFailure() sends at most 65536 characters of text", async (stage) => {
  const { connection } = await stage.pair({
    handler: { receive: (_, __, responder) => responder.onFailure(new Error("y".repeat(1_000_000))) },
  });
  assertEquals((await failureOf(ask(connection, "x"))).message, "y".repeat(65_536));
});

transportTest(
  "What is kept of an answer has memory of its own up to SocketDriver.copiedBytes, and is a view beyond",
  async (stage) => {
    const { connection } = await stage.pair({ handler: echo }, { driver: { ...stage.driver, copiedBytes: 8 } });
    const keep = (content: Uint8Array): Promise<Uint8Array> =>
      new Promise((resolve, reject) => {
        connection.sendRpc(content, waiter((body) => resolve(body.take()), reject));
      });
    for (const length of [8, 9]) {
      const content = new Uint8Array(length).fill(length);
      const kept = await within(keep(content), "the answer");
      assertEquals(kept, content);
      assertEquals(kept.buffer.byteLength > length, length === 9);
    }
  },
);
