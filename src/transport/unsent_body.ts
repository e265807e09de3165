/**
 * What is said of a body that could not be sent.
 *
 * @module
 */

import type { Logger } from "../base/logger.ts";
import { SocketError } from "../socket/socket.ts";

/** Logs that `what` has not been sent whole. That its reader has gone is an end like others: then no stack is told. */
export function logUnsent(logger: Logger, what: string, remote: string, error: Error): void {
  const message = `Error sending ${what} to ${remote}: ${error.message}`;
  if (error instanceof SocketError) logger.warning(message);
  else logger.warning(message, error);
}
