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
  /** Its state: `SUBMITTED` while it waits for a Worker, then `RUNNING`, then how it ended. */
  readonly state: SparkDriverState;
  /** The id of the Worker that runs it, or ran it. */
  readonly workerId: string | undefined;
  /** Where that Worker is. */
  readonly workerHostPort: string | undefined;
  /** What kept the Worker from running it, in the state `ERROR`. */
  readonly error: Error | undefined;
}

const FINAL_STATES: ReadonlySet<SparkDriverState> = new Set<SparkDriverState>(["FINISHED", "KILLED", "FAILED", "ERROR"]);

/**
 * Whether a driver in that state is over.
 *
 * @param state The state.
 *
 * @example
 * ```ts
 * import { isFinalDriverState } from "@sparkwire/sparkwire";
 *
 * if (isFinalDriverState("RELAUNCHING") || !isFinalDriverState("KILLED")) throw new Error("not so");
 * ```
 */
export function isFinalDriverState(state: SparkDriverState): boolean {
  return FINAL_STATES.has(state);
}
