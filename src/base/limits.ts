/**
 * Limits and durations that are given: what is none is refused, and what is not given is the default.
 *
 * @module
 */

/**
 * The limits in force. One that is given as undefined is not given; NaN would be no limit at all, as nothing is more than that.
 *
 * @param defaults The limits that hold unless others are given.
 * @param given What differs.
 * @returns All of them.
 * @throws {RangeError} If one is negative or no number.
 */
export function limitsInForce<L extends object>(defaults: L, given: { readonly [K in keyof L]?: L[K] | undefined } = {}): L {
  const entries: [string, unknown][] = Object.entries(given).filter(([, limit]) => limit !== undefined);
  for (const [name, limit] of entries) {
    if (typeof limit !== "number" || !(limit >= 0)) throw new RangeError(`Limit ${name} is no number from 0 on: ${limit}`);
  }
  return { ...defaults, ...Object.fromEntries(entries) };
}

/** Throws a RangeError that names `what` if a duration is negative or not a number. */
export function checkDuration(durationMs: number, what: string): void {
  if (durationMs >= 0) return;
  throw new RangeError(`${what} must ${durationMs < 0 ? "not be negative" : "be a number"}: ${durationMs} ms`);
}
