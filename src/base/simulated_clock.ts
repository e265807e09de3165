/**
 * Virtual time: a clock whose events happen one by one, in an order that is the same on every runtime.
 *
 * Each event runs, then one turn of the real event loop drains its microtasks, then the next one runs. Virtual time passes only
 * from one event to the next, so hours cost nothing, and a run that fails can be repeated exactly.
 *
 * @module
 */

import { type ClockEvent, EventHeap, type EventHost } from "./_event_heap.ts";
import { AssertionError } from "./assert.ts";
import { type Clock, systemClock, type Timer } from "./clock.ts";

/** How far {@linkcode SimulatedClock.run} may go. */
export interface SimulatedRunOptions {
  /**
   * The run fails when it has taken this many events.
   *
   * @default 1000000
   */
  readonly maxEvents?: number;
  /**
   * The run fails when this much virtual time has passed.
   *
   * @default Infinity
   */
  readonly maxMs?: number;
}

/** A run fails after this many events, unless its options say otherwise. */
const DEFAULT_MAX_EVENTS = 1_000_000;

/** Virtual time moves in steps of this part of a millisecond: sums of such numbers are exact, so no timer is a hair early. */
const STEPS_PER_MS = 1024;

/** Rounds a delay up to a step of virtual time. Negative ones and NaN are none. */
export function toSteps(delayMs: number): number {
  return delayMs > 0 ? Math.ceil(delayMs * STEPS_PER_MS) / STEPS_PER_MS : 0;
}

/** Somebody waits for a condition. */
interface Run {
  readonly until: (() => boolean) | undefined;
  /** How many events may have happened when it ends. */
  readonly lastEvent: number;
  readonly endMs: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A clock whose time is virtual.
 *
 * Nothing happens by itself: events wait until {@linkcode SimulatedClock.run} or one of its relatives is called. An error that
 * an event, a timer or a microtask of {@linkcode SimulatedClock.soon} throws fails the run.
 *
 * @example
 * ```ts
 * import { SimulatedClock } from "@sparkwire/sparkwire";
 *
 * const clock = new SimulatedClock();
 * let rang = 0;
 * clock.setTimer(3_600_000, () => rang++);
 * await clock.advance(3_600_000);
 * if (rang !== 1 || clock.now() !== 3_600_000) throw new Error("An hour has not passed");
 * ```
 */
export class SimulatedClock implements Clock {
  readonly #events = new EventHeap();
  readonly #drainedHooks: (() => void)[] = [];
  readonly #failures: unknown[] = [];
  #nowMs: number;
  #sequence = 0;
  #eventCount = 0;
  #timerCount = 0;
  #runs: Run[] = [];
  #turnComes = false;

  /**
   * Makes a clock without events.
   *
   * @param startMs What it shows at first, in milliseconds.
   */
  constructor(startMs = 0) {
    this.#nowMs = toSteps(startMs);
  }

  /** Virtual milliseconds. */
  now(): number {
    return this.#nowMs;
  }

  /** How many events have happened so far. */
  get eventCount(): number {
    return this.#eventCount;
  }

  /** How many timers are set, those of all hosts included: none is left behind by code that cleans up. */
  get timerCount(): number {
    return this.#timerCount;
  }

  /** Calls back once, after `delayMs` of virtual time. Timers due at one time fire in the order in which they were set. */
  setTimer(delayMs: number, callback: () => void): Timer {
    return this.setHostTimer(delayMs, callback, undefined);
  }

  /** Calls back in a real microtask: those are in the same order on every runtime, together with those of promises. */
  soon(callback: () => void): void {
    systemClock.soon(() => {
      try {
        callback();
      } catch (error) {
        this.fail(error);
      }
    });
  }

  /** Calls back in an event at the same virtual time. */
  yieldThen(callback: () => void): void {
    this.schedule(0, callback);
  }

