import { assertEquals, assertThrows } from "@std/assert";
import { ChunkManagedBuffer } from "../../src/block/chunk_managed_buffer.ts";
import { ChunkMemory, MAX_SPARE_BYTES } from "../../src/block/chunk_memory.ts";
import { PiecesManagedBuffer } from "../../src/block/pieces_managed_buffer.ts";
import { content } from "../_counted_buffer.ts";
import { test } from "../_harness.ts";

test("ChunkMemory gives the same memory again, and views of before are empty", () => {
  const memory = new ChunkMemory();
  const first = memory.take(3_000_000).fill(1);
  memory.giveBack(first);
  assertEquals([first.length, memory.spareBytes], [0, 3_000_000]);
  const second = memory.take(2_000_000);
  assertEquals([second.length, second[0], memory.spareBytes], [2_000_000, 1, 0]);
});

test("ChunkMemory gives no memory of more than twice the length", () => {
  const memory = new ChunkMemory();
  memory.giveBack(memory.take(3_000_000));
  assertEquals(memory.take(1_499_999).buffer.byteLength, 1_499_999);
  assertEquals(memory.take(3_000_001).buffer.byteLength, 3_000_001);
  assertEquals(memory.take(1_500_000).buffer.byteLength, 3_000_000);
});

test("ChunkMemory keeps no more than MAX_SPARE_BYTES", () => {
  const memory = new ChunkMemory();
  const taken = Array.from({ length: 5 }, () => memory.take(MAX_SPARE_BYTES / 4));
  for (const bytes of taken) memory.giveBack(bytes);
  assertEquals(memory.spareBytes, MAX_SPARE_BYTES);
  assertEquals(taken.map(({ length }) => length), [0, 0, 0, 0, MAX_SPARE_BYTES / 4]);
});

test("ChunkManagedBuffer gives its memory back with the last release, and cannot be used after it", () => {
  const memory = new ChunkMemory();
  const sent = content(1_000_000);
  const bytes = memory.take(sent.length);
  bytes.set(sent);
  const buffer = new ChunkManagedBuffer(bytes, memory).retain();
  buffer.release();
  const into = new Uint8Array(10);
  assertEquals([buffer.read(999_995, into), into.subarray(0, 5)], [5, sent.subarray(999_995)]);
  assertEquals([buffer.bytes, buffer.size, memory.spareBytes], [sent, sent.length, 0]);
  buffer.release();
  assertEquals(memory.spareBytes, 1_000_000);
  for (const use of [() => buffer.bytes, () => buffer.read(0, into), () => buffer.retain(), () => buffer.release()]) {
    assertThrows(use, Error, "release");
  }
});

test("ChunkManagedBuffer whose memory has been transferred, as to a worker, has none to give back", () => {
  const memory = new ChunkMemory();
  const bytes = memory.take(1_000_000);
  const buffer = new ChunkManagedBuffer(bytes, memory);
  structuredClone(bytes, { transfer: [bytes.buffer] });
  buffer.release();
  assertEquals([memory.spareBytes, memory.take(1_000_000).length], [0, 1_000_000]);
});

test("PiecesManagedBuffer reads across its pieces", () => {
  const sent = content(1_000);
  const cuts = [0, 1, 1, 400, 990, 1_000];
  const pieces = cuts.slice(1).map((end, i) => sent.slice(cuts[i], end));
  for (let position = 0; position <= sent.length; position += 37) {
    for (const length of [0, 1, 399, 700, 2_000]) {
      const into = new Uint8Array(length);
      const count = new PiecesManagedBuffer(pieces).read(position, into);
      assertEquals(into.subarray(0, count), sent.subarray(position, position + length));
    }
  }
});

test("PiecesManagedBuffer puts its pieces together once, for who wants them in one", () => {
  const sent = content(1_000);
  const buffer = new PiecesManagedBuffer([sent.slice(0, 300), sent.slice(300)]);
  const { bytes } = buffer;
  assertEquals([bytes, buffer.size], [sent, 1_000]);
  assertEquals(buffer.bytes, bytes);
  assertEquals(buffer.bytes === bytes, true);
  assertEquals(new PiecesManagedBuffer([]).bytes, new Uint8Array(0));
});
