/**
 * One upload that comes as a stream, and begins when it is its turn: what has come until then is kept.
 *
 * @module
 */

import type { StreamFlow } from "../protocol/stream_callback.ts";
import type { Content } from "../transport/rpc_response_callback.ts";
import type { StreamCallbackWithId } from "../transport/stream_callback_with_id.ts";

const NO_BYTES = new Uint8Array(0);

/** Hands an upload on to who takes it. */
export class UploadInTurn implements StreamCallbackWithId {
  readonly id: string;
  readonly #open: () => StreamCallbackWithId;
  readonly #onEnd: () => void;
  #target: StreamCallbackWithId | undefined;
  /** What `#target` is to be told when there is one. */
  #waiting: ((target: StreamCallbackWithId) => void)[] = [];
  #onBegun: () => void = () => {};
  #failure: { readonly thrown: unknown } | undefined;
  /** Why it was over before its target was there: who opens that may close the connection. */
  #lost: Error | undefined;
  #isOver = false;

  /**
   * @param id The block's name.
   * @param open Gives who takes it.
   * @param onEnd Called once, when the upload is over that has begun.
   */
  constructor(id: string, open: () => StreamCallbackWithId, onEnd: () => void) {
    this.id = id;
    this.#open = open;
    this.#onEnd = onEnd;
  }

  /** It is its turn. What goes wrong fails it. */
  begin(): void {
    if (this.#isOver) return this.#onEnd();
    try {
      const target = this.#open();
      this.#target = target;
      if (this.#lost !== undefined) target.onFailure(this.id, this.#lost);
      // It may be over at each of these.
      for (let call = this.#waiting.shift(); call !== undefined; call = this.#waiting.shift()) call(target);
    } catch (thrown) {
      this.#failure = { thrown };
    }
    this.#waiting = [];
    if (this.#lost !== undefined) this.#onEnd();
    this.#onBegun();
  }

  /** Throws what it could not begin for. */
  check(): void {
    if (this.#failure === undefined) return;
    this.#over();
    throw this.#failure.thrown;
  }

  onStart(id: string, byteCount: number): void {
    this.#tell((target) => target.onStart?.(id, byteCount));
  }

  allocate(): Uint8Array | undefined {
    return this.#target?.allocate?.();
  }

  onData(id: string, chunk: Uint8Array, owned: boolean, flow: StreamFlow): void {
    const kept = owned || this.#target !== undefined ? chunk : chunk.slice();
    this.#tell((target) => target.onData(id, kept, owned || kept !== chunk, flow));
  }

  async onComplete(id: string): Promise<void> {
    if (this.#target === undefined && this.#failure === undefined) {
      await new Promise<void>((resolve) => this.#onBegun = resolve);
    }
    if (this.#failure !== undefined) throw this.#failure.thrown;
    await this.#target?.onComplete(id);
    this.#over();
  }

  completionResponse(): Content {
    return this.#target?.completionResponse?.() ?? NO_BYTES;
  }

  onFailure(id: string, error: Error): void {
    if (this.#target === undefined) this.#lost = error;
    this.#over();
    this.#target?.onFailure(id, error);
  }

  #tell(call: (target: StreamCallbackWithId) => void): void {
    if (this.#failure !== undefined) throw this.#failure.thrown;
    if (this.#target === undefined) this.#waiting.push(call);
    else call(this.#target);
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#waiting = [];
    // Else it is over when its turn comes.
    if (this.#target !== undefined || this.#failure !== undefined) this.#onEnd();
  }
}
