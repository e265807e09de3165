/**
 * A driver and its executors over real sockets, whose time the test moves, and which end with it.
 *
 * @module
 */

import { SparkConf, type SparkConfInit } from "../../src/base/spark_conf.ts";
import { SparkEnv, type SparkEnvOptions } from "../../src/spark/spark_env.ts";
import type { TestContext } from "../_harness.ts";
import { HandTime } from "../_hand_time.ts";
import { MemoryLogger } from "../_memory_logger.ts";

/** A driver, its time and its log. */
export interface TestEnv {
  readonly env: SparkEnv;
  readonly clock: HandTime;
  readonly logger: MemoryLogger;
}

/** Makes a driver at a port that the system chooses. */
export async function driverEnv(context: TestContext, conf: SparkConfInit = {}): Promise<TestEnv> {
  const clock = new HandTime();
  const logger = new MemoryLogger();
  const own = new SparkConf(conf).set("spark.driver.host", "127.0.0.1").set("spark.driver.port", 0);
  const env = await SparkEnv.createDriverEnv(own, false, 1, { clock, logger });
  context.defer(() => env.stop());
  return { env, clock, logger };
}

/** Makes an executor of that driver, with a time of its own. */
export async function executorEnv(
  context: TestContext,
  driver: SparkEnv,
  id = "1",
  options: SparkEnvOptions = {},
): Promise<TestEnv> {
  const clock = new HandTime();
  const logger = new MemoryLogger();
  const own = { clock, logger, ...options };
  const env = await SparkEnv.createExecutorEnv(driver.conf.clone(), id, "127.0.0.1", "127.0.0.1", 1, undefined, false, own);
  context.defer(() => env.stop());
  return { env, clock, logger };
}
