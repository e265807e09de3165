/**
 * What the runtimes throw, turned into {@linkcode SocketError}: by its `code`, and by name or text where a runtime gives none.
 *
 * @module
 */

import { isError } from "../base/errors.ts";
import { SocketError } from "./socket.ts";
import type { SocketAddress, SocketErrorCode } from "./socket.ts";

const CODES: Readonly<Record<string, SocketErrorCode>> = {
  EACCES: "PERMISSION_DENIED",
  EADDRINUSE: "ADDRESS_IN_USE",
  EADDRNOTAVAIL: "ADDRESS_NOT_AVAILABLE",
  EAFNOSUPPORT: "ADDRESS_NOT_AVAILABLE",
  EAI_AGAIN: "HOST_NOT_FOUND",
  EAI_FAIL: "HOST_NOT_FOUND",
  EAI_NODATA: "HOST_NOT_FOUND",
  EAI_NONAME: "HOST_NOT_FOUND",
  ECONNABORTED: "CONNECTION_RESET",
  ECONNREFUSED: "CONNECTION_REFUSED",
  ECONNRESET: "CONNECTION_RESET",
  EHOSTDOWN: "HOST_UNREACHABLE",
  EHOSTUNREACH: "HOST_UNREACHABLE",
  EINTR: "ABORTED",
  // What node:net of Deno 2.9 says of an address of another machine; systems say it of one that lacks its zone.
  EINVAL: "ADDRESS_NOT_AVAILABLE",
  ENETDOWN: "HOST_UNREACHABLE",
  ENETUNREACH: "HOST_UNREACHABLE",
  ENODATA: "HOST_NOT_FOUND",
  ENOTCONN: "BROKEN_PIPE",
  ENOTFOUND: "HOST_NOT_FOUND",
  EPERM: "PERMISSION_DENIED",
  EPIPE: "BROKEN_PIPE",
  EPROTO: "TLS",
  ERR_SOCKET_CLOSED: "BROKEN_PIPE",
  ERR_STREAM_DESTROYED: "BROKEN_PIPE",
  ERR_STREAM_PREMATURE_CLOSE: "CONNECTION_RESET",
  ERR_STREAM_WRITE_AFTER_END: "BROKEN_PIPE",
  ETIMEDOUT: "TIMED_OUT",
};

/** Codes of OpenSSL and of node:tls; `ERR_OSSL` is also what a key that cannot be read gives. */
const TLS_CODE =
  /^(CERT_|DEPTH_ZERO_|ERR_BORINGSSL|ERR_OSSL|ERR_SSL|ERR_TLS|HOSTNAME_MISMATCH|INVALID_CA|SELF_SIGNED_|UNABLE_TO_)/;

/** Errors without a code, of Deno 2.9: told apart by the name of their class. */
const NAMES: Readonly<Record<string, SocketErrorCode>> = {
  BadResource: "ABORTED",
  Interrupted: "ABORTED",
  NotCapable: "PERMISSION_DENIED",
  PermissionDenied: "PERMISSION_DENIED",
  URIError: "HOST_NOT_FOUND",
};

/** Deno 2.9 has no code for a name that does not resolve. */
const NO_SUCH_HOST = /failed to lookup address information|no such host is known|nodename nor servname/i;

/** Bun 1.4 says it of every failure, with a code of all but a name whose server does not answer. */
const CANNOT_LISTEN = /^Failed to listen at /;

const TEXTS: Readonly<Record<SocketErrorCode, string>> = {
  ABORTED: "aborted",
  ADDRESS_IN_USE: "address already in use",
  ADDRESS_NOT_AVAILABLE: "address not available on this machine",
  BROKEN_PIPE: "the peer does not read any more",
  CONNECTION_REFUSED: "connection refused",
  CONNECTION_RESET: "connection reset by the peer",
  HOST_NOT_FOUND: "host not found",
  HOST_UNREACHABLE: "no route to the host",
  PERMISSION_DENIED: "permission denied",
  QUEUE_OVERFLOW: "too many bytes are queued",
  TIMED_OUT: "timed out",
  TLS: "TLS failed",
  UNKNOWN: "failed",
};

/** Errors whose own text is worth repeating: there is no single reason behind the code. */
const VAGUE: ReadonlySet<SocketErrorCode> = new Set<SocketErrorCode>(["ABORTED", "TLS", "UNKNOWN"]);

/** Whether the runtime's own text says more than ours; Deno's `NotCapable` names the flag that gives the permission. */
function isTelling(cause: unknown, code: SocketErrorCode): boolean {
  return VAGUE.has(code) || isError(cause) && cause.name === "NotCapable";
}

/** `host:port` for people, an IPv6 literal in brackets. */
export function formatAddress(address: SocketAddress): string {
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** A failure of our own finding: what could not be done, and the usual text for the code. */
export function socketError(code: SocketErrorCode, what: string, cause?: unknown): SocketError {
  // OpenSSL's texts end with a line feed in Node.
  const text = cause !== undefined && isTelling(cause, code) ? `${TEXTS[code]}: ${messageOf(cause).trimEnd()}` : TEXTS[code];
  return new SocketError(code, `${what}: ${text}`, cause === undefined ? {} : { cause });
}

/**
 * Turns what a runtime threw into a SocketError; one that is a SocketError already is passed on.
 *
 * @param thrown What was thrown; it becomes the cause.
 * @param what What could not be done, such as `Cannot connect to 127.0.0.1:7077`.
 * @param otherwise What it is if neither code, name nor text says: `TLS` on a secure socket.
 */
export function toSocketError(thrown: unknown, what: string, otherwise: SocketErrorCode = "UNKNOWN"): SocketError {
  if (thrown instanceof SocketError) return thrown;
  return socketError(classify(thrown) ?? otherwise, what, thrown);
}

function classify(thrown: unknown): SocketErrorCode | undefined {
  if (typeof thrown !== "object" || thrown === null) return undefined;
  const code = "code" in thrown ? thrown.code : undefined;
  if (typeof code === "string") {
    const known = Object.hasOwn(CODES, code) ? CODES[code] : TLS_CODE.test(code) ? "TLS" : undefined;
    if (known !== undefined) return known;
  }
  const name = "name" in thrown ? thrown.name : undefined;
  if (typeof name === "string" && Object.hasOwn(NAMES, name)) return NAMES[name];
  const text = messageOf(thrown);
  if (NO_SUCH_HOST.test(text) || code === undefined && CANNOT_LISTEN.test(text)) return "HOST_NOT_FOUND";
  // A name with several addresses fails once per address; the first one's reason stands for all.
  return "errors" in thrown && Array.isArray(thrown.errors) ? classify(thrown.errors[0]) : undefined;
}

function messageOf(thrown: unknown): string {
  return isError(thrown) ? thrown.message : String(thrown);
}
