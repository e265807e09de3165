import { assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../src/base/errors.ts";
import { MessageBody } from "../../src/base/message_body.ts";
import { ReceivedBytes } from "../../src/base/received_bytes.ts";
import { MAX_ROUTES, type Route, RouteCache } from "../../src/rpc/route_cache.ts";
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

/** The route of the message in `[start, end)` of borrowed memory. */
function find(cache: RouteCache, bytes: Uint8Array, start = 3, end = bytes.length): Route {
  return cache.find(new MessageBody(new ReceivedBytes(bytes, false), start, end));
}

/** The route of `header`, none if it cannot be read. */
function routeOf(cache: RouteCache, header: Uint8Array): Route | undefined {
  try {
    return find(cache, header, 0);
  } catch (thrown) {
    assertInstanceOf(thrown, ProtocolError);
    return undefined;
  }
}

test("RouteCache.find() tells sender, name and header of a message, the same route each time", () => {
  const cache = new RouteCache();
  const names = ["Master", "Worker", "HeartbeatReceiver", "Master2"];
  const first = names.map((name) => find(cache, message(name)));
  assertEquals(first.map((route) => route.name), names);
  assertEquals(first.map((route) => route.senderAddress?.hostPort), names.map(() => "127.0.0.1:7077"));
  for (let round = 0; round < 3; round++) {
    names.forEach((name, i) => assertStrictEquals(find(cache, message(name)), first[i]));
  }
  assertEquals(cache.size, 4);
});

test("RouteCache.find() keeps messages apart that differ in any one byte of the header", () => {
  const cache = new RouteCache();
  const ports = Array.from({ length: 100 }, (_, i) => new RpcAddress("127.0.0.1", 40_000 + i));
  for (const port of ports) find(cache, message("Master", port));
  for (const port of ports) {
    assertEquals(find(cache, message("Master", port)).senderAddress?.port, port.port);
  }
  const anonymous = encodeRequestHeader(undefined, undefined, "Master");
  assertEquals(find(cache, anonymous, 0).senderAddress, undefined);
});

test("RouteCache keeps at most MAX_ROUTES headers", () => {
  const cache = new RouteCache();
  for (let i = 0; i < 10 * MAX_ROUTES; i++) {
    const bytes = message(`endpoint-${i}`);
    assertEquals(find(cache, bytes).name, `endpoint-${i}`);
  }
  assertEquals(cache.size <= MAX_ROUTES, true);
});

test("RouteCache.find() refuses a header that is cut, whatever it has seen before", () => {
  const cache = new RouteCache();
  const header = encodeRequestHeader(address, address, "Master");
  find(cache, header, 0);
  for (let end = 0; end < header.length; end++) assertThrows(() => find(cache, header, 0, end), ProtocolError, "cut short");
});

test("RouteCache.find() keeps headers apart that differ in any byte, whatever their length", () => {
  for (const name of ["E", "Ec", "Ech", "Echo"]) {
    const cache = new RouteCache();
    const header = encodeRequestHeader(address, address, name);
    const found = find(cache, header, 0);
    for (let at = 0; at < header.length; at++) {
      const other = header.slice();
      other[at]! ^= 1;
      assertEquals(routeOf(cache, other) === found, false, `byte ${at}`);
      assertStrictEquals(find(cache, header, 0), found);
    }
  }
});

test("RouteCache keeps no header that is longer than a name and two addresses are", () => {
  const cache = new RouteCache();
  for (let i = 0; i < 10; i++) {
    const name = `${i}`.repeat(60_000);
    assertEquals(find(cache, message(name)).name, name);
    assertEquals(find(cache, message(name)).name, name);
    assertEquals(find(cache, message("Master")).name, "Master");
  }
  assertEquals(cache.size, 1);
});

test("RouteCache.find() gives each header its route in whatever order they come", () => {
  const cache = new RouteCache();
  const names = ["Echo0", "Echo1", "Echo2", "Echo3", "Echo"];
  const routes = new Map(names.map((name) => [name, find(cache, message(name))]));
  const orders = ["01230123", "0011223301", "0102030", "43210444", "3130121"];
  for (const digit of orders.join("").repeat(2)) {
    const name = names[Number(digit)]!;
    assertStrictEquals(find(cache, message(name)), routes.get(name));
  }
});

test("RouteCache.find() knows what comes behind a header only of headers that are kept", () => {
  const cache = new RouteCache();
  const master = find(cache, message("Master"));
  const worker = find(cache, message("Worker"));
  assertStrictEquals(master.follower, worker);
  find(cache, message("long".repeat(10_000)));
  assertEquals(worker.follower, undefined);
  assertStrictEquals(find(cache, message("Master")), master);
  assertStrictEquals(worker.follower, master);
});

test("RouteCache, full and begun again, has no way to the headers of before", () => {
  const cache = new RouteCache();
  const first = find(cache, message("endpoint-0"));
  for (let i = 1; i < 2 * MAX_ROUTES; i++) find(cache, message(`endpoint-${i}`));
  const last = find(cache, message(`endpoint-${2 * MAX_ROUTES - 1}`));
  const reached = new Set<Route>();
  for (let route: Route | undefined = last; route !== undefined && !reached.has(route); route = route.follower) {
    reached.add(route);
  }
  assertEquals(reached.has(first), false);
  assertEquals(reached.size <= MAX_ROUTES, true);
});
