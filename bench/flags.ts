/**
 * The numbers and names that flags of the comparisons take. What is none is a TypeError, on which a program says how it is used.
 *
 * @module
 */

/** A number above 0. */
export function aboveZero(flag: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Infinity)) throw new TypeError(`${flag} is a number above 0, not ${text}`);
  return value;
}

/** A whole number above 0. */
export function wholeNumber(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new TypeError(`${flag} is a whole number above 0, not ${text}`);
  return value;
}

/** One of the names that are known. */
export function oneOf<T extends string>(flag: string, text: string, known: readonly T[]): T {
  const found = known.find((name) => name === text);
  if (found === undefined) throw new TypeError(`${flag} knows ${known.join(", ")}, but not ${text}`);
  return found;
}

/** Some of them, with commas between. */
export function someOf<T extends string>(flag: string, text: string, known: readonly T[]): readonly T[] {
  return text.split(",").map((name) => oneOf(flag, name, known));
}
