/**
 * One fetch of blocks from beginning to end: its attempts, their connections, and who may stop it.
 *
 * Spark: fetchBlocks in core/…/network/netty/NettyBlockTransferService.scala.
 *
 * @module
 */

import { toError } from "../base/errors.ts";
import type { BlockConnection, BlockConnections } from "./block_connections.ts";
import type { BlockFetchingListener } from "./block_fetching_listener.ts";
import { type BlockPeer, ExecutorDeadError, type FetchBlocksOptions } from "./block_transfer_service.ts";
import { isTransient } from "./error_handler.ts";
import { makeFetchRequest } from "./fetch_request.ts";
import { OneForOneBlockFetcher } from "./one_for_one_block_fetcher.ts";
import { RetryingBlockTransferor, type RetryOptions } from "./retrying_block_transferor.ts";

/** What a {@linkcode BlockFetch} needs of its service. */
export interface BlockFetchSurroundings {
  /** Where connections come from. */
  readonly connections: BlockConnections;
  /** Who fetches. */
  readonly appId: string;
  /** How it is retried. */
  readonly retry: RetryOptions;
  /** Ask by name always. */
  readonly useOldFetchProtocol: boolean;
  /** Asks the driver whether an executor lives. */
  readonly isExecutorAlive: ((execId: string) => Promise<boolean>) | undefined;
}

/** A fetch under way. */
export class BlockFetch {
  readonly #surroundings: BlockFetchSurroundings;
  readonly #source: BlockPeer;
  readonly #options: FetchBlocksOptions;
  readonly #onEnd: () => void;
  readonly #transferor: RetryingBlockTransferor;
  /** Gives up a dial when the fetch is over. */
  readonly #abort = new AbortController();
  readonly #onAbort = (): void => this.cancel(toError(this.#options.signal?.reason));
  #connection: BlockConnection | undefined;
  /** Why it is stopped, if it is. */
  #reason: Error | undefined;
  #isOver = false;

  /**
   * @param surroundings What it needs.
   * @param source Who has the blocks.
   * @param blockIds Their names; at least one.
   * @param listener Hears of each, once.
   * @param options Files, and a signal.
   * @param onEnd Called once, when all have been told of.
   */
  constructor(
    surroundings: BlockFetchSurroundings,
    source: BlockPeer,
    blockIds: readonly string[],
    listener: BlockFetchingListener,
    options: FetchBlocksOptions,
    onEnd: () => void,
  ) {
    this.#surroundings = surroundings;
    this.#source = source;
    this.#options = options;
    this.#onEnd = onEnd;
    const told: BlockFetchingListener = {
      onBlockFetchSuccess: (blockId, data) => this.#tell(() => listener.onBlockFetchSuccess(blockId, data)),
      onBlockFetchFailure: (blockId, error) => this.#tell(() => listener.onBlockFetchFailure(blockId, error)),
    };
    const start = (wanted: readonly string[], attempt: BlockFetchingListener) => this.#attempt(wanted, attempt);
    this.#transferor = new RetryingBlockTransferor(start, blockIds, told, surroundings.retry);
  }

  /** Begins. */
  start(): void {
    const { signal } = this.#options;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (signal?.aborted === true) this.#onAbort();
    else this.#transferor.start();
  }

  /** Fails what is left, with `reason`, and frees both ends. */
  cancel(reason: Error): void {
    if (this.#isOver) return;
    // First of all nothing more is heard of the attempt: that its connection goes is no reason for another.
    this.#reason = reason;
    this.#transferor.cancel(reason);
    this.#end();
  }

  async #attempt(blockIds: readonly string[], listener: BlockFetchingListener): Promise<void> {
    const { connections, appId, retry, useOldFetchProtocol } = this.#surroundings;
    const { execId } = this.#source;
    const request = makeFetchRequest({ appId, execId }, blockIds, useOldFetchProtocol);
    this.#connection?.done();
    this.#connection = undefined;
    try {
      const signal = this.#options.signal === undefined ? undefined : this.#abort.signal;
      const connection = await connections.connect(this.#source, signal, retry.maxRetries > 0);
      if (this.#isOver) return connection.done();
      this.#connection = connection;
      const { downloadFileManager } = this.#options;
      new OneForOneBlockFetcher(connection.client, request, listener, { downloadFileManager, logger: retry.logger }).start();
    } catch (thrown) {
      throw await this.#explain(toError(thrown));
    }
  }

  /** Whether the network failed because nobody is there any more; if the driver does not know, it stays the network. */
  async #explain(error: Error): Promise<Error> {
    const { isExecutorAlive } = this.#surroundings;
    if (isExecutorAlive === undefined || !isTransient(error)) return error;
    const { execId } = this.#source;
    try {
      return await isExecutorAlive(execId) ? error : new ExecutorDeadError(execId);
    } catch {
      return error;
    }
  }

  #tell<T>(run: () => T): T {
    if (this.#transferor.numOutstanding === 0) this.#end();
    return run();
  }

  #end(): void {
    if (this.#isOver) return;
    const reason = this.#reason;
    this.#isOver = true;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#abort.abort(reason);
    this.#connection?.done(reason);
    this.#connection = undefined;
    this.#onEnd();
  }
}
