import { assertEquals } from "@std/assert";
import { ChunkCollector, MAX_CLAIMED_BYTES } from "../../src/block/chunk_collector.ts";
import { test } from "../_harness.ts";
import { blockBytes } from "./_blocks.ts";

function collect(byteCount: number) {
  const got: (Uint8Array | Error)[] = [];
  return { got, collector: new ChunkCollector(byteCount, (bytes) => got.push(bytes), (error) => got.push(error)) };
}

test("ChunkCollector puts a chunk together, of memory that it gave out and of memory that it borrows", () => {
  const bytes = blockBytes(3_000_000);
  const { got, collector } = collect(bytes.length);
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const piece = bytes.slice(at, at + 70_001);
    at += piece.length;
    if (i % 2 === 0) {
      const memory = collector.allocate();
      memory.set(piece);
      collector.onData("id", memory.subarray(0, piece.length));
    } else {
      collector.onData("id", piece);
      piece.fill(0xee);
    }
  }
  collector.onComplete();
  assertEquals(got, [bytes]);
});

test("ChunkCollector makes no memory for what a peer only claims to send", () => {
  const { got, collector } = collect(2 ** 33);
  assertEquals(collector.allocate().buffer.byteLength, MAX_CLAIMED_BYTES);
  const error = new Error("Cut off");
  collector.onFailure("id", error);
  assertEquals(got, [error]);
});

test("ChunkCollector grows with what has come", () => {
  const byteCount = MAX_CLAIMED_BYTES * 3;
  const { got, collector } = collect(byteCount);
  const piece = new Uint8Array(MAX_CLAIMED_BYTES).fill(7);
  collector.onData("id", piece);
  assertEquals(collector.allocate().buffer.byteLength, MAX_CLAIMED_BYTES * 2);
  collector.onData("id", piece);
  assertEquals(collector.allocate().buffer.byteLength, MAX_CLAIMED_BYTES * 3);
  collector.onData("id", piece);
  collector.onComplete();
  const [bytes] = got;
  assertEquals(bytes instanceof Uint8Array && bytes.length === byteCount && bytes.every((byte) => byte === 7), true);
});
