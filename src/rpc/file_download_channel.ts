/**
 * One download, piece by piece: what arrives goes to a sink at once, and a sink that is full holds the far end back.
 *
 * Spark: FileDownloadChannel and FileDownloadCallback in core/…/rpc/netty/NettyRpcEnv.scala, which have a pipe between them and
 * block the connection's thread while it is full. As there, a download that fails is never taken for one that has ended.
 *
 * @module
 */

import type { StreamCallback, StreamFlow } from "../protocol/stream_callback.ts";

/** Memory that a connection may read a body into; the sink gets it in parts, as they are filled. */
const SLAB_BYTES = 256 * 1024;
/** A smaller rest of it is not worth a read. */
const MIN_READ_BYTES = 64 * 1024;
const NO_BYTES = new Uint8Array(0);

/** Who takes a download. Nothing is called within the call that opened it, and nothing after the end. */
export interface DownloadSink {
  /** The peer has the stream, and this many bytes of it will come. */
  onSize?(bytes: number): void;
  /** Some bytes, which are the sink's from now on. False: no more until {@linkcode FileDownloadChannel.resume}. */
  onData(chunk: Uint8Array): boolean;
  /** All bytes have come. */
  onComplete(): void;
  /** No more bytes will come: an error, or the reason of who cancelled. */
  onFailure(reason: unknown): void;
}

/** A download. It ends once: completely, with a failure, or cancelled. */
export class FileDownloadChannel implements StreamCallback {
  /** The stream's id, as the peer is asked for it. */
  readonly streamId: string;
  readonly #sink: DownloadSink;
  readonly #onEnd: (failure: { readonly reason: unknown } | undefined) => void;
  #flow: StreamFlow | undefined;
  #isHeld = false;
  #hasEnded = false;
  #slab = NO_BYTES;

  /**
   * @param streamId What is asked for.
   * @param sink Who takes it.
   * @param onEnd Called once, just before the sink hears of the end; a failure is the peer's, the connection's, or who cancelled.
   */
  constructor(
    streamId: string,
    sink: DownloadSink,
    onEnd: (failure: { readonly reason: unknown } | undefined) => void,
  ) {
    this.streamId = streamId;
    this.#sink = sink;
    this.#onEnd = onEnd;
  }

  /** Whether it is over. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The sink takes bytes again. */
  resume(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#flow?.resume();
  }

  /** Ends it: the sink fails with `reason`, unless it has ended, and its connection is given up. */
  cancel(reason: unknown): void {
    if (this.#end({ reason })) this.#sink.onFailure(reason);
  }

  onStart(_streamId: string, byteCount: number): void {
    if (!this.#hasEnded) this.#sink.onSize?.(byteCount);
  }

  allocate(): Uint8Array {
    if (this.#slab.length < MIN_READ_BYTES) this.#slab = new Uint8Array(SLAB_BYTES);
    return this.#slab;
  }

  onData(_streamId: string, chunk: Uint8Array, owned: boolean, flow: StreamFlow): void {
    if (this.#hasEnded) return;
    if (chunk.buffer === this.#slab.buffer) this.#slab = this.#slab.subarray(chunk.length);
    this.#flow = flow;
    this.#isHeld = !this.#sink.onData(owned ? chunk : chunk.slice());
    if (this.#isHeld && !this.#hasEnded) flow.pause();
  }

  onComplete(): void {
    if (this.#end(undefined)) this.#sink.onComplete();
  }

  onFailure(_streamId: string, error: Error): void {
    this.cancel(error);
  }

  #end(failure: { readonly reason: unknown } | undefined): boolean {
    if (this.#hasEnded) return false;
    this.#hasEnded = true;
    this.#flow = undefined;
    this.#slab = NO_BYTES;
    this.#onEnd(failure);
    return true;
  }
}
