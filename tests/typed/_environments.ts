/**
 * Two environments over real sockets, a server and one in client mode, that end with the test.
 *
 * @module
 */

import { RpcEnv } from "../../src/rpc/rpc_env.ts";
import type { TestContext } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";

/** Two environments and what they logged. */
export interface Environments {
  readonly server: RpcEnv;
  readonly client: RpcEnv;
  readonly logger: MemoryLogger;
}

/** Makes them. */
export async function environments(context: TestContext): Promise<Environments> {
  const logger = new MemoryLogger();
  const server = await RpcEnv.create({ name: "server", host: "127.0.0.1", port: 0, logger });
  context.defer(() => server.shutdown());
  const client = await RpcEnv.create({ name: "client", logger });
  context.defer(() => client.shutdown());
  return { server, client, logger };
}

/** A server alone. */
export async function environment(context: TestContext): Promise<RpcEnv> {
  const env = await RpcEnv.create({ name: "local", host: "127.0.0.1", port: 0, logger: new MemoryLogger() });
  context.defer(() => env.shutdown());
  return env;
}
