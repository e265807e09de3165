/**
 * One way to write a test for three runtimes: `test(name, body)` is Deno.test, bun:test or node:test.
 *
 * @module
 */

import { AssertionError } from "@std/assert";
import { Buffer } from "node:buffer";

/** What a test may use. */
export interface TestContext {
  /** Runs `cleanup` when the test is over, the last one first, also after a failure. */
  defer(cleanup: () => unknown): void;
}

/** A test's body. */
export type TestBody = (context: TestContext) => void | Promise<void>;

/** Options of {@linkcode test}. */
export interface TestOptions {
  /** Why the test cannot run here, if so; it then counts as skipped and says this. */
  readonly skip?: string | undefined;
}

type Register = (name: string, body: () => Promise<void>, skip: boolean) => void;

/** The same in bun:test and node:test, but that the third argument is a number of milliseconds in one of them only. */
interface TestFunction {
  (name: string, body: () => Promise<void>, timeoutMs?: number): void;
  skip(name: string, body: () => Promise<void>): void;
}

interface DenoTest {
  (definition: { name: string; fn: () => Promise<void>; ignore: boolean }): void;
}

async function findRegister(): Promise<Register> {
  const runtime = globalThis as { Deno?: { test: DenoTest }; Bun?: unknown };
  if (runtime.Deno !== undefined) {
    const { test } = runtime.Deno;
    return (name, fn, ignore) => test({ name, fn, ignore });
  }
  const isBun = runtime.Bun !== undefined;
  const { test } = await import(isBun ? "bun:test" : "node:test") as { test: TestFunction };
  return (name, body, skip) => {
    if (skip) test.skip(name, body);
    // bun:test ends a test after 5 s unless told otherwise; a busy machine needs more.
    else if (isBun) test(name, body, 240_000);
    else test(name, body);
  };
}

const register = await findRegister();

/** Which runtime this is. */
export const runtimeName: "deno" | "bun" | "node" = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";

/** Registers a test. */
export function test(name: string, body: TestBody, { skip }: TestOptions = {}): void {
  register(skip === undefined ? name : `${name} (skipped: ${skip})`, async () => {
    const cleanups: (() => unknown)[] = [];
    try {
      await body({ defer: (cleanup) => cleanups.push(cleanup) });
    } finally {
      for (const cleanup of cleanups.reverse()) await cleanup();
    }
  }, skip !== undefined);
}

/** Long enough for a machine that does much else; a test that passes never waits for it. */
const DEADLINE_MS = 30_000;

/** Fails unless `promise` settles within `deadlineMs`; says what was waited for. */
export async function within<T>(promise: Promise<T>, what: string, deadlineMs = DEADLINE_MS): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await Promise.race([
      promise,
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new AssertionError(`Deadline of ${deadlineMs} ms passed: ${what}`)), deadlineMs);
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until `condition` holds, looking again each turn of the event loop, up to `deadlineMs`. */
export async function until(condition: () => boolean, what: string, deadlineMs = DEADLINE_MS): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > end) throw new AssertionError(`Deadline of ${deadlineMs} ms passed: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Waits until `position`, once it is above 0, stays the same for ten turns. */
export async function untilStill(position: () => number, what: string): Promise<void> {
  let before = -1;
  let stillTurns = 0;
  await until(() => {
    stillTurns = position() === before ? stillTurns + 1 : 0;
    before = position();
    return before > 0 && stillTurns >= 10;
  }, what);
}

/** A promise that is settled from outside. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

/** Makes a promise that is settled from outside; Node 20 has no Promise.withResolvers. */
export function deferred<T = void>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** The bytes of a hexadecimal text. */
export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

/** The hexadecimal text of bytes. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** One after the other. */
export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks));
}
