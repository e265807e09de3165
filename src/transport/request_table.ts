/**
 * The requests of a connection that wait for their answers, by id.
 *
 * Spark: `outstandingRpcs` in common/network-common/…/client/TransportResponseHandler.java, a concurrent map with random ids.
 * Here ids count up and index a ring, which is four times faster; an id whose slot is still taken is skipped, so a request that
 * waits for long costs its slot and nothing else.
 *
 * @module
 */

import type { DeadlineSource } from "../base/deadlines.ts";
import type { RpcResponseCallback } from "./rpc_response_callback.ts";

const FIRST_SLOTS = 64;
/** An empty table keeps no more slots than this: what a burst needed is given back. */
const KEPT_SLOTS = 4_096;

/** Waiting requests, at most `limit` of them. */
export class RequestTable implements DeadlineSource {
  readonly limit: number;
  readonly #onThrown: (thrown: unknown) => void;
  #size = 0;
  #mask = FIRST_SLOTS - 1;
  #nextId = 1;
  #ids: number[] = new Array<number>(FIRST_SLOTS).fill(0);
  #callbacks: (RpcResponseCallback | undefined)[] = new Array<undefined>(FIRST_SLOTS).fill(undefined);

  /**
   * @param limit The most requests that wait at once: `maxOutstandingRequests`.
   * @param onThrown Hears what a callback throws when its time is up: that of the others is too.
   */
  constructor(limit: number, onThrown: (thrown: unknown) => void = raise) {
    this.limit = limit;
    this.#onThrown = onThrown;
  }

  /** How many requests wait. */
  get size(): number {
    return this.#size;
  }

  /** How many slots the ring has; for tests and statistics. */
  get slots(): number {
    return this.#mask + 1;
  }

  /** The id that was given out last. */
  get lastId(): number {
    return this.#nextId - 1;
  }

  /** Whether the request `id` waits. */
  has(id: number): boolean {
    const slot = id & this.#mask;
    return this.#ids[slot] === id && this.#callbacks[slot] !== undefined;
  }

  /** Whether one more request would pass the limit. */
  get full(): boolean {
    return this.#size >= this.limit;
  }

  /** Keeps `callback` until its id is taken; the table must not be full. */
  add(callback: RpcResponseCallback): number {
    if (this.#size > this.#mask >> 1) this.#resize(2 * this.slots);
    let id = this.#nextId;
    // At most half of the slots are taken, so a free one is near.
    while (this.#callbacks[id & this.#mask] !== undefined) id++;
    this.#nextId = id + 1;
    this.#ids[id & this.#mask] = id;
    this.#callbacks[id & this.#mask] = callback;
    this.#size++;
    return id;
  }

  /** Takes the request `id` out; undefined if nobody waits for it (any more). */
  take(id: number): RpcResponseCallback | undefined {
    const slot = id & this.#mask;
    if (this.#ids[slot] !== id) return undefined;
    const callback = this.#callbacks[slot];
    if (callback === undefined) return undefined;
    this.#callbacks[slot] = undefined;
    if (--this.#size === 0 && this.#mask >= KEPT_SLOTS) this.#resize(KEPT_SLOTS);
    return callback;
  }

  /** Takes all requests out, in no order. */
  drain(): RpcResponseCallback[] {
    const all: RpcResponseCallback[] = [];
    for (let slot = 0; slot <= this.#mask && this.#size > 0; slot++) {
      const callback = this.#callbacks[slot];
      if (callback === undefined) continue;
      this.#callbacks[slot] = undefined;
      this.#size--;
      all.push(callback);
    }
    if (this.#mask >= KEPT_SLOTS) this.#resize(KEPT_SLOTS);
    return all;
  }

  /** Takes out and times out all that was due by `now`; returns the earliest deadline left. */
  expire(now: number): number {
    let earliest = Infinity;
    if (this.#size === 0) return earliest;
    const late: RpcResponseCallback[] = [];
    for (let slot = 0; slot <= this.#mask; slot++) {
      const callback = this.#callbacks[slot];
      if (callback === undefined) continue;
      if (callback.deadline > now) {
        if (callback.deadline < earliest) earliest = callback.deadline;
        continue;
      }
      this.#callbacks[slot] = undefined;
      this.#size--;
      late.push(callback);
    }
    if (this.#size === 0 && this.#mask >= KEPT_SLOTS) this.#resize(KEPT_SLOTS);
    for (const callback of late) {
      try {
        callback.onTimeout();
      } catch (thrown) {
        this.#onThrown(thrown);
      }
    }
    return earliest;
  }

  /** Doubles the ring, or replaces it when it is empty. Ids keep their slot or move by the old size, so none can collide. */
  #resize(slots: number): void {
    const ids = this.#ids;
    const callbacks = this.#callbacks;
    this.#mask = slots - 1;
    this.#ids = new Array<number>(slots).fill(0);
    this.#callbacks = new Array<undefined>(slots).fill(undefined);
    for (let slot = 0, left = this.#size; left > 0; slot++) {
      const callback = callbacks[slot];
      if (callback === undefined) continue;
      left--;
      const id = ids[slot]!;
      this.#ids[id & this.#mask] = id;
      this.#callbacks[id & this.#mask] = callback;
    }
  }
}

function raise(thrown: unknown): never {
  throw thrown;
}
