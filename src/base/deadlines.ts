/**
 * One timer for all deadlines: whoever has requests waiting is asked, when the earliest is due, to fail what is late.
 *
 * Spark: `netty-rpc-env-timeout`, a scheduler with an entry per ask. Here an ask only keeps a number: a timer of its own costs
 * five times what the rest of a small ask does on Deno 2.9. The price is that a look at what is due reads every deadline, so
 * looks are kept apart by a gap that grows with how many there are to read.
 *
 * @module
 */

import type { Clock } from "./clock.ts";
import { WatchTimer } from "./watch_timer.ts";

/** Something that waits, with deadlines. */
export interface DeadlineSource {
  /** How many deadlines it has: what a look costs. */
  readonly size: number;
  /** Fails what was due by `now`; returns the earliest deadline that is left, or Infinity. */
  expire(now: number): number;
}

/** A wait of less begins at the very moment, not at the time of the turn: a handler may have been busy since. */
const EXACT_BELOW_MS = 30_000;

/** This many deadlines are read in less than a millisecond, so looks at more of them are further apart. */
const READS_PER_MS = 16_384;

/** Knows the time of this turn and wakes the sources whose deadlines have come. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #sources = new Set<DeadlineSource>();
  #timer: WatchTimer | undefined;
  #dueAt = Infinity;
  #lastLook = -Infinity;
  #now = NaN;
  readonly #forgetNow = (): void => {
    this.#now = NaN;
  };
  readonly #look = (): void => {
    this.#timer = undefined;
    this.#dueAt = Infinity;
    this.#expire();
  };

  /** @param clock Where time comes from. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds of the clock, read once and kept until the microtasks that wait have run: reading it costs up to 75 ns. */
  now(): number {
    if (this.#now !== this.#now) {
      this.#now = this.#clock.now();
      this.#clock.soon(this.#forgetNow);
    }
    return this.#now;
  }

  /** When a wait of `durationMs` ends that begins now. */
  after(durationMs: number): number {
    return (durationMs < EXACT_BELOW_MS ? this.#clock.now() : this.now()) + durationMs;
  }

  /** Looks after `source` from now on. */
  add(source: DeadlineSource): void {
    this.#sources.add(source);
  }

  /**
   * Forgets `source`. The timer goes with the last one, or when the only one left waits for nothing: a client whose connections are
   * gone still has its local asks for a source, and the timer alone would keep its process.
   */
  remove(source: DeadlineSource): void {
    this.#sources.delete(source);
    if (this.#sources.size > 1) return;
    for (const { size } of this.#sources) if (size > 0) return;
    this.#disarm();
  }

  /** A source has something that is due at `deadline`. */
  note(deadline: number): void {
    if (deadline < this.#dueAt) this.#arm(deadline);
  }

  #expire(): void {
    const now = this.#clock.now();
    this.#lastLook = now;
    let earliest = Infinity;
    for (const source of this.#sources) earliest = Math.min(earliest, source.expire(now));
    // What was late may have ended its source, which may have been the last.
    if (this.#sources.size > 0) this.note(earliest);
  }

  #arm(deadline: number): void {
    this.#timer?.cancel();
    this.#dueAt = deadline;
    const now = this.#clock.now();
    // Timers may fire a fraction early, and a deadline is a promise to wait at least so long.
    const at = Math.max(deadline, this.#lastLook + this.#gapMs());
    this.#timer = new WatchTimer(this.#clock, Math.max(1, Math.ceil(at - now)), this.#look);
  }

  #gapMs(): number {
    let deadlines = 0;
    for (const source of this.#sources) deadlines += source.size;
    return Math.max(1, 8 * Math.floor(deadlines / READS_PER_MS));
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#dueAt = Infinity;
  }
}
