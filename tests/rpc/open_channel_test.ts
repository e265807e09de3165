import { join } from "node:path";
import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { ByteSink } from "../../src/base/byte_sink.ts";
import { RpcError, RpcOverloadedError, RpcStoppedError, StreamError } from "../../src/base/errors.ts";
import { MessageType } from "../../src/protocol/message.ts";
import { encodeMessage } from "../../src/protocol/message_encoder.ts";
import { parseDownloadUri } from "../../src/rpc/file_downloads.ts";
import { RpcAddress } from "../../src/rpc/rpc_address.ts";
import type { NettyRpcEnv } from "../../src/rpc/netty_rpc_env.ts";
import type { RpcEnv } from "../../src/rpc/rpc_env.ts";
import { defaultSocketDriver } from "../../src/socket/default.ts";
import { type Socket, SocketError } from "../../src/socket/socket.ts";
import { countListeners } from "../_counted_listeners.ts";
import { untilCollected } from "../_garbage.ts";
import { byteAt, content } from "../_counted_buffer.ts";
import { runtimeName, test, until, untilStill, within } from "../_harness.ts";
import { noIpv6 } from "../_ipv6.ts";
import { commandFor } from "../_entry_points.ts";
import { startProcess } from "../_process.ts";
import { failureOf, fetchBytes, fetchFailure, fetchText, FileStage, fileTest, settled } from "./_file_server.ts";

/** Larger than all that systems and streams buffer. */
const BIG_BYTES = 64 * 1024 * 1024;

async function serveBig(stage: FileStage): Promise<{ server: RpcEnv; client: RpcEnv; uri: string; smallUri: string }> {
  const { server, client } = await stage.pair();
  const folder = await stage.folder({ big: content(BIG_BYTES), small: "small" });
  const uri = await server.fileServer.addFile(join(folder, "big"));
  return { server, client, uri, smallUri: await server.fileServer.addFile(join(folder, "small")) };
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** Reads the first chunk. */
async function begin(client: RpcEnv, uri: string, signal?: AbortSignal): Promise<Reader> {
  const reader = client.openChannel(uri, { signal }).getReader();
  assertEquals((await within(reader.read(), "the first chunk")).done, false);
  return reader;
}

/** Waits until a server sends no more: what it has written stays the same. */
async function stalled(server: RpcEnv): Promise<number> {
  const written = (): number => server.stats().connections.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0);
  let [before, quiet] = [-1, 0];
  await until(() => {
    quiet = written() === before ? quiet + 1 : 0;
    before = written();
    return quiet === 50;
  }, "the sender to be held back");
  return before;
}

test("parseDownloadUri() wants a host, a port and a path, as Spark does", () => {
  assertEquals(parseDownloadUri("spark://h:7/files/a%20b%2Fc+d"), {
    address: new RpcAddress("h", 7),
    streamId: "/files/a b/c+d",
  });
  assertEquals(parseDownloadUri("spark://[::1]:7/x").address, new RpcAddress("::1", 7));
  const bad: Readonly<Record<string, string>> = {
    "spark:///files/x": "requirement failed: Host name must be defined.",
    "spark://:7/files/x": "requirement failed: Host name must be defined.",
    "spark://me@:7/x": "requirement failed: Host name must be defined.",
    "spark:files/x": "requirement failed: Host name must be defined.",
    "/files/x": "requirement failed: Host name must be defined.",
    "": "requirement failed: Host name must be defined.",
    "spark://h/files/x": "requirement failed: Port must be defined.",
    "spark://h:/files/x": "requirement failed: Port must be defined.",
    "spark://h:0/files/x": "requirement failed: Port must be defined.",
    "spark://h:7": "requirement failed: Path must be defined.",
    "http://h:7/files/x": "Expected scheme spark but got http",
    "spark://h:7/files/a?b": "Expected neither query nor fragment (? is %3F and # is %23): /files/a?b",
    "spark://h:7/files/a#b": "Expected neither query nor fragment (? is %3F and # is %23): /files/a#b",
    "spark://h:70000/x": "Port is not in 0 to 65535: 70000",
    "spark://h:7/a b": "Path, query or fragment has a character that must be percent-encoded: /a b",
  };
  for (const [uri, message] of Object.entries(bad)) {
    assertEquals(assertThrows(() => parseDownloadUri(uri), RpcError, message).code, "INVALID_ADDRESS", uri);
  }
});

