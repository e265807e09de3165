/**
 * The files that are bundled for Bun and Node: each test, and each program that runs as a process or a worker of its own.
 *
 * No bundler follows a program that is started by its path, so each is an entry point; names tell which files these are.
 *
 * @module
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../_project.ts";

/** Tests that only Deno can run, and why. */
export const DENO_ONLY: readonly { readonly folder: string; readonly reason: string }[] = [
  { folder: "tests/lint/", reason: "the plugin is for deno lint, and Deno.lint.runPlugin exists under deno test alone" },
];

/** Where the tests are that talk with a real Spark. */
const INTEROP = "tests/interop/";

/** Every test file but those that talk with a real Spark, as a path below the project's root. */
export function testFiles(): string[] {
  return filesBelow("tests").filter((path) => path.endsWith("_test.ts") && !path.startsWith(INTEROP));
}

/** The test files that talk with a real Spark, which the task `test:spark` starts. */
export function interopFiles(): string[] {
  return filesBelow("tests").filter((path) => path.endsWith("_test.ts") && path.startsWith(INTEROP));
}

/** Every program: examples, the benchmark's processes, simulations, workers. */
export function programFiles(): string[] {
  return ["bench", "examples", "src", "tests"].flatMap(filesBelow).filter(isProgram);
}

/** Every module below src/. */
export function sourceFiles(): string[] {
  return filesBelow("src").filter((path) => path.endsWith(".ts"));
}

/** Every file for `deno bench`. */
export function benchFiles(): string[] {
  return filesBelow("bench").filter((path) => path.endsWith("_bench.ts"));
}

/** Whether a path below the project's root is a program's. */
export function isProgram(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (!name.endsWith(".ts") || name.startsWith("_") || /_(test|bench)\.ts$/.test(name)) return false;
  if (/^(examples|bench)\/[^/]+$/.test(path)) return true;
  return /(^|_)worker\.ts$/.test(name) || (path.startsWith("tests/") && /(^|_)main\.ts$/.test(name));
}

/** Every file and folder below a folder of the project. */
export function filesBelow(folder: string): string[] {
  const root = join(projectRoot, folder);
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .map((path) => `${folder}/${path.replaceAll("\\", "/")}`)
    .sort();
}
