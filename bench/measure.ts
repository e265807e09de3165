/**
 * One side while it is measured: a server and a client in processes of their own, warmed up, and measured whenever asked.
 *
 * @module
 */

import { BenchChild } from "./bench_child.ts";
import type { ClientReport, ServerReady, ServerStats } from "./bench_process.ts";
import type { LoadPlan } from "./load.ts";
import type { Runtime, Workload } from "./workloads.ts";

/** Whose server and client. */
export type Side = "raw_echo" | "sparkwire";

/** The same of the comparison of files. */
export type FileSide = "raw_file" | "sparkwire_file";

/** The same of the comparison of blocks. */
export type BlockSide = "raw_blocks" | "sparkwire_blocks";

/** The server that has many connections, and their other ends. */
export type ConnectionsSide = "connections";

/** Where the two processes run: on a core each, on one core, or where the system puts them. */
export type Placement = "apart" | "together" | "free";

/** How a side is run. */
export interface RunOptions {
  readonly runtime: Runtime;
  readonly side: Side;
  readonly placement: Placement;
  /** How long it is measured each time. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
}

/** What one slice of time gave. */
export interface Run {
  readonly perSecond: number;
  readonly p50Micros?: number;
  /** CPU time of client and server together. */
  readonly cpuMicrosPerRequest: number;
}

/** Where the bundles for Bun and Node lie. */
const BUNDLES = ".build/bench";

const root = new URL("../", import.meta.url);

/** Bundles the entry points of a side for the runtimes that do not run TypeScript from a folder of modules. */
export async function bundle(side: Side | FileSide | BlockSide | ConnectionsSide): Promise<void> {
  for (const role of ["server", "client"]) {
    const output = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", "--quiet", "--platform", "deno", "-o", `${BUNDLES}/${side}_${role}.mjs`, `bench/${side}_${role}.ts`],
      cwd: root,
      stdout: "null",
      stderr: "inherit",
    }).output();
    if (!output.success) throw new Error(`Cannot bundle ${side}_${role}.ts`);
  }
}

/** The program of a runtime: what the task found, else what is on PATH. */
export function programOf(runtime: Runtime): string {
  if (runtime === "deno") return Deno.execPath();
  return Deno.env.get(`SPARKWIRE_${runtime.toUpperCase()}`) ?? runtime;
}

/** Whether a program can be run. */
export async function canRun(program: string, ...args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

/** A server and its client. */
export class Pair implements AsyncDisposable {
  readonly #server: BenchChild;
  readonly #client: BenchChild;
  readonly #plan: LoadPlan;
  readonly #both: AsyncDisposableStack;

  private constructor(server: BenchChild, client: BenchChild, plan: LoadPlan, both: AsyncDisposableStack) {
    this.#server = server;
    this.#client = client;
    this.#plan = plan;
    this.#both = both;
  }

  /** Starts both and warms them up. */
  static async start(workload: Workload, options: RunOptions): Promise<Pair> {
    const { kind, outstanding, bodyBytes } = workload;
    const smallObject = workload.smallObject && options.side === "sparkwire";
    const { seconds, warmUpSeconds } = options;
    const plan: LoadPlan = { kind, outstanding, bodyBytes, smallObject, seconds, warmUpSeconds };
    await using stack = new AsyncDisposableStack();
    const server = stack.use(new BenchChild(commandOf(options, "server")));
    const { port } = await server.next<ServerReady>();
    const client = stack.use(new BenchChild([...commandOf(options, "client"), JSON.stringify([port, plan])]));
    await client.next(warmUpSeconds);
    return new Pair(server, client, plan, stack.move());
  }

  /** Measures one slice. */
  async measure(): Promise<Run> {
    const before = await this.#server.request<ServerStats>("stats");
    const report = await this.#client.request<ClientReport>("go", this.#plan.seconds);
    const after = await this.#server.request<ServerStats>("stats");
    const handled = after.oneWayMessages - before.oneWayMessages;
    if (this.#plan.kind === "oneway" && handled !== report.requests) {
      throw new Error(`${report.requests} one-way messages were sent, but ${handled} were handled`);
    }
    return {
      perSecond: report.perSecond,
      ...(report.p50Micros === undefined ? {} : { p50Micros: report.p50Micros }),
      cpuMicrosPerRequest: report.cpuMicrosPerRequest + (after.cpuMicros - before.cpuMicros) / report.requests,
    };
  }

  /** Ends both, the client first. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#both.disposeAsync();
  }
}

/** How a process of a side is started. */
export function commandOf(
  { runtime, side, placement }: {
    readonly runtime: Runtime;
    readonly side: Side | FileSide | BlockSide | ConnectionsSide;
    readonly placement: Placement;
  },
  role: "server" | "client",
): string[] {
  const core = role === "client" && placement === "apart" ? "1" : "0";
  const pin = placement === "free" ? [] : ["taskset", "-c", core];
  const path = (file: string): string => new URL(file, root).pathname;
  if (runtime === "deno") return [...pin, programOf(runtime), "run", "-A", "--no-check", path(`bench/${side}_${role}.ts`)];
  return [...pin, programOf(runtime), path(`${BUNDLES}/${side}_${role}.mjs`)];
}
