import { assert, assertEquals, assertInstanceOf, assertRejects, assertStringIncludes } from "@std/assert";
import { RpcError, StreamError } from "../../src/base/errors.ts";
import { int64FromSafe } from "../../src/base/int64.ts";
import { MessageBody } from "../../src/base/message_body.ts";
import { MessageType } from "../../src/protocol/message.ts";
import { BytesManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import { askRpc } from "../../src/transport/ask_rpc.ts";
import type { RpcHandler } from "../../src/transport/rpc_handler.ts";
import { type ByteSource, StreamManagedBuffer } from "../../src/transport/stream_managed_buffer.ts";
import type { TransportClient } from "../../src/transport/transport_client.ts";
import { readChunk, readStream, receiveUpload, sendUpload } from "../../src/transport/transfers.ts";
import { countListeners } from "../_counted_listeners.ts";
import { deferred, test, until, untilStill, within } from "../_harness.ts";
import { content, CountedBuffer, countedBuffers } from "../_counted_buffer.ts";
import { frameOf, listenRaw } from "./_raw_peer.ts";
import { ask, bytesOf, echo, failureOf, transportTest } from "./_stage.ts";

const MIB = 1024 * 1024;

async function all(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await within(new Response(stream).arrayBuffer(), "the whole stream"));
}

/** Takes the memory of `bytes` away, as a message to a worker does. */
function transfer({ buffer }: Uint8Array): void {
  structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
}

/** A server whose streams and chunks are so many bytes as their name or place says. */
function server(buffer: (bytes: Uint8Array) => CountedBuffer): Partial<RpcHandler> {
  return {
    ...echo,
    streamManager: {
      openStream: (name) => Number.isNaN(Number(name)) ? undefined : buffer(content(Number(name))),
      getChunk: (_, index) => index < 0 ? undefined : buffer(content(index)),
    },
  };
}

transportTest("readStream() and readChunk() give the bytes as they come, of all sizes", async (stage) => {
  const buffer = countedBuffers(stage.test);
  const { connection } = await stage.pair({ handler: server((bytes) => buffer(bytes)) });
  for (const size of [0, 1, 100_000, MIB, 5 * MIB + 1]) {
    const sizes: number[] = [];
    const onSize = (bytes: number): void => void sizes.push(bytes);
    assertEquals(await all(readStream(connection, String(size), { onSize })), content(size));
    assertEquals(await all(readChunk(connection, 7n, size, { onSize })), content(size));
    assertEquals(sizes, [size, size]);
  }
  assertEquals(connection.numOutstandingRequests, 0);
});

transportTest("Bytes whose memory has been transferred are refused, and do not arrive as none", async (stage) => {
  const bytes = content(1_000);
  const buffer = new BytesManagedBuffer(bytes);
  transfer(bytes);
  const { connection } = await stage.pair({
    handler: { ...echo, streamManager: { openStream: () => buffer, getChunk: () => buffer } },
  });
  assertInstanceOf(await failureOf(askRpc(connection, bytes)), TypeError);
  assertEquals((await failureOf(sendUpload(connection, bytesOf("upload"), buffer))).message, "A body of 1000 bytes has 0");
  for (const read of [() => readStream(connection, "stream"), () => readChunk(connection, 7n, 0)]) {
    assertStringIncludes((await failureOf(all(read()))).message, "A body of 1000 bytes has 0");
  }
  assertEquals(await ask(connection, "still here"), "still here");
});

