/**
 * Counts words. A word is a longest run of letters, lower-cased.
 *
 * @module
 */
import { isLetter } from "./_letters.ts";
import { LongWord } from "./_long_word.ts";

/** A word of more UTF-16 units than this is counted under the name that {@linkcode LongWord} gives it. */
export const MAX_WORD_UNITS = 1024 * 1024;

/** Counts the words of a text that comes in pieces; a piece ends anywhere between two characters. */
export class WordCounter {
  readonly #counts = new Map<string, number>();
  /** The letters at the end of what has come: their word may go on. */
  #open = "";
  /** In the place of `#open` once that would be too long. */
  #long: LongWord | undefined;

  /** Takes the next piece. */
  add(text: string): void {
    let start = 0;
    let inWord = this.#open !== "" || this.#long !== undefined;
    for (let at = 0; at < text.length;) {
      const codePoint = text.codePointAt(at)!;
      if (isLetter(codePoint)) {
        if (!inWord) start = at;
        inWord = true;
      } else if (inWord) {
        this.#append(text.slice(start, at));
        this.#endWord();
        inWord = false;
      }
      at += codePoint > 0xffff ? 2 : 1;
    }
    if (inWord) this.#append(text.slice(start));
  }

  /** The text is over: gives the words, which nothing is added to from here on. */
  end(): ReadonlyMap<string, number> {
    if (this.#open !== "" || this.#long !== undefined) this.#endWord();
    return this.#counts;
  }

  #append(letters: string): void {
    if (this.#long === undefined && this.#open.length + letters.length > MAX_WORD_UNITS) {
      this.#long = new LongWord();
      this.#long.add(this.#open);
      this.#open = "";
    }
    if (this.#long === undefined) this.#open += letters;
    else this.#long.add(letters);
  }

  #endWord(): void {
    const word = this.#long?.name ?? this.#open.toLowerCase();
    this.#open = "";
    this.#long = undefined;
    const count = this.#counts.get(word);
    if (count === undefined) this.#counts.set(copyOf(word), 1);
    else this.#counts.set(word, count + 1);
  }
}

/** The same letters. To engines a slice is a view: kept for itself, it keeps the text that it was cut from. */
export function copyOf(word: string): string {
  return ` ${word}`.slice(1);
}
