/**
 * Cases of the socket suite about bytes: order, integrity, the write queue's marks, pausing, and whose memory is whose.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { seededRandom } from "../../src/base/random.ts";
import { fillWithSequence, type Peer } from "./_peer.ts";
import { type Pair, socketCase, type SocketSuiteOptions, type Stage } from "./_stage.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** More than the buffers of a kernel take: to a peer that does not read, some of it stays queued. */
const MORE_THAN_BUFFERS = 24 * MIB;

/** Registers the cases. */
export function flowCases(suite: SocketSuiteOptions): void {
  socketCase(suite, "Socket.write() sends its chunks in order and leaves empty ones out", async (stage) => {
    const { client, server } = await stage.pair();
    assert(client.write([]));
    assert(client.write([new Uint8Array(0)]));
    for (const size of [1, 2, 3, 1000, 65_536]) client.send(5 * size, size);
    await allArrives(stage, client, server);
    server.send(10, 1);
    await allArrives(stage, server, client);
  });

  socketCase(suite, "Socket.write() in attach is sent", async (stage) => {
    const hooks = { attach: (peer: Peer) => void peer.send(100, 10) };
    const { client, server } = await stage.pair({ client: { hooks }, server: { hooks } });
    await allArrives(stage, client, server);
    await allArrives(stage, server, client);
  });

  for (const from of ["client", "server"] as const) {
    socketCase(suite, `Socket.write() of 16 MiB in random sizes by the ${from} reaches a reader that pauses`, (stage) => {
      return sendInRandomSizes(stage, from);
    });
    socketCase(suite, `Socket.queuedBytes of the ${from} tells when a chunk's memory may be used again`, (stage) => {
      return reuseMemory(stage, from);
    });
  }

  socketCase(suite, "Socket.write() by both ends at once finishes", async (stage) => {
    const hooks = () => ({ onDrain: sendOn(8 * MIB, () => 100_000) });
    const { client, server } = await stage.pair({ client: { hooks: hooks() }, server: { hooks: hooks() } });
    sendOn(8 * MIB, () => 100_000)(client);
    sendOn(8 * MIB, () => 100_000)(server);
    await stage.until(client, "all bytes", () => client.receivedBytes >= 8 * MIB);
    await stage.until(server, "all bytes", () => server.receivedBytes >= 8 * MIB);
  });

  socketCase(suite, "Socket.write() returns false from the mark on and onDrain comes once, below half of it", async (stage) => {
    const mark = 1 * MIB;
    let queuedAtDrain = -1;
    const hooks = { onDrain: (peer: Peer) => void (queuedAtDrain = peer.socket.queuedBytes) };
    const { client, server } = await stage.pair({ client: { hooks, options: { highWaterMarkBytes: mark } } });
    server.pause();
    assert(client.send(1));
    assert(!client.send(MORE_THAN_BUFFERS, 256 * KIB));
    assert(!client.send(1));
    assert(client.socket.queuedBytes >= mark);
    await stage.letPass();
    assertEquals(client.drains, 0);
    server.resume();
    await stage.until(client, "onDrain", () => client.drains > 0);
    assert(queuedAtDrain >= 0 && queuedAtDrain * 2 < mark, `${queuedAtDrain} bytes are queued at the drain`);
    await allArrives(stage, client, server);
    await stage.until(client, "an empty queue", () => client.socket.queuedBytes === 0);
    assertEquals(client.drains, 1);
  });

  socketCase(suite, "Socket.write() puts what it is given behind what waits, empty chunks as well", async (stage) => {
    let more = 200;
    // There is room again then, of which the driver may not have heard.
    const hooks = { onData: () => void (more-- > 0 && client.send(1_000)) };
    const { client, server } = await stage.pair({ server: { hooks } });
    server.pause();
    client.send(MORE_THAN_BUFFERS, 256 * KIB);
    client.write([new Uint8Array(0)]);
    server.resume();
    await allArrives(stage, client, server);
    client.shutdown();
    await stage.until(server, "the end", () => server.hasEnded);
  });

  socketCase(suite, "Socket.write() above maxQueuedBytes aborts the socket with QUEUE_OVERFLOW", async (stage) => {
    const { client, server } = await stage.pair({ client: { options: { maxQueuedBytes: 2 * MIB } } });
    server.pause();
    let most = 0;
    for (let i = 0; i < MORE_THAN_BUFFERS; i += 64 * KIB) {
      client.send(64 * KIB);
      most = Math.max(most, client.socket.queuedBytes);
    }
    assertEquals(client.events, []);
    await stage.untilClosed(client);
    assertEquals([client.error?.socketCode, client.events], ["QUEUE_OVERFLOW", ["close", "closed"]]);
    assert(most <= 2 * MIB, `${most} bytes were queued`);
    assert(!client.write([new Uint8Array(1)]));
    server.resume();
    await stage.until(server, "the end", () => server.hasEnded || server.isClosed);
  });

  pauseCases(suite);
  memoryCases(suite);
}