transportTest("Bytes whose memory is transferred while they are sent end their connection", async (stage) => {
  const sent: Uint8Array[] = [];
  const { connection, client, listening } = await stage.pair({
    handler: {
      streamManager: {
        openStream: (name) => new BytesManagedBuffer(sent[sent.push(content(Number(name))) - 1]!),
        getChunk: () => undefined,
      },
      receiveStream: () => receiveUpload("upload", async (stream) => bytesOf(String((await all(stream)).length))),
    },
  });
  const bytes = content(20 * MIB);
  const upload = sendUpload(connection, bytesOf("upload"), new BytesManagedBuffer(bytes));
  transfer(bytes);
  assertInstanceOf(await failureOf(upload), RpcError);

  const reader = readStream(await client.dial(listening), String(20 * MIB)).getReader();
  await within(reader.read(), "the first bytes");
  transfer(sent[0]!);
  const rest = async () => {
    while (!(await reader.read()).done);
  };
  assertInstanceOf(await failureOf(rest()), StreamError);
});

transportTest("readStream() and readChunk() fail with what onSize throws, which gives them up", async (stage) => {
  const onSize = (bytes: number): void => {
    throw new RangeError(`${bytes} bytes are too many`);
  };
  const { connection, client, listening } = await stage.pair({ handler: server((bytes) => new CountedBuffer(bytes)) });
  const size = 3 * MIB;
  assertEquals((await failureOf(all(readChunk(connection, 7n, 10, { onSize })))).message, "10 bytes are too many");
  assertEquals(await ask(connection, "all of it had come"), "all of it had come");
  const reads = [
    (each: TransportClient) => readChunk(each, 7n, size, { onSize }),
    (each: TransportClient) => readStream(each, String(size), { onSize }),
  ];
  for (const read of reads) {
    const each = await within(client.factory.createUnmanagedClient(listening.address), "to connect");
    assertEquals((await failureOf(all(read(each)))).message, `${size} bytes are too many`);
    assertEquals([each.isActive, client.logger.has("Callback of a response")], [false, false]);
  }
});

transportTest("readStream() and readChunk() can be iterated", async (stage) => {
  const { connection } = await stage.pair({ handler: server((bytes) => new CountedBuffer(bytes)) });
  const count = async (stream: ReadableStream<Uint8Array>): Promise<number> => {
    let count = 0;
    for await (const chunk of stream) count += chunk.length;
    return count;
  };
  assertEquals(await within(count(readStream(connection, "3000000")), "the stream"), 3_000_000);
  assertEquals(await within(count(readChunk(connection, 7n, 3_000_000)), "the chunk"), 3_000_000);
});

transportTest("readStream() and readChunk() fail as they say where the connection breaks within", async (stage) => {
  const listener = await listenRaw(stage);
  const broken = async (read: (client: TransportClient) => ReadableStream<Uint8Array>, answer: Uint8Array): Promise<Error> => {
    const { length } = listener.peers;
    const failing = failureOf(all(read(await stage.end().dial(listener))));
    await until(() => (listener.peers[length]?.receivedBytes ?? 0) > 0, "the request");
    listener.peers[length]!.write(answer);
    listener.peers[length]!.end();
    return await failing;
  };
  const response = frameOf({ type: MessageType.StreamResponse, streamId: "a", byteCount: 2 * MIB });
  assertInstanceOf(await broken((client) => readStream(client, "a"), response), StreamError);
  const body = MessageBody.of(new Uint8Array(2 * MIB));
  const chunk = frameOf({ type: MessageType.ChunkFetchSuccess, streamId: int64FromSafe(7), chunkIndex: 0, body });
  for (const cut of [10, 21, MIB, chunk.length - 1]) {
    const error = await broken((client) => readChunk(client, 7n, 0), chunk.subarray(0, cut));
    assert(RpcError.is(error) && error.code === "DISCONNECTED" && !(error instanceof StreamError), `${cut}: ${error}`);
  }
});

transportTest("readStream() and readChunk() fail with what the peer says", async (stage) => {
  const { connection } = await stage.pair({ handler: server((bytes) => new CountedBuffer(bytes)) });
  await assertRejects(() => all(readStream(connection, "nope")), StreamError, "Stream 'nope' was not found.");
  await assertRejects(() => all(readChunk(connection, 7n, -1)), StreamError, "Chunk was not found");
  await assertRejects(() => all(readStream(connection, "x".repeat(70_000))), RangeError, "Stream id has 70000 characters");
  assertEquals(await ask(connection, "still here"), "still here");
  connection.close();
  await assertRejects(() => all(readChunk(connection, 7n, 1)), RpcError, "Failed to send StreamChunkId");
});

