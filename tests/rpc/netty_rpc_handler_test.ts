import { assertEquals } from "@std/assert";
import { RpcAddress } from "../../src/rpc/rpc_address.ts";
import { later } from "../../src/rpc/rpc_call_context.ts";
import { RpcEnv } from "../../src/rpc/rpc_env.ts";
import { defaultSocketDriver } from "../../src/socket/default.ts";
import { fromHex, test, until } from "../_harness.ts";
import type { TestContext } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";
import { ask, body, cbor, tell } from "./_raw_messages.ts";
import { RawPeer } from "./_raw_peer.ts";

async function server(context: TestContext, events: string[] = []): Promise<RpcEnv> {
  const env = await RpcEnv.create({ name: "server", host: "127.0.0.1", port: 0, logger: new MemoryLogger() });
  context.defer(() => env.shutdown());
  const keep = (what: string) => (address: RpcAddress) => void events.push(`${what} ${address}`);
  env.setupEndpoint("Echo", {
    receiveAndReply: (message) => message,
    onConnected: keep("onConnected"),
    onDisconnected: keep("onDisconnected"),
    onNetworkError: (error, address) => void events.push(`onNetworkError ${address} ${error.message}`),
  });
  return env;
}

// Spark: NettyRpcHandlerSuite "receive"
test("NettyRpcHandler announces a peer's socket address, and with its first message the address that it listens at", async (context) => {
  const events: string[] = [];
  const env = await server(context, events);
  const peer = await server(context);
  const ref = await peer.setupEndpointRef({ address: env.address!, name: "Echo" });
  for (let i = 0; i < 3; i++) await ref.ask(i);
  await until(() => events.length >= 2, "both addresses");
  assertEquals(events.length, 2);
  assertEquals(events[0]?.startsWith("onConnected 127.0.0.1:"), true);
  assertEquals(events[1], `onConnected ${peer.address}`);
});

// Spark: NettyRpcHandlerSuite "connectionTerminated"
test("NettyRpcHandler announces the end of a connection for both of its addresses", async (context) => {
  const events: string[] = [];
  const env = await server(context, events);
  const peer = await server(context);
  await (await peer.setupEndpointRef({ address: env.address!, name: "Echo" })).ask(1);
  await peer.shutdown();
  await until(() => events.length === 4, "both ends");
  assertEquals(events.slice(2), events.slice(0, 2).map((event) => event.replace("onConnected", "onDisconnected")));
});

test("NettyRpcHandler announces a connection that broke for both of its addresses, and then its end", async (context) => {
  const events: string[] = [];
  const env = await server(context, events);
  const peer = await RawPeer.connect(await defaultSocketDriver(), { host: "127.0.0.1", port: env.address!.port });
  context.defer(() => peer.abort());
  peer.write(tell(body(new Uint8Array(0), "Nobody", new RpcAddress("listening.example", 7077))));
  await until(() => events.length === 2, "both addresses");
  // A frame of no bytes, which no peer sends.
  peer.write(fromHex("0000000000000008"));
  await until(() => events.length === 6, "the end");
  const socket = events[0]!.split(" ")[1];
  assertEquals(events, [
    `onConnected ${socket}`,
    "onConnected listening.example:7077",
    `onNetworkError ${socket} Frame length should be positive: 0`,
    "onNetworkError listening.example:7077 Frame length should be positive: 0",
    `onDisconnected ${socket}`,
    "onDisconnected listening.example:7077",
  ]);
});

test("NettyRpcHandler announces a connection of a peer that does not listen by its only address, and aborts its asks with why it broke", async (context) => {
  const events: string[] = [];
  const env = await server(context, events);
  const reasons: unknown[] = [];
  env.setupEndpoint("Silent", {
    receiveAndReply(_, { signal }) {
      signal.addEventListener("abort", () => reasons.push(signal.reason));
      return later;
    },
  });
  const peer = await RawPeer.connect(await defaultSocketDriver(), { host: "127.0.0.1", port: env.address!.port });
  context.defer(() => peer.abort());
  peer.write(ask(1, body(cbor("hello"), "Silent")));
  await until(() => env.stats().connections[0]?.unansweredRequests === 1, "the ask");
  peer.write(fromHex("0000000000000008"));
  await until(() => reasons.length === 1 && env.stats().connections.length === 0, "the end");
  const socket = events[0]!.split(" ")[1];
  assertEquals(events, [
    `onConnected ${socket}`,
    `onNetworkError ${socket} Frame length should be positive: 0`,
    `onDisconnected ${socket}`,
  ]);
  assertEquals(String(reasons[0]), "ProtocolError: Frame length should be positive: 0");
});

test("NettyRpcHandler announces an address once, also if both sides dial each other and talk both ways", async (context) => {
  const events: string[] = [];
  const env = await server(context, events);
  const peer = await server(context);
  const there = await peer.setupEndpointRef({ address: env.address!, name: "Echo" });
  // The reference is bound to the connection that the peer opened, so the answer to it comes back over that one.
  const back = await there.ask(peer.setupEndpoint("Back", { receiveAndReply: (message) => message }));
  assertEquals(String(back), `NettyRpcEndpointRef(spark://Back@${peer.address})`);
  await (await env.setupEndpointRef({ address: peer.address!, name: "Echo" })).ask(1);
  const dialled = events.filter((event) => event === `onConnected ${peer.address}`);
  // Once for the connection that the peer opened, once for the one that this side opened: an event per address and connection.
  assertEquals(dialled.length, 2);
});

test("NettyRpcHandler counts one-way messages for an endpoint that has gone, and logs ever fewer of them", async (context) => {
  const logger = new MemoryLogger();
  const env = await RpcEnv.create({ name: "server", host: "127.0.0.1", port: 0, logger });
  context.defer(() => env.shutdown());
  const gone = env.setupEndpoint("Gone", { receive() {} });
  const peer = await server(context);
  const ref = await peer.setupEndpointRef({ address: env.address!, name: "Gone" });
  env.stop(gone);
  for (let i = 0; i < 1_000; i++) ref.send(i);
  await until(() => env.stats().droppedMessages === 1_000, "all messages");
  const numbers = logger.lines.flatMap((line) =>
    /\((\d+) of its messages failed so far\): Could not find Gone\.$/.exec(line)?.[1] ?? []
  );
  assertEquals(numbers, ["1", "2", "4", "8", "16", "32", "64", "128", "256", "512"]);
});
