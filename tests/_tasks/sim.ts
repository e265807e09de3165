/**
 * Task `sim`: simulated worlds from seeds. `deno task sim [seed] [--seeds N] [--job | --blocks] [--runtime deno|bun|node]`.
 *
 * All but the runtime goes on to `tests/sim/main.ts`.
 *
 * @module
 */
import { readArguments, takeOption } from "./arguments.ts";
import { runProgram } from "./program.ts";
import { isRuntimeName, RUNTIME_NAMES } from "./runtimes.ts";

const USAGE = `deno task sim [SEED] [--seeds N] [--hashes] [--job | --blocks] [--runtime deno|bun|node]
  SEED       is played, and what happened is printed; without it, a new one
  --seeds    plays so many from there on, up to the first that fails
  --hashes   prints the hash of each
  --job      a driver and its executors, instead of a cluster of endpoints
  --blocks   a server of blocks and its clients
  --runtime  where; deno without`;

const { runtime, rest } = readArguments(USAGE, (args) => {
  const { value: runtime = "deno", rest } = takeOption(args, "runtime");
  if (!isRuntimeName(runtime)) throw new TypeError(`--runtime is one of ${RUNTIME_NAMES.join(", ")}, not ${runtime}`);
  return { runtime, rest };
});
Deno.exit(await runProgram("tests/sim/main.ts", rest, [runtime]));
