/**
 * Streams, chunks and uploads of a connection as ReadableStreams and promises: a wrapper for the edge, which the core and
 * simulations do without.
 *
 * What comes over a connection comes in order, and the protocol has no word for "no more of this": a transfer that is given up takes
 * its connection with it, and the other requests there fail; and one whose reader stops holds up all that comes behind it, so several
 * of one connection are read in the order in which they were asked for. Who cannot promise that dials one for each:
 * {@linkcode TransportClientFactory.createUnmanagedClient}.
 *
 * @module
 */

import { StreamError } from "../base/errors.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import type { StreamFlow } from "../protocol/stream_callback.ts";
import { StreamChunkId } from "../protocol/stream_chunk_id.ts";
import { type AskRpcOptions, checkWait, promisedAnswer } from "./ask_rpc.ts";
import { BodyChannel } from "./body_channel.ts";
import { readableBody } from "./readable_body.ts";
import type { Content } from "./rpc_response_callback.ts";
import type { StreamCallbackWithId } from "./stream_callback_with_id.ts";
import { type ByteSource, cancelSource, StreamManagedBuffer } from "./stream_managed_buffer.ts";
import type { TransportClient } from "./transport_client.ts";

/** How a stream, a chunk or a file is read. */
export interface TransferOptions {
  /** Gives it up: the stream fails with the signal's reason, and the connection is closed unless all has come. */
  readonly signal?: AbortSignal | undefined;
  /** Hears how many bytes there are, before the first of them. What it throws gives the transfer up, as the signal does. */
  readonly onSize?: ((bytes: number) => void) | undefined;
}

/** How bytes are uploaded. To give up, by signal or time limit, closes the connection unless all has been sent. */
export interface UploadOptions extends AskRpcOptions {
  /** How many bytes there are; needed where `data` does not say. */
  readonly size?: number | undefined;
}

/** Not held back: it has come already. */
const noFlow: StreamFlow = { pause() {}, resume() {} };

/**
 * Reads a stream that the peer has. A reader that is slow holds the peer back: at most 1 MiB and a read wait here.
 *
 * @param client The connection.
 * @param streamId Its name.
 * @param options Signal and size.
 * @returns The bytes, in chunks that are the reader's to keep. It fails with a StreamError if the peer has no such stream or the
 * connection breaks within it, with an RpcError of code `DISCONNECTED` if it is closed before, with an RpcOverloadedError if too much
 * waits, with a RangeError if the name is longer than 65,536 characters, and with the signal's reason.
 *
 * @example
 * ```ts
 * import { BytesManagedBuffer, noOpRpcHandler, readStream, TransportContext } from "@sparkwire/sparkwire";
 *
 * const streamManager = { openStream: (name: string) => new BytesManagedBuffer(new TextEncoder().encode(`This is ${name}`)) };
 * const context = await TransportContext.create({ ...noOpRpcHandler, streamManager });
 * const server = await context.createServer();
 * const factory = context.createClientFactory();
 *
 * const client = await factory.createClient(server.address);
 * const text = await new Response(readStream(client, "Spark")).text();
 * if (text !== "This is Spark") throw new Error(text);
 *
 * await factory.close();
 * await server.close();
 * ```
 */
export function readStream(
  client: TransportClient,
  streamId: string,
  options: TransferOptions = {},
): ReadableStream<Uint8Array> {
  return readBody(client, streamId, options, (channel) => client.stream(streamId, channel));
}

/**
 * Reads one chunk of a stream that the peer has registered; one of 1 MiB or more as it comes. A reader that is slow holds the peer
 * back: at most 1 MiB and a read wait here.
 *
 * @param client The connection.
 * @param streamId The stream's number, as the peer gave it.
 * @param chunkIndex Which chunk; the first is 0, and they are asked for in their order.
 * @param options Signal and size.
 * @returns The bytes, in chunks that are the reader's to keep. It fails with a StreamError if the peer refuses the chunk, with an
 * RpcError of code `DISCONNECTED` if the connection is closed before its last byte, with an RpcOverloadedError if too much waits, with a
 * RangeError if one of the numbers does not fit into the protocol's, and with the signal's reason. What was disconnected may be had over
 * another connection.
 *
 * @example
 * ```ts
 * import { BytesManagedBuffer, noOpRpcHandler, OneForOneStreamManager, readChunk, TransportContext } from "@sparkwire/sparkwire";
 *
 * const streamManager = new OneForOneStreamManager();
 * const context = await TransportContext.create({ ...noOpRpcHandler, streamManager });
 * const server = await context.createServer();
 * const factory = context.createClientFactory();
 *
 * const chunks = ["Hello, ", "Spark!"].map((text) => new BytesManagedBuffer(new TextEncoder().encode(text)));
 * const streamId = streamManager.registerStream("app-1", chunks);
 * const client = await factory.createClient(server.address);
 * const hello = await new Response(readChunk(client, streamId, 0)).text();
 * const spark = await new Response(readChunk(client, streamId, 1)).text();
 * if (hello + spark !== "Hello, Spark!") throw new Error(hello + spark);
 *
 * await factory.close();
 * await server.close();
 * ```
 */
export function readChunk(
  client: TransportClient,
  streamId: bigint,
  chunkIndex: number,
  options: TransferOptions = {},
): ReadableStream<Uint8Array> {
  const { name } = new StreamChunkId(streamId, chunkIndex);
  return readBody(client, name, options, (channel, arrived) => {
    client.fetchChunk(streamId, chunkIndex, {
      onSuccess(_, whole) {
        arrived();
        channel.onStart(name, whole.length);
        if (whole.length > 0) channel.onData(name, whole.take(), true, noFlow);
        channel.onComplete();
      },
      onFailure: (_, error) => channel.onFailure(name, error),
      openStream(_, byteCount) {
        channel.onStart(name, byteCount);
        return channel;
      },
    });
  });
}

