/**
 * Runs the tasks that its driver gives it. `driver.ts` starts executors by itself, on this machine.
 *
 * An executor runs what its driver sends: the job is a module that it loads from there, with all the permissions that it has
 * itself. Start one only for a driver that you trust.
 *
 *     deno run -A examples/executor.ts --driver-url spark://CoarseGrainedScheduler@127.0.0.1:7077 --executor-id 0
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { hostname } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { toBytes } from "@std/streams";
import {
  consoleLogger,
  endpoint,
  EndpointName,
  type HeartbeatContract,
  Heartbeater,
  makeDriverRef,
  type Ref,
  RpcEnv,
  SparkConf,
  SparkEnv,
  SystemName,
  typedRef,
} from "../mod.ts";
import type { CoarseGrainedScheduler, Executor, Job, StatusUpdate, TaskDescription } from "./_messages.ts";
import { messageOf, outliveOutput, printable, reasonOf } from "./_program.ts";
import { ownRuntime } from "./_runtimes.ts";

const USAGE = "Usage: executor --driver-url spark://CoarseGrainedScheduler@host:port --executor-id ID [--cores N]";
/** Tasks in hand: one is counted while the next one's input comes. */
const DEFAULT_CORES = "2";
const SHUTDOWN_MS = 1_000;
/** What goes wrong here is said in one line at the end; of the rest, only errors are news. */
const logger = consoleLogger({ level: "error" });

/** Asks the driver for the configuration, in an environment that is gone afterwards: the real one is made of the answer. */
async function fetchConf(driverUrl: string): Promise<SparkConf> {
  const env = await RpcEnv.create({ name: SystemName.driverPropsFetcher, logger });
  try {
    const driver = typedRef<CoarseGrainedScheduler>(await env.setupEndpointRef(driverUrl));
    const { sparkProperties } = await driver.ask("RetrieveSparkAppConfig");
    return new SparkConf(sparkProperties);
  } finally {
    await env.shutdown();
  }
}

/** Runs tasks, one after the other. Each job is loaded once. */
class TaskRunner {
  readonly #env: SparkEnv;
  readonly #driver: Ref<CoarseGrainedScheduler>;
  readonly #jobs = new Map<string, Promise<Job>>();
  /** Resolves when the job has done with the task that was launched last. */
  #last = Promise.resolve();

  constructor(env: SparkEnv, driver: Ref<CoarseGrainedScheduler>) {
    this.#env = env;
    this.#driver = driver;
  }

  /** Runs a task, and tells the driver how it went. */
  async run({ taskId, job, split }: TaskDescription): Promise<void> {
    const { executorId } = this.#env;
    // However long the driver stands still: whether it is gone is for the connection and the heartbeats to say.
    const report = (update: StatusUpdate) => this.#driver.ask("StatusUpdate", update, { timeoutMs: Infinity });
    const over = new AbortController();
    // It begins to come now, while another task is counted.
    const input = this.#env.rpcEnv.openChannel(split, { signal: over.signal });
    const before = this.#last;
    let done = () => {};
    this.#last = new Promise((resolve) => done = resolve);
    try {
      const { run } = await this.#load(job);
      await before;
      let taken: Promise<void> = Promise.resolve();
      for await (const data of run(input)) {
        await taken;
        taken = report({ executorId, taskId, state: "RUNNING", data });
        // Whoever waits for it hears of a failure.
        taken.catch(() => {});
      }
      done();
      await taken;
      await report({ executorId, taskId, state: "FINISHED" });
    } catch (error) {
      done();
      await report({ executorId, taskId, state: "FAILED", reason: String(error) });
    }
    // Nobody waits behind a split that the job did not read to its end.
    over.abort();
  }

  #load(uri: string): Promise<Job> {
    const known = this.#jobs.get(uri);
    if (known !== undefined) return known;
    const job = this.#import(uri);
    this.#jobs.set(uri, job);
    return job;
  }

  async #import(uri: string): Promise<Job> {
    const source = await toBytes(this.#env.rpcEnv.openChannel(uri));
    // The one kind of URL that all three import from memory. As base64: in a source that is not, Bun 1.4 finds file extensions.
    const module: object = await import(`data:text/javascript;base64,${Buffer.from(source).toString("base64")}`);
    if (!isJob(module)) throw new TypeError(`${uri} is no job: it does not export a function run`);
    return module;
  }
}

function isJob(module: object): module is Job {
  return "run" in module && typeof module.run === "function";
}

/** Works for the driver until that says stop, or is gone. Returns the exit code. */
async function work(driverUrl: string, executorId: string, cores: number): Promise<number> {
  const conf = await fetchConf(driverUrl);
  const env = await SparkEnv.createExecutorEnv(conf, executorId, hostname(), hostname(), cores, undefined, false, { logger });
  try {
    const driver = typedRef<CoarseGrainedScheduler>(await env.rpcEnv.setupEndpointRef(driverUrl));
    const runner = new TaskRunner(env, driver);
    return await new Promise<number>((resolve, reject) => {
      const executorRef = env.rpcEnv.setupEndpoint(
        EndpointName.executor,
        endpoint<Executor>(() => ({
          // There is one connection, and it is the driver's.
          onDisconnected: (address) => reject(new Error(`Driver ${address} disassociated! Shutting down.`)),
          receive: {
            // Not awaited: it takes as many tasks at a time as it has cores. A report that fails is the end of the connection.
            LaunchTask: (task) => void runner.run(task).catch(reject),
            StopExecutor: () => resolve(0),
          },
        })),
      );
      const register = async () => {
        const { hostname } = env;
        await driver.ask("RegisterExecutor", {
          executorId,
          executorRef,
          hostname,
          pid: process.pid,
          cores,
          runtime: ownRuntime,
        });
        const receiver = await makeDriverRef<HeartbeatContract>(EndpointName.heartbeatReceiver, env.rpcEnv);
        new Heartbeater(env, receiver, { onExit: resolve }).start();
        driver.send("LaunchedExecutor", { executorId });
      };
      register().catch(reject);
    });
  } finally {
    await env.stop({ deadlineMs: SHUTDOWN_MS });
  }
}

async function main(): Promise<number> {
  outliveOutput();
  let driverUrl: string | undefined;
  let executorId: string | undefined;
  let cores: number;
  try {
    const options = {
      "driver-url": { type: "string" },
      "executor-id": { type: "string" },
      cores: { type: "string", default: DEFAULT_CORES },
      help: { type: "boolean", short: "h" },
    } as const;
    const { values } = parseArgs({ options });
    if (values.help === true) {
      process.stdout.write(`${USAGE}\n`);
      return 0;
    }
    driverUrl = values["driver-url"];
    executorId = values["executor-id"];
    cores = Number(values.cores);
    if (driverUrl === undefined || executorId === undefined) throw new TypeError("--driver-url and --executor-id are wanted");
    if (!Number.isInteger(cores) || cores < 1) throw new TypeError(`--cores is a number of tasks, not ${values.cores}`);
  } catch (error) {
    process.stderr.write(`executor: ${messageOf(error)}\n${USAGE}\n`);
    return 2;
  }
  try {
    return await work(driverUrl, executorId, cores);
  } catch (error) {
    process.stderr.write(`executor ${printable(executorId)}: ${reasonOf(error)}\n`);
    return 1;
  }
}

// A task that still runs must not keep the process: nobody waits for its result.
process.exit(await main());
