import { assert, assertEquals, assertThrows } from "@std/assert";
import { OneForOneStreamManager } from "../../src/block/one_for_one_stream_manager.ts";
import { OpenedBlocks } from "../../src/block/opened_blocks.ts";
import { RpcError } from "../../src/base/errors.ts";
import type { TransportClient } from "../../src/transport/transport_client.ts";
import { untilCollected } from "../_garbage.ts";
import { test, until } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";
import { CountedBuffer } from "../_counted_buffer.ts";

/** What the manager asks of a connection. */
function clientOf(clientId?: string, isActive = true): TransportClient {
  const parts: Pick<TransportClient, "clientId" | "isActive"> = { clientId, isActive };
  return parts as TransportClient;
}

function buffers(count: number): CountedBuffer[] {
  return Array.from({ length: count }, (_, i) => new CountedBuffer(Uint8Array.of(i)));
}

function released(all: readonly CountedBuffer[]): number[] {
  return all.map(({ frees }) => frees);
}

// Spark: OneForOneStreamManagerSuite "testMissingChunk"
test("OneForOneStreamManager.getChunk() gives nothing for a chunk that is missing, and the others", () => {
  const manager = new OneForOneStreamManager();
  const [first, , third, fourth] = buffers(4);
  const client = clientOf();
  const streamId = manager.registerStream("appId", [first, undefined, third, fourth], { client });
  assertEquals(manager.numStreamStates, 1);
  assertEquals([manager.getChunk(streamId, 0), manager.getChunk(streamId, 1), manager.getChunk(streamId, 2)], [
    first,
    undefined,
    third,
  ]);
  manager.connectionTerminated(client);
  assertEquals([first!.frees, third!.frees, fourth!.frees, manager.numStreamStates], [0, 0, 1, 0]);
});

// Spark: OneForOneStreamManagerSuite "managedBuffersAreFreedWhenConnectionIsClosed"
test("OneForOneStreamManager.connectionTerminated() releases the chunks that were not asked for", () => {
  const manager = new OneForOneStreamManager();
  const client = clientOf();
  const all = buffers(2);
  manager.registerStream("appId", all, { client });
  assertEquals(manager.numStreamStates, 1);
  manager.connectionTerminated(client);
  assertEquals([released(all), manager.numStreamStates], [[1, 1], 0]);
  manager.connectionTerminated(client);
  assertEquals(released(all), [1, 1]);
});

test("OneForOneStreamManager forgets a stream once, also where its last chunk cannot be had, or its iterator ends the connection", () => {
  const manager = new OneForOneStreamManager();
  const client = clientOf();
  const iterator = (left: number, next: () => CountedBuffer) => ({ hasNext: () => left > 0, next: () => (left--, next()) });
  const throwing = iterator(1, () => {
    throw new Error("evicted");
  });
  const streamId = manager.registerStream("appId", throwing);
  assertThrows(() => manager.getChunk(streamId, 0), Error, "evicted");
  assertEquals(manager.numStreamStates, 0);

  const made = buffers(3);
  const ending = iterator(3, () => {
    const chunk = made.shift()!;
    if (made.length === 1) manager.connectionTerminated(client);
    return chunk;
  });
  const [first, second, third] = made;
  const other = manager.registerStream("appId", ending, { client });
  assertEquals(manager.getChunk(other, 0), first);
  manager.chunkBeingSent(other);
  assertEquals([manager.getChunk(other, 1), third!.frees, second!.frees], [second, 1, 0]);
  assertEquals([manager.numStreamStates, manager.chunksBeingTransferred()], [0, 0]);
});

test("OneForOneStreamManager releases chunks that another library's promises bring", async () => {
  const manager = new OneForOneStreamManager();
  const client = clientOf();
  const all = buffers(2);
  const promised = all.map((buffer) => {
    const promise = Promise.resolve(buffer);
    const like: unknown = { then: promise.then.bind(promise) };
    return like as Promise<CountedBuffer>;
  });
  manager.registerStream("appId", promised, { client });
  manager.connectionTerminated(client);
  await until(() => all.every(({ frees }) => frees === 1), "the release");
});

