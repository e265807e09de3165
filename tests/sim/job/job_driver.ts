/**
 * A simulated driver: executors register with it, it gives them tasks, counts each result once, and gives up those that it has
 * not heard of.
 *
 * @module
 */

import type { Timer } from "../../../src/base/clock.ts";
import type { RpcAddress } from "../../../src/rpc/rpc_address.ts";
import { EndpointName } from "../../../src/spark/endpoint_name.ts";
import { HeartbeatReceiver } from "../../../src/spark/heartbeat_receiver.ts";
import { SparkEnv } from "../../../src/spark/spark_env.ts";
import { endpoint } from "../../../src/typed/endpoint.ts";
import { type Ref, typedRef } from "../../../src/typed/typed_ref.ts";
import { payloadFault } from "../payload.ts";
import type { ExecutorContract, SchedulerContract, StatusUpdate } from "./job_contracts.ts";
import { MAX_TASK_FAILURES } from "./job_plan.ts";
import { DRIVER_HOST, JobProcess, type JobStage } from "./job_process.ts";

/** Without any executor for so long, the job is given up. */
export const LONELY_MS = 300_000;

/** Timers look at virtual time in steps. */
const STEP_MS = 1;

/** How a job ended. */
export type JobOutcome = { readonly ok: true } | { readonly ok: false; readonly error: string };

interface RegisteredExecutor {
  readonly ref: Ref<ExecutorContract>;
  readonly address: RpcAddress;
  readonly cores: number;
  /** Task to attempt. */
  readonly running: Map<number, number>;
  heardMs: number;
}

/** Who helps the driver. */
export interface JobHelper {
  /** Starts another executor instead of one that was lost, if there is one. */
  replace(): void;
}

/** The driver of one job. */
export class JobDriver {
  readonly process: JobProcess;
  /** How the job ended; pending for ever if the driver is killed. */
  readonly outcome: Promise<JobOutcome>;
  /** Those that fell silent. */
  readonly expired = new Set<string>();
  /** Those that have gone before the job was over, the silent ones among them. */
  readonly lost = new Set<string>();
  /** By task: whose result was counted. */
  readonly counted = new Map<number, string>();
  /** Words of executors that were given up. */
  ignoredUpdates = 0;
  readonly #stage: JobStage;
  readonly #helper: JobHelper;
  readonly #executors = new Map<string, RegisteredExecutor>();
  readonly #pending: number[];
  readonly #attempts = new Map<number, number>();
  readonly #failures = new Map<number, number>();
  #finish: (outcome: JobOutcome) => void = () => {};
  #over = false;
  #env: SparkEnv | undefined;
  #lonely: Timer | undefined;