fileTest("RpcEnv.openChannel() throws at a bad URI, and fails the stream for all else", async (stage) => {
  const client = await stage.env();
  assertThrows(() => client.openChannel("spark://127.0.0.1/x"), RpcError, "Port must be defined.");
  const error = await fetchFailure(client, "spark://127.0.0.1:1/x");
  assertInstanceOf(error, SocketError);
  assertEquals(error.socketCode, "CONNECTION_REFUSED");
  assertEquals((await fetchFailure(client, `spark://127.0.0.1:1/${"x".repeat(70_000)}`)) instanceof SocketError, true);
  await settled(client);
});

fileTest("RpcEnv.openChannel() brings a large file whole, and says its size before", async (stage) => {
  const { client, uri } = await serveBig(stage);
  const events: unknown[] = [];
  let [at, same] = [0, true];
  for await (const chunk of client.openChannel(uri, { onSize: (bytes) => events.push(bytes) })) {
    if (at === 0) events.push("first chunk");
    same &&= chunk.every((byte, i) => byte === byteAt(at + i));
    at += chunk.length;
  }
  assertEquals([at, same, events], [BIG_BYTES, true, [BIG_BYTES, "first chunk"]]);
});

fileTest("A reader that stalls stops the sender, and nobody else's download", async (stage) => {
  const { server, client, uri, smallUri } = await serveBig(stage);
  const reader = await begin(client, uri);
  const sent = await stalled(server);
  assert(sent < BIG_BYTES / 2, `${sent} bytes were sent to a reader that does not read`);
  const { streamsBeingSent, openFiles, connections } = server.stats();
  assertEquals([streamsBeingSent, openFiles, client.stats().downloads], [1, 1, 1]);
  const waiting = connections.reduce((sum, { queuedBytes }) => sum + queuedBytes, 0);
  assert(waiting <= 1024 * 1024 + 64 * 1024, `${waiting} bytes wait at the sender`);
  assertEquals(await fetchText(client, smallUri), "small");
  let bytes = 0;
  for (let { value } = await reader.read(); value !== undefined; { value } = await reader.read()) bytes += value.length;
  assert(bytes > BIG_BYTES - 2 * 1024 * 1024, `${bytes} bytes came after the stall`);
  await settled(server);
});

fileTest("ReadableStream.cancel() of a download frees both ends", async (stage) => {
  const { server, client, uri, smallUri } = await serveBig(stage);
  const reader = await begin(client, uri);
  await stalled(server);
  await reader.cancel("enough");
  await within(Promise.all([settled(client), settled(server)]), "both ends to be free");
  await until(() => client.stats().connections.length === 0, "the connection to be given up");
  await until(() => server.stats().connections.length === 0, "the server to hear of it");
  assertEquals(await fetchText(client, smallUri), "small");
});

fileTest("A download that is given up for the failure of another frees both ends", async (stage) => {
  const { server, client, uri, smallUri } = await serveBig(stage);
  const reader = await begin(client, uri);
  await stalled(server);
  const failure = await fetchFailure(client, `${smallUri}-no-more`);
  assertInstanceOf(failure, StreamError);
  await reader.cancel(failure);
  await within(Promise.all([settled(client), settled(server)]), "both ends to be free");
  // The connection of the other one is kept for the next.
  await until(() => client.stats().connections.length === 1, "the connection to be given up");
  const { bytesRead } = client.stats().connections[0]!;
  assert(bytesRead < BIG_BYTES, `${bytesRead} bytes were read for nobody`);
  assertEquals(await fetchText(client, smallUri), "small");
});

