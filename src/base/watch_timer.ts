/**
 * A timer for whoever gives up waiting: one that fires late first lets the process read what has come meanwhile.
 *
 * Spark has threads of their own for its timers and its sockets. Here both wait for the one thread, and when it has been busy with a
 * handler, or the machine has slept, timers come first: an answer that has long arrived would be taken for none.
 *
 * @module
 */

import type { Clock, Timer } from "./clock.ts";

/** From so many milliseconds on a timer is late; as long is then left for reading. */
export const LATE_MS = 20;

/** Calls back once after its delay; if it finds itself late, {@linkcode LATE_MS} later still, but not a second time. */
export class WatchTimer implements Timer {
  readonly #clock: Clock;
  readonly #callback: () => void;
  readonly #dueAt: number;
  #timer: Timer;

  /** @param delayMs In milliseconds. */
  constructor(clock: Clock, delayMs: number, callback: () => void) {
    this.#clock = clock;
    this.#callback = callback;
    this.#dueAt = clock.now() + delayMs;
    this.#timer = clock.setTimer(delayMs, () => this.#fire());
  }

  cancel(): void {
    this.#timer.cancel();
  }

  #fire(): void {
    if (this.#clock.now() - this.#dueAt < LATE_MS) this.#callback();
    else this.#timer = this.#clock.setTimer(LATE_MS, this.#callback);
  }
}
