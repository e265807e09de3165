/**
 * One body that arrives, piece by piece: what comes goes to a sink at once, and a sink that is full holds the far end back.
 *
 * Spark: FileDownloadChannel and FileDownloadCallback in core/…/rpc/netty/NettyRpcEnv.scala, which have a pipe between them and
 * block the connection's thread while it is full. As there, a body that fails is never taken for one that has ended.
 *
 * @module
 */

import type { StreamCallback, StreamFlow } from "../protocol/stream_callback.ts";
import { ReadSlab } from "./read_slab.ts";

/** Who takes a body. Nothing is called after the end. */
export interface BodySink {
  /** The peer has it, and this many bytes will come. */
  onSize?(bytes: number): void;
  /** Some bytes, which are the sink's from now on. False: no more until {@linkcode BodyChannel.resume}. */
  onData(chunk: Uint8Array): boolean;
  /** All bytes have come. */
  onComplete(): void;
  /** No more bytes will come: an error, or the reason of who cancelled. */
  onFailure(reason: unknown): void;
}

/** Why a body did not come to its end. */
export interface BodyFailure {
  /** An error of the peer or the connection, or the reason of who cancelled. */
  readonly reason: unknown;
  /** This side wants no more of it, though more may be on its way. */
  readonly cancelled: boolean;
}

/** A body on its way. It ends once: completely, with a failure, or cancelled. */
export class BodyChannel implements StreamCallback {
  /** The name of the stream, chunk or upload. */
  readonly streamId: string;
  readonly #sink: BodySink;
  readonly #onEnd: (failure: BodyFailure | undefined) => void;
  #flow: StreamFlow | undefined;
  #isHeld = false;
  #hasEnded = false;
  readonly #slab = new ReadSlab();

  /**
   * @param streamId The name of the stream, chunk or upload.
   * @param sink Who takes it.
   * @param onEnd Called once, just before the sink hears of the end.
   */
  constructor(streamId: string, sink: BodySink, onEnd: (failure: BodyFailure | undefined) => void) {
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

  /** Ends it: the sink fails with `reason`, unless it has ended. What still comes is dropped. */
  cancel(reason: unknown): void {
    if (this.#end({ reason, cancelled: true })) this.#sink.onFailure(reason);
  }

  onStart(_streamId: string, byteCount: number): void {
    if (!this.#hasEnded) this.#sink.onSize?.(byteCount);
  }

  allocate(): Uint8Array | undefined {
    return this.#hasEnded ? undefined : this.#slab.allocate();
  }

  onData(_streamId: string, chunk: Uint8Array, owned: boolean, flow: StreamFlow): void {
    if (this.#hasEnded) return;
    this.#slab.take(chunk);
    this.#flow = flow;
    const isFull = !this.#sink.onData(owned ? chunk : chunk.slice());
    if (!isFull || this.#hasEnded) return;
    this.#isHeld = true;
    flow.pause();
  }

  onComplete(): void {
    if (this.#end(undefined)) this.#sink.onComplete();
  }

  onFailure(_streamId: string, error: Error): void {
    if (this.#end({ reason: error, cancelled: false })) this.#sink.onFailure(error);
  }

  #end(failure: BodyFailure | undefined): boolean {
    if (this.#hasEnded) return false;
    this.#hasEnded = true;
    this.#slab.clear();
    this.#onEnd(failure);
    // Whoever does not want the rest must not hold it back.
    this.resume();
    this.#flow = undefined;
    return true;
  }
}
