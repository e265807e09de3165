import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { seededRandom } from "../../src/base/random.ts";
import { RingQueue } from "../../src/base/ring_queue.ts";
import { test } from "../_harness.ts";

function fill(queue: RingQueue<number>, count: number): void {
  for (let i = 0; i < count; i++) queue.push(i);
}

test("RingQueue gives items back in the order in which they came", () => {
  const queue = new RingQueue<string>(3);
  assertEquals([queue.push("a"), queue.push("b")], [true, true]);
  assertEquals([queue.length, queue.peek()], [2, "a"]);
  assertEquals([queue.shift(), queue.shift(), queue.shift()], ["a", "b", undefined]);
  assertEquals([queue.length, queue.peek()], [0, undefined]);
});

test("RingQueue.at() finds items by how many are older, wherever the ring begins", () => {
  const queue = new RingQueue<number>(16);
  assertEquals(queue.at(0), undefined);
  for (let round = 0; round < 40; round++) {
    queue.push(round);
    queue.push(-round);
    assertEquals([queue.at(-1), queue.at(0), queue.at(1), queue.at(2)], [undefined, round, -round, undefined]);
    queue.shift();
    queue.shift();
  }
});

for (const limit of [1, 2, 15, 16, 17, 1_000, 1_024, 100_000]) {
  test(`RingQueue.push() refuses item ${limit} + 1 at a limit of ${limit}, and takes one again after a shift`, () => {
    const queue = new RingQueue<number>(limit);
    for (let i = 0; i < limit; i++) assertEquals(queue.push(i), true);
    assertEquals(queue.push(-1), false);
    assertEquals(queue.length, limit);
    assertEquals(queue.shift(), 0);
    assertEquals([queue.push(limit), queue.push(-1)], [true, false]);
    for (let i = 1; i <= limit; i++) assertEquals(queue.shift(), i);
    assertEquals(queue.shift(), undefined);
  });
}

test("RingQueue refuses a limit that is no positive integer", () => {
  for (const limit of [0, -1, 1.5, NaN, Infinity]) assertThrows(() => new RingQueue(limit), RangeError, String(limit));
  assertEquals(new RingQueue(Number.MAX_SAFE_INTEGER).push(1), true);
});

test("RingQueue doubles its memory up to what is needed, and gives it back once it is drained", () => {
  const queue = new RingQueue<number>(100_000);
  const first = queue.capacity;
  fill(queue, 100_000);
  assertEquals(queue.capacity, 131_072);
  while (queue.length > 1) queue.shift();
  assertEquals(queue.capacity, 131_072);
  queue.shift();
  assertEquals(queue.capacity, 1_024);
  assertEquals(first < 1_024, true);
  fill(queue, 5);
  assertEquals([...queue], [0, 1, 2, 3, 4]);
});

test("RingQueue keeps its memory while bursts stay small", () => {
  const queue = new RingQueue<number>(100_000);
  fill(queue, 1_000);
  const capacity = queue.capacity;
  for (let round = 0; round < 10; round++) {
    while (queue.length > 0) queue.shift();
    assertEquals(queue.capacity, capacity);
    fill(queue, 1_000);
    assertEquals(queue.capacity, capacity);
  }
});

test("RingQueue.clear() hands over every item in order and gives the memory back", () => {
  const queue = new RingQueue<number>(5_000);
  fill(queue, 10);
  for (let i = 0; i < 7; i++) queue.shift();
  fill(queue, 2_000);
  const dropped: number[] = [];
  queue.clear((item) => dropped.push(item));
  assertEquals(dropped, [7, 8, 9, ...Array.from({ length: 2_000 }, (_, i) => i)]);
  assertEquals([queue.length, queue.peek(), queue.capacity < 1_024], [0, undefined, true]);
  queue.clear(() => {
    throw new Error("nothing is left to drop");
  });
  fill(queue, 3);
  queue.clear();
  assertEquals(queue.length, 0);
});

test("RingQueue.clear() is done before its callback pushes again", () => {
  const queue = new RingQueue<number>(4);
  fill(queue, 4);
  queue.clear((item) => assertEquals(queue.push(item * 10), true));
  assertEquals([...queue], [0, 10, 20, 30]);
});

test("RingQueue.clear() goes on after a callback that throws, and throws the first error", () => {
  const queue = new RingQueue<number>(4);
  fill(queue, 4);
  const seen: number[] = [];
  const error = assertThrows(() =>
    queue.clear((item) => {
      seen.push(item);
      if (item > 0) throw new Error(`drop ${item}`);
    }), Error);
  assertEquals([error.message, seen, queue.length], ["drop 1", [0, 1, 2, 3], 0]);
});

test("RingQueue forgets an item that was taken", () => {
  const queue = new RingQueue<object>(4);
  const item = {};
  queue.push(item);
  queue.push({});
  assertStrictEquals(queue.shift(), item);
  queue.shift();
  // Once round the ring, peek() would see what a slot still held.
  for (let i = 0; i < queue.capacity; i++) {
    assertEquals(queue.peek(), undefined);
    queue.push(item);
    queue.shift();
  }
});

test("RingQueue behaves like an array with a limit", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed);
    const limit = 1 + Math.floor(random() * 3_000);
    const queue = new RingQueue<number>(limit);
    let model: number[] = [];
    for (let step = 0; step < 2_000; step++) {
      const action = random();
      // Long runs one way or the other, so that it grows, wraps and shrinks.
      const run = random() < 0.02 ? Math.floor(random() * 2_000) : 1;
      for (let i = 0; i < run; i++) {
        if (action < 0.55) {
          assertEquals(queue.push(step), model.length < limit);
          if (model.length < limit) model.push(step);
        } else if (action < 0.998) {
          assertEquals(queue.shift(), model.shift());
        }
      }
      if (action >= 0.998) {
        const dropped: number[] = [];
        queue.clear((item) => dropped.push(item));
        assertEquals(dropped, model);
        model = [];
      }
      assertEquals([queue.length, queue.peek()], [model.length, model[0]]);
    }
    assertEquals([...queue], model);
  }
});

test("RingQueue.replaceFirst() puts an item in the place of the oldest one, if there is one", () => {
  const queue = new RingQueue<string>(4);
  queue.replaceFirst("nobody's");
  assertEquals([queue.length, queue.peek()], [0, undefined]);
  for (const item of ["a", "b"]) queue.push(item);
  queue.replaceFirst("c");
  assertEquals([...queue], ["c", "b"]);
});