fileTest("The signal of openChannel() fails the stream with its reason, whatever has come by then", async (stage) => {
  const { server, client, uri, smallUri } = await serveBig(stage);
  const reason = new Error("Not needed any more");
  const abort = new AbortController();
  const reader = await begin(client, uri, abort.signal);
  await stalled(server);
  abort.abort(reason);
  // What waited in the stream is dropped: nobody takes a part for the whole.
  assertEquals(await assertRejects(() => reader.read()), reason);
  assertEquals(await assertRejects(() => reader.closed), reason);
  await within(Promise.all([settled(client), settled(server)]), "both ends to be free");
  const late = client.openChannel(uri, { signal: abort.signal }).getReader();
  assertEquals(await failureOf(late), reason);
  const other = new AbortController();
  const dialling = client.openChannel(uri, { signal: other.signal }).getReader();
  other.abort(reason);
  assertEquals(await failureOf(dialling), reason);
  await settled(client);
  // An abort after the end is none, and nobody listens for it.
  const third = new AbortController();
  const { signal } = third;
  const listeners = countListeners(signal);
  assertEquals(await new Response(client.openChannel(smallUri, { signal })).text(), "small");
  assertEquals(listeners(), 0);
  third.abort(reason);
  assertEquals(await fetchText(client, smallUri), "small");
});

test("A download whose server is shut down fails once, with its cause", async (context) => {
  // Once per runtime: what was promised has five seconds to leave.
  const stage = new FileStage(context, await defaultSocketDriver());
  const { server, client, uri } = await serveBig(stage);
  const reader = await begin(client, uri);
  await stalled(server);
  await server.shutdown({ deadlineMs: 0 });
  const error = await failureOf(reader);
  assert(error instanceof RpcError, String(error));
  assertEquals(error instanceof SocketError || error.cause instanceof Error, true);
  assertEquals(await assertRejects(() => reader.closed), error);
  await settled(client);
});

fileTest("A download whose own environment is shut down fails as stopped", async (stage) => {
  const { server, client, uri } = await serveBig(stage);
  const reader = await begin(client, uri);
  await stalled(server);
  await client.shutdown();
  assertInstanceOf(await failureOf(reader), RpcStoppedError);
  assertInstanceOf(await fetchFailure(client, uri), RpcStoppedError);
  assertEquals([client.stats().downloads, client.stats().connections.length], [0, 0]);
  await settled(server);
});

const SERVER = "tests/rpc/file_server_main.ts";
const skip = commandFor(SERVER) === undefined ? `only the task test has ${SERVER} for ${runtimeName}` : undefined;
test("A download whose server is killed fails once, with its cause", async (context) => {
  const stage = new FileStage(context, await defaultSocketDriver());
  const client = await stage.env();
  const folder = await stage.folder({ big: content(BIG_BYTES) });
  const { command, args } = commandFor(SERVER)!;
  const server = startProcess(context, command, [...args, join(folder, "big")]);
  const [, uri] = await server.waitFor(/^READY (spark:\S+)\n/);
  const reader = await begin(client, uri!);
  server.kill("SIGKILL");
  await within(server.exited, "the server's end");
  const error = await failureOf(reader);
  assert(error instanceof RpcError && ["STREAM", "SOCKET"].includes(error.code), String(error));
  if (!(error instanceof SocketError)) assertInstanceOf(error.cause, SocketError);
  await until(() => client.stats().connections.length === 0, "the connection to close");
  assertEquals(client.stats().downloads, 0);
  assertInstanceOf(await fetchFailure(client, uri!), SocketError);
}, { skip });

fileTest("A file goes out whole where a connection may have little waiting", async (stage) => {
  const { server, client } = await stage.pair({ limits: { maxQueuedBytes: 10_000 } });
  const folder = await stage.folder({ x: content(BIG_BYTES) });
  const reader = await begin(client, await server.fileServer.addFile(join(folder, "x")));
  await stalled(server);
  let bytes = 0;
  for (let { value } = await reader.read(); value !== undefined; { value } = await reader.read()) bytes += value.length;
  assert(bytes > BIG_BYTES - 2 * 1024 * 1024, `${bytes} bytes came after the stall`);
});

/** A server that promises 1000 bytes, sends 600, and goes. */
async function serveHalf(stage: FileStage, leave: (socket: Socket) => void): Promise<string> {
  const out = new ByteSink();
  encodeMessage({ type: MessageType.StreamResponse, streamId: "/x", byteCount: 1_000 }, out);
  out.writeBytes(content(600));
  const bytes = out.view().slice();
  const listener = await stage.driver.listen({ host: "127.0.0.1", port: 0 }, () => ({
    onData(socket) {
      socket.write([bytes.slice()]);
      leave(socket);
    },
    onDrain() {},
    onEnd: (socket) => socket.shutdown(),
    onClose() {},
  }));
  stage.context.defer(() => listener.close());
  return `spark://127.0.0.1:${listener.address.port}/x`;
}

