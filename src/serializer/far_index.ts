/**
 * Indexes that a peer has chosen, as keys of objects and of arrays with holes.
 *
 * An engine makes room for all indexes below one that is not very far, 12 KB on V8 for `{"1000": 0}` and 31 KB for two, unless it has
 * a table of those that there are.
 *
 * @module
 */

/** The highest index: no engine makes room for all below it. */
const HIGHEST = 2 ** 32 - 2;

/** From this index on most of what has so many entries is holes. */
function farFrom(entries: number): number {
  return 4 * entries + 8;
}

/** Whether `key`, one of so many entries of an object, is an index for which the object should {@linkcode keepHoles}. */
export function isFarIndex(key: string, entries: number): boolean {
  const index = Number(key);
  return index >= farFrom(entries) && index <= HIGHEST;
}

/** Has `object` keep a table of its indexes from here on, so that those that it does not have take no memory. */
export function keepHoles(object: object): void {
  if (Object.hasOwn(object, HIGHEST)) return;
  Reflect.set(object, HIGHEST, undefined);
  Reflect.deleteProperty(object, HIGHEST);
}

/** An array of that length for so many elements, -1 if that is not known: memory for all of them, or none until `length` is set. */
export function arrayWithHoles(length: number, elements: number): unknown[] {
  if (elements >= 0 && length < farFrom(elements)) return new Array(length);
  const array: unknown[] = [];
  array[HIGHEST] = undefined;
  return array;
}
