/**
 * Asking for the meta data of merged shuffle blocks: the question and its answer travel, what they mean is the application's.
 *
 * Spark: common/network-common/…/client/MergedBlockMetaResponseCallback.java and MergedBlockMetaReqHandler in server/RpcHandler.java.
 * Difference: a server without a handler refuses instead of never answering.
 *
 * @module
 */

import { ProtocolError } from "../base/errors.ts";
import type { MessageBody } from "../base/message_body.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import type { RpcResponseCallback } from "./rpc_response_callback.ts";
import type { TransportClient } from "./transport_client.ts";

/** Which merged block. */
export interface MergedBlock {
  /** The application. */
  readonly appId: string;
  /** The shuffle. */
  readonly shuffleId: number;
  /** Which merging of it. */
  readonly shuffleMergeId: number;
  /** The partition. */
  readonly reduceId: number;
}

/** Waits for the meta data of a merged block. */
export interface MergedBlockMetaResponseCallback {
  /** The answer: how many chunks there are, and a bitmap of each, one after the other. Borrowed until this returns. */
  onSuccess(numChunks: number, body: MessageBody): void;
  /** There will be no answer. */
  onFailure(error: Error): void;
}

/** Answers one request for the meta data of a merged block. */
export interface MergedBlockMetaResponder {
  /** Answers; `buffer` is the connection's from here on. */
  onSuccess(numChunks: number, buffer: ManagedBuffer): void;
  /** Answers with a failure. */
  onFailure(error: Error): void;
}

/** Answers for the meta data of merged blocks. Spark: RpcHandler.MergedBlockMetaReqHandler. */
export interface MergedBlockMetaReqHandler {
  /** A request. What it throws fails the request. */
  receiveMergeBlockMetaReq(client: TransportClient, block: MergedBlock, responder: MergedBlockMetaResponder): void;
}

/** Waits among the other requests of its connection. */
export class MergedBlockMetaWaiter implements RpcResponseCallback {
  readonly deadline = Infinity;
  readonly #callback: MergedBlockMetaResponseCallback;

  /** @param callback Who waits. */
  constructor(callback: MergedBlockMetaResponseCallback) {
    this.#callback = callback;
  }

  /** The answer. */
  onMergedBlockMeta(numChunks: number, body: MessageBody): void {
    this.#callback.onSuccess(numChunks, body);
  }

  /** An answer to another question. */
  onSuccess(): void {
    this.#callback.onFailure(new ProtocolError("An RpcResponse came for a MergedBlockMetaRequest"));
  }

  onFailure(error: Error): void {
    this.#callback.onFailure(error);
  }

  onTimeout(): void {}
}
