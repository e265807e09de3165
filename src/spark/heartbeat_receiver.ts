/**
 * The driver's ear: it knows which executors have been heard of lately, and gives up those that have not.
 *
 * Spark: core/…/HeartbeatReceiver.scala. Differences: executors are added, removed and expired by calls within the driver, not by
 * messages, which any peer could send; time in which the driver itself stood still counts as nobody's silence; and an executor is
 * removed even if asking for its replacement fails.
 *
 * @module
 */

import type { Timer } from "../base/clock.ts";
import { promiseOf } from "../base/promise_of.ts";
import type { RpcEndpointRef } from "../rpc/rpc_endpoint_ref.ts";
import { endpoint } from "../typed/endpoint.ts";
import { EndpointName } from "./endpoint_name.ts";
import { type Heartbeat, type HeartbeatConf, type HeartbeatContract, heartbeatSchema, readHeartbeatConf } from "./heartbeat.ts";
import type { HeartbeatResponse } from "./heartbeat.ts";
import type { SparkEnv } from "./spark_env.ts";

/**
 * What the driver does about heartbeats and silence; each may be async. What it throws is logged.
 *
 * Spark: TaskScheduler.executorHeartbeatReceived, SparkContext.killAndReplaceExecutor and the message RemoveExecutor of
 * CoarseGrainedSchedulerBackend.
 */
export interface HeartbeatScheduler {
  /**
   * Takes a heartbeat of an executor that is known here. Returns whether its block manager is known too.
   *
   * @default it is
   */
  executorHeartbeatReceived?(heartbeat: Heartbeat): boolean | Promise<boolean>;
  /** Has an executor killed, and another one started instead of it. */
  killAndReplaceExecutor?(executorId: string): unknown;
  /** Forgets an executor that was not heard of in time: its tasks run again elsewhere. */
  removeExecutor(executorId: string, reason: string): unknown;
}

/**
 * Receives heartbeats and expires executors that have fallen silent.
 *
 * @example
 * ```ts
 * import { Heartbeater, HeartbeatReceiver, makeDriverRef, SparkConf, SparkEnv } from "@sparkwire/sparkwire";
 * import type { HeartbeatContract } from "@sparkwire/sparkwire";
 *
 * const conf = new SparkConf({ "spark.driver.host": "127.0.0.1", "spark.driver.port": 0 });
 * const driver = await SparkEnv.createDriverEnv(conf, false, 1);
 * const receiver = new HeartbeatReceiver(driver);
 * receiver.start();
 * receiver.setScheduler({ removeExecutor: (id, reason) => console.log(`Lost ${id}: ${reason}`) });
 * receiver.onExecutorAdded("1");
 *
 * const executor = await SparkEnv.createExecutorEnv(conf.clone(), "1", "127.0.0.1", "127.0.0.1", 1, undefined, false);
 * const ref = await makeDriverRef<HeartbeatContract>("HeartbeatReceiver", executor.rpcEnv);
 * const heartbeater = new Heartbeater(executor, ref, { onExit: (code) => console.log(`Exit ${code}`) });
 * heartbeater.start();
 * if (!receiver.executorLastSeen.has(executor.executorId)) throw new Error("not watched");
 *
 * await heartbeater.stop();
 * await executor.stop();
 * await driver.stop();
 * ```
 */
export class HeartbeatReceiver {
  /** How long silence may be, and how often it is looked for. */
  readonly heartbeatConf: HeartbeatConf;
  readonly #env: SparkEnv;
  /** By executor, when it was heard of last. */
  readonly #lastSeen = new Map<string, number>();
  readonly #pulsesPerLook: number;
  readonly #pulseMs: number;
  #ref: RpcEndpointRef<HeartbeatContract> | undefined;
  #scheduler: HeartbeatScheduler | undefined;
  #timer: Timer | undefined;

  /**
   * Makes a receiver that is not set up.
   *
   * @param env The driver's environment.
   * @throws {RangeError} With Spark's text if its configuration makes no sense.
   */
  constructor(env: SparkEnv) {
    this.#env = env;
    this.heartbeatConf = readHeartbeatConf(env.conf);
    const { checkIntervalMs, intervalMs } = this.heartbeatConf;
    this.#pulsesPerLook = Math.ceil(checkIntervalMs / intervalMs);
    this.#pulseMs = checkIntervalMs / this.#pulsesPerLook;
  }

  /** The executors that are watched, and when each was heard of last, on the clock of the environment. */
  get executorLastSeen(): ReadonlyMap<string, number> {
    return this.#lastSeen;
  }

  /** Who is told of heartbeats and silence; until it is set, executors are told to register again. */
  get scheduler(): HeartbeatScheduler | undefined {
    return this.#scheduler;
  }