  /** Makes one that has not been started. */
  constructor(stage: JobStage, helper: JobHelper) {
    this.#stage = stage;
    this.#helper = helper;
    this.process = new JobProcess(stage, DRIVER_HOST);
    this.#pending = stage.plan.tasks.map((_, taskId) => taskId);
    this.outcome = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** Sets its endpoints up. */
  async start(): Promise<void> {
    const { plan } = this.#stage;
    const env = await SparkEnv.createDriverEnv(this.process.conf, false, 1, this.process.envOptions);
    this.#env = env;
    const receiver = new HeartbeatReceiver(env);
    receiver.setScheduler({
      executorHeartbeatReceived: ({ executorId }) => this.#heard(executorId),
      killAndReplaceExecutor: () => this.#helper.replace(),
      removeExecutor: (executorId) => this.#expire(executorId),
    });
    receiver.start();
    env.rpcEnv.setupEndpoint(
      EndpointName.coarseGrainedScheduler,
      endpoint<SchedulerContract>(() => ({
        receive: { StatusUpdate: (update) => this.#update(update) },
        receiveAndReply: {
          RegisterExecutor: ({ executorId, ref, cores }, { senderAddress }) => {
            if (this.#over) return false;
            if (this.#executors.has(executorId)) throw new RangeError(`Duplicate executor ID: ${executorId}`);
            const heardMs = this.process.clock.now();
            this.#executors.set(executorId, { ref: typedRef(ref), address: senderAddress, cores, running: new Map(), heardMs });
            receiver.onExecutorAdded(executorId);
            this.#lonely?.cancel();
            this.#offer();
            return true;
          },
        },
        onDisconnected: (address) => {
          for (const [executorId, executor] of this.#executors) {
            if (!executor.address.equals(address)) continue;
            this.#remove(executorId);
            receiver.onExecutorRemoved(executorId);
            this.#helper.replace();
          }
        },
      })),
    );
    this.#wait();
    if (plan.tasks.length === 0) this.#end({ ok: true });
  }

  /** Ends it in good order, after the executors were told. */
  async stop(): Promise<void> {
    this.#lonely?.cancel();
    const now = this.process.clock.now();
    for (const [executorId, { ref, heardMs }] of this.#executors) {
      this.#checkNoticed(executorId, now - heardMs);
      ref.send("StopExecutor");
    }
    await this.process.end(this.#env, "exit");
  }

  /** Ends it all of a sudden. */
  async kill(): Promise<void> {
    this.#over = true;
    this.#lonely?.cancel();
    await this.process.end(this.#env, "kill");
  }

  #heard(executorId: string): boolean {
    const executor = this.#executors.get(executorId);
    if (executor === undefined) this.#fail(`was given a heartbeat of ${executorId}, which it does not have`);
    else executor.heardMs = this.process.clock.now();
    return executor !== undefined;
  }

  #expire(executorId: string): void {
    const executor = this.#executors.get(executorId);
    if (executor === undefined) {
      this.#fail(`was to remove ${executorId}, which it does not have`);
      return;
    }
    const silentMs = this.process.clock.now() - executor.heardMs;
    if (silentMs <= this.#stage.plan.timeoutMs) this.#fail(`lost ${executorId} after ${silentMs} ms already`);
    this.#checkNoticed(executorId, silentMs);
    this.expired.add(executorId);
    this.#remove(executorId);
    // It may be there still, only stopped: then it shall end when it goes on.
    executor.ref.send("StopExecutor");
  }

  /** Nobody is silent for longer than the limit and the time between two looks, unless the driver itself stands still. */
  #checkNoticed(executorId: string, silentMs: number): void {
    const { steady, timeoutMs, checkMs } = this.#stage.plan;
    if (steady && silentMs > timeoutMs + checkMs + STEP_MS) {
      this.#fail(`noticed after ${silentMs} ms that ${executorId} is silent`);
    }
  }

  #remove(executorId: string): void {
    const executor = this.#executors.get(executorId);
    if (executor === undefined || this.#over) return;
    this.#executors.delete(executorId);
    this.lost.add(executorId);
    this.#pending.unshift(...executor.running.keys());
    this.#offer();
    if (this.#executors.size === 0) this.#wait();
  }

  #offer(): void {
    for (const [executorId, { ref, cores, running }] of this.#executors) {
      while (running.size < cores && this.#pending.length > 0 && !this.#over) {
        const taskId = this.#pending.shift()!;
        const attempt = this.#attempts.get(taskId) ?? 0;
        this.#attempts.set(taskId, attempt + 1);
        if (this.counted.has(taskId)) this.#fail(`gave ${executorId} task ${taskId}, which is done`);
        running.set(taskId, attempt);
        const { ms, bytes } = this.#stage.plan.tasks[taskId]!;
        ref.send("LaunchTask", { taskId, attempt, ms, bytes, fails: this.#fails(taskId) });
      }
    }
  }

  /** A task throws as often as planned, whatever else becomes of its attempts. */
  #fails(taskId: number): boolean {
    return (this.#failures.get(taskId) ?? 0) < this.#stage.plan.tasks[taskId]!.failures;
  }

  #update({ executorId, taskId, attempt, result }: StatusUpdate): void {
    const executor = this.#executors.get(executorId);
    if (executor === undefined) {
      if (!this.lost.has(executorId) && !this.#over) {
        this.#fail(`was told of task ${taskId} by ${executorId}, which never registered`);
      }
      this.ignoredUpdates++;
      return;
    }
    if (executor.running.get(taskId) !== attempt) {
      this.#fail(`was told by ${executorId} of attempt ${attempt} of task ${taskId}, which does not run there`);
      return;
    }
    executor.running.delete(taskId);
    if (result === undefined) this.#taskFailed(taskId);
    else this.#count(taskId, executorId, result);
    this.#offer();
  }

  #count(taskId: number, executorId: string, result: Uint8Array): void {
    const { tasks } = this.#stage.plan;
    if (this.expired.has(executorId)) this.#fail(`counts a result of ${executorId}, which has expired`);
    if (this.counted.has(taskId)) this.#fail(`counts task ${taskId} twice`);
    const fault = payloadFault({ seed: taskId, bytes: result }, tasks[taskId]!.bytes);
    if (fault !== undefined) this.#fail(`was given a wrong result of task ${taskId}: ${fault}`);
    this.counted.set(taskId, executorId);
    if (this.counted.size === tasks.length) this.#end({ ok: true });
  }

  #taskFailed(taskId: number): void {
    const failures = (this.#failures.get(taskId) ?? 0) + 1;
    this.#failures.set(taskId, failures);
    if (failures === MAX_TASK_FAILURES) this.#end({ ok: false, error: `Task ${taskId} failed ${failures} times` });
    else this.#pending.push(taskId);
  }

  #wait(): void {
    this.#lonely?.cancel();
    this.#lonely = this.process.clock.setTimer(LONELY_MS, () => this.#end({ ok: false, error: "No executor is left" }));
  }

  #end(outcome: JobOutcome): void {
    this.#over = true;
    this.#lonely?.cancel();
    this.#finish(outcome);
  }

  #fail(what: string): void {
    this.#stage.ledger.fail(`The driver ${what}`);
  }
}
