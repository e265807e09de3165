/**
 * Names one chunk of a registered stream.
 *
 * Spark: common/network-common/…/protocol/StreamChunkId.java.
 *
 * @module
 */

/** A stream's number, and which chunk of it. */
export class StreamChunkId {
  /** The stream's number: a Java long. */
  readonly streamId: bigint;
  /** Which chunk; the first is 0. */
  readonly chunkIndex: number;

  /** @param streamId The stream's number. @param chunkIndex Which chunk. */
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
