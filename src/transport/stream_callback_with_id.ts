/**
 * Who takes the bytes of an upload.
 *
 * Spark: common/network-common/…/client/StreamCallbackWithID.java. Difference: the end may be waited for.
 *
 * @module
 */

import type { StreamCallback } from "../protocol/stream_callback.ts";
import type { Content } from "./rpc_response_callback.ts";

/** Takes an upload: onStart perhaps, onData any number of times, then onComplete, and onFailure if that or anything before failed. */
export interface StreamCallbackWithId extends Omit<StreamCallback, "onComplete"> {
  /** Names the upload in the calls of this object. Spark: getID. */
  readonly id: string;
  /** All bytes have come. The peer is answered when this has returned or its promise has settled. */
  onComplete(streamId: string): void | Promise<void>;
  /** What the peer is answered, asked for after `onComplete`; nothing if left out. Spark: getCompletionResponse. */
  completionResponse?(): Content;
}
