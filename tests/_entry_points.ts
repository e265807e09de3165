/**
 * The programs of this project that tests start as processes of their own, on any of the three runtimes.
 *
 * Deno runs the source, Bun and Node what `deno task test` has bundled; that task says where by environment variables.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { runtimeName } from "./_harness.ts";
import { projectRoot } from "./_project.ts";

/** A runtime's name. */
export type RuntimeName = typeof runtimeName;

/** The three of them. */
export const RUNTIME_NAMES: readonly RuntimeName[] = ["deno", "bun", "node"];

/** How to start a program; its own arguments are appended to `args`. */
export interface EntryCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * The path of a runtime's executable: the one that runs this test, or what the task `test` found.
 *
 * @returns Undefined if it cannot be had; the test says so and ends.
 */
export function runtimePath(runtime: RuntimeName): string | undefined {
  const found = process.env[`SPARKWIRE_${runtime.toUpperCase()}`];
  if (found !== undefined && found !== "") return found;
  return runtime === runtimeName ? process.execPath : undefined;
}

/**
 * The file in which a program lies for a runtime: its source for Deno, its bundle for the others.
 *
 * @param entry The path of its source below the project's root, such as `examples/echo.ts`.
 * @returns Undefined outside of the task `test`, where nothing is bundled.
 * @throws {Error} It is not among the entry points of `tests/_tasks/entry_points.ts`.
 */
export function entryPoint(entry: string, runtime: RuntimeName = runtimeName): string | undefined {
  const folder = process.env.SPARKWIRE_BUILD ?? "";
  if (runtime !== "deno" && folder === "") return undefined;
  const path = runtime === "deno" ? join(projectRoot, entry) : join(folder, entry.replace(/\.ts$/, ".js"));
  if (!existsSync(path)) throw new Error(`${path} is missing; is ${entry} an entry point?`);
  return path;
}

/**
 * The command that runs a program of this project on a runtime, which need not be the test's own.
 *
 * @returns Undefined if that runtime cannot be had; the test says so and ends.
 */
export function commandFor(entry: string, runtime: RuntimeName = runtimeName): EntryCommand | undefined {
  const command = runtimePath(runtime);
  const path = entryPoint(entry, runtime);
  if (command === undefined || path === undefined) return undefined;
  if (runtime === "deno") {
    return { command, args: ["run", "-A", "--no-check", "--config", join(projectRoot, "deno.json"), path] };
  }
  return { command, args: runtime === "node" ? ["--enable-source-maps", path] : [path] };
}
