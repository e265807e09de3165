/**
 * Streams, chunks and uploads of a connection as ReadableStreams and promises: a wrapper for the edge, which the core and
 * simulations do without.
 *
 * What comes over a connection comes in order, and the protocol has no word for "no more of this": a transfer that is given up takes
 * its connection with it, and the other requests there fail; and one whose reader stops holds up all that comes behind it, so several
 * of one connection are read in the order in which they were asked for. Who cannot promise that dials one for each:
 * `createUnmanagedClient`.
 *
 * @module
 */

import { StreamError, toError } from "../base/errors.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import type { StreamFlow } from "../protocol/stream_callback.ts";
import { StreamChunkId } from "../protocol/stream_chunk_id.ts";
import { ReadableBody } from "./readable_body.ts";
import type { Content } from "./rpc_response_callback.ts";
import type { StreamCallbackWithId } from "./stream_callback_with_id.ts";
import { type ByteSource, StreamManagedBuffer } from "./stream_managed_buffer.ts";
import type { TransportClient } from "./transport_client.ts";

/** How a stream or a chunk is read. */
export interface TransferOptions {
  /** Gives it up: the stream fails with the signal's reason, and the connection is closed unless all has come. */
  readonly signal?: AbortSignal | undefined;
  /** Hears how many bytes there are, before the first of them. */
  readonly onSize?: ((bytes: number) => void) | undefined;
}

/** How bytes are uploaded. */
export interface UploadOptions {
  /** How many bytes there are; needed where `data` does not say. */
  readonly size?: number | undefined;
  /** Gives it up: the promise rejects with the signal's reason, and the connection is closed unless all has been sent. */
  readonly signal?: AbortSignal | undefined;
}

/** Not held back: it has come already. */
const noFlow: StreamFlow = { pause() {}, resume() {} };

/**
 * Reads a stream that the peer has. A reader that is slow holds the peer back.
 *
 * @param client The connection.
 * @param streamId Its name.
 * @param options Signal and size.
 * @returns The bytes. It fails with a StreamError if the peer has no such stream, and if the connection breaks.
 */
export function readStream(
  client: TransportClient,
  streamId: string,
  options: TransferOptions = {},
): ReadableStream<Uint8Array> {
  return readBody(client, streamId, options, (body) => {
    client.stream(streamId, {
      onStart: (_, byteCount) => options.onSize?.(byteCount),
      allocate: () => body.allocate(),
      onData: (id, chunk, owned, flow) => body.onData(id, chunk, owned, flow),
      onComplete: () => body.onComplete(),
      onFailure: (id, error) => body.onFailure(id, error),
    });
  });
}

/**
 * Reads one chunk of a stream that the peer has registered; one of 1 MiB or more as it comes. A reader that is slow holds the peer
 * back.
 *
 * @param client The connection.
 * @param streamId The stream's number.
 * @param chunkIndex Which chunk; the first is 0.
 * @param options Signal and size.
 * @returns The bytes. It fails with a StreamError if the peer refuses the chunk, and if the connection breaks.
 */
export function readChunk(
  client: TransportClient,
  streamId: bigint,
  chunkIndex: number,
  options: TransferOptions = {},
): ReadableStream<Uint8Array> {
  const { name } = new StreamChunkId(streamId, chunkIndex);
  return readBody(client, name, options, (body) => {
    client.fetchChunk(streamId, chunkIndex, {
      onSuccess(_, whole) {
        options.onSize?.(whole.length);
        if (whole.length > 0) body.onData(name, whole.take(), true, noFlow);
        body.onComplete();
      },
      onFailure: (_, error) => body.onFailure(name, error),
      openStream(_, byteCount) {
        options.onSize?.(byteCount);
        return body;
      },
    });
  });
}

function readBody(
  client: TransportClient,
  name: string,
  { signal }: TransferOptions,
  ask: (body: ReadableBody) => void,
): ReadableStream<Uint8Array> {
  const giveUp = (reason: unknown): void =>
    client.channel.abort(new StreamError(`Transfer of ${name} was given up`, name, { cause: reason }));
  const onAbort = (): void => {
    body.fail(signal?.reason);
    giveUp(signal?.reason);
  };
  const body = new ReadableBody((cancelled) => {
    signal?.removeEventListener("abort", onAbort);
    if (cancelled !== undefined) giveUp(cancelled.reason);
  });
  if (signal?.aborted === true) {
    body.fail(signal.reason);
    return body.stream;
  }
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    ask(body);
  } catch (thrown) {
    body.fail(thrown);
  }
  return body.stream;
}

