/**
 * What an object looks like to those who print it.
 *
 * @module
 */
import { inspect } from "node:util";

/** As consoles and structured logs show it, in full depth; what is met again is left out of the latter. */
export function printed(value: object): readonly string[] {
  const seen = new Set<unknown>();
  const once = (_key: string, part: unknown): unknown => {
    if (typeof part !== "object" || part === null) return typeof part === "bigint" ? String(part) : part;
    if (seen.has(part)) return undefined;
    seen.add(part);
    return part;
  };
  return [inspect(value, { depth: Infinity }), inspectByRuntime(value), JSON.stringify(value, once)];
}

/** Bun's console has a way of its own. */
function inspectByRuntime(value: object): string {
  const { Bun } = globalThis as { readonly Bun?: { inspect(value: object, options: { readonly depth: number }): string } };
  return Bun === undefined ? "" : Bun.inspect(value, { depth: 100 });
}
