import { defaultSocketDriver } from "../../src/socket/default.ts";
import { nodeSocketDriver } from "../../src/socket/node.ts";
import { runtimeName } from "../_harness.ts";
import { rpcEnvSuite } from "./rpc_env_suite.ts";

// Spark: NettyRpcEnvSuite, which runs RpcEnvSuite.
rpcEnvSuite({ name: `${runtimeName}'s own sockets`, driver: defaultSocketDriver });
if (runtimeName !== "node") rpcEnvSuite({ name: "node:net", driver: () => Promise.resolve(nodeSocketDriver) });
