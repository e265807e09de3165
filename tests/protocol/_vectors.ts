/**
 * Reads the bytes that a real Spark wrote, `tests/vectors/*.jsonl`. Tests run in the project's root.
 *
 * @module
 */

import { readFileSync } from "node:fs";

/** One encoding and what went into it. */
export interface Vector<F> {
  readonly name: string;
  readonly hex: string;
  readonly fields: F;
}

/** The vectors of a file; `F` is what the test knows of their fields. */
export function readVectors<F>(name: string): Vector<F>[] {
  const lines = readFileSync(`tests/vectors/${name}.jsonl`, "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line));
}

/** The bytes that `pattern(count, seed)` stands for in the vectors. */
export function pattern(count: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => i * 31 + seed + (i >> 8));
}

/** The bytes that the text `pattern(count,seed)` stands for. */
export function parsePattern(text: string): Uint8Array {
  const match = /^pattern\((\d+),(\d+)\)$/.exec(text);
  if (match === null) throw new Error(`No pattern: ${text}`);
  return pattern(Number(match[1]), Number(match[2]));
}
