/**
 * The body of a simulated stream: bytes that anybody can check, read in whatever way, and released as often as they are held.
 *
 * @module
 */

import type { Clock } from "../../src/base/clock.ts";
import { RpcError } from "../../src/base/errors.ts";
import type { ManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import { makePayload } from "./payload.ts";

/** How a body is read: from memory, in pieces at once, in pieces that take their time, or not to its end. */
export type ReadMode = "memory" | "pieces" | "slow" | "broken";

/** A buffer that counts who holds it. */
export class CountedBuffer implements ManagedBuffer {
  readonly size: number;
  readonly bytes?: Uint8Array;
  readonly keepsBytes = true;
  readonly #bytes: Uint8Array;
  readonly #mode: ReadMode;
  readonly #clock: Clock;
  #holders = 1;

  /** @param seed What the bytes are made from. @param clock What slow reads wait for. */
  constructor(seed: number, size: number, mode: ReadMode, clock: Clock) {
    this.size = size;
    this.#bytes = makePayload(seed, size).bytes;
    this.#mode = mode;
    this.#clock = clock;
    if (mode === "memory") this.bytes = this.#bytes;
  }

  /** How often it has been retained and not been released. */
  get holders(): number {
    return this.#holders;
  }

  read(position: number, into: Uint8Array): number | Promise<number> {
    // Anything from one byte to all that was asked for.
    const count = Math.min(into.length, this.size - position, 1 + (position * 7919) % 100_000);
    if (this.#mode === "broken" && position + count === this.size) {
      return Promise.reject(new RpcError("STREAM", "Broken on purpose"));
    }
    const copy = () => {
      into.set(this.#bytes.subarray(position, position + count));
      return count;
    };
    if (this.#mode !== "slow") return copy();
    return new Promise((resolve) => this.#clock.setTimer(position % 5, () => resolve(copy())));
  }

  retain(): this {
    this.#holders++;
    return this;
  }

  release(): void {
    this.#holders--;
  }
}
