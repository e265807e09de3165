/**
 * Refuses frames that are larger than the other end takes, before any of their bytes has left.
 *
 * Spark: none; there only the callers of `spark.rpc.message.maxSize` look, and a frame that is too large breaks the connection.
 *
 * @module
 */

import type { ByteSink } from "../base/bytes.ts";
import { ProtocolError } from "../base/errors.ts";
import { FRAME_LENGTH_BYTES, MAX_FRAME_BYTES } from "../protocol/frame_length.ts";
import { endFrame } from "../protocol/message_encoder.ts";

/** Ends a frame that begins at `frameStart`. */
export type EndFrame = (frameStart: number, out: ByteSink) => void;

/**
 * Makes what ends the frames of a connection. It throws a ProtocolError, which has no offset since nothing was received, for
 * one of more than `maxFrameBytes` without its length field, as the decoder of the other end counts.
 *
 * @param maxFrameBytes The largest frame; one of 2³¹ - 1 bytes or more is never sent.
 */
export function limitedEndFrame(maxFrameBytes: number): EndFrame {
  const limit = Math.min(maxFrameBytes, MAX_FRAME_BYTES);
  return (frameStart, out) => {
    const size = out.position - frameStart - FRAME_LENGTH_BYTES;
    if (size > limit) {
      throw new ProtocolError(`Message takes ${size} bytes, but the limit is ${limit} (spark.rpc.message.maxSize)`, { limit });
    }
    endFrame(frameStart, out);
  };
}
