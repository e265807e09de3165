/**
 * The time of one simulated host, which may stand still or jump while the others' goes on.
 *
 * @module
 */

import type { ClockEvent } from "./_event_heap.ts";
import type { Clock, Timer } from "./clock.ts";
import { type SimulatedClock, toSteps } from "./simulated_clock.ts";

interface HostTimer {
  readonly dueMs: number;
  readonly callback: () => void;
  entry: Timer | undefined;
}

/**
 * What one simulated host takes for the time. It can be frozen, as a machine that swaps or a process that was stopped, and it
 * can jump ahead, as a machine that was asleep.
 */
export class SimulatedHostClock implements Clock {
  readonly #clock: SimulatedClock;
  readonly #timers = new Set<HostTimer>();
  #aheadMs = 0;
  #frozenUntilMs = -Infinity;
  #held: ClockEvent[] = [];

  /**
   * Makes the clock of one host.
   *
   * @param clock The time of the world.
   */
  constructor(clock: SimulatedClock) {
    this.#clock = clock;
  }

  /** Virtual milliseconds, as this host counts them. */
  now(): number {
    return this.#clock.now() + this.#aheadMs;
  }

  /** Calls back once, after `delayMs` on this host's clock. */
  setTimer(delayMs: number, callback: () => void): Timer {
    const timer: HostTimer = { dueMs: this.now() + toSteps(delayMs), callback, entry: undefined };
    this.#timers.add(timer);
    this.#arm(timer);
    return {
      cancel: () => {
        if (this.#timers.delete(timer)) timer.entry?.cancel();
      },
    };
  }

  /** Calls back in a real microtask. */
  soon(callback: () => void): void {
    this.#clock.soon(callback);
  }

  /** Calls back in an event at the same virtual time. */
  yieldThen(callback: () => void): void {
    this.schedule(0, callback);
  }

  /** Makes an event of this host: it waits while the host is frozen. */
  schedule(delayMs: number, run: () => void): Timer {
    return this.#clock.schedule(delayMs, run, this);
  }

  /** Whether nothing happens here at the moment. */
  get frozen(): boolean {
    return this.#frozenUntilMs !== -Infinity;
  }

  /** Lets nothing happen here for `ms` of virtual time. What was due then happens late, in its order. */
  freeze(ms: number): void {
    const untilMs = this.#clock.now() + toSteps(ms);
    if (untilMs <= this.#frozenUntilMs) return;
    this.#frozenUntilMs = untilMs;
    this.#clock.schedule(ms, () => {
      if (this.#clock.now() >= this.#frozenUntilMs) this.thaw();
    });
  }

  /** Ends a freeze. */
  thaw(): void {
    this.#frozenUntilMs = -Infinity;
    const held = this.#held;
    this.#held = [];
    this.#clock.release(held);
  }

  /** Moves this host's clock ahead. Timers that this passes are due at once, in the order of their deadlines. */
  jump(ms: number): void {
    this.#aheadMs += toSteps(ms);
    const timers = [...this.#timers];
    // Array.prototype.sort is stable: timers due at one time stay in the order in which they were set.
    timers.sort((a, b) => a.dueMs < b.dueMs ? -1 : Number(a.dueMs > b.dueMs));
    for (const timer of timers) {
      timer.entry?.cancel();
      this.#arm(timer);
    }
  }

  /**
   * Asked by the clock when `event` is due: whether it waits here.
   *
   * @internal
   */
  holds(event: ClockEvent): boolean {
    if (!this.frozen) return false;
    this.#held.push(event);
    return true;
  }

  #arm(timer: HostTimer): void {
    timer.entry = this.#clock.setHostTimer(timer.dueMs - this.now(), () => {
      this.#timers.delete(timer);
      timer.callback();
    }, this);
  }
}
