/**
 * One large chunk on its way into memory: read straight into its place where the runtime can, else kept as the pieces that came.
 *
 * @module
 */

import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import type { StreamCallback } from "../protocol/stream_callback.ts";
import { ChunkManagedBuffer } from "./chunk_managed_buffer.ts";
import type { ChunkMemory } from "./chunk_memory.ts";
import { PiecesManagedBuffer } from "./pieces_managed_buffer.ts";

/** So much memory is made for a chunk because its sender says how long it is; beyond it, as much as has come once more. */
export const MAX_CLAIMED_BYTES: number = 16 * 1024 * 1024;
/** A connection reads so much at once: into 4 MiB Deno 2.9 reads at two thirds of the rate. */
const READ_BYTES = 256 * 1024;
/** So many pieces are kept however small they are. More only if they have `MIN_PIECE_BYTES` on average: each takes memory of its own. */
const MAX_SMALL_PIECES = 1_024;
const MIN_PIECE_BYTES = 4_096;

/** Takes a chunk's stream. */
export class ChunkCollector implements StreamCallback {
  readonly #byteCount: number;
  readonly #memory: ChunkMemory;
  readonly #onSuccess: (chunk: ManagedBuffer) => void;
  readonly #onFailure: (error: Error) => void;
  /** What came in memory of its own, from the beginning on, as long as nothing else has come. */
  #pieces: Uint8Array[] = [];
  /** Where the chunk is put together; undefined as long as it is in pieces. */
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;

  /**
   * @param byteCount How long it is.
   * @param memory Where memory comes from.
   * @param onSuccess Gets it, to be released once.
   * @param onFailure Hears that it does not come.
   */
  constructor(
    byteCount: number,
    memory: ChunkMemory,
    onSuccess: (chunk: ManagedBuffer) => void,
    onFailure: (error: Error) => void,
  ) {
    this.#byteCount = byteCount;
    this.#memory = memory;
    this.#onSuccess = onSuccess;
    this.#onFailure = onFailure;
  }

  allocate(): Uint8Array {
    return this.#reserve(1).subarray(this.#filled, this.#filled + READ_BYTES);
  }

  onData(_streamId: string, chunk: Uint8Array, owned: boolean): void {
    if (owned && this.#bytes === undefined && !this.#isInShreds()) {
      this.#pieces.push(chunk);
    } else {
      const bytes = this.#reserve(chunk.length);
      // What was read into the memory of `allocate` is in its place already.
      const isInPlace = chunk.buffer === bytes.buffer && chunk.byteOffset === bytes.byteOffset + this.#filled;
      if (!isInPlace) bytes.set(chunk, this.#filled);
    }
    this.#filled += chunk.length;
  }

  onComplete(): void {
    const memory = this.#memory;
    const bytes = this.#bytes;
    this.#onSuccess(bytes === undefined ? new PiecesManagedBuffer(this.#pieces) : new ChunkManagedBuffer(bytes, memory));
  }

  onFailure(_streamId: string, error: Error): void {
    this.#pieces = [];
    this.#bytes = undefined;
    this.#onFailure(error);
  }

  #isInShreds(): boolean {
    const { length } = this.#pieces;
    return length >= MAX_SMALL_PIECES && this.#filled < length * MIN_PIECE_BYTES;
  }

  /** Memory with room for so much more. */
  #reserve(count: number): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes;
    const needed = this.#filled + count;
    if (bytes !== undefined && needed <= bytes.length) return bytes;
    const wanted = bytes === undefined ? MAX_CLAIMED_BYTES : bytes.length * 2;
    const grown = this.#memory.take(Math.min(this.#byteCount, Math.max(needed, wanted)));
    let at = 0;
    for (const piece of bytes === undefined ? this.#pieces : [bytes.subarray(0, this.#filled)]) {
      grown.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [];
    this.#bytes = grown;
    return grown;
  }
}