for (const how of ["signal", "cancel"] as const) {
  transportTest(`readStream() and readChunk() that are given up by ${how} free both ends`, async (stage) => {
    for (const kind of ["stream", "chunk"] as const) {
      const buffer = countedBuffers(stage.test);
      const { client, server: far, listening } = await stage.pair({ handler: server((bytes) => buffer(bytes)) });
      const own = await client.factory.createUnmanagedClient({ host: "127.0.0.1", port: listening.port });
      const abort = new AbortController();
      const options = { signal: abort.signal };
      const size = 30 * MIB;
      const stream = kind === "stream" ? readStream(own, String(size), options) : readChunk(own, 7n, size, options);
      const reader = stream.getReader();
      assert((await within(reader.read(), "the first bytes")).value!.length > 0);
      const reason = new RangeError("enough");
      if (how === "signal") {
        abort.abort(reason);
        await assertRejects(
          async () => {
            while (!(await reader.read()).done);
          },
          RangeError,
          "enough",
        );
      } else await reader.cancel(reason);
      await far.connections(1);
      await client.connections(1);
      assertEquals([own.isActive, own.numOutstandingRequests], [false, 0]);
      await until(() => far.context.stats().queuedBytes === 0, "what was to be sent to be dropped");
      await client.factory.close();
    }
  });
}

transportTest("readStream() with a signal that has aborted asks for nothing", async (stage) => {
  const { connection, server: far } = await stage.pair({ handler: server((bytes) => new CountedBuffer(bytes)) });
  const signal = AbortSignal.abort(new RangeError("too late"));
  await assertRejects(() => all(readStream(connection, "10", { signal })), RangeError, "too late");
  await assertRejects(() => all(readChunk(connection, 1n, 10, { signal })), RangeError, "too late");
  const data = new CountedBuffer(content(10));
  await assertRejects(() => sendUpload(connection, bytesOf("m"), data, { signal }), RangeError, "too late");
  assertEquals([data.frees, await ask(connection, "and on"), far.context.stats().framesRead], [1, "and on", 1]);
});

transportTest("A signal is left alone once its transfer is over", async (stage) => {
  const { connection } = await stage.pair({
    handler: { ...server((bytes) => new CountedBuffer(bytes)), receiveStream: () => receiveUpload("u", async () => {}) },
  });
  const abort = new AbortController();
  const { signal } = abort;
  const listeners = countListeners(signal);
  await all(readStream(connection, "10", { signal }));
  await all(readChunk(connection, 1n, 2 * MIB, { signal }));
  await sendUpload(connection, bytesOf("m"), new BytesManagedBuffer(content(10)), { signal });
  await failureOf(all(readStream(connection, "nope", { signal })));
  assertEquals(listeners(), 0);
  abort.abort();
  assertEquals(await ask(connection, "still here"), "still here");
});

transportTest("A reader of a chunk that is slow holds its peer back", async (stage) => {
  const { connection, server: far } = await stage.pair({ handler: server((bytes) => new CountedBuffer(bytes)) });
  const size = 30 * MIB;
  const reader = readChunk(connection, 7n, size).getReader();
  let count = (await reader.read()).value!.length;
  const sent = (): number => far.context.stats().bytesWritten;
  await untilStill(sent, "the server to be held back");
  await stage.turns(10);
  assert(sent() < 20 * MIB);
  for (let next = await reader.read(); !next.done; next = await reader.read()) count += next.value.length;
  assertEquals(count, size);
});

