import { assertEquals } from "@std/assert";
import { LETTER_RANGES } from "../../examples/_letter_ranges.ts";
import { isLetter } from "../../examples/_letters.ts";
import { test } from "../_harness.ts";

test("LETTER_RANGES ascend, and have as many letters as Unicode 15.0", () => {
  let letters = 0;
  let before = -2;
  for (let i = 0; i < LETTER_RANGES.length; i += 2) {
    const [first, last] = [LETTER_RANGES[i]!, LETTER_RANGES[i + 1]!];
    // Two that touch would be one.
    assertEquals([first > before + 1, last >= first], [true, true], `range ${i / 2}`);
    before = last;
    letters += last - first + 1;
  }
  assertEquals([LETTER_RANGES.length % 2, letters], [0, 136_104]);
});

test("isLetter() says of all that Unicode 15.0 knows what the runtime does, which knows a later one", () => {
  const others = new Map<number, number>();
  for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) {
    if (codePoint >= 0xd800 && codePoint <= 0xdfff) continue;
    const known = /^\p{L}$/u.test(String.fromCodePoint(codePoint));
    if (known === isLetter(codePoint)) continue;
    // Letters are added to Unicode, and taken from it never.
    assertEquals([known, isLetter(codePoint)], [true, false], codePoint.toString(16));
    others.set(codePoint >> 8, (others.get(codePoint >> 8) ?? 0) + 1);
  }
  // The ideographs of extension I came with 15.1, Garay with 16; and nothing that is old is among them.
  assertEquals([isLetter(0x2ebf0), isLetter(0x10d50), isLetter(0x41), isLetter(0xe9), isLetter(0x1e4d0), isLetter(0x31350)], [
    ...[false, false],
    ...[true, true, true, true],
  ]);
  assertEquals([...others.keys()].some((block) => block < 0x08), false);
});

test("isLetter() is false for marks, digits, punctuation, surrogates and U+FFFD", () => {
  for (const codePoint of [0x301, 0x30, 0x2160, 0x2019, 0xd800, 0xdfff, 0xfffd, 0x10ffff, 0x200d, 0x5f, 0]) {
    assertEquals(isLetter(codePoint), false, codePoint.toString(16));
  }
});
