/**
 * One listener per signal, however many asks share it: taking a listener off a signal is linear in how many it has.
 *
 * @module
 */

/** Something that a signal can end. */
export interface Abortable {
  /** Ends it with the signal's reason. */
  abort(reason: unknown): void;
}

interface Watched {
  readonly waiting: Set<Abortable>;
  readonly listener: () => void;
}

/** The signals that asks wait on. */
export class AbortListeners {
  readonly #signals = new Map<AbortSignal, Watched>();

  /** How many signals are listened to. */
  get size(): number {
    return this.#signals.size;
  }

  /** Aborts `waiting` when `signal` does. */
  add(signal: AbortSignal, waiting: Abortable): void {
    let watched = this.#signals.get(signal);
    if (watched === undefined) {
      const set = new Set<Abortable>();
      watched = { waiting: set, listener: () => this.#aborted(signal, set) };
      this.#signals.set(signal, watched);
      signal.addEventListener("abort", watched.listener, { once: true });
    }
    watched.waiting.add(waiting);
  }

  /** `waiting` has ended by itself. */
  remove(signal: AbortSignal, waiting: Abortable): void {
    const watched = this.#signals.get(signal);
    if (watched === undefined) return;
    watched.waiting.delete(waiting);
    if (watched.waiting.size > 0) return;
    this.#signals.delete(signal);
    signal.removeEventListener("abort", watched.listener);
  }

  #aborted(signal: AbortSignal, waiting: Set<Abortable>): void {
    this.#signals.delete(signal);
    for (const each of waiting) each.abort(signal.reason);
  }
}
