/**
 * A clock whose hands the test moves: microtasks, macrotasks and timers run when it says so.
 *
 * @module
 */

import type { Clock, Timer } from "../src/base/clock.ts";

interface HandTimer extends Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** Time that stands still until it is moved. */
export class HandClock implements Clock {
  #now = 0;
  #soon: (() => void)[] = [];
  #later: (() => void)[] = [];
  readonly #timers = new Set<HandTimer>();

  now(): number {
    return this.#now;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer: HandTimer = { at: this.#now + delayMs, callback, cancel: () => this.#timers.delete(timer) };
    this.#timers.add(timer);
    return timer;
  }

  soon(callback: () => void): void {
    this.#soon.push(callback);
  }

  yieldThen(callback: () => void): void {
    this.#later.push(callback);
  }

  /** When each timer is due. */
  get timers(): number[] {
    return [...this.#timers].map((timer) => timer.at).sort((a, b) => a - b);
  }

  /** How many microtasks wait. */
  get waiting(): number {
    return this.#soon.length;
  }

  /** How many macrotasks wait. */
  get yielded(): number {
    return this.#later.length;
  }

  /** Runs the microtasks that wait now; not those that they add. */
  tick(): void {
    const due = this.#soon;
    this.#soon = [];
    for (const run of due) run();
  }

  /** Runs microtasks until none waits. Returns in how many rounds. */
  drain(): number {
    let rounds = 0;
    for (; this.#soon.length > 0; rounds++) this.tick();
    return rounds;
  }

  /** Macrotask turns, one unless it says how many: what has yielded runs, then the microtasks. */
  turn(count = 1): void {
    for (; count > 0; count--) {
      const due = this.#later;
      this.#later = [];
      for (const run of due) {
        run();
        this.drain();
      }
    }
  }

  /** Moves on by `ms`, firing what is due in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
      this.drain();
    }
    this.#now = end;
  }

  /** Moves on by `ms` at once, as on a machine that was asleep: what is due then fires late. */
  sleep(ms: number): void {
    this.skip(ms);
    this.advance(0);
  }

  /** Moves on by `ms`; what is due by then waits for the next move. */
  skip(ms: number): void {
    this.#now += ms;
  }
}
