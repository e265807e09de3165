/**
 * Collections in the fields of known classes, each converted to the type of its elements.
 *
 * Spark: there is no such thing; the types of elements are erased.
 *
 * @module
 */

import type { JavaFieldReading } from "./java_type.ts";

/** Collections of fewer elements are converted each time that they are met; those within one another, as often as all of that together. */
const REMEMBERED_FROM = 4;

/** What a collection of so many elements was converted to. */
interface Conversion<T> {
  readonly size: number;
  readonly to: T;
}

/**
 * Converts collections, one that many objects of a content have in common only once: it takes each of them few bytes to refer to it,
 * however many elements it has.
 */
export class Conversions<T> {
  readonly #contents = new WeakMap<JavaFieldReading, Map<object, Conversion<T>>>();

  /** What `convert` makes of `from`, which has `size` elements. */
  of(from: object, size: number, reading: JavaFieldReading, convert: () => T): T {
    if (size < REMEMBERED_FROM) return convert();
    let conversions = this.#contents.get(reading);
    if (conversions === undefined) this.#contents.set(reading, conversions = new Map());
    const known = conversions.get(from);
    // One that is in itself can have been met before all of it was there.
    if (known?.size === size) return known.to;
    const to = convert();
    conversions.set(from, { size, to });
    return to;
  }
}
