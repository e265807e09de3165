/**
 * Choices out of a seeded sequence. Only sums and products are used: engines differ in the last bit of anything finer.
 *
 * @module
 */

import type { Random } from "../../src/base/random.ts";

/** Draws numbers and choices. */
export class Dice {
  readonly #random: Random;

  /** @param random Where chance comes from. */
  constructor(random: Random) {
    this.#random = random;
  }

  /** A whole number from `least` to `most`. */
  int(least: number, most: number): number {
    return least + Math.floor(this.#random() * (most - least + 1));
  }

  /** A whole number from `least` to `most`, mostly a small one. */
  small(least: number, most: number): number {
    const u = this.#random();
    return least + Math.floor(u * u * u * (most - least + 1));
  }

  /** A number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + this.#random() * (most - least);
  }

  /** True with that probability. */
  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  /** One of `choices`, which must not be empty. */
  pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)]!;
  }

  /** So many different ones of `choices`, in a random order. */
  some<T>(choices: readonly T[], count: number): T[] {
    const left = [...choices];
    const chosen: T[] = [];
    while (chosen.length < count && left.length > 0) chosen.push(...left.splice(this.int(0, left.length - 1), 1));
    return chosen;
  }
}
