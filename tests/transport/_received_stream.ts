/**
 * Takes a stream and keeps a record of every callback.
 *
 * @module
 */

import type { StreamCallback, StreamFlow } from "../../src/protocol/stream_callback.ts";
import type { TransportClient } from "../../src/transport/transport_client.ts";
import { concat, deferred, until, within } from "../_harness.ts";

/** A stream that was asked for. */
export class ReceivedStream implements StreamCallback {
  /** Names of the callbacks, in order; runs of onData count once. */
  readonly events: string[] = [];
  readonly streamId: string;
  receivedBytes = 0;
  error: Error | undefined;
  flow: StreamFlow | undefined;
  /** What is done with each chunk, besides keeping it. */
  onChunk: ((flow: StreamFlow) => void) | undefined;
  readonly #chunks: Uint8Array[] = [];
  readonly #ended = deferred();

  constructor(streamId: string) {
    this.streamId = streamId;
  }

  /** Asks for it. */
  static of(client: TransportClient, streamId: string): ReceivedStream {
    const stream = new ReceivedStream(streamId);
    client.stream(streamId, stream);
    return stream;
  }

  onData(streamId: string, chunk: Uint8Array, _owned: boolean, flow: StreamFlow): void {
    this.#note("data", streamId);
    this.receivedBytes += chunk.length;
    this.#chunks.push(chunk.slice());
    this.flow = flow;
    this.onChunk?.(flow);
  }

  onComplete(streamId: string): void {
    this.#note("complete", streamId);
    this.#ended.resolve();
  }

  onFailure(streamId: string, error: Error): void {
    this.#note("failure", streamId);
    this.error = error;
    this.#ended.resolve();
  }

  /** The bytes, once it has ended; fails if it failed. */
  async bytes(): Promise<Uint8Array> {
    await within(this.#ended.promise, `stream ${this.streamId}`);
    if (this.error !== undefined) throw this.error;
    return concat(this.#chunks);
  }

  /** Why it failed; fails if it did not. */
  async failure(): Promise<Error> {
    await within(this.#ended.promise, `the failure of stream ${this.streamId}`);
    if (this.error === undefined) throw new Error(`Stream ${this.streamId} did not fail`);
    return this.error;
  }

  async begun(): Promise<void> {
    await until(() => this.receivedBytes > 0, `the first bytes of ${this.streamId}`);
  }

  #note(event: string, streamId: string): void {
    if (streamId !== this.streamId) this.events.push(`wrong id ${streamId}`);
    if (event !== "data" || this.events.at(-1) !== "data") this.events.push(event);
  }
}
