/**
 * What a Master says of a driver.
 *
 * Spark: deploy/DeployMessage.scala DriverStatusResponse, deploy/master/DriverState.scala.
 *
 * @module
 */

import type { SparkDriverState } from "../../serializer/java/deploy_types.ts";

/** How a driver is. */
export interface DriverStatus {
  /** Its id. */
  readonly driverId: string;
  /**
   * Its state: `SUBMITTED` while it waits for a Worker, then `RUNNING`, then how it ended. `RELAUNCHING` is an end too: a supervised
   * driver whose Worker was lost is started again as another, whose id the Master does not tell; it is among `activeDrivers`.
   */
  readonly state: SparkDriverState;
  /** The id of the Worker that runs it, or ran it. */
  readonly workerId: string | undefined;
  /** Where that Worker is. */
  readonly workerHostPort: string | undefined;
  /** What kept the Worker from running it, in the state `ERROR`. */
  readonly error: Error | undefined;
}

/** Spark: Master.relaunchDriver removes the driver in the state RELAUNCHING, and makes a new one. */
const FINAL_STATES: ReadonlySet<SparkDriverState> = new Set(["FINISHED", "KILLED", "FAILED", "ERROR", "RELAUNCHING"] as const);

/**
 * Whether a driver in that state is over. One that is `RELAUNCHING` is: what runs again has another id.
 *
 * @param state The state.
 *
 * @example
 * ```ts
 * import { isFinalDriverState } from "@sparkwire/sparkwire";
 *
 * if (isFinalDriverState("RUNNING") || !isFinalDriverState("KILLED")) throw new Error("not so");
 * ```
 */
export function isFinalDriverState(state: SparkDriverState): boolean {
  return FINAL_STATES.has(state);
}
