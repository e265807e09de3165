/**
 * Bytes as they came from a socket: borrowed, until somebody keeps a part of them.
 *
 * Spark: Netty's ByteBuf and its `retain`. There a count says when memory is free again; here the first who keeps a part of what
 * is borrowed pays for one copy of it all, and whoever comes after gets a view: a copy per message would cost more than the rest
 * of a small message does (`slice` of 64 bytes takes 0.4 µs on Deno 2.9).
 *
 * @module
 */

const { slice } = Uint8Array.prototype;

/** What is kept of so many received bytes, or fewer, is a view; it keeps them all alive. Of more, parts are copied. */
export const SHARED_BYTES: number = 64 * 1024;

/**
 * Received bytes; nothing of them is changed.
 *
 * @example
 * ```ts
 * import { ReceivedBytes } from "@sparkwire/sparkwire";
 *
 * const memory = Uint8Array.of(1, 2, 3);
 * const kept = new ReceivedBytes(memory, false).keep(1, 3);
 * memory.fill(0);
 * if (kept[0] !== 2) throw new Error("Not kept");
 * ```
 */
export class ReceivedBytes {
  /** The bytes. Unless `owned`, they are valid until the call that gave them returns. */
  readonly memory: Uint8Array;
  /** Whether the memory stays as it is after the call. */
  readonly owned: boolean;
  /** Where what is kept lies, and where it begins there: asking an array for its buffer is a call into the engine (Node 20). */
  #kept: ArrayBufferLike | undefined;
  #keptStart: number;
  readonly #copiedBytes: number;
  #view: DataView | undefined;

  /**
   * Received bytes.
   *
   * @param memory The bytes.
   * @param owned Whether they stay as they are after the call that gave them.
   * @param copiedBytes Parts of up to so many bytes are copied when they are kept, where that is cheaper than a view of them.
   * @param view The bytes as integers, and more bytes behind them, where there is one already.
   */
  constructor(memory: Uint8Array, owned: boolean, copiedBytes = 0, view: DataView | undefined = undefined) {
    this.memory = memory;
    this.owned = owned;
    this.#kept = undefined;
    this.#keptStart = 0;
    this.#copiedBytes = copiedBytes;
    this.#view = view;
  }

  /**
   * The bytes as integers: where many are read, a DataView takes a quarter of the time that a loop over bytes does. There may be others
   * behind them, so whoever reads knows where the bytes end.
   */
  get view(): DataView {
    return this.#view ??= new DataView(this.memory.buffer, this.memory.byteOffset, this.memory.length);
  }

  /** The bytes `[start, end)` for as long as one likes. Their `buffer` has neighbours and must not be transferred. */
  keep(start: number, end: number): Uint8Array {
    if (end - start <= this.#copiedBytes) return this.#copy(start, end);
    const kept = this.#kept;
    // Not subarray(): that takes twice the time on V8, and gives a Buffer of a Buffer.
    if (kept !== undefined) return new Uint8Array(kept, this.#keptStart + start, end - start);
    return this.#keepFirst(start, end);
  }

  #copy(start: number, end: number): Uint8Array {
    // Not copyOf(): that makes a view on the way, which is what shall be saved (with it, nothing is on Bun 1.4).
    return slice.call(this.memory, start, end);
  }

  #keepFirst(start: number, end: number): Uint8Array {
    const { memory, owned } = this;
    if (memory.length > SHARED_BYTES) {
      // A small part must not keep a large whole alive.
      const whole = owned && (end - start) * 2 >= memory.length;
      return whole ? new Uint8Array(memory.buffer, memory.byteOffset + start, end - start) : copyOf(memory, start, end);
    }
    if (owned) {
      this.#kept = memory.buffer;
      this.#keptStart = memory.byteOffset;
    } else if (memory.length <= SLAB_PART_BYTES) {
      this.#keptStart = copyToSlab(memory);
      this.#kept = slabBuffer;
    } else {
      this.#keptStart = 0;
      this.#kept = copyOf(memory, 0, memory.length).buffer;
    }
    return new Uint8Array(this.#kept, this.#keptStart + start, end - start);
  }
}

/** A chunk of no more than this is copied to memory that others share. */
const SLAB_PART_BYTES = 16 * 1024;
let slab = new Uint8Array(0);
let slabBuffer = slab.buffer;
let slabUsed = 0;

/**
 * Copies received bytes to the memory that is shared; returns where they begin there. Small memory of its own for each would cost a
 * round trip 2 µs on Node 20 and 5 on Deno 2.9.
 */
function copyToSlab(source: Uint8Array): number {
  const start = slabUsed + source.length > slab.length ? 0 : slabUsed;
  if (start === 0) {
    slab = new Uint8Array(SHARED_BYTES);
    slabBuffer = slab.buffer;
  }
  slab.set(source, start);
  slabUsed = start + source.length;
  return start;
}

/** A copy of `[start, end)` of `source` that has its `buffer` to itself. */
export function copyOf(source: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
  // Not slice(): of a Buffer, which Node and Bun hand out, that is a view.
  const copy = new Uint8Array(end - start);
  copy.set(source.subarray(start, end));
  return copy;
}
