import { assertEquals, assertStrictEquals } from "@std/assert";
import { RpcError } from "../../src/base/errors.ts";
import { SocketError, type SocketErrorCode } from "../../src/socket/socket.ts";
import { formatAddress, socketError, toSocketError } from "../../src/socket/socket_errors.ts";
import { test } from "../_harness.ts";

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

function coded(code: unknown, message = "of the runtime"): Error {
  return Object.assign(new Error(message), { code });
}

const CASES: readonly (readonly [string, unknown, SocketErrorCode])[] = [
  ["ECONNREFUSED", coded("ECONNREFUSED"), "CONNECTION_REFUSED"],
  ["ECONNRESET", coded("ECONNRESET"), "CONNECTION_RESET"],
  ["ECONNABORTED", coded("ECONNABORTED"), "CONNECTION_RESET"],
  ["EPIPE", coded("EPIPE"), "BROKEN_PIPE"],
  ["ERR_STREAM_DESTROYED of Node", coded("ERR_STREAM_DESTROYED"), "BROKEN_PIPE"],
  ["ETIMEDOUT", coded("ETIMEDOUT"), "TIMED_OUT"],
  ["EADDRINUSE", coded("EADDRINUSE"), "ADDRESS_IN_USE"],
  ["EADDRNOTAVAIL", coded("EADDRNOTAVAIL"), "ADDRESS_NOT_AVAILABLE"],
  ["EINVAL of Deno's node:net", coded("EINVAL", "listen EINVAL"), "ADDRESS_NOT_AVAILABLE"],
  ["ENOTFOUND", coded("ENOTFOUND"), "HOST_NOT_FOUND"],
  ["EAI_AGAIN", coded("EAI_AGAIN"), "HOST_NOT_FOUND"],
  ["EHOSTUNREACH", coded("EHOSTUNREACH"), "HOST_UNREACHABLE"],
  ["ENETUNREACH", coded("ENETUNREACH"), "HOST_UNREACHABLE"],
  ["EHOSTDOWN", coded("EHOSTDOWN"), "HOST_UNREACHABLE"],
  ["ENETDOWN", coded("ENETDOWN"), "HOST_UNREACHABLE"],
  ["EACCES", coded("EACCES"), "PERMISSION_DENIED"],
  ["a certificate", coded("SELF_SIGNED_CERT_IN_CHAIN"), "TLS"],
  ["another certificate", coded("UNABLE_TO_VERIFY_LEAF_SIGNATURE"), "TLS"],
  ["a wrong name", coded("ERR_TLS_CERT_ALTNAME_INVALID"), "TLS"],
  ["EINTR of Deno", coded("EINTR"), "ABORTED"],
  [
    "Deno: a name that does not resolve",
    new Error("failed to lookup address information: Name or service not known"),
    "HOST_NOT_FOUND",
  ],
  ["Bun: a name that does not resolve, to listen on", new Error("Failed to listen at nowhere"), "HOST_NOT_FOUND"],
  ["Bun: another failure to listen", coded("ESOMETHING", "Failed to listen at 127.0.0.1"), "UNKNOWN"],
  ["Deno: no name at all", named("URIError", "invalid host 'a b'"), "HOST_NOT_FOUND"],
  ["Deno: closed meanwhile", named("BadResource", "Bad resource ID"), "ABORTED"],
  ["Deno: no permission", named("NotCapable", "Requires net access"), "PERMISSION_DENIED"],
  ["several addresses", Object.assign(new AggregateError([coded("ECONNREFUSED"), coded("ETIMEDOUT")])), "CONNECTION_REFUSED"],
  [
    "several addresses, with a code of its own",
    Object.assign(new AggregateError([coded("ETIMEDOUT")]), { code: "EANY" }),
    "TIMED_OUT",
  ],
  [
    "a name with a code that is not known",
    Object.assign(named("NotCapable", "of Deno"), { code: "EANY" }),
    "PERMISSION_DENIED",
  ],
  ["several, none of which says why", new AggregateError([]), "UNKNOWN"],
  ["a code that is not known", coded("ESOMETHING"), "UNKNOWN"],
  ["a code that Object has", coded("constructor"), "UNKNOWN"],
  ["a code that is a number", coded(111), "UNKNOWN"],
  ["text", "broken", "UNKNOWN"],
  ["nothing", undefined, "UNKNOWN"],
  ["null", null, "UNKNOWN"],
];

for (const [what, thrown, expected] of CASES) {
  test(`toSocketError() of ${what} is ${expected}`, () => {
    const error = toSocketError(thrown, "Cannot do it");
    assertEquals([error.socketCode, error.code], [expected, "SOCKET"]);
    assertStrictEquals(error.cause, thrown);
    assertEquals(error.message.startsWith("Cannot do it: "), true);
  });
}

test("toSocketError() passes on what is a SocketError already", () => {
  const error = new SocketError("QUEUE_OVERFLOW", "Too much");
  assertStrictEquals(toSocketError(error, "Cannot do it"), error);
  assertEquals(RpcError.is(error), true);
});

test("toSocketError() takes what cannot be told for what it is told to", () => {
  assertEquals(toSocketError(new Error("received fatal alert"), "Cannot do it", "TLS").socketCode, "TLS");
  assertEquals(toSocketError(coded("ECONNRESET"), "Cannot do it", "TLS").socketCode, "CONNECTION_RESET");
});

test("toSocketError() repeats the runtime's text only where the code says little", () => {
  assertEquals(toSocketError(coded("EPIPE"), "It broke").message, "It broke: the peer does not read any more");
  assertEquals(toSocketError(coded("E?", "of the runtime"), "It broke").message, "It broke: failed: of the runtime");
  assertEquals(socketError("ABORTED", "It broke").message, "It broke: aborted");
  assertEquals(socketError("ABORTED", "It broke", "enough").message, "It broke: aborted: enough");
});

test("toSocketError() repeats what Deno says of a missing permission: how to give it", () => {
  const asks = 'Requires net access to "127.0.0.1:7077", run again with the --allow-net flag';
  assertEquals(toSocketError(named("NotCapable", asks), "Cannot do it").message, `Cannot do it: permission denied: ${asks}`);
  assertEquals(toSocketError(coded("EACCES"), "Cannot do it").message, "Cannot do it: permission denied");
});

test("formatAddress() puts an IPv6 literal in brackets", () => {
  assertEquals(formatAddress({ host: "::1", port: 7077 }), "[::1]:7077");
  assertEquals(formatAddress({ host: "localhost", port: 7077 }), "localhost:7077");
});
