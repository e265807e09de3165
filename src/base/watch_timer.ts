/**
 * A timer for whoever gives up waiting: one that fires late first lets the process read what has come meanwhile.
 *
 * Spark has threads of their own for its timers and its sockets. Here both wait for the one thread, and when it has been busy with a
 * handler, or the machine has slept, timers come first: an answer that has long arrived would be taken for none.
 *
 * @module
 */

import type { Clock, Timer } from "./clock.ts";

/** From so many milliseconds on a timer is late; as long at least is then left for reading. */
export const LATE_MS = 20;
/** As many turns of the event loop are left for it too: what one read brings may take longer to handle than that. */
export const READING_TURNS = 64;
/** After so many milliseconds it is enough: a process that is always busy gives up, too. */
const MAX_READING_MS = 1_000;

/**
 * Calls back once after its delay; if it finds itself late, {@linkcode LATE_MS} and {@linkcode READING_TURNS} later still, but not a
 * second time.
 */
export class WatchTimer implements Timer {
  readonly #clock: Clock;
  readonly #callback: () => void;
  readonly #dueAt: number;
  #timer: Timer;
  #isCancelled = false;

  /** @param delayMs In milliseconds. */
  constructor(clock: Clock, delayMs: number, callback: () => void) {
    this.#clock = clock;
    this.#callback = callback;
    this.#dueAt = clock.now() + delayMs;
    this.#timer = clock.setTimer(delayMs, () => this.#fire());
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#timer.cancel();
  }

  #fire(): void {
    const now = this.#clock.now();
    if (now - this.#dueAt < LATE_MS) this.#callback();
    else this.#timer = this.#clock.setTimer(LATE_MS, () => this.#read(READING_TURNS, now + MAX_READING_MS));
  }

  #read(turns: number, until: number): void {
    if (this.#isCancelled) return;
    if (turns === 0 || this.#clock.now() >= until) this.#callback();
    else this.#clock.yieldThen(() => this.#read(turns - 1, until));
  }
}
