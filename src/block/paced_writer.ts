/**
 * Writes what a stream brings to where it goes, and holds the stream back while that is slower.
 *
 * @module
 */

import { toError } from "../base/errors.ts";
import type { StreamFlow } from "../protocol/stream_callback.ts";
import { ReadSlab } from "../transport/read_slab.ts";

/** How many bytes may wait to be written before the far end is held back; one read more may come. */
export const MAX_WAITING_BYTES: number = 2 * 1024 * 1024;
/** The same in chunks: a far end may send one byte at a time. */
export const MAX_WAITING_CHUNKS = 4_096;

/** The bytes of one stream on their way to a writer, in order. After the first failure what comes is dropped. */
export class PacedWriter {
  readonly #write: (chunk: Uint8Array) => Promise<void>;
  #chunks: Uint8Array[] = [];
  #waitingBytes = 0;
  #flow: StreamFlow | undefined;
  #writing: Promise<void> | undefined;
  #failure: Error | undefined;
  readonly #slab = new ReadSlab();

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
    return this.#slab.allocate();
  }

  /** Takes some bytes, which are copied unless `owned`; pauses `flow` when too many wait. */
  push(chunk: Uint8Array, owned: boolean, flow: StreamFlow): void {
    this.#slab.take(chunk);
    if (this.#failure !== undefined || chunk.length === 0) return;
    this.#chunks.push(owned ? chunk : chunk.slice());
    this.#waitingBytes += chunk.length;
    this.#writing ??= this.#writeAll();
    if (this.#waitingBytes < MAX_WAITING_BYTES && this.#chunks.length < MAX_WAITING_CHUNKS) return;
    this.#flow = flow;
    flow.pause();
  }

  /** Waits until all is written; rejects with the failure of a write, or the reason of `stop`. */
  async finish(): Promise<void> {
    this.#slab.clear();
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
      if (this.#waitingBytes < MAX_WAITING_BYTES / 2 && this.#chunks.length < MAX_WAITING_CHUNKS / 2) this.#resume();
    }
    this.#writing = undefined;
  }

  #fail(reason: Error): void {
    this.#failure ??= reason;
    this.#chunks = [];
    this.#waitingBytes = 0;
    this.#slab.clear();
    // What still comes is dropped, which needs no waiting.
    this.#resume();
  }

  #resume(): void {
    const flow = this.#flow;
    this.#flow = undefined;
    flow?.resume();
  }
}
