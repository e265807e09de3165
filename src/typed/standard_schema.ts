/**
 * Checks payloads by schemas of the user's library: Zod, Valibot, ArkType and others share the interface of
 * https://standardschema.dev, of which this is the part that is called.
 *
 * @module
 */

import { UnsupportedMessageError } from "../base/errors.ts";
import { isPromised, promiseOf } from "../base/promise_of.ts";

/** One thing that is wrong with a value. */
export interface StandardIssue {
  /** What is wrong. */
  readonly message: string;
  /** Where in the value. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The value as the schema wants it, or what is wrong with it. */
export type StandardResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** A schema of any library that knows the interface. */
export interface StandardSchema<T> {
  /** The version of the interface, and the check. */
  readonly "~standard": {
    /** The version of the interface. */
    readonly version: 1;
    /** The library. */
    readonly vendor: string;
    /** Checks a value, perhaps asynchronously. */
    readonly validate: (value: unknown) => StandardResult<T> | Promise<StandardResult<T>>;
  };
}

/** How many issues an error names. A peer chooses how many there are; it must not choose how long our texts are. */
export const MAX_ISSUES = 8;
/** How many characters of an issue an error has. */
export const MAX_ISSUE_LENGTH = 200;

/**
 * The value that `schema` makes of a payload.
 *
 * @throws {UnsupportedMessageError} With what is wrong with the payload; a promise rejects with it if the schema is asynchronous.
 */
export function validatePayload<T>(schema: StandardSchema<T>, tag: string, payload: unknown): T | Promise<T> {
  const result = schema["~standard"].validate(payload);
  return isPromised(result) ? promiseOf(result).then((settled) => valueOf(settled, tag)) : valueOf(result, tag);
}

function valueOf<T>(result: StandardResult<T>, tag: string): T {
  if (result.issues === undefined) return result.value;
  throw new UnsupportedMessageError(`Payload of ${tag} is not valid: ${describeIssues(result.issues)}`);
}

function describeIssues(issues: readonly StandardIssue[]): string {
  // Spread, here and below: `slice` and `map` of a library's own kind of array make another of that kind, which is its own affair.
  const texts = [...issues].slice(0, MAX_ISSUES).map(describeIssue);
  if (issues.length > MAX_ISSUES) texts.push(`and ${issues.length - MAX_ISSUES} more`);
  return texts.join("; ");
}

function describeIssue({ message, path }: StandardIssue): string {
  const keys = [...path ?? []].map((part) => String(typeof part === "object" ? part.key : part));
  const text = keys.length === 0 ? message : `${keys.join(".")}: ${message}`;
  return text.length > MAX_ISSUE_LENGTH ? `${text.slice(0, MAX_ISSUE_LENGTH)}…` : text;
}
