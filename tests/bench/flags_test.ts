import { assertEquals, assertThrows } from "@std/assert";
import { aboveZero, oneOf, someOf, wholeNumber } from "../../bench/flags.ts";
import { test } from "../_harness.ts";

test("wholeNumber() and aboveZero() say which flag has what is no such number", () => {
  assertEquals(wholeNumber("--rounds", "5"), 5);
  assertEquals(aboveZero("--seconds", "0.25"), 0.25);
  for (const text of ["0", "-1", "x", "", "1.5", "1e400", "9007199254740992"]) {
    assertThrows(() => wholeNumber("--rounds", text), TypeError, `--rounds is a whole number above 0, not ${text}`);
  }
  for (const text of ["0", "-1", "x", "", "1e400"]) {
    assertThrows(() => aboveZero("--seconds", text), TypeError, `--seconds is a number above 0, not ${text}`);
  }
});

test("oneOf() and someOf() say which names a flag knows", () => {
  const known = ["apart", "together"] as const;
  assertEquals(oneOf("--pin", "apart", known), "apart");
  assertEquals(someOf("--pin", "together,apart", known), ["together", "apart"]);
  assertThrows(() => oneOf("--pin", "apar", known), TypeError, "--pin knows apart, together, but not apar");
  assertThrows(() => someOf("--pin", "apart,,together", known), TypeError, "--pin knows apart, together, but not ");
});
