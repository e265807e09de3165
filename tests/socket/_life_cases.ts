/**
 * Cases of the socket suite about the life of a connection: the order of callbacks, half-close, abort, and handlers that throw.
 *
 * @module
 */

import { assert, assertEquals, assertInstanceOf, assertRejects, assertStrictEquals } from "@std/assert";
import { SocketError } from "../../src/socket/socket.ts";
import type { Peer, PeerHooks } from "./_peer.ts";
import { socketCase, type SocketSuiteOptions, type Stage } from "./_stage.ts";

/** Registers the cases. */
export function lifeCases(suite: SocketSuiteOptions): void {
  socketCase(suite, "Socket says where both ends are and whether it is secure", async (stage) => {
    const { client, server } = await stage.pair();
    assertEquals(client.socket.remoteAddress, server.socket.localAddress);
    assertEquals(server.socket.remoteAddress, client.socket.localAddress);
    assertEquals([client.socket.secure, server.socket.secure], [suite.tls !== undefined, suite.tls !== undefined]);
    assertEquals([client.events, server.events], [[], []]);
  });

  halfCloseCases(suite);
  closedCases(suite);
  abortCases(suite);
  throwCases(suite);
}

function halfCloseCases(suite: SocketSuiteOptions): void {
  for (const first of ["client", "server"] as const) {
    socketCase(suite, `Socket.shutdown() of the ${first} leaves the other direction open`, async (stage) => {
      const { client, server } = await stage.pair();
      const [one, other] = first === "client" ? [client, server] : [server, client];
      one.send(100);
      one.shutdown();
      one.shutdown();
      await stage.until(other, "the end", () => other.hasEnded);
      assertEquals([other.events, other.receivedBytes], [["data", "end"], 100]);
      other.send(1_000_000, 10_000);
      await stage.until(one, "the answer", () => one.receivedBytes === 1_000_000);
      assertEquals(one.hasEnded, false);
      other.send(5);
      other.shutdown();
      await stage.untilClosed(one, other);
      assertEquals([one.error, other.error], [undefined, undefined]);
      assertEquals(one.receivedBytes, 1_000_005);
      assertEquals(one.events.filter((name) => name !== "drain"), ["data", "end", "close", "closed"]);
      assertEquals(other.events.filter((name) => name !== "drain"), ["data", "end", "close", "closed"]);
    });
  }

  socketCase(suite, "Socket.shutdown() of both ends at once closes without error", async (stage) => {
    const { client, server } = await stage.pair();
    client.shutdown();
    server.shutdown();
    await stage.untilClosed(client, server);
    for (const peer of [client, server]) assertEquals([peer.events, peer.error], [["end", "close", "closed"], undefined]);
  });

  socketCase(suite, "Socket.shutdown() in attach sends FIN", async (stage) => {
    const hooks = { attach: (peer: Peer) => peer.shutdown() };
    const { client, server } = await stage.pair({ client: { hooks }, server: { hooks } });
    await stage.untilClosed(client, server);
    for (const peer of [client, server]) assertEquals([peer.events, peer.error], [["end", "close", "closed"], undefined]);
  });

  socketCase(suite, "Socket.shutdown() sends FIN after all that is queued", async (stage) => {
    const total = 20_000_000;
    const { client, server } = await stage.pair();
    server.pause();
    client.send(total, 100_000);
    client.shutdown();
    assertEquals(client.write([new Uint8Array(10)]), false);
    await stage.letPass();
    assert(client.socket.queuedBytes > 0);
    server.resume();
    await stage.until(server, "the end", () => server.hasEnded);
    assertEquals(server.receivedBytes, total);
    assertEquals(client.socket.queuedBytes, 0);
  });

  socketCase(suite, "Socket.write() after shutdown() returns false and sends nothing", async (stage) => {
    const { client, server } = await stage.pair();
    client.shutdown();
    assertEquals(client.write([new Uint8Array(10)]), false);
    assertEquals(client.socket.queuedBytes, 0);
    await stage.until(server, "the end", () => server.hasEnded);
    assertEquals(client.write([new Uint8Array(10)]), false);
    server.shutdown();
    await stage.untilClosed(client, server);
    assertEquals(server.receivedBytes, 0);
  });
}

