/**
 * Collections in the fields of known classes, each converted to the type of its elements.
 *
 * Spark: there is no such thing; the types of elements are erased.
 *
 * @module
 */

import type { JavaFieldReading, JavaFieldWriting } from "./java_type.ts";

/** Collections of fewer elements are converted each time that they are met; those within one another, as often as all of that together. */
const REMEMBERED_FROM = 4;

/** What a collection of so many elements was converted to. */
interface Conversion {
  readonly size: number;
  readonly to: unknown;
}

/** Where the conversions of a content are, which go with it. A WeakMap of contents would take ten times as long (Deno 2.9). */
const CONVERSIONS: unique symbol = Symbol("conversions");

/** What stands for a content that is read or written. */
type Content = (JavaFieldReading | JavaFieldWriting) & { [CONVERSIONS]?: Map<Conversions, Map<object, Conversion>> };

/**
 * Converts collections, one that many objects of a content have in common only once: it takes each of them few bytes to refer to it,
 * however many elements it has.
 */
export class Conversions {
  /** What `convert` makes of `from`, which has `size` elements. */
  of<T>(from: object, size: number, content: Content, convert: () => T): T {
    if (size < REMEMBERED_FROM) return convert();
    const all = content[CONVERSIONS] ??= new Map();
    let conversions = all.get(this);
    if (conversions === undefined) all.set(this, conversions = new Map());
    const known = conversions.get(from);
    // One that is in itself can have been met before all of it was there. A content is either read or written, and so converted one way.
    if (known?.size === size) return known.to as T;
    const to = convert();
    conversions.set(from, { size, to });
    return to;
  }
}
