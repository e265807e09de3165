import { assert, assertEquals, assertThrows } from "@std/assert";
import { fromHex, test, toHex } from "./_harness.ts";
import { readVectors } from "./_vectors.ts";

test("readVectors() finds a file by the start of its name and reads each line", () => {
  const vectors = readVectors("frames");
  assertEquals(new Set(vectors.map(({ name }) => name)).size, vectors.length);
  for (const { hex } of vectors) assertEquals(toHex(fromHex(hex)), hex);
  assert(vectors.length > 0);
});

test("readVectors() fails for a file that is not there", () => {
  assertThrows(() => readVectors("no_such_file"), Error, "tests/vectors has 0 files no_such_file-*.jsonl, not one");
});
