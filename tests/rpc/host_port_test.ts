import { assertEquals, assertThrows } from "@std/assert";
import { RpcError } from "../../src/base/errors.ts";
import { checkHost, checkHostPort, parseHostPort } from "../../src/rpc/host_port.ts";
import { test } from "../_harness.ts";

function messageOf(check: () => unknown): string {
  const error = assertThrows(check, RpcError);
  assertEquals(error.code, "INVALID_ADDRESS");
  return error.message;
}

// Spark: UtilsSuite "checkHost supports both IPV4 and IPV6"
test("checkHost() takes names, IPv4 and bracketed IPv6, without a port", () => {
  for (const host of ["0.0.0.0", "[::1]", "localhost"]) checkHost(host);
  for (const host of ["0.0.0.0:0", "0.0.0.0:", "localhost:0", "localhost:"]) {
    assertEquals(messageOf(() => checkHost(host)), `Expected hostname or IP but got ${host}`);
  }
  for (const host of ["[::1]:0", "[::1]:", "::1", "fe80::1%eth0"]) {
    assertEquals(messageOf(() => checkHost(host)), `Expected hostname or IPv6 IP enclosed in [] but got ${host}`);
  }
});

test("checkHost() looks at half a million colons once: a peer may have such a host in a reference", () => {
  const colons = ":".repeat(500_000);
  for (const host of [`${colons}x`, `${colons}x${colons}`]) {
    assertEquals(messageOf(() => checkHost(host)), `Expected hostname or IPv6 IP enclosed in [] but got ${host}`);
  }
  assertEquals(messageOf(() => checkHost(`x${colons}`)), `Expected hostname or IP but got x${colons}`);
});

// Spark: UtilsSuite "checkHostPort support IPV6 and IPV4"
test("checkHostPort() wants a port", () => {
  for (const hostPort of ["0.0.0.0:0", "[::1]:0", "localhost:0"]) checkHostPort(hostPort);
  for (const hostPort of ["0.0.0.0", "[::1]", "localhost"]) {
    assertEquals(messageOf(() => checkHostPort(hostPort)), `Expected host and port but got ${hostPort}`);
  }
});

// Spark: UtilsSuite "parseHostPort support IPV6 and IPV4"
test("parseHostPort() splits host and port; no port is 0", () => {
  for (const host of ["0.0.0.0", "[::1]", "localhost"]) {
    assertEquals(parseHostPort(`${host}:80`), { host, port: 80 });
    assertEquals(parseHostPort(host), { host, port: 0 });
    assertEquals(parseHostPort(`${host}:`), { host, port: 0 });
  }
  assertEquals(parseHostPort(" h : 7077 "), { host: "h", port: 7077 });
  assertEquals(parseHostPort(""), { host: "", port: 0 });
  assertEquals(parseHostPort(":7077"), { host: "", port: 7077 });
  assertEquals(parseHostPort("::1"), { host: "::1", port: 0 });
});

test("parseHostPort() refuses a port that is none", () => {
  for (const hostPort of ["h:x", ":x", "h:-1", "h:65536", "h:1e3", "[::1]:0x10"]) {
    assertEquals(messageOf(() => parseHostPort(hostPort)), `Expected host and port but got ${hostPort}`);
  }
});
