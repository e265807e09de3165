/**
 * A Master that is alive does not take a driver.
 *
 * Spark: deploy/Client.scala exits with -1.
 *
 * @module
 */

import { RpcError } from "../../base/errors.ts";
import type { RpcAddress } from "../../rpc/rpc_address.ts";

/**
 * The Master refused a driver; the message is its own.
 *
 * @example
 * ```ts
 * import { DriverRefusedError, RpcAddress } from "@sparkwire/sparkwire";
 *
 * const error: unknown = new DriverRefusedError("No more drivers", new RpcAddress("host", 7077));
 * if (!(error instanceof DriverRefusedError) || error.master.port !== 7077) throw error;
 * ```
 */
export class DriverRefusedError extends RpcError {
  /** The class's name; kept when code is minified. */
  override readonly name: string = "DriverRefusedError";
  /** The Master that refused it. */
  readonly master: RpcAddress;

  /**
   * Makes the error.
   *
   * @param message What the Master said.
   * @param master The Master.
   */
  constructor(message: string, master: RpcAddress) {
    super("REMOTE", message);
    this.master = master;
  }
}
