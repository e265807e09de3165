/**
 * Bytes that arrive, as a ReadableStream: a wrapper for the edge, which the core and simulations do without.
 *
 * @module
 */

import type { StreamCallback, StreamFlow } from "../protocol/stream_callback.ts";

/** How many bytes wait in a stream before the far end is held back, and no more than a read above. */
const HIGH_WATER_MARK_BYTES = 1024 * 1024;
/** Memory that a connection may read a body into; the stream gets it in parts, as they are filled. */
const SLAB_BYTES = 256 * 1024;
/** A smaller rest of it is not worth a read. */
const MIN_READ_BYTES = 64 * 1024;
const NO_BYTES = new Uint8Array(0);

/** Takes a body and gives it to who reads {@linkcode stream}. */
export class ReadableBody implements StreamCallback {
  /** The bytes; it fails if they do not come. Iterable where the runtime's streams are. */
  readonly stream: ReadableStream<Uint8Array>;
  readonly #onEnd: (cancelled: { readonly reason: unknown } | undefined) => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #flow: StreamFlow | undefined;
  #isHeld = false;
  #hasEnded = false;
  #slab: Uint8Array = NO_BYTES;

  /** @param onEnd Called once: the bytes have all come or failed, or, with its reason, the reader wants no more of them. */
  constructor(onEnd: (cancelled: { readonly reason: unknown } | undefined) => void) {
    this.#onEnd = onEnd;
    this.stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: (controller) => {
        // Not at each chunk that was read: to hold back and to go on costs more than a chunk.
        if ((controller.desiredSize ?? 0) >= HIGH_WATER_MARK_BYTES / 2) this.#goOn();
      },
      cancel: (reason) => {
        if (this.#end()) this.#onEnd({ reason });
        this.#goOn();
      },
    }, { highWaterMark: HIGH_WATER_MARK_BYTES, size: (chunk) => chunk.length });
  }

  /** Whether no more bytes are wanted or will come. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  allocate(): Uint8Array | undefined {
    if (this.#hasEnded) return undefined;
    if (this.#slab.length < MIN_READ_BYTES) this.#slab = new Uint8Array(SLAB_BYTES);
    return this.#slab;
  }

  onData(_streamId: string, chunk: Uint8Array, owned: boolean, flow: StreamFlow): void {
    if (this.#hasEnded || this.#controller === undefined) return;
    if (chunk.buffer === this.#slab.buffer) this.#slab = this.#slab.subarray(chunk.length);
    this.#flow = flow;
    this.#controller.enqueue(owned ? chunk : chunk.slice());
    if ((this.#controller.desiredSize ?? 0) > 0) return;
    this.#isHeld = true;
    flow.pause();
  }

  onComplete(): void {
    if (!this.#end()) return;
    this.#controller?.close();
    this.#onEnd(undefined);
  }

  onFailure(_streamId: string, error: Error): void {
    this.fail(error);
  }

  /** No more bytes will come, for any reason. */
  fail(reason: unknown): void {
    if (!this.#end()) return;
    this.#controller?.error(reason);
    this.#onEnd(undefined);
    this.#goOn();
  }

  #end(): boolean {
    if (this.#hasEnded) return false;
    this.#hasEnded = true;
    this.#slab = NO_BYTES;
    return true;
  }

  #goOn(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#flow?.resume();
  }
}
