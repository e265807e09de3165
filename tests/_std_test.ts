import { assert, assertArrayIncludes, assertEquals, assertNotEquals, assertObjectMatch, assertThrows } from "@std/assert";
import process from "node:process";
import { runtimeName, test } from "./_harness.ts";

class Point {
  readonly x: number;

  constructor(x: number) {
    this.x = x;
  }
}

test("assertEquals() compares instances, sets and maps on every runtime", () => {
  assertEquals(new Point(1), new Point(1));
  assertNotEquals(new Point(1), new Point(2));
  assertEquals(new Set([1, "a"]), new Set(["a", 1]));
  assertNotEquals(new Set([1]), new Set([2]));
  assertEquals(new Map([[new Point(1), 1]]), new Map([[new Point(1), 1]]));
  assertArrayIncludes([new Point(1), new Point(2)], [new Point(2)]);
  assertObjectMatch({ a: new Set([1, 2]), b: 1 }, { a: new Set([1]) });
  assertThrows(
    () => assertEquals(new Point(1), new Point(2)),
    Error,
    "Values are not equal",
  );
});

test("assertEquals() leaves no method on Set that Node 20 lacks", () => {
  assertEquals(new Point(1), new Point(1));
  const isOld = runtimeName === "node" &&
    Number(process.versions.node.split(".")[0]) < 22;
  assertEquals("union" in Set.prototype, !isOld);
  assert(!Object.keys(Set.prototype).includes("union"));
});
