/**
 * Asks over one connection. Both ends of a connection have one; it may be shared by all who want that peer.
 *
 * Spark: common/network-common/…/client/TransportClient.java. Differences: ids count up, a message is written straight into the
 * connection's buffer, and what cannot be sent is known at once instead of by a write listener.
 *
 * @module
 */

import type { ByteSink } from "../base/bytes.ts";
import { RpcError, RpcOverloadedError } from "../base/errors.ts";
import { MessageType } from "../protocol/message.ts";
import { beginOneWayMessage, beginRpcRequest } from "../protocol/message_encoder.ts";
import type { StreamCallback } from "../protocol/stream_callback.ts";
import type { Channel } from "./channel.ts";
import { type EndFrame, limitedEndFrame } from "./frame_limit.ts";
import type { Content, RpcResponseCallback } from "./rpc_response_callback.ts";
import { MAX_STREAM_ID_LENGTH } from "./stream_manager.ts";
import type { TransportResponseHandler } from "./transport_response_handler.ts";

/** Limits of what one connection may have waiting. */
export interface TransportClientLimits {
  /** Bytes of own messages that wait to be sent. */
  readonly maxOutboxBytes: number;
  /** The largest frame that may be sent, in bytes without its length field. */
  readonly maxFrameBytes: number;
}

/** The asking side of a connection. */
export class TransportClient {
  /** The connection. */
  readonly channel: Channel;
  readonly #handler: TransportResponseHandler;
  readonly #maxOutboxBytes: number;
  readonly #endFrame: EndFrame;
  #clientId: string | undefined;

  /** @param channel The connection. @param handler Waits for the answers. @param limits What may wait. */
  constructor(channel: Channel, handler: TransportResponseHandler, limits: TransportClientLimits) {
    this.channel = channel;
    this.#handler = handler;
    this.#maxOutboxBytes = limits.maxOutboxBytes;
    this.#endFrame = limitedEndFrame(limits.maxFrameBytes);
  }

  /** Whether it can be used. */
  get isActive(): boolean {
    return this.channel.active;
  }

  /** Who the peer is, once it has authenticated itself. */
  get clientId(): string | undefined {
    return this.#clientId;
  }

  /**
   * Says who the peer is; once.
   *
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

  /** Counts as a request for the idle timeout: somebody is about to use this connection. */
  updateTimeOfLastRequest(): void {
    this.#handler.updateTimeOfLastRequest();
  }

  /**
   * Sends a request; the callback hears of the answer, also when this connection breaks.
   *
   * @returns The request's id, or -1 if the callback has been failed already.
   * @throws RpcOverloadedError at `maxOutboxBytes` and `maxOutstandingRequests`, ProtocolError at `maxFrameBytes`, and what
   * `content` throws; then nothing was sent and the callback hears nothing.
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
      channel.outgoing.writeFrame(beginRpcRequest, id, content, this.#endFrame);
    } catch (thrown) {
      this.#handler.removeRpcRequest(id);
      throw thrown;
    }
    return id;
  }

  /**
   * Sends a message that wants no answer.
   *
   * @returns Whether the connection took it.
   * @throws RpcOverloadedError at `maxOutboxBytes`, ProtocolError at `maxFrameBytes`, and what `content` throws; then nothing
   * was sent.
   */
  send(content: Content): boolean {
    if (!this.channel.active) return false;
    this.#checkBacklog();
    this.channel.outgoing.writeFrame(beginOneWay, undefined, content, this.#endFrame);
    return true;
  }

  /**
   * Asks for a stream. Answers carry no request id; they are matched by order.
   *
   * @throws RangeError for an id of more than {@linkcode MAX_STREAM_ID_LENGTH} characters, RpcOverloadedError if too much
   * waits; then nothing was sent and the callback hears nothing.
   */
  stream(streamId: string, callback: StreamCallback): void {
    if (streamId.length > MAX_STREAM_ID_LENGTH) {
      throw new RangeError(`Stream id has ${streamId.length} characters, but the limit is ${MAX_STREAM_ID_LENGTH}`);
    }
    if (!this.channel.active) {
      callback.onFailure(streamId, this.#inactiveError(`stream ${streamId}`));
      return;
    }
    this.#checkBacklog();
    this.#handler.addStreamCallback(streamId, callback);
    this.channel.outgoing.writeMessage({ type: MessageType.StreamRequest, streamId });
  }

  /** Forgets a request; its answer will be ignored. */
  removeRpcRequest(id: number): void {
    this.#handler.removeRpcRequest(id);
  }

  /** Closes the connection: outstanding requests fail, with `reason` if there is one, and what was sent leaves. */
  close(reason?: Error): void {
    this.channel.close(reason);
  }

  /** The peer and the state, for logs. */
  toString(): string {
    return `TransportClient[remoteAddress=${this.channel.remote}, clientId=${this.#clientId}, isActive=${this.isActive}]`;
  }

  #checkBacklog(): void {
    const limit = this.#maxOutboxBytes;
    if (!this.channel.outgoing.exceeds(limit)) return;
    const queue = `outbox to ${this.channel.remote}`;
    throw new RpcOverloadedError(`Cannot send: more than ${limit} bytes wait in the ${queue} (maxOutboxBytes)`, queue, limit);
  }

  #inactiveError(what: string): Error {
    const cause = this.channel.closeReason;
    // Spark says "Failed to send RPC RPC <n>"; a request that was never sent has no number here.
    const message = `Failed to send ${what} to ${this.channel.remote}: ${cause?.message ?? "the connection is closed"}`;
    return new RpcError("DISCONNECTED", message, cause === undefined ? {} : { cause });
  }
}

function beginOneWay(_: undefined, out: ByteSink): number {
  return beginOneWayMessage(out);
}
