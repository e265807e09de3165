/**
 * What a peer is told of a failure.
 *
 * @module
 */

import { MAX_ERROR_BYTES } from "../protocol/message_decoder.ts";

/** What a ChunkFetchFailure takes besides its text; a failure of another kind takes less, but for a stream's name. */
const FAILURE_HEAD_BYTES = 17;
/** A UTF-16 unit takes no more in UTF-8. */
const MAX_UTF8_BYTES_PER_UNIT = 3;

const encoder = new TextEncoder();

/** How failures are told. */
export interface FailureTextOptions {
  /** Whether failures carry this end's stack traces. */
  readonly exposeStack: boolean;
  /** The largest frame, in bytes: the text of a failure has to fit into it. */
  readonly maxFrameBytes: number;
}

/** The text of `error`, or its beginning if it is long. */
export function failureText(error: Error, { exposeStack, maxFrameBytes }: FailureTextOptions): string {
  const text = exposeStack && error.stack !== undefined ? error.stack : error.message;
  return cutToBytes(text, Math.min(MAX_ERROR_BYTES, maxFrameBytes - FAILURE_HEAD_BYTES));
}

/** The beginning of `text` that takes no more than `maxBytes` of UTF-8: for a larger frame the peer would close the connection. */
function cutToBytes(text: string, maxBytes: number): string {
  if (text.length * MAX_UTF8_BYTES_PER_UNIT <= maxBytes) return text;
  return text.slice(0, encoder.encodeInto(text, new Uint8Array(Math.max(0, maxBytes))).read);
}
