/**
 * Keeps whoever sends a Map or a Set from choosing keys that lie all in one place of its table, where to add one takes as long as there
 * are others: 10,000 of them, in 100 KB, would take V8 seconds.
 *
 * Spark: java.util.HashMap, which makes trees of its crowded places. An engine cannot be told to. V8 (Node 20, Deno 2.9.5) hashes
 * numbers and bigints, of which it looks at the lowest 64 bits, by functions that everybody knows; a text that could be an index is its
 * own hash on Deno 2.9.5 (no more on Node 20.20.2); other texts and objects it hashes in secret. On all runtimes its functions are what
 * counts, so that a message is read on each of them or on none.
 *
 * @module
 */

/** The most numbers in one place. Those that nobody has chosen are a few. */
export const MAX_COLLIDING_KEYS = 512;

/** The most texts in one place. They are not mixed, so that multiples of 1,000 lie in an eighth of all places. */
export const MAX_COLLIDING_TEXTS = 2048;
const TEXTS_PER_NUMBER = MAX_COLLIDING_TEXTS / MAX_COLLIDING_KEYS;

/** What V8 takes for an index, and some that are above the largest, `4294967294`. */
const INDEX = /^[1-9]\d{0,9}$/;
/** Before an index, where there are only indexes. */
const MARK = "#";
const DIGIT_NINE = 0x39;

/** The places are as many as the keys when they are made, and made anew when there are so many keys to a place. */
const KEYS_PER_PLACE = 4;

/** What is being filled: a Map or a Set. */
interface Keys {
  readonly size: number;
  keys(): Iterable<unknown>;
}

/** Who reads it. */
interface Reading {
  /** The error that says what is wrong with the content. */
  fail(message: string): Error;
}

const double = new DataView(new ArrayBuffer(8));

/** The keys of one Map or Set that is being read. */
export class KeyCollisions {
  readonly #keys: Keys;
  /** How many there were when it was last looked. */
  #size: number;
  /** How many texts are in each place, or numbers by their weight. */
  #places: Uint16Array | undefined;

  /** @param keys What will be filled. */
  constructor(keys: Keys) {
    this.#keys = keys;
    // So many may be anywhere.
    this.#size = MAX_COLLIDING_KEYS;
    this.#places = undefined;
  }

  /** Counts `key`, which has just been put there. Fails if too many others are where it is. */
  check(key: unknown, reading: Reading): void {
    if (!this.crowds(key)) return;
    const [most, kind] = typeof key === "string" ? [MAX_COLLIDING_TEXTS, "texts"] : [MAX_COLLIDING_KEYS, "numbers"];
    throw reading.fail(
      `More than ${most} of ${this.#size} ${kind} are in one place of a Map's or a Set's table: to find one takes too long`,
    );
  }

  /** Counts `key`, which has just been put there. Returns whether too many others are where it is. */
  crowds(key: unknown): boolean {
    const { size } = this.#keys;
    return size > this.#size && this.#added(key, size);
  }

  #added(key: unknown, size: number): boolean {
    this.#size = size;
    const places = this.#places;
    if (places !== undefined && size <= KEYS_PER_PLACE * places.length) return count(key, places);
    return this.#countAll(new Uint16Array(powerOfTwo(size)));
  }

  #countAll(places: Uint16Array): boolean {
    this.#places = places;
    let crowded = false;
    for (const key of this.#keys.keys()) crowded = count(key, places) || crowded;
    return crowded;
  }
}

/** A Map for what need not be remembered: when its keys crowd in one place, it forgets them and takes no more. */
export class UncrowdedMap<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #collisions = new KeyCollisions(this.#entries);
  #crowded = false;

  /** What was set for `key`. */
  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  /** Remembers `value`, if there is room where `key` belongs. */
  set(key: K, value: V): void {
    if (this.#crowded) return;
    this.#entries.set(key, value);
    if (!this.#collisions.crowds(key)) return;
    this.#crowded = true;
    this.#entries.clear();
  }
}

/** Texts that a peer chose, and something of each. Those that could be an index are in a table of their own, behind a mark. */
export class TextMap<V> {
  readonly #others = new Map<string, V>();
  readonly #indexes = new Map<string, V>();

  /** Those that could be no index. */
  get others(): ReadonlyMap<string, V> {
    return this.#others;
  }

  /** What was set for `text`. */
  get(text: string): V | undefined {
    // A longer text is not copied to find it: a peer may refer to it a hundred thousand times.
    return isIndex(text) ? this.#indexes.get(MARK + text) : this.#others.get(text);
  }

  /** Remembers `value`. */
  set(text: string, value: V): void {
    if (isIndex(text)) this.#indexes.set(MARK + text, value);
    else this.#others.set(text, value);
  }

  /** Forgets all of them. */
  clear(): void {
    this.#others.clear();
    this.#indexes.clear();
  }
}

function isIndex(text: string): boolean {
  return text.charCodeAt(0) <= DIGIT_NINE && INDEX.test(text);
}

/** Counts `key` in its place. Returns whether there are too many. */
function count(key: unknown, places: Uint16Array): boolean {
  const hash = hashOf(key);
  if (hash === undefined) return false;
  const place = hash & (places.length - 1);
  places[place]! += typeof key === "string" ? 1 : TEXTS_PER_NUMBER;
  return places[place]! > MAX_COLLIDING_TEXTS;
}

function powerOfTwo(atLeast: number): number {
  return 2 ** Math.ceil(Math.log2(atLeast));
}

/** V8's hash of a number, a bigint or a text that could be an index. */
function hashOf(key: unknown): number | undefined {
  if (typeof key === "number") {
    if ((key | 0) === key) return hash32(key);
    double.setFloat64(0, key);
  } else if (typeof key === "bigint") {
    double.setBigUint64(0, key < 0n ? -key : key);
  } else {
    return typeof key === "string" && INDEX.test(key) ? Number(key) : undefined;
  }
  return hash64(double.getInt32(0), double.getInt32(4));
}

/** A mixing of 32 bits by Thomas Wang; V8 takes the lowest 30 of what it gives. */
function hash32(key: number): number {
  let hash = ~key + (key << 15);
  hash ^= hash >>> 12;
  hash += hash << 2;
  hash ^= hash >>> 4;
  hash = Math.imul(hash, 2057);
  return hash ^ (hash >>> 16);
}

/** The same for 64 bits, of which the lowest 32 are returned. */
function hash64(keyHigh: number, keyLow: number): number {
  let [high, low] = add(~keyHigh, ~keyLow, (keyHigh << 18) | (keyLow >>> 14), keyLow << 18);
  low ^= (low >>> 31) | (high << 1);
  high ^= high >>> 31;
  const product = (low >>> 0) * 21;
  high = Math.imul(high, 21) + Math.floor(product / 2 ** 32);
  low = product | 0;
  low ^= (low >>> 11) | (high << 21);
  high ^= high >>> 11;
  [high, low] = add(high, low, (high << 6) | (low >>> 26), low << 6);
  return low ^ ((low >>> 22) | (high << 10));
}

function add(high: number, low: number, otherHigh: number, otherLow: number): [number, number] {
  const sum = (low >>> 0) + (otherLow >>> 0);
  return [(high + otherHigh + (sum >= 2 ** 32 ? 1 : 0)) | 0, sum | 0];
}
