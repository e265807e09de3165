import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { RpcError } from "../../src/base/errors.ts";
import { RpcAddress } from "../../src/rpc/rpc_address.ts";
import { test } from "../_harness.ts";

function assertInvalid(parse: () => unknown, message: string, reason: string): void {
  const error = assertThrows(parse, RpcError);
  assertEquals([error.code, error.message], ["INVALID_ADDRESS", message]);
  assertInstanceOf(error.cause, RpcError);
  assertEquals(error.cause.message, reason);
}

// Spark: RpcAddressSuite "hostPort"
test("RpcAddress.hostPort is host and port", () => {
  const address = new RpcAddress("1.2.3.4", 1234);
  assertEquals([address.host, address.port, address.hostPort, String(address)], [
    "1.2.3.4",
    1234,
    "1.2.3.4:1234",
    "1.2.3.4:1234",
  ]);
});

// Spark: RpcAddressSuite "fromSparkURL"
test("RpcAddress.fromSparkURL() reads host and port", () => {
  const address = RpcAddress.fromSparkURL("spark://1.2.3.4:1234");
  assertEquals([address.host, address.port], ["1.2.3.4", 1234]);
});

// Spark: RpcAddressSuite "fromSparkURL: a typo url"
test("RpcAddress.fromSparkURL() refuses a typo in Spark's words, and says why in the cause", () => {
  assertInvalid(
    () => RpcAddress.fromSparkURL("spark://1.2. 3.4:1234"),
    "Invalid master URL: spark://1.2. 3.4:1234",
    "Host has a character that it cannot have: 1.2. 3.4",
  );
});

// Spark: RpcAddressSuite "fromSparkURL: invalid scheme"
test("RpcAddress.fromSparkURL() refuses another scheme", () => {
  assertInvalid(
    () => RpcAddress.fromSparkURL("invalid://1.2.3.4:1234"),
    "Invalid master URL: invalid://1.2.3.4:1234",
    "Expected scheme spark but got invalid",
  );
});

// Spark: RpcAddressSuite "toSparkURL"
test("RpcAddress.toSparkURL() writes what fromSparkURL() reads", () => {
  const address = new RpcAddress("1.2.3.4", 1234);
  assertEquals(address.toSparkURL(), "spark://1.2.3.4:1234");
  assertEquals(RpcAddress.fromSparkURL(address.toSparkURL()).equals(address), true);
});

// Spark: RpcAddressSuite "SPARK-39468: IPv6 hostPort"
test("RpcAddress brackets an IPv6 host", () => {
  const address = new RpcAddress("::1", 1234);
  assertEquals([address.host, address.port, address.hostPort], ["[::1]", 1234, "[::1]:1234"]);
});

// Spark: RpcAddressSuite "SPARK-39468: IPv6 fromSparkURL"
test("RpcAddress.fromSparkURL() reads an IPv6 host", () => {
  const address = RpcAddress.fromSparkURL("spark://[::1]:1234");
  assertEquals([address.host, address.port], ["[::1]", 1234]);
});

// Spark: RpcAddressSuite "SPARK-39468: IPv6 toSparkURL"
test("RpcAddress.toSparkURL() writes an IPv6 host", () => {
  assertEquals(new RpcAddress("::1", 1234).toSparkURL(), "spark://[::1]:1234");
});

// Spark: RpcAddressSuite "SPARK-42173: Consistent Sparse Mapping"
test("RpcAddress.toSparkURL() shortens zero groups", () => {
  assertEquals(new RpcAddress("::0:1", 1234).toSparkURL(), "spark://[::1]:1234");
});

// Spark: RpcAddressSuite "SPARK-42173: Consistent Sparse Mapping trailing 0s"
test("RpcAddress.toSparkURL() shortens zero groups at the end", () => {
  assertEquals(new RpcAddress("2600::", 1234).toSparkURL(), "spark://[2600::]:1234");
});

