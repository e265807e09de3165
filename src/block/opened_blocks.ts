/**
 * The blocks that one request has opened, until each has been fetched or the connection is gone.
 *
 * @module
 */

import { RpcError } from "../base/errors.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import { released } from "../transport/body_calls.ts";
import type { ChunkIterator } from "./one_for_one_stream_manager.ts";

/** How many blocks of one request are looked for at once. */
const LOOK_UPS_AT_ONCE = 64;

/**
 * Finds all of the blocks, or none: if one is not there, those that were found are released.
 *
 * @param blockIds Their names.
 * @param find Finds one.
 * @param isWanted Whether anybody waits for them still.
 * @returns The blocks; rejects with what the first of `find` failed with, or when nobody wants them any more.
 */
export async function findBlocks(
  blockIds: readonly string[],
  find: (blockId: string) => ManagedBuffer | Promise<ManagedBuffer>,
  isWanted: () => boolean,
): Promise<ManagedBuffer[]> {
  const found: ManagedBuffer[] = [];
  const fail = (reason: unknown): never => {
    for (const block of found) released(block);
    throw reason;
  };
  for (let at = 0; at < blockIds.length; at += LOOK_UPS_AT_ONCE) {
    if (!isWanted()) fail(new RpcError("DISCONNECTED", "Whoever asked for the blocks has gone"));
    const looking = blockIds.slice(at, at + LOOK_UPS_AT_ONCE).map(async (blockId) => await find(blockId));
    const results = await Promise.allSettled(looking);
    for (const result of results) if (result.status === "fulfilled") found.push(result.value);
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) fail(failed.reason);
  }
  return found;
}

/** Blocks as the chunks of a stream; each is told of as it is handed out. */
export class OpenedBlocks implements ChunkIterator {
  /** Those that were handed out are the receiver's alone, so they are not kept here. */
  readonly #blocks: (ManagedBuffer | undefined)[];
  readonly #onTaken: () => void;
  #at = 0;

  /** @param blocks The blocks. @param onTaken Called for each. */
  constructor(blocks: readonly ManagedBuffer[], onTaken: () => void) {
    this.#blocks = [...blocks];
    this.#onTaken = onTaken;
  }

  hasNext(): boolean {
    return this.#at < this.#blocks.length;
  }

  next(): ManagedBuffer {
    const block = this.#blocks[this.#at]!;
    this.#blocks[this.#at++] = undefined;
    this.#onTaken();
    return block;
  }
}
