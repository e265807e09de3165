/**
 * The runtimes, and how a program of this folder is started on each.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { basename, delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** A runtime's name. */
export type RuntimeName = "deno" | "bun" | "node";

/** All of them. */
export const RUNTIME_NAMES: readonly RuntimeName[] = ["deno", "bun", "node"];

/** The runtime of this process. */
export const ownRuntime: RuntimeName = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";

/** Whether it is one of the three. */
export function isRuntimeName(name: string): name is RuntimeName {
  return RUNTIME_NAMES.some((known) => known === name);
}

/** By default engines let their heap grow by what the machine has. A stream does well with little, at a tenth less speed. */
const HEAP_FLAGS = ["--heap-growing-percent=40", "--max-semi-space-size=8"];

/** What goes before a program. */
const RUN_ARGS: Readonly<Record<RuntimeName, readonly string[]>> = {
  deno: ["run", "-A", "--no-check", `--v8-flags=${HEAP_FLAGS.join(",")}`],
  bun: [],
  node: HEAP_FLAGS,
};

/** A program and its first arguments. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * How to start a program that lies beside another one.
 *
 * Deno runs sources; Bun and Node want bundles, since `@std/streams` is nothing that they find. Whoever has made them says where
 * they are by the variable SPARKWIRE_BUILD, and by SPARKWIRE_DENO, SPARKWIRE_BUN and SPARKWIRE_NODE where a runtime is that is
 * not on PATH. From a bundle, all runtimes run the bundle beside it.
 *
 * @param name The program, such as `executor`.
 * @param beside The URL of the program that asks.
 * @throws {Error} The runtime or the program is not there; the message says which.
 */
export function commandFor(name: string, beside: string, runtime: RuntimeName): Command {
  const command = findRuntime(runtime);
  if (command === undefined) {
    throw new Error(`There is no ${runtime} on PATH, nor does SPARKWIRE_${runtime.toUpperCase()} say where`);
  }
  const isSource = beside.endsWith(".ts");
  const folder = process.env.SPARKWIRE_BUILD;
  let path = fileURLToPath(new URL(isSource ? `./${name}.ts` : `./${name}.js`, beside));
  if (isSource && runtime !== "deno") {
    if (folder === undefined) throw new Error(`${runtime} wants a bundle of ${name}.ts: deno task example makes one`);
    path = join(folder, "examples", `${name}.js`);
  }
  if (!existsSync(path)) throw new Error(`${path} is missing`);
  return { command, args: [...RUN_ARGS[runtime], path] };
}

function findRuntime(runtime: RuntimeName): string | undefined {
  if (runtime === ownRuntime) return process.execPath;
  const told = process.env[`SPARKWIRE_${runtime.toUpperCase()}`] ?? "";
  if (told !== "") return told;
  const name = process.platform === "win32" ? `${runtime}.exe` : runtime;
  // Where there is no Node, Deno puts a `node` into the path that is Deno.
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => basename(folder) !== "node_compat_bin");
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}
