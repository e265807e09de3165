import type { Socket as NodeSocket } from "node:net";
import process from "node:process";
import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { defaultSocketDriver } from "../../src/socket/default.ts";
import { createTlsServer } from "../../src/socket/_node_tls.ts";
import { nodeSocketDriver } from "../../src/socket/node.ts";
import { type ConnectOptions, type SocketAddress, SocketError, type TlsOptions } from "../../src/socket/socket.ts";
import {
  CA_CERT,
  CLIENT_CERT,
  CLIENT_KEY,
  ROGUE_CA_CERT,
  ROGUE_CERT,
  ROGUE_KEY,
  SERVER_CERT,
  SERVER_KEY,
} from "./certificates.ts";
import type { Peer } from "./_peer.ts";
import { runtimePath } from "../_entry_points.ts";
import { test, until } from "../_harness.ts";
import { noIpv6 } from "../_ipv6.ts";
import { startProcess } from "../_process.ts";
import { socketCase, Stage, type TestListener } from "./_stage.ts";

const native = await defaultSocketDriver();
const suite = { name: "TLS", driver: nodeSocketDriver };
const server: TlsOptions = { cert: SERVER_CERT, key: SERVER_KEY };
const trusting: TlsOptions = { caCerts: [CA_CERT] };
const client: TlsOptions = { ...trusting, cert: CLIENT_CERT, key: CLIENT_KEY };

function listenTls(stage: Stage, tls: TlsOptions, host?: string): Promise<TestListener> {
  return stage.listen({ hooks: { onData: (peer, chunk) => void peer.send(chunk.length) }, options: { tls } }, host);
}

async function assertEcho(stage: Stage, address: SocketAddress, tls: TlsOptions): Promise<void> {
  const peer = await stage.connect(address, { options: { tls } });
  assert(peer.socket.secure);
  peer.send(100_000);
  await stage.until(peer, "the echo", () => peer.receivedBytes === peer.sentBytes);
}

async function refusal(stage: Stage, address: SocketAddress, options: ConnectOptions): Promise<SocketError> {
  const dialled = stage.dial(address, () => {
    throw new Error("attached without a handshake");
  }, options);
  return await assertRejects(() => stage.run(dialled, "the connect to fail"), SocketError);
}

socketCase(suite, "SocketDriver.connect() refuses a certificate that it has no reason to trust", async (stage) => {
  const { address } = await listenTls(stage, server);
  for (const caCerts of [undefined, [ROGUE_CA_CERT]]) {
    const error = await refusal(stage, address, { tls: caCerts === undefined ? {} : { caCerts } });
    assertEquals(error.socketCode, "TLS");
    assert(error.message.startsWith(`Cannot connect to 127.0.0.1:${address.port}: TLS failed: `), error.message);
  }
  await assertEcho(stage, address, { caCerts: [ROGUE_CA_CERT, CA_CERT] });
});

socketCase(suite, "SocketDriver.connect() verifies certificates whatever the environment says", async (stage) => {
  const { address } = await listenTls(stage, server);
  const before = process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
  process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
  try {
    assertEquals((await refusal(stage, address, { tls: { caCerts: [ROGUE_CA_CERT] } })).socketCode, "TLS");
    assertEquals((await refusal(stage, address, { tls: { ...trusting, serverName: "elsewhere.test" } })).socketCode, "TLS");
  } finally {
    if (before === undefined) delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    else process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = before;
  }
});

socketCase(suite, "SocketDriver.connect() verifies the name that was dialled, or serverName", async (stage) => {
  const { address } = await listenTls(stage, server);
  const local = { host: "localhost", port: address.port };
  for (const where of [address, local]) {
    await assertEcho(stage, where, trusting);
    await assertEcho(stage, where, { ...trusting, serverName: "sparkwire.test" });
    const error = await refusal(stage, where, { tls: { ...trusting, serverName: "elsewhere.test" } });
    assertEquals(error.socketCode, "TLS");
  }
  const noName = { ...trusting, serverName: "127.0.0.1" };
  await assertRejects(() => stage.dial(address, (socket) => stage.track(socket), { tls: noName }), TypeError, "serverName");
});

