/**
 * What the methods of a SparkMaster are told, and the small things that they give back.
 *
 * @module
 */

import type { Logger } from "../../base/logger.ts";
import type { SparkConf, SparkConfInit } from "../../base/spark_conf.ts";
import type { RpcEnv } from "../../rpc/rpc_env.ts";

/** How one thing is asked of a Master. */
export interface MasterCallOptions {
  /**
   * How long to wait for each look-up and each answer, in milliseconds.
   *
   * @default `spark.rpc.lookupTimeout` and `spark.rpc.askTimeout`, which are 10 s in an environment that the client made
   */
  readonly timeoutMs?: number | undefined;
  /** Gives up waiting. */
  readonly signal?: AbortSignal | undefined;
}

/** How a Master is found. */
export interface SparkMasterOptions extends MasterCallOptions {
  /**
   * Where to ask from. One of its serializers is `java`, and it is not shut down with the client.
   *
   * @default one of the client's own, in client mode
   */
  readonly env?: RpcEnv | undefined;
  /** The configuration of an environment of the client's own. */
  readonly conf?: SparkConf | SparkConfInit | undefined;
  /**
   * The log of an environment of the client's own.
   *
   * @default warnings and errors to the console
   */
  readonly logger?: Logger | undefined;
}

/** How a driver's end is awaited. */
export interface AwaitDriverOptions extends MasterCallOptions {
  /**
   * How long to wait before the Master is asked again, in milliseconds.
   *
   * @default 1000
   */
  readonly intervalMs?: number | undefined;
}

/** A driver that a Master has taken. */
export interface SubmittedDriver {
  /** Its id. */
  readonly driverId: string;
  /** What the Master said. */
  readonly message: string;
}

/** What a Master says when it is to kill a driver. */
export interface KilledDriver {
  /** Whether it will: it has sent word to the driver's Worker. False if the driver is over, or unknown. */
  readonly accepted: boolean;
  /** What the Master said. */
  readonly message: string;
}