function pauseCases(suite: SocketSuiteOptions): void {
  socketCase(suite, "Socket.pause() holds back all bytes until resume()", async (stage) => {
    const { client, server } = await stage.pair();
    server.pause();
    server.pause();
    client.send(1000);
    await stage.letPass();
    assertEquals(server.events, []);
    server.resume();
    server.resume();
    await allArrives(stage, client, server);
    server.pause();
    server.resume();
    client.send(1000);
    await allArrives(stage, client, server);
  });

  socketCase(suite, "Socket.pause() right after resume() still holds the sender back", async (stage) => {
    const { client, server } = await stage.pair();
    server.pause();
    server.resume();
    server.pause();
    client.send(MORE_THAN_BUFFERS, 256 * KIB);
    for (let before = Infinity; client.socket.queuedBytes < before;) {
      before = client.socket.queuedBytes;
      await stage.letPass();
    }
    assert(client.socket.queuedBytes > 0, "all bytes have left for a reader that takes none");
    server.resume();
    await allArrives(stage, client, server);
  });

  socketCase(suite, "Socket.pause() in attach holds back the first bytes", async (stage) => {
    const hooks = { attach: (peer: Peer) => peer.pause() };
    const { client, server } = await stage.pair({ client: { hooks }, server: { hooks } });
    client.send(10);
    server.send(10);
    await stage.letPass();
    assertEquals([client.events, server.events], [[], []]);
    client.resume();
    server.resume();
    await allArrives(stage, client, server);
    await allArrives(stage, server, client);
  });

  for (const reader of ["client", "server"] as const) {
    socketCase(suite, `Socket.pause() in each onData of the ${reader} loses neither bytes nor the end`, async (stage) => {
      const hooks = { onData: (peer: Peer) => peer.pause() };
      const pair = await stage.pair({ [reader]: { hooks } });
      const { from, to } = ends(pair, reader === "client" ? "server" : "client");
      from.send(1 * MIB, 10_000);
      from.shutdown();
      for (let seen = 0; seen < from.sentBytes; seen = to.receivedBytes) {
        await stage.until(to, "more bytes", () => to.receivedBytes > seen);
        if (to.receivedBytes % 8 === 0) await stage.letPass();
        to.resume();
      }
      await stage.until(to, "the end", () => to.hasEnded);
    });
  }

  socketCase(suite, "Socket.abort() while paused closes at once", async (stage) => {
    const { client, server } = await stage.pair();
    server.pause();
    client.send(100);
    await stage.letPass();
    server.abort();
    server.resume();
    await stage.untilClosed(server);
    assertEquals(server.events, ["close", "closed"]);
  });
}

function memoryCases(suite: SocketSuiteOptions): void {
  for (const reader of ["client", "server"] as const) {
    socketCase(suite, `SocketHandler.allocate() of the ${reader} gets its bytes in place or not at all`, async (stage) => {
      const memory = new Uint8Array(4 * MIB);
      let inPlace = 0;
      const hooks = {
        // Now and then it has none to give, as a decoder that waits for a small frame.
        allocate: (peer: Peer) => peer.receivedBytes % 5 === 0 ? undefined : memory.subarray(peer.receivedBytes),
        onData: (peer: Peer, chunk: Uint8Array) => {
          if (peer.receivedBytes % 3 === 0 && peer.receivedBytes < memory.length) {
            peer.pause();
            stage.letPass().then(() => peer.resume());
          }
          if (chunk.buffer !== memory.buffer) return;
          inPlace += chunk.length;
          assertEquals(chunk.byteOffset + chunk.length, peer.receivedBytes);
        },
      };
      const pair = await stage.pair({ [reader]: { hooks } });
      const { from, to } = ends(pair, reader === "client" ? "server" : "client");
      from.send(4 * MIB, 50_000);
      from.shutdown();
      await stage.until(to, "the end", () => to.hasEnded);
      assertEquals(to.receivedBytes, 4 * MIB);
      assert(inPlace <= 4 * MIB);
      const { name } = reader === "client" ? stage.dialler : suite.driver;
      if (name === "deno" || name === "sim" || (name === "node" && reader === "client")) assert(inPlace > 0);
    });
  }

  if (suite.driver.name === "bun" || suite.driver.name === "node") {
    socketCase(
      suite,
      "SocketHandler.onData() of an accepted socket may keep each chunk, so that nobody copies it",
      async (stage) => {
        const all: boolean[] = [];
        const hooks = { onData: (_peer: Peer, _chunk: Uint8Array, owned: boolean) => void all.push(owned) };
        const { client, server } = await stage.pair({ server: { hooks } });
        client.send(100_000);
        await allArrives(stage, client, server);
        assert(all.every((owned) => owned));
      },
    );
  }

  socketCase(suite, "SocketHandler.onData() with owned memory may keep it", async (stage) => {
    const { client, server } = await stage.pair();
    for (let i = 0; i < 40; i++) {
      client.send(100 + i);
      server.send(100 + i);
      await allArrives(stage, client, server);
      await allArrives(stage, server, client);
    }
    // What was kept is compared at the end of the case.
    assertEquals(client.receivedBytes, server.receivedBytes);
  });
}

