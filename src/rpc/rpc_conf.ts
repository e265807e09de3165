/**
 * What configuration says about an environment: its limits and its role.
 *
 * Spark: core/…/util/RpcUtils.scala (maxMessageSizeBytes) and rpc/netty/NettyRpcEnv.scala (role).
 *
 * @module
 */

import { limitsInForce } from "../base/limits.ts";
import { illegalValue, type SparkConf } from "../base/spark_conf.ts";
import { DEFAULT_TRANSPORT_LIMITS, withOutboxInQueue } from "../transport/transport_limits.ts";
import type { RpcEnvLimits } from "./rpc_env.ts";

/** `spark.rpc.message.maxSize` is in MiB and may not be more than this. */
const MAX_MESSAGE_MIB = 2047;
const DEFAULT_MESSAGE_MIB = 128;

/** The limits that hold unless others are given, or messages may be larger. */
const DEFAULT_RPC_ENV_LIMITS: RpcEnvLimits = {
  maxInboxMessages: 100_000,
  maxInboxBytes: 1024 * 1024 * 1024,
  maxConcurrentMessages: 1_024,
  maxConnections: DEFAULT_TRANSPORT_LIMITS.maxConnections,
  maxOutboxBytes: DEFAULT_TRANSPORT_LIMITS.maxOutboxBytes,
  maxOutstandingRequests: DEFAULT_TRANSPORT_LIMITS.maxOutstandingRequests,
  maxUnansweredRequests: DEFAULT_TRANSPORT_LIMITS.maxUnansweredRequests,
  maxQueuedBytes: DEFAULT_TRANSPORT_LIMITS.maxQueuedBytes,
  maxStreams: DEFAULT_TRANSPORT_LIMITS.maxStreams,
  maxChunks: DEFAULT_TRANSPORT_LIMITS.maxChunks,
  maxDownloads: 256,
};

/**
 * The limits in force. What may wait has room for two messages of the largest size, so that own ones do not abort a connection; own ones
 * have room for one, so that others are not refused or lost while it leaves.
 */
export function rpcEnvLimitsInForce(conf: SparkConf, given: Partial<RpcEnvLimits> | undefined): RpcEnvLimits {
  const maxOutboxBytes = Math.max(DEFAULT_RPC_ENV_LIMITS.maxOutboxBytes, maxMessageBytes(conf));
  const maxQueuedBytes = Math.max(DEFAULT_RPC_ENV_LIMITS.maxQueuedBytes, 2 * maxMessageBytes(conf));
  return withOutboxInQueue(limitsInForce({ ...DEFAULT_RPC_ENV_LIMITS, maxOutboxBytes, maxQueuedBytes }, given));
}

/** Which role's keys count: `spark.driver.rpc.…` or `spark.executor.rpc.…`. */
export function roleOf(conf: SparkConf): string | undefined {
  const id = conf.getOption("spark.executor.id");
  if (id === undefined) return undefined;
  return id === "driver" ? "driver" : "executor";
}

/** The largest message, in bytes: `spark.rpc.message.maxSize`, in MiB, default 128. Throws a RangeError below 1 and above 2047. */
export function maxMessageBytes(conf: SparkConf): number {
  const key = "spark.rpc.message.maxSize";
  const mib = conf.getInt(key, DEFAULT_MESSAGE_MIB);
  if (mib < 1) throw illegalValue(key, conf.get(key), "Value must be at least 1 MiB, e.g. 128");
  if (mib > MAX_MESSAGE_MIB) throw new RangeError("spark.rpc.message.maxSize should not be greater than 2047 MB");
  return mib * 1024 * 1024;
}
