/**
 * Bytes that one process serves and another fetches, by us and by a raw socket in turn: best of rounds, and a line of a table.
 *
 * @module
 */

import { say } from "../tests/_tasks/console.ts";
import { BenchChild, killAll } from "./bench_child.ts";
import type { ServerReady, ServerStats } from "./bench_process.ts";
import type { FilePlan, FileReport } from "./file_client.ts";
import { oneOf, someOf, wholeNumber } from "./flags.ts";
import { type BlockSide, bundle, canRun, commandOf, type FileSide, type Placement, programOf } from "./measure.ts";
import { type Runtime, RUNTIMES } from "./workloads.ts";

/** A program of either kind. */
type BulkSide = BlockSide | FileSide;

/** Flags that every comparison of this kind has, for `parseArgs`. */
export const BULK_FLAGS = {
  runtimes: { type: "string", default: RUNTIMES.join() },
  rounds: { type: "string", default: "5" },
  times: { type: "string", default: "4" },
  pin: { type: "string", default: "free" },
} as const;

/** What they mean. */
export const BULK_USAGE = `
  --runtimes   ${RUNTIMES.join()}, or some of them
  --rounds     how often processes are started anew; 5 without
  --times      how many fetches are timed in a round; 4 without
  --pin        free, apart or together`;

/** What those flags say. */
export interface BulkOptions {
  readonly runtimes: readonly Runtime[];
  readonly rounds: number;
  /** How many fetches are timed in a round. */
  readonly times: number;
  readonly placement: Placement;
}

/** What is compared. */
export interface BulkWorkload {
  /** What the table calls it, and what the client asks for. */
  readonly name: string;
  readonly bytes: number;
  /** What is left of the raw rate if the floor holds; undefined where there is none. */
  readonly floor: number | undefined;
  readonly raw: BulkSide;
  readonly ours: BulkSide;
  /** What both servers are told. */
  readonly serverArgs: readonly string[];
}

/** What one run gave. */
interface Run {
  readonly gigabytesPerSecond: number;
  /** CPU time of server and client together, per GB. */
  readonly cpuSecondsPerGigabyte: number;
}

/** Reads what {@linkcode BULK_FLAGS} gave. */
export function readBulkOptions(values: Readonly<Record<keyof typeof BULK_FLAGS, string>>): BulkOptions {
  return {
    runtimes: someOf("--runtimes", values.runtimes, RUNTIMES),
    rounds: wholeNumber("--rounds", values.rounds),
    times: wholeNumber("--times", values.times),
    placement: oneOf("--pin", values.pin, ["free", "apart", "together"]),
  };
}

/** Compares all workloads on all runtimes, and says a table. Returns whether every floor holds. */
export async function compareBulk(workloads: readonly BulkWorkload[], options: BulkOptions): Promise<boolean> {
  for (const side of new Set(workloads.flatMap(({ raw, ours }) => [raw, ours]))) await bundle(side);
  say("| runtime | workload | raw, GB/s best (worst) | ours best (worst) | ours ÷ raw | floor | | by CPU |");
  say("| - | - | -: | -: | -: | -: | - | -: |");
  let holds = true;
  for (const runtime of options.runtimes) {
    if (!await canRun(programOf(runtime), "--version")) {
      say(`${runtime} cannot be run and is left out`);
      continue;
    }
    for (const workload of workloads) holds = await compare(runtime, workload, options) && holds;
  }
  return holds;
}

/** Runs a comparison as a program: its exit code says whether every floor holds, and Ctrl-C leaves no process. */
export async function runBulk(compareAll: (folder: string) => Promise<boolean>): Promise<never> {
  Deno.addSignalListener("SIGINT", () => {
    killAll();
    Deno.exit(130);
  });
  const folder = await Deno.makeTempDir({ prefix: "sparkwire-bench-" });
  let holds: boolean;
  try {
    holds = await compareAll(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  Deno.exit(holds ? 0 : 1);
}

async function compare(runtime: Runtime, workload: BulkWorkload, options: BulkOptions): Promise<boolean> {
  const raw: Run[] = [];
  const ours: Run[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const order = [[workload.raw, raw], [workload.ours, ours]] as const;
    // The first of a pair finds the machine in another state than the second.
    for (const [side, runs] of round % 2 === 0 ? order : order.toReversed()) {
      runs.push(await measure(runtime, side, workload, options));
    }
  }
  const ratio = best(ours) / best(raw);
  const holds = workload.floor === undefined || ratio >= workload.floor;
  const cells = [
    runtime,
    workload.name,
    `${best(raw).toFixed(2)} (${worst(raw).toFixed(2)})`,
    `${best(ours).toFixed(2)} (${worst(ours).toFixed(2)})`,
    ratio.toFixed(2),
    workload.floor?.toFixed(2) ?? "",
    workload.floor === undefined ? "" : holds ? "floor" : "BELOW",
    (leastCpu(raw) / leastCpu(ours)).toFixed(2),
  ];
  say(`| ${cells.join(" | ")} |`);
  return holds;
}

async function measure(
  runtime: Runtime,
  side: BulkSide,
  { name, bytes, serverArgs }: BulkWorkload,
  { placement, times }: BulkOptions,
): Promise<Run> {
  const how = { runtime, side, placement };
  const server = new BenchChild([...commandOf(how, "server"), ...serverArgs]);
  try {
    const { port } = await server.next<ServerReady>();
    const plan: FilePlan = { port, name, size: bytes, warmUp: 2, times };
    const client = new BenchChild([...commandOf(how, "client"), JSON.stringify(plan)]);
    try {
      await client.next(2);
      const before = await server.request<ServerStats>("stats");
      const report = await client.request<FileReport>("go", times);
      const after = await server.request<ServerStats>("stats");
      const gigabytes = bytes * times / 1e9;
      const cpuSeconds = (report.cpuMicros + after.cpuMicros - before.cpuMicros) / 1e6;
      return { gigabytesPerSecond: gigabytes / report.seconds, cpuSecondsPerGigabyte: cpuSeconds / gigabytes };
    } finally {
      await client[Symbol.asyncDispose]();
    }
  } finally {
    await server[Symbol.asyncDispose]();
  }
}

const best = (runs: readonly Run[]): number => Math.max(...runs.map((run) => run.gigabytesPerSecond));
const worst = (runs: readonly Run[]): number => Math.min(...runs.map((run) => run.gigabytesPerSecond));
const leastCpu = (runs: readonly Run[]): number => Math.min(...runs.map((run) => run.cpuSecondsPerGigabyte));
