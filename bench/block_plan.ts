/**
 * What the comparison of blocks moves: 256 MiB as 64 chunks or as one stream out of memory, or as one stream out of a file.
 *
 * A stream is taken by a callback that has memory of its own, as Spark's network layer gives it; `readable` is the same bytes by
 * `openBlock`, which makes a ReadableStream of them.
 *
 * @module
 */

/** How many chunks there are. */
export const CHUNKS = 64;
/** How long each is. */
export const CHUNK_BYTES: number = 4 * 1024 * 1024;
/** All of them. */
export const ALL_BYTES: number = CHUNKS * CHUNK_BYTES;

/** What is moved. */
export type BlockWorkload = "chunks" | "stream" | "file" | "readable";

/** All of them, with the part of the raw socket's rate that must be left. */
export const BLOCK_FLOORS: Readonly<Record<BlockWorkload, number | undefined>> = {
  chunks: 0.7,
  stream: 0.7,
  file: 0.8,
  readable: undefined,
};

/** Whether a text is one of them. */
export function isBlockWorkload(text: string): text is BlockWorkload {
  return Object.hasOwn(BLOCK_FLOORS, text);
}

/** The name of a chunk. */
export function chunkId(index: number): string {
  return `chunk_${index}`;
}

/** All bytes, in memory. */
export function allBytes(): Uint8Array {
  return new Uint8Array(ALL_BYTES).map((_, i) => (i * 131) ^ (i >> 8));
}
