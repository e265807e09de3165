/**
 * Keeps the books of a simulated run: every ask, every message, every payload, and what is wrong with them.
 *
 * Nothing of it is told by the code under test: promises, virtual time and the contents of messages are all it goes by.
 *
 * @module
 */

import { AssertionError } from "../../src/base/assert.ts";
import type { Clock } from "../../src/base/clock.ts";
import { RpcError, RpcTimeoutError } from "../../src/base/errors.ts";
import type { SimulatedClock } from "../../src/base/simulated_clock.ts";
import { LATE_MS, READING_TURNS } from "../../src/base/watch_timer.ts";
import { type Payload, payloadFault } from "./payload.ts";

/** How an ask ended. */
export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

/** What happened in a run, in numbers. */
export interface Tally {
  /** Asks and look-ups that were made. */
  asks: number;
  /** Those that were answered. */
  answers: number;
  /** Those that failed, by the code of the error. */
  readonly failures: Map<string, number>;
  /** One-way messages that were sent. */
  sends: number;
  /** One-way messages that arrived. */
  receipts: number;
  /** Asks that arrived at an endpoint. */
  questions: number;
}

/**
 * Deadlines are looked at a millisecond apart at least, and on whole milliseconds of delay: this much later an ask has settled
 * (`base/deadlines.ts`).
 */
export const LOOK_GAP_MS = 2;

/** A host that stood still first reads what came meanwhile (`base/watch_timer.ts`): only after this time and so many turns an ask is late. */
const AWAKE_MS = LATE_MS + 1;
const AWAKE_TURNS = READING_TURNS + 1;

/** How many payloads are kept, to be looked at again long after their message has been handled. */
const KEPT_PAYLOADS = 32;

/** The books of one run. */
export class Ledger {
  readonly tally: Tally = { asks: 0, answers: 0, failures: new Map(), sends: 0, receipts: 0, questions: 0 };
  readonly #clock: SimulatedClock;
  readonly #open = new Set<string>();
  readonly #kept: Payload[] = [];
  #nextId = 1;

  /** @param clock Its run fails when something is wrong. */
  constructor(clock: SimulatedClock) {
    this.#clock = clock;
  }

  /** Something is wrong: the run fails after this event, whoever catches what is thrown. */
  readonly fail = (text: string): void => {
    this.#clock.fail(new AssertionError(text));
  };

  /** A number that nothing else has. */
  nextId(): number {
    return this.#nextId++;
  }

  /** What has been asked and has not settled. */
  get unsettled(): readonly string[] {
    return [...this.#open];
  }

  /**
   * Enters an ask into the books: it must settle, and no later than its deadline on the asker's own clock.
   *
   * @param clock The asker's.
   * @param what For people.
   * @param timeoutMs The ask's.
   * @param promise What the ask gave.
   * @returns How it ended; never rejects.
   */
  settled<T>(clock: Clock, what: string, timeoutMs: number, promise: Promise<T>): Promise<Outcome<T>> {
    const name = `${what} (${this.nextId()})`;
    const madeAt = clock.now();
    this.tally.asks++;
    this.#open.add(name);
    const fail = (turns: number): void => {
      if (!this.#open.has(name)) return;
      if (turns === 0) this.fail(`${name} did not settle within ${timeoutMs} ms`);
      else clock.yieldThen(() => fail(turns - 1));
    };
    let late = clock.setTimer(timeoutMs + LOOK_GAP_MS, () => {
      late = clock.setTimer(AWAKE_MS, () => fail(AWAKE_TURNS));
    });
    const close = () => {
      late.cancel();
      this.#open.delete(name);
    };
    return promise.then((value): Outcome<T> => {
      close();
      this.tally.answers++;
      return { ok: true, value };
    }, (error: unknown): Outcome<T> => {
      close();
      const code = codeOf(error);
      this.tally.failures.set(code, (this.tally.failures.get(code) ?? 0) + 1);
      const afterMs = clock.now() - madeAt;
      if (error instanceof RpcTimeoutError && afterMs < timeoutMs) this.fail(`${name} timed out after ${afterMs} ms already`);
      return { ok: false, error };
    });
  }

  /** Looks at a payload now, and once more when others have come. */
  check(what: string, payload: unknown, size: number): void {
    const fault = payloadFault(payload, size);
    if (fault !== undefined) {
      this.fail(`Payload of ${what}: ${fault}`);
      return;
    }
    this.#kept.push(payload as Payload);
    if (this.#kept.length > KEPT_PAYLOADS) this.#checkAgain(this.#kept.shift()!);
  }

  /** The run is over: nothing may be open, and the last payloads are looked at again. */
  close(): void {
    for (const payload of this.#kept.splice(0)) this.#checkAgain(payload);
    for (const name of this.#open) this.fail(`${name} never settled`);
  }

  #checkAgain(payload: Payload): void {
    const fault = payloadFault(payload, payload.bytes.length);
    if (fault !== undefined) this.fail(`Payload changed after its message had been handled: ${fault}`);
  }
}

/** The code of an error, or its class if it is none of this project's. */
export function codeOf(error: unknown): string {
  if (RpcError.is(error)) return error.code;
  return error instanceof Error ? error.name : typeof error;
}
