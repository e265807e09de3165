/**
 * The errors of both codecs: what cannot be encoded, and where in the value; what cannot be decoded, and at which byte.
 *
 * @module
 */

import { RpcError, SerializerError, toError } from "../base/errors.ts";

/**
 * A step into a value: a property's name, an array's index, `-1 - i` for the entry `i` of a Map or Set, or undefined for what has no
 * name.
 */
export type PathKey = string | number | undefined;

/** To bring a longer bigint into decimal digits takes time that grows with the square of its length. */
const MAX_SHOWN_BITS = 256;

/** How much of a text that a peer sent is shown: it may be megabytes. */
const SHOWN_CHARACTERS = 200;

/** Keys shown at each end of a path that has too many. */
const SHOWN = 8;

/** The path that the first `depth` keys make: `.workers[3].run`. */
export function pathText(keys: readonly PathKey[], depth: number): string {
  const texts = keys.slice(0, depth).map(keyText);
  return depth <= 2 * SHOWN ? texts.join("") : `${texts.slice(0, SHOWN).join("")}…${texts.slice(-SHOWN).join("")}`;
}

function keyText(key: PathKey): string {
  if (key === undefined) return "";
  if (typeof key === "number") return key < 0 ? `.entries()[${-1 - key}]` : `[${key}]`;
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

/** The error that says: `what` cannot be encoded. */
export function encodeError(what: string, path: string): SerializerError {
  return new SerializerError(`Cannot encode ${what}${placeOf(path)}`, { direction: "encode", path });
}

/** What is thrown for `thrown`, which came at `path` from a codec, or from a getter, a `toJSON` or the environment on its way. */
export function explainEncodeError(thrown: unknown, path: string): Error {
  const place = placeOf(path);
  if (thrown instanceof SerializerError) {
    if (thrown.path !== undefined || thrown.direction === "decode") return thrown;
    return new SerializerError(thrown.message + place, { direction: "encode", path, cause: thrown });
  }
  if (RpcError.is(thrown)) return thrown;
  const cause = toError(thrown);
  return new SerializerError(`Cannot encode a value${place}: ${cause.message}`, { direction: "encode", path, cause });
}

/** The error that says what is wrong at a byte of the content. */
export function decodeError(message: string, offset: number): SerializerError {
  return new SerializerError(`${message}, at byte ${offset}`, { direction: "decode", offset });
}

/** A text that a peer sent, fit for an error. */
export function shown(text: string): string {
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}

/** A value for an error: of an object the class only, since the text of what a peer has sent can be longer than memory. */
export function shownValue(value: unknown): string {
  if (Object.is(value, -0)) return "-0";
  if (value === null || typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "bigint") return BigInt.asIntN(MAX_SHOWN_BITS, value) === value ? `${value}n` : "a large bigint";
  if (typeof value !== "object") return typeof value === "undefined" ? "undefined" : `a ${typeof value}`;
  const { constructor } = value;
  return `an object of class ${typeof constructor === "function" ? constructor.name : "null"}`;
}

/** The text of a failure of which nothing else can be had: a getter of it throws, say. */
export function failureText(failure: unknown): string {
  try {
    return String(failure);
  } catch {
    return "A failure that has no text";
  }
}

function placeOf(path: string): string {
  return path === "" ? "" : ` at ${path}`;
}
