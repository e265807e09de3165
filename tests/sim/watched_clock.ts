/**
 * The clock of one environment under observation: how many timers it has set and neither cancelled nor seen fire.
 *
 * @module
 */

import type { Clock, Timer } from "../../src/base/clock.ts";

/** A clock that counts. */
export class WatchedClock implements Clock {
  readonly #inner: Clock;
  readonly #pending = new Set<object>();

  /** @param inner Gives the time. */
  constructor(inner: Clock) {
    this.#inner = inner;
  }

  /** How many timers are set. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  now(): number {
    return this.#inner.now();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const mark = {};
    this.#pending.add(mark);
    const timer = this.#inner.setTimer(delayMs, () => {
      this.#pending.delete(mark);
      callback();
    });
    return {
      cancel: () => {
        this.#pending.delete(mark);
        timer.cancel();
      },
    };
  }

  soon(callback: () => void): void {
    this.#inner.soon(callback);
  }

  yieldThen(callback: () => void): void {
    this.#inner.yieldThen(callback);
  }
}
