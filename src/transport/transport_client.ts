/**
 * Asks over one connection. Both ends of a connection have one; it may be shared by all who want that peer.
 *
 * Spark: common/network-common/…/client/TransportClient.java. Differences: ids count up, a message is written straight into the
 * connection's buffer, and what cannot be sent is known at once instead of by a write listener.
 *
 * @module
 */

import type { AskPhase } from "../base/error_codes.ts";
import { RpcError, RpcOverloadedError } from "../base/errors.ts";
import { highOfSafe, int64FromBigInt, int64FromSafe } from "../base/int64.ts";
import { MessageBody } from "../base/message_body.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import { MessageType } from "../protocol/message.ts";
import { RPC_HEAD_BYTES } from "../protocol/message_encoder.ts";
import type { StreamCallback } from "../protocol/stream_callback.ts";
import { StreamChunkId } from "../protocol/stream_chunk_id.ts";
import { sizeOf } from "./body_calls.ts";
import type { Channel } from "./channel.ts";
import type { ChunkReceivedCallback } from "./chunk_received_callback.ts";
import { type MergedBlock, type MergedBlockMetaResponseCallback, MergedBlockMetaWaiter } from "./merged_block_meta.ts";
import type { Content, RpcResponseCallback } from "./rpc_response_callback.ts";
import { MAX_STREAM_ID_LENGTH } from "./stream_manager.ts";
import type { TransportLimits } from "./transport_limits.ts";
import type { TransportResponseHandler } from "./transport_response_handler.ts";

/** What part of `maxOutboxBytes` requests that could go otherwise do not take. */
const LEFT_TO_OTHERS = 1 / 8;

/**
 * The asking side of a connection, by callbacks, which cost the least; `askRpc`, `readStream`, `readChunk` and `sendUpload` do the same
 * by promises and ReadableStreams. Made by {@linkcode TransportClientFactory}, and given to every {@linkcode RpcHandler}.
 *
 * @example A request and a message without an answer
 * ```ts
 * import { noOpRpcHandler, type RpcHandler, TransportContext } from "@sparkwire/sparkwire";
 *
 * const received: string[] = [];
 * const handler: RpcHandler = {
 *   ...noOpRpcHandler,
 *   receive: (_client, _body, responder) => void responder.onSuccess((out) => out.writeUtf8(received.join())),
 *   receiveOneWay: (_client, body) => void received.push(new TextDecoder().decode(body.bytes)),
 * };
 * const context = await TransportContext.create(handler);
 * const server = await context.createServer();
 * const factory = context.createClientFactory();
 *
 * const client = await factory.createClient(server.address);
 * client.send(new TextEncoder().encode("one"));
 * client.send((out) => out.writeUtf8("two"));
 * const answer = await new Promise<string>((resolve, reject) => {
 *   client.sendRpc(new Uint8Array(0), {
 *     deadline: Infinity,
 *     onSuccess: (body) => resolve(new TextDecoder().decode(body.bytes)),
 *     onFailure: reject,
 *     onTimeout() {},
 *   });
 * });
 * if (answer !== "one,two") throw new Error(answer);
 *
 * await factory.close();
 * await server.close();
 * ```
 */
export class TransportClient {
  /** The connection. */
  readonly channel: Channel;
  readonly #handler: TransportResponseHandler;
  readonly #maxOutboxBytes: number;
  readonly #maxFrameBytes: number;
  #clientId: string | undefined;
  /**
   * Whether bootstraps are at work on it, before anybody else gets it.
   *
   * @internal
   */
  inHandshake = false;

  /**
   * @param channel The connection.
   * @param handler Waits for the answers.
   * @param limits What may wait.
   *
   * @internal
   */
  constructor(
    channel: Channel,
    handler: TransportResponseHandler,
    limits: Pick<TransportLimits, "maxFrameBytes" | "maxOutboxBytes">,
  ) {
    this.channel = channel;
    this.#handler = handler;
    this.#maxOutboxBytes = limits.maxOutboxBytes;
    this.#maxFrameBytes = limits.maxFrameBytes;
  }

  /** Whether it can be used. */
  get isActive(): boolean {
    return this.channel.active;
  }

  /** Who the peer is, once it has authenticated itself or a bootstrap has said so: Spark has the application's id there. */
  get clientId(): string | undefined {
    return this.#clientId;
  }

