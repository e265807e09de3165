/**
 * The blocks of bytes that collections write among their elements.
 *
 * Spark: java.io.DataOutput, as the writeObject methods of java.util use it.
 *
 * @module
 */

import { ByteReader } from "../../base/byte_reader.ts";
import { ByteSink } from "../../base/byte_sink.ts";
import { KeyCollisions } from "../key_collisions.ts";
import { type PathKey, shownValue } from "../serializer_errors.ts";
import type { JavaReading } from "./java_mapping.ts";
import { JavaBlockData } from "./java_object.ts";
import type { JavaFieldReading } from "./java_type.ts";
import { type PrimitiveLetter, readPrimitive, writePrimitive } from "./primitives.ts";

const scratch = new ByteSink(32);

/** The items of an annotation: a block, and what follows it. Without a spread, since that may be more than a call takes. */
export function withBlock(block: JavaBlockData, items: Iterable<unknown>): unknown[] {
  const all: unknown[] = [block];
  for (const item of items) all.push(item);
  return all;
}

/** The items of an annotation: a block, and keys and values that alternate. */
export function withEntries(block: JavaBlockData, map: ReadonlyMap<unknown, unknown>): unknown[] {
  const all: unknown[] = [block];
  map.forEach((value, key) => all.push(key, value));
  return all;
}

/** How a path names the item `at` of a collection's elements, or of a map's keys and values that alternate; blocks do not count. */
export function itemKey(at: number, before: unknown, value: unknown): PathKey {
  if (Array.isArray(value)) return at;
  if (value instanceof Set) return -1 - at;
  // A plain object's values have the names of its properties.
  return at % 2 === 1 && typeof before === "string" && !(value instanceof Map) ? before : -1 - (at >> 1);
}

/** A block that holds these values, one after the other, of the types that the letters name. */
export function blockOf(letters: string, ...values: readonly unknown[]): JavaBlockData {
  scratch.position = 0;
  for (let i = 0; i < letters.length; i++) writePrimitive(scratch, letters.charAt(i) as PrimitiveLetter, values[i]);
  return new JavaBlockData(scratch.copy());
}

/** The values in the block that `item` is; those, and no byte more. */
export function readBlock(item: unknown, letters: string, reading: JavaReading): unknown[] {
  if (!(item instanceof JavaBlockData)) throw reading.fail("Data of an object are missing");
  const reader = new ByteReader(item.bytes, () => reading.fail("Data of an object are cut short"));
  const values: unknown[] = [];
  for (let i = 0; i < letters.length; i++) values.push(readPrimitive(reader, letters.charAt(i) as PrimitiveLetter, "Data"));
  if (reader.remaining > 0) throw reading.fail("Data of an object go on after their end");
  return values;
}

/** Fails unless what follows the block is as many values as it should be, and none of them a block. */
export function checkItems(items: readonly unknown[], count: unknown, reading: JavaReading): void {
  if (items.length !== count) throw reading.fail(`Collection of ${shownValue(count)} has ${items.length} elements`);
  if (items.some((item) => item instanceof JavaBlockData)) throw reading.fail("Collection has bytes among its elements");
}

/** Fills an array, and returns it. Without a spread, since there may be more than a call takes. */
export function fillArray(array: unknown[], items: readonly unknown[]): unknown[] {
  for (const item of items) array.push(item);
  return array;
}

/** Fills a map with keys and values that alternate, and returns it; each key must be another one. */
export function fillMap(
  map: Map<unknown, unknown>,
  items: readonly unknown[],
  reading: JavaFieldReading,
): Map<unknown, unknown> {
  if (items.length % 2 !== 0) throw reading.fail("Map has a key without a value");
  const collisions = new KeyCollisions(map);
  for (let i = 0; i < items.length; i += 2) {
    map.set(items[i], items[i + 1]);
    collisions.check(items[i], reading);
  }
  // Two keys that differ in Java and not here would lose an entry without a word.
  if (map.size * 2 !== items.length) throw reading.fail("Map has the same key twice");
  return map;
}

/** Fills a set, and returns it; each element must be another one. */
export function fillSet(set: Set<unknown>, items: readonly unknown[], reading: JavaFieldReading): Set<unknown> {
  const collisions = new KeyCollisions(set);
  for (const item of items) {
    set.add(item);
    collisions.check(item, reading);
  }
  if (set.size !== items.length) throw reading.fail("Set has the same element twice");
  return set;
}
