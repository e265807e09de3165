/**
 * A bounded first-in-first-out queue in an array that is used as a ring.
 *
 * @module
 */

/** Slots of the first array. */
const FIRST_CAPACITY = 16;

/** An empty queue keeps no more slots than this: what a burst needed is given back. */
const KEPT_CAPACITY = 1024;

/**
 * A queue of at most `limit` items.
 *
 * The array doubles as it fills and goes back to a small one when it has been drained; while the number of waiting items stays
 * below 1,024, or never comes down to none, nothing is allocated. Not to be changed while it is iterated.
 */
export class RingQueue<T> {
  /** How many items it holds at most. */
  readonly limit: number;
  #slots: (T | undefined)[] = new Array(FIRST_CAPACITY).fill(undefined);
  /** Where the oldest item is. */
  #head = 0;
  #length = 0;

  /**
   * An empty queue.
   *
   * @param limit How many items it holds at most.
   * @throws RangeError if the limit is no positive integer.
   */
  constructor(limit: number) {
    if (!Number.isSafeInteger(limit) || limit < 1) {
      throw new RangeError(`Limit of a queue must be a positive integer: ${limit}`);
    }
    this.limit = limit;
  }

  /** How many items wait. */
  get length(): number {
    return this.#length;
  }

  /** How many items fit before memory is allocated. */
  get capacity(): number {
    return this.#slots.length;
  }

  /** Appends `item`. Returns false, and does nothing, where the queue holds `limit` items. */
  push(item: T): boolean {
    const length = this.#length;
    if (length >= this.limit) return false;
    if (length === this.#slots.length) this.#grow();
    const slots = this.#slots;
    slots[(this.#head + length) & (slots.length - 1)] = item;
    this.#length = length + 1;
    return true;
  }

  /** Takes the oldest item; undefined where there is none. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const slots = this.#slots;
    const head = this.#head;
    const item = slots[head];
    slots[head] = undefined;
    this.#head = (head + 1) & (slots.length - 1);
    if (--this.#length === 0 && slots.length > KEPT_CAPACITY) this.#release();
    return item;
  }

  /** The oldest item, which stays; undefined where there is none. */
  peek(): T | undefined {
    return this.#slots[this.#head];
  }

  /** Puts `item` in the place of the oldest one; nothing happens where there is none. */
  replaceFirst(item: T): void {
    if (this.#length > 0) this.#slots[this.#head] = item;
  }

  /** The item that `index` others are older than; undefined where there is none. */
  at(index: number): T | undefined {
    return index >= 0 && index < this.#length ? this.#slots[(this.#head + index) & (this.#slots.length - 1)] : undefined;
  }

  /**
   * Takes all items at once, and hands each to `drop`, the oldest one first. The queue is empty before the first of these calls, so
   * `drop` may push again.
   *
   * @param drop What to do with each. If it throws, the others are still handed over, and the first error is thrown at the end.
   */
  clear(drop?: (item: T) => void): void {
    const slots = this.#slots;
    const head = this.#head;
    const length = this.#length;
    if (length === 0) return;
    this.#slots = new Array(FIRST_CAPACITY).fill(undefined);
    this.#head = 0;
    this.#length = 0;
    if (drop === undefined) return;
    const errors: unknown[] = [];
    for (let i = 0; i < length; i++) {
      try {
        drop(slots[(head + i) & (slots.length - 1)]!);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  /** The items, the oldest one first; they stay. */
  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (let i = 0; i < this.#length; i++) yield this.at(i)!;
  }

  #grow(): void {
    const old = this.#slots;
    const grown: (T | undefined)[] = new Array(old.length * 2).fill(undefined);
    for (let i = 0; i < old.length; i++) grown[i] = old[(this.#head + i) & (old.length - 1)];
    this.#slots = grown;
    this.#head = 0;
  }

  #release(): void {
    this.#slots = new Array(KEPT_CAPACITY).fill(undefined);
    this.#head = 0;
  }
}
