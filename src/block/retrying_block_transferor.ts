/**
 * Transfers blocks, and those that the network lost once more: each block is there or has failed, once, however many attempts it takes.
 *
 * Spark: common/network-shuffle/…/shuffle/RetryingBlockTransferor.java. Differences: there the failure of an attempt to begin is
 * told of blocks that have been told of already; here a transfer can be cancelled.
 *
 * @module
 */

import type { Clock, Timer } from "../base/clock.ts";
import { toError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import type { BlockFetchingListener } from "./block_fetching_listener.ts";
import { type ErrorHandler, isHandshakeTimeout, isTransient, noopErrorHandler } from "./error_handler.ts";

/**
 * Begins one attempt at `blockIds`: tells `listener` of each of them, or throws or rejects. It asks for its connection anew each
 * time, since the old one may be what is broken.
 */
export type BlockTransferStarter = (blockIds: readonly string[], listener: BlockFetchingListener) => void | Promise<void>;

/** How a transfer is retried. */
export interface RetryOptions {
  /** Attempts after the first. Spark: `spark.<module>.io.maxRetries`. */
  readonly maxRetries: number;
  /** Milliseconds between two attempts. Spark: `spark.<module>.io.retryWait`. */
  readonly retryWaitMs: number;
  /** Whether an authentication that timed out is tried again. Spark: `spark.shuffle.sasl.enableRetries`. */
  readonly enableSaslRetries?: boolean | undefined;
  /** Gives time. */
  readonly clock: Clock;
  /** Hears of attempts. */
  readonly logger: Logger;
  /** Decides which failures are worth another attempt. */
  readonly errorHandler?: ErrorHandler | undefined;
}

/** One transfer with its retries. */
export class RetryingBlockTransferor {
  readonly #start: BlockTransferStarter;
  readonly #listener: BlockFetchingListener;
  readonly #options: RetryOptions;
  readonly #errorHandler: ErrorHandler;
  /** The blocks that are not told of yet, in the order in which they were asked for. */
  readonly #outstanding: Set<string>;
  /** What an attempt says once another has begun is not heard. */
  #current: Attempt | undefined;
  #retryCount = 0;
  #saslRetryCount = 0;
  #timer: Timer | undefined;
  /** The failure that was logged last. */
  #logged: Error | undefined;

  /**
   * @param start Begins an attempt.
   * @param blockIds What is transferred; a name that is there twice is told of once.
   * @param listener Hears of each block, once.
   * @param options How often, and after how long.
   */
  constructor(
    start: BlockTransferStarter,
    blockIds: readonly string[],
    listener: BlockFetchingListener,
    options: RetryOptions,
  ) {
    this.#start = start;
    this.#listener = listener;
    this.#options = options;
    this.#errorHandler = options.errorHandler ?? noopErrorHandler;
    this.#outstanding = new Set(blockIds);
  }

  /** How many attempts there have been after the first; those for authentication are forgotten once it has succeeded. */
  get retryCount(): number {
    return this.#retryCount;
  }

  /** How many blocks have not been told of. */
  get numOutstanding(): number {
    return this.#outstanding.size;
  }

  /** Begins. */
  start(): void {
    this.#transferAllOutstanding();
  }

  /** Fails what is outstanding, with `reason`; nothing is heard of it afterwards. */
  cancel(reason: Error): void {
    this.#timer?.cancel();
    this.#current = undefined;
    this.#failAllOutstanding(reason);
  }

  /** An attempt has a block. */
  succeeded(attempt: Attempt, blockId: string, data: ManagedBuffer): void | Promise<void> {
    if (attempt !== this.#current || !this.#outstanding.delete(blockId)) return;
    this.#refundSaslRetries();
    return this.#tell(() => this.#listener.onBlockFetchSuccess(blockId, data));
  }

  /** An attempt does not get a block. */
  failed(attempt: Attempt, blockId: string, error: Error): void {
    if (attempt !== this.#current || !this.#outstanding.has(blockId)) return;
    if (this.#shouldRetry(error)) {
      this.#initiateRetry(error);
      return;
    }
    const message = `Failed to fetch block ${blockId}, and will not retry (${this.#retryCount} retries)`;
    // One chunk's failure is that of all blocks behind it, and its text, with which a peer fails them, may be long.
    const isNews = error !== this.#logged && this.#errorHandler.shouldLogError(error);
    this.#logged = error;
    // Before anybody hears of it: the logger too may be of one who cancels then.
    this.#outstanding.delete(blockId);
    this.#options.logger[isNews ? "error" : "debug"](message, error);
    this.#tell(() => this.#listener.onBlockFetchFailure(blockId, error));
  }

  #transferAllOutstanding(): void {
    const attempt = new Attempt(this);
    this.#current = attempt;
    const blockIds = [...this.#outstanding];
    try {
      this.#start(blockIds, attempt)?.catch((thrown: unknown) => this.#failedToBegin(attempt, toError(thrown)));
    } catch (thrown) {
      this.#failedToBegin(attempt, toError(thrown));
    }
  }

  #failedToBegin(attempt: Attempt, error: Error): void {
    if (attempt !== this.#current) return;
    const after = this.#retryCount > 0 ? ` (after ${this.#retryCount} retries)` : "";
    const message = `Exception while beginning fetch of ${this.#outstanding.size} outstanding blocks${after}`;
    if (this.#shouldRetry(error)) {
      this.#options.logger.warning(message, error);
      this.#initiateRetry(error);
      return;
    }
    this.#options.logger.error(message, error);
    this.#failAllOutstanding(error);
  }

  #initiateRetry(error: Error): void {
    const { maxRetries, retryWaitMs, clock, logger, enableSaslRetries } = this.#options;
    if (enableSaslRetries === true && isHandshakeTimeout(error)) this.#saslRetryCount++;
    this.#retryCount++;
    this.#current = undefined;
    const blocks = `${this.#outstanding.size} outstanding blocks`;
    logger.info(`Retrying fetch (${this.#retryCount}/${maxRetries}) for ${blocks} after ${retryWaitMs} ms`);
    // Who reads the log may have cancelled it.
    if (this.#outstanding.size === 0) return;
    try {
      this.#timer = clock.setTimer(retryWaitMs, () => this.#transferAllOutstanding());
    } catch (thrown) {
      const failure = toError(thrown);
      logger.error("Exception while trying to initiate retry", failure);
      this.#failAllOutstanding(failure);
    }
  }

  #shouldRetry(error: Error): boolean {
    const isSaslTimeout = this.#options.enableSaslRetries === true && isHandshakeTimeout(error);
    if (!isSaslTimeout) this.#refundSaslRetries();
    if (this.#retryCount >= this.#options.maxRetries) return false;
    return (isSaslTimeout || isTransient(error)) && this.#errorHandler.shouldRetryError(error);
  }

  /** Attempts that were spent on authentication do not count once it has succeeded, or failed otherwise. */
  #refundSaslRetries(): void {
    this.#retryCount -= this.#saslRetryCount;
    this.#saslRetryCount = 0;
  }

  #failAllOutstanding(error: Error): void {
    const blockIds = [...this.#outstanding];
    this.#outstanding.clear();
    for (const blockId of blockIds) this.#tell(() => this.#listener.onBlockFetchFailure(blockId, error));
  }

  #tell<T>(run: () => T): T | undefined {
    try {
      return run();
    } catch (thrown) {
      this.#options.logger.error("A listener of block transfers failed", toError(thrown));
    }
  }
}

/** Hears for its transferor, as long as it is the last. */
class Attempt implements BlockFetchingListener {
  readonly #transferor: RetryingBlockTransferor;

  constructor(transferor: RetryingBlockTransferor) {
    this.#transferor = transferor;
  }

  onBlockFetchSuccess(blockId: string, data: ManagedBuffer): void | Promise<void> {
    return this.#transferor.succeeded(this, blockId, data);
  }

  onBlockFetchFailure(blockId: string, error: Error): void {
    this.#transferor.failed(this, blockId, error);
  }
}
