import { assertEquals } from "@std/assert";
import { bunSocketDriver } from "../../src/socket/bun.ts";
import { nodeSocketDriver } from "../../src/socket/node.ts";
import { runtimeName, test, within } from "../_harness.ts";
import { socketSuite } from "./socket_suite.ts";

if (runtimeName === "bun") {
  socketSuite({ name: "bun", driver: bunSocketDriver });
  socketSuite({ name: "node to bun", driver: bunSocketDriver, connectDriver: nodeSocketDriver });
  socketSuite({ name: "bun to node", driver: nodeSocketDriver, connectDriver: bunSocketDriver });

  test("bunSocketDriver gives each chunk away, so that nobody copies it", async (context) => {
    const silent = { onDrain() {}, onEnd() {}, onClose() {} };
    const seen: boolean[] = [];
    const listener = await bunSocketDriver.listen({ host: "127.0.0.1", port: 0 }, (socket) => ({
      ...silent,
      onData(_socket, _chunk, owned) {
        seen.push(owned);
        socket.abort();
      },
    }));
    context.defer(() => listener.close());
    const socket = await bunSocketDriver.connect(listener.address, () => ({ ...silent, onData() {} }));
    socket.write([new Uint8Array(10)]);
    await within(socket.closed, "the connection to close");
    assertEquals(seen, [true]);
  });
}
