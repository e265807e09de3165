/**
 * Of all Masters that were asked, none is alive.
 *
 * Spark: deploy/Client.scala logs `No master is available, exiting.` and ends the process.
 *
 * @module
 */

import { RpcError } from "../../base/errors.ts";
import type { RpcAddress } from "../../rpc/rpc_address.ts";
import type { SparkRecoveryState } from "../../serializer/java/deploy_types.ts";

/** What was found at the address of a Master. */
export interface MasterProbe {
  /** Where it is. */
  readonly address: RpcAddress;
  /** Its state; undefined if it did not tell. */
  readonly state: SparkRecoveryState | undefined;
  /** Why it did not tell; undefined if it did. */
  readonly error: Error | undefined;
}

/**
 * No Master is alive: they are standbys, recover, or cannot be reached. `masters` says which is what.
 *
 * @example
 * ```ts
 * import { NoAliveMasterError, silentLogger, SparkMaster } from "@sparkwire/sparkwire";
 *
 * try {
 *   // Nobody listens there.
 *   await SparkMaster.connect("spark://127.0.0.1:1", { logger: silentLogger });
 * } catch (error) {
 *   if (!(error instanceof NoAliveMasterError)) throw error;
 *   if (error.masters.some(({ state }) => state === "RECOVERING")) throw new Error("try again soon");
 * }
 * ```
 */
export class NoAliveMasterError extends RpcError {
  /** The class's name; kept when code is minified. */
  override readonly name: string = "NoAliveMasterError";
  /** What was found at each address. */
  readonly masters: readonly MasterProbe[];

  /**
   * Makes the error.
   *
   * @param masters What was found at each address.
   */
  constructor(masters: readonly MasterProbe[]) {
    const cause = masters.find(({ error }) => error !== undefined)?.error;
    super("NOT_FOUND", `There is no Master that is alive: ${masters.map(describe).join("; ")}`, cause && { cause });
    this.masters = masters;
  }
}

function describe({ address, state, error }: MasterProbe): string {
  if (state === undefined) return `${address} did not answer, ${reasonOf(error)}`;
  // It refused, and has been elected since.
  return state === "ALIVE" ? `${address} is ALIVE by now, ask again` : `${address} is ${state}`;
}

function reasonOf(error: Error | undefined): string {
  if (error === undefined) return "without a reason";
  // Why a connection was closed, only the cause says: because it led to the web UI, for one.
  const why = RpcError.is(error) && error.code === "DISCONNECTED" ? error.cause : undefined;
  return why instanceof Error && !error.message.endsWith(why.message) ? `${error.message}: ${why.message}` : error.message;
}
