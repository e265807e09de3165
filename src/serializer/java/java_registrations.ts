/**
 * What a codec is told along with a type, a class or an object that it is given: the classes that it is made of.
 *
 * @module
 */

import type { JavaRegistryInit } from "./java_mapping.ts";

/** What may bring others along. */
interface Described {
  /** What it is made of. */
  readonly needs?: readonly object[];
}

const registrations = new WeakMap<object, JavaRegistryInit>();

/** Notes what a codec has to know to read and write `described`. */
export function setRegistration<T extends object>(described: T, registration: JavaRegistryInit): T {
  registrations.set(described, registration);
  return described;
}

/**
 * What a codec has to know to read and write all of `described`.
 *
 * @throws {TypeError} If there is something among it of which nothing is known: a class of somebody's own, or one that another copy
 * of this module made. Without a word the codec would say at each of its objects that it was not told of the class.
 */
export function registrationsOf(described: readonly object[]): readonly JavaRegistryInit[] {
  const seen = new Set<Described>();
  for (const one of described) {
    if (!registrations.has(one) && !isPlainType(one)) {
      throw new TypeError(`Not made by defineJavaClass or defineScalaObject: ${nameOf(one)}`);
    }
    collect(one, seen);
  }
  return [...seen].flatMap((one) => registrations.get(one) ?? []);
}

function collect(described: Described, seen: Set<Described>): void {
  if (seen.has(described)) return;
  seen.add(described);
  for (const one of described.needs ?? []) collect(one, seen);
}

/** Whether it is a type of which there is nothing to know but what it is made of: a list, say. A class is none. */
function isPlainType(described: object): boolean {
  return typeof described === "object" && described !== null && "signature" in described;
}

function nameOf(described: object): string {
  return typeof described === "function" ? `class ${described.name}` : String(described);
}
