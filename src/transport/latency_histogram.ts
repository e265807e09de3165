/**
 * How long things took, in steps that double.
 *
 * Spark: com.codahale.metrics.Timer, which keeps a sample; steps need no sample and can be added up.
 *
 * @module
 */

/** The first step in milliseconds, and how many there are; what takes longer than the last, 105 s, counts in sum and count only. */
const FIRST_STEP_MS = 0.1;
const STEPS = 21;

/** A snapshot of a {@linkcode LatencyHistogram}. */
export interface LatencyStats {
  /** How many were timed. */
  readonly count: number;
  /** How long all of them took together, in milliseconds. */
  readonly sumMs: number;
  /** How many took at most so long, for each step; those of smaller steps are among them. */
  readonly steps: readonly { readonly upToMs: number; readonly count: number }[];
}

/** Counts durations. */
export class LatencyHistogram {
  #count = 0;
  #sumMs = 0;
  readonly #counts = new Array<number>(STEPS).fill(0);

  /** Something took so long. */
  record(ms: number): void {
    this.#count++;
    this.#sumMs += ms;
    const step = Math.max(0, Math.ceil(Math.log2(ms / FIRST_STEP_MS)));
    if (step < STEPS) this.#counts[step]!++;
  }

  /** A snapshot. */
  stats(): LatencyStats {
    let count = 0;
    const steps = this.#counts.map((own, step) => {
      count += own;
      return { upToMs: FIRST_STEP_MS * 2 ** step, count };
    });
    return { count: this.#count, sumMs: this.#sumMs, steps };
  }
}
