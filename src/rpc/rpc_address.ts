/**
 * Where an RPC environment listens: a host and a port.
 *
 * Spark: core/…/rpc/RpcAddress.scala and util/Utils.scala (normalizeIpIfNeeded, extractHostPortFromSparkUrl). IPv6 addresses with
 * letters or a zone are normalised and bracketed like all others, and a host that could not be told from its port is refused.
 *
 * @module
 */

import { canonicalIpv4, canonicalIpv6 } from "../base/ip_address.ts";
import { checkHost } from "./host_port.ts";
import { invalidAddress, parseSparkUri, parseUri, requirePort, type UriOptions } from "./spark_uri.ts";

/** Options of {@linkcode RpcAddress}. */
export interface RpcAddressOptions {
  /**
   * Whether to take host and port as they are, unchecked: those of an address that a peer sent.
   *
   * @default false
   */
  readonly asWritten?: boolean | undefined;
}

/**
 * A host and a port. Equal ones are told by {@linkcode RpcAddress.equals} and have the same {@linkcode RpcAddress.hostPort}.
 *
 * @example
 * ```ts
 * import { RpcAddress } from "@sparkwire/sparkwire";
 *
 * const address = new RpcAddress("FE80:0::1", 7077);
 * if (address.toSparkURL() !== "spark://[fe80::1]:7077") throw new Error(address.toSparkURL());
 * if (!RpcAddress.fromSparkURL("spark://[fe80::1]:7077").equals(address)) throw new Error("not equal");
 * ```
 */
export class RpcAddress {
  /** The host: a name, an IPv4 address, or an IPv6 address in brackets. */
  readonly host: string;
  /** The TCP port. */
  readonly port: number;
  /** Both, as `host:port`: the key under which connections and outboxes are kept. */
  readonly hostPort: string;

  /**
   * An address, in its canonical form.
   *
   * @param host A name or an IP address, which is brought into its canonical form, that of IPv6 in brackets.
   * @param port The TCP port.
   * @param options Whether to leave both as they are.
   * @throws RpcError INVALID_ADDRESS if the host has a colon and is no IPv6 address.
   * @throws RangeError if the port is no integer from 0 to 65,535.
   */
  constructor(host: string, port: number, options: RpcAddressOptions = {}) {
    if (options.asWritten === true) {
      this.host = host;
    } else {
      this.host = normalizeHost(host);
      if (typeof port !== "number") throw new RangeError(`Port is no number: ${JSON.stringify(port)}`);
      if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new RangeError(`Port is not in 0 to 65535: ${port}`);
    }
    this.port = port;
    this.hostPort = `${this.host}:${port}`;
  }

  /**
   * The address in a `spark://host:port` URI.
   *
   * @param uri The URI, without name, path, query and fragment.
   * @param options How exact to be about host names.
   * @throws RpcError INVALID_ADDRESS `Invalid master URL: <uri>`; its cause says why.
   */
  static fromSparkURL(uri: string, options: UriOptions = {}): RpcAddress {
    try {
      const { userInfo, host, port } = parseSparkUri(uri, options);
      if (userInfo !== undefined) throw invalidAddress(`Expected no name before the host but got ${userInfo}`);
      return new RpcAddress(host, port);
    } catch (cause) {
      throw invalidAddress(`Invalid master URL: ${uri}`, { cause });
    }
  }

  /**
   * The address in any URI with host and port, such as `spark://Worker@host:port` or one of a file server.
   *
   * Spark leaves out every check and may give a null host or port -1; such a URI is refused here.
   *
   * @param uri The URI.
   * @throws RpcError INVALID_ADDRESS `Invalid URL: <uri>`; its cause says why.
   */
  static fromUrlString(uri: string): RpcAddress {
    try {
      const parts = parseUri(uri);
      return new RpcAddress(parts.host, requirePort(parts));
    } catch (cause) {
      throw invalidAddress(`Invalid URL: ${uri}`, { cause });
    }
  }

  /** Whether `other` has the same host and port. */
  equals(other: RpcAddress | undefined): boolean {
    return other !== undefined && this.port === other.port && this.host === other.host;
  }

  /** The address as `spark://host:port`. */
  toSparkURL(): string {
    return `spark://${this.hostPort}`;
  }

  /** The address as `host:port`. */
  toString(): string {
    return this.hostPort;
  }
}

function normalizeHost(host: string): string {
  if (!host.includes(":")) return canonicalIpv4(host) ?? host;
  const bare = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  const canonical = canonicalIpv6(bare);
  if (canonical !== undefined) return `[${canonical}]`;
  checkHost(host);
  throw invalidAddress(`Expected hostname or IP but got ${host}`);
}
