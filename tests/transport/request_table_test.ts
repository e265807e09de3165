import { assertEquals } from "@std/assert";
import { seededRandom } from "../../src/base/random.ts";
import { RequestTable } from "../../src/transport/request_table.ts";
import type { RpcResponseCallback } from "../../src/transport/rpc_response_callback.ts";
import { test } from "../_harness.ts";

function callback(deadline = Infinity): RpcResponseCallback & { timeouts: number } {
  return {
    deadline,
    timeouts: 0,
    onSuccess() {},
    onFailure() {},
    onTimeout() {
      this.timeouts++;
    },
  };
}

test("RequestTable.take() gives each request once", () => {
  const table = new RequestTable(10);
  const [a, b] = [callback(), callback()];
  const [idA, idB] = [table.add(a), table.add(b)];
  assertEquals(table.size, 2);
  assertEquals(table.take(idB), b);
  assertEquals(table.take(idB), undefined);
  assertEquals(table.take(idA), a);
  assertEquals(table.size, 0);
  for (const unknown of [0, -1, 1e15, NaN, idA + 64]) assertEquals(table.take(unknown), undefined);
});

test("RequestTable.has() and lastId tell of what waits, without taking it", () => {
  const table = new RequestTable(10);
  assertEquals([table.lastId, table.has(0), table.has(1)], [0, false, false]);
  const id = table.add(callback());
  assertEquals([table.lastId, table.has(id), table.has(id + 64), table.size], [id, true, false, 1]);
  table.take(id);
  assertEquals([table.lastId, table.has(id)], [id, false]);
});

test("RequestTable keeps its size while one request waits and ten million pass", () => {
  const table = new RequestTable(1_000_000);
  const patient = callback();
  const patientId = table.add(patient);
  const passing = callback();
  for (let i = 0; i < 10_000_000; i++) table.take(table.add(passing));
  assertEquals(table.slots, 64);
  assertEquals(table.size, 1);
  assertEquals(table.take(patientId), patient);
});

test("RequestTable grows when it would be more than half full, and finds all requests after", () => {
  const table = new RequestTable(1_000_000);
  const waiting = new Map<number, RpcResponseCallback>();
  for (let i = 0; i < 32; i++) {
    const each = callback();
    waiting.set(table.add(each), each);
  }
  assertEquals(table.slots, 64);
  for (let i = 0; i < 1_000; i++) {
    const each = callback();
    waiting.set(table.add(each), each);
  }
  assertEquals(table.slots, 4_096);
  for (const [id, each] of waiting) assertEquals(table.take(id), each);
  assertEquals(table.size, 0);
});

test("RequestTable is full at its limit", () => {
  const table = new RequestTable(2);
  table.add(callback());
  assertEquals(table.full, false);
  const id = table.add(callback());
  assertEquals(table.full, true);
  table.take(id);
  assertEquals(table.full, false);
});

test("RequestTable.expire() times out what is due and tells the next deadline", () => {
  const table = new RequestTable(100);
  const [early, late, never] = [callback(10), callback(20), callback()];
  for (const each of [early, late, never]) table.add(each);
  assertEquals(table.expire(9), 10);
  assertEquals(table.expire(10), 20);
  assertEquals([early.timeouts, late.timeouts, never.timeouts], [1, 0, 0]);
  assertEquals(table.expire(30), Infinity);
  assertEquals(table.size, 1);
  assertEquals(table.drain(), [never]);
  assertEquals(table.size, 0);
});

test("RequestTable behaves like a map, whatever the order", () => {
  const random = seededRandom(7);
  const table = new RequestTable(10_000);
  const map = new Map<number, RpcResponseCallback>();
  for (let step = 0; step < 50_000; step++) {
    if (random() < 0.52 && map.size < 3_000) {
      const each = callback();
      map.set(table.add(each), each);
    } else {
      const ids = [...map.keys()];
      const id = ids[Math.floor(random() * Math.min(ids.length, 20))] ?? -5;
      assertEquals(table.take(id), map.get(id));
      map.delete(id);
    }
    if (step % 1_000 === 0) assertEquals(table.size, map.size);
  }
});

test("RequestTable gives back what a burst needed when the last of it has been answered", () => {
  const table = new RequestTable(1_000_000);
  for (const end of ["take", "expire", "drain"] as const) {
    const ids = Array.from({ length: 100_000 }, () => table.add(callback(1)));
    assertEquals(table.slots, 262_144);
    if (end === "take") { for (const id of ids) table.take(id); }
    else if (end === "expire") assertEquals(table.expire(1), Infinity);
    else assertEquals(table.drain().length, 100_000);
    assertEquals([end, table.slots, table.size], [end, 4_096, 0]);
    assertEquals(ids.some((id) => table.has(id)), false);
    const next = callback();
    const id = table.add(next);
    assertEquals([id > ids.at(-1)!, table.has(id), table.take(id)], [true, true, next]);
  }
});
