/**
 * One upload that arrives: its bytes go to who wants them, and its sender is told how it ended.
 *
 * Spark: `processStreamUpload` in common/network-common/…/server/TransportRequestHandler.java.
 *
 * @module
 */

import { RpcError, toError } from "../base/errors.ts";
import type { StreamCallback, StreamFlow } from "../protocol/stream_callback.ts";
import type { RpcResponder } from "./rpc_response_callback.ts";
import type { StreamCallbackWithId } from "./stream_callback_with_id.ts";
import type { TransportMetrics } from "./transport_metrics.ts";

const NO_BYTES = new Uint8Array(0);

/** What {@linkcode UploadReceiver} is made with. */
export interface UploadReceiverOptions {
  /** Who takes the bytes. */
  readonly target: StreamCallbackWithId;
  /** Answers the request that the bytes belong to. */
  readonly responder: RpcResponder;
  /** The bytes cannot be taken, so nothing behind them can be read either. */
  readonly onBroken: (cause: Error) => void;
  /** Something failed whose failure nobody else hears of. */
  readonly onError: (error: Error) => void;
  /** Counts uploads. */
  readonly metrics: TransportMetrics;
}

/** Takes one upload. */
export class UploadReceiver implements StreamCallback {
  readonly #target: StreamCallbackWithId;
  readonly #options: UploadReceiverOptions;
  #hasEnded = false;

  /** @param options Where its parts go. */
  constructor(options: UploadReceiverOptions) {
    this.#options = options;
    this.#target = options.target;
  }

  onStart(_streamId: string, byteCount: number): void {
    this.#try(() => this.#target.onStart?.(this.#target.id, byteCount));
  }

  allocate(): Uint8Array | undefined {
    return this.#hasEnded ? undefined : this.#target.allocate?.();
  }

  onData(_streamId: string, chunk: Uint8Array, owned: boolean, flow: StreamFlow): void {
    this.#try(() => this.#target.onData(this.#target.id, chunk, owned, flow));
  }

  onComplete(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    try {
      const completing = this.#target.onComplete(this.#target.id);
      if (completing === undefined) this.#respond();
      else this.#respondLater(completing).catch(this.#options.onError);
    } catch (thrown) {
      this.#completionFailed(thrown);
    }
  }

  /** The connection is gone, or will be in a moment. */
  onFailure(_streamId: string, cause: Error): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const message = `Destination failed while reading stream: ${cause.message}`;
    this.#options.responder.onFailure(new RpcError("STREAM", message, { cause }));
    this.#tell(cause);
  }

  #try(run: () => void): void {
    if (this.#hasEnded) return;
    try {
      run();
    } catch (thrown) {
      const cause = toError(thrown);
      this.onFailure("", cause);
      this.#options.onBroken(cause);
    }
  }

  /** What is promised may be so by a promise of another library, whose `then` is of its own making. */
  async #respondLater(completing: Promise<void>): Promise<void> {
    try {
      await completing;
    } catch (thrown) {
      return this.#completionFailed(thrown);
    }
    this.#respond();
  }

  #respond(): void {
    try {
      this.#options.responder.onSuccess(this.#target.completionResponse?.() ?? NO_BYTES);
      this.#options.metrics.uploadsReceived++;
    } catch (thrown) {
      this.#completionFailed(thrown);
    }
  }

  #completionFailed(thrown: unknown): void {
    const cause = toError(thrown);
    // Spark's words; there the cause follows in the stack trace.
    const message = "Failure post-processing complete stream; failing this rpc and leaving channel active";
    const error = new RpcError("STREAM", `${message}: ${cause.message}`, { cause });
    this.#options.responder.onFailure(error);
    this.#tell(error);
  }

  #tell(error: Error): void {
    this.#options.metrics.uploadsFailed++;
    try {
      this.#target.onFailure(this.#target.id, error);
    } catch (thrown) {
      this.#options.onError(toError(thrown));
    }
  }
}
