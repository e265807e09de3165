/**
 * The main job: counts the words of files with executors that are processes of their own, on Deno, Bun and Node.
 *
 *     deno task example --input FOLDER --executors 3 --runtimes deno,bun,node
 *
 * The driver listens, publishes the job's module and the splits of the files, starts executors, and hands out the tasks. An
 * executor loads the job, streams its split, and sends back how often each word occurs. No file is in memory as a whole.
 *
 * @module
 */
import { access, constants, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { consoleLogger, FileSegmentManagedBuffer, SparkConf, SparkEnv } from "../mod.ts";
import { type DriverOptions, HELP, readOptions } from "./_driver_options.ts";
import { ExecutorProcesses } from "./_executor_processes.ts";
import { findFiles, findOwnFiles } from "./_input_files.ts";
import { type EndingSignal, Interrupted, outliveOutput, printable } from "./_program.ts";
import { formatBytes, type Progress, startProgress, writeAbove } from "./_progress.ts";
import { type Command, commandFor, type RuntimeName } from "./_runtimes.ts";
import { type ExecutorShare, type JobPlan, SchedulerBackend } from "./_scheduler_backend.ts";
import { type Split, splitFile } from "./_splits.ts";
import { isWordCounts, type WordCount, WordTable } from "./_word_table.ts";

/** How soon a lost executor is noticed. */
const CONF = {
  "spark.executor.heartbeatInterval": "1s",
  "spark.network.timeoutInterval": "2s",
  "spark.network.timeout": "10s",
};
/** How long executors have to end by themselves. */
const GRACE_MS = 2_000;
const SIGNALS: readonly EndingSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
const MAX_LINE_UNITS = 2_000;

/** An executor that will be started. */
interface PlannedExecutor extends Command {
  readonly id: string;
  readonly runtime: RuntimeName;
}

/** What `--json` writes. */
interface Result {
  readonly words: number;
  readonly distinct: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly top: readonly WordCount[];
  readonly executors: readonly ExecutorShare[];
}

/** What is asked for and can be done, as far as one can tell before it is begun. */
interface Plan {
  readonly options: DriverOptions;
  readonly splits: readonly Split[];
  readonly bytes: number;
  /** The file of the job's module. */
  readonly job: string;
  readonly executors: readonly PlannedExecutor[];
}

async function makePlan(options: DriverOptions): Promise<Plan> {
  const { inputs, splitBytes, executors: count, runtimes, json } = options;
  if (json !== undefined) await checkWritable(json);
  const executors = Array.from({ length: count }, (_, index): PlannedExecutor => {
    const runtime = runtimes[index % runtimes.length]!;
    return { id: String(index), runtime, ...commandFor("executor", import.meta.url, runtime) };
  });
  const splits: Split[] = [];
  for (const files of inputs.length === 0 ? [findOwnFiles(import.meta.url)] : inputs.map(findFiles)) {
    for await (const path of files) {
      for await (const split of splitFile(path, splitBytes)) splits.push(split);
    }
  }
  const bytes = splits.reduce((sum, { length }) => sum + length, 0);
  return { options, splits, bytes, job: options.job ?? findJob(), executors };
}

/** That the result cannot be written is said before it is worked for. */
async function checkWritable(path: string): Promise<void> {
  const existing = await stat(path).catch(() => undefined);
  if (existing?.isDirectory() === true) throw new TypeError(`--json is a folder: ${path}`);
  await access(existing === undefined ? dirname(path) : path, constants.W_OK);
}

/** The job's module: beside this program if that is a bundle, or where the bundles are. */
function findJob(): string {
  if (!import.meta.url.endsWith(".ts")) return fileURLToPath(new URL("./word_count.mjs", import.meta.url));
  const build = process.env.SPARKWIRE_BUILD;
  if (build === undefined) throw new Error("The job wants a bundle: deno task example makes one, or name yours by --job");
  return join(build, "examples/word_count.mjs");
}

/** Counts, and leaves no process behind. */
async function run(plan: Plan, interrupted: Promise<never>): Promise<Result> {
  const { host, port } = plan.options;
  const conf = new SparkConf({ ...CONF, "spark.driver.host": host, "spark.driver.port": port, ...plan.options.conf });
  const env = await SparkEnv.createDriverEnv(conf, false, 1, { logger: consoleLogger({ level: "error" }) });
  const processes = new ExecutorProcesses();
  const progress = startProgress("Counting", plan.bytes);
  const table = new WordTable();
  const begun = performance.now();
  let backend: SchedulerBackend | undefined;
  try {
    backend = new SchedulerBackend(env, await publish(plan, env, table, progress));
    startExecutors(plan, backend, processes);
    await Promise.race([backend.finished, interrupted]);
    const seconds = (performance.now() - begun) / 1000;
    const { words, distinct } = table;
    return { words, distinct, bytes: plan.bytes, seconds, top: table.top(plan.options.top), executors: backend.executors };
  } finally {
    progress.stop();
    backend?.stopExecutors();
    await processes.end(GRACE_MS);
    await env.stop({ deadlineMs: GRACE_MS });
  }
}

/** Publishes the job and the splits, and says how the results of tasks come together. */
async function publish(plan: Plan, env: SparkEnv, table: WordTable, progress: Progress): Promise<JobPlan> {
  const { fileServer, address } = env.rpcEnv;
  const { splits } = plan;
  const job = await fileServer.addJar(plan.job);
  fileServer.addSource("/splits", (index) => {
    const split = splits[Number(index)];
    return split && new FileSegmentManagedBuffer(fileServer.files, split.path, split.start, split.length);
  });
  let counted = 0;
  return {
    taskCount: splits.length,
    describe: (index) => ({ job, split: `spark://${address}/splits/${index}` }),
    finish(index, parts) {
      // Before the first is added: what has been counted of a task that fails would be counted again.
      if (!parts.every(isWordCounts)) {
        throw new TypeError("A part of the result is not { words, counts } with as many lines of words as counts");
      }
      // Each part goes when it has been added: a large result is not in memory twice.
      for (let part = parts.shift(); part !== undefined; part = parts.shift()) table.add(part);
      counted += splits[index]!.length;
      progress.update(counted);
    },
    say,
  };
}

function startExecutors({ executors, options }: Plan, backend: SchedulerBackend, processes: ExecutorProcesses): void {
  const driverUrl = String(backend.ref.endpointAddress);
  for (const { id, runtime, command, args } of executors) {
    const all = [...args, "--driver-url", driverUrl, "--executor-id", id];
    if (options.spawn) {
      backend.expectExecutor(id, runtime);
      processes.start({ command, args: all }, (how) => backend.removeExecutor(id, how));
    } else {
      process.stdout.write(`${[command, ...all].map(quote).join(" ")}\n`);
    }
  }
}

/** An argument as a shell reads it. */
function quote(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`;
}

/** Says what happens. */
function say(line: string): void {
  writeAbove(oneLine(line));
}

/** What others have written must not be taken for lines of ours. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ").slice(0, MAX_LINE_UNITS);
}

function print({ words, distinct, bytes, seconds, top, executors }: Result): void {
  const number = new Intl.NumberFormat("en");
  const lines = top.map(([word, count]) => `${number.format(count).padStart(12)}  ${word}`);
  lines.push(`${number.format(words)} words, ${number.format(distinct)} of them different`);
  lines.push(`${formatBytes(bytes)} in ${seconds.toFixed(1)} s, ${formatBytes(bytes / seconds)}/s`);
  const all = executors.reduce((sum, { tasks }) => sum + tasks, 0);
  for (const { id, runtime, tasks } of executors) {
    lines.push(`Executor ${id} (${runtime}): ${number.format(tasks)} tasks, ${Math.round(100 * tasks / Math.max(1, all))} %`);
  }
  process.stdout.write(`${lines.map(printable).join("\n")}\n`);
}

async function writeResult(path: string, result: Result): Promise<void> {
  try {
    await writeFile(path, `${JSON.stringify(result)}\n`);
  } catch (cause) {
    // Of a full disk the system does not say which file it is about.
    throw new Error(`Cannot write ${path}: ${messageOf(cause)}`, { cause });
  }
}

async function main(args: string[]): Promise<number> {
  outliveOutput();
  let plan: Plan;
  try {
    const options = readOptions(args);
    if (options === undefined) {
      process.stdout.write(HELP);
      return 0;
    }
    plan = await makePlan(options);
  } catch (error) {
    say(`driver: ${messageOf(error)}`);
    return 2;
  }
  const signals = listenToSignals();
  try {
    const result = await run(plan, signals.interrupted);
    print(result);
    if (plan.options.json !== undefined) await writeResult(plan.options.json, result);
    return 0;
  } catch (error) {
    say(`driver: ${messageOf(error)}`);
    return error instanceof Interrupted ? error.exitCode : 1;
  } finally {
    signals.dispose();
  }
}

function listenToSignals(): { readonly interrupted: Promise<never>; readonly dispose: () => void } {
  let reject: (error: Error) => void;
  const interrupted = new Promise<never>((_, no) => reject = no);
  interrupted.catch(() => {});
  const listener = (signal: EndingSignal) => reject(new Interrupted(signal, `${signal}: the job is given up`));
  for (const signal of SIGNALS) process.on(signal, listener);
  return {
    interrupted,
    dispose() {
      for (const signal of SIGNALS) process.off(signal, listener);
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

process.exitCode = await main(process.argv.slice(2));
