/**
 * A file by `openChannel` beside a plain read-and-write loop of the same file over a raw socket: both sides in turn, in processes
 * of their own, best of rounds.
 *
 * `deno run -A bench/files.ts [--runtimes node,deno,bun] [--rounds 5] [--mib 256] [--times 4] [--pin free]`; README.md has the
 * method.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { BenchChild, killAll } from "./bench_child.ts";
import type { ServerReady, ServerStats } from "./bench_process.ts";
import type { FilePlan, FileReport } from "./file_client.ts";
import { bundle, canRun, commandOf, type FileSide, type Placement, programOf } from "./measure.ts";
import { type Runtime, RUNTIMES } from "./workloads.ts";

/** How much of the raw loop must be left. */
const FLOOR = 0.6;

const NAME = "file.bin";

interface Options {
  readonly runtimes: readonly Runtime[];
  readonly rounds: number;
  readonly bytes: number;
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
      rounds: { type: "string", default: "5" },
      mib: { type: "string", default: "256" },
      times: { type: "string", default: "4" },
      pin: { type: "string", default: "free" },
    },
  });
  const runtimes = RUNTIMES.filter((runtime) => values.runtimes.split(",").includes(runtime));
  const placement = (["free", "apart", "together"] as const).find((name) => name === values.pin);
  if (runtimes.length === 0 || placement === undefined) {
    throw new RangeError("--runtimes or --pin has a name that is not known");
  }
  return {
    runtimes,
    rounds: positive("--rounds", values.rounds),
    bytes: positive("--mib", values.mib) * 1024 * 1024,
    times: positive("--times", values.times),
    placement,
  };
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new RangeError(`${flag} must be a whole number above 0: ${text}`);
  return value;
}

async function measure(runtime: Runtime, side: FileSide, path: string, options: Options): Promise<Run> {
  const how = { runtime, side, placement: options.placement };
  const server = new BenchChild([...commandOf(how, "server"), path]);
  try {
    const { port } = await server.next<ServerReady>();
    const plan: FilePlan = { port, name: NAME, size: options.bytes, warmUp: 2, times: options.times };
    const client = new BenchChild([...commandOf(how, "client"), JSON.stringify(plan)]);
    try {
      await client.next(2);
      const before = await server.request<ServerStats>("stats");
      const report = await client.request<FileReport>("go", options.times);
      const after = await server.request<ServerStats>("stats");
      const gigabytes = options.bytes * options.times / 1e9;
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
async function compare(runtime: Runtime, path: string, options: Options): Promise<boolean> {
  const runs: Record<FileSide, Run[]> = { raw_file: [], sparkwire_file: [] };
  for (let round = 0; round < options.rounds; round++) {
    const order: FileSide[] = ["raw_file", "sparkwire_file"];
    // The first of a pair finds the machine in another state than the second.
    for (const side of round % 2 === 0 ? order : order.reverse()) runs[side].push(await measure(runtime, side, path, options));
  }
  const rates = (side: FileSide): number[] => runs[side].map((run) => run.gigabytesPerSecond).sort((a, b) => b - a);
  const cpu = (side: FileSide): number => Math.min(...runs[side].map((run) => run.cpuSecondsPerGigabyte));
  const [raw, ours] = [rates("raw_file"), rates("sparkwire_file")];
  const ratio = ours[0]! / raw[0]!;
  const cells = [
    runtime,
    `${raw[0]!.toFixed(2)} (${raw.at(-1)!.toFixed(2)})`,
    `${ours[0]!.toFixed(2)} (${ours.at(-1)!.toFixed(2)})`,
    ratio.toFixed(2),
    FLOOR.toFixed(2),
    ratio >= FLOOR ? "floor" : "BELOW",
    (cpu("raw_file") / cpu("sparkwire_file")).toFixed(2),
  ];
  say(`| ${cells.join(" | ")} |`);
  return ratio >= FLOOR;
}

async function main(options: Options): Promise<boolean> {
  const folder = await Deno.makeTempDir({ prefix: "sparkwire-bench-" });
  try {
    const path = `${folder}/${NAME}`;
    const file = await Deno.open(path, { write: true, createNew: true });
    const piece = new Uint8Array(1024 * 1024).map((_, i) => (i * 131) ^ (i >> 8));
    for (let written = 0; written < options.bytes;) written += await file.write(piece);
    file.close();
    for (const side of ["raw_file", "sparkwire_file"] as const) await bundle(side);
    say("| runtime | raw, GB/s best (worst) | ours best (worst) | ours ÷ raw | floor | | by CPU |");
    say("| - | -: | -: | -: | -: | - | -: |");
    let holds = true;
    for (const runtime of options.runtimes) {
      if (!await canRun(programOf(runtime), "--version")) say(`${runtime} cannot be run and is left out`);
      else holds = await compare(runtime, path, options) && holds;
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