fileTest("A download whose connection ends half-way fails once, with its cause", async (stage) => {
  const client = await stage.env();
  const uri = await serveHalf(stage, (socket) => socket.shutdown());
  let chunks = 0;
  const reader = client.openChannel(uri).getReader();
  const error = await failureOf({ read: () => reader.read().then((result) => (chunks++, result)) } as Reader);
  assertInstanceOf(error, StreamError);
  assertEquals(error.message, "Connection closed within stream /x: 600 of 1000 bytes came");
  assertInstanceOf(error.cause, SocketError);
  assert(chunks <= 1);
  await until(() => client.stats().connections.length === 0, "the connection to close");
  assertEquals(client.stats().downloads, 0);
});

fileTest("maxDownloads: one more fails as overloaded, and there is room again when one has ended", async (stage) => {
  const { client: _, server, uri, smallUri } = await serveBig(stage);
  const client = await stage.env({ limits: { maxDownloads: 2 } });
  const readers = [await begin(client, uri), await begin(client, uri)];
  const error = await fetchFailure(client, smallUri);
  assertInstanceOf(error, RpcOverloadedError);
  assertEquals([error.queue, error.limit, client.stats().limits.maxDownloads], ["downloads", 2, 2]);
  await readers[0]!.cancel();
  assertEquals(await fetchText(client, smallUri), "small");
  await readers[1]!.cancel();
  await settled(server);
});

fileTest("Connections of downloads are used again, and only so many of them are kept", async (stage) => {
  const { server, client } = await stage.pair();
  const folder = await stage.folder({ x: content(200_000) });
  const uri = await server.fileServer.addFile(join(folder, "x"));
  for (let i = 0; i < 5; i++) assertEquals((await fetchBytes(client, uri)).length, 200_000);
  // Also after a stream that was not there.
  assertInstanceOf(await fetchFailure(client, `${uri}y`), StreamError);
  assertEquals(client.stats().connections.length, 1);
  const many = await Promise.all(Array.from({ length: 12 }, () => fetchBytes(client, uri)));
  assert(many.every(({ length }) => length === 200_000));
  await untilStill(() => client.stats().connections.length, "connections to be closed");
  assertEquals(client.stats().connections.length, 4);
  assertEquals(client.stats().downloads, 0);
});

fileTest("Connections of downloads are let go of when the peer has gone", async (stage) => {
  const { server, client } = await stage.pair();
  const folder = await stage.folder({ x: "x" });
  const uri = await server.fileServer.addFile(join(folder, "x"));
  await Promise.all(Array.from({ length: 4 }, () => fetchText(client, uri)));
  const kept = [...(client as NettyRpcEnv).downloads.connections].map((handler) => new WeakRef(handler.client));
  assertEquals(kept.length, 4);
  await server.shutdown();
  await until(() => client.stats().connections.length === 0, "the end of the connections");
  // One may be on the stack still, which Bun looks through for what might be a pointer.
  await untilCollected(kept, "the connections", 1);
});

fileTest("A file is downloaded from an IPv6 address, over one connection", async (stage) => {
  const { server, client } = await stage.pair({ host: "::1" });
  const folder = await stage.folder({ x: "x" });
  const uri = await server.fileServer.addFile(join(folder, "x"));
  assertEquals(uri, `spark://[::1]:${server.address!.port}/files/x`);
  for (let i = 0; i < 2; i++) assertEquals(await fetchText(client, uri), "x");
  assertEquals(client.stats().connections.length, 1);
}, { skip: noIpv6 });

fileTest("Connections of downloads are no news for endpoints", async (stage) => {
  const { server, client } = await stage.pair();
  const folder = await stage.folder({ x: "x" });
  const events: string[] = [];
  client.setupEndpoint("e", { onConnected: () => events.push("connected"), onDisconnected: () => events.push("disconnected") });
  assertEquals(await fetchText(client, await server.fileServer.addFile(join(folder, "x"))), "x");
  await client.shutdown();
  assertEquals(events, []);
});