/**
 * Sends a request with bytes behind it, which are read as the peer takes them.
 *
 * @param client The connection.
 * @param meta What the peer is told of them.
 * @param data The bytes; a source is cancelled and a buffer released in every case.
 * @param options Size and signal.
 * @returns The answer. Rejects with what the peer says, with the connection's failure, or with the signal's reason.
 */
export function sendUpload(
  client: TransportClient,
  meta: Uint8Array,
  data: ManagedBuffer | ByteSource,
  options: UploadOptions = {},
): Promise<Uint8Array> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    let isSent = false;
    const buffer = releaseNoted("retain" in data ? data : streamBuffer(data, options.size), () => isSent = true);
    if (signal?.aborted === true) {
      buffer.release();
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      client.removeRpcRequest(requestId);
      reject(signal?.reason);
      if (isSent) return;
      const message = "An upload was given up";
      client.channel.abort(new StreamError(message, String(requestId), { cause: signal?.reason }));
    };
    const settle = (run: () => void): void => {
      signal?.removeEventListener("abort", onAbort);
      run();
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    let requestId = -1;
    try {
      requestId = client.uploadStream(meta, buffer, {
        deadline: Infinity,
        onSuccess: (body) => settle(() => resolve(body.take().slice())),
        onFailure: (error) => settle(() => reject(error)),
        onTimeout() {},
      });
    } catch (thrown) {
      settle(() => reject(toError(thrown)));
    }
  });
}

function streamBuffer(source: ByteSource, size: number | undefined): StreamManagedBuffer {
  if (size === undefined) throw new TypeError("The size of an upload must be given, since its source does not say it");
  return new StreamManagedBuffer(size, source);
}

/** The same buffer, whose last release is noted. */
function releaseNoted(buffer: ManagedBuffer, onReleased: () => void): ManagedBuffer {
  let holders = 1;
  const noted: ManagedBuffer = {
    size: buffer.size,
    bytes: buffer.bytes,
    read: (position, into) => buffer.read(position, into),
    retain() {
      holders++;
      return noted;
    },
    release() {
      if (--holders > 0) return;
      onReleased();
      buffer.release();
    },
  };
  return noted;
}

/**
 * Takes an upload as a ReadableStream: what an `RpcHandler.receiveStream` may return. A reader that is slow holds the sender back.
 *
 * @param id Names the upload.
 * @param receive Reads the bytes; what it resolves to is the answer, what it rejects with fails the upload. What it leaves unread is
 * dropped.
 *
 * @example
 * ```ts
 * import { receiveUpload } from "@sparkwire/sparkwire";
 *
 * const texts: string[] = [];
 * const upload = receiveUpload("rdd_0_1", async (bytes) => {
 *   texts.push(await new Response(bytes).text());
 * });
 * // This is what a connection does with it.
 * upload.onStart?.("rdd_0_1", 6);
 * upload.onData("rdd_0_1", new TextEncoder().encode("Spark!"), true, { pause() {}, resume() {} });
 * await upload.onComplete("rdd_0_1");
 * if (texts[0] !== "Spark!") throw new Error(texts[0]);
 * ```
 */
export function receiveUpload(
  id: string,
  receive: (bytes: ReadableStream<Uint8Array>, byteCount: number) => Promise<Content | void>,
): StreamCallbackWithId {
  let failure: { readonly thrown: unknown } | undefined;
  let received: Promise<Content | void> | undefined;
  let response: Content = new Uint8Array(0);
  const body = new ReadableBody(() => {});
  return {
    id,
    onStart(_, byteCount) {
      received = receive(body.stream, byteCount);
      // Whoever does not want the rest must not hold it back.
      received.then(() => body.fail(new StreamError(`Upload ${id} is over`, id)), (thrown) => {
        failure = { thrown };
        body.fail(thrown);
      });
    },
    allocate: () => body.allocate(),
    onData(streamId, chunk, owned, flow) {
      if (failure !== undefined) throw failure.thrown;
      body.onData(streamId, chunk, owned, flow);
    },
    async onComplete() {
      body.onComplete();
      response = await received ?? response;
    },
    onFailure: (streamId, error) => body.onFailure(streamId, error),
    completionResponse: () => response,
  };
}
