/**
 * The server that has many connections: an environment with one endpoint that echoes; `connections.ts` starts it.
 *
 * @module
 */

import process from "node:process";
import { RpcEnv } from "../mod.ts";
import { onCommand, say } from "./bench_process.ts";
import { BENCH_ENDPOINT, BENCH_HOST } from "./frames.ts";

/** What the server says of itself. */
export interface ServerMemory {
  readonly port: number;
  readonly connections: number;
  /** Resident memory, and what the engine's heap and its buffers have of it, in bytes. */
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
}

const env = await RpcEnv.create({ name: "bench", host: BENCH_HOST, port: 0 });
env.setupEndpoint(BENCH_ENDPOINT, { receiveAndReply: (message) => message });

function memory(): ServerMemory {
  const { rss, heapUsed, external } = process.memoryUsage();
  return { port: env.address!.port, connections: env.stats().connections.length, rss, heapUsed, external };
}

onCommand(() => say(memory()));
say(memory());
