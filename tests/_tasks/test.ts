/**
 * Task `test`: the same tests on Deno, Bun and Node, and one line with the sum at the end.
 *
 * `deno task test [FILTER…] [--runtime NAME]…`: a filter is part of a test file's path; one that no path contains is
 * part of a test's name. The task `test:spark` starts this one with `--interop`.
 *
 * @module
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { projectRoot } from "../_project.ts";
import { readArguments } from "./arguments.ts";
import { type Bundle, bundle } from "./bundle.ts";
import { say } from "./console.ts";
import { DENO_ONLY, interopFiles, programFiles, testFiles } from "./entry_points.ts";
import { run } from "./run.ts";
import { findRuntime, isRuntimeName, type Runtime, RUNTIME_NAMES, type RuntimeName, testEnvironment } from "./runtimes.ts";
import { addTotals, failuresInJunit, formatTotals, NO_TOTALS, runTotals, type Totals } from "./totals.ts";

/** Which tests run. */
interface Selection {
  readonly files: readonly string[];
  /** A regular expression for names; every test if undefined. */
  readonly namePattern: string | undefined;
}

/** One runtime and all that it needs to run tests. */
interface TestRun {
  readonly runtime: Runtime & { readonly path: string };
  readonly selection: Selection;
  readonly bundle: Bundle;
  readonly env: Record<string, string>;
}

const RUN_DEADLINE_MS = 15 * 60_000;
/** Node waits for ever for a file that leaves a handle open; this names the file before the whole run is over. */
const NODE_FILE_DEADLINE_MS = 8 * 60_000;
const JOBS = navigator.hardwareConcurrency;

