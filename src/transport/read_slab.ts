/**
 * Memory that a connection may read a body into: it is filled in parts, each of which whoever takes the body may keep.
 *
 * @module
 */

/** Size of it. */
const SLAB_BYTES = 256 * 1024;
/** A smaller rest of it is not worth a read. */
const MIN_READ_BYTES = 64 * 1024;
const NO_BYTES = new Uint8Array(0);

/** The memory for one body; made when it is first asked for. */
export class ReadSlab {
  #rest: Uint8Array = NO_BYTES;

  /** Where to put the next bytes. */
  allocate(): Uint8Array {
    if (this.#rest.length < MIN_READ_BYTES) this.#rest = new Uint8Array(SLAB_BYTES);
    return this.#rest;
  }

  /** `chunk` has come; if it was read into this memory, that part of it is taken. */
  take(chunk: Uint8Array): void {
    if (chunk.buffer === this.#rest.buffer) this.#rest = this.#rest.subarray(chunk.length);
  }

  /** Keeps none of it. */
  clear(): void {
    this.#rest = NO_BYTES;
  }
}