function readBody(
  client: TransportClient,
  name: string,
  { signal, onSize }: TransferOptions,
  ask: (channel: BodyChannel, arrived: () => void) => void,
): ReadableStream<Uint8Array> {
  return readableBody((sink) => {
    const onAbort = (): void => channel.cancel(signal?.reason);
    const channel = new BodyChannel(name, sink, (failure) => {
      signal?.removeEventListener("abort", onAbort);
      if (failure?.cancelled !== true || !isComing) return;
      client.channel.abort(new StreamError(`Transfer of ${name} was given up`, name, { cause: failure.reason }));
    });
    let isComing = false;
    if (signal?.aborted === true) {
      channel.cancel(signal.reason);
      return channel;
    }
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      ask(channel, () => isComing = false);
      isComing = true;
    } catch (thrown) {
      channel.cancel(thrown);
    }
    return channel;
  }, onSize);
}

/**
 * Sends a request with bytes behind it, which are read as the peer takes them.
 *
 * @param client The connection. What else is sent over it meanwhile waits behind the bytes.
 * @param meta What the peer is told of them.
 * @param data The bytes. A buffer is released and a source cancelled in every case.
 * @param options How many bytes a source has, time limit and signal.
 * @returns The answer, which is the caller's own copy. Rejects as {@linkcode askRpc} does, with an RpcError of code `DISCONNECTED` if
 * the bytes cannot be read or are seen not to be as many as promised, which closes the connection, and with a TypeError or
 * RangeError if their size is missing or none.
 *
 * @example
 * ```ts
 * import { noOpRpcHandler, receiveUpload, type RpcHandler, sendUpload, TransportContext } from "@sparkwire/sparkwire";
 *
 * const handler: RpcHandler = {
 *   ...noOpRpcHandler,
 *   receiveStream: (_client, meta) =>
 *     receiveUpload(new TextDecoder().decode(meta.bytes), async (bytes) => {
 *       const text = await new Response(bytes).text();
 *       return new TextEncoder().encode(`${text.length} letters`);
 *     }),
 * };
 * const context = await TransportContext.create(handler);
 * const server = await context.createServer();
 * const factory = context.createClientFactory();
 *
 * async function* letters(): AsyncGenerator<Uint8Array> {
 *   for (const letter of "Spark!") yield await Promise.resolve(new TextEncoder().encode(letter));
 * }
 * const client = await factory.createClient(server.address);
 * const answer = await sendUpload(client, new TextEncoder().encode("notes.txt"), letters(), { size: 6 });
 * if (new TextDecoder().decode(answer) !== "6 letters") throw new Error("not all of them");
 *
 * await factory.close();
 * await server.close();
 * ```
 */
export async function sendUpload(
  client: TransportClient,
  meta: Uint8Array,
  data: ManagedBuffer | ByteSource,
  options: UploadOptions = {},
): Promise<Uint8Array> {
  let isSent = false;
  const buffer = releaseNoted("retain" in data ? data : streamBuffer(data, options.size), () => isSent = true);
  try {
    checkWait(options);
  } catch (thrown) {
    buffer.release();
    throw thrown;
  }
  return await promisedAnswer(client, options, (callback) => client.uploadStream(meta, buffer, callback), (id, cause) => {
    if (!isSent) client.channel.abort(new StreamError("An upload was given up", String(id), { cause }));
  });
}

function streamBuffer(source: ByteSource, size: number | undefined): StreamManagedBuffer {
  try {
    if (size === undefined) throw new TypeError("The size of an upload must be given, since its source does not say it");
    return new StreamManagedBuffer(size, source);
  } catch (thrown) {
    cancelSource(source);
    throw thrown;
  }
}

/** The same buffer, whose last release is noted. */
function releaseNoted(buffer: ManagedBuffer, onReleased: () => void): ManagedBuffer {
  let holders = 1;
  const noted: ManagedBuffer = {
    get size() {
      return buffer.size;
    },
    get bytes() {
      return buffer.bytes;
    },
    get keepsBytes() {
      return buffer.keepsBytes;
    },
    read: (position, into) => buffer.read(position, into),
    cancel: () => buffer.cancel?.(),
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
 * Takes an upload as a ReadableStream: what an `RpcHandler.receiveStream` may return. A reader that is slow holds the sender back: at
 * most 1 MiB and a read wait here. One that has stopped hears that its sender is gone when it reads on.
 *
 * @param id Names the upload.
 * @param receive Reads the bytes, of which it is told how many there are; what it resolves to is the answer, what it rejects with
 * fails the upload. What it leaves unread is dropped.
 * @returns What takes the bytes.
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
  let channel: BodyChannel | undefined;
  let failure: { readonly thrown: unknown } | undefined;
  let received: Promise<Content | void> | undefined;
  let response: Content = new Uint8Array(0);
  return {
    id,
    onStart(_, byteCount) {
      received = receive(readableBody((sink) => channel = new BodyChannel(id, sink, () => {})), byteCount);
      // Whoever does not want the rest must not hold it back.
      received.then(() => channel?.cancel(new StreamError(`Upload ${id} is over`, id)), (thrown) => {
        failure = { thrown };
        channel?.cancel(thrown);
      });
    },
    allocate: () => channel?.allocate(),
    onData(streamId, chunk, owned, flow) {
      if (failure !== undefined) throw failure.thrown;
      channel?.onData(streamId, chunk, owned, flow);
    },
    async onComplete() {
      channel?.onComplete();
      response = await received ?? response;
    },
    onFailure: (streamId, error) => channel?.onFailure(streamId, error),
    completionResponse: () => response,
  };
}
