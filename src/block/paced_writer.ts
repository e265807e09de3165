/**
 * Writes what a stream brings to where it goes, and holds the stream back while that is slower.
 *
 * @module
 */

import { toError } from "../base/errors.ts";
import type { StreamFlow } from "../protocol/stream_callback.ts";

/** How many bytes may wait to be written before the far end is held back; one read more may come. */
export const MAX_WAITING_BYTES: number = 2 * 1024 * 1024;
/** Memory that a connection may read a body into. */
const SLAB_BYTES = 256 * 1024;
/** A smaller rest of it is not worth a read. */
const MIN_READ_BYTES = 64 * 1024;
const NO_BYTES = new Uint8Array(0);

/** The bytes of one stream on their way to a writer, in order. After the first failure what comes is dropped. */
export class PacedWriter {
  readonly #write: (chunk: Uint8Array) => Promise<void>;
  #chunks: Uint8Array[] = [];
  #waitingBytes = 0;
  #flow: StreamFlow | undefined;
  #writing: Promise<void> | undefined;
  #failure: Error | undefined;
  #slab = NO_BYTES;

  /** @param write Writes a chunk; it is called again when it has. */
  constructor(write: (chunk: Uint8Array) => Promise<void>) {
    this.#write = write;
  }

  /** How many bytes wait, those being written included. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Where to put the next bytes. */
  allocate(): Uint8Array {
    if (this.#slab.length < MIN_READ_BYTES) this.#slab = new Uint8Array(SLAB_BYTES);
    return this.#slab;
  }

  /** Takes some bytes, which are copied unless `owned`; pauses `flow` when too many wait. */
  push(chunk: Uint8Array, owned: boolean, flow: StreamFlow): void {
    if (chunk.buffer === this.#slab.buffer) this.#slab = this.#slab.subarray(chunk.length);
    if (this.#failure !== undefined || chunk.length === 0) return;
    this.#chunks.push(owned ? chunk : chunk.slice());
    this.#waitingBytes += chunk.length;
    this.#writing ??= this.#writeAll();
    if (this.#waitingBytes < MAX_WAITING_BYTES || this.#failure !== undefined) return;
    this.#flow = flow;
    flow.pause();
  }

  /** Waits until all is written; rejects with the failure of a write, or the reason of `stop`. */
  async finish(): Promise<void> {
    this.#slab = NO_BYTES;
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Drops what waits, for `reason`, and waits for the write that is under way. */
  async stop(reason: Error): Promise<void> {
    this.#fail(reason);
    await this.#writing;
  }

  /** Never rejects. */
  async #writeAll(): Promise<void> {
    for (let chunk = this.#chunks.shift(); chunk !== undefined; chunk = this.#chunks.shift()) {
      try {
        await this.#write(chunk);
      } catch (thrown) {
        this.#fail(toError(thrown));
      }
      this.#waitingBytes = this.#failure === undefined ? this.#waitingBytes - chunk.length : 0;
      if (this.#waitingBytes < MAX_WAITING_BYTES / 2) this.#resume();
    }
    this.#writing = undefined;
  }

  #fail(reason: Error): void {
    this.#failure ??= reason;
    this.#chunks = [];
    this.#waitingBytes = 0;
    this.#slab = NO_BYTES;
    // What still comes is dropped, which needs no waiting.
    this.#resume();
  }

  #resume(): void {
    const flow = this.#flow;
    this.#flow = undefined;
    flow?.resume();
  }
}