  /**
   * Makes an event.
   *
   * @param delayMs How much virtual time passes before it; at Infinity it never happens.
   * @param run What happens.
   * @param host On which host: while that is frozen, its events wait.
   * @returns What calls it off.
   * @internal
   */
  schedule(delayMs: number, run: () => void, host?: EventHost): Timer {
    const timeMs = this.#nowMs + toSteps(delayMs);
    const event: ClockEvent = { timeMs, sequence: this.#sequence++, run, host, cancelled: false, index: -1 };
    if (timeMs !== Infinity) this.#events.push(event);
    return {
      cancel: () => {
        event.cancelled = true;
        if (event.index >= 0) this.#events.remove(event);
      },
    };
  }

  /**
   * The same as {@linkcode SimulatedClock.setTimer}, for a host.
   *
   * @internal
   */
  setHostTimer(delayMs: number, callback: () => void, host: EventHost | undefined): Timer {
    let pending = true;
    this.#timerCount++;
    const settle = () => {
      pending = false;
      this.#timerCount--;
    };
    const event = this.schedule(delayMs, () => {
      settle();
      callback();
    }, host);
    return {
      cancel: () => {
        if (!pending) return;
        settle();
        event.cancel();
      },
    };
  }

  /**
   * Puts events back that a frozen host held. They keep their old places in the order.
   *
   * @internal
   */
  release(events: readonly ClockEvent[]): void {
    for (const event of events) if (!event.cancelled) this.#events.push(event);
  }

  /** Calls `hook` after each event, when its microtasks have drained and before anything else happens. */
  onDrained(hook: () => void): void {
    this.#drainedHooks.push(hook);
  }

  /** Fails the run that is under way, or the next one. */
  fail(error: unknown): void {
    this.#failures.push(error);
  }

  /**
   * Runs events until a condition holds, or until none is left if there is no condition. Several runs at once share the events.
   *
   * @param until Looked at before the first event and after each one, when its microtasks have drained.
   * @param options How far the run may go.
   * @returns Settles in a later turn of the event loop. Rejects with what an event threw, and with an AssertionError when a
   * limit is passed or when no event is left and the condition does not hold.
   */
  run(until?: () => boolean, options: SimulatedRunOptions = {}): Promise<void> {
    const { maxEvents = DEFAULT_MAX_EVENTS, maxMs = Infinity } = options;
    return new Promise((resolve, reject) => {
      this.#runs.push({ until, lastEvent: this.#eventCount + maxEvents, endMs: this.#nowMs + maxMs, resolve, reject });
      this.#turnLater();
    });
  }

  /**
   * Runs events until `promise` has settled.
   *
   * @param promise What is waited for.
   * @param options How far the run may go.
   * @returns What `promise` gave. Rejects as it did, and as {@linkcode SimulatedClock.run} does.
   */
  async settle<T>(promise: PromiseLike<T>, options?: SimulatedRunOptions): Promise<T> {
    let settled = false;
    const mark = () => {
      settled = true;
    };
    promise.then(mark, mark);
    await this.run(() => settled, options);
    return await promise;
  }

  /** Runs the events of the next `ms` milliseconds, so that `now()` is that much later. */
  advance(ms: number, options?: SimulatedRunOptions): Promise<void> {
    let over = false;
    const end = this.schedule(ms, () => {
      over = true;
    });
    return this.run(() => over, options).catch((error: unknown) => {
      end.cancel();
      throw error;
    });
  }

  #turnLater(): void {
    if (this.#turnComes) return;
    this.#turnComes = true;
    systemClock.yieldThen(this.#turn);
  }

  /** One turn of the event loop: ends what is over, then lets the next event happen. Its microtasks drain after this returns. */
  readonly #turn = () => {
    this.#turnComes = false;
    try {
      for (const hook of this.#drainedHooks) hook();
      if (this.#failures.length > 0) throw this.#failures.splice(0)[0];
      // Whoever waited goes on before the next event, even if others wait still.
      if (!this.#endRuns(({ until }) => until !== undefined && until())) this.#happen();
    } catch (error) {
      for (const run of this.#runs.splice(0)) run.reject(error);
    }
    if (this.#runs.length > 0) this.#turnLater();
  };

  #happen(): void {
    const event = this.#nextEvent();
    if (event === undefined) {
      this.#endRuns((run) => this.#isOutOfEvents(run));
      return;
    }
    if (this.#endRuns((run) => this.#isPastLimit(run, event))) {
      this.#events.push(event);
      return;
    }
    this.#eventCount++;
    // An event that a frozen host held back is late: time does not go back to it.
    this.#nowMs = Math.max(this.#nowMs, event.timeMs);
    event.run();
  }

  /** Ends the runs that `isOver` is true of, and those for which it throws. Whether there were any. */
  #endRuns(isOver: (run: Run) => boolean): boolean {
    const count = this.#runs.length;
    this.#runs = this.#runs.filter((run) => {
      try {
        if (!isOver(run)) return true;
        run.resolve();
      } catch (error) {
        run.reject(error);
      }
      return false;
    });
    return this.#runs.length < count;
  }

  #isOutOfEvents({ until }: Run): boolean {
    if (until === undefined) return true;
    throw new AssertionError(`Simulation is stuck at ${this.#nowMs} ms: no event is left and the condition does not hold`);
  }

  #isPastLimit({ lastEvent, endMs }: Run, next: ClockEvent): boolean {
    if (this.#eventCount < lastEvent && next.timeMs <= endMs) return false;
    const limit = next.timeMs > endMs ? `until ${endMs} ms` : `${this.#eventCount} events long`;
    throw new AssertionError(`Simulation went on ${limit}, its limit, at ${this.#nowMs} ms`);
  }

  #nextEvent(): ClockEvent | undefined {
    for (let event = this.#events.pop(); event !== undefined; event = this.#events.pop()) {
      if (!event.host?.holds(event)) return event;
    }
    return undefined;
  }
}
