/**
 * Names one chunk of a registered stream.
 *
 * Spark: common/network-common/…/protocol/StreamChunkId.java.
 *
 * @module
 */

/**
 * A stream's number, and which chunk of it.
 *
 * @example
 * ```ts
 * import { StreamChunkId } from "@sparkwire/sparkwire";
 *
 * if (new StreamChunkId(7n, 1).name !== "7_1") throw new Error("not its name");
 * ```
 */
export class StreamChunkId {
  /** The stream's number: a Java long. */
  readonly streamId: bigint;
  /** Which chunk; the first is 0. */
  readonly chunkIndex: number;

  /**
   * Names a chunk.
   *
   * @param streamId The stream's number.
   * @param chunkIndex Which chunk; the first is 0.
   */
  constructor(streamId: bigint, chunkIndex: number) {
    this.streamId = streamId;
    this.chunkIndex = chunkIndex;
  }

  /** The name under which the chunk can be had as a stream too. Spark: OneForOneStreamManager.genStreamChunkId. */
  get name(): string {
    return `${this.streamId}_${this.chunkIndex}`;
  }

  /** As Spark has it in messages. */
  toString(): string {
    return `StreamChunkId[streamId=${this.streamId},chunkIndex=${this.chunkIndex}]`;
  }
}
