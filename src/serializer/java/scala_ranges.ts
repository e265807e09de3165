/**
 * Ranges of Scala, such as `1 to 3` and `0 until n by 2`. Whoever may send a Seq may send one; here it is the array of its elements.
 *
 * Spark: scala.collection.immutable.Range.
 *
 * @module
 */

import { KnownClass } from "./class_desc.ts";
import { type JavaMapping, objectOf, originOf, setOrigin } from "./java_mapping.ts";
import { scalaVector } from "./scala_collections.ts";

const COUNT = "scala$collection$immutable$Range$$numRangeElements";
const LAST = "scala$collection$immutable$Range$$lastElement";

const RANGE = new KnownClass("scala.collection.immutable.Range", {
  fields: { end: "I", isEmpty: "Z", [LAST]: "I", [COUNT]: "I", start: "I", step: "I" },
});

/** What makes a range. */
interface RangeBounds {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

/** How many elements a range has; that may be more than an int can say. */
function countOf({ start, end, step }: RangeBounds, inclusive: boolean): number {
  const gap = end - start;
  if (gap * step < 0) return 0;
  return Math.trunc(gap / step) + (inclusive || gap % step !== 0 ? 1 : 0);
}

function rangeOf(name: string, inclusive: boolean): JavaMapping {
  const known = new KnownClass(`${RANGE.name}$${name}`, { parent: RANGE });
  const mapping: JavaMapping = {
    known,
    read(object, _, reading) {
      const [start, end, step] = ["start", "end", "step"].map((field) => object.get(field));
      const areInts = typeof start === "number" && typeof end === "number" && typeof step === "number";
      if (!areInts || step === 0) throw reading.fail("Range has no start, end or step");
      const detail: RangeBounds = { start, end, step };
      const length = countOf(detail, inclusive);
      // It takes few bytes to say any number of them.
      if (!reading.canSpend(length)) return object;
      reading.spend(length);
      if (object.get(COUNT) !== length) throw reading.fail("Range does not have as many elements as it says");
      return setOrigin(Array.from({ length }, (_, i) => start + i * step), { mapping, detail });
    },
    write(value, writing) {
      const items = value as readonly unknown[];
      const bounds = originOf(items)?.detail as RangeBounds;
      const { start, end, step } = bounds;
      const count = countOf(bounds, inclusive);
      // One that was changed is what it would be in Scala.
      if (items.length !== count || items.some((item, i) => item !== start + i * step)) {
        return scalaVector.write(items, writing);
      }
      const last = end - ((end - start) % step || (inclusive ? 0 : step)) | 0;
      return objectOf(known, writing.version, { start, end, step, isEmpty: count === 0, [COUNT]: count, [LAST]: last });
    },
  };
  return mapping;
}

/** The classes of ranges. */
export const rangeMappings: readonly JavaMapping[] = [rangeOf("Inclusive", true), rangeOf("Exclusive", false)];
