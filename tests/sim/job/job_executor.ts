/**
 * A simulated executor: it registers, does what it is given, says that it lives, and ends when its driver wants it to or is gone.
 *
 * @module
 */

import type { Timer } from "../../../src/base/clock.ts";
import type { RpcEndpointRef } from "../../../src/rpc/rpc_endpoint_ref.ts";
import { makeDriverRef } from "../../../src/spark/driver_ref.ts";
import { EndpointName } from "../../../src/spark/endpoint_name.ts";
import type { HeartbeatContract } from "../../../src/spark/heartbeat.ts";
import { Heartbeater } from "../../../src/spark/heartbeater.ts";
import { SparkEnv } from "../../../src/spark/spark_env.ts";
import { endpoint } from "../../../src/typed/endpoint.ts";
import { type Ref, typedRef } from "../../../src/typed/typed_ref.ts";
import { makePayload } from "../payload.ts";
import type { ExecutorContract, SchedulerContract, TaskDescription } from "./job_contracts.ts";
import { DRIVER_HOST, DRIVER_PORT, JobProcess, type JobStage } from "./job_process.ts";

/** Spark looks its driver up so often before it gives up. */
const LOOK_UPS = 3;

/** Why an executor has ended. */
export type ExitReason = "killed" | "stopped" | "disassociated" | "forgotten" | "no driver" | "heartbeats";

/** One executor. */
export class JobExecutor {
  readonly id: string;
  readonly process: JobProcess;
  /** Why it has ended; undefined while it lives. */
  exit: ExitReason | undefined;
  readonly #stage: JobStage;
  readonly #tasks = new Map<number, Timer>();
  #retry: Timer | undefined;
  #env: SparkEnv | undefined;
  #scheduler: Ref<SchedulerContract> | undefined;

  /** Makes one that has not been started. */
  constructor(stage: JobStage, id: string) {
    this.#stage = stage;
    this.id = id;
    this.process = new JobProcess(stage, `executor${id}`);
  }

  /** Starts it; never rejects. */
  async start(): Promise<void> {
    try {
      await this.#register();
    } catch {
      await this.end("no driver");
    }
  }

  /** Ends it, unless it has ended. */
  async end(reason: ExitReason): Promise<void> {
    if (this.exit !== undefined) return;
    this.exit = reason;
    for (const timer of this.#tasks.values()) timer.cancel();
    this.#tasks.clear();
    this.#retry?.cancel();
    await this.process.end(this.#env, reason === "killed" ? "kill" : "exit");
  }

  async #register(): Promise<void> {
    const { host, conf, envOptions } = this.process;
    const { cores } = this.#stage.plan;
    this.#env = await SparkEnv.createExecutorEnv(conf, this.id, host, host, cores, undefined, false, envOptions);
    const { rpcEnv } = this.#env;
    const ref = rpcEnv.setupEndpoint(EndpointName.executor, this.#endpoint());
    const scheduler: RpcEndpointRef<SchedulerContract> = await this.#lookUp(EndpointName.coarseGrainedScheduler);
    this.#scheduler = typedRef(scheduler);
    const receiver: RpcEndpointRef<HeartbeatContract> = await this.#lookUp(EndpointName.heartbeatReceiver);
    const isWanted = await this.#scheduler.ask("RegisterExecutor", { executorId: this.id, ref, cores });
    if (this.exit !== undefined) return;
    if (!isWanted) return await this.end("stopped");
    const heartbeater = new Heartbeater(this.#env, receiver, {
      onExit: () => this.end("heartbeats"),
      // The driver has given it up: whatever it does is in vain.
      onReregister: () => void this.end("forgotten"),
    });
    heartbeater.start();
  }

  async #lookUp<C>(name: string): Promise<RpcEndpointRef<C>> {
    for (let tries = 1;; tries++) {
      try {
        return await makeDriverRef<C>(name, this.#env!.rpcEnv);
      } catch (thrown) {
        if (tries === LOOK_UPS || this.exit !== undefined) throw thrown;
        await new Promise<void>((resolve) => {
          this.#retry = this.process.clock.setTimer(1_000, resolve);
        });
      }
    }
  }

  #endpoint() {
    return endpoint<ExecutorContract>(() => ({
      receive: {
        LaunchTask: (task) => this.#launch(task),
        StopExecutor: () => void this.end("stopped"),
      },
      onDisconnected: ({ host, port }) => {
        // As in Spark: from here on nobody knows whether what was said has been heard.
        if (host === DRIVER_HOST && port === DRIVER_PORT) void this.end("disassociated");
      },
    }), { isolated: true });
  }

  #launch({ taskId, attempt, ms, fails, bytes }: TaskDescription): void {
    if (this.exit !== undefined) return;
    if (this.#tasks.has(taskId)) this.#stage.ledger.fail(`Executor ${this.id} was given task ${taskId} twice`);
    const timer = this.process.clock.setTimer(ms, () => {
      this.#tasks.delete(taskId);
      const result = fails ? undefined : makePayload(taskId, bytes).bytes;
      this.#scheduler!.send("StatusUpdate", { executorId: this.id, taskId, attempt, result });
    });
    this.#tasks.set(taskId, timer);
  }
}
