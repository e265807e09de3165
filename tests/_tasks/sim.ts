/**
 * Task `sim`: simulated worlds from seeds. `deno task sim [seed] [--seeds N] [--job | --blocks] [--runtime deno|bun|node]`.
 *
 * The arguments go on to `tests/sim/main.ts`.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { readArguments } from "./arguments.ts";
import { runProgram } from "./program.ts";
import { isRuntimeName, RUNTIME_NAMES } from "./runtimes.ts";

const USAGE = `deno task sim [SEED] [--seeds N] [--hashes] [--job | --blocks] [--runtime deno|bun|node]
  SEED       is played, and what happened is printed; without it, a new one
  --seeds    plays so many from there on, up to the first that fails
  --hashes   prints the hash of each
  --job      a driver and its executors, instead of a cluster of endpoints
  --blocks   a server of blocks and its clients
  --runtime  where; deno without`;

const { runtime, args } = readArguments(USAGE, (args) => {
  const { values } = parseArgs({ args, options: { runtime: { type: "string", default: "deno" } }, strict: false });
  const runtime = String(values.runtime);
  if (!isRuntimeName(runtime)) throw new TypeError(`--runtime is one of ${RUNTIME_NAMES.join(", ")}, not ${runtime}`);
  return { runtime, args };
});
Deno.exit(await runProgram("tests/sim/main.ts", args, [runtime]));