test("RpcAddress normalises what Spark leaves ambiguous: hexadecimal IPv6, zones and leading zeros", () => {
  const cases: [string, string][] = [
    ["fe80::1", "[fe80::1]"],
    ["[FE80:0::1]", "[fe80::1]"],
    ["fe80::1%eth0", "[fe80::1%eth0]"],
    ["::ffff:1.2.3.4", "[::ffff:1.2.3.4]"],
    ["my_host", "my_host"],
    ["127.0.0.1", "127.0.0.1"],
    ["010.0.00.1", "10.0.0.1"],
  ];
  for (const [input, host] of cases) {
    const address = new RpcAddress(input, 1);
    assertEquals([address.host, address.hostPort], [host, `${host}:1`], input);
    assertEquals(RpcAddress.fromSparkURL(address.toSparkURL()).equals(address), true, input);
  }
});

test("RpcAddress refuses a host that cannot be told from its port, and a port that is none", () => {
  const hosts: [string, string][] = [
    ["localhost:80", "Expected hostname or IP but got localhost:80"],
    ["1:2", "Expected hostname or IP but got 1:2"],
    ["::1::", "Expected hostname or IPv6 IP enclosed in [] but got ::1::"],
    ["[::1]:80", "Expected hostname or IPv6 IP enclosed in [] but got [::1]:80"],
    ["[::1", "Expected hostname or IPv6 IP enclosed in [] but got [::1"],
    ["::1]", "Expected hostname or IPv6 IP enclosed in [] but got ::1]"],
    ["[a:b:c]", "Expected hostname or IP but got [a:b:c]"],
  ];
  for (const [host, message] of hosts) {
    const error = assertThrows(() => new RpcAddress(host, 1), RpcError);
    assertEquals([error.code, error.message], ["INVALID_ADDRESS", message]);
  }
  for (const port of [-1, 65_536, 1.5, NaN]) {
    assertThrows(() => new RpcAddress("h", port), RangeError, `Port is not in 0 to 65535: ${port}`);
  }
  assertThrows(() => new RpcAddress("h", "7077" as unknown as number), RangeError, 'Port is no number: "7077"');
});

test("RpcAddress takes host and port as written where it is told to", () => {
  const address = new RpcAddress("::0:1", -7, { asWritten: true });
  assertEquals([address.host, address.port, address.hostPort], ["::0:1", -7, "::0:1:-7"]);
});

test("RpcAddress.equals() compares host and port", () => {
  const address = new RpcAddress("::1", 1);
  assertEquals(address.equals(new RpcAddress("[0::1]", 1)), true);
  assertEquals(address.equals(new RpcAddress("::1", 2)), false);
  assertEquals(address.equals(new RpcAddress("::2", 1)), false);
  assertEquals(address.equals(undefined), false);
});

test("RpcAddress.fromSparkURL() takes host names with _ unless it is strict", () => {
  const uri = "spark://my_host:7077";
  assertEquals(RpcAddress.fromSparkURL(uri).hostPort, "my_host:7077");
  assertInvalid(
    () => RpcAddress.fromSparkURL(uri, { strict: true }),
    `Invalid master URL: ${uri}`,
    "Host has a character that it cannot have: my_host",
  );
});

test("RpcAddress.fromSparkURL() refuses a name, a path, and a URI without port", () => {
  const cases: [string, string][] = [
    ["spark://a@h:1", "Expected no name before the host but got a"],
    ["spark://@h:1", "Expected no name before the host but got "],
    ["spark://h:1/x", "Expected nothing after the port but got /x"],
    ["spark://h", "Expected a port after the host: h"],
  ];
  for (const [uri, reason] of cases) {
    assertInvalid(() => RpcAddress.fromSparkURL(uri), `Invalid master URL: ${uri}`, reason);
  }
});

test("RpcAddress.fromUrlString() reads host and port of any URI", () => {
  assertEquals(RpcAddress.fromUrlString("spark://Worker@h:1").hostPort, "h:1");
  assertEquals(RpcAddress.fromUrlString("http://[FE80::1]:2/x?y#z").hostPort, "[fe80::1]:2");
  assertInvalid(() => RpcAddress.fromUrlString("http://h/x"), "Invalid URL: http://h/x", "Expected a port after the host: h");
  assertInvalid(() => RpcAddress.fromUrlString("h:1"), "Invalid URL: h:1", "Expected scheme://authority");
});
