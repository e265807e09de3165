/**
 * Listens on a port or one of those after it.
 *
 * Spark: `startServiceOnPort` in core/src/main/scala/org/apache/spark/util/Utils.scala. Difference: an address that is not of
 * this machine is tried again only where the port is random, since no other port would help.
 *
 * @module
 */

import type { Logger } from "../base/logger.ts";
import { SocketError } from "../socket/socket.ts";

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
 * Calls `start` with `startPort`, then with the ports after it, as long as they are in use: after 65535 comes 1024. Port 0 is
 * tried again as 0.
 *
 * @param startPort The first port, or 0 to let the system choose.
 * @param start Listens on the port that it is given.
 * @param options Name, number of retries and log.
 * @returns What `start` returned; rejects with a RangeError if `startPort` is neither 0 nor from 1024 to 65535, with a
 * SocketError if no port was free, and with whatever else `start` failed with.
 */
export async function startServiceOnPort<T>(
  startPort: number,
  start: (port: number) => Promise<T>,
  { name, maxRetries, logger }: StartServiceOptions,
): Promise<T> {
  if (!Number.isInteger(startPort) || (startPort !== 0 && (startPort < FIRST_PORT || startPort >= PORTS))) {
    throw new RangeError(
      "requirement failed: startPort should be between 1024 and 65535 (inclusive), or 0 for a random free port. " +
        // Who writes JavaScript may have it from a variable of the environment, as a text.
        `It is ${typeof startPort === "number" ? startPort : `no number: ${JSON.stringify(startPort)}`}`,
    );
  }
  for (let offset = 0;; offset++) {
    const port = portAt(startPort, offset);
    try {
      return await start(port);
    } catch (thrown) {
      if (!isBindCollision(thrown, startPort)) throw thrown;
      if (offset >= maxRetries) throw exhausted(startPort, name, maxRetries, thrown);
      logger.warning(
        startPort === 0
          ? `Service '${name}' could not bind on a random free port. You may check whether configuring an appropriate binding address.`
          : `Service '${name}' could not bind on port ${port}. Attempting port ${portAt(startPort, offset + 1)}.`,
      );
    }
  }
}

function portAt(startPort: number, offset: number): number {
  return startPort === 0 ? 0 : (startPort + offset - FIRST_PORT) % (PORTS - FIRST_PORT) + FIRST_PORT;
}

function isBindCollision(thrown: unknown, startPort: number): thrown is SocketError {
  if (!(thrown instanceof SocketError)) return false;
  return thrown.socketCode === "ADDRESS_IN_USE" || (startPort === 0 && thrown.socketCode === "ADDRESS_NOT_AVAILABLE");
}

function exhausted(startPort: number, name: string, maxRetries: number, cause: SocketError): SocketError {
  const message = startPort === 0
    ? `${cause.message}: Service '${name}' failed after ${maxRetries} retries (on a random free port)! Consider explicitly ` +
      `setting the appropriate binding address for the service '${name}' (for example spark.driver.bindAddress for ` +
      "SparkDriver) to the correct binding address."
    : `${cause.message}: Service '${name}' failed after ${maxRetries} retries (starting from ${startPort})! Consider ` +
      `explicitly setting the appropriate port for the service '${name}' (for example spark.ui.port for SparkUI) to an ` +
      "available port or increasing spark.port.maxRetries.";
  return new SocketError(cause.socketCode, message, { cause });
}
