import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { RpcError } from "../../src/base/errors.ts";
import { type DownloadSink, FileDownloadChannel } from "../../src/rpc/file_download_channel.ts";
import { parseDownloadUri } from "../../src/rpc/file_downloads.ts";
import { NettyRpcEnv } from "../../src/rpc/netty_rpc_env.ts";
import { RpcEnv } from "../../src/rpc/rpc_env.ts";
import type { SimulatedWorld } from "../../src/rpc/simulated_world.ts";
import { SocketError } from "../../src/socket/socket.ts";
import { test } from "../_harness.ts";

/** A sink that is full after each chunk, unless it is told otherwise. */
class Sink implements DownloadSink {
  readonly events: string[] = [];
  bytes = 0;
  isFull = true;
  failure: unknown;

  onSize(bytes: number): void {
    this.events.push(`size ${bytes}`);
  }

  onData(chunk: Uint8Array): boolean {
    this.bytes += chunk.length;
    if (this.events.at(-1) !== "data") this.events.push("data");
    return !this.isFull;
  }

  onComplete(): void {
    this.events.push("complete");
  }

  onFailure(reason: unknown): void {
    this.events.push("failure");
    this.failure = reason;
  }
}

/** Counts pauses and resumes. */
class Flow {
  pauses = 0;
  resumes = 0;

  pause(): void {
    this.pauses++;
  }

  resume(): void {
    this.resumes++;
  }
}

test("FileDownloadChannel holds the far end back while its sink is full", () => {
  const [sink, flow] = [new Sink(), new Flow()];
  const channel = new FileDownloadChannel("s", sink, (failure) => sink.events.push(`end ${failure === undefined}`));
  channel.resume();
  channel.onStart("s", 10);
  channel.onData("s", new Uint8Array(4), true, flow);
  assertEquals([flow.pauses, flow.resumes], [1, 0]);
  channel.resume();
  channel.resume();
  assertEquals([flow.pauses, flow.resumes], [1, 1]);
  sink.isFull = false;
  channel.onData("s", new Uint8Array(6), true, flow);
  channel.onComplete();
  channel.cancel(new Error("late"));
  channel.onData("s", new Uint8Array(6), true, flow);
  channel.resume();
  assertEquals([flow.pauses, flow.resumes, sink.bytes, channel.hasEnded], [1, 1, 10, true]);
  assertEquals(sink.events, ["size 10", "data", "end true", "complete"]);
});

test("FileDownloadChannel.cancel() ends it at once, also from within its sink", () => {
  const [sink, flow] = [new Sink(), new Flow()];
  const reason = new Error("enough");
  const channel = new FileDownloadChannel("s", {
    onData(chunk) {
      channel.cancel(reason);
      return sink.onData(chunk);
    },
    onComplete: () => sink.onComplete(),
    onFailure: (why) => sink.onFailure(why),
  }, (failure) => sink.events.push(`end ${failure?.reason === reason}`));
  channel.onStart("s", 10);
  channel.onData("s", new Uint8Array(4), true, flow);
  channel.onFailure("s", new Error("the connection was given up"));
  assertEquals(flow.pauses, 0);
  assertEquals([sink.events, sink.failure], [["end true", "failure", "data"], reason]);
});

test("FileDownloadChannel copies what is borrowed, and gives memory of its own to read into", () => {
  const chunks: Uint8Array[] = [];
  const sink = { onData: (chunk: Uint8Array) => chunks.push(chunk) > 0, onComplete() {}, onFailure() {} };
  const channel = new FileDownloadChannel("s", sink, () => {});
  const borrowed = Uint8Array.of(1, 2, 3);
  channel.onData("s", borrowed, false, new Flow());
  borrowed.fill(0xee);
  assertEquals(chunks, [Uint8Array.of(1, 2, 3)]);
  const memory = channel.allocate();
  assertEquals(channel.allocate(), memory);
  memory.set([4, 5, 6]);
  channel.onData("s", memory.subarray(0, 3), true, new Flow());
  // What was given out is not given out again.
  channel.allocate().fill(9);
  assertEquals(chunks[1], Uint8Array.of(4, 5, 6));
  for (let i = 0; i < 20; i++) {
    const next = channel.allocate();
    assert(next.length >= 64 * 1024, "too little to read into");
    channel.onData("s", next.subarray(0, 60_000), true, new Flow());
  }
  assertEquals(chunks[1], Uint8Array.of(4, 5, 6));
});

/** A server with a file of that size, and a client, in a simulated world; `fetch` starts a download. */
async function simulate(
  conf: Readonly<Record<string, string>>,
  size: number,
): Promise<{ world: SimulatedWorld; client: RpcEnv; fetch: (sink: DownloadSink) => FileDownloadChannel }> {
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
    const sink = new Sink();
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
  const sink = new Sink();
  const channel = fetch(sink);
  await world.run(() => sink.bytes > 0);
  await world.advance(60_000);
  assertEquals([sink.events, client.stats().downloads], [["size 1000000", "data"], 1]);
  sink.isFull = false;
  channel.resume();
  await world.run(() => sink.events.includes("complete"));
  assertEquals(sink.bytes, 1_000_000);
  const other = new Sink();
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
