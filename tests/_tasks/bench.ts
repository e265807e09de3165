/**
 * Task `bench`: `deno task bench` runs both, `deno task bench micro [FILTER…]` what `deno bench` measures in one process,
 * `deno task bench compare [ARG…]` the comparison of two processes with the raw echo, on all runtimes.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../_project.ts";
import { taskArguments } from "./arguments.ts";
import { say } from "./console.ts";
import { benchFiles } from "./entry_points.ts";
import { runProgram } from "./program.ts";
import { run } from "./run.ts";

const COMPARISON = "bench/compare.ts";
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

async function compare(args: readonly string[]): Promise<number> {
  if (existsSync(join(projectRoot, COMPARISON))) return await runProgram(COMPARISON, args, ["deno", "bun", "node"]);
  say(`${COMPARISON} is missing`);
  return 1;
}

const [part, ...rest] = taskArguments(Deno.args);
if (part === undefined) Deno.exit(Math.max(await micro([]), await compare([])));
else if (part === "micro") Deno.exit(await micro(rest));
else if (part === "compare") Deno.exit(await compare(rest));
throw new TypeError(`deno task bench [micro [FILTER…] | compare [ARG…]], not ${part}`);
