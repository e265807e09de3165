/**
 * One large chunk on its way into memory: read straight into its place, where the runtime can.
 *
 * @module
 */

import type { StreamCallback } from "../protocol/stream_callback.ts";

/** So much memory is made for a chunk because its sender says how long it is; beyond it, as much as has come once more. */
export const MAX_CLAIMED_BYTES: number = 16 * 1024 * 1024;
/** A connection reads so much at once: into 4 MiB Deno 2.9 reads at two thirds of the rate. */
const READ_BYTES = 256 * 1024;

/** Takes a chunk's stream. */
export class ChunkCollector implements StreamCallback {
  readonly #byteCount: number;
  readonly #onSuccess: (bytes: Uint8Array) => void;
  readonly #onFailure: (error: Error) => void;
  #bytes: Uint8Array;
  #filled = 0;

  /** @param byteCount How long it is. @param onSuccess Gets all of it, to keep. @param onFailure Hears that it does not come. */
  constructor(byteCount: number, onSuccess: (bytes: Uint8Array) => void, onFailure: (error: Error) => void) {
    this.#byteCount = byteCount;
    this.#onSuccess = onSuccess;
    this.#onFailure = onFailure;
    this.#bytes = new Uint8Array(Math.min(byteCount, MAX_CLAIMED_BYTES));
  }

  allocate(): Uint8Array {
    this.#reserve(1);
    return this.#bytes.subarray(this.#filled, this.#filled + READ_BYTES);
  }

  onData(_streamId: string, chunk: Uint8Array): void {
    this.#reserve(chunk.length);
    // What was read into the memory of `allocate` is in its place already.
    const isInPlace = chunk.buffer === this.#bytes.buffer && chunk.byteOffset === this.#bytes.byteOffset + this.#filled;
    if (!isInPlace) this.#bytes.set(chunk, this.#filled);
    this.#filled += chunk.length;
  }

  onComplete(): void {
    this.#onSuccess(this.#bytes);
  }

  onFailure(_streamId: string, error: Error): void {
    this.#bytes = new Uint8Array(0);
    this.#onFailure(error);
  }

  #reserve(count: number): void {
    const needed = this.#filled + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.min(this.#byteCount, Math.max(needed, this.#bytes.length * 2)));
    grown.set(this.#bytes.subarray(0, this.#filled));
    this.#bytes = grown;
  }
}
