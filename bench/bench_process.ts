/**
 * How `compare.ts` talks with the processes that it starts: a JSON line each way, over stdin and stdout.
 *
 * A server says its port, and answers `stats`. A client says that it is ready, and answers `go` with what it measured. Both end
 * when stdin does, whatever they are doing, so that none outlives the one that started it.
 *
 * @module
 */

import process from "node:process";
import { createInterface } from "node:readline";
import { type LoadPlan, type LoadResult, type LoadTarget, prepare } from "./load.ts";

/** The first line of a server. */
export interface ServerReady {
  /** Where it listens. */
  readonly port: number;
}

/** What a server tells about itself when asked for `stats`. */
export interface ServerStats {
  /** CPU time that the process has used, user and system. */
  readonly cpuMicros: number;
  /** How many one-way messages it has handled. */
  readonly oneWayMessages: number;
}

/** What a client tells about the timed part. */
export interface ClientReport extends LoadResult {
  /** The kind of load. */
  readonly workload: string;
  /** Requests or messages a second. */
  readonly perSecond: number;
  /** CPU time of the client per request, user and system. */
  readonly cpuMicrosPerRequest: number;
}

/** Runs a server: says the port, then answers until stdin ends. */
export function serve(port: number, oneWayMessages: () => number): void {
  onCommand(() => say<ServerStats>({ cpuMicros: cpuMicros(), oneWayMessages: oneWayMessages() }));
  say<ServerReady>({ port });
}

/** Runs a client: connects, verifies, warms up, says so, then measures once per line of stdin. */
export async function load(connect: (port: number, plan: LoadPlan) => Promise<LoadTarget>): Promise<void> {
  const [port, plan] = JSON.parse(process.argv[2] ?? "") as [number, LoadPlan];
  // stdin is heard from the start, so that a client which hangs while it warms up still ends with the one that started it.
  const prepared = connect(port, plan).then((target) => prepare(target, plan));
  onCommand(async () => {
    const measure = await prepared;
    const before = cpuMicros();
    const result = await measure();
    const cpu = cpuMicros() - before;
    say<ClientReport>({
      workload: plan.kind,
      ...result,
      perSecond: result.requests / result.seconds,
      cpuMicrosPerRequest: cpu / result.requests,
    });
  });
  await prepared;
  say({ ready: true });
}

/** Calls back for each line; the end of stdin is the end of the process. */
export function onCommand(handle: (line: string) => unknown): void {
  createInterface({ input: process.stdin }).on("line", handle).on("close", () => process.exit(0));
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Writes a line for the one that started the process. */
export function say<T>(message: T): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