/** The same bytes as every kind of source. */
const SOURCES: Readonly<Record<string, (bytes: Uint8Array) => ByteSource>> = {
  "a ReadableStream": (bytes) => new Response(bytes.slice()).body!,
  "an AsyncIterable": async function* (bytes) {
    for (let at = 0; at < bytes.length; at += 77_777) yield await Promise.resolve(bytes.subarray(at, at + 77_777));
  },
  "an Iterable": (bytes) => [bytes.subarray(0, 10), new Uint8Array(0), bytes.subarray(10)],
};

/** Receives uploads as streams and answers with what came. */
const receiver: Partial<RpcHandler> = {
  ...echo,
  receiveStream: (_, meta) =>
    receiveUpload(new TextDecoder().decode(meta.bytes), async (stream, byteCount) => {
      const bytes = await all(stream);
      assertEquals(bytes.length, byteCount);
      return bytes;
    }),
};

for (const [what, make] of Object.entries(SOURCES)) {
  transportTest(`sendUpload() sends ${what}, and receiveUpload() takes it as a stream`, async (stage) => {
    const { connection } = await stage.pair({ handler: receiver });
    for (const size of [10, 3 * MIB]) {
      assertEquals(await sendUpload(connection, bytesOf("u"), make(content(size)), { size }), content(size));
    }
    assertEquals(await sendUpload(connection, bytesOf("empty"), [], { size: 0 }), new Uint8Array(0));
    await assertRejects(() => sendUpload(connection, bytesOf("u"), make(content(10))), TypeError, "The size of an upload");
  });
}

transportTest("sendUpload() of a source with fewer or more bytes than promised fails, and cancels it", async (stage) => {
  const cases = [[MIB, `A stream of ${MIB} bytes ended after 10`], [9, "A stream of 9 bytes gave 10"]] as const;
  for (const [size, text] of cases) {
    const { connection, server: far } = await stage.pair({ handler: receiver });
    let cancelled = false;
    const source = {
      *[Symbol.iterator]() {
        try {
          yield content(10);
        } finally {
          cancelled = true;
        }
      },
    };
    const error = await failureOf(sendUpload(connection, bytesOf("u"), source, { size }));
    assertEquals(error.message, `Failed to send RPC RPC 1 to ${connection.channel.remote}: ${text}`);
    assertEquals(cancelled, true);
    await far.connections(0);
    assertEquals(far.unanswered, 0);
  }
});

transportTest("StreamManager may promise streams and chunks by a promise of another realm or library", async (stage) => {
  const buffer = countedBuffers(stage.test);
  const promised = (size: number): Promise<CountedBuffer> => {
    const inner = size > 0 ? Promise.resolve(buffer(content(size))) : Promise.reject(new RangeError("there is none"));
    const { then } = inner;
    return { then: then.bind(inner) } as Promise<CountedBuffer>;
  };
  const streamManager = {
    openStream: (name: string) => promised(Number(name)),
    getChunk: (_: bigint, index: number) => promised(index),
  };
  const { connection } = await stage.pair({ handler: { ...echo, streamManager } });
  const reads = [
    (size: number) => all(readStream(connection, String(size))),
    (size: number) => all(readChunk(connection, 7n, size)),
  ];
  for (const read of reads) {
    assertEquals(await read(100), content(100));
    assertStringIncludes((await failureOf(read(0))).message, "there is none");
  }
});

