/**
 * Words and how often they occur. A Map of strings would make one of each word that is looked up: here a word is written where it
 * would stay, and stays if it is new.
 *
 * @module
 */
import type { WordCounts } from "./word_count.ts";

/** A word and how often it occurred. */
export type WordCount = readonly [word: string, count: number];

/** How many words there is room for at first: a power of two, as always. */
const FIRST_WORDS = 8_192;
const LINE_FEED = 0x0a;
const utf16 = new TextDecoder("utf-16le", { ignoreBOM: true });

/** A hash table with open addressing; the words themselves are in one array, one after the other. */
export class WordTable {
  /** The words' UTF-16 units, each word with a line feed after it; at the end the word that is being written. */
  #units = new Uint16Array(16 * FIRST_WORDS);
  #end = 0;
  #hash = 0;
  /** Of each word, and behind the last one: where it begins. */
  #starts = new Uint32Array(FIRST_WORDS + 1);
  #hashes = new Int32Array(FIRST_WORDS);
  #counts = new Float64Array(FIRST_WORDS);
  /** Of each hash a word's index and 1, in the next place that is free; half of them are 0. */
  #slots = new Int32Array(2 * FIRST_WORDS);
  #distinct = 0;
  #words = 0;

  /** How many words there were. */
  get words(): number {
    return this.#words;
  }

  /** How many different ones. */
  get distinct(): number {
    return this.#distinct;
  }

  /** How long the word is that is being written, in UTF-16 units. */
  get written(): number {
    return this.#end - this.#starts[this.#distinct]!;
  }

  /** Writes the next unit of a word. */
  push(unit: number): void {
    // One more is left for the line feed.
    if (this.#end + 1 >= this.#units.length) this.#units = grown(this.#units, 2 * this.#units.length);
    this.#units[this.#end++] = unit;
    this.#hash = (Math.imul(this.#hash, 31) + unit) | 0;
  }

  /** Takes away the word that is being written. */
  take(): string {
    const start = this.#starts[this.#distinct]!;
    const word = utf16.decode(this.#units.subarray(start, this.#end));
    this.#end = start;
    this.#hash = 0;
    return word;
  }

  /** The word that was written has occurred so many times more. */
  count(times: number): void {
    this.#words += times;
    const start = this.#starts[this.#distinct]!;
    const slot = this.#find(start);
    const found = this.#slots[slot]!;
    if (found === 0) this.#insert(slot, times);
    else {
      this.#counts[found - 1]! += times;
      this.#end = start;
    }
    this.#hash = 0;
  }

  /**
   * Adds the counts of a split, or of a part of it.
   *
   * @throws TypeError if there are not as many words as counts.
   */
  add({ words, counts }: WordCounts): void {
    let at = 0;
    for (const count of counts) {
      if (at === words.length) throw new TypeError("A part of the result has fewer words than counts");
      for (; at < words.length; at++) {
        const unit = words.charCodeAt(at);
        if (unit === LINE_FEED) break;
        this.push(unit);
      }
      this.count(count);
      at++;
    }
    if (at !== words.length) throw new TypeError("A part of the result has more words than counts");
  }

  /** The table in parts of little more than `partUnits` UTF-16 units each. */
  *parts(partUnits: number): Generator<WordCounts> {
    for (let first = 0, next = 0; first < this.#distinct; first = next) {
      const start = this.#starts[first]!;
      while (next < this.#distinct && this.#starts[next]! - start < partUnits) next++;
      const words = utf16.decode(this.#units.subarray(start, this.#starts[next]));
      yield { words, counts: Uint32Array.from(this.#counts.subarray(first, next)) };
    }
  }

  /** The most frequent words; those that are equally frequent by their code points. */
  top(limit: number): readonly WordCount[] {
    // Sorting all of a large table would take its size once more.
    let top: WordCount[] = [];
    let least = 0;
    for (let index = 0; index < this.#distinct; index++) {
      const count = this.#counts[index]!;
      if (count < least) continue;
      top.push([utf16.decode(this.#units.subarray(this.#starts[index], this.#starts[index + 1]! - 1)), count]);
      if (top.length <= 2 * limit + 1_000) continue;
      top = top.sort(compare).slice(0, limit);
      least = top.at(-1)?.[1] ?? Infinity;
    }
    return top.sort(compare).slice(0, limit);
  }

  /** The slot of the word that was written: that of the same word, or a free one. */
  #find(start: number): number {
    const slots = this.#slots;
    const hashes = this.#hashes;
    const starts = this.#starts;
    const units = this.#units;
    const hash = this.#hash;
    const length = this.#end - start;
    const mask = slots.length - 1;
    let slot = firstSlot(hash, mask);
    for (let found = slots[slot]!; found !== 0; found = slots[slot = (slot + 1) & mask]!) {
      if (hashes[found - 1] !== hash) continue;
      const other = starts[found - 1]!;
      if (starts[found]! - 1 - other !== length) continue;
      let at = 0;
      while (at < length && units[other + at] === units[start + at]) at++;
      if (at === length) break;
    }
    return slot;
  }

  #insert(slot: number, count: number): void {
    const index = this.#distinct++;
    this.#units[this.#end++] = LINE_FEED;
    this.#starts[index + 1] = this.#end;
    this.#hashes[index] = this.#hash;
    this.#counts[index] = count;
    this.#slots[slot] = index + 1;
    if (this.#distinct === this.#hashes.length) this.#makeRoom();
  }

  #makeRoom(): void {
    const room = 2 * this.#distinct;
    this.#starts = grown(this.#starts, room + 1);
    this.#hashes = grown(this.#hashes, room);
    this.#counts = grown(this.#counts, room);
    const slots = this.#slots = new Int32Array(2 * room);
    const mask = slots.length - 1;
    for (let index = 0; index < this.#distinct; index++) {
      let slot = firstSlot(this.#hashes[index]!, mask);
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
  }
}

/** Whether it is what a task of the job gives: words, each with a line feed after it, and as many counts. */
export function isWordCounts(value: unknown): value is WordCounts {
  return typeof value === "object" && value !== null && "words" in value && typeof value.words === "string" &&
    "counts" in value && value.counts instanceof Uint32Array && countLines(value.words) === value.counts.length;
}

/** How many lines a text has; -1 if the last one has no end. */
function countLines(text: string): number {
  let lines = 0;
  let at = 0;
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", at)) {
    lines++;
    at = end + 1;
  }
  return at === text.length ? lines : -1;
}

function firstSlot(hash: number, mask: number): number {
  return (hash ^ (hash >>> 15)) & mask;
}

/** The same numbers, with room for more. */
function grown<T extends Uint16Array | Uint32Array | Int32Array | Float64Array>(array: T, length: number): T {
  const larger = new (array.constructor as new (length: number) => T)(length);
  larger.set(array);
  return larger;
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
