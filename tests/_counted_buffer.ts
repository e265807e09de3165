/**
 * Buffers that know who holds them.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { ManagedBuffer } from "../src/protocol/managed_buffer.ts";
import { type TestContext, until } from "./_harness.ts";

/** A byte that differs from those near it, and from those that are as far away as one buffer is from the next. */
export function byteAt(position: number, seed = 0): number {
  return (position * 131 + (position >> 8) + (position >> 16) * 7 + seed) & 0xff;
}

/** The bytes that a test sends. */
export function content(length: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = byteAt(i, seed);
  return bytes;
}

/** How a {@linkcode CountedBuffer} behaves. */
export interface CountedBufferOptions {
  /** Whether its bytes are in memory; else they are read. */
  readonly inMemory?: boolean;
  /** Whether they stay there after the release. @default true */
  readonly keepsBytes?: boolean;
  /** At which position reading fails. */
  readonly failAt?: number;
  /** What each read waits for. */
  readonly gate?: Promise<void>;
}

/** A buffer that counts its holders and says when it was released too often. */
export class CountedBuffer implements ManagedBuffer {
  readonly size: number;
  readonly bytes: Uint8Array | undefined;
  readonly keepsBytes: boolean;
  holders = 1;
  /** How often the last holder gave it up. */
  frees = 0;
  readonly #content: Uint8Array;
  readonly #options: CountedBufferOptions;

  constructor(bytes: Uint8Array, options: CountedBufferOptions = {}) {
    this.size = bytes.length;
    this.bytes = options.inMemory === true ? bytes : undefined;
    this.keepsBytes = options.keepsBytes ?? true;
    this.#content = bytes;
    this.#options = options;
  }

  async read(position: number, into: Uint8Array): Promise<number> {
    assertEquals(this.holders > 0, true, "read after the release");
    await this.#options.gate;
    const { failAt = Infinity } = this.#options;
    if (position + into.length > failAt) throw new Error("disk is gone");
    const part = this.#content.subarray(position, position + into.length);
    into.set(part);
    return part.length;
  }

  retain(): this {
    this.holders++;
    return this;
  }

  release(): void {
    this.holders--;
    if (this.holders === 0) this.frees++;
  }
}

/** Makes buffers that must each have been released exactly once when the test is over. */
export function countedBuffers(context: TestContext): (bytes: Uint8Array, options?: CountedBufferOptions) => CountedBuffer {
  const made: CountedBuffer[] = [];
  context.defer(async () => {
    await until(() => made.every((buffer) => buffer.holders <= 0), "all buffers to be released");
    assertEquals(made.map(({ holders, frees }) => [holders, frees]), made.map(() => [0, 1]), "each is released exactly once");
  });
  return (bytes, options) => {
    const buffer = new CountedBuffer(bytes, options);
    made.push(buffer);
    return buffer;
  };
}