transportTest("A buffer of which there is more or less while it is sent gives the bytes that were promised", async (stage) => {
  const buffer = countedBuffers(stage.test);
  let later = 0;
  /** Each look at it is at fewer bytes, or more. */
  const changing = (): CountedBuffer => {
    const bytes = content(3_000_000);
    let looks = 0;
    return Object.defineProperty(buffer(bytes, { inMemory: true }), "bytes", {
      get: () => ++looks < 3 ? bytes : bytes.subarray(0, later),
    });
  };
  const written = (): CountedBuffer => {
    const body = buffer(content(30));
    const read = body.read.bind(body);
    let size = 10;
    return Object.defineProperties(body, {
      size: { get: () => size },
      read: {
        value(position: number, into: Uint8Array) {
          size = later;
          return read(position, into);
        },
      },
    });
  };
  const receiveStream: RpcHandler["receiveStream"] = () => receiveUpload("u", (bytes) => all(bytes));
  const { connection } = await stage.pair({ handler: { ...server(written), receiveStream } });
  for (later of [30, 5]) {
    const sent = [
      all(readStream(connection, "10")),
      all(readChunk(connection, 7n, 10)),
      within(sendUpload(connection, bytesOf("u"), written()), "the upload"),
    ];
    assertEquals(await Promise.all(sent), sent.map(() => content(10)));
    const many = await within(sendUpload(connection, bytesOf("u"), changing()), "the upload out of memory");
    assertEquals(many, content(3_000_000));
    assertEquals(await ask(connection, "still here"), "still here");
  }
});

transportTest("What a buffer's bytes throw fails its stream, chunk or upload, and the buffer is released", async (stage) => {
  const buffer = countedBuffers(stage.test);
  const evicted = (bytes: Uint8Array): CountedBuffer =>
    Object.defineProperty(buffer(bytes), "bytes", {
      get() {
        throw new Error("evicted");
      },
    });
  const { connection } = await stage.pair({ handler: server(evicted) });
  for (const size of [10, 100_000]) {
    const failures = [
      failureOf(all(readStream(connection, String(size)))),
      failureOf(all(readChunk(connection, 7n, size))),
      failureOf(sendUpload(connection, bytesOf("u"), evicted(content(size)))),
    ];
    for (const { message } of await Promise.all(failures)) assertStringIncludes(message, "evicted");
  }
  assertEquals(await ask(connection, "still here"), "still here");
});

transportTest("What a buffer's size throws fails its stream, chunk or upload, and the buffer is released", async (stage) => {
  const buffer = countedBuffers(stage.test);
  const evicted = (): CountedBuffer =>
    Object.defineProperty(buffer(content(10)), "size", {
      get() {
        throw new Error("evicted");
      },
    });
  let give: () => CountedBuffer | Promise<CountedBuffer> = evicted;
  const streamManager = { openStream: () => give(), getChunk: () => give() };
  const mergedBlockMetaReqHandler: RpcHandler["mergedBlockMetaReqHandler"] = {
    receiveMergeBlockMetaReq: (_, __, responder) => responder.onSuccess(1, evicted()),
  };
  const { connection, server } = await stage.pair({ handler: { ...echo, streamManager, mergedBlockMetaReqHandler } });
  const askMeta = () =>
    new Promise((onSuccess, onFailure) => {
      const block = { appId: "app-1", shuffleId: 0, shuffleMergeId: 0, reduceId: 0 };
      connection.sendMergedBlockMetaReq(block, { onSuccess, onFailure });
    });
  for (const found of [evicted, () => Promise.resolve().then(evicted)]) {
    give = found;
    const failures = [
      failureOf(all(readStream(connection, "a"))),
      failureOf(all(readChunk(connection, 7n, 0))),
      failureOf(sendUpload(connection, bytesOf("u"), evicted())),
      failureOf(askMeta()),
    ];
    for (const { message } of await Promise.all(failures)) assertStringIncludes(message, "evicted");
  }
  assertEquals(await ask(connection, "still here"), "still here");
  assertEquals([connection.numOutstandingRequests, server.unanswered], [0, 0]);
});

transportTest("sendUpload() without a size, or with none that can be, cancels its source", async (stage) => {
  const { connection } = await stage.pair({ handler: receiver });
  const cancelled: (number | undefined)[] = [];
  for (const size of [undefined, -1, NaN]) {
    const source = new ReadableStream<Uint8Array>({ cancel: () => void cancelled.push(size) });
    await assertRejects(
      () => sendUpload(connection, bytesOf("u"), source, { size }),
      size === undefined ? TypeError : RangeError,
    );
  }
  assertEquals(cancelled, [undefined, -1, NaN]);
});

