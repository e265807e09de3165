/**
 * What driver and executors say to each other, and what an executor imports from its driver.
 *
 * The names are Spark's: core/…/scheduler/cluster/CoarseGrainedClusterMessage.scala.
 *
 * @module
 */
import type { RpcEndpointRef } from "../mod.ts";
import type { RuntimeName } from "./_runtimes.ts";

/** The driver's endpoint `CoarseGrainedScheduler`. */
export interface CoarseGrainedScheduler {
  receive: {
    /** An executor is ready for tasks. */
    LaunchedExecutor(executor: { readonly executorId: string }): void;
  };
  receiveAndReply: {
    /** What an executor has to know before it makes its environment. */
    RetrieveSparkAppConfig(): { readonly sparkProperties: readonly [key: string, value: string][] };
    RegisterExecutor(executor: ExecutorDescription): boolean;
    /** An ask, where Spark sends: an executor makes the next part of a result when the driver has taken the one before. */
    StatusUpdate(update: StatusUpdate): void;
  };
}

/** An executor's endpoint `Executor`. */
export interface Executor {
  receive: {
    LaunchTask(task: TaskDescription): void;
    StopExecutor(): void;
  };
}

/** An executor that registers. */
export interface ExecutorDescription {
  readonly executorId: string;
  /** Its endpoint. It is in client mode: this leads back over the connection that it opened. */
  readonly executorRef: RpcEndpointRef<Executor>;
  readonly hostname: string;
  readonly pid: number;
  /** How many tasks it takes into its hands at a time. */
  readonly cores: number;
  readonly runtime: RuntimeName;
}

/** A task for an executor. */
export interface TaskDescription {
  readonly taskId: number;
  /** Where the job's module is, as `spark://host:port/jars/name.mjs`. */
  readonly job: string;
  /** Where the task's input is, as `spark://host:port/splits/index`. */
  readonly split: string;
}

/** How a task gets on. */
export type StatusUpdate =
  & { readonly executorId: string; readonly taskId: number }
  & (
    | { readonly state: "RUNNING"; readonly data: unknown }
    | { readonly state: "FINISHED" }
    | { readonly state: "FAILED"; readonly reason: string }
  );

/** What the module of a job exports. It has no imports. */
export interface Job {
  /**
   * Does one task.
   *
   * @param split The task's input.
   * @returns The parts of its result; what can be in a message.
   */
  run(split: AsyncIterable<Uint8Array>): AsyncIterable<unknown>;
}
