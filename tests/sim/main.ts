// deno-lint-ignore-file no-console -- a program.
/**
 * Plays simulated clusters: `deno task sim [SEED] [--seeds N] [--hashes]`.
 *
 * A seed alone is played, and what happened is printed. With `--seeds`, so many are played from that seed on, or from a new one
 * if there is none; the first that fails ends it. `--hashes` prints the hash of each, by which two runtimes are compared.
 *
 * @module
 */

import process from "node:process";
import { parseArgs } from "node:util";
import type { Tally } from "./ledger.ts";
import { describePlan, runSeed, SeedFailure, type SeedResult } from "./simulation.ts";

/** How often the line of progress is written anew. */
const PROGRESS_MS = 500;

/** Fresh seeds are below this: short enough to be typed. */
const FRESH_SEEDS = 1_000_000_000;

/** Plays one seed and says what happened. */
async function playOne(seed: number): Promise<void> {
  const begun = performance.now();
  const { plan, hash, events, virtualMs, tally } = await runSeed(seed);
  console.log(`Seed ${seed}: ${describePlan(plan)}`);
  console.log(`Trace ${hash}: ${events} events in ${virtualMs.toFixed(1)} ms of virtual time`);
  console.log(describeTally(tally));
  console.log(`All is well, after ${Math.round(performance.now() - begun)} ms`);
}

/** Plays seeds from `first` on, and tells the hash of each. */
async function playForHashes(first: number, count: number): Promise<void> {
  for (let seed = first; seed < first + count; seed++) console.log(`${seed} ${(await runSeed(seed)).hash}`);
}

/** Plays seeds from `first` on. */
async function playMany(first: number, count: number): Promise<void> {
  const progress = new Progress(first, count);
  for (let seed = first; seed < first + count; seed++) progress.played(await runSeed(seed));
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
  #asks = 0;

  constructor(first: number, count: number) {
    this.#first = first;
    this.#count = count;
  }

  played({ events, tally }: SeedResult): void {
    this.#seeds++;
    this.#events += events;
    this.#asks += tally.asks;
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
      `Seeds ${this.#first} to ${last}: all is well; ${this.#events} events, ${this.#asks} asks in ${seconds.toFixed(1)} s ` +
        `(${Math.round(this.#events / seconds)} events/s)`,
    );
  }
}

function describeTally({ asks, answers, failures, sends, receipts, questions }: Tally): string {
  const failed = [...failures].map(([code, count]) => `, ${count} failed with ${code}`).join("");
  return `${asks} asks and look-ups: ${questions} reached an endpoint, ${answers} were answered${failed}\n` +
    `${sends} messages: ${receipts} arrived`;
}

/** A whole number on the command line. */
function numberOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new TypeError(`Expected a number, not ${text}`);
  return Number(text);
}

const { values, positionals } = parseArgs({
  options: { seeds: { type: "string" }, hashes: { type: "boolean" } },
  allowPositionals: true,
});
const count = numberOf(values.seeds);
const first = numberOf(positionals[0]) ?? Date.now() % FRESH_SEEDS;
try {
  if (values.hashes === true) await playForHashes(first, count ?? 1);
  else if (count === undefined) await playOne(first);
  else await playMany(first, count);
} catch (thrown) {
  if (!(thrown instanceof SeedFailure)) throw thrown;
  console.log(`${process.stdout.isTTY ? "\n" : ""}${thrown.message}`);
  process.exitCode = 1;
}
