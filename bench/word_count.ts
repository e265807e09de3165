/**
 * The main job with two executors beside the same count in one process without us: `deno task bench words`.
 *
 * @module
 */

import { execFile } from "node:child_process";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs, promisify } from "node:util";
import { readArguments } from "../tests/_tasks/arguments.ts";
import { say } from "../tests/_tasks/console.ts";
import { commandFor, RUNTIME_NAMES, type RuntimeName } from "../tests/_entry_points.ts";
import { someOf, wholeNumber } from "./flags.ts";
import type { CountReport } from "./word_count_alone.ts";

/** How many times as fast the job has to be. */
const FLOOR = 1.3;
/** So that a MiB has as many different words as one of English. */
const VOCABULARY = 15_000;
const PIECE_BYTES = 1024 * 1024;
const DEADLINE_MS = 10 * 60_000;

const USAGE = `deno task bench words [FLAG…]
  --runtimes  ${RUNTIME_NAMES.join()}, or some of them
  --rounds    how often both sides count; 5 without
  --mib       how long the text is that is made; 1024 without
  --split     how many bytes an executor counts at once; 4194304 without
  --file      a text of your own`;

const options = readArguments(USAGE, (args) => {
  const { values } = parseArgs({
    args,
    options: {
      runtimes: { type: "string", default: RUNTIME_NAMES.join() },
      rounds: { type: "string", default: "5" },
      mib: { type: "string", default: "1024" },
      split: { type: "string", default: String(4 * 1024 * 1024) },
      file: { type: "string" },
    },
  });
  return {
    runtimes: someOf("--runtimes", values.runtimes, RUNTIME_NAMES),
    rounds: wholeNumber("--rounds", values.rounds),
    textBytes: wholeNumber("--mib", values.mib) * 1024 * 1024,
    splitBytes: wholeNumber("--split", values.split),
    file: values.file,
  };
});

/** Words by Zipf's law: the r-th most frequent one is r times as rare as the first. A seed decides all. */
async function writeText(path: string, bytes: number): Promise<void> {
  let state = 42;
  const random = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  const letters = (count: number): string =>
    Array.from({ length: count }, () => "etaoinshrdlucmfwypvbgkjq"[Math.floor(random() ** 2 * 24)]).join("");
  const vocabulary = Array.from(
    { length: VOCABULARY },
    (_, rank) => letters(2 + Math.floor(random() * (2 + 2 * Math.log10(rank + 1)))),
  );
  const file = await open(path, "w");
  for (let written = 0; written < bytes;) {
    let text = "";
    while (text.length < PIECE_BYTES) {
      const word = vocabulary[Math.floor(VOCABULARY ** random()) - 1] ?? "the";
      text += random() < 0.1 ? `${word[0]!.toUpperCase()}${word.slice(1)}` : word;
      text += random() < 0.1 ? ", " : random() < 0.08 ? ".\n" : " ";
    }
    written += (await file.write(new TextEncoder().encode(text))).bytesWritten;
  }
  await file.close();
}

/** Runs a program to its end. */
async function runProgram(entry: string, runtime: RuntimeName, args: readonly string[]): Promise<string> {
  const command = commandFor(entry, runtime);
  if (command === undefined) throw new Error(`${entry} cannot be run on ${runtime}`);
  return (await promisify(execFile)(command.command, [...command.args, ...args], { timeout: DEADLINE_MS })).stdout;
}

async function countAlone(runtime: RuntimeName, file: string): Promise<CountReport> {
  return JSON.parse(await runProgram("bench/word_count_alone.ts", runtime, [file]));
}

async function countWithExecutors(runtime: RuntimeName, file: string, folder: string): Promise<CountReport> {
  const json = join(folder, "result.json");
  await runProgram("examples/driver.ts", runtime, [
    "--input",
    file,
    "--executors",
    "2",
    "--split",
    String(options.splitBytes),
    "--json",
    json,
  ]);
  return JSON.parse(await readFile(json, "utf8"));
}

/** Both in turn; prints the best of each and gives their ratio. */
async function compare(runtime: RuntimeName, file: string, folder: string): Promise<number> {
  const alone: number[] = [];
  const ours: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const reports = [await countAlone(runtime, file), await countWithExecutors(runtime, file, folder)] as const;
    const [a, b] = reports.map(({ words, distinct }) => `${words} words, ${distinct} different`);
    if (a !== b) throw new Error(`One process finds ${a}, two executors ${b}`);
    alone.push(reports[0].seconds);
    ours.push(reports[1].seconds);
  }
  const [bestAlone, bestOurs] = [Math.min(...alone), Math.min(...ours)];
  const ratio = bestAlone / bestOurs;
  const spread = (all: readonly number[]) => `${Math.min(...all).toFixed(2)} s (${Math.max(...all).toFixed(2)})`;
  const verdict = ratio < FLOOR ? `BELOW ${FLOOR}` : `floor ${FLOOR}`;
  say(
    `${runtime.padEnd(5)} alone ${spread(alone)}  two executors ${spread(ours)}  ${ratio.toFixed(2)} times as fast  ${verdict}`,
  );
  return ratio;
}

const folder = await mkdtemp(join(tmpdir(), "sparkwire-bench-"));
try {
  const file = options.file ?? join(folder, "words.txt");
  if (options.file === undefined) await writeText(file, options.textBytes);
  for (const runtime of options.runtimes) {
    if (await compare(runtime, file, folder) < FLOOR) process.exitCode = 1;
  }
} finally {
  await rm(folder, { recursive: true });
}
