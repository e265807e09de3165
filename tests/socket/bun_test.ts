import { bunSocketDriver } from "../../src/socket/bun.ts";
import { nodeSocketDriver } from "../../src/socket/node.ts";
import { runtimeName } from "../_harness.ts";
import { socketSuite } from "./socket_suite.ts";

if (runtimeName === "bun") {
  socketSuite({ name: "bun", driver: bunSocketDriver });
  socketSuite({ name: "node to bun", driver: bunSocketDriver, connectDriver: nodeSocketDriver });
  socketSuite({ name: "bun to node", driver: nodeSocketDriver, connectDriver: bunSocketDriver });
}
