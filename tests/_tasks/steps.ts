/**
 * Steps of a task, each of which passes or fails and counts as one.
 *
 * @module
 */
import { say } from "./console.ts";
import { capture, type Command, type RunOptions } from "./run.ts";
import { addTotals, formatTotals, NO_TOTALS, type Totals } from "./totals.ts";

/** A step's answer: undefined if it passed, else all that helps to see why not. */
export type StepResult = string | undefined;

/** One step. */
export interface Step {
  readonly name: string;
  run(): Promise<StepResult>;
}

/** A step that is one program, which passes with exit code 0. */
export function commandStep(name: string, command: Command, options?: RunOptions): Step {
  return {
    name,
    async run() {
      const { code, output, timedOut } = await capture(command, options);
      return code === 0 ? undefined : `${output}\n${timedOut ? "It took too long" : `It ended with code ${code}`}`;
    },
  };
}

/** Runs all steps, also after one that failed, and says the sum; gives the task's exit code. */
export async function runSteps(steps: readonly Step[]): Promise<number> {
  let totals: Totals = NO_TOTALS;
  for (const { name, run } of steps) {
    const start = performance.now();
    const problem = await run().catch((error: unknown) => String(error));
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    say(`${name} ... ${problem === undefined ? "ok" : "FAILED"} (${seconds} s)`);
    if (problem !== undefined) say(problem);
    totals = addTotals(totals, { ...NO_TOTALS, ...(problem === undefined ? { passed: 1 } : { failed: 1 }) });
  }
  say(formatTotals(totals));
  return totals.failed === 0 ? 0 : 1;
}
