/**
 * A process of a simulated job on a machine of its own: what the driver and the executors have in common.
 *
 * @module
 */

import type { Clock } from "../../../src/base/clock.ts";
import { SparkConf } from "../../../src/base/spark_conf.ts";
import type { SimulatedWorld } from "../../../src/rpc/simulated_world.ts";
import type { SparkEnv, SparkEnvOptions } from "../../../src/spark/spark_env.ts";
import type { Ledger } from "../ledger.ts";
import { NodeLogger } from "../node.ts";
import { WatchedClock } from "../watched_clock.ts";
import { WatchedDriver } from "../watched_driver.ts";
import type { JobPlan } from "./job_plan.ts";

/** Where the driver is. */
export const DRIVER_HOST = "driver";
export const DRIVER_PORT = 7077;

/** Where a job takes place. */
export interface JobStage {
  readonly world: SimulatedWorld;
  readonly ledger: Ledger;
  readonly plan: JobPlan;
}

/** A process. Once it has ended, nothing of it does anything any more. */
export class JobProcess {
  /** The machine's name. */
  readonly host: string;
  readonly stage: JobStage;
  readonly #driver: WatchedDriver;
  readonly #clock: WatchedClock;
  #ended = false;

  /** Makes one that does nothing yet. */
  constructor(stage: JobStage, host: string) {
    this.stage = stage;
    this.host = host;
    const { driver, clock } = stage.world.host(host);
    this.#driver = new WatchedDriver(driver, stage.ledger.fail);
    this.#clock = new WatchedClock(clock);
  }

  /** Its time. */
  get clock(): Clock {
    return this.#clock;
  }

  /** Whether it is over. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The configuration of all processes of the job. */
  get conf(): SparkConf {
    const { intervalMs, timeoutMs, checkMs, maxFailures } = this.stage.plan;
    return new SparkConf({
      "spark.driver.host": DRIVER_HOST,
      "spark.driver.port": DRIVER_PORT,
      "spark.port.maxRetries": 0,
      "spark.executor.heartbeatInterval": `${intervalMs}ms`,
      "spark.executor.heartbeat.maxFailures": maxFailures,
      "spark.network.timeout": `${timeoutMs}ms`,
      "spark.network.timeoutInterval": `${checkMs}ms`,
      "spark.rpc.askTimeout": "30s",
      "spark.rpc.lookupTimeout": "20s",
    });
  }

  /** Puts its environment into the simulated world. */
  get envOptions(): SparkEnvOptions {
    const { world, ledger } = this.stage;
    return {
      driver: this.#driver,
      clock: this.#clock,
      logger: new NodeLogger(ledger, this.host),
      createRpcEnv: (options) => world.create(options),
    };
  }

  /** Ends it, in good order or as by SIGKILL. */
  async end(env: SparkEnv | undefined, how: "exit" | "kill"): Promise<void> {
    this.#ended = true;
    if (how === "kill") this.#driver.crash();
    await env?.stop(how === "kill" ? { deadlineMs: 0 } : {});
    // Whoever waits for the end of the environment has heard of it by then.
    await undefined;
    this.#checkNothingHeld();
  }

  /** It is over, and holds nothing. */
  checkEnded(): void {
    if (!this.#ended) this.stage.ledger.fail(`${this.host} has not ended`);
    this.#checkNothingHeld();
  }

  #checkNothingHeld(): void {
    const left = { sockets: this.#driver.openSockets, timers: this.#clock.pendingTimers };
    for (const [what, count] of Object.entries(left)) {
      if (count > 0) this.stage.ledger.fail(`${count} ${what} of ${this.host} are left at the end`);
    }
  }
}
