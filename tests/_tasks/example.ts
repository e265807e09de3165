/**
 * Task `example`: the main job. It makes the bundles that the job, and executors on Bun and Node, want, and is the driver itself.
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { projectRoot } from "../_project.ts";
import { taskArguments } from "./arguments.ts";
import { bundle } from "./bundle.ts";
import { say } from "./console.ts";
import { findRuntime, RUNTIME_NAMES, testEnvironment } from "./runtimes.ts";

async function main(args: readonly string[]): Promise<void> {
  // What else there is, and what makes no sense, is for the driver to say.
  const { values } = parseArgs({ args: [...args], options: { runtimes: { type: "string" } }, strict: false });
  const wanted = String(values.runtimes).split(",");
  const runtimes = await Promise.all(RUNTIME_NAMES.filter((name) => wanted.includes(name)).map(findRuntime));
  for (const runtime of runtimes) {
    if (runtime.path !== undefined) continue;
    say(`example: ${runtime.name} cannot be had: ${runtime.reason}`);
    process.exitCode = 2;
    return;
  }
  const made = await bundle(["examples/driver.ts", "examples/executor.ts", "examples/word_count.ts"]);
  try {
    for (const [name, value] of Object.entries(testEnvironment(runtimes, made.folder))) Deno.env.set(name, value);
    // `deno task` goes to the project's folder; paths in the arguments are meant from where the user is.
    process.chdir(Deno.env.get("INIT_CWD") ?? projectRoot);
    process.argv.splice(2, Infinity, ...args);
    // In this process, so that a Ctrl-C is the driver's.
    await import("../../examples/driver.ts");
  } finally {
    await made[Symbol.asyncDispose]();
  }
}

await main(taskArguments(Deno.args));
