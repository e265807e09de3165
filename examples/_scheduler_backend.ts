/**
 * The driver's side of its executors: registers them, hands tasks to them, takes their results, and gives up those that are lost.
 *
 * Spark: core/…/scheduler/cluster/CoarseGrainedSchedulerBackend.scala.
 *
 * @module
 */
import {
  endpoint,
  EndpointName,
  HeartbeatReceiver,
  type Ref,
  type RpcAddress,
  type RpcEndpointRef,
  type SparkEnv,
  typedRef,
} from "../mod.ts";
import type { CoarseGrainedScheduler, Executor, ExecutorDescription, StatusUpdate, TaskDescription } from "./_messages.ts";
import type { RuntimeName } from "./_runtimes.ts";
import { MAX_TASK_FAILURES, TaskScheduler } from "./_task_scheduler.ts";

/** The job whose tasks are handed out. */
export interface JobPlan {
  readonly taskCount: number;
  /** What an executor is told of a task. */
  describe(index: number): Omit<TaskDescription, "taskId">;
  /** A task has finished; called once for each. If it throws the task has failed. */
  finish(index: number, parts: unknown[]): void;
  /** Says to the user what happens to executors and tasks. */
  say(line: string): void;
}

/** An executor, and how many tasks it has done. */
export interface ExecutorShare {
  readonly id: string;
  readonly runtime: RuntimeName;
  readonly tasks: number;
}

/** What is known of an executor. */
interface ExecutorData {
  readonly id: string;
  readonly runtime: RuntimeName;
  /** Undefined as long as its process has been started and has not been heard of. */
  readonly registration?: Registration;
  tasks: number;
  /** Nothing that it says is heard any more. */
  isLost: boolean;
}

/** How often a job that waits for executors says so. Spark: STARVATION_TIMEOUT_MS, and only before the first task. */
const STARVATION_TIMEOUT = "15s";

/** No timer of JavaScript waits longer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

interface Registration {
  readonly ref: Ref<Executor>;
  readonly cores: number;
  /** Its end of the connection: it is in client mode and has no other address. */
  readonly address: RpcAddress;
}

/** Runs one job on the executors that register. */
export class SchedulerBackend {
  /** The driver's endpoint. */
  readonly ref: RpcEndpointRef<CoarseGrainedScheduler>;
  /** Resolves when every task is done; rejects when the job cannot be. */
  readonly finished: Promise<void>;
  readonly #plan: JobPlan;
  readonly #scheduler: TaskScheduler;
  readonly #heartbeats: HeartbeatReceiver;
  readonly #executors = new Map<string, ExecutorData>();
  /** What unfinished attempts have given so far, by task id. */
  readonly #parts = new Map<number, unknown[]>();
  #resolve!: () => void;
  #reject!: (error: unknown) => void;
  #stopped = false;
  #starvationTimer: ReturnType<typeof setInterval> | undefined;

