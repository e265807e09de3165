import { assertEquals, assertThrows } from "@std/assert";
import { RpcError } from "../../src/base/errors.ts";
import { parseSparkUri, parseUri } from "../../src/rpc/spark_uri.ts";
import { test } from "../_harness.ts";

function reasonOf(uri: string, strict: boolean): string {
  const error = assertThrows(() => parseSparkUri(uri, { strict }), RpcError);
  assertEquals(error.code, "INVALID_ADDRESS");
  return error.message;
}

/** What java.net.URI takes. */
const VALID: [string, string | undefined, string, number][] = [
  ["spark://1.2.3.4:1234", undefined, "1.2.3.4", 1234],
  ["spark://001.02.3.255:0", undefined, "001.02.3.255", 0],
  ["spark://Master@localhost:7077", "Master", "localhost", 7077],
  ["spark://a@h.example.com.:65535", "a", "h.example.com.", 65535],
  ["spark://a@host-1.x-y.z9:07077", "a", "host-1.x-y.z9", 7077],
  ["spark://a@42:1", "a", "42", 1],
  ["spark://@h:1", "", "h", 1],
  ["spark://a:b&c=d+e$f,g;~!*'()._-@h:1", "a:b&c=d+e$f,g;~!*'()._-", "h", 1],
  ["spark://%C3%89cho%20x@h:1", "Écho x", "h", 1],
  ["spark://%ff@h:1", "\ufffd", "h", 1],
  ["spark://%EF%BB%BFa@h:1", "\ufeffa", "h", 1],
  ["spark://Écho你😀@h:1", "Écho你😀", "h", 1],
  ["spark://a@[::1]:7077", "a", "[::1]", 7077],
  ["spark://a@[FE80::1%eth0]:7077", "a", "[FE80::1%eth0]", 7077],
  ["spark://a@[::ffff:127.0.0.1]:7077", "a", "[::ffff:127.0.0.1]", 7077],
];

/** What only the lenient mode takes. */
const LENIENT: [string, string | undefined, string, number][] = [
  ["spark://HeartbeatReceiver@my_host:1", "HeartbeatReceiver", "my_host", 1],
  ["spark://a@_dmarc.x:1", "a", "_dmarc.x", 1],
  ["spark://a@host.1:1", "a", "host.1", 1],
  ["spark://a@1.2.3.400:1", "a", "1.2.3.400", 1],
  ["spark://a@-x-:1", "a", "-x-", 1],
  ["spark://a@höst:1", "a", "höst", 1],
  ["spark://a@fe80::1:7077", "a", "[fe80::1]", 7077],
  ["spark://::1:7077", undefined, "[::1]", 7077],
  ["spark://a@[fe80::1%eth-0]:7077", "a", "[fe80::1%eth-0]", 7077],
];

test("parseSparkUri() takes what java.net.URI takes, in both modes", () => {
  for (const [uri, userInfo, host, port] of VALID) {
    for (const strict of [true, false]) {
      assertEquals(parseSparkUri(uri, { strict }), { scheme: "spark", userInfo, host, port, rest: "" }, uri);
    }
  }
});

test("parseSparkUri() takes host names with _ and IPv6 without brackets only where it is lenient", () => {
  for (const [uri, userInfo, host, port] of LENIENT) {
    assertEquals(parseSparkUri(uri), { scheme: "spark", userInfo, host, port, rest: "" }, uri);
    reasonOf(uri, true);
  }
});

test("parseSparkUri() says why it refuses, in both modes", () => {
  const cases: [string, string][] = [
    ["", "Expected scheme://authority"],
    ["spark", "Expected scheme://authority"],
    ["spark:a@h:1", "Expected scheme://authority"],
    ["spark:/a@h:1", "Expected scheme://authority"],
    ["://h:1", "Scheme has a character that it cannot have: "],
    ["1spark://h:1", "Scheme has a character that it cannot have: 1spark"],
    [" spark://h:1", "Scheme has a character that it cannot have:  spark"],
    ["SPARK://h:1", "Expected scheme spark but got SPARK"],
    ["spark-client://driver@h:1", "Expected scheme spark but got spark-client"],
    ["spark://", "Host is missing"],
    ["spark://a@:1", "Host is missing"],
    ["spark://a@h", "Expected a port after the host: h"],
    ["spark://a@h:", "Expected a port after the host: h"],
    ["spark://a@[::1]", "Expected a port after the host: [::1]"],
    ["spark://a@h:x", "Port is not a number: x"],
    ["spark://a@h:-1", "Port is not a number: -1"],
    ["spark://a@h:65536", "Port is not in 0 to 65535: 65536"],
    ["spark://a@[::1]x:1", "Expected a port after the IPv6 address: [::1]x:1"],
    ["spark://a@[::1:1", "Expected a port after the IPv6 address: [::1:1"],
    ["spark://a@[::g]:1", "No IPv6 address: ::g"],
    ["spark://a@[1.2.3.4]:1", "No IPv6 address: 1.2.3.4"],
    ["spark://a@h h:1", "Host has a character that it cannot have: h h"],
    ["spark://a@h%20h:1", "Host has a character that it cannot have: h%20h"],
    ["spark://a@b@h:1", "Host has a character that it cannot have: b@h"],
    ["spark://a b@h:1", "Name before @ has a character that must be percent-encoded: a b"],
    ["spark://a%2@h:1", "Name before @ has a character that must be percent-encoded: a%2"],
    ["spark://a\u00a0@h:1", "Name before @ has a character that must be percent-encoded: a\u00a0"],
    ["spark://a\u0085@h:1", "Name before @ has a character that must be percent-encoded: a\u0085"],
    ["spark://a@h:1/", "Expected nothing after the port but got /"],
    ["spark://a@h:1?", "Expected nothing after the port but got ?"],
    ["spark://a@h:1#", "Expected nothing after the port but got #"],
    ["spark://a@h:1/a b", "Path, query or fragment has a character that must be percent-encoded: /a b"],
    ["spark://a@h:1\n", "Port is not a number: 1\n"],
  ];
  for (const [uri, reason] of cases) {
    assertEquals([reasonOf(uri, true), reasonOf(uri, false)], [reason, reason], uri);
  }
});

test("parseUri() takes any scheme, with what is behind the port", () => {
  assertEquals(parseUri("https://u@h:443/a%20b?c=d#e"), {
    scheme: "https",
    userInfo: "u",
    host: "h",
    port: 443,
    rest: "/a%20b?c=d#e",
  });
  assertEquals(parseUri("http://h/x").port, undefined);
});
