/**
 * A short text beside its item as 32-bit words: two comparisons recognise a key of seven letters.
 *
 * Keys, names and states repeat from message to message. A DataView reads four bytes in the time of one, and a text that is at
 * hand need not be made.
 *
 * @module
 */

import { Major } from "./_cbor_format.ts";

/** The longest short text in bytes: up to here the head is one byte. */
export const MAX_SHORT_TEXT = 23;

/** How many texts a cache of them remembers; a power of two. */
export const CACHED_TEXTS = 1024;

/** 2^32 divided by the golden ratio. */
const MIXER = 0x9e37_79b1;
const SLOT_SHIFT = Math.clz32(CACHED_TEXTS - 1);

/** A text and its item. It becomes another in place: caches make all they have in advance. */
export class ShortText {
  /** The text. */
  text = "";
  /** Bytes of the item: its head and the text in UTF-8. */
  size = 1;
  /** What came after it the last time; that may have become another. */
  next: ShortText = this;
  /** The first four bytes, of which `#mask` says how many there are. */
  #first = Major.text << 24;
  #mask = maskOf(1);
  /** The words at 4, 8, 12 and 16, where more than four bytes follow. */
  #second = 0;
  #third = 0;
  #fourth = 0;
  #fifth = 0;
  /** The last four bytes, where there are more than four in all. */
  #last = 0;

  /** Whether the item at `at` is this one, all of it, and ends at `end` or before; four bytes can be read at `at`. */
  isAt(view: DataView, at: number, end: number): boolean {
    const size = this.size;
    // The first word has the length in it.
    return (view.getInt32(at) & this.#mask) === this.#first && at + size <= end &&
      (size <= 4 || view.getInt32(at + size - 4) === this.#last && (size <= 8 || this.#hasMiddleAt(view, at)));
  }

  #hasMiddleAt(view: DataView, at: number): boolean {
    const size = this.size;
    return view.getInt32(at + 4) === this.#second && (size <= 12 || view.getInt32(at + 8) === this.#third) &&
      (size <= 16 || view.getInt32(at + 12) === this.#fourth) && (size <= 20 || view.getInt32(at + 16) === this.#fifth);
  }

  /** Becomes `text`, whose item of `size` bytes is at `at`; four bytes can be read there. */
  become(text: string, view: DataView, at: number, size: number): void {
    this.text = text;
    this.size = size;
    this.#mask = maskOf(size);
    this.#first = view.getInt32(at) & this.#mask;
    if (size > 4) this.#last = view.getInt32(at + size - 4);
    if (size > 8) this.#second = view.getInt32(at + 4);
    if (size > 12) this.#third = view.getInt32(at + 8);
    if (size > 16) this.#fourth = view.getInt32(at + 12);
    if (size > 20) this.#fifth = view.getInt32(at + 16);
  }
}

/** Which texts get an entry: one in sixteen, by chance, or texts that come in a certain order would never be the sixteenth. */
export class Admission {
  #state = 1;

  /** Whether this one does. */
  next(): boolean {
    this.#state = Math.imul(this.#state, 1_664_525) + 1_013_904_223 | 0;
    return this.#state >>> 28 === 0;
  }

  /** Which of its two places it gets, 0 or 1. */
  get side(): number {
    return (this.#state >>> 27) & 1;
  }
}

/** A hash of the item of `size` bytes at `at`: its beginning, its middle and its end tell it apart as well as all of it would. */
export function hashOfItem(view: DataView, at: number, size: number): number {
  const first = view.getInt32(at);
  if (size <= 4) return hashOf(first & maskOf(size), 0);
  const middle = size <= 8 ? 0 : view.getInt32(at + (size >> 1) - 2);
  return hashOf(first, view.getInt32(at + size - 4) ^ Math.imul(middle, MIXER));
}

/** The place of a hash in a cache; its neighbour, `slot ^ 1`, is as good. */
export function slotOf(hash: number): number {
  return hash >>> SLOT_SHIFT;
}

function hashOf(first: number, last: number): number {
  const mixed = Math.imul(first, MIXER) ^ last;
  return Math.imul(mixed ^ (mixed >>> 15), MIXER);
}

function maskOf(size: number): number {
  return size < 4 ? -1 << ((4 - size) << 3) : -1;
}
