/**
 * Memory that large chunks are received into, and that is used again for the next one when a block has been released: memory that
 * nobody has touched before, and that is garbage afterwards, costs more than what is received into it.
 *
 * Spark: the pooled buffers of Netty, behind NettyManagedBuffer in common/network-common/…/buffer. There, who reads a block that was
 * released finds another one in it, in silence; here finds nothing, since memory changes hands by being detached.
 *
 * @module
 */

/** How much memory that nobody uses is kept at most. */
export const MAX_SPARE_BYTES: number = 32 * 1024 * 1024;
/** A chunk gets memory of up to so many times its own length. */
const MAX_WASTE = 2;

/** The memory of one fetch. */
export class ChunkMemory {
  /** Nobody else has these. */
  #spares: ArrayBuffer[] = [];
  #spareBytes = 0;

  /** How much of it nobody uses. */
  get spareBytes(): number {
    return this.#spareBytes;
  }

  /** Memory of `length` bytes, with anything in it. */
  take(length: number): Uint8Array<ArrayBuffer> {
    const found = this.#spares.findIndex(({ byteLength }) => byteLength >= length && byteLength <= MAX_WASTE * length);
    const [spare] = found === -1 ? [] : this.#spares.splice(found, 1);
    if (spare === undefined) return new Uint8Array(length);
    this.#spareBytes -= spare.byteLength;
    return new Uint8Array(spare, 0, length);
  }

  /** Takes memory back: every view of it is empty from now on. */
  giveBack({ buffer }: Uint8Array<ArrayBuffer>): void {
    // Who has transferred it, as to a worker, has taken it along: it cannot change hands once more.
    if (buffer.byteLength === 0) return;
    if (this.#spareBytes + buffer.byteLength > MAX_SPARE_BYTES) return;
    // Node 20 has no ArrayBuffer.prototype.transfer. Nothing is copied.
    const spare = structuredClone(buffer, { transfer: [buffer] });
    this.#spares.push(spare);
    this.#spareBytes += spare.byteLength;
  }
}
