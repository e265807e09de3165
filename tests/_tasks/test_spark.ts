/**
 * Task `test:spark`: the tests of `tests/interop/` against a real Spark in a JVM, which Maven fetches and this task starts.
 *
 * `deno task test:spark [FILTER…] [--runtime NAME]… [--spark VERSION]`, with the filters of the task `test`.
 *
 * @module
 */
import { join } from "node:path";
import { projectRoot } from "../_project.ts";
import { takeOption, taskArguments } from "./arguments.ts";
import { say } from "./console.ts";
import { run } from "./run.ts";
import { SPARK_VERSION, startSparkPeer, whyNoSpark } from "./spark.ts";
import { formatTotals, NO_TOTALS } from "./totals.ts";

const RUN_DEADLINE_MS = 10 * 60_000;

async function testSpark(version: string, args: readonly string[]): Promise<number> {
  const start = performance.now();
  const peer = await startSparkPeer(version);
  say(`Spark ${version} is there (${((performance.now() - start) / 1000).toFixed(1)} s); its log is ${peer.log}`);
  try {
    const task = join(projectRoot, "tests", "_tasks", "test.ts");
    const command = { command: Deno.execPath(), args: ["run", "-A", task, "--interop", ...args] };
    return (await run(command, { cwd: projectRoot, env: peer.env, deadlineMs: RUN_DEADLINE_MS })).code;
  } finally {
    await peer[Symbol.asyncDispose]();
  }
}

/** What cannot be had is skipped and said; where everything must be had, it is a failure. */
function skipped(reason: string): number {
  const failed = Deno.env.get("CI") === "true" ? 1 : 0;
  say(`test:spark: skipped, ${reason}`);
  say(formatTotals({ ...NO_TOTALS, failed }));
  return failed;
}

function failed(error: unknown): number {
  say(error instanceof Error ? error.message : String(error));
  say(formatTotals({ ...NO_TOTALS, failed: 1 }));
  return 1;
}

const { value: version = SPARK_VERSION, rest } = takeOption(taskArguments(Deno.args), "spark");
const reason = await whyNoSpark();
Deno.exit(reason === undefined ? await testSpark(version, rest).catch(failed) : skipped(reason));
