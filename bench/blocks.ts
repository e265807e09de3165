/**
 * Blocks beside a raw socket that moves the same bytes: 64 chunks of 4 MiB and one stream out of memory, one stream out of a file.
 *
 * `deno run -A bench/blocks.ts [--runtimes node,deno,bun] [--workloads chunks,stream,file] [--rounds 5] [--times 4] [--pin free]`;
 * README.md has the method.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { BenchChild, killAll } from "./bench_child.ts";
import type { ServerReady, ServerStats } from "./bench_process.ts";
import { ALL_BYTES, allBytes, BLOCK_FLOORS, type BlockWorkload, isBlockWorkload } from "./block_plan.ts";
import type { FilePlan, FileReport } from "./file_client.ts";
import { type BlockSide, bundle, canRun, commandOf, type Placement, programOf } from "./measure.ts";
import { type Runtime, RUNTIMES } from "./workloads.ts";

interface Options {
  readonly runtimes: readonly Runtime[];
  readonly workloads: readonly BlockWorkload[];
  readonly rounds: number;
  readonly times: number;
  readonly placement: Placement;
}

/** What one run gave. */
interface Run {
  readonly gigabytesPerSecond: number;
  /** CPU time of server and client together, per GB. */
  readonly cpuSecondsPerGigabyte: number;
}

function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: args[0] === "--" ? args.slice(1) : [...args],
    options: {
      runtimes: { type: "string", default: RUNTIMES.join() },
      workloads: { type: "string", default: Object.keys(BLOCK_FLOORS).join() },
      rounds: { type: "string", default: "5" },
      times: { type: "string", default: "4" },
      pin: { type: "string", default: "free" },
    },
  });
  const runtimes = RUNTIMES.filter((runtime) => values.runtimes.split(",").includes(runtime));
  const workloads = values.workloads.split(",").filter(isBlockWorkload);
  const placement = (["free", "apart", "together"] as const).find((name) => name === values.pin);
  const [rounds, times] = [Number(values.rounds), Number(values.times)];
  if (runtimes.length === 0 || workloads.length === 0 || placement === undefined || !(rounds >= 1) || !(times >= 1)) {
    throw new RangeError("A name is not known, or a number is below 1");
  }
  return { runtimes, workloads, rounds, times, placement };
}

async function measure(
  runtime: Runtime,
  side: BlockSide,
  workload: BlockWorkload,
  folder: string,
  options: Options,
): Promise<Run> {
  const how = { runtime, side, placement: options.placement };
  const server = new BenchChild([...commandOf(how, "server"), workload, folder]);
  try {
    const { port } = await server.next<ServerReady>();
    const plan: FilePlan = { port, name: workload, size: ALL_BYTES, warmUp: 2, times: options.times };
    const client = new BenchChild([...commandOf(how, "client"), JSON.stringify(plan)]);
    try {
      await client.next(2);
      const before = await server.request<ServerStats>("stats");
      const report = await client.request<FileReport>("go", options.times);
      const after = await server.request<ServerStats>("stats");
      const gigabytes = ALL_BYTES * options.times / 1e9;
      const cpuSeconds = (report.cpuMicros + after.cpuMicros - before.cpuMicros) / 1e6;
      return { gigabytesPerSecond: gigabytes / report.seconds, cpuSecondsPerGigabyte: cpuSeconds / gigabytes };
    } finally {
      await client[Symbol.asyncDispose]();
    }
  } finally {
    await server[Symbol.asyncDispose]();
  }
}

/** Whether the floor holds. */
async function compare(runtime: Runtime, workload: BlockWorkload, folder: string, options: Options): Promise<boolean> {
  const runs: Record<BlockSide, Run[]> = { raw_blocks: [], sparkwire_blocks: [] };
  for (let round = 0; round < options.rounds; round++) {
    const order: BlockSide[] = ["raw_blocks", "sparkwire_blocks"];
    // The first of a pair finds the machine in another state than the second.
    for (const side of round % 2 === 0 ? order : order.reverse()) {
      runs[side].push(await measure(runtime, side, workload, folder, options));
    }
  }
  const rates = (side: BlockSide): number[] => runs[side].map((run) => run.gigabytesPerSecond).sort((a, b) => b - a);
  const cpu = (side: BlockSide): number => Math.min(...runs[side].map((run) => run.cpuSecondsPerGigabyte));
  const [raw, ours] = [rates("raw_blocks"), rates("sparkwire_blocks")];
  const ratio = ours[0]! / raw[0]!;
  const floor = BLOCK_FLOORS[workload];
  const cells = [
    runtime,
    workload,
    `${raw[0]!.toFixed(2)} (${raw.at(-1)!.toFixed(2)})`,
    `${ours[0]!.toFixed(2)} (${ours.at(-1)!.toFixed(2)})`,
    ratio.toFixed(2),
    floor.toFixed(2),
    ratio >= floor ? "floor" : "BELOW",
    (cpu("raw_blocks") / cpu("sparkwire_blocks")).toFixed(2),
  ];
  say(`| ${cells.join(" | ")} |`);
  return ratio >= floor;
}

async function main(options: Options): Promise<boolean> {
  const folder = await Deno.makeTempDir({ prefix: "sparkwire-bench-" });
  try {
    if (options.workloads.includes("file")) await Deno.writeFile(`${folder}/file`, allBytes());
    for (const side of ["raw_blocks", "sparkwire_blocks"] as const) await bundle(side);
    say("| runtime | workload | raw, GB/s best (worst) | ours best (worst) | ours ÷ raw | floor | | by CPU |");
    say("| - | - | -: | -: | -: | -: | - | -: |");
    let holds = true;
    for (const runtime of options.runtimes) {
      if (!await canRun(programOf(runtime), "--version")) {
        say(`${runtime} cannot be run and is left out`);
        continue;
      }
      for (const workload of options.workloads) holds = await compare(runtime, workload, folder, options) && holds;
    }
    return holds;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

Deno.addSignalListener("SIGINT", () => {
  killAll();
  Deno.exit(130);
});
Deno.exit(await main(readOptions(Deno.args)) ? 0 : 1);
