/**
 * Writes `_letter_ranges.ts` anew: `deno run -A examples/_generate_letter_ranges.ts`.
 *
 * @module
 */
import { writeFile } from "node:fs/promises";

/** Imported by a variable, so that whoever checks or caches the examples need not have 20 MB of Unicode. */
const PACKAGE = "npm:@unicode/unicode-15.0.0@2.0.7/General_Category/Letter/ranges.mjs";

const HEAD = `// deno-fmt-ignore-file
/**
 * The letters of Unicode 15.0: the code points whose General_Category is Lu, Ll, Lt, Lm or Lo.
 *
 * Written by \`_generate_letter_ranges.ts\`.
 *
 * @module
 */

/** First and last code point of each range, in turn, ascending. */
export const LETTER_RANGES: readonly number[] = [
`;

/** As in the package: \`end\` is the code point after the last. */
interface Range {
  readonly begin: number;
  readonly end: number;
}

const { default: ranges } = await import(PACKAGE) as { default: readonly Range[] };

let text = HEAD;
let line = " ";
for (const { begin, end } of ranges) {
  const pair = ` 0x${begin.toString(16)}, 0x${(end - 1).toString(16)},`;
  if (line.length + pair.length > 128) {
    text += `${line}\n`;
    line = " ";
  }
  line += pair;
}
await writeFile(new URL("./_letter_ranges.ts", import.meta.url), `${text}${line}\n];\n`);
