/**
 * What the tests of the main job share: input, an independent count of it, and a driver with its executors.
 *
 * @module
 */
import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { type TestContext, until, within } from "../_harness.ts";
import type { TestProcess } from "../_process.ts";
import { type ExampleOptions, startExample, whyNot } from "./_example.ts";

/** The program under test. */
export const DRIVER = "examples/driver.ts";

/** Why the driver cannot be run here, if so: its job and its executors are bundles that the task makes. */
export const skip: string | undefined = whyNot(DRIVER) ??
  (process.env.SPARKWIRE_BUILD === undefined ? "only the task test bundles the job" : undefined);

/** How long a job may take on a busy machine. */
const JOB_DEADLINE_MS = 200_000;

/** What `--json` writes. */
export interface JobResult {
  readonly words: number;
  readonly distinct: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly top: readonly (readonly [string, number])[];
  readonly executors: readonly { readonly id: string; readonly runtime: string; readonly tasks: number }[];
}

/** Words that are awkward: of two cases, of several bytes, outside of the first plane, with marks that are no letters. */
const AWKWARD = [
  ...["Größe", "STRASSE", "ΟΔΥΣΣΕΎΣ", "İstanbul", "Привет", "漢字かな", "𝔘𝔫𝔦", "𐐀𐐨", "ﬁn", "don't", "e\u0301tude", "x1y2", "ǅ"],
  // Letters in Unicode 16 and not in 15: Garay, Todhri.
  ...["a\u{10d50}b", "\u{105c0}"],
];

/** Text of about so many bytes, which a seed decides: common words, rare ones, awkward ones. */
export function makeText(bytes: number, seed: number, { lines = true } = {}): string {
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
  const separators = lines ? [" ", " ", " ", ", ", "\n"] : [" ", ", ", "-"];
  const parts: string[] = [];
  for (let length = 0; length < bytes; length += parts.at(-2)!.length + parts.at(-1)!.length) {
    const kind = random(20);
    const rare = random(20_000).toString(26).replace(/\d/g, (digit) => "qrstuvwxyz"[Number(digit)]!);
    parts.push(kind === 0 ? AWKWARD[random(AWKWARD.length)]! : kind < 10 ? ["the", "The", "of", "and"][random(4)]! : rare);
    parts.push(separators[random(separators.length)]!);
  }
  return parts.join("");
}

/** Which of the letters of this runtime's own Unicode are none in 15.0; those that the input has, at least. */
const TOO_NEW = /[\u{10d40}-\u{10d8f}\u{105c0}-\u{105ff}]/u;

/** Counts the words of a text by regular expression: another way than the example's. */
export function countWords(text: string): Omit<JobResult, "seconds" | "executors" | "bytes"> {
  const counts = new Map<string, number>();
  let words = 0;
  for (const [run] of text.matchAll(/\p{L}+/gu)) {
    for (const word of run.split(TOO_NEW)) {
      if (word === "") continue;
      words++;
      counts.set(word.toLowerCase(), (counts.get(word.toLowerCase()) ?? 0) + 1);
    }
  }
  const top = [...counts].sort(([a, countA], [b, countB]) => countB - countA || compareUtf32(a, b));
  return { words, distinct: counts.size, top };
}

function compareUtf32(a: string, b: string): number {
  const [left, right] = [a, b].map((text) =>
    Array.from(text, (char) => char.codePointAt(0)!.toString(16).padStart(6, "0")).join()
  );
  return left! < right! ? -1 : left! > right! ? 1 : 0;
}

/** A job under way. */
export interface JobRun {
  readonly driver: TestProcess;
  /** Waits until the driver has said something like this, on standard error. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  /** Waits until an executor has registered; gives its process id. */
  registered(id: number): Promise<number>;
  /** Waits for the end. */
  ended(): Promise<number | null>;
  /** What it has written, which must not have failed. */
  result(): Promise<JobResult>;
}

/** Starts a driver, which writes its result to `folder`; whatever it has started ends with the test. */
export function startJob(
  context: TestContext,
  folder: string,
  args: readonly string[],
  options: ExampleOptions = {},
): JobRun {
  const json = join(folder, "result.json");
  const driver = startExample(context, DRIVER, ["--json", json, ...args], options);
  context.defer(() => {
    for (const [, pid] of driver.stderr.matchAll(/ has registered: process (\d+) /g)) killIfAlive(Number(pid));
  });
  const said = async (pattern: RegExp) => {
    let match: RegExpExecArray | null = null;
    await until(() => (match = pattern.exec(driver.stderr)) !== null, `${pattern}`, JOB_DEADLINE_MS).catch((error) => {
      throw new Error(`${error.message}\n${driver.stdout}\n${driver.stderr}`);
    });
    return match!;
  };
  const ended = () => within(driver.exited, "the end of the job", JOB_DEADLINE_MS);
  return {
    driver,
    said,
    ended,
    registered: async (id) => Number((await said(new RegExp(`Executor ${id} \\(\\w+\\) has registered: process (\\d+) `)))[1]),
    async result() {
      const code = await ended();
      if (code !== 0) throw new Error(`The driver ended with ${code}:\n${driver.stdout}\n${driver.stderr}`);
      return JSON.parse(await readFile(json, "utf8"));
    },
  };
}

/** Whether a process runs. One that has ended and was not waited for does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch (error) {
    // Where there is no /proc, the signal alone has to do.
    return (error as { code?: unknown }).code === "ENOENT" && !existsSync("/proc/self");
  }
}

function killIfAlive(pid: number): void {
  if (isAlive(pid)) process.kill(pid, "SIGKILL");
}

/** Which runtimes can be had here beside one another. */
export function mixedRuntimes(): string {
  return (["deno", "bun", "node"] as const).filter((name) => whyNot("examples/executor.ts", name) === undefined).join(",");
}
