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

/** What a codec has to know to read and write all of `described`. */
export function registrationsOf(described: readonly object[]): readonly JavaRegistryInit[] {
  const seen = new Set<Described>();
  for (const one of described) collect(one, seen);
  return [...seen].flatMap((one) => registrations.get(one) ?? []);
}

function collect(described: Described, seen: Set<Described>): void {
  if (seen.has(described)) return;
  seen.add(described);
  for (const one of described.needs ?? []) collect(one, seen);
}
