/**
 * Time and turns of the event loop: the only place where the core waits, so that a simulation can take it over.
 *
 * @module
 */

/** A timer that was set. */
export interface Timer {
  /** Forgets the timer; nothing happens if it has fired already. */
  cancel(): void;
}

/** What the core knows of time. */
export interface Clock {
  /** Milliseconds since some fixed moment, never going back, with a fraction. */
  now(): number;
  /** Calls back once after `delayMs` (at least one turn of the event loop later, and later than 2³¹-1 ms if asked to). */
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Calls back in a microtask: before the event loop goes on. */
  soon(callback: () => void): void;
  /** Calls back in a macrotask: after the event loop has seen to its sockets. */
  yieldThen(callback: () => void): void;
}

/** The longest delay that `setTimeout` takes; a longer one fires at once on every runtime. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

class SystemTimer implements Timer {
  #handle: ReturnType<typeof setTimeout> | undefined;
  readonly #callback: () => void;

  constructor(delayMs: number, callback: () => void) {
    this.#callback = callback;
    this.#wait(Math.max(0, delayMs));
  }

  #wait(leftMs: number): void {
    const stepMs = Math.min(leftMs, MAX_TIMEOUT_MS);
    this.#handle = setTimeout(() => {
      this.#handle = undefined;
      if (leftMs > stepMs) this.#wait(leftMs - stepMs);
      else this.#callback();
    }, stepMs);
  }

  cancel(): void {
    if (this.#handle === undefined) return;
    clearTimeout(this.#handle);
    this.#handle = undefined;
  }
}

/** Deno, Bun and Node have it as a global; the standard library's types do not. */
declare const setImmediate: (callback: () => void) => unknown;

/** Taken once: on Node 20 the global is a getter, which takes longer than to read the clock. */
const machineTime = performance;

/** Its reactions are microtasks. Node's queueMicrotask makes an AsyncResource each time, which is felt (Node 20, 24). */
const resolved = Promise.resolve();

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => machineTime.now(),
  setTimer: (delayMs, callback) => new SystemTimer(delayMs, callback),
  soon: (callback) => {
    resolved.then(callback);
  },
  yieldThen: (callback) => {
    setImmediate(callback);
  },
};