function closedCases(suite: SocketSuiteOptions): void {
  socketCase(suite, "Socket does nothing more once it is closed", async (stage) => {
    for (const close of [(peer: Peer) => peer.shutdown(), (peer: Peer) => peer.abort()]) {
      const { client, server } = await stage.pair();
      close(client);
      close(server);
      await stage.untilClosed(client, server);
      for (const peer of [client, server]) {
        const before = [...peer.events];
        assertEquals(peer.write([new Uint8Array(10)]), false);
        peer.pause();
        peer.resume();
        peer.shutdown();
        peer.abort(new Error("too late"));
        await stage.run(peer.socket[Symbol.asyncDispose](), "to be disposed of");
        await stage.letPass();
        assertEquals([peer.events, peer.socket.queuedBytes], [before, 0]);
      }
    }
  });

  socketCase(suite, "Socket[Symbol.asyncDispose]() aborts it and waits for the close", async (stage) => {
    const { client, server } = await stage.pair();
    await stage.run(client.socket[Symbol.asyncDispose](), "to be disposed of");
    assertEquals([client.events[0], client.error?.socketCode], ["close", "ABORTED"]);
    await isCutOff(stage, server);
  });

  socketCase(suite, "Socket.write() that runs into a reset says so in onClose", async (stage) => {
    const { client, server } = await stage.pair();
    server.abort();
    client.send(1000);
    client.send(1000);
    await stage.until(client, "to be cut off", () => client.hasEnded || client.isClosed);
    if (!(suite.abortResets ?? true)) return;
    assertEquals(client.hasEnded, false);
    assert(["BROKEN_PIPE", "CONNECTION_RESET"].includes(client.error!.socketCode), `${client.error}`);
  });

  socketCase(suite, "Socket that is cut off while bytes wait says so in onClose", async (stage) => {
    const { client, server } = await stage.pair();
    server.pause();
    client.send(24_000_000, 100_000);
    await stage.letPass();
    server.abort();
    await stage.untilClosed(client);
    assert(["BROKEN_PIPE", "CONNECTION_RESET"].includes(client.error!.socketCode), `${client.error}`);
  });

  socketCase(suite, "Socket that is cut off while bytes wait and it reads nothing has drained nothing", async (stage) => {
    const { client, server } = await stage.pair();
    client.pause();
    server.pause();
    client.send(24_000_000, 1_000_000);
    await stage.letPass();
    server.abort();
    await stage.untilClosed(client);
    assertEquals(client.drains, 0);
    assert(["BROKEN_PIPE", "CONNECTION_RESET"].includes(client.error!.socketCode), `${client.error}`);
  });

  socketCase(suite, "Socket that has sent its FIN and is cut off then does not close without error", async (stage) => {
    const { client, server } = await stage.pair();
    client.shutdown();
    await stage.until(server, "the end", () => server.hasEnded);
    server.abort();
    await stage.untilClosed(client);
    if (suite.abortResets ?? true) assertEquals([client.hasEnded, client.error?.socketCode], [false, "CONNECTION_RESET"]);
  });

  socketCase(suite, "Socket.write() to a peer that is gone ends in onClose", async (stage) => {
    const { client, server } = await stage.pair();
    server.abort();
    await stage.untilClosed(server);
    // The first write may still be taken; the answer to it is a reset.
    while (!client.isClosed) {
      client.send(1000);
      if (client.hasEnded) client.shutdown();
      await stage.letPass();
    }
    await stage.untilClosed(client);
    assertEquals(client.write([new Uint8Array(1)]), false);
  });
}

