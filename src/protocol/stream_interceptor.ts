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
  /** Forgotten at the end, and so is `onEnd`: a connection may keep its last interceptor for long, and the callback all its bytes. */
  #callback: StreamCallback | undefined;
  readonly #flow: StreamFlow;
  /** What the callback is given: it may keep it and be late, when the connection belongs to the next stream already. */
  readonly #ownFlow: StreamFlow = {
    pause: () => {
      if (this.#callback !== undefined) this.#flow.pause();
    },
    resume: () => {
      if (this.#callback !== undefined) this.#flow.resume();
    },
  };
  #onEnd: (() => void) | undefined;
  #received = 0;

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
    if (this.#byteCount - this.#received < MIN_ALLOCATE_BYTES) return undefined;
    return this.#callback?.allocate?.();
  }

  /** Gives the callback its part of these bytes, and the end behind the last one. */
  handle(memory: Uint8Array, start: number, end: number, owned: boolean): number {
    const taken = Math.min(end - start, this.#byteCount - this.#received);
    if (this.#callback === undefined || taken === 0) return 0;
    this.#received += taken;
    const chunk = taken === memory.length ? memory : memory.subarray(start, start + taken);
    this.#callback.onData(this.#streamId, chunk, owned, this.#ownFlow);
    if (this.#received === this.#byteCount) this.#end()?.onComplete(this.#streamId);
    return taken;
  }

  /** Fails the stream: its bytes will not come. */
  channelInactive(reason?: Error): void {
    const message = `Connection closed within stream ${this.#streamId}: ${this.#received} of ${this.#byteCount} bytes came`;
    this.#end()?.onFailure(this.#streamId, new StreamError(message, this.#streamId, { cause: reason }));
  }

  /** Fails the stream with what went wrong. */
  exceptionCaught(cause: Error): void {
    this.#end()?.onFailure(this.#streamId, cause);
  }

  /** Who is to hear of the end, if this is it; the callback may have closed the connection meanwhile. */
  #end(): StreamCallback | undefined {
    const callback = this.#callback;
    const onEnd = this.#onEnd;
    this.#callback = undefined;
    this.#onEnd = undefined;
    if (callback === undefined) return undefined;
    // One that paused at its last bytes has nothing to be spared any more, and others wait for theirs.
    this.#flow.resume();
    onEnd?.();
    return callback;
  }
}
