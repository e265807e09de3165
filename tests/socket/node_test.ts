import dns from "node:dns";
import { assertEquals } from "@std/assert";
import { nodeSocketDriver } from "../../src/socket/node.ts";
import { runtimeName, test, type TestContext } from "../_harness.ts";
import { CA_CERT, SERVER_CERT, SERVER_KEY } from "./certificates.ts";
import { Stage } from "./_stage.ts";
import { socketSuite } from "./socket_suite.ts";

const tls = { listen: { cert: SERVER_CERT, key: SERVER_KEY }, connect: { caCerts: [CA_CERT] } };

socketSuite({ name: "node", driver: nodeSocketDriver });
// TLS has no reset: a socket that is aborted sends FIN without a close_notify.
socketSuite({ name: "node with TLS", driver: nodeSocketDriver, tls, abortResets: false });

if (runtimeName === "node") {
  test("nodeSocketDriver.connect() waits for the first address of a name though others could be tried", async (context) => {
    const stage = new Stage({ name: "node", driver: nodeSocketDriver }, context);
    const { address: { port } } = await stage.listen();
    lookupThenBeBusy(context, ["127.0.0.1", "::1"], 400);
    const client = await stage.connect({ host: "two.invalid", port });
    assertEquals(client.socket.remoteAddress.host, "127.0.0.1");
  });
}

/** Lets the next name have these addresses, and nothing else happen for a while once the first of them is being dialled. */
function lookupThenBeBusy(context: TestContext, addresses: readonly string[], busyMs: number): void {
  const { lookup } = dns;
  context.defer(() => Object.assign(dns, { lookup }));
  const found = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  Object.assign(dns, {
    lookup(_host: string, _options: unknown, callback: (error: null, found: unknown) => void): void {
      // From here on timers that are due come before connections that are made.
      setImmediate(() => {
        callback(null, found);
        queueMicrotask(() => {
          for (const start = performance.now(); performance.now() - start < busyMs;);
        });
      });
    },
  });
}
