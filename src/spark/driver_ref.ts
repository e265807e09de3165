/**
 * Finds the driver's endpoints from an executor.
 *
 * Spark: core/…/util/RpcUtils.scala makeDriverRef.
 *
 * @module
 */

import type { SparkConf } from "../base/spark_conf.ts";
import type { RpcEndpointRef } from "../rpc/rpc_endpoint_ref.ts";
import type { LookupOptions, RpcEnv } from "../rpc/rpc_env.ts";

const DEFAULT_DRIVER_HOST = "localhost";
const DEFAULT_DRIVER_PORT = 7077;

/**
 * Looks up an endpoint of the driver, at `spark.driver.host` (localhost if it is not set) and `spark.driver.port` (7077).
 *
 * @param name The endpoint's name, such as `EndpointName.heartbeatReceiver`.
 * @param rpcEnv Where to look from; its configuration says where the driver is.
 * @param options As for `setupEndpointRef`, and another configuration.
 * @returns A reference of contract `C`, at your word. Rejects as `setupEndpointRef` does, and with a RangeError if the port is no number.
 *
 * @example
 * ```ts
 * import { EndpointName, makeDriverRef, SparkConf, SparkEnv } from "@sparkwire/sparkwire";
 *
 * const conf = new SparkConf({ "spark.driver.host": "127.0.0.1", "spark.driver.port": 0 });
 * const driver = await SparkEnv.createDriverEnv(conf, false, 1);
 * driver.rpcEnv.setupEndpoint(EndpointName.executor, { receiveAndReply: (message) => message });
 *
 * const executor = await SparkEnv.createExecutorEnv(conf.clone(), "1", "127.0.0.1", "127.0.0.1", 1, undefined, false);
 * const ref = await makeDriverRef(EndpointName.executor, executor.rpcEnv);
 * if (await ref.ask("hello") !== "hello") throw new Error("not the driver");
 *
 * await executor.stop();
 * await driver.stop();
 * ```
 */
export async function makeDriverRef<C = unknown>(
  name: string,
  rpcEnv: RpcEnv,
  options: DriverRefOptions = {},
): Promise<RpcEndpointRef<C>> {
  const conf = options.conf ?? rpcEnv.conf;
  const host = conf.get("spark.driver.host", DEFAULT_DRIVER_HOST);
  const port = conf.getInt("spark.driver.port", DEFAULT_DRIVER_PORT);
  const ref = await rpcEnv.setupEndpointRef({ address: { host, port }, name }, options);
  // The contract is a phantom: nothing but the caller's word says what is behind a name.
  return ref as RpcEndpointRef<C>;
}

/** How the driver's endpoint is looked up. */
export interface DriverRefOptions extends LookupOptions {
  /**
   * Says where the driver is.
   *
   * @default the environment's
   */
  readonly conf?: SparkConf | undefined;
}
