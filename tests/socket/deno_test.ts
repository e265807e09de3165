import { denoSocketDriver } from "../../src/socket/deno.ts";
import { nodeSocketDriver } from "../../src/socket/node.ts";
import { runtimeName } from "../_harness.ts";
import { socketSuite } from "./socket_suite.ts";

if (runtimeName === "deno") {
  // Deno 2.9 closes with FIN where others reset.
  socketSuite({ name: "deno", driver: denoSocketDriver, abortResets: false });
  socketSuite({ name: "node to deno", driver: denoSocketDriver, connectDriver: nodeSocketDriver, abortResets: false });
  socketSuite({ name: "deno to node", driver: nodeSocketDriver, connectDriver: denoSocketDriver, abortResets: false });
}
