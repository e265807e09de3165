/**
 * A bounded cache of short texts that are read: from their bytes to the text. Without it an object takes two to four times as
 * long: its keys are made, hashed and looked up again each time.
 *
 * All entries are made in advance. Of the texts that are not there one in sixteen gets an entry, in one of two places, where it
 * replaces another: what comes often is there soon, and a peer that sends ever-new texts pays a hash for each. Texts that are
 * chosen to meet in one place are only not found; none is taken for another, since all bytes are compared.
 *
 * @module
 */

import { Admission, CACHED_TEXTS, hashOfItem, ShortText, slotOf } from "./_cbor_short_text.ts";

/** Short texts by their items. Wherever an item is read, four bytes can be. */
export class TextCache {
  readonly #entries: readonly ShortText[] = Array.from({ length: CACHED_TEXTS }, () => new ShortText());
  #last = this.#entries[0]!;
  readonly #admission = new Admission();

  /** The entry of what came after the one before the last time, if it is the item at `at` and ends at `end` or before. */
  expected(view: DataView, at: number, end: number): ShortText | undefined {
    const { next } = this.#last;
    if (!next.isAt(view, at, end)) return undefined;
    this.#last = next;
    return next;
  }

  /** The entry of the item of `size` bytes at `at`, if there is one. */
  find(view: DataView, at: number, size: number): ShortText | undefined {
    const slot = slotOf(hashOfItem(view, at, size));
    const entry = this.#entries[slot]!;
    if (entry.isAt(view, at, at + size)) return entry;
    const other = this.#entries[slot ^ 1]!;
    return other.isAt(view, at, at + size) ? other : undefined;
  }

  /** As {@linkcode find}; it is then {@linkcode expected} after the one before. */
  follow(view: DataView, at: number, size: number): ShortText | undefined {
    const entry = this.find(view, at, size);
    if (entry !== undefined) this.#last = this.#last.next = entry;
    return entry;
  }

  /** Remembers `text`, the item of `size` bytes at `at`, now and then. */
  add(text: string, view: DataView, at: number, size: number): void {
    if (!this.#admission.next()) return;
    const slot = slotOf(hashOfItem(view, at, size)) ^ this.#admission.side;
    this.#entries[slot]!.become(text, view, at, size);
  }
}
