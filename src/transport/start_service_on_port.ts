/**
 * Listens on a port or one of those after it.
 *
 * Spark: `startServiceOnPort` in core/src/main/scala/org/apache/spark/util/Utils.scala.
 *
 * @module
 */

import { SocketError } from "../socket/socket.ts";
import type { Logger } from "../base/logger.ts";

const FIRST_PORT = 1024;
const PORTS = 65_536;

/** How a service finds its port. */
export interface StartServiceOptions {
  /** The service's name, for messages. */
  readonly name: string;
  /** How often another port is tried: `spark.port.maxRetries`. */
  readonly maxRetries: number;
  /** Hears which ports were taken. */
  readonly logger: Logger;
}

/**
 * Calls `start` with `startPort`, then with the ports after it, as long as they are in use. Port 0 is tried again as 0.
 *
 * @throws {RangeError} If `startPort` is neither 0 nor from 1024 to 65535.
 * @throws {SocketError} If no port was free, or anything else went wrong.
 */
export async function startServiceOnPort<T>(
  startPort: number,
  start: (port: number) => Promise<T>,
  { name, maxRetries, logger }: StartServiceOptions,
): Promise<T> {
  if (!Number.isInteger(startPort) || (startPort !== 0 && (startPort < FIRST_PORT || startPort >= PORTS))) {
    throw new RangeError(
      "requirement failed: startPort should be between 1024 and 65535 (inclusive), or 0 for a random free port.",
    );
  }
  for (let offset = 0;; offset++) {
    const port = startPort === 0 ? 0 : (startPort + offset - FIRST_PORT) % (PORTS - FIRST_PORT) + FIRST_PORT;
    try {
      return await start(port);
    } catch (thrown) {
      if (!(thrown instanceof SocketError) || thrown.socketCode !== "ADDRESS_IN_USE") throw thrown;
      if (offset >= maxRetries) throw exhausted(startPort, name, maxRetries, thrown);
      const where = startPort === 0 ? "a random free port" : `port ${port}`;
      logger.warning(`Service '${name}' could not bind on ${where}. Attempting port ${startPort === 0 ? 0 : port + 1}.`);
    }
  }
}

function exhausted(startPort: number, name: string, maxRetries: number, cause: SocketError): SocketError {
  const message = startPort === 0
    ? `${cause.message}: Service '${name}' failed after ${maxRetries} retries (on a random free port)! Consider explicitly ` +
      `setting the appropriate binding address for the service '${name}' (for example spark.driver.bindAddress for ` +
      "SparkDriver) to the correct binding address."
    : `${cause.message}: Service '${name}' failed after ${maxRetries} retries (starting from ${startPort})! Consider ` +
      `explicitly setting the appropriate port for the service '${name}' (for example spark.ui.port for SparkUI) to an ` +
      "available port or increasing spark.port.maxRetries.";
  return new SocketError("ADDRESS_IN_USE", message, { cause });
}
