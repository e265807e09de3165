import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../src/base/errors.ts";
import { MAX_ROUTES, RouteCache } from "../../src/rpc/route_cache.ts";
import { encodeRequestHeader } from "../../src/rpc/request_message.ts";
import { RpcAddress } from "../../src/rpc/rpc_address.ts";
import { test } from "../_harness.ts";

const address = new RpcAddress("127.0.0.1", 7077);

function message(name: string, sender: RpcAddress | undefined = address): Uint8Array {
  const header = encodeRequestHeader(sender, address, name);
  const bytes = new Uint8Array(header.length + 10).fill(0x55);
  bytes.set(header, 3);
  return bytes;
}

test("RouteCache.find() tells sender, name and header of a message, the same route each time", () => {
  const cache = new RouteCache();
  const names = ["Master", "Worker", "HeartbeatReceiver", "Master2"];
  const first = names.map((name) => cache.find(message(name), 3, message(name).length));
  assertEquals(first.map((route) => route.name), names);
  assertEquals(first.map((route) => route.senderAddress?.hostPort), names.map(() => "127.0.0.1:7077"));
  for (let round = 0; round < 3; round++) {
    names.forEach((name, i) => assertStrictEquals(cache.find(message(name), 3, message(name).length), first[i]));
  }
  assertEquals(cache.size, 4);
});

test("RouteCache.find() keeps messages apart that differ in any one byte of the header", () => {
  const cache = new RouteCache();
  const ports = Array.from({ length: 100 }, (_, i) => new RpcAddress("127.0.0.1", 40_000 + i));
  for (const port of ports) cache.find(message("Master", port), 3, message("Master", port).length);
  for (const port of ports) {
    assertEquals(cache.find(message("Master", port), 3, message("Master", port).length).senderAddress?.port, port.port);
  }
  const anonymous = encodeRequestHeader(undefined, undefined, "Master");
  assertEquals(cache.find(anonymous, 0, anonymous.length).senderAddress, undefined);
});

test("RouteCache keeps at most MAX_ROUTES headers", () => {
  const cache = new RouteCache();
  for (let i = 0; i < 10 * MAX_ROUTES; i++) {
    const bytes = message(`endpoint-${i}`);
    assertEquals(cache.find(bytes, 3, bytes.length).name, `endpoint-${i}`);
  }
  assertEquals(cache.size <= MAX_ROUTES, true);
});

test("RouteCache.find() refuses a header that is cut, whatever it has seen before", () => {
  const cache = new RouteCache();
  const header = encodeRequestHeader(address, address, "Master");
  cache.find(header, 0, header.length);
  for (let end = 0; end < header.length; end++) assertThrows(() => cache.find(header, 0, end), ProtocolError);
});