function select(files: readonly string[], filters: readonly string[]): Selection {
  const wanted = filters.map((filter) => filter.replace(/^\.\//, ""));
  const inPath = wanted.filter((filter) => files.some((file) => file.includes(filter)));
  const inName = wanted.filter((filter) => !inPath.includes(filter));
  return {
    files: inPath.length === 0 ? files : files.filter((file) => inPath.some((filter) => file.includes(filter))),
    namePattern: inName.length === 0 ? undefined : inName.map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|"),
  };
}

function isForDenoOnly(file: string): boolean {
  return DENO_ONLY.some(({ folder }) => file.startsWith(folder));
}

/** The test runner's command line; it writes a JUnit report beside what we see. */
function testArguments({ runtime, selection: { files, namePattern }, bundle }: TestRun, report: string): string[] {
  if (runtime.name === "deno") {
    // Types are the task `ok`'s.
    const filter = namePattern === undefined ? [] : [`--filter=/${namePattern}/`];
    return ["test", "-A", "--no-check", "--parallel", `--junit-path=${report}`, ...filter, ...files];
  }
  const bundles = files.map((file) => bundle.pathOf(file));
  if (runtime.name === "bun") {
    const filter = namePattern === undefined ? [] : [`--test-name-pattern=${namePattern}`];
    return ["test", `--parallel=${JOBS}`, "--reporter=junit", `--reporter-outfile=${report}`, ...filter, ...bundles];
  }
  const filter = namePattern === undefined ? [] : [`--test-name-pattern=${namePattern}`];
  return [
    ...["--test", "--enable-source-maps", `--test-concurrency=${JOBS}`, `--test-timeout=${NODE_FILE_DEADLINE_MS}`],
    ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
    ...["--test-reporter=junit", `--test-reporter-destination=${report}`],
    ...filter,
    ...bundles,
  ];
}

/** How a run of tests went. */
interface Outcome {
  readonly totals: Totals;
  /** Of each failed test its name and why. */
  readonly failures: readonly string[];
}

async function runTests(testRun: TestRun): Promise<Outcome> {
  const { runtime, selection, bundle, env } = testRun;
  const report = join(bundle.folder, `${runtime.name}.xml`);
  const command = { command: runtime.path, args: testArguments(testRun, report) };
  const { code, timedOut } = await run(command, { cwd: projectRoot, env, deadlineMs: RUN_DEADLINE_MS });
  if (timedOut) say(`${runtime.name} was ended after ${RUN_DEADLINE_MS / 1000} s`);
  const xml = await Deno.readTextFile(report).catch(() => undefined);
  const totals = runTotals(xml, code, selection.namePattern !== undefined);
  if (totals.passed + totals.failed === 0 || xml === undefined) say(`${runtime.name} ran no test to its end`);
  return { totals, failures: failuresInJunit(xml ?? "") };
}

/** Runs the selection on each runtime that is wanted and can be had; says what is left out, and why. */
async function testAll(names: readonly RuntimeName[], selection: Selection): Promise<RuntimeTotals[]> {
  const runtimes = await Promise.all(RUNTIME_NAMES.map(findRuntime));
  const portable = { ...selection, files: selection.files.filter((file) => !isForDenoOnly(file)) };
  const bundled = names.some((name) => name !== "deno") ? portable.files : [];
  const made = await bundle([...bundled, ...programFiles()]);
  const env = testEnvironment(runtimes, made.folder);
  const done: RuntimeTotals[] = [];
  try {
    for (const runtime of runtimes.filter(({ name }) => names.includes(name))) {
      const chosen = runtime.name === "deno" ? selection : portable;
      done.push(await testOne(runtime, chosen, made, env));
    }
  } finally {
    await made[Symbol.asyncDispose]();
  }
  say("");
  if (names.some((name) => name !== "deno")) {
    for (const { folder, reason } of DENO_ONLY) {
      if (selection.files.some((file) => file.startsWith(folder))) say(`${folder} ran on Deno only: ${reason}`);
    }
  }
  // What failed stands in thousands of lines that did not, so it is said again.
  for (const { title, failures } of done) {
    for (const failure of failures) say(`failed on ${title}: ${failure}\n`);
  }
  for (const { line } of done) say(line);
  return done;
}

/** How the tests of one runtime went. */
interface RuntimeTotals extends Outcome {
  /** Its name and version. */
  readonly title: string;
  /** The totals in words. */
  readonly line: string;
}

async function testOne(
  runtime: Runtime,
  selection: Selection,
  bundle: Bundle,
  env: Record<string, string>,
): Promise<RuntimeTotals> {
  if (runtime.path === undefined) {
    const failed = Deno.env.get("CI") === "true" ? 1 : 0;
    const line = `${runtime.name}: skipped, ${runtime.reason}`;
    return { title: runtime.name, line, totals: { ...NO_TOTALS, failed }, failures: [] };
  }
  const title = `${runtime.name} ${runtime.version}`;
  if (selection.files.length === 0) {
    return { title, line: `${title}: no file of this selection`, totals: NO_TOTALS, failures: [] };
  }
  say(`\n${title}`);
  const start = performance.now();
  const outcome = await runTests({ runtime, selection, bundle, env });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  return { ...outcome, title, line: `${title}: ${formatTotals(outcome.totals)} (${seconds} s)` };
}

const USAGE = `deno task test [FILTER…] [--runtime deno|bun|node]…
  FILTER     part of a test file's path; one that no path contains is part of a test's name
  --runtime  one of the runtimes; all of them without`;

const { values, positionals, names } = readArguments(USAGE, (args) => {
  const { values, positionals } = parseArgs({
    args,
    options: {
      runtime: { type: "string", multiple: true },
      interop: { type: "boolean" },
      // Where the numbers go, for the task that started this one.
      totals: { type: "string" },
    },
    allowPositionals: true,
  });
  const names = values.runtime?.filter(isRuntimeName) ?? RUNTIME_NAMES;
  if (values.runtime !== undefined && names.length !== values.runtime.length) {
    throw new TypeError(`--runtime is one of ${RUNTIME_NAMES.join(", ")}, not ${values.runtime}`);
  }
  return { values, positionals, names };
});
const selection = select(values.interop === true ? interopFiles() : testFiles(), positionals);
const done = await testAll(names, selection).catch((error: unknown): RuntimeTotals[] => {
  const line = error instanceof Error ? error.message : String(error);
  say(line);
  return [{ title: "all", line, totals: { ...NO_TOTALS, failed: 1 }, failures: [] }];
});
if (values.totals !== undefined) {
  await Deno.writeTextFile(values.totals, JSON.stringify(done.map(({ title, totals }) => [title, totals])));
}
const totals = done.reduce((sum, one) => addTotals(sum, one.totals), NO_TOTALS);
say(formatTotals(totals));
Deno.exit(totals.failed === 0 && totals.passed > 0 ? 0 : 1);
