import { denoSocketDriver } from "../../src/socket/deno.ts";
import { nodeSocketDriver } from "../../src/socket/node.ts";
import type { Socket } from "../../src/socket/socket.ts";
import { runtimeName, test, type TestContext, within } from "../_harness.ts";
import { socketSuite } from "./socket_suite.ts";

if (runtimeName === "deno") {
  // Deno 2.9 closes with FIN where others reset.
  socketSuite({ name: "deno", driver: denoSocketDriver, abortResets: false });
  socketSuite({ name: "node to deno", driver: denoSocketDriver, connectDriver: nodeSocketDriver, abortResets: false });
  socketSuite({ name: "deno to node", driver: nodeSocketDriver, connectDriver: denoSocketDriver, abortResets: false });

  test("denoSocketDriver accepts at once what waits behind connections that were reset while they waited", async (context) => {
    failAccepts(context, 300);
    const accepted: Socket[] = [];
    const silent = { onData() {}, onDrain() {}, onEnd() {}, onClose() {} };
    const listener = await denoSocketDriver.listen({ host: "127.0.0.1", port: 0 }, (socket) => {
      accepted.push(socket);
      socket.shutdown();
      return silent;
    });
    context.defer(() => listener.close());
    const ended = new Promise<void>((onEnd) => {
      denoSocketDriver.connect(listener.address, () => ({ ...silent, onEnd: (socket) => (socket.shutdown(), onEnd()) }));
    });
    await within(ended, "to be accepted");
    await within(accepted[0]!.closed, "the connection to close");
  });
}

/** Lets the first `count` accepts of the next listener fail as Deno 2.9 does for a connection that its peer has reset by then. */
function failAccepts(context: TestContext, count: number): void {
  const { listen } = Deno;
  const restore = (): void => void Object.assign(Deno, { listen });
  context.defer(restore);
  Object.assign(Deno, {
    listen(options: Deno.TcpListenOptions): Deno.TcpListener {
      restore();
      const listener = listen(options);
      const accept = listener.accept.bind(listener);
      let left = count;
      listener.accept = async () => {
        if (left-- > 0) {
          throw Object.assign(new Deno.errors.NotConnected("Transport endpoint is not connected"), { code: "ENOTCONN" });
        }
        return await accept();
      };
      return listener;
    },
  });
}
