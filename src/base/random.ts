/**
 * Randomness: the system's, or a seeded sequence that repeats exactly.
 *
 * @module
 */

/** A source of numbers in `[0, 1)`. */
export type Random = () => number;

/** The system's own randomness; good for choices, not for secrets. */
export const systemRandom: Random = Math.random;

/** A sequence that depends on `seed` alone: xorshift with multiplication, 32 bits of state. */
export function seededRandom(seed: number): Random {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
