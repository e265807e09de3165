/**
 * Task `test:spark`: the tests of `tests/interop/` against a real Spark in a JVM, which Maven fetches and this task starts.
 *
 * `deno task test:spark [FILTER…] [--runtime NAME]… [--spark VERSION]`, with the filters of the task `test`. The task `test:spark:all`
 * goes through every version, and prints a table at the end.
 *
 * @module
 */
import { join } from "node:path";
import { projectRoot } from "../_project.ts";
import { parseArgs } from "node:util";
import { readArguments } from "./arguments.ts";
import { say } from "./console.ts";
import { run } from "./run.ts";
import { SPARK_RELEASES, startSparkPeer, whyNoSpark } from "./spark.ts";
import { addTotals, formatTable, formatTotals, NO_TOTALS, type Totals } from "./totals.ts";

const RUN_DEADLINE_MS = 30 * 60_000;

/** What is told of one version: the totals of each runtime. */
type Report = readonly (readonly [runtime: string, totals: Totals])[];

async function testSpark(version: string, args: readonly string[]): Promise<Report> {
  const start = performance.now();
  const peer = await startSparkPeer(version);
  say(`Spark ${version} is there (${((performance.now() - start) / 1000).toFixed(1)} s); its log is ${peer.log}`);
  const report = await Deno.makeTempFile();
  try {
    const task = join(projectRoot, "tests", "_tasks", "test.ts");
    const command = { command: Deno.execPath(), args: ["run", "-A", task, "--interop", "--totals", report, ...args] };
    const { code } = await run(command, { cwd: projectRoot, env: peer.env, deadlineMs: RUN_DEADLINE_MS });
    const written = await Deno.readTextFile(report);
    if (written === "") throw new Error(`The tests against Spark ${version} did not come to their end (code ${code})`);
    return JSON.parse(written) as Report;
  } finally {
    await Deno.remove(report);
    await peer[Symbol.asyncDispose]();
  }
}

async function testEach(versions: readonly string[], args: readonly string[]): Promise<Totals> {
  const rows = new Map<string, Map<string, Totals>>();
  for (const version of versions) {
    const report = await testSpark(version, args).catch((error: unknown): Report => {
      say(error instanceof Error ? error.message : String(error));
      return [["all", { ...NO_TOTALS, failed: 1 }]];
    });
    rows.set(version, new Map(report));
  }
  if (versions.length > 1) say(`\n${formatTable("Spark", rows)}\n`);
  return [...rows.values()].flatMap((cells) => [...cells.values()]).reduce(addTotals, NO_TOTALS);
}

const USAGE = `deno task test:spark [FILTER…] [--runtime deno|bun|node]… [--spark VERSION]
  FILTER     as of deno task test
  --spark    another version than ${SPARK_RELEASES[0]}; deno task test:spark:all goes through ${SPARK_RELEASES.join(", ")}`;

const { values, positionals } = readArguments(USAGE, (args) =>
  parseArgs({
    args,
    options: { spark: { type: "string" }, runtime: { type: "string", multiple: true }, all: { type: "boolean" } },
    allowPositionals: true,
  }));
const { spark, runtime = [], all = false } = values;
const versions = spark !== undefined ? [spark] : all ? SPARK_RELEASES : SPARK_RELEASES.slice(0, 1);
const reason = await whyNoSpark();
if (reason !== undefined) {
  say(`test:spark: skipped, ${reason}`);
  say(formatTotals(NO_TOTALS));
  Deno.exit(0);
}
const totals = await testEach(versions, [...positionals, ...runtime.map((name) => `--runtime=${name}`)]);
say(formatTotals(totals));
Deno.exit(totals.failed === 0 && totals.passed > 0 ? 0 : 1);
