/**
 * The executor's pulse: it says to the driver again and again that it lives, and gives up when nobody answers.
 *
 * Spark: core/…/Heartbeater.scala and executor/Executor.scala (reportHeartBeat). Beats that were missed while the process stood
 * still are not made up for.
 *
 * @module
 */

import type { Timer } from "../base/clock.ts";
import { RpcTimeoutError, toError } from "../base/errors.ts";
import { promiseOf } from "../base/promise_of.ts";
import type { RpcEndpointRef } from "../rpc/rpc_endpoint_ref.ts";
import { type Ref, typedRef } from "../typed/typed_ref.ts";
import { type HeartbeatConf, type HeartbeatContract, heartbeatTimeout, type HeartbeatUpdates } from "./heartbeat.ts";
import { readHeartbeatConf } from "./heartbeat.ts";
import type { SparkEnv } from "./spark_env.ts";

/** The exit code of an executor whose heartbeats nobody answers. Spark: ExecutorExitCode.HEARTBEAT_FAILURE. */
export const HEARTBEAT_FAILURE_EXIT_CODE = 56;

/** How an executor's heartbeats are made. */
export interface HeartbeaterOptions {
  /**
   * Called when too many heartbeats in a row have failed: the process should end, since its driver is gone. No heartbeat follows.
   *
   * @param exitCode Spark's for this, 56.
   * @param cause Why the last one failed.
   */
  readonly onExit: (exitCode: number, cause: Error) => unknown;
  /** Called when the driver does not know this executor, or its blocks. What it throws makes the heartbeat a failed one. */
  readonly onReregister?: (() => unknown) | undefined;
  /** What a heartbeat says beside that the executor lives; asked for each time. */
  readonly updates?: (() => HeartbeatUpdates) | undefined;
}

/**
 * Sends the heartbeats of an executor.
 *
 * @example
 * ```ts
 * import { EndpointName, Heartbeater, HeartbeatReceiver, makeDriverRef, SparkConf, SparkEnv } from "@sparkwire/sparkwire";
 * import type { HeartbeatContract } from "@sparkwire/sparkwire";
 *
 * const conf = new SparkConf({ "spark.driver.host": "127.0.0.1", "spark.driver.port": 0 });
 * conf.set("spark.executor.heartbeatInterval", "10ms");
 * const driver = await SparkEnv.createDriverEnv(conf, false, 1);
 * const receiver = new HeartbeatReceiver(driver);
 * receiver.start();
 * receiver.setScheduler({ removeExecutor: (id, reason) => console.log(`Lost ${id}: ${reason}`) });
 *
 * const executor = await SparkEnv.createExecutorEnv(conf.clone(), "1", "127.0.0.1", "127.0.0.1", 1, undefined, false);
 * const ref = await makeDriverRef<HeartbeatContract>(EndpointName.heartbeatReceiver, executor.rpcEnv);
 * await new Promise<void>((resolve) => {
 *   // Nobody has said to the receiver that there is such an executor.
 *   const heartbeater = new Heartbeater(executor, ref, { onReregister: () => resolve(), onExit: (code) => console.log(code) });
 *   heartbeater.start();
 * });
 *
 * await executor.stop();
 * await driver.stop();
 * ```
 */
export class Heartbeater implements AsyncDisposable {
  /** How often it beats, and how often that may fail. */
  readonly heartbeatConf: HeartbeatConf;
  readonly #env: SparkEnv;
  readonly #receiver: Ref<HeartbeatContract>;
  readonly #options: HeartbeaterOptions;
  readonly #abort = new AbortController();
  #answered = 0;
  #failures = 0;
  #state: "new" | "running" | "stopped" = "new";
  #timer: Timer | undefined;
  #beat: Promise<void> = Promise.resolve();

  /**
   * Makes one that does not beat yet.
   *
   * @param env The executor's environment.
   * @param receiver The driver's endpoint, as `makeDriverRef` finds it.
   * @param options What follows from an answer, and from none.
   * @throws {RangeError} If the configuration makes no sense.
   */
  constructor(env: SparkEnv, receiver: RpcEndpointRef<HeartbeatContract>, options: HeartbeaterOptions) {
    this.#env = env;
    this.#receiver = typedRef(receiver);
    this.#options = options;
    this.heartbeatConf = readHeartbeatConf(env.conf);
  }

  /** How many heartbeats were answered, and the answers acted upon. */
  get answered(): number {
    return this.#answered;
  }

  /** How many heartbeats in a row have failed. */
  get failures(): number {
    return this.#failures;
  }

  /**
   * Begins to beat, after one interval and up to another, so that executors that start together do not beat together. It ends by
   * itself with its environment.
   */
  start(): void {
    if (this.#state !== "new") return;
    this.#state = "running";
    const { clock, random } = this.#env;
    const { intervalMs } = this.heartbeatConf;
    this.#schedule(clock.now() + intervalMs + Math.floor(random() * intervalMs));
    this.#env.rpcEnv.awaitTermination({ signal: this.#abort.signal }).then(() => this.stop(), () => {});
  }

  /** Stops. Resolves when nothing of a heartbeat is under way any more, so `onReregister` must not await it. */
  stop(): Promise<void> {
    if (this.#state !== "stopped") {
      this.#state = "stopped";
      this.#timer?.cancel();
      this.#abort.abort();
    }
    return this.#beat;
  }

  /** The same as {@linkcode Heartbeater.stop}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #schedule(dueMs: number): void {
    const { clock } = this.#env;
    this.#timer = clock.setTimer(dueMs - clock.now(), () => {
      this.#beat = this.#report().then(() => {
        if (this.#state === "running") this.#schedule(Math.max(dueMs + this.heartbeatConf.intervalMs, clock.now()));
      });
    });
  }

  /** One heartbeat; never rejects. */
  async #report(): Promise<void> {
    const { executorId, logger } = this.#env;
    const timeout = heartbeatTimeout(this.heartbeatConf);
    try {
      const heartbeat = { ...this.#options.updates?.(), executorId };
      const options = { timeoutMs: timeout.durationMs, signal: this.#abort.signal };
      const { reregisterBlockManager } = await this.#receiver.ask("Heartbeat", heartbeat, options);
      if (this.#state === "running" && reregisterBlockManager) {
        logger.info("Told to re-register on heartbeat");
        await this.#options.onReregister?.();
      }
      this.#answered++;
      this.#failures = 0;
    } catch (thrown) {
      if (this.#state === "stopped") return;
      const error = toError(thrown);
      // The ask does not know where its limit comes from.
      this.#failed(
        error instanceof RpcTimeoutError ? timeout.noReplyError({ peer: error.peer, phase: error.phase, cause: error }) : error,
      );
    }
  }

  #failed(error: Error): void {
    const { logger } = this.#env;
    const { maxFailures } = this.heartbeatConf;
    logger.warning("Issue communicating with driver in heartbeater", error);
    if (++this.#failures < maxFailures) return;
    logger.error(`Exit as unable to send heartbeats to driver more than ${maxFailures} times`);
    this.#state = "stopped";
    this.#abort.abort();
    try {
      const exiting = promiseOf(this.#options.onExit(HEARTBEAT_FAILURE_EXIT_CODE, error));
      exiting?.catch((thrown) => logger.error("Exiting failed", thrown));
    } catch (thrown) {
      logger.error("Exiting failed", thrown);
    }
  }
}
