/**
 * Heartbeats: what executors say to the driver, and which configuration says how often and how long.
 *
 * Spark: core/…/HeartbeatReceiver.scala (messages), SparkConf.scala (validateSettings), internal/config/package.scala. Durations
 * count in milliseconds; there `spark.network.timeout` is cut off to whole seconds.
 *
 * @module
 */

import { illegalValue, type SparkConf } from "../base/spark_conf.ts";
import { RpcTimeout } from "../rpc/rpc_timeout.ts";
import type { StandardSchema } from "../typed/standard_schema.ts";

const INTERVAL_KEY = "spark.executor.heartbeatInterval";
const MAX_FAILURES_KEY = "spark.executor.heartbeat.maxFailures";
const NETWORK_TIMEOUT_KEY = "spark.network.timeout";
const CHECK_INTERVAL_KEY = "spark.network.timeoutInterval";
const BLOCK_MANAGER_TIMEOUT_KEY = "spark.storage.blockManagerHeartbeatTimeoutMs";

/** What an executor says of itself, beside that it lives. It is carried to the scheduler as it is. */
export interface HeartbeatUpdates {
  /** What its tasks have counted so far, by task. */
  readonly accumUpdates?: readonly (readonly [taskId: number, updates: unknown])[] | undefined;
  /** Its block manager. */
  readonly blockManagerId?: unknown;
  /** The peaks of its metrics, by stage. */
  readonly executorUpdates?: unknown;
}

/** A sign of life. */
export interface Heartbeat extends HeartbeatUpdates {
  /** Whose. */
  readonly executorId: string;
}

/** What the driver answers. */
export interface HeartbeatResponse {
  /** Whether it does not know the executor, or knows nothing of its blocks. */
  readonly reregisterBlockManager: boolean;
}

/** The contract of the driver's endpoint `HeartbeatReceiver`. */
export interface HeartbeatContract {
  /** Messages that are answered. */
  receiveAndReply: {
    /** A sign of life. */
    Heartbeat(heartbeat: Heartbeat): HeartbeatResponse;
  };
}

/** Checks heartbeats that come from outside: nothing is looked at but whose they are. */
export const heartbeatSchema: StandardSchema<Heartbeat> = {
  "~standard": {
    version: 1,
    vendor: "sparkwire",
    validate: (value) => isHeartbeat(value) ? { value } : { issues: [{ message: "Expected an executorId that is a text" }] },
  },
};

/** What configuration says about heartbeats. */
export interface HeartbeatConf {
  /** How often an executor sends one, and how long it waits for the answer. Spark: `spark.executor.heartbeatInterval`, 10s. */
  readonly intervalMs: number;
  /** After how many failures in a row it gives up. Spark: `spark.executor.heartbeat.maxFailures`, 60. */
  readonly maxFailures: number;
  /**
   * How long it may be silent. Spark: `spark.storage.blockManagerHeartbeatTimeoutMs`, then `spark.network.timeout`, 120s.
   */
  readonly executorTimeoutMs: number;
  /** How often the driver looks for those that have been. Spark: `spark.network.timeoutInterval`, 60s. */
  readonly checkIntervalMs: number;
}

/**
 * Reads what configuration says about heartbeats, and checks that it makes sense.
 *
 * @param conf The configuration.
 * @returns All durations in milliseconds.
 * @throws {RangeError} With Spark's text if heartbeats, or looks for them, would be rarer than the limit of silence.
 *
 * @example
 * ```ts
 * import { readHeartbeatConf, SparkConf } from "@sparkwire/sparkwire";
 *
 * const { intervalMs, executorTimeoutMs } = readHeartbeatConf(new SparkConf({ "spark.network.timeout": "3min" }));
 * if (intervalMs !== 10_000 || executorTimeoutMs !== 180_000) throw new Error("not so");
 * ```
 */
export function readHeartbeatConf(conf: SparkConf): HeartbeatConf {
  const intervalMs = positiveMs(conf, INTERVAL_KEY, "10s");
  const networkTimeoutMs = RpcTimeout.fromConf(conf, NETWORK_TIMEOUT_KEY, "120s").durationMs;
  requirement(
    networkTimeoutMs > intervalMs,
    `The value of ${NETWORK_TIMEOUT_KEY}=${networkTimeoutMs}ms must be greater than the value of ${INTERVAL_KEY}=${intervalMs}ms.`,
  );
  const ownTimeout = conf.contains(BLOCK_MANAGER_TIMEOUT_KEY);
  const executorTimeoutMs = ownTimeout ? positiveMs(conf, BLOCK_MANAGER_TIMEOUT_KEY) : networkTimeoutMs;
  const checkIntervalMs = positiveMs(conf, CHECK_INTERVAL_KEY, "60s");
  const timeoutKey = ownTimeout ? BLOCK_MANAGER_TIMEOUT_KEY : NETWORK_TIMEOUT_KEY;
  requirement(checkIntervalMs <= executorTimeoutMs, `${CHECK_INTERVAL_KEY} should be less than or equal to ${timeoutKey}.`);
  requirement(
    intervalMs <= executorTimeoutMs,
    `${INTERVAL_KEY} should be less than or equal to ${BLOCK_MANAGER_TIMEOUT_KEY}`,
  );
  const maxFailures = conf.getInt(MAX_FAILURES_KEY, 60);
  if (maxFailures < 1) throw illegalValue(MAX_FAILURES_KEY, String(maxFailures), "Value must be at least 1");
  return { intervalMs, maxFailures, executorTimeoutMs, checkIntervalMs };
}

/** How long an executor waits for the answer to a heartbeat: no longer than until the next one is due. */
export function heartbeatTimeout({ intervalMs }: HeartbeatConf): RpcTimeout {
  return new RpcTimeout(intervalMs, INTERVAL_KEY);
}

function positiveMs(conf: SparkConf, key: string, defaultValue?: string): number {
  const ms = conf.timeAsMs(key, defaultValue);
  // A timer of no time would take all of it.
  if (ms < 1) throw illegalValue(key, conf.get(key, defaultValue), "Time must be at least 1ms");
  return ms;
}

function requirement(condition: boolean, text: string): void {
  if (!condition) throw new RangeError(`requirement failed: ${text}`);
}

function isHeartbeat(value: unknown): value is Heartbeat {
  return typeof value === "object" && value !== null && "executorId" in value && typeof value.executorId === "string";
}
