import { assertEquals } from "@std/assert";
import { bunSocketDriver } from "../../src/socket/bun.ts";
import { nodeSocketDriver } from "../../src/socket/node.ts";
import type { BunRuntime } from "../../src/socket/_runtime_types.ts";
import type { SocketAddress } from "../../src/socket/socket.ts";
import { runtimeName } from "../_harness.ts";
import { socketCase } from "./_stage.ts";
import { socketSuite } from "./socket_suite.ts";

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
}

/** The prototype of Bun's sockets, found by way of one of them. */
async function nativeSockets({ host, port }: SocketAddress): Promise<{ write(chunk: Uint8Array): number }> {
  const { Bun } = globalThis as unknown as { readonly Bun: BunRuntime };
  const socket = { binaryType: "uint8array", open() {}, data() {}, drain() {}, end() {}, close() {}, error() {} } as const;
  const native = await Bun.connect({ hostname: host, port, allowHalfOpen: true, socket });
  native.terminate();
  return Object.getPrototypeOf(native);
}
