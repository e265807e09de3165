import { assertEquals } from "@std/assert";
import { ChunkCollector, MAX_CLAIMED_BYTES } from "../../src/block/chunk_collector.ts";
import { ChunkMemory } from "../../src/block/chunk_memory.ts";
import { content } from "../_counted_buffer.ts";
import { test } from "../_harness.ts";

function collect(byteCount: number, memory = new ChunkMemory()) {
  const got: (Uint8Array | undefined | Error)[] = [];
  const collector = new ChunkCollector(byteCount, memory, (chunk) => got.push(chunk.bytes), (error) => got.push(error));
  return { got, collector };
}

/** How a connection hands over what it has read. */
type Delivery = "in place" | "borrowed" | "owned";

function deliver(collector: ChunkCollector, piece: Uint8Array, how: Delivery): void {
  if (how === "owned") return collector.onData("id", piece, true);
  if (how === "borrowed") {
    collector.onData("id", piece, false);
    piece.fill(0xee);
    return;
  }
  const memory = collector.allocate();
  memory.set(piece);
  collector.onData("id", memory.subarray(0, piece.length), true);
}

const ORDERS: readonly (readonly Delivery[])[] = [
  ["in place"],
  ["borrowed"],
  ["owned"],
  ["borrowed", "in place"],
  ["owned", "in place", "borrowed"],
  ["owned", "owned", "owned", "borrowed"],
];

for (const order of ORDERS) {
  test(`ChunkCollector puts a chunk together of what comes ${order.join(", then ")}`, () => {
    const bytes = content(3_000_000);
    const { got, collector } = collect(bytes.length);
    for (let at = 0, i = 0; at < bytes.length; i++) {
      const piece = bytes.slice(at, at + 70_001);
      at += piece.length;
      deliver(collector, piece, order[i % order.length]!);
    }
    collector.onComplete();
    assertEquals(got, [bytes]);
  });
}

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
  collector.onData("id", piece, false);
  assertEquals(collector.allocate().buffer.byteLength, MAX_CLAIMED_BYTES * 2);
  collector.onData("id", piece, false);
  assertEquals(collector.allocate().buffer.byteLength, MAX_CLAIMED_BYTES * 3);
  collector.onData("id", piece, false);
  collector.onComplete();
  const [bytes] = got;
  assertEquals(bytes instanceof Uint8Array && bytes.length === byteCount && bytes.every((byte) => byte === 7), true);
});

test("ChunkCollector makes room for a piece that is larger than what it would have made", () => {
  const { got, collector } = collect(2 * MAX_CLAIMED_BYTES);
  collector.onData("id", new Uint8Array(2 * MAX_CLAIMED_BYTES).fill(7), false);
  collector.onComplete();
  const [bytes] = got;
  assertEquals(bytes instanceof Uint8Array && bytes.length === 2 * MAX_CLAIMED_BYTES && bytes.at(-1) === 7, true);
});

test("ChunkCollector takes memory that a block before has given back", () => {
  const memory = new ChunkMemory();
  const first = memory.take(2_000_000);
  memory.giveBack(first);
  const { got, collector } = collect(1_500_000, memory);
  const bytes = content(1_500_000);
  for (let at = 0; at < bytes.length; at += 500_000) deliver(collector, bytes.slice(at, at + 500_000), "borrowed");
  assertEquals(memory.spareBytes, 0);
  collector.onComplete();
  assertEquals(got, [bytes]);
});

test("ChunkCollector puts together what comes in very many small pieces, and keeps many that are not small", () => {
  for (const [pieceBytes, isKept] of [[1, false], [8_192, true]] as const) {
    const memory = new ChunkMemory();
    let taken = 0;
    const take = memory.take.bind(memory);
    memory.take = (length) => {
      taken++;
      return take(length);
    };
    const bytes = content(4_000 * pieceBytes);
    const { got, collector } = collect(bytes.length, memory);
    for (let at = 0; at < bytes.length; at += pieceBytes) deliver(collector, bytes.slice(at, at + pieceBytes), "owned");
    collector.onComplete();
    assertEquals([taken, got[0] instanceof Uint8Array && got[0].length], [isKept ? 0 : 1, bytes.length]);
    assertEquals(got, [bytes]);
  }
});
