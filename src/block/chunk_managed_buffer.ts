/**
 * A chunk that lies whole in the memory of its fetch, which goes back with the last release.
 *
 * Spark: common/network-common/…/buffer/NettyManagedBuffer.java.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import type { ChunkMemory } from "./chunk_memory.ts";

/** A block in memory that is used again. */
export class ChunkManagedBuffer implements ManagedBuffer {
  /** How many bytes there are. */
  readonly size: number;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #memory: ChunkMemory;
  #holders = 1;

  /** @param bytes The block, at the beginning of its memory. @param memory Where that goes. */
  constructor(bytes: Uint8Array<ArrayBuffer>, memory: ChunkMemory) {
    this.size = bytes.length;
    this.#bytes = bytes;
    this.#memory = memory;
  }

  /** All of them; who goes on using them after the last release finds none. */
  get bytes(): Uint8Array {
    assert(this.#holders > 0, "A block was read after its release: retain() keeps it");
    return this.#bytes;
  }

  /** Copies bytes from `position` on, as many as `into` holds. */
  read(position: number, into: Uint8Array): number {
    const part = this.bytes.subarray(position, position + into.length);
    into.set(part);
    return part.length;
  }

  /** Keeps it once more. */
  retain(): this {
    assert(this.#holders > 0, "A block was retained after its release");
    this.#holders++;
    return this;
  }

  /** Gives it up once. */
  release(): void {
    assert(this.#holders > 0, "A block was released twice");
    if (--this.#holders === 0) this.#memory.giveBack(this.#bytes);
  }
}
