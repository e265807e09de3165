// deno-lint-ignore-file no-console -- a program.
/**
 * Plays simulated clusters: `deno task sim [SEED] [--seeds N] [--hashes] [--job | --blocks]`.
 *
 * A seed alone is played, and what happened is printed. With `--seeds`, so many are played from that seed on, or from a new one
 * if there is none; the first that fails ends it. `--hashes` prints the hash of each, by which two runtimes are compared. With
 * `--job` it is a driver and its executors that are played, with `--blocks` a server of blocks and its clients.
 *
 * @module
 */

import process from "node:process";
import { parseArgs } from "node:util";
import type { Tally } from "./ledger.ts";
import { describeJobPlan } from "./job/job_plan.ts";
import { BlocksFailure, describeBlocksPlan, runBlocks } from "./blocks/run_blocks.ts";
import { JobFailure, type JobResult, runJob } from "./job/run_job.ts";
import { describePlan, runSeed, SeedFailure } from "./simulation.ts";

const OPTIONS = {
  seeds: { type: "string" },
  hashes: { type: "boolean" },
  job: { type: "boolean" },
  blocks: { type: "boolean" },
  // It runs there already.
  runtime: { type: "string" },
} as const;

/** How often the line of progress is written anew. */
const PROGRESS_MS = 500;

/** Fresh seeds are below this: short enough to be typed. */
const FRESH_SEEDS = 1_000_000_000;

/** What came of a seed, for people. */
interface Played {
  readonly description: string;
  readonly hash: string;
  readonly events: number;
  readonly virtualMs: number;
  /** What happened, in numbers. */
  readonly summary: string;
}

type Play = (seed: number) => Promise<Played>;

async function playCluster(seed: number): Promise<Played> {
  const { plan, tally, ...result } = await runSeed(seed);
  return { ...result, description: describePlan(plan), summary: describeTally(tally) };
}

async function playJob(seed: number): Promise<Played> {
  const result = await runJob(seed);
  const { hash, events, virtualMs } = result;
  return { hash, events, virtualMs, description: describeJobPlan(result.plan), summary: describeJob(result) };
}

async function playBlocks(seed: number): Promise<Played> {
  const { plan, hash, events, virtualMs, succeeded, failed, aborted } = await runBlocks(seed);
  const summary = `${succeeded} blocks were transferred, ${failed} failed, ${aborted} were given up`;
  return { hash, events, virtualMs, description: describeBlocksPlan(plan), summary };
}

/** Plays one seed and says what happened. */
async function playOne(play: Play, seed: number): Promise<void> {
  const begun = performance.now();
  const { description, hash, events, virtualMs, summary } = await play(seed);
  console.log(`Seed ${seed}: ${description}`);
  console.log(`Trace ${hash}: ${events} events in ${virtualMs.toFixed(1)} ms of virtual time`);
  console.log(summary);
  console.log(`All is well, after ${Math.round(performance.now() - begun)} ms`);
}

/** Plays seeds from `first` on, and tells the hash of each. */
async function playForHashes(play: Play, first: number, count: number): Promise<void> {
  for (let seed = first; seed < first + count; seed++) console.log(`${seed} ${(await play(seed)).hash}`);
}

/** Plays seeds from `first` on. */
async function playMany(play: Play, first: number, count: number): Promise<void> {
  const progress = new Progress(first, count);
  for (let seed = first; seed < first + count; seed++) progress.played(await play(seed));
  progress.end();
}

/** Counts, and says how far it is where somebody looks on. */
class Progress {
  readonly #first: number;
  readonly #count: number;
  readonly #begun = performance.now();
  #saidAt = -Infinity;
  #seeds = 0;
  #events = 0;

  constructor(first: number, count: number) {
    this.#first = first;
    this.#count = count;
  }

  played({ events }: Played): void {
    this.#seeds++;
    this.#events += events;
    const now = performance.now();
    if (!process.stdout.isTTY || now - this.#saidAt < PROGRESS_MS) return;
    this.#saidAt = now;
    process.stdout.write(`\r${this.#seeds} of ${this.#count} seeds, ${this.#events} events `);
  }

  end(): void {
    if (process.stdout.isTTY) process.stdout.write("\r");
    const seconds = (performance.now() - this.#begun) / 1000;
    const last = this.#first + this.#count - 1;
    console.log(
      `Seeds ${this.#first} to ${last}: all is well; ${this.#events} events in ${seconds.toFixed(1)} s ` +
        `(${Math.round(this.#events / seconds)} events/s)`,
    );
  }
}

function describeTally({ asks, answers, failures, sends, receipts, questions }: Tally): string {
  const failed = [...failures].map(([code, count]) => `, ${count} failed with ${code}`).join("");
  return `${asks} asks and look-ups: ${questions} reached an endpoint, ${answers} were answered${failed}\n` +
    `${sends} messages: ${receipts} arrived`;
}

function describeJob({ outcome, executors, expired, lost, ignoredUpdates }: JobResult): string {
  const end = outcome === undefined ? "The driver was killed" : outcome.ok ? "The job was done" : outcome.error;
  const exits = executors.map(({ id, exit }) => `${id} ${exit}`).join(", ");
  return `${end}; ${lost.size} executors were lost, ${expired.size} of them by silence, whose ${ignoredUpdates} results were ignored\n` +
    `Executors: ${exits}`;
}

/** A whole number on the command line. */
function numberOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new TypeError(`Expected a number, not ${text}`);
  return Number(text);
}

/** What is to be played; undefined if that makes no sense, which has been said. */
function readArguments() {
  try {
    const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
    const first = numberOf(positionals[0]) ?? Date.now() % FRESH_SEEDS;
    const count = numberOf(values.seeds);
    // No seeds would be all well.
    if (count === 0) throw new TypeError("Expected one seed or more, not 0");
    if (values.job === true && values.blocks === true) throw new TypeError("Expected one of --job and --blocks, not both");
    return { values, first, count };
  } catch (error) {
    console.error(`sim: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 2;
    return undefined;
  }
}

async function main(): Promise<void> {
  const read = readArguments();
  if (read === undefined) return;
  const { values, first, count } = read;
  const play = values.job === true ? playJob : values.blocks === true ? playBlocks : playCluster;
  try {
    if (values.hashes === true) await playForHashes(play, first, count ?? 1);
    else if (count === undefined) await playOne(play, first);
    else await playMany(play, first, count);
  } catch (thrown) {
    if (!(thrown instanceof SeedFailure || thrown instanceof JobFailure || thrown instanceof BlocksFailure)) throw thrown;
    console.log(`${process.stdout.isTTY ? "\n" : ""}${thrown.message}`);
    process.exitCode = 1;
  }
}

await main();