  /**
   * Sets its endpoint up, which begins to look for the silent at once. `env.rpcEnv.stop` of what it returns ends that.
   *
   * @param name The endpoint's name; executors look for `HeartbeatReceiver`.
   * @returns The endpoint's reference.
   * @throws {TypeError} If it has been started before.
   * @throws As `setupEndpoint` does.
   */
  start(name: string = EndpointName.heartbeatReceiver): RpcEndpointRef<HeartbeatContract> {
    if (this.#ref !== undefined) throw new TypeError(`Cannot start ${name}: this receiver has been started before`);
    const made = endpoint<HeartbeatContract>(() => ({
      onStart: () => this.#start(),
      onStop: () => this.#timer?.cancel(),
      receiveAndReply: { Heartbeat: (heartbeat) => this.#received(heartbeat) },
    }), { isolated: true, validate: { Heartbeat: heartbeatSchema } });
    this.#ref = this.#env.rpcEnv.setupEndpoint(name, made);
    return this.#ref;
  }

  /** Says who is told of heartbeats and silence. Spark: TaskSchedulerIsSet. */
  setScheduler(scheduler: HeartbeatScheduler): void {
    this.#scheduler = scheduler;
  }

  /** An executor has registered: from now on it must be heard of. */
  onExecutorAdded(executorId: string): void {
    this.#lastSeen.set(executorId, this.#env.clock.now());
  }

  /** An executor has gone; call this after it is gone for everybody else, since its last heartbeat may still be under way. */
  onExecutorRemoved(executorId: string): void {
    this.#lastSeen.delete(executorId);
  }

  /**
   * Expires the executors that have been silent for too long; called every `spark.network.timeoutInterval`.
   *
   * @returns Their ids.
   */
  expireDeadHosts(): string[] {
    const now = this.#env.clock.now();
    const { executorTimeoutMs } = this.heartbeatConf;
    const expired: string[] = [];
    for (const [executorId, lastSeenMs] of this.#lastSeen) {
      const silentMs = Math.round(now - lastSeenMs);
      if (silentMs <= executorTimeoutMs) continue;
      this.#env.logger.warning(
        `Removing executor ${executorId} with no recent heartbeats: ${silentMs} ms exceeds timeout ${executorTimeoutMs} ms`,
      );
      // Before anybody is told, who may look here.
      this.#lastSeen.delete(executorId);
      expired.push(executorId);
      this.#expire(executorId, `Executor heartbeat timed out after ${silentMs} ms`);
    }
    return expired;
  }

  #expire(executorId: string, reason: string): void {
    const scheduler = this.#scheduler;
    this.#tell(() => scheduler?.killAndReplaceExecutor?.(executorId));
    this.#tell(() => scheduler?.removeExecutor(executorId, reason));
  }

  #received(heartbeat: Heartbeat): HeartbeatResponse | Promise<HeartbeatResponse> {
    const { executorId } = heartbeat;
    const scheduler = this.#scheduler;
    if (scheduler === undefined) {
      const { logger } = this.#env;
      logger.warning(`Dropping Heartbeat of executor ${executorId} because TaskScheduler is not ready yet`);
      return this.#response(false);
    }
    if (!this.#lastSeen.has(executorId)) {
      // One that was removed while its heartbeat was under way: no reason for a warning.
      this.#env.logger.debug(`Received heartbeat from unknown executor ${executorId}`);
      return this.#response(false);
    }
    this.#lastSeen.set(executorId, this.#env.clock.now());
    const isKnown = scheduler.executorHeartbeatReceived?.(heartbeat) ?? true;
    return typeof isKnown === "boolean" ? this.#response(isKnown) : isKnown.then((known) => this.#response(known));
  }

  #response(isKnown: boolean): HeartbeatResponse {
    return { reregisterBlockManager: !isKnown && !this.#env.isStopped };
  }

  #start(): void {
    this.expireDeadHosts();
    this.#pulse(this.#env.clock.now() + this.#pulseMs, this.#pulsesPerLook);
  }

  /**
   * Time in which the driver stood still, as on a machine that was asleep, is nobody's silence. How long that was is known by how
   * late a timer is, to within the time between two of them: so there is one in each heartbeat's time, though looks are rarer.
   */
  #pulse(dueMs: number, pulsesToLook: number): void {
    const { clock } = this.#env;
    this.#timer = clock.setTimer(dueMs - clock.now(), () => {
      const lateMs = Math.max(0, clock.now() - dueMs);
      this.#forgive(lateMs);
      let left = pulsesToLook - 1;
      // What was said while this stood still has come, but may not have been read yet.
      if (left <= 0 && lateMs < this.#pulseMs) {
        left = this.#pulsesPerLook;
        this.expireDeadHosts();
      }
      this.#pulse(dueMs + lateMs + this.#pulseMs, left);
    });
  }

  #forgive(lateMs: number): void {
    if (lateMs === 0) return;
    const now = this.#env.clock.now();
    for (const [executorId, lastSeenMs] of this.#lastSeen) this.#lastSeen.set(executorId, Math.min(now, lastSeenMs + lateMs));
  }

  #tell(what: () => unknown): void {
    const log = (thrown: unknown): void => this.#env.logger.error("Expiring an executor failed", thrown);
    try {
      promiseOf(what())?.catch(log);
    } catch (thrown) {
      log(thrown);
    }
  }
}
