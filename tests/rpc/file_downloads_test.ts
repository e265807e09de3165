import { assertEquals, assertInstanceOf } from "@std/assert";
import { RpcError } from "../../src/base/errors.ts";
import { parseDownloadUri } from "../../src/rpc/file_downloads.ts";
import { NettyRpcEnv } from "../../src/rpc/netty_rpc_env.ts";
import { RpcEnv } from "../../src/rpc/rpc_env.ts";
import type { SimulatedWorld } from "../../src/rpc/simulated_world.ts";
import { SocketError } from "../../src/socket/socket.ts";
import type { BodyChannel, BodySink } from "../../src/transport/body_channel.ts";
import { BodyLog } from "../_body_log.ts";
import { test } from "../_harness.ts";

/** A server with a file of that size, and a client, in a simulated world; `fetch` starts a download. */
async function simulate(
  conf: Readonly<Record<string, string>>,
  size: number,
): Promise<{ world: SimulatedWorld; client: RpcEnv; fetch: (sink: BodySink) => BodyChannel }> {
  const world = RpcEnv.createSimulated(1);
  world.files("server").write("/x", new Uint8Array(size));
  const server = await world.create({ name: "server", host: "server", port: 7077 });
  const target = parseDownloadUri(await server.fileServer.addFile("/x"));
  const client = await world.create({ name: "client", host: "client", conf });
  assertInstanceOf(client, NettyRpcEnv);
  return { world, client, fetch: (sink) => client.downloads.open(target, sink) };
}

test("Connections of downloads are closed when they have been idle, by the settings of files or else of rpc", async () => {
  const settings: readonly [Readonly<Record<string, string>>, seconds: number][] = [
    [{ "spark.files.io.connectionTimeout": "3s", "spark.rpc.io.connectionTimeout": "7s" }, 3],
    [{ "spark.rpc.io.connectionTimeout": "7s" }, 7],
    [{ "spark.network.timeout": "9s" }, 9],
    [{}, 120],
  ];
  for (const [conf, seconds] of settings) {
    const { world, client, fetch } = await simulate(conf, 1_000);
    const sink = new BodyLog();
    fetch(sink);
    await world.run(() => sink.events.includes("complete"));
    assertEquals([sink.bytes, client.stats().connections.length], [1_000, 1]);
    await world.advance(seconds * 1_000 - 100);
    assertEquals(client.stats().connections.length, 1, `before ${seconds} s`);
    await world.advance(seconds * 1_000 + 200);
    assertEquals(client.stats().connections.length, 0, `after ${seconds} s`);
    await world.shutdown();
  }
});

test("A reader may stall for longer than a connection may be silent, but a server may not", async () => {
  const { world, client, fetch } = await simulate({ "spark.files.io.connectionTimeout": "3s" }, 1_000_000);
  const sink = new BodyLog();
  const channel = fetch(sink);
  await world.run(() => sink.bytes > 0);
  await world.advance(60_000);
  assertEquals([sink.events, client.stats().downloads], [["size 1000000", "data"], 1]);
  sink.isFull = false;
  channel.resume();
  await world.run(() => sink.events.includes("complete"));
  assertEquals(sink.bytes, 1_000_000);
  const other = new BodyLog();
  const cut = fetch(other);
  await world.run(() => other.bytes > 0);
  world.silence("server");
  other.isFull = false;
  cut.resume();
  await world.run(() => other.events.includes("failure"));
  assertInstanceOf(other.failure, RpcError);
  const { cause } = other.failure;
  assertEquals(cause instanceof SocketError && cause.socketCode, "TIMED_OUT");
  await world.shutdown();
  assertEquals([client.stats().downloads, client.stats().connections.length], [0, 0]);
});

test("A download that is cancelled before its connection is there gives up the dial", async () => {
  const { world, client, fetch } = await simulate({}, 1_000);
  world.freeze("server", 1_000);
  const sink = new BodyLog();
  const channel = fetch(sink);
  await world.advance(10);
  channel.cancel(new Error("enough"));
  await world.advance(2_000);
  assertEquals([sink.events, client.stats().connections], [["failure"], []]);
  await world.shutdown();
});

test("A download that is cancelled as it takes a connection leaves that to the next", async () => {
  const { world, client, fetch } = await simulate({}, 1_000);
  for (let i = 0; i < 3; i++) {
    const sink = new BodyLog();
    fetch(sink);
    await world.run(() => sink.events.includes("complete"));
    fetch(new BodyLog()).cancel(new Error("enough"));
    await world.advance(10);
    assertEquals([client.stats().connections.length, client.stats().downloads], [1, 0]);
  }
  await world.shutdown();
});
