import { assertEquals, assertThrows } from "@std/assert";
import { RpcError } from "../../../src/base/errors.ts";
import { parseMasterUrls } from "../../../src/spark/deploy/master_urls.ts";
import { test } from "../../_harness.ts";

test("parseMasterUrls() gives each address once, in its order", () => {
  const cases: readonly [string | readonly string[], readonly string[]][] = [
    ["spark://host:7077", ["host:7077"]],
    ["spark://one:7077,two:7078,one:7077", ["one:7077", "two:7078"]],
    [["spark://two:1", "spark://one:1,[::1]:2", "spark://[0:0::1]:2"], ["two:1", "one:1", "[::1]:2"]],
    ["spark://my_host.example.com:7077", ["my_host.example.com:7077"]],
  ];
  for (const [urls, hostPorts] of cases) assertEquals(parseMasterUrls(urls).map(String), hostPorts);
});

test("parseMasterUrls() refuses what is no URL of a Master", () => {
  const wrong = [
    "",
    "host:7077",
    "spark://",
    "spark://host",
    "spark://host:",
    "spark://host:port",
    "spark://host:7077,",
    "local",
  ];
  for (const url of [...wrong, "spark://host:7077/path", "spark://a:1,spark://b:1", "spark://Master@host:7077"]) {
    const error = assertThrows(() => parseMasterUrls(url), RpcError, "Invalid master URL: ");
    assertEquals(error.code, "INVALID_ADDRESS");
  }
  assertThrows(() => parseMasterUrls([]), RpcError, "Expected the URL of a Master but got none");
});
