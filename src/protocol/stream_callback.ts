/**
 * Who takes the bytes of a stream, as they arrive.
 *
 * Spark: common/network-common/…/client/StreamCallback.java.
 *
 * @module
 */

/** Lets the consumer of a stream hold its peer back. When the stream has ended it is without effect. */
export interface StreamFlow {
  /** No more onData after this, until `resume`. */
  pause(): void;
  /** Lets onData go on. */
  resume(): void;
}

/** Takes a stream: onStart perhaps, onData any number of times, then onComplete or onFailure, once. */
export interface StreamCallback {
  /** The peer has it, and this many bytes will come. */
  onStart?(streamId: string, byteCount: number): void;
  /** Where to put the next bytes, for a driver that can read straight into it; they are then owned. */
  allocate?(): Uint8Array | undefined;
  /** Some bytes. Unless `owned` they are borrowed until this returns. */
  onData(streamId: string, chunk: Uint8Array, owned: boolean, flow: StreamFlow): void;
  /** All bytes have come. */
  onComplete(streamId: string): void;
  /** No more bytes will come. */
  onFailure(streamId: string, error: Error): void;
}

/** Takes bytes that nobody wants, so that they are never gathered. */
export const discard: StreamCallback = { onData() {}, onComplete() {}, onFailure() {} };
