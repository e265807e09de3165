/**
 * Task `bench`: `deno task bench` runs all, `deno task bench micro [FILTER…]` what `deno bench` measures in one process,
 * `deno task bench compare [ARG…]` the comparison of two processes with the raw echo, on all runtimes,
 * `deno task bench files [ARG…]` that of a file by openChannel with a raw socket, `deno task bench blocks [ARG…]` that of blocks;
 * `deno task bench words [ARG…]` counts words with two executors and alone, `deno task bench connections [ARG…]` tells what
 * connections cost.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../_project.ts";
import { readArguments, taskArguments } from "./arguments.ts";
import { say } from "./console.ts";
import { benchFiles } from "./entry_points.ts";
import { runProgram } from "./program.ts";
import { run } from "./run.ts";

/** The comparisons of processes, by the name of their part. */
const COMPARISONS: Readonly<Record<string, string>> = {
  compare: "bench/compare.ts",
  files: "bench/files.ts",
  blocks: "bench/blocks.ts",
  words: "bench/word_count.ts",
  connections: "bench/connections.ts",
};
const DEADLINE_MS = 60 * 60_000;

async function micro(filters: readonly string[]): Promise<number> {
  const files = benchFiles().filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));
  if (files.length === 0) {
    say(`No file bench/*_bench.ts${filters.length === 0 ? "" : ` with ${filters.join(" or ")} in its path`}`);
    return filters.length === 0 ? 0 : 1;
  }
  const args = ["bench", "-A", "--no-check", ...files];
  return (await run({ command: Deno.execPath(), args }, { cwd: projectRoot, deadlineMs: DEADLINE_MS })).code;
}

async function compare(program: string, args: readonly string[]): Promise<number> {
  if (existsSync(join(projectRoot, program))) return await runProgram(program, args, ["deno", "bun", "node"]);
  say(`${program} is missing`);
  return 1;
}

const USAGE = `deno task bench [micro [FILTER…] | ${Object.keys(COMPARISONS).join(" | ")}] [ARG…]
  micro        what deno bench measures in one process
  compare      a whole ask and the raw echo, in two processes
  files        a file by openChannel and over a raw socket
  blocks       chunks and streams, and the same bytes over a raw socket
  words        words counted with two executors, and alone
  connections  what connections cost
Each comparison tells its flags with --help; without any part, all of them run.`;

function readPart([part, ...rest]: string[]): readonly [part: string | undefined, rest: readonly string[]] {
  if (part === undefined || part === "micro" || Object.hasOwn(COMPARISONS, part)) return [part, rest];
  throw new TypeError(`There is no part ${part}`);
}

// A comparison is asked itself how it is used.
const args = taskArguments(Deno.args);
const [part, rest] = Object.hasOwn(COMPARISONS, args[0] ?? "") ? readPart(args) : readArguments(USAGE, readPart);
if (part === undefined) {
  let code = await micro([]);
  for (const program of Object.values(COMPARISONS)) code = Math.max(code, await compare(program, []));
  Deno.exit(code);
}
Deno.exit(part === "micro" ? await micro(rest) : await compare(COMPARISONS[part]!, rest));