test("OneForOneStreamManager.streamRefused() releases what there is of the stream, if it is the connection's own", () => {
  const manager = new OneForOneStreamManager();
  const [client, other] = [clientOf(), clientOf()];
  const [own, named, others, anybodys] = [buffers(3), buffers(2), buffers(1), buffers(1)];
  const streamId = manager.registerStream("appId", own, { client });
  const namedId = manager.registerStream("appId", named, { client });
  const othersId = manager.registerStream("appId", others, { client: other });
  const anybodysId = manager.registerStream("appId", anybodys);
  assertEquals(manager.getChunk(streamId, 0), own[0]);
  const refused = [streamId, streamId, `${namedId}_1`, othersId, anybodysId, -1n, "no chunk"];
  for (const stream of refused) manager.streamRefused(client, stream);
  assertEquals([own, named, others, anybodys].map(released), [[0, 1, 1], [1, 1], [0], [0]]);
  assertEquals(manager.numStreamStates, 2);
});

// Spark: OneForOneStreamManagerSuite "streamStatesAreFreedWhenConnectionIsClosedEvenIfBufferIteratorThrowsException"
test("OneForOneStreamManager.connectionTerminated() forgets all streams even if some cannot be released", () => {
  const logger = new MemoryLogger();
  const manager = new OneForOneStreamManager({ logger });
  const client = clientOf();
  const failing = (text: string, where: "hasNext" | "next") => ({
    hasNext() {
      if (where === "hasNext") throw new RangeError(text);
      return true;
    },
    next() {
      throw new RangeError(text);
    },
  });
  const all = buffers(2);
  manager.registerStream("appId", failing("first", "hasNext"), { client });
  manager.registerStream("appId", failing("second", "next"), { client });
  manager.registerStream("appId", all, { client });
  assertEquals(manager.numStreamStates, 3);
  assertThrows(() => manager.connectionTerminated(client), RangeError, "first");
  assertEquals([released(all), manager.numStreamStates], [[1, 1], 0]);
  assert(logger.has("Exception trying to release remaining StreamState buffers (second)"));
});

test("OneForOneStreamManager.connectionTerminated() leaves the streams of other connections alone", () => {
  const manager = new OneForOneStreamManager();
  const gone = clientOf();
  const all = [buffers(2), buffers(2), buffers(2)];
  const [, other, unbound] = [gone, clientOf(), undefined].map((client, i) =>
    manager.registerStream("app", all[i]!, { client })
  );
  manager.connectionTerminated(gone);
  assertEquals([all.map(released), manager.numStreamStates], [[[1, 1], [0, 0], [0, 0]], 2]);
  assertEquals([manager.getChunk(other!, 0), manager.getChunk(unbound!, 0)], [all[1]![0], all[2]![0]]);
});

/** How many entries of maps and sets are visited while `run` runs. */
function visitedBy(run: () => void): number {
  let visited = 0;
  const restore = [Map.prototype, Set.prototype].map((prototype: { [Symbol.iterator](): Iterator<unknown> }) => {
    const iterate = prototype[Symbol.iterator];
    prototype[Symbol.iterator] = function* (this: unknown) {
      const each = Reflect.apply(iterate, this, []);
      for (let { done, value } = each.next(); done !== true; { done, value } = each.next()) {
        visited++;
        yield value;
      }
    };
    return () => prototype[Symbol.iterator] = iterate;
  });
  try {
    run();
  } finally {
    for (const each of restore) each();
  }
  return visited;
}

test("OneForOneStreamManager.connectionTerminated() does not look through the streams of other connections", () => {
  const manager = new OneForOneStreamManager();
  const [client, gone] = [clientOf(), clientOf()];
  for (let i = 0; i < 1_000; i++) manager.registerStream(undefined, buffers(1), { client });
  for (let i = 0; i < 3; i++) manager.registerStream(undefined, buffers(1), { client: gone });
  assertEquals(visitedBy(() => manager.connectionTerminated(gone)), 3);
  assertEquals(visitedBy(() => manager.connectionTerminated(gone)), 0);
  assertEquals(manager.numStreamStates, 1_000);
});

test("OneForOneStreamManager.connectionTerminated() releases the chunks behind one that cannot be released", () => {
  const logger = new MemoryLogger();
  const manager = new OneForOneStreamManager({ logger });
  const client = clientOf();
  const all = buffers(4);
  for (const [index, text] of [[0, "first"], [2, "second"]] as const) {
    all[index]!.release = () => {
      throw new RangeError(text);
    };
  }
  manager.registerStream("appId", all, { client });
  assertThrows(() => manager.connectionTerminated(client), RangeError, "first");
  assertEquals([released(all), manager.numStreamStates], [[0, 1, 0, 1], 0]);
  assert(logger.has("Exception trying to release remaining StreamState buffers (second)"));
});

