/**
 * What the main job does, in one process and without us: reads a file in pieces and counts its words.
 *
 * @module
 */

import { createReadStream } from "node:fs";
import process from "node:process";
import { run } from "../examples/word_count.ts";
import { say } from "./bench_process.ts";

/** What a count in one process has found. */
export interface CountReport {
  readonly words: number;
  readonly distinct: number;
  readonly seconds: number;
}

const begun = performance.now();
let words = 0;
let distinct = 0;
for await (const { counts } of run(createReadStream(process.argv[2]!, { highWaterMark: 1024 * 1024 }))) {
  distinct += counts.length;
  for (const count of counts) words += count;
}
say<CountReport>({ words, distinct, seconds: (performance.now() - begun) / 1000 });
