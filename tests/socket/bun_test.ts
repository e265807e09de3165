import { assertEquals, assertRejects } from "@std/assert";
import { bunSocketDriver } from "../../src/socket/bun.ts";
import { nodeSocketDriver } from "../../src/socket/node.ts";
import type { BunRuntime, BunSocket, BunSocketOptions } from "../../src/socket/_runtime_types.ts";
import { type SocketAddress, SocketError } from "../../src/socket/socket.ts";
import { runtimeName } from "../_harness.ts";
import { socketCase } from "./_stage.ts";
import { socketSuite } from "./socket_suite.ts";

const runtime = globalThis as unknown as { readonly Bun: { -readonly [K in keyof BunRuntime]: BunRuntime[K] } };

if (runtimeName === "bun") {
  socketSuite({ name: "bun", driver: bunSocketDriver });
  socketSuite({ name: "node to bun", driver: bunSocketDriver, connectDriver: nodeSocketDriver });
  socketSuite({ name: "bun to node", driver: nodeSocketDriver, connectDriver: bunSocketDriver });

  const suite = { name: "bun", driver: bunSocketDriver };
  socketCase(suite, "Socket says in onClose that what waited could not be written", async (stage) => {
    const { client, server } = await stage.pair();
    server.pause();
    client.send(24_000_000, 1_000_000);
    client.shutdown();
    const natives = await nativeSockets(server.socket.localAddress);
    const { write } = natives;
    // As where a reset comes after the news that there is room again.
    natives.write = () => -1;
    try {
      server.resume();
      await stage.untilClosed(client);
    } finally {
      natives.write = write;
    }
    assertEquals([client.error?.socketCode, client.socket.queuedBytes], ["BROKEN_PIPE", 0]);
  });

  socketCase(
    suite,
    "SocketDriver attaches nobody whose connection is reset between two looks at its address",
    async (stage) => {
      const before = await stage.listen();
      const { Bun } = runtime;
      const { connect, listen } = Bun;
      // Bun keeps the host that it has been asked for, and asks the system for the port.
      const withoutPort = <D>({ socket, ...rest }: BunSocketOptions<D>): BunSocketOptions<D> => {
        const open = (native: BunSocket<D>) => socket.open(Object.defineProperty(native, "remotePort", { value: undefined }));
        return { ...rest, socket: { ...socket, open } };
      };
      Bun.connect = (options) => connect(withoutPort(options));
      Bun.listen = (options) => listen(withoutPort(options));
      try {
        const listener = await stage.listen();
        const connecting = stage.dial(before.address, (socket) => stage.track(socket));
        const error = await assertRejects(() => stage.run(connecting, "the connect to fail"), SocketError);
        assertEquals(error.socketCode, "CONNECTION_RESET");
        Bun.connect = connect;
        // The reset may come before the dial is known to have succeeded.
        const client = await stage.connect(listener.address, { hooks: { hearsOther: true } }).catch(() => undefined);
        if (client !== undefined) await stage.until(client, "to be cut off", () => client.hasEnded || client.isClosed);
        assertEquals(listener.accepted.length, 0);
      } finally {
        Object.assign(Bun, { connect, listen });
      }
    },
  );
}

/** The prototype of Bun's sockets, found by way of one of them. */
async function nativeSockets({ host, port }: SocketAddress): Promise<{ write(chunk: Uint8Array): number }> {
  const { Bun } = runtime;
  const socket = { binaryType: "uint8array", open() {}, data() {}, drain() {}, end() {}, close() {}, error() {} } as const;
  const native = await Bun.connect({ hostname: host, port, allowHalfOpen: true, socket });
  native.terminate();
  return Object.getPrototypeOf(native);
}
