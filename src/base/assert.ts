/**
 * Checks of this project's own reasoning: a failure here is a bug of ours, never the answer to a peer's bytes.
 *
 * @module
 */

/** Thrown where the program contradicts itself. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Throws an {@linkcode AssertionError} unless `condition` holds. What a peer sent is never checked with this. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Ends a `switch` over a union: a member that was forgotten does not compile. */
export function unreachable(value: never): never {
  throw new AssertionError(`Unreachable: ${String(value)}`);
}
