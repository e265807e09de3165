/**
 * Task `sim`: simulated worlds from seeds. `deno task sim [seed] [--seeds N] [--job | --blocks] [--runtime deno|bun|node]`.
 *
 * All but the runtime goes on to `tests/sim/main.ts`.
 *
 * @module
 */
import { takeOption, taskArguments } from "./arguments.ts";
import { runProgram } from "./program.ts";
import { isRuntimeName, RUNTIME_NAMES } from "./runtimes.ts";

const { value: runtime = "deno", rest } = takeOption(taskArguments(Deno.args), "runtime");
if (!isRuntimeName(runtime)) throw new TypeError(`--runtime is one of ${RUNTIME_NAMES.join(", ")}, not ${runtime}`);
Deno.exit(await runProgram("tests/sim/main.ts", rest, [runtime]));
