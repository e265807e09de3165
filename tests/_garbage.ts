/**
 * Whether objects are still kept by anybody, and what those take that are.
 *
 * @module
 */

import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { runtimeName, until } from "./_harness.ts";

/** What collects all garbage. */
function collector(): () => void {
  if (runtimeName === "bun") {
    const { Bun } = globalThis as unknown as { readonly Bun: { gc(force: boolean): void } };
    return () => Bun.gc(true);
  }
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

/**
 * What tells how many bytes this isolate has in use, when all garbage has been collected. Resident memory would be the whole process's, in
 * which other tests may run at the same time.
 */
export function memoryMeter(): () => number {
  const collect = collector();
  return () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
}

/** Waits until no more than `left` of `objects` are there. */
export async function untilCollected(objects: readonly WeakRef<object>[], what: string, left = 0): Promise<void> {
  const collect = collector();
  const areFew = (): boolean => {
    collect();
    return objects.filter((each) => each.deref() !== undefined).length <= left;
  };
  await until(areFew, `${what} to be let go of`);
}
