/**
 * Which characters are letters: those of Unicode 15.0, on every runtime. Their own `\p{L}` differ by thousands.
 *
 * @module
 */
import { LETTER_RANGES } from "./_letter_ranges.ts";

/** A byte for each code point: a look at it is much faster than a search in the ranges. */
const table = new Uint8Array(0x110000);
for (let i = 0; i < LETTER_RANGES.length; i += 2) table.fill(1, LETTER_RANGES[i], LETTER_RANGES[i + 1]! + 1);

/** Whether the code point is a letter. */
export function isLetter(codePoint: number): boolean {
  return table[codePoint] === 1;
}