/** Which end sends and which receives. */
function ends({ client, server }: Pair, from: "client" | "server"): { readonly from: Peer; readonly to: Peer } {
  return from === "client" ? { from: client, to: server } : { from: server, to: client };
}

async function allArrives(stage: Stage, from: Peer, to: Peer): Promise<void> {
  await stage.until(to, `${from.sentBytes} bytes`, () => to.receivedBytes === from.sentBytes);
}

/** Goes on sending until `total` bytes are sent or the queue is full; also what onDrain does. */
function sendOn(total: number, size: () => number): (peer: Peer) => void {
  return (peer) => {
    while (peer.sentBytes < total) if (!peer.send(Math.min(size(), total - peer.sentBytes))) return;
  };
}

async function sendInRandomSizes(stage: Stage, sender: "client" | "server"): Promise<void> {
  const total = 16 * MIB;
  const largest = 200_000;
  const random = seededRandom(2);
  const send = sendOn(total, () => 1 + Math.floor(random() * random() * random() * largest));
  const sends = { onDrain: send };
  let mostQueued = 0;
  let pauses = 0;
  const reads = {
    onData: (peer: Peer) => {
      if (random() > 0.2) return;
      peer.pause();
      pauses++;
    },
  };
  const hooks = { [sender]: { hooks: sends }, [sender === "client" ? "server" : "client"]: { hooks: reads } };
  const { from, to } = ends(await stage.pair(hooks), sender);
  send(from);
  for (let resumed = 0; to.receivedBytes < total;) {
    mostQueued = Math.max(mostQueued, from.socket.queuedBytes);
    await stage.until(to, "a pause or the last byte", () => pauses > resumed || to.receivedBytes === total);
    if (resumed % 16 === 0) await stage.letPass();
    resumed = pauses;
    to.resume();
  }
  assert(mostQueued <= 64 * KIB + largest, `${mostQueued} bytes were queued by a sender that waits for onDrain`);
}

/** Writes from three buffers, each filled anew once `written - queuedBytes` says that it has left. */
async function reuseMemory(stage: Stage, sender: "client" | "server"): Promise<void> {
  const total = 12 * MIB;
  const pool = [1, 2, 3].map((n) => ({ memory: new Uint8Array(n * 40_000), end: 0 }));
  let reuses = 0;
  const send = (peer: Peer) => {
    for (;;) {
      const left = peer.sentBytes - peer.socket.queuedBytes;
      const free = pool.find(({ end }) => end <= left);
      if (free === undefined || peer.sentBytes >= total) return;
      if (free.end > 0) reuses++;
      fillWithSequence(free.memory, peer.sentBytes);
      peer.sentBytes += free.memory.length;
      free.end = peer.sentBytes;
      peer.write([free.memory]);
    }
  };
  // A low mark, so that onDrain comes whenever a buffer is stuck.
  const end = { hooks: { onDrain: send }, options: { highWaterMarkBytes: 1 } };
  const { from, to } = ends(await stage.pair({ [sender]: end }), sender);
  to.pause();
  send(from);
  await stage.letPass();
  to.resume();
  await stage.until(to, "all bytes", () => to.receivedBytes >= total);
  assert(reuses > 10, `buffers were used again ${reuses} times`);
}