function abortCases(suite: SocketSuiteOptions): void {
  socketCase(suite, "Socket.abort() leads to onClose alone, and the peer is cut off", async (stage) => {
    const { client, server } = await stage.pair();
    const reason = new Error("enough");
    client.abort(reason);
    client.abort(new Error("again"));
    assertEquals(client.events, []);
    assertEquals(client.write([new Uint8Array(1)]), false);
    await stage.untilClosed(client);
    assertEquals(client.events, ["close", "closed"]);
    assertInstanceOf(client.error, SocketError);
    assertEquals([client.error.socketCode, client.error.code], ["ABORTED", "SOCKET"]);
    assertStrictEquals(client.error.cause, reason);
    await isCutOff(stage, server);
  });

  socketCase(suite, "Socket.abort() drops the queue", async (stage) => {
    const { client, server } = await stage.pair();
    server.pause();
    client.send(24_000_000, 1_000_000);
    client.shutdown();
    client.abort();
    assertEquals(client.socket.queuedBytes, 0);
    await stage.untilClosed(client);
    assertEquals(client.events, ["close", "closed"]);
    server.resume();
    await stage.until(server, "the end", () => server.hasEnded || server.isClosed);
    assert(server.receivedBytes < client.sentBytes);
  });

  socketCase(suite, "Socket.abort() right after shutdown() is the last word", async (stage) => {
    const { client, server } = await stage.pair();
    client.shutdown();
    client.abort();
    await stage.untilClosed(client);
    assertEquals([client.events, client.error?.socketCode], [["close", "closed"], "ABORTED"]);
    await stage.until(server, "the end", () => server.hasEnded || server.isClosed);
  });

  socketCase(suite, "Socket.abort() in attach is the last word", async (stage) => {
    const listener = await stage.listen();
    // Over TLS the listener need not hear of this one.
    const client = await stage.connect(listener.address, { hooks: { attach: (peer) => peer.abort("at once") } });
    await stage.untilClosed(client);
    assertEquals([client.events, client.error?.cause], [["close", "closed"], "at once"]);
    await stage.letPass();
    for (const server of listener.accepted) await isCutOff(stage, server);
  });

  for (const where of ["onData", "onEnd", "onDrain"] as const) {
    socketCase(suite, `Socket.abort() in ${where} is the last word`, async (stage) => {
      const hooks: PeerHooks = { [where]: (peer: Peer) => peer.abort(where) };
      const { client, server } = await stage.pair({ client: { hooks } });
      provoke(client, server);
      await stage.untilClosed(client);
      assertEquals([client.error?.socketCode, client.error?.cause], ["ABORTED", where]);
      const lastBeforeClose = client.events.slice(0, -2).at(-1);
      assertEquals(lastBeforeClose, { onData: "data", onEnd: "end", onDrain: "drain" }[where]);
    });
  }
}

function throwCases(suite: SocketSuiteOptions): void {
  for (const where of ["onData", "onEnd", "onDrain", "onClose"] as const) {
    socketCase(suite, `SocketHandler.${where}() that throws costs its own socket only`, async (stage) => {
      const thrown = new Error(`bug in ${where}`);
      const hooks: PeerHooks = {
        [where]: () => {
          throw thrown;
        },
      };
      const { client, server } = await stage.pair({ client: { hooks } });
      if (where === "onClose") client.abort(thrown);
      provoke(client, server);
      await stage.untilClosed(client);
      assertEquals(client.error?.socketCode, "ABORTED");
      assertStrictEquals(client.error?.cause, thrown);
      await stage.until(server, "the end", () => server.hasEnded || server.isClosed);
      await stage.letPass();
    });
  }

  socketCase(suite, "AttachSocket that throws fails the connect with its error", async (stage) => {
    const listener = await stage.listen();
    const thrown = new Error("bug in attach");
    const dialled = stage.dial(listener.address, () => {
      throw thrown;
    });
    const error = await assertRejects(() => stage.run(dialled, "to fail"), SocketError, "bug in attach");
    assertEquals(error.socketCode, "ABORTED");
    assertStrictEquals(error.cause, thrown);
    await stage.letPass();
    for (const server of listener.accepted) await isCutOff(stage, server);
  });

  socketCase(suite, "AttachSocket of a listener that throws leaves the listener alone", async (stage) => {
    let calls = 0;
    const hooks = {
      attach() {
        if (++calls === 1) throw new Error("bug in attach");
      },
    };
    const listener = await stage.listen({ hooks });
    let first: Peer | undefined;
    const dialled = stage.dial(listener.address, (socket) => first = stage.track(socket));
    // The reset may be faster than the connect.
    await stage.run(dialled.catch((error) => assertInstanceOf(error, SocketError)), "to connect or to fail");
    if (first !== undefined) await isCutOff(stage, first);
    const client = await stage.connect(listener.address);
    const server = await listener.next();
    client.send(10);
    await stage.until(server, "bytes", () => server.receivedBytes === 10);
  });
}

/** Lets the client see every callback: bytes, the end, and a queue that drains. */
function provoke(client: Peer, server: Peer): void {
  client.send(24_000_000, 1_000_000);
  server.send(10);
  server.shutdown();
}

/** Waits until `peer` has noticed that the other end aborted. */
async function isCutOff(stage: Stage, peer: Peer): Promise<void> {
  await stage.until(peer, "to be cut off", () => peer.hasEnded || peer.isClosed);
  if (stage.suite.abortResets ?? true) {
    assertEquals([peer.hasEnded, peer.error?.socketCode], [false, "CONNECTION_RESET"]);
  }
}
