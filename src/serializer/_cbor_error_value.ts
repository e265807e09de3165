/**
 * Errors as values, that is inside a message: `["sparkwire:error", name, message, fields]` under tag 27.
 *
 * A built-in class arrives as itself, every other one as an Error of its name. The fields are the error's own enumerable
 * ones, `cause` and `errors`; its stack only if the environment says so. A handler's failure is something else: see
 * `_cbor_failure.ts`.
 *
 * @module
 */

import { withoutStack } from "../base/without_stack.ts";
import type { CborEncoder } from "./_cbor_encoder.ts";
import { Name } from "./_cbor_format.ts";
import { isFarIndex, keepHoles } from "./far_index.ts";

const CLASSES: ReadonlyMap<string, ErrorConstructor> = new Map(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((known) => [known.name, known]),
);

/** The fields of an error that are its own but, as a rule, not enumerable. */
const HIDDEN = ["cause", "errors", "stack"];

/** What an error is printed by. A value in their place that is no text is left out: printed, it can be longer than memory. */
const TEXTS = ["name", "message", "stack"];

/** Writes an error that is a value. */
export function writeErrorValue(encoder: CborEncoder, error: Error): void {
  if (!encoder.track(error)) return;
  const fields = fieldsOf(error, encoder.context?.exposeStack === true);
  encoder.openGeneric(Name.error, 3);
  encoder.writeText(String(error.name));
  encoder.writeText(String(error.message));
  encoder.writeEntries(fields, Object.keys(fields).length, false);
  encoder.close();
}

function fieldsOf(error: Error, exposeStack: boolean): object {
  // Without a prototype, `__proto__` is a key like any other.
  const fields: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(error)) {
    if (key !== "name" && key !== "message" && !HIDDEN.includes(key)) fields[key] = Reflect.get(error, key);
  }
  for (const key of HIDDEN) {
    if (Object.hasOwn(error, key) && (key !== "stack" || exposeStack)) fields[key] = Reflect.get(error, key);
  }
  return fields;
}

/** An error without its fields. */
export function newError(name: string, message: string): Error {
  return withoutStack(() => {
    const error = name === "AggregateError" ? new AggregateError([], message) : new (CLASSES.get(name) ?? Error)(message);
    if (error.name !== name) hide(error, "name", name);
    return error;
  });
}

/** Gives `error` a field that came with it. */
export function setErrorField(error: Error, key: string, value: unknown): void {
  if (isFarIndex(key, 0)) keepHoles(error);
  if (TEXTS.includes(key)) {
    if (typeof value === "string") hide(error, key, value);
  } else if (HIDDEN.includes(key)) hide(error, key, value);
  else Object.defineProperty(error, key, { value, writable: true, enumerable: true, configurable: true });
}

function hide(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, writable: true, enumerable: false, configurable: true });
}
