/**
 * Reads the authority of `spark://name@host:port` by java.net.URI's rules, which the runtimes' `URL` does not follow.
 *
 * Spark: java.net.URI, as core/…/util/Utils.scala and rpc/RpcEndpointAddress.scala use it. Strict, it accepts what that accepts;
 * lenient, also host names with `_`, with a last label that begins with a digit or with letters beyond ASCII, and an IPv6 address
 * without brackets. Ports end at 65,535 either way.
 *
 * @module
 */

import { RpcError } from "../base/errors.ts";
import { canonicalIpv6, parseIpv4 } from "../base/ip_address.ts";

/** Options of reading an address. */
export interface UriOptions {
  /**
   * Whether to refuse the host names that java.net.URI refuses, such as `my_host`.
   *
   * @default false
   */
  readonly strict?: boolean | undefined;
}

/** The parts of a URI that addresses are made of. */
export interface UriParts {
  /** What is before `://`, as written. */
  readonly scheme: string;
  /** What is before `@`, without percent-encoding, or undefined. */
  readonly userInfo: string | undefined;
  /** The host, an IPv6 address in brackets. */
  readonly host: string;
  /** The port, or undefined where none is written. */
  readonly port: number | undefined;
  /** Path, query and fragment, as written. */
  readonly rest: string;
}

const MAX_PORT = 65_535;

/** Beyond ASCII java.net.URI takes what is neither a control character nor a kind of space. */
const OTHER = "[^\\p{ASCII}\\p{Cc}\\p{Z}]";
const ESCAPED = "%[0-9A-Fa-f]{2}";
const UNRESERVED = "[A-Za-z0-9_.!~*'();:&=+$,-]";
const USER_INFO = new RegExp(`^(?:${UNRESERVED}|${ESCAPED}|${OTHER})*$`, "u");
const REST = new RegExp(`^(?:${UNRESERVED}|[/?#@[\\]]|${ESCAPED}|${OTHER})*$`, "u");
const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?";
const TOP_LABEL = "[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?";
const STRICT_NAME = new RegExp(`^(?:${LABEL}|(?:${LABEL}\\.)+${TOP_LABEL})\\.?$`);
const LENIENT_NAME = new RegExp(`^(?:[A-Za-z0-9_.~-]|${OTHER})+$`, "u");
const STRICT_IPV6 = /^[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.]+)?$/;

/**
 * Takes a URI with an authority apart.
 *
 * @param uri The text.
 * @param options How exact to be about host names.
 * @returns Its parts; the host is as written, but for brackets.
 * @throws RpcError INVALID_ADDRESS with the reason.
 */
export function parseUri(uri: string, options: UriOptions = {}): UriParts {
  const match = /^([^:/?#]*):\/\/([^/?#]*)(.*)$/s.exec(uri);
  if (match === null) throw invalidAddress("Expected scheme://authority");
  const [, scheme = "", authority = "", rest = ""] = match;
  if (!/^[A-Za-z][A-Za-z0-9+.-]*$/.test(scheme)) throw invalidAddress(`Scheme has a character that it cannot have: ${scheme}`);
  if (!REST.test(rest)) throw invalidAddress(`Path, query or fragment has a character that must be percent-encoded: ${rest}`);
  const at = authority.indexOf("@");
  const userInfo = at < 0 ? undefined : decodeUserInfo(authority.slice(0, at));
  const { host, port } = splitHostPort(authority.slice(at + 1), options.strict === true);
  return { scheme, userInfo, host, port: parsePort(port), rest };
}

/**
 * Takes a URI of Spark's apart: scheme `spark`, host and port, and nothing behind them.
 *
 * @param uri The text.
 * @param options How exact to be about host names.
 * @throws RpcError INVALID_ADDRESS with the reason.
 */
export function parseSparkUri(uri: string, options: UriOptions = {}): UriParts & { readonly port: number } {
  const parts = parseUri(uri, options);
  if (parts.scheme !== "spark") throw invalidAddress(`Expected scheme spark but got ${parts.scheme}`);
  if (parts.rest !== "") throw invalidAddress(`Expected nothing after the port but got ${parts.rest}`);
  return { ...parts, port: requirePort(parts) };
}

/** The port of `parts`. Throws an RpcError INVALID_ADDRESS if it has none. */
export function requirePort(parts: UriParts): number {
  if (parts.port === undefined) throw invalidAddress(`Expected a port after the host: ${parts.host}`);
  return parts.port;
}

/** The error of a URI, or a part of one, that is none; or where there is none. */
export function invalidAddress(reason: string, options?: ErrorOptions): RpcError {
  return new RpcError("INVALID_ADDRESS", reason, options);
}

function decodeUserInfo(text: string): string {
  if (!USER_INFO.test(text)) throw invalidAddress(`Name before @ has a character that must be percent-encoded: ${text}`);
  return decodeEscapes(text);
}

/** The text without percent-encoding, as java.net.URI decodes it. */
export function decodeEscapes(text: string): string {
  // Each run of escapes is UTF-8 of its own; what is none becomes U+FFFD, where decodeURIComponent would throw.
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => {
    const bytes = run.slice(1).split("%").map((hex) => parseInt(hex, 16));
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
  });
}

function splitHostPort(text: string, strict: boolean): { host: string; port: string } {
  if (text.startsWith("[")) {
    const match = /^\[([^\]]*)\](?::(.*))?$/s.exec(text);
    if (match === null) throw invalidAddress(`Expected a port after the IPv6 address: ${text}`);
    const ipv6 = match[1]!;
    if (canonicalIpv6(ipv6) === undefined || (strict && !STRICT_IPV6.test(ipv6))) {
      throw invalidAddress(`No IPv6 address: ${ipv6}`);
    }
    return { host: `[${ipv6}]`, port: match[2] ?? "" };
  }
  // Unbracketed, what follows the last colon is the port: an address without a port is of no use to anyone here.
  const colon = strict ? text.indexOf(":") : text.lastIndexOf(":");
  const host = colon < 0 ? text : text.slice(0, colon);
  const port = colon < 0 ? "" : text.slice(colon + 1);
  if (host === "") throw invalidAddress("Host is missing");
  if (isHostName(host, strict)) return { host, port };
  if (!strict && canonicalIpv6(host) !== undefined) return { host: `[${host}]`, port };
  throw invalidAddress(`Host has a character that it cannot have: ${host}`);
}

function isHostName(host: string, strict: boolean): boolean {
  return (strict ? STRICT_NAME : LENIENT_NAME).test(host) || parseIpv4(host) !== undefined;
}

function parsePort(text: string): number | undefined {
  if (text === "") return undefined;
  if (!/^[0-9]+$/.test(text)) throw invalidAddress(`Port is not a number: ${text}`);
  if (Number(text) > MAX_PORT) throw invalidAddress(`Port is not in 0 to ${MAX_PORT}: ${text}`);
  return Number(text);
}
