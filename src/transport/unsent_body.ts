/**
 * What is said of a body that could not be sent.
 *
 * @module
 */

import { RpcError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";

/** Logs that `what` has not been sent whole. That its reader has gone is an end like others: then no stack is told. */
export function logUnsent(logger: Logger, what: string, remote: string, error: Error): void {
  const message = `Error sending ${what} to ${remote}: ${error.message}`;
  const isGone = RpcError.is(error) && (error.code === "SOCKET" || error.code === "DISCONNECTED");
  if (isGone) logger.warning(message);
  else logger.warning(message, error);
}
