import { assertEquals, assertThrows } from "@std/assert";
import { AssertionError } from "../../src/base/assert.ts";
import { seededRandom } from "../../src/base/random.ts";
import { WriteQueue } from "../../src/socket/write_queue.ts";
import { test } from "../_harness.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

test("WriteQueue gives chunks in order and leaves empty ones out", () => {
  const queue = new WriteQueue();
  assertEquals([queue.first, queue.bytes], [undefined, 0]);
  for (const chunk of [bytes(1, 2), bytes(), bytes(3), bytes(4, 5, 6)]) queue.push(chunk);
  assertEquals([queue.first, queue.bytes], [bytes(1, 2), 6]);
  queue.take(2);
  assertEquals([queue.first, queue.bytes], [bytes(3), 4]);
  queue.take(1);
  queue.take(3);
  assertEquals([queue.first, queue.bytes], [undefined, 0]);
  queue.push(bytes(7));
  assertEquals([queue.first, queue.bytes], [bytes(7), 1]);
});

test("WriteQueue.take() of a part keeps the rest in the same memory", () => {
  const queue = new WriteQueue();
  const chunk = bytes(1, 2, 3, 4);
  queue.push(chunk);
  queue.take(0);
  queue.take(3);
  assertEquals([queue.first, queue.bytes], [bytes(4), 1]);
  assertEquals([queue.first?.buffer, queue.first?.byteOffset], [chunk.buffer, 3]);
});

test("WriteQueue.take() of more than the first chunk is a bug", () => {
  const queue = new WriteQueue();
  assertThrows(() => queue.take(0), AssertionError);
  queue.push(bytes(1));
  queue.push(bytes(2));
  assertThrows(() => queue.take(2), AssertionError);
  assertThrows(() => queue.take(-1), AssertionError);
  assertEquals(queue.bytes, 2);
});

test("WriteQueue.first and take() throw where the memory of what waits has been transferred", () => {
  for (const sent of [0, 1]) {
    const queue = new WriteQueue();
    const chunk = bytes(1, 2, 3);
    queue.push(chunk);
    queue.take(sent);
    structuredClone(chunk.buffer, { transfer: [chunk.buffer] });
    assertThrows(() => queue.first, Error, "Bytes that wait to be sent have no memory any more");
    assertThrows(() => queue.take(1), Error, "Bytes that wait to be sent have no memory any more");
  }
});

test("WriteQueue.clear() drops everything", () => {
  const queue = new WriteQueue();
  for (let i = 0; i < 100; i++) queue.push(bytes(i));
  queue.take(1);
  queue.clear();
  assertEquals([queue.first, queue.bytes], [undefined, 0]);
  queue.push(bytes(9));
  assertEquals(queue.first, bytes(9));
});

test("WriteQueue keeps order and count through any pushes and takes", () => {
  const random = seededRandom(3);
  const queue = new WriteQueue();
  let pushed = 0;
  let taken = 0;
  for (let step = 0; step < 20_000; step++) {
    // The queue grows and shrinks by turns, past the length at which its list is moved together.
    if (random() < (step % 4_000 < 2_000 ? 0.7 : 0.3)) {
      queue.push(Uint8Array.from({ length: Math.floor(random() * 5) }, () => pushed++ % 251));
    } else if (queue.first !== undefined) {
      const count = Math.floor(random() * (queue.first.length + 1));
      for (const value of queue.first.subarray(0, count)) assertEquals(value, taken++ % 251);
      queue.take(count);
    }
    assertEquals(queue.bytes, pushed - taken);
  }
});
