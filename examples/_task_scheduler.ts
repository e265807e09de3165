/**
 * Which executor has which task: a state machine without clock, network or processes.
 *
 * Spark: core/…/scheduler/TaskSchedulerImpl.scala and TaskSetManager.scala, as far as one job needs them. Losing an executor is
 * no failure of its tasks.
 *
 * @module
 */

/** A task that an executor is to run. Spark: TaskDescription. */
export interface TaskAttempt {
  /** Names this attempt among all. */
  readonly taskId: number;
  /** Which task it is. */
  readonly index: number;
  readonly executorId: string;
}

/** What has become of a failed task: it runs again, or has failed too often. */
export type AfterFailure = "again" | "given up";

/** An executor that takes tasks. */
interface Slots {
  readonly cores: number;
  readonly running: Set<number>;
}

/** As `spark.task.maxFailures` says unless it is set. */
export const MAX_TASK_FAILURES = 4;

/** Hands out the tasks of one job, each until it has finished once. */
export class TaskScheduler {
  readonly #executors = new Map<string, Slots>();
  readonly #attempts = new Map<number, TaskAttempt>();
  /** Indexes of tasks that failed or were lost; they go before new ones. */
  readonly #again: number[] = [];
  readonly #failures = new Map<number, number>();
  readonly #taskCount: number;
  #nextIndex = 0;
  #nextTaskId = 0;
  #finished = 0;

  /** @param taskCount The tasks are 0 to `taskCount - 1`. */
  constructor(taskCount: number) {
    this.#taskCount = taskCount;
  }

  /** Whether every task has finished. */
  get isDone(): boolean {
    return this.#finished === this.#taskCount;
  }

  /** Whether an executor has a task in hand. */
  get isBusy(): boolean {
    return this.#attempts.size > 0;
  }

  /** An executor is there, for as many tasks at a time as it has cores. */
  addExecutor(executorId: string, cores: number): void {
    this.#executors.set(executorId, { cores, running: new Set() });
  }

  /** An executor is gone. What it had in hand will run elsewhere; returns those attempts. */
  removeExecutor(executorId: string): readonly TaskAttempt[] {
    const running = this.#executors.get(executorId)?.running ?? new Set();
    this.#executors.delete(executorId);
    return [...running].map((taskId) => this.#end(taskId)!);
  }

  /** What is to be launched now: a task for each free core, to the executors in turn. Spark: resourceOffers. */
  takeOffers(): readonly TaskAttempt[] {
    const offers: TaskAttempt[] = [];
    let before: number;
    do {
      before = offers.length;
      for (const [executorId, { cores, running }] of this.#executors) {
        if (running.size >= cores) continue;
        const index = this.#again.shift() ?? (this.#nextIndex < this.#taskCount ? this.#nextIndex++ : undefined);
        if (index === undefined) return offers;
        const attempt = { taskId: this.#nextTaskId++, index, executorId };
        running.add(attempt.taskId);
        this.#attempts.set(attempt.taskId, attempt);
        offers.push(attempt);
      }
    } while (offers.length > before);
    return offers;
  }

  /** The attempt, if that executor has it in hand; what others say of it is not to be heard. */
  find(executorId: string, taskId: number): TaskAttempt | undefined {
    const attempt = this.#attempts.get(taskId);
    return attempt?.executorId === executorId ? attempt : undefined;
  }

  /** An attempt has done its task. */
  finish({ taskId, executorId }: TaskAttempt): void {
    if (this.#attempts.delete(taskId)) this.#finished++;
    this.#executors.get(executorId)?.running.delete(taskId);
  }

  /** An attempt has failed. */
  fail({ taskId, index, executorId }: TaskAttempt): AfterFailure {
    this.#executors.get(executorId)?.running.delete(taskId);
    this.#end(taskId);
    const failures = (this.#failures.get(index) ?? 0) + 1;
    this.#failures.set(index, failures);
    return failures < MAX_TASK_FAILURES ? "again" : "given up";
  }

  #end(taskId: number): TaskAttempt | undefined {
    const attempt = this.#attempts.get(taskId);
    if (attempt !== undefined) this.#again.push(attempt.index);
    this.#attempts.delete(taskId);
    return attempt;
  }
}
