/**
 * What the machine says of itself: its environment variables, and the name that others reach it by.
 *
 * Spark: core/…/util/Utils.scala localHostName and findLocalInetAddress. There the machine's own host name is looked up first, and
 * the network interfaces only if it leads to a loopback address; here nothing is looked up, so no DNS server can delay a start.
 *
 * @module
 */

import { networkInterfaces } from "node:os";
import process from "node:process";
import { silentLogger } from "../base/logger.ts";
import type { Logger } from "../base/logger.ts";

/** A network interface that is up. */
export interface NetworkInterface {
  /** Its name, such as `eth0`. */
  readonly name: string;
  /** Its addresses, without brackets. */
  readonly addresses: readonly string[];
}

/** What the core asks of the machine. */
export interface Host {
  /** The value of an environment variable; undefined if it is not set or must not be read. */
  env(name: string): string | undefined;
  /** The network interfaces, in the system's order; undefined if they must not be read. */
  networkInterfaces(): readonly NetworkInterface[] | undefined;
}

/** The machine that this runs on. */
export const systemHost: Host = {
  env: (name) => unlessForbidden(() => process.env[name]),
  networkInterfaces: () => unlessForbidden(systemInterfaces),
};

/** Options of {@linkcode localHostName}. */
export interface LocalHostNameOptions {
  /**
   * The machine.
   *
   * @default systemHost
   */
  readonly host?: Host;
  /** Is told when the address was only guessed. */
  readonly logger?: Logger;
}

/**
 * The name by which others reach this machine: `SPARK_LOCAL_HOSTNAME`, else `SPARK_LOCAL_IP`, else the first address of the first
 * interface that leads out of it, IPv4 before IPv6; else the loopback address.
 *
 * @param options The machine, and who is told of a guess.
 * @returns A name or an address, an IPv6 address without brackets: RpcAddress puts them.
 */
export function localHostName(options: LocalHostNameOptions = {}): string {
  const { host = systemHost, logger = silentLogger } = options;
  return textOf(host.env("SPARK_LOCAL_HOSTNAME")) ?? textOf(host.env("SPARK_LOCAL_IP")) ?? guess(host, logger);
}

function guess(host: Host, logger: Logger): string {
  const interfaces = host.networkInterfaces();
  if (interfaces === undefined) {
    logger.warning("The network interfaces may not be read: using 127.0.0.1 as the name of this machine");
    logger.warning("Say where others reach it by `host`, or permit Deno to look: --allow-sys=networkInterfaces --allow-env");
    return "127.0.0.1";
  }
  for (const { name, addresses } of interfaces) {
    const outside = addresses.filter(leadsOutside);
    const address = outside.find((text) => !text.includes(":")) ?? outside[0];
    if (address === undefined) continue;
    logger.warning(`Using the address ${address} of the interface ${name} as the name of this machine`);
    logger.warning("Set SPARK_LOCAL_IP if you need to bind to another address");
    return address;
  }
  logger.warning("No network interface leads out of this machine: using 127.0.0.1 as its name");
  logger.warning("Set SPARK_LOCAL_IP if you need to bind to another address");
  return "127.0.0.1";
}

/** Whether an address is neither loopback nor link-local nor that of no interface. */
function leadsOutside(address: string): boolean {
  return !/^(127\.|169\.254\.|0\.0\.0\.0$|::1?$|fe[89ab][0-9a-f]:|::ffff:127\.)/i.test(address);
}

function textOf(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}

function systemInterfaces(): readonly NetworkInterface[] {
  return Object.entries(networkInterfaces()).map(([name, found]) => ({
    name,
    addresses: (found ?? []).map(({ address }) => address),
  }));
}

/** Deno throws where it was not permitted to look: that is no reason not to start. */
function unlessForbidden<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