transportTest("A source that is waited for is cancelled when its upload is given up, or its connection goes", async (stage) => {
  const events: string[] = [];
  const stalled = () =>
    new ReadableStream<Uint8Array>({
      pull() {
        events.push("wanted");
        return new Promise<void>(() => {});
      },
      cancel: () => void events.push("cancelled"),
    }, { highWaterMark: 0 });
  const handler: Partial<RpcHandler> = {
    ...receiver,
    streamManager: { openStream: () => new StreamManagedBuffer(9, stalled()) },
  };
  const { client, listening } = await stage.pair({ handler });
  const abort = new AbortController();
  const giveUp = () => abort.abort(new Error("enough"));
  const goes = ({ channel }: TransportClient) => channel.abort(new Error("enough"));
  const transfers: [begin: (connection: TransportClient) => Promise<unknown>, end: (connection: TransportClient) => void][] = [
    [(connection) => sendUpload(connection, bytesOf("u"), stalled(), { size: 9, signal: abort.signal }), giveUp],
    [(connection) => sendUpload(connection, bytesOf("u"), stalled(), { size: 9 }), goes],
    [(connection) => all(readStream(connection, "s")), goes],
  ];
  for (const [begin, end] of transfers) {
    const connection = await client.dial(listening);
    const failed = failureOf(begin(connection));
    await until(() => events.length === 1, "the read");
    end(connection);
    await failed;
    // A FIN, as which Deno's sockets tell of it, leaves a body that is being sent a while.
    const isCancelled = () => (stage.clock.advance(100), events.length === 2);
    await until(isCancelled, "the source to be cancelled");
    assertEquals(events.splice(0), ["wanted", "cancelled"]);
  }
});

transportTest("sendUpload() that is given up frees both ends and cancels its source", async (stage) => {
  let failed: unknown;
  const { connection, server: far } = await stage.pair({
    handler: {
      ...echo,
      receiveStream: () =>
        receiveUpload("u", async (stream) => {
          try {
            await all(stream);
          } catch (thrown) {
            failed = thrown;
            throw thrown;
          }
        }),
    },
  });
  const abort = new AbortController();
  let cancelled = false;
  const begun = deferred();
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(content(100_000));
      begun.resolve();
    },
    cancel: () => void (cancelled = true),
  });
  const uploading = failureOf(sendUpload(connection, bytesOf("u"), source, { size: 1e12, signal: abort.signal }));
  await begun.promise;
  await until(() => far.unanswered === 1, "the upload to begin");
  abort.abort(new RangeError("enough"));
  assertEquals((await uploading).message, "enough");
  await far.connections(0);
  await until(() => cancelled && failed !== undefined, "both ends to hear of it");
  assertInstanceOf(failed, Error);
  assertEquals([connection.numOutstandingRequests, far.unanswered], [0, 0]);
});

transportTest(
  "sendUpload() whose time is up leaves no timer for the others on its connection, which end with it",
  async (stage) => {
    const { connection, client, server: far } = await stage.pair({ handler: receiver });
    const source = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(content(10)) });
    const uploading = failureOf(sendUpload(connection, bytesOf("u"), source, { size: 20, timeoutMs: 100 }));
    const patient = failureOf(askRpc(connection, bytesOf("x"), { timeoutMs: 600_000 }));
    await until(() => far.unanswered === 1, "the upload to begin");
    stage.clock.advance(100);
    assertEquals([(await uploading).name, (await patient).name], ["RpcTimeoutError", "RpcError"]);
    await client.connections(0);
    assertEquals(stage.clock.timers.filter((dueAt) => dueAt >= 600_000), []);
  },
);

