import { assertEquals, assertThrows } from "@std/assert";
import { limitsInForce } from "../../src/base/limits.ts";
import { test } from "../_harness.ts";

const DEFAULTS = { maxItems: 10, maxBytes: 1000 };

test("limitsInForce() takes what is given, and the defaults for what is not or is undefined", () => {
  assertEquals(limitsInForce(DEFAULTS), DEFAULTS);
  assertEquals(limitsInForce(DEFAULTS, { maxItems: 0 }), { maxItems: 0, maxBytes: 1000 });
  assertEquals(limitsInForce(DEFAULTS, { maxItems: Infinity, maxBytes: undefined }), { maxItems: Infinity, maxBytes: 1000 });
  assertEquals(DEFAULTS, { maxItems: 10, maxBytes: 1000 });
});

test("limitsInForce() refuses what would be no limit", () => {
  for (const limit of [NaN, -1, "7", null]) {
    // A cast hides such a limit from the compiler.
    const given = { maxBytes: limit as number };
    assertThrows(() => limitsInForce(DEFAULTS, given), RangeError, `Limit maxBytes is no number from 0 on: ${limit}`);
  }
});
