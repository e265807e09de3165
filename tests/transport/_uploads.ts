/**
 * Receives uploads and keeps a record of every callback.
 *
 * @module
 */

import type { MessageBody } from "../../src/base/message_body.ts";
import type { StreamFlow } from "../../src/protocol/stream_callback.ts";
import type { RpcHandler } from "../../src/transport/rpc_handler.ts";
import type { StreamCallbackWithId } from "../../src/transport/stream_callback_with_id.ts";
import type { TransportClient } from "../../src/transport/transport_client.ts";
import { until } from "../_harness.ts";
import type { ManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import { bytesOf, echo, waiter } from "./_stage.ts";

/** One upload at its receiver. What its name begins with says how it behaves. */
export class ReceivedUpload implements StreamCallbackWithId {
  readonly id: string;
  /** Names of the callbacks, in order; runs of onData count once. */
  readonly events: string[] = [];
  bytes = new Uint8Array(0);
  receivedBytes = 0;
  error: Error | undefined;
  flow: StreamFlow | undefined;
  /** What is done with each chunk, besides keeping it. */
  onChunk: ((flow: StreamFlow) => void) | undefined;
  /** What its end waits for. */
  completing: Promise<void> | undefined;

  constructor(id: string) {
    this.id = id;
  }

  onStart(id: string, byteCount: number): void {
    this.#note("start", id);
    this.bytes = new Uint8Array(byteCount);
  }

  onData(id: string, chunk: Uint8Array, _owned: boolean, flow: StreamFlow): void {
    this.#note("data", id);
    this.flow = flow;
    if (this.id.startsWith("fail/exception-ondata")) throw new Error("failed to read stream data!");
    this.bytes.set(chunk, this.receivedBytes);
    this.receivedBytes += chunk.length;
    this.onChunk?.(flow);
  }

  onComplete(id: string): void | Promise<void> {
    this.#note("complete", id);
    if (this.id.startsWith("fail/exception-oncomplete")) throw new Error("exception in onComplete");
    if (this.id.startsWith("fail/rejects-oncomplete")) return Promise.reject(new Error("rejected in onComplete"));
    return this.completing;
  }

  onFailure(id: string, error: Error): void {
    this.#note("failure", id);
    this.error = error;
  }

  completionResponse(): Uint8Array {
    return bytesOf(`${this.id}: ${this.receivedBytes}`);
  }

  #note(event: string, id: string): void {
    if (id !== this.id) this.events.push(`wrong id ${id}`);
    if (event !== "data" || this.events.at(-1) !== "data") this.events.push(event);
  }
}

/** The uploads of a server, and what it does with them; plain requests are echoed. */
export class Uploads {
  readonly received: ReceivedUpload[] = [];
  /** What is done with each before it begins. */
  onUpload: ((upload: ReceivedUpload) => void) | undefined;
  readonly handler: Partial<RpcHandler> = {
    ...echo,
    receiveStream: (_, meta) => this.#receive(meta),
  };

  /** The upload of that name, once it has come. */
  async named(id: string): Promise<ReceivedUpload> {
    const find = (): ReceivedUpload | undefined => this.received.find((upload) => upload.id === id);
    await until(() => find() !== undefined, `upload ${id}`);
    return find()!;
  }

  #receive(meta: MessageBody): ReceivedUpload {
    const id = new TextDecoder().decode(meta.bytes);
    if (id === "fail/null") return undefined as unknown as ReceivedUpload;
    if (id === "fail/throws") throw new RangeError("no room for that");
    const upload = new ReceivedUpload(id);
    this.received.push(upload);
    this.onUpload?.(upload);
    return upload;
  }
}

/** Uploads; the promise is of the answer's text. */
export function upload(client: TransportClient, id: string, data: ManagedBuffer): Promise<string> {
  return new Promise((resolve, reject) => {
    client.uploadStream(bytesOf(id), data, waiter((body) => resolve(new TextDecoder().decode(body.bytes)), reject));
  });
}
