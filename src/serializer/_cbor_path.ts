/**
 * Where in a value encoding failed, as text: `.workers[3].run`.
 *
 * @module
 */

/** A property's name, an array's index, `-1 - i` for the entry `i` of a Map or Set, or undefined for what has no name. */
export type PathKey = string | number | undefined;

/** Keys shown at each end of a path that has too many. */
const SHOWN = 8;

/** The path that the first `depth` keys make. */
export function pathText(keys: readonly PathKey[], depth: number): string {
  const texts = keys.slice(0, depth).map(keyText);
  return depth <= 2 * SHOWN ? texts.join("") : `${texts.slice(0, SHOWN).join("")}…${texts.slice(-SHOWN).join("")}`;
}

function keyText(key: PathKey): string {
  if (key === undefined) return "";
  if (typeof key === "number") return key < 0 ? `.entries()[${-1 - key}]` : `[${key}]`;
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
