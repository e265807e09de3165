/**
 * A download as a ReadableStream: a wrapper for the edge, which the core and simulations do without.
 *
 * @module
 */

import type { DownloadSink, FileDownloadChannel } from "./file_download_channel.ts";

/** How many bytes wait in a stream before the far end is held back, and no more than a read above. */
const HIGH_WATER_MARK_BYTES = 1024 * 1024;

/** How a file is downloaded. */
export interface OpenChannelOptions {
  /** Cancels the download: the stream fails with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Hears how many bytes there are, before the first of them. */
  readonly onSize?: ((bytes: number) => void) | undefined;
}

/**
 * A stream of what a download gives.
 *
 * @param open Starts the download.
 * @param onSize Hears how many bytes there are.
 */
export function downloadStream(
  open: (sink: DownloadSink) => FileDownloadChannel,
  onSize?: (bytes: number) => void,
): ReadableStream<Uint8Array> {
  let channel: FileDownloadChannel | undefined;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      channel = open({
        onSize: (bytes) => onSize?.(bytes),
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
  }, { highWaterMark: HIGH_WATER_MARK_BYTES, size: (chunk) => chunk.length });
}
