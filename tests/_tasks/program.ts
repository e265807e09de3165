/**
 * Runs a program of the project on one runtime, with bundles of all others beside it.
 *
 * @module
 */
import { join } from "node:path";
import { projectRoot } from "../_project.ts";
import { bundle } from "./bundle.ts";
import { say } from "./console.ts";
import { programFiles } from "./entry_points.ts";
import { run } from "./run.ts";
import { findRuntime, type RuntimeName, testEnvironment } from "./runtimes.ts";

/** Long enough for any number of seeds or rounds that one asks for. */
const DEADLINE_MS = 24 * 60 * 60_000;

/**
 * Runs `entry` on the first of `runtimes`; it can start programs on the others.
 *
 * @returns Its exit code.
 */
export async function runProgram(
  entry: string,
  args: readonly string[],
  [first, ...others]: readonly [RuntimeName, ...RuntimeName[]],
): Promise<number> {
  const runtimes = await Promise.all([first, ...others].map(findRuntime));
  for (const runtime of runtimes) if (runtime.path === undefined) say(`${runtime.name} cannot be had: ${runtime.reason}`);
  const command = runtimes[0]?.path;
  if (command === undefined) return 1;
  if (first === "deno" && others.length === 0) {
    const path = join(projectRoot, entry);
    return (await run({ command, args: ["run", "-A", "--no-check", path, ...args] }, { deadlineMs: DEADLINE_MS })).code;
  }
  const made = await bundle([...new Set([entry, ...programFiles()])]);
  try {
    const start = first === "deno"
      ? ["run", "-A", "--no-check", join(projectRoot, entry)]
      : [...(first === "node" ? ["--enable-source-maps"] : []), join(projectRoot, made.pathOf(entry))];
    const env = testEnvironment(runtimes, made.folder);
    return (await run({ command, args: [...start, ...args] }, { env, deadlineMs: DEADLINE_MS })).code;
  } finally {
    await made[Symbol.asyncDispose]();
  }
}