socketCase(suite, "SocketDriver.connect() verifies the IPv6 address that was dialled, or serverName", async (stage) => {
  const { address } = await listenTls(stage, server, "::1");
  await assertEcho(stage, address, trusting);
  await assertEcho(stage, { ...address, host: "0:0::0001" }, trusting);
  await assertEcho(stage, address, { ...trusting, serverName: "sparkwire.test" });
  assertEquals((await refusal(stage, address, { tls: { ...trusting, serverName: "elsewhere.test" } })).socketCode, "TLS");
  // The certificate is for ::1 and for 127.0.0.1, which is not this.
  const { address: { port } } = await listenTls(stage, server);
  assertEquals((await refusal(stage, { host: "::ffff:127.0.0.1", port }, { tls: trusting })).socketCode, "TLS");
}, { skip: noIpv6 });

socketCase(suite, "SocketDriver.listen() with caCerts takes only clients with a certificate of theirs", async (stage) => {
  const listener = await listenTls(stage, { ...server, caCerts: [CA_CERT] });
  for (const tls of [trusting, { ...trusting, cert: ROGUE_CERT, key: ROGUE_KEY }]) {
    let peer: Peer | undefined;
    // TLS 1.3 is through for the client before the server has looked at the certificate.
    const dialled = stage.dial(listener.address, (socket) => peer = stage.track(socket), { tls });
    const outcome = await stage.run(dialled.catch((error) => error), "to connect or to fail");
    if (peer === undefined) assert(outcome instanceof SocketError);
    else await stage.until(peer, "to be cut off", () => peer!.hasEnded || peer!.isClosed);
  }
  await assertEcho(stage, listener.address, client);
  assertEquals(listener.accepted.length, 1);
});

/** Dials one port, then the other with the session of the first: Node is the only one that can be told to. Prints what comes of it. */
const RESUMING_CLIENT = `
const { connect } = require("node:tls");
const [first, second, ...pem] = process.argv.slice(1);
const [ca, cert, key] = pem.map((text) => text || undefined);
const dial = (port, session, onSession) => {
  const socket = connect({ host: "127.0.0.1", port, ca, cert, key, session }, () => socket.write("x"));
  socket.on("session", (made) => onSession(made, socket)).on("error", () => {});
  socket.on("data", () => session && console.log("LET IN", socket.isSessionReused()));
  return socket;
};
dial(first, undefined, (session, socket) => {
  socket.removeAllListeners("session").destroy();
  dial(second, session, () => {}).on("close", () => console.log("CUT OFF"));
});
`;

const node = runtimePath("node");

test(
  "TLS: SocketDriver.listen() with caCerts takes no session of a listener that asks for other certificates or none",
  async (context) => {
    const stage = new Stage(suite, context);
    const listen = (tls: TlsOptions) => {
      return stage.listen({
        hooks: { onData: (peer, chunk) => peer.write([chunk.slice()]), hearsOther: true },
        options: { tls },
      });
    };
    const mutual = await listen({ ...server, caCerts: [ROGUE_CA_CERT] });
    const others = [[server, "", ""], [{ ...server, caCerts: [CA_CERT] }, CLIENT_CERT, CLIENT_KEY]] as const;
    for (const [tls, ...certificate] of others) {
      const ports = [await listen(tls), mutual].map(({ address }) => String(address.port));
      const resuming = startProcess(context, node!, ["-e", RESUMING_CLIENT, ...ports, CA_CERT, ...certificate]);
      assertEquals((await resuming.waitFor(/LET IN|CUT OFF/))[0], "CUT OFF");
    }
    assertEquals(mutual.accepted.length, 0);
  },
  { skip: node === undefined ? "it dials with Node" : undefined },
);

socketCase(suite, "SocketDriver.listen() without caCerts does not ask for a certificate", async (stage) => {
  const { address } = await listenTls(stage, server);
  await assertEcho(stage, address, { ...trusting, cert: ROGUE_CERT, key: ROGUE_KEY });
});

