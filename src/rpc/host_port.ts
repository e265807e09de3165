/**
 * Checks and splits `host` and `host:port` as text, where an IPv6 address stands in brackets.
 *
 * Spark: core/…/util/Utils.scala checkHost, checkHostPort and parseHostPort; there a failed check is an AssertionError. Ports that
 * are no number from 0 to 65,535 are refused, too.
 *
 * @module
 */

import { invalidAddress } from "./spark_uri.ts";

/** A host and a port, as {@linkcode parseHostPort} gives them. */
export interface HostPort {
  /** The host, an IPv6 address in brackets. */
  readonly host: string;
  /** The port; 0 where the text has none. */
  readonly port: number;
}

/**
 * Throws unless `host` is a host without a port.
 *
 * @param host A name, an IPv4 address, or an IPv6 address in brackets.
 * @throws RpcError INVALID_ADDRESS.
 */
export function checkHost(host: string): void {
  if (hasManyColons(host)) {
    if (!host.startsWith("[") || !host.endsWith("]")) {
      throw invalidAddress(`Expected hostname or IPv6 IP enclosed in [] but got ${host}`);
    }
  } else if (host.includes(":")) {
    throw invalidAddress(`Expected hostname or IP but got ${host}`);
  }
}

/**
 * Throws unless `hostPort` is a host and a port.
 *
 * @param hostPort The text, such as `[::1]:7077`.
 * @throws RpcError INVALID_ADDRESS.
 */
export function checkHostPort(hostPort: string): void {
  if (!hostPort.includes(beforePort(hostPort))) {
    throw invalidAddress(`Expected host and port but got ${hostPort}`);
  }
}

/**
 * Splits `host:port`; without a port it is 0.
 *
 * @param hostPort The text, such as `[::1]:7077`.
 * @throws RpcError INVALID_ADDRESS if the port is none.
 */
export function parseHostPort(hostPort: string): HostPort {
  const separator = beforePort(hostPort);
  const at = hostPort.lastIndexOf(separator);
  if (at < 0) return { host: hostPort, port: 0 };
  const colon = at + separator.length - 1;
  const port = hostPort.slice(colon + 1).trim();
  if (!/^[0-9]*$/.test(port) || Number(port) > 65_535) throw invalidAddress(`Expected host and port but got ${hostPort}`);
  return { host: hostPort.slice(0, colon).trim(), port: Number(port) };
}

/** What stands before a port, if there is one. */
function beforePort(hostPort: string): string {
  return hasManyColons(hostPort) ? "]:" : ":";
}

/** Whether it can only be an IPv6 address. Colons at the end do not count, as in Java's `split(":")`. */
function hasManyColons(text: string): boolean {
  let end = text.length;
  // Not a RegExp: of many colons with something behind them each would be a beginning to try.
  while (end > 0 && text[end - 1] === ":") end--;
  return text.slice(0, end).split(":").length > 2;
}
