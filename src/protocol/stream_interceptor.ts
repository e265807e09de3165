/**
 * Takes the body of a stream off the connection and gives it to who asked for it.
 *
 * Spark: common/network-common/…/client/StreamInterceptor.java.
 *
 * The callback hears of the end once, also where Spark calls onFailure after onComplete. Spark's check for too many bytes is
 * not here: an interceptor never takes more than it wants.
 *
 * @module
 */

import { StreamError } from "../base/errors.ts";
import type { StreamCallback, StreamFlow } from "./stream_callback.ts";
import type { Interceptor } from "./transport_frame_decoder.ts";

/** For fewer bytes the driver's own memory does. */
const MIN_ALLOCATE_BYTES = 64 * 1024;

/** Gives exactly `byteCount` bytes to a callback. */
export class StreamInterceptor implements Interceptor {
  readonly #streamId: string;
  readonly #byteCount: number;
  readonly #callback: StreamCallback;
  readonly #flow: StreamFlow;
  /** What the callback is given: it may keep it and be late, when the connection belongs to the next stream already. */
  readonly #ownFlow: StreamFlow = {
    pause: () => {
      if (!this.#ended) this.#flow.pause();
    },
    resume: () => {
      if (!this.#ended) this.#flow.resume();
    },
  };
  readonly #onEnd: () => void;
  #received = 0;
  #ended = false;

  /**
   * @param streamId The stream's id, as asked for.
   * @param byteCount How many bytes there will be; more than 0, since an empty stream needs no interceptor.
   * @param callback Who takes them.
   * @param flow Lets the callback hold the peer back.
   * @param onEnd Called once, just before the callback hears of the end, so that it may start a new request.
   */
  constructor(streamId: string, byteCount: number, callback: StreamCallback, flow: StreamFlow, onEnd: () => void) {
    this.#streamId = streamId;
    this.#byteCount = byteCount;
    this.#callback = callback;
    this.#flow = flow;
    this.#onEnd = onEnd;
  }

  /** Memory of the callback's for the next bytes, while many are missing. */
  allocate(): Uint8Array | undefined {
    if (this.#ended || this.#byteCount - this.#received < MIN_ALLOCATE_BYTES) return undefined;
    return this.#callback.allocate?.();
  }

  /** Gives the callback its part of these bytes, and the end behind the last one. */
  handle(memory: Uint8Array, start: number, end: number, owned: boolean): number {
    const taken = Math.min(end - start, this.#byteCount - this.#received);
    if (this.#ended || taken === 0) return 0;
    this.#received += taken;
    const chunk = taken === memory.length ? memory : memory.subarray(start, start + taken);
    this.#callback.onData(this.#streamId, chunk, owned, this.#ownFlow);
    if (this.#received === this.#byteCount && this.#end()) this.#callback.onComplete(this.#streamId);
    return taken;
  }

  /** Fails the stream: its bytes will not come. */
  channelInactive(reason?: Error): void {
    if (!this.#end()) return;
    const message = `Connection closed within stream ${this.#streamId}: ${this.#received} of ${this.#byteCount} bytes came`;
    this.#callback.onFailure(this.#streamId, new StreamError(message, this.#streamId, { cause: reason }));
  }

  /** Fails the stream with what went wrong. */
  exceptionCaught(cause: Error): void {
    if (this.#end()) this.#callback.onFailure(this.#streamId, cause);
  }

  /** Whether this was the end; the callback may have closed the connection meanwhile. */
  #end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    // One that paused at its last bytes has nothing to be spared any more, and others wait for theirs.
    this.#flow.resume();
    this.#onEnd();
    return true;
  }
}
