/**
 * What can go wrong in a simulated network, in numbers, and the dice that decide when.
 *
 * @module
 */

import type { Random } from "../base/random.ts";

/**
 * What goes wrong, and how often. Without any of these the network is perfect and takes no time.
 *
 * A probability is looked at once per run of bytes, that is whenever a socket sends, unless its line says otherwise.
 */
export interface SimulatedFaults {
  /** The least time that bytes are under way; default 0. */
  readonly delayMinMs?: number;
  /** The mean of that time; some take up to five times as long; default delayMinMs. */
  readonly delayMeanMs?: number;
  /** Each connection is slower than the others by up to this much: what is sent over two of them arrives out of order; default 0. */
  readonly connectionDelayMs?: number;
  /** How often a run arrives in up to four pieces; default 0. */
  readonly splitProbability?: number;
  /** How often a piece catches up with the one before it, so that one read gets both; default 0. */
  readonly mergeProbability?: number;
  /** How often one end of a connection reads slowly; looked at once per end; default 0. */
  readonly slowReaderProbability?: number;
  /** How much a slow reader reads at once; default 512. */
  readonly slowReadBytes?: number;
  /** How long a slow reader waits between reads; default 10. */
  readonly slowReadMs?: number;
  /** How often a connect is refused although somebody listens; looked at once per connect; default 0. */
  readonly refuseProbability?: number;
  /** How often a connection is reset, at any byte of a run; both ends learn of it; default 0. */
  readonly resetProbability?: number;
  /** How often the receiver gets a FIN at any byte of a run, while the sender's socket stays open and knows nothing; default 0. */
  readonly finProbability?: number;
  /** How often a connection dies in silence: nothing passes any more, and nobody is told; default 0. */
  readonly silenceProbability?: number;
  /** How often one of the two hosts stands still; default 0. */
  readonly freezeProbability?: number;
  /** For how long it does; default 1000. */
  readonly freezeMs?: number;
  /** How often the clock of one of the two hosts jumps ahead; default 0. */
  readonly clockJumpProbability?: number;
  /** How far it jumps; default 60000. */
  readonly clockJumpMs?: number;
}

const NO_FAULTS: Required<SimulatedFaults> = {
  delayMinMs: 0,
  delayMeanMs: 0,
  connectionDelayMs: 0,
  splitProbability: 0,
  mergeProbability: 0,
  slowReaderProbability: 0,
  slowReadBytes: 512,
  slowReadMs: 10,
  refuseProbability: 0,
  resetProbability: 0,
  finProbability: 0,
  silenceProbability: 0,
  freezeProbability: 0,
  freezeMs: 1_000,
  clockJumpProbability: 0,
  clockJumpMs: 60_000,
};

/** A run is cut at most this often. */
const MAX_CUTS = 3;

/** Decides by a seeded sequence. It is asked in an order that does not depend on the runtime. */
export class FaultDice {
  readonly #random: Random;
  #faults: Required<SimulatedFaults>;

  /** Throws a RangeError for a number that makes no sense. */
  constructor(faults: SimulatedFaults, random: Random) {
    this.#random = random;
    this.#faults = { ...NO_FAULTS, ...faults };
    for (const [name, value] of Object.entries(this.#faults)) {
      const max = name.endsWith("Probability") ? 1 : Number.MAX_SAFE_INTEGER;
      if (!(value >= 0 && value <= max)) throw new RangeError(`${name} is not in 0..${max}: ${value}`);
    }
    if (!(this.#faults.slowReadBytes >= 1)) throw new RangeError("slowReadBytes is less than 1");
  }

  /** The numbers in force. */
  get faults(): Required<SimulatedFaults> {
    return this.#faults;
  }

  /** Switches everything off. */
  heal(): void {
    this.#faults = NO_FAULTS;
  }

  /** True with a probability of `probability`; what never happens draws no number. */
  chance(probability: number): boolean {
    return probability > 0 && this.#random() < probability;
  }

  /** A whole number in `[0, limit)`. */
  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  /** A number in `[0, limit)`. */
  upTo(limit: number): number {
    return limit > 0 ? this.#random() * limit : 0;
  }

  /**
   * How long something is under way. An exponential distribution would be nearer to life, but engines do not agree on the
   * last bit of a logarithm; the fourth power has a long tail too, and multiplication is exact.
   */
  delayMs(): number {
    const { delayMinMs, delayMeanMs } = this.#faults;
    const spread = delayMeanMs - delayMinMs;
    if (spread <= 0) return delayMinMs;
    const u = this.#random();
    return delayMinMs + spread * 5 * u * u * u * u;
  }

  /** Where a run of `length` bytes is cut, in order; often near its beginning, where headers are. */
  cuts(length: number): readonly number[] {
    if (length < 2 || !this.chance(this.#faults.splitProbability)) return [];
    const cuts = new Set<number>();
    for (let left = 1 + this.below(MAX_CUTS); left > 0; left--) {
      const u = this.#random();
      cuts.add(1 + Math.floor(u * u * u * (length - 1)));
    }
    return [...cuts].sort((a, b) => a - b);
  }
}
