/**
 * The three runtimes: where each one is on this machine, and why it cannot be had.
 *
 * @module
 */
import { capture } from "./run.ts";

/** A runtime's name. */
export type RuntimeName = "deno" | "bun" | "node";

/** All of them, in the order in which tests run. */
export const RUNTIME_NAMES: readonly RuntimeName[] = ["deno", "bun", "node"];

/** Whether it is one of the three. */
export function isRuntimeName(name: string): name is RuntimeName {
  return RUNTIME_NAMES.some((known) => known === name);
}

/** A runtime, or the reason why there is none. */
export type Runtime =
  | { readonly name: RuntimeName; readonly path: string; readonly version: string }
  | { readonly name: RuntimeName; readonly path: undefined; readonly reason: string };

const BUN = "bun@1.4.5";
/** `bun test --parallel` came with it. */
const OLDEST_BUN = [1, 4] as const;
const OLDEST_NODE = [20, 20] as const;
/** A download may be part of it. */
const FIND_DEADLINE_MS = 3 * 60_000;

/** Finds a runtime; for Bun that may mean a download. */
export async function findRuntime(name: RuntimeName): Promise<Runtime> {
  if (name === "deno") return { name, path: Deno.execPath(), version: Deno.version.deno };
  return name === "bun" ? await findBun() : await findNode();
}

async function findNode(): Promise<Runtime> {
  // Where there is no Node, Deno puts a `node` into the path that is Deno.
  const found = await ask("node", ["-p", "process.versions.deno ?? (process.execPath + ' ' + process.versions.node)"]);
  if (found === undefined) return { name: "node", path: undefined, reason: "there is no node on PATH" };
  if (isOlder(found.version, OLDEST_NODE)) {
    return { name: "node", path: undefined, reason: `Node ${found.version} is older than ${OLDEST_NODE.join(".")}` };
  }
  return { name: "node", ...found };
}

async function findBun(): Promise<Runtime> {
  const question = ["-e", "console.log(process.execPath + ' ' + Bun.version)"];
  const onPath = await ask("bun", question);
  if (onPath !== undefined && !isOlder(onPath.version, OLDEST_BUN)) return { name: "bun", ...onPath };
  const loaded = await ask("npx", ["-y", BUN, ...question]);
  if (loaded !== undefined) return { name: "bun", ...loaded };
  const there = onPath === undefined
    ? "there is no bun on PATH"
    : `Bun ${onPath.version} is older than ${OLDEST_BUN.join(".")}`;
  return { name: "bun", path: undefined, reason: `${there}, and npx -y ${BUN} does not give one` };
}

async function ask(command: string, args: readonly string[]): Promise<{ path: string; version: string } | undefined> {
  const { code, stdout } = await capture({ command, args }, { deadlineMs: FIND_DEADLINE_MS });
  const answer = /^(?<path>.+) (?<version>\d+\.\d+\.\S+)$/.exec(stdout)?.groups;
  return code === 0 && answer !== undefined ? { path: answer.path!, version: answer.version! } : undefined;
}

function isOlder(version: string, [major, minor]: readonly [number, number]): boolean {
  const [haveMajor = 0, haveMinor = 0] = version.split(".").map(Number);
  return haveMajor < major || (haveMajor === major && haveMinor < minor);
}

/** What tests learn of the runtimes and the bundles, so that one can start the programs of another. */
export function testEnvironment(runtimes: readonly Runtime[], bundleFolder: string | undefined): Record<string, string> {
  const env: Record<string, string> = {};
  for (const { name, path } of runtimes) if (path !== undefined) env[`SPARKWIRE_${name.toUpperCase()}`] = path;
  if (bundleFolder !== undefined) env.SPARKWIRE_BUILD = bundleFolder;
  return env;
}
