/**
 * Serves a folder of blocks, and keeps what is uploaded in it.
 *
 * Spark: core/…/storage/DiskStore.scala, as far as its BlockManager is a BlockDataManager. Difference: how a block is to be stored
 * is not read: it is stored on disk, as it came.
 *
 * @module
 */

import { RpcError, toError } from "../base/errors.ts";
import { type Logger, silentLogger } from "../base/logger.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import type { StreamFlow } from "../protocol/stream_callback.ts";
import type { StreamCallbackWithId } from "../transport/stream_callback_with_id.ts";
import type { BlockDataManager } from "./block_data_manager.ts";
import type { BlockWriter, DiskBlockManager } from "./disk_block_manager.ts";
import { PacedWriter } from "./paced_writer.ts";

/** How much of a block that is not in memory is copied at a time. */
const COPIED_BYTES = 256 * 1024;

/** Options of {@linkcode DiskBlockStore}. */
export interface DiskBlockStoreOptions {
  /**
   * Hears of files that could not be taken away.
   *
   * @default silent
   */
  readonly logger?: Logger | undefined;
}

/**
 * A {@linkcode BlockDataManager} over files.
 *
 * @example
 * ```ts
 * import { BytesManagedBuffer, DiskBlockManager, DiskBlockStore, MemoryWritableFiles } from "@sparkwire/sparkwire";
 * import { NettyBlockTransferService, SparkConf } from "@sparkwire/sparkwire";
 *
 * const store = new DiskBlockStore(new DiskBlockManager("/blocks", { files: new MemoryWritableFiles() }));
 * const service = new NettyBlockTransferService(new SparkConf(), { host: "127.0.0.1" });
 * await service.init(store);
 *
 * await store.putBlockData("rdd_0_0", new BytesManagedBuffer(Uint8Array.of(1, 2, 3)));
 * const block = await service.fetchBlock({ host: "127.0.0.1", port: service.port ?? 0, execId: "1" }, "rdd_0_0");
 * if (block.size !== 3) throw new Error("not three bytes");
 * block.release();
 * await service.close();
 * ```
 */
export class DiskBlockStore implements BlockDataManager {
  /** Where the blocks are. */
  readonly blocks: DiskBlockManager;
  readonly #logger: Logger;

  /**
   * Serves what is there, and what will be.
   *
   * @param blocks Where the blocks are.
   * @param options Its log.
   */
  constructor(blocks: DiskBlockManager, options: DiskBlockStoreOptions = {}) {
    this.blocks = blocks;
    this.#logger = options.logger ?? silentLogger;
  }

  /** A block, read from its file as it is sent. */
  getLocalBlockData(blockId: string): Promise<ManagedBuffer> {
    return this.blocks.getBlock(blockId);
  }

  /** Writes a block that came whole. */
  async putBlockData(blockId: string, data: ManagedBuffer): Promise<boolean> {
    const writer = await this.blocks.createBlock(blockId);
    try {
      await copyTo(writer, data);
      await writer.commit();
      return true;
    } catch (thrown) {
      await this.#abort(writer, blockId);
      throw thrown;
    }
  }

  /** Writes a block as it comes; a disk that is slow holds its sender back. */
  putBlockDataAsStream(blockId: string): StreamCallbackWithId {
    const opening = this.blocks.createBlock(blockId);
    // Whoever waits for it has the failure.
    opening.catch(() => {});
    const paced = new PacedWriter(async (chunk) => (await opening).write(chunk));
    return {
      id: blockId,
      allocate: () => paced.allocate(),
      onData: (_id: string, chunk: Uint8Array, owned: boolean, flow: StreamFlow) => paced.push(chunk, owned, flow),
      async onComplete() {
        await paced.finish();
        await (await opening).commit();
      },
      onFailure: (_id: string, error: Error) => {
        paced.stop(error).then(() => opening).then((writer) => this.#abort(writer, blockId), () => {});
      },
    };
  }

  /** Where the blocks are, wherever who asks for it works. */
  getLocalDiskDirs(): Promise<readonly string[]> {
    return this.blocks.makeLocalDirs();
  }

  async #abort(writer: BlockWriter, blockId: string): Promise<void> {
    try {
      await writer.abort();
    } catch (thrown) {
      this.#logger.warning(`Cannot take away what there is of block ${blockId}`, toError(thrown));
    }
  }
}

async function copyTo(writer: BlockWriter, data: ManagedBuffer): Promise<void> {
  if (data.bytes !== undefined) return await writer.write(data.bytes);
  const piece = new Uint8Array(Math.min(COPIED_BYTES, data.size));
  for (let at = 0; at < data.size;) {
    const count = await data.read(at, piece.subarray(0, Math.min(piece.length, data.size - at)));
    if (count === 0) throw new RpcError("STREAM", `Block data of ${data.size} bytes ended after ${at}`);
    await writer.write(piece.subarray(0, count));
    at += count;
  }
}
