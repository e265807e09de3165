import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RpcError, StreamError } from "../../src/base/errors.ts";
import { nodeFiles } from "../../src/platform/node_files.ts";
import { BytesManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import type { ManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import { FileSegmentManagedBuffer } from "../../src/transport/file_segment_managed_buffer.ts";
import type { StreamManager } from "../../src/transport/stream_manager.ts";
import type { TransportClient } from "../../src/transport/transport_client.ts";
import { makeFolder } from "../_folder.ts";
import { content } from "../_counted_buffer.ts";
import { deferred, until } from "../_harness.ts";
import { CountingFiles } from "./_counting_files.ts";
import { ReceivedStream } from "./_received_stream.ts";
import { ask, echo, type Pair, type Stage, streamsOf, transportTest } from "./_stage.ts";

const BUFFERS: Readonly<Record<string, Uint8Array>> = {
  largeBuffer: content(3_000_000),
  mediumBuffer: content(100_000),
  smallBuffer: content(100),
  emptyBuffer: content(0),
};
const FILE = content(512 * 1024 + 1);
const STREAMS = [...Object.keys(BUFFERS), "file"];
const EXPECTED: Readonly<Record<string, Uint8Array>> = { ...BUFFERS, file: FILE };

/** StreamTestHelper: a server with buffers and a file, and a connection to it. */
async function setUp(stage: Stage): Promise<Pair> {
  const path = join(await makeFolder(stage.test), "file");
  await writeFile(path, FILE);
  const files = new CountingFiles(nodeFiles);
  stage.test.defer(() => until(() => files.opened === files.closed, "all files to be closed"));
  const buffers = streamsOf(BUFFERS);
  const streamManager: StreamManager = {
    openStream: (name) =>
      name === "file" ? new FileSegmentManagedBuffer(files, path, 0, FILE.length) : buffers.openStream(name),
  };
  return await stage.pair({ handler: { ...echo, streamManager } });
}

async function check(client: TransportClient, name: string): Promise<void> {
  const stream = ReceivedStream.of(client, name);
  const bytes = await stream.bytes();
  assertEquals(bytes.length, EXPECTED[name]!.length);
  assert(bytes.every((byte, i) => byte === EXPECTED[name]![i]), `bytes of ${name}`);
  assertEquals(stream.events, bytes.length === 0 ? ["complete"] : ["data", "complete"]);
}

// Spark: StreamSuite "testZeroLengthStream"
transportTest("TransportClient.stream() gets an empty stream", async (stage) => {
  const { connection } = await setUp(stage);
  await check(connection, "emptyBuffer");
});

// Spark: StreamSuite "testSingleStream"
transportTest("TransportClient.stream() gets a stream", async (stage) => {
  const { connection } = await setUp(stage);
  await check(connection, "largeBuffer");
});

// Spark: StreamSuite "testMultipleStreams"
transportTest("TransportClient.stream() gets streams of all kinds, one after the other", async (stage) => {
  const { connection } = await setUp(stage);
  for (let i = 0; i < 20; i++) await check(connection, STREAMS[i % STREAMS.length]!);
  assertEquals(connection.numOutstandingRequests, 0);
});

// Spark: StreamSuite "testConcurrentStreams"
transportTest("TransportClient.stream() gets many streams at once, and answers between them", async (stage) => {
  const { connection } = await setUp(stage);
  const all = Array.from({ length: 20 }, (_, i) => [
    check(connection, STREAMS[i % STREAMS.length]!),
    ask(connection, `ask ${i}`).then((text) => assertEquals(text, `ask ${i}`)),
  ]);
  await Promise.all(all.flat());
  assertEquals(connection.numOutstandingRequests, 0);
});

transportTest(
  "TransportRequestHandler answers streams in the order of the requests, however long each takes to open",
  async (stage) => {
    const gates = new Map(["a", "b", "c", "d"].map((name) => [name, deferred<ManagedBuffer | undefined>()]));
    const { connection } = await stage.pair({
      handler: { ...echo, streamManager: { openStream: (name) => gates.get(name)!.promise } },
    });
    const ended: string[] = [];
    const streams = [...gates.keys()].map((name) => ReceivedStream.of(connection, name));
    for (const stream of streams) {
      stream.bytes().then((bytes) => ended.push(`${stream.streamId}: ${bytes}`), (error) => ended.push(error.message));
    }
    await ask(connection, "all requests have come");
    gates.get("d")!.resolve(new BytesManagedBuffer(Uint8Array.of(4)));
    gates.get("c")!.reject(new RangeError("c is not for you"));
    gates.get("b")!.resolve(undefined);
    await ask(connection, "nothing is answered before a");
    assertEquals(ended, []);
    gates.get("a")!.resolve(new BytesManagedBuffer(Uint8Array.of(1)));
    await until(() => ended.length === 4, "all to end");
    assertEquals(ended, ["a: 1", "Stream 'b' was not found.", "c is not for you", "d: 4"]);
  },
);

transportTest("TransportClient.stream() fails with a StreamError that names the stream", async (stage) => {
  const { connection } = await setUp(stage);
  const error = await ReceivedStream.of(connection, "nope").failure();
  assertInstanceOf(error, StreamError);
  assertEquals([error.streamId, error.message], ["nope", "Stream 'nope' was not found."]);
  await check(connection, "smallBuffer");
});

transportTest("StreamManager.checkAuthorization() that throws refuses the stream", async (stage) => {
  const opened: string[] = [];
  const clients = new Set<TransportClient>();
  const streamManager: StreamManager = {
    checkAuthorization(client, name) {
      clients.add(client);
      if (name === "secret") throw new RangeError("Client x not authorized to read stream secret");
    },
    openStream(name) {
      opened.push(name);
      return new BytesManagedBuffer(Uint8Array.of(7));
    },
  };
  const { connection } = await stage.pair({ handler: { streamManager } });
  const error = await ReceivedStream.of(connection, "secret").failure();
  assertEquals(error.message, "Client x not authorized to read stream secret");
  assertEquals(await ReceivedStream.of(connection, "open").bytes(), Uint8Array.of(7));
  assertEquals([opened, clients.size], [["open"], 1]);
});

transportTest("StreamManager hears of each stream that is sent, and one that throws there harms nobody", async (stage) => {
  const heard: string[] = [];
  const { connection, server } = await stage.pair({
    handler: {
      ...echo,
      streamManager: {
        ...streamsOf(BUFFERS),
        streamBeingSent: (name) => void heard.push(`begin ${name}`),
        streamSent(name) {
          heard.push(`end ${name}`);
          throw new Error("a bug of the application");
        },
      },
    },
  });
  await Promise.all(["largeBuffer", "smallBuffer"].map((name) => check(connection, name)));
  assertEquals(await ask(connection, "still here"), "still here");
  assertEquals(heard.sort(), ["begin largeBuffer", "begin smallBuffer", "end largeBuffer", "end smallBuffer"]);
  assert(server.logger.has("(a bug of the application)"));
});

transportTest("TransportClient.stream() fails if the stream's size is none, and the next one comes", async (stage) => {
  const beyond = new FileSegmentManagedBuffer(nodeFiles, "/a/file", 9, -1);
  const buffers = streamsOf(BUFFERS);
  const streamManager: StreamManager = { openStream: (name) => name === "beyond" ? beyond : buffers.openStream(name) };
  const { connection } = await stage.pair({ handler: { ...echo, streamManager } });
  const error = await ReceivedStream.of(connection, "beyond").failure();
  assertInstanceOf(error, StreamError);
  assertEquals(error.message, "Size of a body must be a whole number of bytes: -1");
  assertEquals(await ReceivedStream.of(connection, "smallBuffer").bytes(), BUFFERS["smallBuffer"]);
});

transportTest(
  "TransportClient.stream() fails if there are not as many bytes in memory as the stream has, and the next one comes",
  async (stage) => {
    const lies = (size: number, length: number, keepsBytes: boolean): ManagedBuffer => ({
      size,
      bytes: new Uint8Array(length),
      keepsBytes,
      read: () => 0,
      retain() {
        return this;
      },
      release() {},
    });
    const lying: Record<string, ManagedBuffer> = {
      fewer: lies(100, 10, false),
      more: lies(10, 100, false),
      "fewer, by reference": lies(3_000_000, 100_000, true),
      "more, by reference": lies(100_000, 3_000_000, true),
    };
    const buffers = streamsOf(BUFFERS);
    const streamManager: StreamManager = { openStream: (name) => lying[name] ?? buffers.openStream(name) };
    const { connection } = await stage.pair({ handler: { ...echo, streamManager } });
    for (const [name, { size, bytes }] of Object.entries(lying)) {
      const error = await ReceivedStream.of(connection, name).failure();
      assertInstanceOf(error, StreamError);
      assertEquals(error.message, `A body of ${size} bytes has ${bytes?.length}`);
    }
    assertEquals(await ReceivedStream.of(connection, "smallBuffer").bytes(), BUFFERS["smallBuffer"]);
  },
);

transportTest(
  "What a buffer's retain() and release() throw is told of its stream alone, and the next one comes",
  async (stage) => {
    const careless = (size: number, parts: Partial<ManagedBuffer>): ManagedBuffer => ({
      size,
      read: (_position, into) => into.fill(1).length,
      retain() {
        return this;
      },
      release() {
        throw new Error("released once too often");
      },
      ...parts,
    });
    const all: Record<string, ManagedBuffer> = {
      "in memory": careless(3, { bytes: new Uint8Array(3), keepsBytes: true }),
      "by reference": careless(100_000, { bytes: new Uint8Array(100_000), keepsBytes: true }),
      "read, then released": careless(3, {}),
      "cannot be read": careless(3, {
        read() {
          throw new Error("disk is gone");
        },
      }),
      "cannot be retained": careless(3, {
        retain() {
          throw new Error("released already");
        },
      }),
    };
    const buffers = streamsOf(BUFFERS);
    const streamManager: StreamManager = { openStream: (name) => all[name] ?? buffers.openStream(name) };
    const { connection, server } = await stage.pair({ handler: { ...echo, streamManager } });
    assertEquals((await ReceivedStream.of(connection, "in memory").bytes()).length, 3);
    assertEquals((await ReceivedStream.of(connection, "by reference").bytes()).length, 100_000);
    const failures = ["read, then released", "cannot be read", "cannot be retained"].map((name) => {
      return ReceivedStream.of(connection, name).failure();
    });
    const messages = (await Promise.all(failures)).map(({ message }) => message);
    assertEquals(messages, ["released once too often", "disk is gone", "released already"]);
    assertEquals(await ReceivedStream.of(connection, "smallBuffer").bytes(), BUFFERS["smallBuffer"]);
    assert(server.logger.has("Error sending stream in memory"));
  },
);

transportTest("StreamCallback.onComplete() may ask for the next stream and throw", async (stage) => {
  const { connection } = await setUp(stage);
  const next = new ReceivedStream("mediumBuffer");
  connection.stream("smallBuffer", {
    onData() {},
    onComplete() {
      connection.stream("mediumBuffer", next);
      throw new Error("my own fault");
    },
    onFailure() {},
  });
  assertEquals(await next.bytes(), BUFFERS["mediumBuffer"]);
});

transportTest("StreamCallback.onData() that throws ends the connection, and hears of it once", async (stage) => {
  const { connection, client, server } = await setUp(stage);
  const stream = new ReceivedStream("largeBuffer");
  stream.onChunk = () => {
    throw new RangeError("no room");
  };
  connection.stream("largeBuffer", stream);
  const waiting = ReceivedStream.of(connection, "smallBuffer");
  assertEquals((await stream.failure()).message, "no room");
  assertInstanceOf(await waiting.failure(), RpcError);
  await Promise.all([client.connections(0), server.connections(0)]);
  assertEquals([stream.events, waiting.events], [["data", "failure"], ["failure"]]);
});

transportTest("TransportClient.stream() refuses an id of more than 65536 characters", async (stage) => {
  const { connection } = await setUp(stage);
  const stream = new ReceivedStream("x".repeat(65_537));
  assertThrows(() => connection.stream(stream.streamId, stream), RangeError, "Stream id has 65537 characters");
  const longest = "x".repeat(65_536);
  assertEquals((await ReceivedStream.of(connection, longest).failure()).message.length, 65_536);
  assertEquals(connection.numOutstandingRequests, 0);
  assertEquals(stream.events, []);
});

transportTest("TransportClient.stream() on a connection that is gone fails", async (stage) => {
  const { connection, listening } = await setUp(stage);
  connection.close();
  const error = await ReceivedStream.of(connection, "smallBuffer").failure();
  assertInstanceOf(error, RpcError);
  const { port } = listening;
  assertEquals(
    error.message,
    `Failed to send stream smallBuffer to 127.0.0.1:${port}: Connection from 127.0.0.1:${port} closed`,
  );
});