// Spark: OneForOneStreamManagerSuite "streamStatesAreFreeOrNotWhenConnectionIsClosed"
test("OneForOneStreamManager.connectionTerminated() leaves chunks alone that are made when they are asked for", () => {
  const manager = new OneForOneStreamManager();
  const client = clientOf();
  const made: CountedBuffer[] = [];
  const lazy = {
    hasNext: () => made.length < 2,
    next() {
      const [buffer] = buffers(1);
      made.push(buffer!);
      return buffer;
    },
  };
  const all = buffers(2);
  manager.registerStream("appId", lazy, { client, materializedOnNext: true });
  manager.registerStream("appId", all, { client });
  manager.connectionTerminated(client);
  assertEquals([made, released(all), manager.numStreamStates], [[], [1, 1], 0]);
});

// Spark: OneForOneStreamManagerSuite "testStreamRequestAuthorization"
test("OneForOneStreamManager.checkAuthorization() lets nobody have another application's streams, as chunks or by name", () => {
  const manager = new OneForOneStreamManager({ random: () => 0 });
  const streamId = manager.registerStream("app1", buffers(2));
  assertEquals(streamId, 0n);
  for (const id of [streamId, OneForOneStreamManager.genStreamChunkId(streamId, 0)]) {
    manager.checkAuthorization(clientOf("app1"), id);
    // Without authentication nobody knows who it is.
    manager.checkAuthorization(clientOf(undefined), id);
    const text = "Client app2 not authorized to read stream 0 (app app1).";
    assertEquals(assertThrows(() => manager.checkAuthorization(clientOf("app2"), id), RpcError, text).code, "AUTH");
  }
  const nobodys = manager.registerStream(undefined, buffers(2));
  assertThrows(() => manager.checkAuthorization(clientOf("app1"), nobodys), RpcError, "not authorized to read stream 1");
  for (const id of [77n, "77_0"]) {
    const { code } = assertThrows(() => manager.checkAuthorization(clientOf("app1"), id), RpcError, "Unknown stream ID.");
    assertEquals(code, "AUTH");
    manager.checkAuthorization(clientOf(undefined), id);
  }
});

test("OneForOneStreamManager.checkAuthorization() lets nobody have the streams that another connection has opened", () => {
  const manager = new OneForOneStreamManager();
  const [client, other] = [clientOf(), clientOf()];
  const streamId = manager.registerStream(undefined, buffers(1), { client });
  const text = `Stream ${streamId} was opened over another connection.`;
  for (const stream of [streamId, OneForOneStreamManager.genStreamChunkId(streamId, 0)]) {
    assertEquals(assertThrows(() => manager.checkAuthorization(other, stream), RpcError, text).code, "AUTH");
    manager.checkAuthorization(client, stream);
  }
  // One that was registered for no connection is anybody's.
  manager.checkAuthorization(other, manager.registerStream(undefined, buffers(1)));
});

test("OneForOneStreamManager.getChunk() gives each chunk once, in order", () => {
  const manager = new OneForOneStreamManager();
  const all = buffers(3);
  const streamId = manager.registerStream("app", all);
  const outOfOrder = (index: number, expected: number) =>
    assertThrows(
      () => manager.getChunk(streamId, index),
      RpcError,
      `Received out-of-order chunk index ${index} (expected ${expected})`,
    );
  outOfOrder(1, 0);
  outOfOrder(-1, 0);
  assertEquals(manager.getChunk(streamId, 0), all[0]);
  outOfOrder(0, 1);
  assertEquals(manager.openStream(`${streamId}_1`), all[1]);
  assertEquals(manager.getChunk(streamId, 2), all[2]);
  const text = `Requested chunk not available since streamId ${streamId} is closed`;
  assertThrows(() => manager.getChunk(streamId, 3), RpcError, text);
  assertEquals(manager.numStreamStates, 0);
  const empty = manager.registerStream("app", []);
  assertThrows(() => manager.getChunk(empty, 0), RpcError, "Requested chunk index beyond end 0");
});

test("OneForOneStreamManager.parseStreamChunkId() takes what genStreamChunkId() makes, and nothing else", () => {
  for (const [streamId, index] of [[0n, 0], [123_000n, 7], [-5n, 2_147_483_647], [2n ** 63n - 1n, -1]] as const) {
    const parsed = OneForOneStreamManager.parseStreamChunkId(OneForOneStreamManager.genStreamChunkId(streamId, index));
    assertEquals([parsed.streamId, parsed.chunkIndex], [streamId, index]);
  }
  for (
    const text of [
      "",
      "1",
      "_",
      "1_",
      "_1",
      "1_2_3",
      "a_1",
      "1_b",
      "1.5_0",
      " 1_0",
      "1_0\n",
      "9".repeat(50) + "_0",
      "/files/x_1",
    ]
  ) {
    assertThrows(
      () => OneForOneStreamManager.parseStreamChunkId(text),
      RpcError,
      "Stream id and chunk index should be specified.",
    );
  }
});

