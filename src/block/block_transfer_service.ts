/**
 * Fetches blocks from other executors and uploads blocks to them, and serves those of this one.
 *
 * Spark: core/…/network/BlockTransferService.scala and common/network-shuffle/…/BlockStoreClient.java. Differences: fetchBlockSync
 * waits without a thread, and is called fetchBlock; the bytes that say how a block is to be stored are the caller's.
 *
 * @module
 */

import { RpcError, toError } from "../base/errors.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import type { ConnectionStats } from "../transport/connection_stats.ts";
import type { TransportStats } from "../transport/transport_metrics.ts";
import type { BlockDataManager } from "./block_data_manager.ts";
import type { BlockFetchingListener } from "./block_fetching_listener.ts";
import type { Cause } from "./corruption_messages.ts";
import type { DownloadFileManager } from "./download_file.ts";
import type { ShuffleBlockId } from "./block_id.ts";

/** An executor's block service. */
export interface BlockPeer {
  /** Where it is. */
  readonly host: string;
  /** The port that it listens on. */
  readonly port: number;
  /** The executor's id. */
  readonly execId: string;
}

/** How something is transferred. */
export interface BlockTransferOptions {
  /** Stops the transfer, at both ends: a transfer that has one also has a connection of its own. */
  readonly signal?: AbortSignal | undefined;
}

/** How blocks are fetched. */
export interface FetchBlocksOptions extends BlockTransferOptions {
  /** Makes files for the blocks, which then are never in memory; without one each is in memory as a whole. */
  readonly downloadFileManager?: DownloadFileManager | undefined;
}

/** How a block is fetched as a stream. */
export interface OpenBlockOptions extends BlockTransferOptions {
  /** Hears how many bytes there are, before the first of them. What it throws gives the block up, as the signal does. */
  readonly onSize?: ((bytes: number) => void) | undefined;
}

/** A snapshot of a block service. */
export interface BlockTransferStats {
  /** What connections do and have done: those that others opened, and own ones. */
  readonly transports: readonly TransportStats[];
  /** The open connections, dialled and accepted. */
  readonly connections: readonly ConnectionStats[];
  /** Own fetches and uploads that are not over. */
  readonly transfers: number;
  /** Streams of blocks that peers have opened and not read to their end. */
  readonly streams: number;
  /** Blocks that peers have opened, or are opening, and have not fetched. */
  readonly openBlocks: number;
  /** Chunks that peers are being sent. */
  readonly chunksBeingTransferred: number;
  /** Blocks that peers are uploading. */
  readonly uploads: number;
}

