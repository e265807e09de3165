/**
 * How `compare.ts` talks with the processes that it starts: a JSON line each way, over stdin and stdout.
 *
 * A server says its port, and answers `stats`. A client says that it is ready, and answers `go` with what it measured. Both end
 * when stdin does, so that none outlives the one that started it.
 *
 * @module
 */

import process from "node:process";
import { createInterface } from "node:readline";
import { type LoadPlan, type LoadTarget, prepare } from "./load.ts";

/** What a server tells about itself. */
export interface ServerStats {
  /** CPU time that the process has used, user and system. */
  readonly cpuMicros: number;
  /** How many one-way messages it has handled. */
  readonly oneWayMessages: number;
}

/** What a client tells about the timed part. */
export interface ClientReport {
  /** The kind of load. */
  readonly workload: string;
  /** How many requests or messages were handled. */
  readonly requests: number;
  /** How long it took. */
  readonly seconds: number;
  /** Requests or messages a second. */
  readonly perSecond: number;
  /** The median of a round trip. */
  readonly p50Micros?: number;
  /** CPU time of the client per request, user and system. */
  readonly cpuMicrosPerRequest: number;
}

/** Runs a server: says the port, then answers until stdin ends. */
export async function serve(port: number, oneWayMessages: () => number): Promise<void> {
  say({ port });
  for await (const _ of commands()) say({ cpuMicros: cpuMicros(), oneWayMessages: oneWayMessages() } satisfies ServerStats);
  process.exit(0);
}

/** Runs a client: connects, warms up, says so, then measures once per line of stdin. */
export async function load(connect: (port: number, plan: LoadPlan) => Promise<LoadTarget>): Promise<void> {
  const [port, plan] = JSON.parse(process.argv[2] ?? "") as [number, LoadPlan];
  const measure = await prepare(await connect(port, plan), plan);
  say({ ready: true });
  for await (const _ of commands()) {
    const before = cpuMicros();
    const result = await measure();
    const cpu = cpuMicros() - before;
    say({
      workload: plan.kind,
      ...result,
      perSecond: result.requests / result.seconds,
      cpuMicrosPerRequest: cpu / result.requests,
    } satisfies ClientReport);
  }
  process.exit(0);
}

function commands(): AsyncIterable<string> {
  return createInterface({ input: process.stdin });
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function say(message: unknown): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
