/**
 * A word too long to be kept whole. It is counted all the same, under a name: its beginning, its length, and a fingerprint.
 *
 * @module
 */

/** How many letters of it the name shows. */
const SHOWN_LETTERS = 100;

/** The name of one long word; equal words have equal names, however they came in pieces. */
export class LongWord {
  #beginning = "";
  #letters = 0;
  // FNV-1a, twice, by two factors: 64 bits are enough that two long words of the same length and beginning do not meet by chance.
  #low = 0x811c9dc5;
  #high = 0x01234567;

  /** Takes the next letters. */
  add(text: string): void {
    for (const letter of text) {
      // Each letter by itself: what is lower-cased together must not depend on where a piece ends.
      const lower = letter.toLowerCase();
      if (this.#letters < SHOWN_LETTERS) this.#beginning += lower;
      this.#letters++;
      for (let at = 0; at < lower.length; at++) {
        const unit = lower.charCodeAt(at);
        this.#low = Math.imul(this.#low ^ unit, 0x01000193);
        this.#high = Math.imul(this.#high ^ unit, 0x9e3779b1);
      }
    }
  }

  /** The name; the character after the beginning is none that a word can have. */
  get name(): string {
    return `${this.#beginning}… (${this.#letters} letters, ${hex(this.#high)}${hex(this.#low)})`;
  }
}

function hex(int32: number): string {
  return (int32 >>> 0).toString(16).padStart(8, "0");
}
