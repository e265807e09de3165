/**
 * What a simulated driver and its executors say to each other; Spark's CoarseGrainedClusterMessages, as far as it goes.
 *
 * @module
 */

import type { RpcEndpointRef } from "../../../src/rpc/rpc_endpoint_ref.ts";

/** The driver's endpoint `CoarseGrainedScheduler`. */
export interface SchedulerContract {
  receive: { StatusUpdate(update: StatusUpdate): void };
  receiveAndReply: {
    RegisterExecutor(m: { executorId: string; ref: RpcEndpointRef<ExecutorContract>; cores: number }): boolean;
  };
}

/** An executor's endpoint `Executor`. */
export interface ExecutorContract {
  receive: { LaunchTask(task: TaskDescription): void; StopExecutor(): void };
}

/** A task as it is launched. */
export interface TaskDescription {
  readonly taskId: number;
  readonly attempt: number;
  /** How long it takes. */
  readonly ms: number;
  /** Whether this attempt throws. */
  readonly fails: boolean;
  /** How large its result is. */
  readonly bytes: number;
}

/** How a task ended. */
export interface StatusUpdate {
  readonly executorId: string;
  readonly taskId: number;
  readonly attempt: number;
  /** Its result; undefined if it failed. */
  readonly result: Uint8Array | undefined;
}
