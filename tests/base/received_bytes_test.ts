import { assert, assertEquals } from "@std/assert";
import { ReceivedBytes, SHARED_BYTES } from "../../src/base/received_bytes.ts";
import { test } from "../_harness.ts";

test("ReceivedBytes.keep() copies all of what is borrowed, once", () => {
  const memory = Uint8Array.of(0, 1, 2, 3);
  const received = new ReceivedBytes(memory.subarray(1), false);
  const first = received.keep(0, 1);
  const second = received.keep(1, 3);
  memory.fill(0xee);
  assertEquals([first, second], [Uint8Array.of(1), Uint8Array.of(2, 3)]);
  assert(first.buffer === second.buffer && first.buffer !== memory.buffer);
});

test("ReceivedBytes.keep() gives plain views of what is owned, also of a part of a Buffer", () => {
  class Chunk extends Uint8Array {}
  const memory = new Chunk(8);
  memory.set([0, 1, 2, 3]);
  const kept = new ReceivedBytes(memory.subarray(1), true).keep(1, 3);
  assertEquals(kept, Uint8Array.of(2, 3));
  assert(kept.buffer === memory.buffer && kept.constructor === Uint8Array);
});

test(`ReceivedBytes.keep() of more than ${SHARED_BYTES} bytes keeps no more alive than twice what is kept`, () => {
  for (const owned of [true, false]) {
    const memory = new Uint8Array(SHARED_BYTES + 1);
    const received = new ReceivedBytes(memory, owned);
    assertEquals(received.keep(1, SHARED_BYTES).buffer === memory.buffer, owned);
    const part = received.keep(5, 10);
    assertEquals([part.length, part.buffer.byteLength], [5, 5]);
  }
});

test("ReceivedBytes.keep() copies parts of up to copiedBytes, which then have no neighbours", () => {
  for (const owned of [true, false]) {
    const memory = Uint8Array.of(0, 1, 2, 3, 4, 5);
    const received = new ReceivedBytes(memory.subarray(1), owned, 3);
    const copied = received.keep(1, 4);
    const kept = received.keep(1, 5);
    assertEquals([copied, kept], [Uint8Array.of(2, 3, 4), Uint8Array.of(2, 3, 4, 5)]);
    assertEquals([copied.buffer.byteLength, kept.buffer.byteLength > 4], [3, true]);
    memory.fill(0xee);
    assertEquals(copied, Uint8Array.of(2, 3, 4));
  }
});

test("ReceivedBytes.view reads integers of a part of some memory", () => {
  const memory = Uint8Array.of(9, 9, 0, 0, 1, 2);
  assertEquals(new ReceivedBytes(memory.subarray(2), false).view.getInt32(0), 0x102);
});

test("ReceivedBytes.keep() gives parts that do not overlap, of chunks however small, and keeps no more than 64 KiB alive", () => {
  const kept: Uint8Array[] = [];
  for (let i = 0; i < 500; i++) {
    const memory = new Uint8Array(1 + i % 700).fill(i);
    kept.push(new ReceivedBytes(memory, false).keep(0, memory.length));
  }
  for (const [i, part] of kept.entries()) part.fill(i + 1);
  assert(kept.every((part, i) => part.length === 1 + i % 700 && part.every((byte) => byte === ((i + 1) & 0xff))));
  assert(kept.every((part) => part.buffer.byteLength <= SHARED_BYTES));
});