socketCase(suite, "SocketDriver.listen() cuts off who does not speak TLS", async (stage) => {
  const listener = await listenTls(stage, server);
  const plain = await stage.connect(listener.address, { hooks: { hearsOther: true } });
  plain.write([new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")]);
  await stage.until(plain, "to be cut off", () => plain.hasEnded || plain.isClosed);
  await assertEcho(stage, listener.address, trusting);
  assertEquals(listener.accepted.length, 1);
});

socketCase(suite, "SocketDriver.listen() lets go of who ends in the midst of a handshake", async (stage) => {
  const listener = await listenTls(stage, server);
  const silent = await stage.connect(listener.address, { hooks: { hearsOther: true } });
  silent.shutdown();
  await stage.untilClosed(silent);
  assertEquals(listener.accepted.length, 0);
});

socketCase(suite, "SocketDriver.listen() tells of each handshake that failed, and why", async (stage) => {
  const refused: SocketError[] = [];
  const options = { tls: { ...server, caCerts: [CA_CERT] }, onRefused: (error: SocketError) => void refused.push(error) };
  const { address } = await stage.listen({ options });
  const plain = await stage.connect(address, { hooks: { hearsOther: true } });
  plain.write([new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")]);
  await until(() => refused.length === 1, "to hear of the first");
  for (const tls of [trusting, { ...trusting, cert: ROGUE_CERT, key: ROGUE_KEY }]) {
    const before = refused.length;
    const dialled = stage.dial(address, (socket) => stage.track(socket), { tls });
    await stage.run(dialled.catch(() => {}), "to connect or to fail");
    await until(() => refused.length > before, "to hear of the next one");
  }
  assertEquals(refused.map(({ socketCode }) => socketCode), ["TLS", "TLS", "TLS"]);
  for (const { message } of refused) {
    assert(/^Handshake with (127\.0\.0\.1:\d+|a peer): TLS failed: .+$/.test(message), message);
  }
});

socketCase(suite, "createTlsServer() cuts off the oldest of too many handshakes", async (stage) => {
  const refused: SocketError[] = [];
  const echo = (accepted: NodeSocket) => void accepted.on("error", () => {}).pipe(accepted);
  const { server: listener } = createTlsServer(server, echo, (error) => refused.push(error), 2);
  await new Promise<void>((resolve) => listener.listen({ host: "127.0.0.1", port: 0 }, resolve));
  const bound = listener.address();
  assert(typeof bound === "object" && bound !== null);
  const address = { host: "127.0.0.1", port: bound.port };
  const connect = () => stage.connect(address, { hooks: { hearsOther: true } });
  const silent = [await connect(), await connect(), await connect(), await connect()];
  for (const [index, peer] of silent.entries()) {
    if (index < 2) await stage.until(peer, "to be cut off", () => peer.hasEnded || peer.isClosed);
    assertEquals(peer.hasEnded || peer.isClosed, index < 2);
  }
  const text = "The oldest of 2 TLS handshakes was cut off for the next one";
  const tellsOf = () => refused.filter(({ message }) => message === text).length;
  assertEquals(tellsOf(), 2);
  await assertEcho(stage, address, trusting);
  assertEquals(tellsOf(), 3);
  // The last of the silent is the only handshake left.
  for (let i = 0; i < 3; i++) await assertEcho(stage, address, trusting);
  assertEquals([tellsOf(), silent[3]!.hasEnded || silent[3]!.isClosed], [3, false]);
  listener.close();
});

socketCase(suite, "createTlsServer() counts no handshake whose connection has gone", async (stage) => {
  const refused: SocketError[] = [];
  const { server: listener } = createTlsServer(server, () => {}, (error) => refused.push(error), 4);
  let [begun, gone] = [0, 0];
  listener.on("connection", (below: NodeSocket) => {
    begun++;
    below.once("close", () => gone++);
  });
  try {
    await new Promise<void>((resolve) => listener.listen({ host: "127.0.0.1", port: 0 }, resolve));
    const bound = listener.address();
    assert(typeof bound === "object" && bound !== null);
    const address = { host: "127.0.0.1", port: bound.port };
    for (const all of [4, 8]) {
      const peers: Peer[] = [];
      while (peers.length < 4) peers.push(await stage.connect(address, { hooks: { hearsOther: true } }));
      await until(() => begun === all, "the handshakes");
      for (const peer of peers) peer.abort();
      await until(() => gone === all, "the end of the connections");
    }
    assertEquals(refused.filter(({ message }) => message.startsWith("The oldest")), []);
  } finally {
    listener.close();
  }
});

socketCase(suite, "SocketListener: who has said all over TLS is still told what comes later", async (stage) => {
  const listener = await stage.listen({
    hooks: {
      onEnd: (peer) => {
        setTimeout(() => {
          peer.send(100_000);
          peer.shutdown();
        }, 0);
      },
    },
    options: { tls: server },
  });
  const peer = await stage.connect(listener.address, { options: { tls: trusting } });
  peer.send(10);
  peer.shutdown();
  await stage.until(peer, "the answer", () => peer.hasEnded);
  assertEquals(peer.receivedBytes, 100_000);
});

socketCase(suite, "SocketDriver.connect() to a listener that does not speak TLS fails", async (stage) => {
  const listener = await stage.listen({
    hooks: {
      onData: (peer) => {
        peer.write([new Uint8Array(1000)]);
        peer.shutdown();
      },
      hearsOther: true,
    },
  });
  const error = await refusal(stage, listener.address, { tls: trusting });
  assert(["TLS", "CONNECTION_RESET"].includes(error.socketCode), error.message);
});

socketCase(suite, "SocketDriver.connect() is aborted in the midst of a handshake", async (stage) => {
  const listener = await stage.listen({ hooks: { attach: (peer) => peer.pause() } });
  const controller = new AbortController();
  const reason = new Error("given up");
  const dialled = stage.dial(listener.address, () => {
    throw new Error("attached without a handshake");
  }, { tls: trusting, signal: controller.signal });
  const rejected = dialled.then(() => undefined, (error) => error);
  const silent = await listener.next();
  controller.abort(reason);
  assertStrictEquals(await stage.run(rejected, "the connect to fail"), reason);
  silent.abort();
});

socketCase(suite, "SocketListener.close() attaches nobody whose handshake ends later", async (stage) => {
  const listener = await listenTls(stage, server);
  const dialled = stage.dial(listener.address, (socket) => stage.track(socket), { tls: trusting });
  await stage.run(listener.listener.close(), "to close");
  const outcome = await stage.run(dialled.catch((error) => error), "to connect or to fail");
  if (outcome instanceof Error) assert(outcome instanceof SocketError);
  else await stage.run(outcome[Symbol.asyncDispose](), "to close");
  assertEquals(listener.accepted.length, 0);
});

socketCase(suite, "SocketListener.close() cuts off who has not ended the handshake, and nobody else", async (stage) => {
  const refused: SocketError[] = [];
  const listener = await stage.listen({
    hooks: { onData: (peer, chunk) => void peer.send(chunk.length) },
    options: { tls: server, onRefused: (error) => void refused.push(error) },
  });
  const silent = await stage.connect(listener.address, { hooks: { hearsOther: true } });
  const halfway = await stage.connect(listener.address, { hooks: { hearsOther: true } });
  halfway.write([Uint8Array.of(0x16, 3, 1, 2, 0)]);
  const welcome = await stage.connect(listener.address, { options: { tls: trusting } });
  await listener.next();
  await stage.run(listener.listener.close(), "to close");
  for (const peer of [silent, halfway]) await stage.until(peer, "to be cut off", () => peer.hasEnded || peer.isClosed);
  // And not since their time was up.
  assertEquals(refused.filter(({ message }) => /timeout/i.test(message)), []);
  welcome.send(100_000);
  await stage.until(welcome, "the echo", () => welcome.receivedBytes === welcome.sentBytes);
});

socketCase(suite, "SocketDriver refuses an empty list of whom to trust", async (stage) => {
  const none = { tls: { ...server, caCerts: [] } };
  const { address } = await listenTls(stage, server);
  await assertRejects(() => stage.dial(address, (socket) => stage.track(socket), none), TypeError, "caCerts is empty");
  const anywhere = { host: "127.0.0.1", port: 0 };
  const listen = () => nodeSocketDriver.listen(anywhere, (socket) => stage.track(socket), none);
  await assertRejects(listen, TypeError, "caCerts is empty");
});

socketCase(suite, "SocketDriver refuses certificates that are missing or not in PEM", async (stage) => {
  const address = { host: "127.0.0.1", port: 0 };
  for (const tls of [{}, { cert: SERVER_CERT }, { key: SERVER_KEY }]) {
    await assertRejects(() => nodeSocketDriver.listen(address, (socket) => stage.track(socket), { tls }), TypeError);
  }
  const listener = await listenTls(stage, server);
  const file = "/etc/ssl/server.pem";
  for (
    const [name, tls] of Object.entries({
      cert: { ...server, cert: file },
      key: { ...server, key: SERVER_CERT },
      caCerts: { ...server, caCerts: [CA_CERT, ""] },
    })
  ) {
    const refused = await assertRejects(() => listenTls(stage, tls), SocketError, `${name} is not in PEM`);
    assertEquals(refused.socketCode, "TLS");
    const dialled = await refusal(stage, listener.address, { tls: { ...trusting, ...tls } });
    assertEquals([dialled.socketCode, dialled.message.includes(`${name} is not in PEM`)], ["TLS", true], dialled.message);
  }
});

socketCase({ name: `TLS of ${native.name}`, driver: native }, "SocketDriver speaks TLS by node:tls", async (stage) => {
  const listener = await listenTls(stage, { ...server, caCerts: [CA_CERT] });
  await assertEcho(stage, listener.address, client);
});
