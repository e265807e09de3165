/**
 * The words of all splits together.
 *
 * @module
 */
import { copyOf } from "./_word_counter.ts";
import type { WordCounts } from "./word_count.ts";

/** A word and how often it occurred. */
export type WordCount = readonly [word: string, count: number];

/** Adds up counts. */
export class WordTable {
  readonly #counts = new Map<string, number>();
  #words = 0;

  /** How many words there were. */
  get words(): number {
    return this.#words;
  }

  /** How many different ones. */
  get distinct(): number {
    return this.#counts.size;
  }

  /** Adds the counts of a split, or of a part of it. */
  add({ words, counts }: WordCounts): void {
    let start = 0;
    for (const count of counts) {
      const end = words.indexOf("\n", start);
      const word = words.slice(start, end);
      start = end + 1;
      const sum = this.#counts.get(word);
      if (sum === undefined) this.#counts.set(copyOf(word), count);
      else this.#counts.set(word, sum + count);
      this.#words += count;
    }
  }

  /** The most frequent words; those that are equally frequent by their code points. */
  top(limit: number): readonly WordCount[] {
    // Sorting all of a large table would take its size once more.
    let top: WordCount[] = [];
    for (const entry of this.#counts) {
      top.push(entry);
      if (top.length > 2 * limit + 1_000) top = top.sort(compare).slice(0, limit);
    }
    return top.sort(compare).slice(0, limit);
  }
}

/** Whether it is what a task of the job gives. */
export function isWordCounts(value: unknown): value is WordCounts {
  return typeof value === "object" && value !== null && "words" in value && typeof value.words === "string" &&
    "counts" in value && value.counts instanceof Uint32Array;
}

function compare([wordA, countA]: WordCount, [wordB, countB]: WordCount): number {
  return countB - countA || compareCodePoints(wordA, wordB);
}

/** By `<` a character outside of the first plane would come before some that are in it. */
function compareCodePoints(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  return (a.codePointAt(at) ?? -1) - (b.codePointAt(at) ?? -1);
}
