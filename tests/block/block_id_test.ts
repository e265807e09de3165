import { assertEquals, assertThrows } from "@std/assert";
import {
  formatShuffleBlockId,
  isShuffle,
  isShuffleBlockId,
  isShuffleChunkId,
  parseShuffleBlockId,
  parseShuffleChunkId,
} from "../../src/block/block_id.ts";
import { test } from "../_harness.ts";

test("parseShuffleBlockId() and formatShuffleBlockId() are each other's inverse", () => {
  const ids = ["shuffle_0_0_0", "shuffle_1_-1_2", "shuffle_3_9223372036854775807_2147483647", "shuffle_0_7_0_10"];
  for (const id of ids) assertEquals(formatShuffleBlockId(parseShuffleBlockId(id)), id);
  assertEquals(parseShuffleBlockId(ids[1]!), { shuffleId: 1, mapId: -1n, reduceId: 2 });
  assertEquals(parseShuffleBlockId(ids[3]!), { shuffleId: 0, mapId: 7n, reduceId: 0, endReduceId: 10 });
});

test("parseShuffleBlockId() refuses what is no shuffle block, and other spellings of the same numbers", () => {
  const wrong = [
    "",
    "shuffle",
    "shuffle_0",
    "shuffle_0_0",
    "shuffle_0_0_0_0_0",
    "shuffle_0_0_",
    "shuffle_0_0_00",
    "shuffle_0_-0_0",
    "shuffle_+1_0_0",
    "shuffle_ 1_0_0",
    "shuffle_1e3_0_0",
    "shuffle_0_9223372036854775808_0",
    "shuffle_2147483648_0_0",
    "shuffleChunk_0_0_0_0",
    "rdd_0_0_0",
  ];
  for (const id of wrong) {
    assertThrows(() => parseShuffleBlockId(id), RangeError, `Unexpected shuffle block id format: ${id}`);
  }
});

test("parseShuffleChunkId() reads four numbers", () => {
  assertEquals(parseShuffleChunkId("shuffleChunk_1_2_3_4"), { shuffleId: 1, shuffleMergeId: 2, reduceId: 3, chunkId: 4 });
  for (const id of ["shuffleChunk_1_2_3", "shuffleChunk_1_2_3_4_5", "shuffle_1_2_3_4", "shuffleChunk_1_2_3_x"]) {
    assertThrows(() => parseShuffleChunkId(id), RangeError, `Unexpected shuffle block id format: ${id}`);
  }
});

test("isShuffle(), isShuffleBlockId() and isShuffleChunkId() tell names apart", () => {
  const rows: readonly (readonly [id: string, shuffle: boolean, block: boolean, chunk: boolean])[] = [
    ["shuffle_0_1_2", true, true, false],
    ["shuffle_0_1_2_3", true, true, false],
    ["shuffle_0_1_2.data", true, false, false],
    ["shuffle_0_1_2.index", true, false, false],
    ["shuffle_0_1", false, true, false],
    ["shuffleChunk_0_1_2_3", false, false, true],
    ["rdd_0_1", false, false, false],
    ["my_shuffle_0_1_2", false, false, false],
  ];
  for (const [id, ...expected] of rows) assertEquals([isShuffle(id), isShuffleBlockId(id), isShuffleChunkId(id)], expected, id);
});
