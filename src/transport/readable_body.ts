/**
 * A body that arrives as a ReadableStream: a wrapper for the edge, which the core and simulations do without.
 *
 * @module
 */

import type { BodyChannel, BodySink } from "./body_channel.ts";

/** How many bytes wait in a stream before the far end is held back, and no more than a read above. */
const HIGH_WATER_MARK_BYTES = 1024 * 1024;
/** What a chunk takes besides its bytes, of which a far end may send one at a time. */
const CHUNK_BYTES = 256;

/**
 * A stream of what a channel gives. To cancel it cancels the channel.
 *
 * @param open Makes the channel, and may ask for the body at once.
 * @param onSize Hears how many bytes there are, before the first of them; what it throws cancels the channel.
 */
export function readableBody(
  open: (sink: BodySink) => BodyChannel,
  onSize?: (bytes: number) => void,
): ReadableStream<Uint8Array> {
  let channel: BodyChannel | undefined;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      channel = open({
        onSize(bytes) {
          try {
            onSize?.(bytes);
          } catch (thrown) {
            channel?.cancel(thrown);
          }
        },
        onData(chunk) {
          controller.enqueue(chunk);
          return (controller.desiredSize ?? 0) > 0;
        },
        onComplete: () => controller.close(),
        onFailure: (reason) => controller.error(reason),
      });
    },
    pull(controller) {
      // Not at each chunk that was read: to hold back and to go on costs more than a chunk.
      if ((controller.desiredSize ?? 0) >= HIGH_WATER_MARK_BYTES / 2) channel?.resume();
    },
    cancel: (reason) => channel?.cancel(reason),
  }, { highWaterMark: HIGH_WATER_MARK_BYTES, size: (chunk) => chunk.length + CHUNK_BYTES });
}
