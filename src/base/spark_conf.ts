/**
 * Configuration: keys and values that are text, read as numbers, booleans, durations and sizes.
 *
 * Spark: core/…/SparkConf.scala. Nothing is taken from the environment, and there are no deprecated keys. A value that cannot be
 * read is a RangeError that names key, value and the forms that would do.
 *
 * @module
 */

import { parseBytes, parseTime } from "./spark_units.ts";

/** A value as it may be written; it is kept as text. */
export type SparkConfValue = string | number | boolean;

/** The keys and values that a {@linkcode SparkConf} begins with; another one is such, too. */
export type SparkConfInit = Readonly<Record<string, SparkConfValue>> | Iterable<readonly [string, SparkConfValue]>;

/**
 * A set of Spark's configuration keys.
 *
 * What is made of one reads its settings then: a later `set` changes nothing that runs. An environment has the very object as its `conf`.
 *
 * @example
 * ```ts
 * import { SparkConf } from "@sparkwire/sparkwire";
 *
 * const conf = new SparkConf({ "spark.network.timeout": "2min" });
 * const patient = conf.clone().set("spark.rpc.askTimeout", "1h");
 * if (patient.timeAsSeconds("spark.rpc.askTimeout") !== 3600) throw new Error("not an hour");
 * if (conf.contains("spark.rpc.askTimeout")) throw new Error("the first one changed");
 * ```
 */
export class SparkConf implements Iterable<[string, string]> {
  readonly #values: Map<string, string> = new Map();

  /**
   * A configuration of the given keys, and no others.
   *
   * @param init Keys and values to begin with: an object, entries, or another configuration.
   * @throws TypeError if a value is none or an object, which a type cast can hide.
   */
  constructor(init: SparkConfInit = {}) {
    const entries = isIterable(init) ? init : Object.entries(init);
    for (const [key, value] of entries) this.set(key, value);
  }

  /**
   * Sets `key`, in this object.
   *
   * @param key The key, such as `spark.network.timeout`.
   * @param value Its value.
   * @returns This object, for the next `set`.
   * @throws TypeError if the value is none or an object, which a type cast can hide.
   */
  set(key: string, value: SparkConfValue): this {
    if (value === undefined || value === null) throw new TypeError(`Configuration key ${key} is set to ${value}`);
    if (typeof value === "object") {
      throw new TypeError(
        `Configuration key ${key} is set to an object; expected a whole key, such as spark.rpc.askTimeout, and a text`,
      );
    }
    this.#values.set(key, String(value));
    return this;
  }

  /** A copy that can be changed alone. */
  clone(): SparkConf {
    return new SparkConf(this.#values);
  }

  /** Whether `key` is set. */
  contains(key: string): boolean {
    return this.#values.has(key);
  }

  /** The value of `key`, or undefined where it is not set. */
  getOption(key: string): string | undefined {
    return this.#values.get(key);
  }

  /**
   * The value of `key`.
   *
   * @param key The key.
   * @param defaultValue What it is where it is not set.
   * @throws RangeError if it is not set and has no default.
   */
  get(key: string, defaultValue?: string): string {
    const value = this.#values.get(key) ?? defaultValue;
    if (value === undefined) throw new RangeError(`Configuration key is not set: ${key}`);
    return value;
  }

  /** All keys and values, in the order in which the keys were first set. */
  getAll(): [string, string][] {
    return [...this.#values];
  }

  /** The same as {@linkcode SparkConf.getAll}, one after the other. */
  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.#values.entries();
  }

  /**
   * The value of `key` as a 32-bit integer.
   *
   * @param key The key.
   * @param defaultValue What it is where it is not set.
   * @throws RangeError if it is no such integer, or not set and without default.
   */
  getInt(key: string, defaultValue?: number): number {
    return this.#read(key, defaultValue, (text) => parseInteger(text, 32n));
  }

  /**
   * The value of `key` as a 64-bit integer; beyond ±(2⁵³-1) the nearest float.
   *
   * @param key The key.
   * @param defaultValue What it is where it is not set.
   * @throws RangeError if it is no such integer, or not set and without default.
   */
  getLong(key: string, defaultValue?: number): number {
    return this.#read(key, defaultValue, (text) => parseInteger(text, 64n));
  }

  /**
   * The value of `key` as a boolean: `true` or `false`, of any case.
   *
   * @param key The key.
   * @param defaultValue What it is where it is not set.
   * @throws RangeError if it is neither, or not set and without default.
   */
  getBoolean(key: string, defaultValue?: boolean): boolean {
    return this.#read(key, defaultValue, parseBoolean);
  }

  /**
   * The value of `key` as a duration in milliseconds, which is also the unit of a bare number. Spark: getTimeAsMs.
   *
   * @param key The key.
   * @param defaultValue What it is where it is not set, such as `120s`.
   * @throws RangeError if it is no duration, or not set and without default.
   */
  timeAsMs(key: string, defaultValue?: string): number {
    return this.#readText(key, defaultValue, (text) => parseTime(text, "ms"));
  }

  /**
   * The value of `key` as a duration in whole seconds, cut off, which is also the unit of a bare number. Spark: getTimeAsSeconds.
   *
   * @param key The key.
   * @param defaultValue What it is where it is not set, such as `120s`.
   * @throws RangeError if it is no duration, or not set and without default.
   */
  timeAsSeconds(key: string, defaultValue?: string): number {
    return this.#readText(key, defaultValue, (text) => parseTime(text, "s"));
  }

  /**
   * The value of `key` as a size in bytes, which is also the unit of a bare number. Spark: getSizeAsBytes.
   *
   * @param key The key.
   * @param defaultValue What it is where it is not set, such as `48m`.
   * @throws RangeError if it is no size, or not set and without default.
   */
  sizeAsBytes(key: string, defaultValue?: string): number {
    return this.#readText(key, defaultValue, (text) => parseBytes(text, "b"));
  }

  #read<T>(key: string, defaultValue: T | undefined, parse: (text: string) => T): T {
    const text = this.#values.get(key);
    if (text === undefined && defaultValue !== undefined) return defaultValue;
    return this.#readText(key, undefined, parse);
  }

  #readText<T>(key: string, defaultValue: string | undefined, parse: (text: string) => T): T {
    const text = this.get(key, defaultValue);
    try {
      return parse(text);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw illegalValue(key, text, cause.message, cause);
    }
  }
}

/**
 * The error of a value that a key cannot take. Spark: SparkConf.catchIllegalValue; the value at the end is ours.
 *
 * @param key The key.
 * @param value Its value.
 * @param reason What is wrong with it, or what it must be.
 * @param cause The error behind it, if there is one.
 */
export function illegalValue(key: string, value: string, reason: string, cause?: Error): RangeError {
  return new RangeError(`Illegal value for config key ${key}: ${reason} (value: "${value}")`, cause && { cause });
}

function isIterable(init: SparkConfInit): init is Iterable<readonly [string, SparkConfValue]> {
  return Symbol.iterator in init;
}

function parseInteger(text: string, bits: bigint): number {
  if (!/^[+-]?[0-9]+$/.test(text)) throw new RangeError("Value must be a whole number, e.g. 16");
  const value = BigInt(text);
  const limit = 1n << (bits - 1n);
  if (value >= limit || value < -limit) throw new RangeError(`Value must be a whole number of ${bits} bits, e.g. 16`);
  return Number(value);
}

function parseBoolean(text: string): boolean {
  const lower = text.toLowerCase();
  if (lower !== "true" && lower !== "false") throw new RangeError("Value must be true or false");
  return lower === "true";
}