test("OneForOneStreamManager.chunksBeingTransferred() counts the chunks of streams that have more", () => {
  const manager = new OneForOneStreamManager();
  const client = clientOf();
  const first = manager.registerStream("app", buffers(3), { client });
  const second = manager.registerStream("app", buffers(2));
  manager.chunkBeingSent(first);
  manager.streamBeingSent(`${first}_1`);
  manager.chunkBeingSent(second);
  manager.chunkBeingSent(99n);
  assertEquals(manager.chunksBeingTransferred(), 3);
  manager.chunkSent(first);
  manager.chunkSent(99n);
  assertEquals(manager.chunksBeingTransferred(), 2);
  manager.streamSent(`${first}_1`);
  assertEquals(manager.chunksBeingTransferred(), 1);
  manager.streamBeingSent(`${first}_2`);
  manager.getChunk(second, 0);
  manager.getChunk(second, 1);
  assertEquals(manager.chunksBeingTransferred(), 1);
  manager.streamSent(`${second}_1`);
  manager.connectionTerminated(client);
  assertEquals(manager.chunksBeingTransferred(), 0);
});

test("OneForOneStreamManager begins its numbers at a thousandfold by chance, and counts up", () => {
  const manager = new OneForOneStreamManager({ random: () => 0.5 });
  assertEquals(manager.registerStream("a", []), 1_073_741_823_000n);
  assertEquals(manager.registerStream("a", []), 1_073_741_823_001n);
});

test("OneForOneStreamManager.registerStream() for a connection that has gone keeps nothing", () => {
  const manager = new OneForOneStreamManager();
  const all = buffers(2);
  manager.registerStream("app", all, { client: clientOf(undefined, false) });
  assertEquals([released(all), manager.numStreamStates], [[1, 1], 0]);
});

test("OneForOneStreamManager.connectionTerminated() releases chunks that are still being found", async () => {
  const logger = new MemoryLogger();
  const manager = new OneForOneStreamManager({ logger });
  const client = clientOf();
  const [buffer] = buffers(1);
  manager.registerStream("app", [Promise.resolve(buffer), Promise.reject(new Error("gone")), undefined], { client });
  manager.connectionTerminated(client);
  for (let i = 0; i < 10; i++) await Promise.resolve();
  assertEquals(buffer!.frees, 1);
  assertEquals(logger.lines, ["error: Exception trying to release remaining StreamState buffers (gone)"]);
});

test("OneForOneStreamManager keeps no chunk that it has handed out, though there are others", async () => {
  const manager = new OneForOneStreamManager();
  const chunks: WeakRef<object>[] = [];
  const take = (register: (all: CountedBuffer[]) => bigint): void => {
    const all = buffers(3);
    for (const chunk of all.slice(0, 2)) chunks.push(new WeakRef(chunk));
    const streamId = register(all);
    manager.getChunk(streamId, 0);
    manager.getChunk(streamId, 1);
  };
  take((all) => manager.registerStream("appId", [...all]));
  take((all) => manager.registerStream("appId", new OpenedBlocks(all, () => {})));
  await untilCollected(chunks, "the chunks");
  assertEquals([chunks.length, manager.numStreamStates], [4, 2]);
});

test("OneForOneStreamManager.connectionTerminated() releases the chunks of a stream beside one that has been read", () => {
  const manager = new OneForOneStreamManager();
  const client = clientOf();
  const [read, left] = [buffers(1), buffers(2)];
  const streamId = manager.registerStream("appId", read, { client });
  manager.registerStream("appId", left, { client });
  manager.getChunk(streamId, 0);
  manager.connectionTerminated(client);
  assertEquals([released(read), released(left), manager.numStreamStates], [[0], [1, 1], 0]);
});

test("OneForOneStreamManager keeps no connection whose streams have been read", async () => {
  const manager = new OneForOneStreamManager();
  const clients: WeakRef<object>[] = [];
  const read = (): void => {
    const client = clientOf();
    clients.push(new WeakRef(client));
    manager.getChunk(manager.registerStream("appId", buffers(1), { client }), 0);
    manager.connectionTerminated(client);
  };
  read();
  await untilCollected(clients, "the connection");
  assertEquals(manager.numStreamStates, 0);
});
