/**
 * Picks the sockets of the runtime that this runs on.
 *
 * @module
 */

import type { SocketDriver } from "./socket.ts";

/**
 * The driver for this runtime: Deno's or Bun's own sockets, else those of `node:net`.
 *
 * The paths are literals, so that a bundler follows them, and only the one that is needed is run.
 *
 * @example
 * ```ts
 * import { defaultSocketDriver, RpcEnv } from "@sparkwire/sparkwire";
 *
 * const driver = await defaultSocketDriver();
 * let dials = 0;
 * const counting = { ...driver, connect: (...args: Parameters<typeof driver.connect>) => (dials++, driver.connect(...args)) };
 * const server = await RpcEnv.create({ name: "server", host: "127.0.0.1", port: 0 });
 * server.setupEndpoint("Echo", { receiveAndReply: (message) => message });
 * const client = await RpcEnv.create({ name: "client", driver: counting });
 * await client.setupEndpointRef(`spark://Echo@${server.address}`);
 * if (dials !== 1) throw new Error(`${dials} dials`);
 * await client.shutdown();
 * await server.shutdown();
 * ```
 */
export async function defaultSocketDriver(): Promise<SocketDriver> {
  if ("Deno" in globalThis) return (await import("./deno.ts")).denoSocketDriver;
  if ("Bun" in globalThis) return (await import("./bun.ts")).bunSocketDriver;
  return (await import("./node.ts")).nodeSocketDriver;
}
