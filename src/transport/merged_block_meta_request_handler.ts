/**
 * Answers a connection's requests for the meta data of merged blocks.
 *
 * Spark: `processMergedBlockMetaRequest` in common/network-common/…/server/TransportRequestHandler.java. Difference: a request that
 * nobody handles is refused instead of being left without an answer.
 *
 * @module
 */

import { toError } from "../base/errors.ts";
import type { Int64 } from "../base/int64.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import { type MergedBlockMetaRequest, MessageType, type RpcFailure } from "../protocol/message.ts";
import { sizeOf } from "./body_calls.ts";
import { bodyElsewhere } from "./body_elsewhere.ts";
import type { Channel } from "./channel.ts";
import type { MergedBlockMetaReqHandler } from "./merged_block_meta.ts";
import type { RequestResponder } from "./request_responder.ts";
import type { TransportClient } from "./transport_client.ts";
import type { BodyAnswering } from "./unsent_bodies.ts";

/** How {@linkcode MergedBlockMetaRequestHandler} answers. */
export interface MergedBlockMetaRequestHandlerOptions extends Pick<BodyAnswering, "unsent" | "failureText"> {
  /** Takes a request on; undefined if it was refused, since too many wait for their answers. */
  readonly begin: (requestId: Int64) => RequestResponder | undefined;
}

/** The meta data that one connection asks for. */
export class MergedBlockMetaRequestHandler {
  readonly #channel: Channel;
  readonly #client: TransportClient;
  readonly #options: MergedBlockMetaRequestHandlerOptions;

  /** @param client The other direction of the same connection. */
  constructor(channel: Channel, client: TransportClient, options: MergedBlockMetaRequestHandlerOptions) {
    this.#channel = channel;
    this.#client = client;
    this.#options = options;
  }

  /** A request has come. */
  processMergedBlockMetaRequest(
    { requestId, appId, shuffleId, shuffleMergeId, reduceId }: MergedBlockMetaRequest,
    handler: MergedBlockMetaReqHandler | undefined,
  ): void {
    const responder = this.#options.begin(requestId);
    if (responder === undefined) return;
    const onFailure = (error: Error): void => responder.onFailure(error);
    if (handler === undefined) {
      onFailure(new Error("This server has no merged blocks"));
      return;
    }
    const block = { appId, shuffleId, shuffleMergeId, reduceId };
    try {
      handler.receiveMergeBlockMetaReq(this.#client, block, {
        onFailure,
        onSuccess: (numChunks, buffer) => {
          if (responder.take()) this.#respond(requestId, numChunks, buffer);
          else buffer.release();
        },
      });
    } catch (thrown) {
      onFailure(toError(thrown));
    }
  }

  #respond(requestId: Int64, numChunks: number, buffer: ManagedBuffer): void {
    const { outgoing } = this.#channel;
    const sent = (error: Error | undefined): void => {
      if (error !== undefined) this.#options.unsent.log("the meta data of a merged block", error);
    };
    try {
      const body = bodyElsewhere(sizeOf(buffer));
      const head = { type: MessageType.MergedBlockMetaSuccess, requestId, numChunks, body } as const;
      outgoing.writeBody(head, buffer, sent, (error) => this.#failure(requestId, error));
    } catch (thrown) {
      // It is larger than a frame may be, or cannot be had any more.
      outgoing.writeMessage(this.#failure(requestId, toError(thrown)));
    }
  }

  #failure(requestId: Int64, error: Error): RpcFailure {
    return { type: MessageType.RpcFailure, requestId, error: this.#options.failureText(error) };
  }
}