transportTest("sendUpload() that is given up after all was sent keeps the connection", async (stage) => {
  const gate = deferred();
  const { connection, server: far } = await stage.pair({
    handler: { ...echo, receiveStream: () => receiveUpload("u", () => gate.promise) },
  });
  const abort = new AbortController();
  const data = new CountedBuffer(content(100_000));
  const uploading = failureOf(sendUpload(connection, bytesOf("u"), data, { signal: abort.signal }));
  await until(() => data.frees === 1 && far.unanswered === 1, "all to be sent");
  abort.abort(new RangeError("enough"));
  assertEquals([(await uploading).message, connection.numOutstandingRequests], ["enough", 0]);
  gate.resolve();
  assertEquals(await ask(connection, "still here"), "still here");
  await until(() => far.unanswered === 0, "the answer that nobody waits for");
});

transportTest(
  "receiveUpload() that is content with less lets the rest pass, and one that fails ends the upload",
  async (stage) => {
    let fails = false;
    const { connection } = await stage.pair({
      handler: {
        ...echo,
        receiveStream: () =>
          receiveUpload("u", async (stream) => {
            const reader = stream.getReader();
            await reader.read();
            if (fails) throw new RangeError("disk is full");
            return bytesOf("that will do");
          }),
      },
    });
    const answer = await sendUpload(connection, bytesOf("u"), new CountedBuffer(content(20 * MIB)));
    assertEquals(new TextDecoder().decode(answer), "that will do");
    fails = true;
    const error = await failureOf(sendUpload(connection, bytesOf("u"), new CountedBuffer(content(20 * MIB))));
    assertEquals(error.message, "Destination failed while reading stream: disk is full");
    await until(() => !connection.isActive, "the connection to be closed");
  },
);

test("StreamManagedBuffer reads on in pieces of any size, and is released once", async () => {
  const buffer = new StreamManagedBuffer(1_000, SOURCES["an AsyncIterable"]!(content(1_000)));
  const all = new Uint8Array(1_000);
  let at = 0;
  for (const size of [1, 300, 0, 5_000]) {
    const count = await buffer.read(at, all.subarray(at, at + size));
    at += count;
  }
  assertEquals([at, all], [1_000, content(1_000)]);
  assertEquals(await buffer.read(at, new Uint8Array(1)), 0);
  buffer.retain().release();
  buffer.release();
  await assertRejects(() => buffer.read(at, new Uint8Array(1)), Error, "A stream was read after its release");
});

test("StreamManagedBuffer says what is wrong with its source", async () => {
  const into = new Uint8Array(10);
  const failing = async function* (): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(new Uint8Array(0));
    throw new RangeError("tape is torn");
  };
  const text = "Error in reading a stream of 5 bytes: tape is torn";
  await assertRejects(() => new StreamManagedBuffer(5, failing()).read(0, into), RpcError, text);
  const words = ["text"] as unknown as Uint8Array[];
  await assertRejects(() => new StreamManagedBuffer(5, words).read(0, into), RpcError, "gave something that is no Uint8Array");
  for (const size of [-1, 1.5, NaN]) {
    let thrown: unknown;
    try {
      new StreamManagedBuffer(size, []);
    } catch (error) {
      thrown = error;
    }
    assertInstanceOf(thrown, RangeError);
  }
});

test("receiveUpload() holds back a sender of single bytes long before there is a megabyte of them", async () => {
  const flow = {
    calls: [] as string[],
    pause: () => void flow.calls.push("pause"),
    resume: () => void flow.calls.push("resume"),
  };
  const goOn = deferred();
  const count = 4_096;
  const upload = receiveUpload("drops", async (stream) => {
    await goOn.promise;
    assertEquals((await all(stream)).length, count);
  });
  upload.onStart?.("drops", count);
  for (let i = 0; i < count; i++) upload.onData("drops", new Uint8Array(1), true, flow);
  assertEquals(flow.calls.at(-1), "pause");
  goOn.resolve();
  await within(Promise.resolve(upload.onComplete("drops")), "the end");
});