/** Transfers blocks. */
export interface BlockTransferService extends AsyncDisposable {
  /** The host that others reach it at. */
  readonly hostName: string;
  /** The port that it listens on; undefined until `init`. */
  readonly port: number | undefined;
  /**
   * Listens, and serves the blocks of `blocks`. Who only fetches and uploads does without.
   *
   * @param blocks Has them.
   * @returns Rejects with a SocketError if there is no free port.
   */
  init(blocks: BlockDataManager): Promise<void>;
  /**
   * Fetches blocks; those that the network loses are asked for again, up to `spark.shuffle.io.maxRetries` times (3), each
   * `spark.shuffle.io.retryWait` (5s) after the last.
   *
   * @param source Who has them.
   * @param blockIds Their names.
   * @param listener Hears of each, once.
   * @param options Files, and a signal.
   * @throws RangeError if no block is asked for.
   */
  fetchBlocks(
    source: BlockPeer,
    blockIds: readonly string[],
    listener: BlockFetchingListener,
    options?: FetchBlocksOptions,
  ): void;
  /**
   * Fetches one block, as `fetchBlocks` does. Spark: fetchBlockSync.
   *
   * To a file only with a `downloadFileManager` whose `registerTempFileToClean` gives true: otherwise the file is gone before anybody
   * could read the block.
   *
   * @param source Who has it.
   * @param blockId Its name.
   * @param options Files, and a signal.
   * @returns The block; whoever gets it releases it. Rejects with what it failed with.
   */
  fetchBlock(source: BlockPeer, blockId: string, options?: FetchBlocksOptions): Promise<ManagedBuffer>;
  /**
   * Fetches one block as a stream, over a connection of its own: the peer sends as fast as it is read, and no faster. One that is
   * neither read to its end nor cancelled keeps that connection until `close`.
   *
   * @param source Who has it.
   * @param blockId Its name.
   * @param options What stops it, and who hears of its size.
   * @returns The bytes. Errors once; a stream that broke off is not asked for again.
   * @throws RangeError if the name begins as that of a shuffle block and is none.
   */
  openBlock(source: BlockPeer, blockId: string, options?: OpenBlockOptions): ReadableStream<Uint8Array>;
  /**
   * Uploads a block: in one message, or as a stream if it is a shuffle's, or larger than `spark.network.maxRemoteBlockSizeFetchToMem`
   * (200m), or than what else waits to be sent leaves of `maxOutboxBytes`.
   *
   * @param target Who is to have it.
   * @param blockId Its name.
   * @param data Its bytes, which are the service's from here on, and released once.
   * @param metadata How it is to be stored: in Spark the Java stream of a storage level and a class tag. A Sparkwire takes up to
   * 1 MiB of it.
   * @param options A signal.
   * @returns When the peer has stored it. Rejects with what it failed with, once; it is not tried again.
   */
  uploadBlock(
    target: BlockPeer,
    blockId: string,
    data: ManagedBuffer,
    metadata: Uint8Array,
    options?: BlockTransferOptions,
  ): Promise<void>;
  /** Asks an executor for its folders. Spark: getHostLocalDirs. */
  getHostLocalDirs(source: BlockPeer, execIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /**
   * Asks what made a shuffle block corrupt, of which `checksum` was computed by `algorithm`. Waits for the answer as long as
   * `spark.shuffle.io.connectionTimeout` (120s) lasts.
   */
  diagnoseCorruption(source: BlockPeer, block: ShuffleBlockId, checksum: bigint, algorithm: string): Promise<Cause>;
  /** What it is doing. */
  stats(): BlockTransferStats;
  /** Fails all transfers, stops serving, and closes all connections. */
  close(): Promise<void>;
}

/**
 * The executor that has the blocks is dead, says the driver: they are not asked for again. Spark: ExecutorDeadException.
 *
 * @example
 * ```ts
 * import { ExecutorDeadError, NettyBlockTransferService, silentLogger, SparkConf } from "@sparkwire/sparkwire";
 *
 * const isExecutorAlive = () => Promise.resolve(false);
 * const client = new NettyBlockTransferService(new SparkConf(), { host: "127.0.0.1", logger: silentLogger, isExecutorAlive });
 * // Nobody listens there.
 * const error = await client.fetchBlock({ host: "127.0.0.1", port: 1, execId: "7" }, "rdd_0_0").catch((thrown) => thrown);
 * if (!(error instanceof ExecutorDeadError) || error.execId !== "7") throw error;
 * await client.close();
 * ```
 */
export class ExecutorDeadError extends RpcError {
  /** The class's name; kept when code is minified. */
  override readonly name: string = "ExecutorDeadError";
  /** The executor. */
  readonly execId: string;

  /**
   * Makes the error.
   *
   * @param execId The executor.
   */
  constructor(execId: string) {
    // No cause: what the network did is not what it failed of.
    const message = `The relative remote executor(Id: ${execId}), which maintains the block data to fetch is dead.`;
    super("NOT_FOUND", message);
    this.execId = execId;
  }
}

/**
 * Fetches one block by `fetchBlocks`. Spark: fetchBlockSync.
 *
 * @param service Fetches.
 * @param source Who has it.
 * @param blockId Its name.
 * @param options Files, and a signal.
 */
export function fetchOneBlock(
  service: Pick<BlockTransferService, "fetchBlocks">,
  source: BlockPeer,
  blockId: string,
  options?: FetchBlocksOptions,
): Promise<ManagedBuffer> {
  return new Promise((resolve, reject) => {
    const listener: BlockFetchingListener = {
      onBlockFetchSuccess(_, data) {
        try {
          resolve(data.retain());
        } catch (thrown) {
          // Whoever reports to this would log it, and the caller would wait for ever.
          reject(toError(thrown));
        }
      },
      // Listeners hear of an Error, whatever the signal says; who aborted gets back what it gave.
      onBlockFetchFailure: (_, error) => reject(options?.signal?.aborted === true ? options.signal.reason : error),
    };
    service.fetchBlocks(source, [blockId], listener, options);
  });
}
