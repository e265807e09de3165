/**
 * Counts words. A word is a longest run of letters, lower-cased.
 *
 * @module
 */
import { isLetter } from "./_letters.ts";
import { LongWord } from "./_long_word.ts";
import { WordTable } from "./_word_table.ts";

/** A word of more UTF-16 units than this is counted under the name that {@linkcode LongWord} gives it. */
export const MAX_WORD_UNITS = 1024 * 1024;
/** Of ASCII: the lower-cased letter, or 0. */
const LOWER_CASE = Uint8Array.from({ length: 128 }, (_, unit) => isLetter(unit) ? unit | 0x20 : 0);

/** Counts the words of a text that comes in pieces; a piece ends anywhere between two characters. */
export class WordCounter {
  readonly #table = new WordTable();
  /** Whether the word that is being written has letters beyond ASCII: how those are lower-cased depends on what is around them. */
  #isForeign = false;
  /** The beginning of a word that would be too long. */
  #long: LongWord | undefined;

  /** Takes the next piece. */
  add(text: string): void {
    const table = this.#table;
    let length = table.written;
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      const lower = unit < 128 ? LOWER_CASE[unit]! : 0;
      if (lower !== 0) {
        table.push(lower);
        length++;
      } else if (unit >= 128 && isLetter(text.codePointAt(at)!)) {
        table.push(unit);
        if (isHighSurrogate(unit)) table.push(text.charCodeAt(++at));
        length = table.written;
        this.#isForeign = true;
      } else if (length > 0 || this.#long !== undefined) {
        this.#endWord();
        length = 0;
      }
      if (length > MAX_WORD_UNITS) {
        this.#shorten();
        length = 0;
      }
    }
  }

  /** The text is over: gives the words, which nothing is added to from here on. */
  end(): WordTable {
    if (this.#table.written > 0 || this.#long !== undefined) this.#endWord();
    return this.#table;
  }

  #shorten(): void {
    this.#long ??= new LongWord();
    this.#long.add(this.#table.take());
  }

  #endWord(): void {
    const table = this.#table;
    if (this.#long !== undefined) {
      this.#long.add(table.take());
      this.#write(this.#long.name);
    } else if (this.#isForeign) {
      this.#write(table.take().toLowerCase());
    }
    table.count(1);
    this.#isForeign = false;
    this.#long = undefined;
  }

  #write(word: string): void {
    for (let at = 0; at < word.length; at++) this.#table.push(word.charCodeAt(at));
  }
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