  /** Registers the endpoints `CoarseGrainedScheduler` and `HeartbeatReceiver`. */
  constructor(env: SparkEnv, plan: JobPlan) {
    this.#plan = plan;
    this.#scheduler = new TaskScheduler(plan.taskCount);
    this.finished = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (this.#scheduler.isDone) this.#resolve();
    const starvationMs = env.conf.timeAsMs("spark.starvation.timeout", STARVATION_TIMEOUT);
    this.ref = env.rpcEnv.setupEndpoint(
      EndpointName.coarseGrainedScheduler,
      endpoint<CoarseGrainedScheduler>(() => ({
        onDisconnected: (address) => this.#disconnected(address),
        receive: { LaunchedExecutor: ({ executorId }) => this.#launched(executorId) },
        receiveAndReply: {
          RetrieveSparkAppConfig: () => ({ sparkProperties: env.conf.getAll() }),
          RegisterExecutor: (executor, { senderAddress }) => this.#register(executor, senderAddress),
          StatusUpdate: (update) => this.#update(update),
        },
      })),
    );
    this.#heartbeats = new HeartbeatReceiver(env);
    this.#heartbeats.start();
    this.#heartbeats.setScheduler({ removeExecutor: (id, reason) => this.removeExecutor(id, reason) });
    if (starvationMs > 0) this.#starvationTimer = setInterval(() => this.#sayStarving(), Math.min(starvationMs, MAX_TIMER_MS));
  }

  /** All executors that there have been, with what they have done. */
  get executors(): readonly ExecutorShare[] {
    return [...this.#executors.values()].map(({ id, runtime, tasks }) => ({ id, runtime, tasks }));
  }

  /** An executor has been started: until it is lost, there is hope. */
  expectExecutor(id: string, runtime: RuntimeName): void {
    this.#executors.set(id, { id, runtime, tasks: 0, isLost: false });
  }

  /** An executor is lost: its tasks run again elsewhere, and what it still says is not heard. */
  removeExecutor(id: string, reason: string): void {
    const executor = this.#executors.get(id);
    if (this.#stopped || executor === undefined || executor.isLost) return;
    executor.isLost = true;
    const attempts = this.#scheduler.removeExecutor(id);
    for (const { taskId } of attempts) this.#parts.delete(taskId);
    this.#heartbeats.onExecutorRemoved(id);
    const again = attempts.length === 0 ? "" : `; ${attempts.length} of its tasks will run again`;
    this.#plan.say(`Executor ${id} (${executor.runtime}) is lost: ${reason}${again}`);
    // One that only seemed dead is to end when it comes to.
    stop(executor);
    if ([...this.#executors.values()].every(({ isLost }) => isLost)) {
      this.#reject(new Error(`No executor is left; the last one, ${id}, is lost: ${reason}`));
    }
    this.#launchTasks();
  }

  /** Tells all executors to end; from here on nothing counts as a loss. */
  stopExecutors(): void {
    this.#stopped = true;
    clearInterval(this.#starvationTimer);
    for (const executor of this.#executors.values()) stop(executor);
  }

  #register(executor: ExecutorDescription, address: RpcAddress): boolean {
    const { executorId: id, executorRef, cores, runtime, pid, hostname } = executor;
    const known = this.#executors.get(id);
    if (known?.isLost) throw new Error(`Executor is excluded due to failures: ${id}`);
    if (known?.registration !== undefined) throw new Error(`Duplicate executor ID: ${id}`);
    const registration = { ref: typedRef(executorRef), cores, address };
    this.#executors.set(id, { id, runtime, registration, tasks: 0, isLost: false });
    this.#heartbeats.onExecutorAdded(id);
    if (!this.#stopped) this.#plan.say(`Executor ${id} (${runtime}) has registered: process ${pid} on ${hostname}`);
    return true;
  }

  #launched(id: string): void {
    const executor = this.#executors.get(id);
    if (executor?.registration === undefined || executor.isLost) return;
    // Its process came up when all was done.
    if (this.#stopped) return stop(executor);
    this.#scheduler.addExecutor(id, executor.registration.cores);
    this.#launchTasks();
  }

  #disconnected(address: RpcAddress): void {
    for (const executor of this.#executors.values()) {
      if (executor.registration?.address.equals(address)) this.removeExecutor(executor.id, "its connection has closed");
    }
  }

  #update(update: StatusUpdate): void {
    const { executorId, taskId } = update;
    const attempt = this.#scheduler.find(executorId, taskId);
    if (attempt === undefined || this.#stopped) return;
    const parts = this.#parts.get(taskId) ?? [];
    if (update.state === "RUNNING") {
      parts.push(update.data);
      this.#parts.set(taskId, parts);
      return;
    }
    this.#parts.delete(taskId);
    if (update.state === "FINISHED") {
      this.#plan.finish(attempt.index, parts);
      this.#scheduler.finish(attempt);
      this.#executors.get(executorId)!.tasks++;
      if (this.#scheduler.isDone) this.#resolve();
    } else {
      const reason = `failed on executor ${executorId}: ${update.reason}`;
      this.#plan.say(`Task ${attempt.index} ${reason}`);
      if (this.#scheduler.fail(attempt) === "given up") {
        this.#reject(new Error(`Task ${attempt.index} failed ${MAX_TASK_FAILURES} times; at last it ${reason}`));
      }
    }
    this.#launchTasks();
  }

  #sayStarving(): void {
    if (this.#scheduler.isBusy) return;
    const registered = [...this.#executors.values()].filter(({ registration, isLost }) =>
      registration !== undefined && !isLost
    );
    const how = registered.length === 0 ? "no executor is registered" : `of ${registered.length} executors none has begun`;
    this.#plan.say(`The job waits: ${how}`);
  }

  #launchTasks(): void {
    if (this.#stopped) return;
    for (const { executorId, taskId, index } of this.#scheduler.takeOffers()) {
      this.#executors.get(executorId)?.registration?.ref.send("LaunchTask", { taskId, ...this.#plan.describe(index) });
    }
  }
}

function stop({ registration }: ExecutorData): void {
  registration?.ref.send("StopExecutor");
}
