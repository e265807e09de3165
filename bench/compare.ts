/**
 * The comparison with the raw echo: both sides in turn, in processes of their own, best of all slices of time.
 *
 * README.md has the method.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { readArguments } from "../tests/_tasks/arguments.ts";
import { say } from "../tests/_tasks/console.ts";
import { killAll } from "./bench_child.ts";
import { aboveZero, oneOf, someOf, wholeNumber } from "./flags.ts";
import { bundle, canRun, Pair, type Placement, programOf, type Run, type Side } from "./measure.ts";
import { type Comparison, json, judge, table } from "./report.ts";
import { type Runtime, RUNTIMES, type Workload, WORKLOADS } from "./workloads.ts";

/** A wake-up of the other core that costs more than this many times a turn on one core hides what code costs. */
const DEAR_WAKE_UP = 1.5;

const WORKLOAD_NAMES = WORKLOADS.map(({ name }) => name);

const USAGE = `deno task bench compare [FLAG…]
  --runtimes   ${RUNTIMES.join()}, or some of them
  --workloads  ${WORKLOAD_NAMES.join()}, or some of them
  --rounds     how often processes are started anew; 5 without
  --slices     how often each side is measured in a round; 8 without
  --seconds    how long each side is measured in a round; 1 without
  --warm-up    how many seconds are not measured; 3 without
  --pin        method, apart, together or free
  --json       a file for all that was measured
  --side       sparkwire, or raw_echo to see how much of a ratio is noise`;

interface Options {
  readonly runtimes: readonly Runtime[];
  readonly workloads: readonly Workload[];
  /** How often processes are started anew. */
  readonly rounds: number;
  /** How often each side is measured in a round. */
  readonly slices: number;
  /** How long each side is measured in a round, in all. */
  readonly seconds: number;
  /** Compilers need 2.5 s on Bun until small objects are as fast as they get. */
  readonly warmUpSeconds: number;
  /** Where processes run; undefined as the method says: round trips apart, others free. */
  readonly pin: Placement | undefined;
  readonly json: string | undefined;
  /** What is compared with the raw echo: the raw echo itself shows how much of a ratio is noise. */
  readonly side: Side;
}

function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      runtimes: { type: "string", default: RUNTIMES.join() },
      workloads: { type: "string", default: WORKLOAD_NAMES.join() },
      rounds: { type: "string", default: "5" },
      slices: { type: "string", default: "8" },
      seconds: { type: "string", default: "1" },
      "warm-up": { type: "string", default: "3" },
      pin: { type: "string", default: "method" },
      json: { type: "string" },
      side: { type: "string", default: "sparkwire" },
    },
  });
  const pin = oneOf("--pin", values.pin, ["method", "apart", "together", "free"] as const);
  return {
    runtimes: someOf("--runtimes", values.runtimes, RUNTIMES),
    workloads: someOf("--workloads", values.workloads, WORKLOAD_NAMES).map((name) => WORKLOADS[WORKLOAD_NAMES.indexOf(name)]!),
    rounds: wholeNumber("--rounds", values.rounds),
    slices: wholeNumber("--slices", values.slices),
    seconds: aboveZero("--seconds", values.seconds),
    warmUpSeconds: aboveZero("--warm-up", values["warm-up"]),
    pin: pin === "method" ? undefined : pin,
    json: values.json,
    side: oneOf("--side", values.side, ["sparkwire", "raw_echo"] as const),
  };
}

async function main(options: Options): Promise<boolean> {
  const runtimes: Runtime[] = [];
  for (const runtime of options.runtimes) {
    if (await canRun(programOf(runtime), "--version")) runtimes.push(runtime);
    else say(`${runtime} cannot be run and is left out`);
  }
  const pinnable = await canRun("taskset", "-c", "0,1", "true");
  if (!pinnable) say("taskset cannot pin to cores 0 and 1: nothing is pinned, and round trips depend on luck");
  if (options.side === "sparkwire") await (await import("./frame_check.ts")).checkFrames();
  if (runtimes.some((runtime) => runtime !== "deno")) {
    for (const side of new Set<Side>(["raw_echo", options.side])) await bundle(side);
  }
  if (pinnable && runtimes[0] !== undefined) await sayWakeUpCost(runtimes[0]);

  const comparisons: Comparison[] = [];
  for (const workload of options.workloads) {
    for (const runtime of runtimes) {
      const placement = pinnable ? options.pin ?? (workload.kind === "roundtrip" ? "apart" : "free") : "free";
      comparisons.push(await compare(workload, runtime, placement, options));
    }
  }
  const measured = `${options.slices} slices in each of ${options.rounds} rounds`;
  say(`\nBest of ${measured}; ours is ${options.side}.\n\n${table(comparisons)}`);
  if (options.json !== undefined) await Deno.writeTextFile(options.json, json(comparisons));
  return comparisons.every((comparison) => judge(comparison).mark !== "BELOW");
}

/** Both sides in turn, each first in every other slice, so that a slow spell of the machine meets both. */
async function compare(workload: Workload, runtime: Runtime, placement: Placement, options: Options): Promise<Comparison> {
  const raw: Run[] = [];
  const ours: Run[] = [];
  const { slices, warmUpSeconds } = options;
  const base = { runtime, placement, seconds: options.seconds / slices, warmUpSeconds };
  for (let round = 0; round < options.rounds; round++) {
    await using rawPair = await Pair.start(workload, { ...base, side: "raw_echo" });
    await using ourPair = await Pair.start(workload, { ...base, side: options.side });
    const measureRaw = async (): Promise<unknown> => raw.push(await rawPair.measure());
    const measureOurs = async (): Promise<unknown> => ours.push(await ourPair.measure());
    for (let slice = 0; slice < slices; slice++) {
      for (const measure of slice % 2 === 0 ? [measureRaw, measureOurs] : [measureOurs, measureRaw]) await measure();
    }
  }
  const comparison = { runtime, workload, placement, raw, ours };
  const { ratio, mark } = judge(comparison);
  say(`${runtime}, ${workload.title}: ${ratio.toFixed(2)} ${mark}`);
  return comparison;
}

/** Says what a wake-up across cores costs here, for with few requests outstanding nothing else may be measured. */
async function sayWakeUpCost(runtime: Runtime): Promise<void> {
  const workload = WORKLOADS.find(({ kind }) => kind === "roundtrip")!;
  const p50 = async (placement: Placement): Promise<number> => {
    await using pair = await Pair.start(workload, { runtime, side: "raw_echo", placement, seconds: 0.3, warmUpSeconds: 0.3 });
    return (await pair.measure()).p50Micros!;
  };
  const together = await p50("together");
  const apart = await p50("apart");
  say(`A raw round trip on ${runtime} takes ${together.toFixed(1)} µs on one core, ${apart.toFixed(1)} µs on two.`);
  if (apart > together * DEAR_WAKE_UP) {
    say(
      "Waking the other core is dear here and flatters every ratio with few outstanding: measure with --pin together too.",
    );
  }
}

Deno.addSignalListener("SIGINT", () => {
  killAll();
  Deno.exit(130);
});
if (!await main(readArguments(USAGE, readOptions))) Deno.exitCode = 1;