  /**
   * Says who the peer is; once.
   *
   * @param id Its id.
   * @throws RpcError if that has been said before.
   */
  setClientId(id: string): void {
    if (this.#clientId !== undefined) throw new RpcError("AUTH", "Client ID has already been set.");
    this.#clientId = id;
  }

  /** How many requests wait for their answers. */
  get numOutstandingRequests(): number {
    return this.#handler.numOutstandingRequests;
  }

  /**
   * How far a request has come that was sent over it and has not been answered.
   *
   * @internal
   */
  get askPhase(): AskPhase {
    if (this.inHandshake) return "handshake";
    return this.channel.outgoing.empty ? "waiting" : "queued";
  }

  /** Counts as a request for the idle timeout: somebody is about to use this connection. */
  updateTimeOfLastRequest(): void {
    this.#handler.updateTimeOfLastRequest();
  }

  /**
   * Whether a request of so many bytes fits into a frame, and beside what waits to be sent, with some room left for others.
   *
   * @internal
   */
  hasRoomFor(bytes: number): boolean {
    const size = bytes + RPC_HEAD_BYTES;
    const room = this.#maxOutboxBytes * (1 - LEFT_TO_OTHERS);
    return size <= this.#maxFrameBytes && this.channel.outgoing.queuedBytes + size <= room;
  }

  /**
   * Sends a request; the callback hears of the answer, also when this connection breaks.
   *
   * @param content The request.
   * @param callback Waits for the answer.
   * @returns The request's id, or -1 if the callback has been failed already.
   * @throws RpcOverloadedError at `maxOutboxBytes`, `maxQueuedBytes` and `maxOutstandingRequests`, ProtocolError at
   * `maxFrameBytes`, and what `content` throws; then nothing was sent and the callback hears nothing.
   */
  sendRpc(content: Content, callback: RpcResponseCallback): number {
    const { channel } = this;
    if (!channel.active) {
      callback.onFailure(this.#inactiveError("RPC"));
      return -1;
    }
    this.#checkBacklog();
    const id = this.#handler.addRpcRequest(callback);
    try {
      channel.outgoing.writeFrame(MessageType.RpcRequest, highOfSafe(id), id | 0, content);
    } catch (thrown) {
      this.#handler.removeRpcRequest(id);
      throw thrown;
    }
    return id;
  }

  /**
   * Sends a message that wants no answer.
   *
   * @param content The message.
   * @returns Whether the connection took it.
   * @throws RpcOverloadedError at `maxOutboxBytes` and `maxQueuedBytes`, ProtocolError at `maxFrameBytes`, and what `content`
   * throws; then nothing was sent.
   */
  send(content: Content): boolean {
    if (!this.channel.active) return false;
    this.#checkBacklog();
    this.channel.outgoing.writeFrame(MessageType.OneWayMessage, 0, 0, content);
    return true;
  }

  /**
   * Asks for a stream. Answers carry no request id; they are matched by order.
   *
   * @param streamId Its name.
   * @param callback Takes it.
   * @throws RangeError for an id of more than 65,536 characters, ProtocolError for one that fits into no frame, RpcOverloadedError
   * at `maxOutboxBytes` and where 65,536 streams wait already; then nothing was sent and the callback hears nothing.
   */
  stream(streamId: string, callback: StreamCallback): void {
    if (streamId.length > MAX_STREAM_ID_LENGTH) {
      throw new RangeError(`Stream id has ${streamId.length} characters, but the limit is ${MAX_STREAM_ID_LENGTH}`);
    }
    if (!this.channel.active) {
      callback.onFailure(streamId, this.#inactiveError(`stream ${streamId}`));
      return;
    }
    const { outgoing } = this.channel;
    const request = { type: MessageType.StreamRequest, streamId } as const;
    this.#checkBacklog();
    outgoing.checkSize(request);
    this.#handler.addStreamCallback(streamId, callback);
    outgoing.writeMessage(request);
  }

  /**
   * Asks for one chunk of a stream that the peer has registered. Chunks of one stream are asked for in their order.
   *
   * @param streamId The stream's number, as the peer gave it.
   * @param chunkIndex Which chunk; the first is 0.
   * @param callback Waits for it.
   * @throws RangeError if one of the numbers does not fit into the protocol's, so that no answer would be of this chunk,
   * RpcOverloadedError at `maxOutboxBytes` and `maxOutstandingRequests`; then nothing was sent and the callback hears nothing.
   */
  fetchChunk(streamId: bigint, chunkIndex: number, callback: ChunkReceivedCallback): void {
    const chunk = new StreamChunkId(streamId, chunkIndex);
    if (BigInt.asIntN(64, streamId) !== streamId || (chunkIndex | 0) !== chunkIndex) {
      throw new RangeError(`A stream's number has 64 bits, that of a chunk 32: ${chunk}`);
    }
    if (!this.channel.active) {
      callback.onFailure(chunkIndex, this.#inactiveError(chunk.toString()));
      return;
    }
    this.#checkBacklog();
    this.#handler.addFetchRequest(chunk, callback);
    this.channel.outgoing.writeMessage({
      type: MessageType.ChunkFetchRequest,
      streamId: int64FromBigInt(streamId),
      chunkIndex,
    });
  }

  /**
   * Sends a request with a stream of bytes behind it, which is read as the peer takes it. What is sent over this connection
   * meanwhile waits behind it.
   *
   * @param meta What the peer is told of it.
   * @param data The bytes; they are the connection's from here on and are released once, also where this throws.
   * @param callback Hears of the answer. Bytes that cannot be read fail it, and close the connection.
   * @returns The request's id, or -1 if the callback has been failed already.
   * @throws RpcOverloadedError at `maxOutboxBytes` and `maxOutstandingRequests`, ProtocolError if `meta` is too large, RangeError if the
   * size of `data` is none, and what `data` throws; then nothing was sent and the callback hears nothing.
   */
  uploadStream(meta: Uint8Array, data: ManagedBuffer, callback: RpcResponseCallback): number {
    const { channel } = this;
    if (!channel.active) {
      data.release();
      callback.onFailure(this.#inactiveError("RPC"));
      return -1;
    }
    let id: number;
    try {
      this.#checkBacklog();
      id = this.#handler.addRpcRequest(callback);
    } catch (thrown) {
      data.release();
      throw thrown;
    }
    const requestId = int64FromSafe(id);
    try {
      const bodyByteCount = sizeOf(data);
      const head = { type: MessageType.UploadStream, requestId, meta: MessageBody.of(meta), bodyByteCount } as const;
      channel.outgoing.writeBody(head, data, (error) => {
        if (error === undefined) return;
        const message = `Failed to send RPC RPC ${id} to ${channel.remote}: ${error.message}`;
        this.#handler.failRpcRequest(id, new RpcError("DISCONNECTED", message, { cause: error }));
      });
    } catch (thrown) {
      this.#handler.removeRpcRequest(id);
      throw thrown;
    }
    return id;
  }

  /**
   * Asks for the meta data of a merged shuffle block.
   *
   * @param block Which one.
   * @param callback Waits for the answer.
   * @throws RpcOverloadedError at `maxOutboxBytes` and `maxOutstandingRequests`, ProtocolError if the application's name fits into no
   * frame; then nothing was sent and the callback hears nothing.
   */
  sendMergedBlockMetaReq(block: MergedBlock, callback: MergedBlockMetaResponseCallback): void {
    if (!this.channel.active) {
      callback.onFailure(this.#inactiveError("RPC"));
      return;
    }
    const { outgoing } = this.channel;
    const request = (id: number) =>
      ({ type: MessageType.MergedBlockMetaRequest, requestId: int64FromSafe(id), ...block }) as const;
    this.#checkBacklog();
    outgoing.checkSize(request(0));
    outgoing.writeMessage(request(this.#handler.addRpcRequest(new MergedBlockMetaWaiter(callback))));
  }

  /**
   * Forgets a request; its answer will be ignored.
   *
   * @param id What `sendRpc` or `uploadStream` returned.
   */
  removeRpcRequest(id: number): void {
    this.#handler.removeRpcRequest(id);
  }

  /**
   * Closes the connection: outstanding requests fail, and what was sent before still leaves, for five seconds at most.
   *
   * @param reason What they fail with.
   */
  close(reason?: Error): void {
    this.channel.close(reason);
  }

  /** The peer and the state, for logs. */
  toString(): string {
    return `TransportClient[remoteAddress=${this.channel.remote}, clientId=${this.#clientId}, isActive=${this.isActive}]`;
  }

  #checkBacklog(): void {
    if (this.channel.outgoing.exceeds(this.#maxOutboxBytes)) throw this.#overloaded();
  }

  #overloaded(): RpcOverloadedError {
    const limit = this.#maxOutboxBytes;
    const queue = `outbox to ${this.channel.remote}`;
    return new RpcOverloadedError(`Cannot send: more than ${limit} bytes wait in the ${queue} (maxOutboxBytes)`, queue, limit);
  }

  #inactiveError(what: string): Error {
    const cause = this.channel.closeReason;
    // Spark says "Failed to send RPC RPC <n>"; a request that was never sent has no number here.
    const message = `Failed to send ${what} to ${this.channel.remote}: ${cause?.message ?? "the connection is closed"}`;
    return new RpcError("DISCONNECTED", message, cause === undefined ? {} : { cause });
  }
}
