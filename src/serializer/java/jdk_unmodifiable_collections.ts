/**
 * Unmodifiable views of collections: what they are views of stands in their place, since here every value is the reader's own.
 *
 * Spark: what `Collections.unmodifiableMap(map)` and its like make.
 *
 * @module
 */

import { KnownClass } from "./class_desc.ts";
import { type JavaMapping, objectOf } from "./java_mapping.ts";

/** What a view of this kind can be of. */
type IsViewed = (value: unknown) => boolean;

const isMap: IsViewed = (value) => value instanceof Map;
const isSet: IsViewed = (value) => value instanceof Set;
const isCollection: IsViewed = (value) => Array.isArray(value) || isSet(value);

/** A view's own field, and the name of its type. */
type ViewField = readonly [name: string, type: string];

function classOf(kind: string, uid: bigint, field: ViewField | undefined, parent?: KnownClass): KnownClass {
  const fields = field === undefined ? {} : { [field[0]]: `Ljava/util/${field[1]};` };
  return new KnownClass(`java.util.Collections$Unmodifiable${kind}`, {
    uid,
    fields,
    ...(parent === undefined ? {} : { parent }),
  });
}

const COLLECTION = classOf("Collection", 1820017752578914078n, ["c", "Collection"]);
const LIST = classOf("List", -283967356065247728n, ["list", "List"], COLLECTION);
const SET = classOf("Set", -9215047833775013803n, undefined, COLLECTION);
const SORTED_SET = classOf("SortedSet", -4929149591599911165n, ["ss", "SortedSet"], SET);
const NAVIGABLE_SET = classOf("NavigableSet", -6027448201786391929n, ["ns", "NavigableSet"], SORTED_SET);
const MAP = classOf("Map", -1034234728574286014n, ["m", "Map"]);
const SORTED_MAP = classOf("SortedMap", -8806743815996713206n, ["sm", "SortedMap"], MAP);
const NAVIGABLE_MAP = classOf("NavigableMap", -4858195264774772197n, ["nm", "NavigableMap"], SORTED_MAP);

/** A view of something that is not known stays the inert object that it is. */
function viewOf(known: KnownClass, isViewed: IsViewed): JavaMapping {
  return {
    known,
    read(object) {
      // Each class of the line has it once more, as what it knows it to be.
      const [viewed, ...again] = object.values;
      return isViewed(viewed) && again.every((other) => other === viewed) ? viewed : object;
    },
    write: (viewed, { version }) => {
      const fields = Object.fromEntries(
        known.at(version).line.flatMap(({ fields }) => fields.map(({ name }) => [name, viewed])),
      );
      return objectOf(known, version, fields);
    },
  };
}

/** The classes of this file. */
export const unmodifiableMappings: readonly JavaMapping[] = [
  viewOf(COLLECTION, isCollection),
  viewOf(LIST, Array.isArray),
  ...[SET, SORTED_SET, NAVIGABLE_SET].map((known) => viewOf(known, isSet)),
  ...[MAP, SORTED_MAP, NAVIGABLE_MAP].map((known) => viewOf(known, isMap)),
];
