import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { RpcError } from "../../src/base/errors.ts";
import { RpcAddress } from "../../src/rpc/rpc_address.ts";
import { RpcEndpointAddress } from "../../src/rpc/rpc_endpoint_address.ts";
import { test } from "../_harness.ts";

// Spark: NettyRpcAddressSuite "toString"
test("RpcEndpointAddress.toString() is a URI with name, host and port", () => {
  assertEquals(String(new RpcEndpointAddress(new RpcAddress("localhost", 12345), "test")), "spark://test@localhost:12345");
  assertEquals(String(new RpcEndpointAddress(new RpcAddress("::1", 1), "test")), "spark://test@[::1]:1");
});

// Spark: NettyRpcAddressSuite "toString for client mode"
test("RpcEndpointAddress.toString() has the name alone in client mode", () => {
  assertEquals(String(new RpcEndpointAddress(undefined, "test")), "spark-client://test");
});

test("RpcEndpointAddress refuses to have no name", () => {
  const absent = undefined as unknown as string;
  const error = assertThrows(() => new RpcEndpointAddress(undefined, absent), TypeError);
  assertEquals(error.message, "requirement failed: RpcEndpoint name must be provided.");
});

test("RpcEndpointAddress.parse() reads what toString() writes", () => {
  for (const uri of ["spark://Master@127.0.0.1:7077", "spark://endpoint-verifier@[fe80::1%eth0]:1", "spark://Écho@my_host:0"]) {
    const address = RpcEndpointAddress.parse(uri);
    assertEquals(String(address), uri);
    assertEquals(RpcEndpointAddress.parse(String(address)).equals(address), true);
  }
  const { name, rpcAddress } = RpcEndpointAddress.parse("spark://a%20b@[0:0::1]:2");
  assertEquals([name, rpcAddress?.host, rpcAddress?.port], ["a b", "[::1]", 2]);
  assertEquals(RpcEndpointAddress.parse("spark://@h:1").name, "");
});

test("RpcEndpointAddress.parse() refuses in Spark's words, and says why in the cause", () => {
  const cases: [string, string][] = [
    ["spark://h:1", "Expected the endpoint's name and @ before the host"],
    ["spark-client://driver", "Expected scheme spark but got spark-client"],
    ["http://a@h:1", "Expected scheme spark but got http"],
    ["spark://a@h", "Expected a port after the host: h"],
    ["spark://a@h:1/x", "Expected nothing after the port but got /x"],
    ["", "Expected scheme://authority"],
  ];
  for (const [uri, reason] of cases) {
    const error = assertThrows(() => RpcEndpointAddress.parse(uri), RpcError);
    assertEquals([error.code, error.message], ["INVALID_ADDRESS", `Invalid Spark URL: ${uri}`]);
    assertInstanceOf(error.cause, RpcError);
    assertEquals(error.cause.message, reason);
  }
});

test("RpcEndpointAddress.parse() takes host names with _ unless it is strict", () => {
  const uri = "spark://HeartbeatReceiver@my_host:1";
  assertEquals(RpcEndpointAddress.parse(uri).rpcAddress?.host, "my_host");
  assertThrows(() => RpcEndpointAddress.parse(uri, { strict: true }), RpcError, `Invalid Spark URL: ${uri}`);
});

test("RpcEndpointAddress.equals() compares name and address", () => {
  const at = (host: string, name: string) => new RpcEndpointAddress(new RpcAddress(host, 1), name);
  const client = new RpcEndpointAddress(undefined, "a");
  assertEquals(at("h", "a").equals(at("h", "a")), true);
  assertEquals(at("h", "a").equals(at("h", "b")), false);
  assertEquals(at("h", "a").equals(at("i", "a")), false);
  assertEquals(at("h", "a").equals(undefined), false);
  assertEquals([client.equals(new RpcEndpointAddress(undefined, "a")), client.equals(at("h", "a"))], [true, false]);
  assertEquals(at("h", "a").equals(client), false);
});
