/**
 * Fetches blocks over one connection: asks for a stream of them, then for its chunks, each of which is a block.
 *
 * Spark: common/network-shuffle/…/shuffle/OneForOneBlockFetcher.java. Differences: a stream of another length than was asked for
 * is refused, where Spark waits for the rest for ever; a chunk that fails fails those behind it once, not once more for each of them;
 * of very many chunks a part is asked for at a time.
 *
 * @module
 */

import { ProtocolError, RpcError, toError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { MessageBody } from "../base/message_body.ts";
import { promiseOf } from "../base/promise_of.ts";
import { BytesManagedBuffer, type ManagedBuffer } from "../protocol/managed_buffer.ts";
import type { RpcResponseCallback } from "../transport/rpc_response_callback.ts";
import type { TransportClient } from "../transport/transport_client.ts";
import { BlockDownload } from "./block_download.ts";
import type { BlockFetchingListener } from "./block_fetching_listener.ts";
import { BlockTransferMessageType } from "./block_transfer_message_type.ts";
import { decodeBlockTransferMessage, writeBlockTransferMessage } from "./block_transfer_messages.ts";
import type { DownloadFileManager } from "./download_file.ts";
import type { StreamHandle } from "./fetch_messages.ts";
import type { FetchRequest } from "./fetch_request.ts";
import { ChunkCollector } from "./chunk_collector.ts";
import { ChunkMemory } from "./chunk_memory.ts";
import { ChunkTurns } from "./chunk_turns.ts";
import { OneForOneStreamManager } from "./one_for_one_stream_manager.ts";

/** How many chunks of a stream are asked for before the first has come. */
const MAX_CHUNKS_WAITING = 1_024;

/** What a fetcher needs of its connection. */
export type FetchingClient = Pick<TransportClient, "fetchChunk" | "sendRpc" | "stream">;

/** Options of {@linkcode OneForOneBlockFetcher}. */
export interface BlockFetcherOptions {
  /** Makes a file for each block, which then never is in memory; without one each is in memory as a whole. */
  readonly downloadFileManager?: DownloadFileManager | undefined;
  /** Hears what failed. */
  readonly logger: Logger;
}

/** One attempt at fetching blocks. A block may be told of twice: it failed with one before it, and came after all. */
export class OneForOneBlockFetcher {
  readonly #client: FetchingClient;
  readonly #request: FetchRequest;
  readonly #listener: BlockFetchingListener;
  readonly #options: BlockFetcherOptions;
  readonly #memory = new ChunkMemory();
  readonly #turns: ChunkTurns;
  #streamId = 0n;
  /** The chunk that is asked for next. */
  #next = 0;
  /** Chunks that were asked for and have not come. */
  #waiting = 0;
  #isAsking = false;
  /** From here on all blocks have been failed. */
  #failedFrom = Infinity;

  /**
   * @param client The connection.
   * @param request How the blocks are asked for.
   * @param listener Hears of each block at least once.
   * @param options Where blocks go.
   */
  constructor(client: FetchingClient, request: FetchRequest, listener: BlockFetchingListener, options: BlockFetcherOptions) {
    this.#client = client;
    this.#turns = ChunkTurns.of(client);
    this.#request = request;
    this.#listener = listener;
    this.#options = options;
  }

  get #intoFiles(): boolean {
    return this.#options.downloadFileManager !== undefined;
  }

  /**
   * Asks for the stream, and when that is there for its chunks.
   *
   * @throws What `sendRpc` throws; then the listener hears nothing.
   */
  start(): void {
    const callback: RpcResponseCallback = {
      deadline: Infinity,
      onSuccess: (body) => this.#opened(body),
      onFailure: (error) => this.#notOpened("Failed while starting block fetches", error),
      onTimeout() {},
    };
    this.#client.sendRpc((out) => writeBlockTransferMessage(out, this.#request.message), callback);
  }

  #opened(body: MessageBody): void {
    let handle: StreamHandle;
    try {
      handle = readStreamHandle(body.bytes, this.#request.blockIds.length);
    } catch (thrown) {
      this.#notOpened("Failed while starting block fetches after success", toError(thrown));
      return;
    }
    this.#streamId = handle.streamId;
    this.#fetchMore();
  }

  /** Not all at once: servers have limits too. A chunk that comes within the call that asks for it adds no depth. */
  #fetchMore(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const { length } = this.#request.blockIds;
    while (this.#next < length && this.#waiting < MAX_CHUNKS_WAITING) {
      if (this.#turns.areTaken(this.#intoFiles)) {
        this.#waitForRoom();
        break;
      }
      const index = this.#next++;
      this.#waiting++;
      this.#turns.asked(this.#intoFiles);
      try {
        this.#fetch(this.#streamId, index);
      } catch (thrown) {
        this.#waiting--;
        if (this.#turns.refused(this.#intoFiles) && RpcError.is(thrown) && thrown.code === "OVERLOADED") {
          // Given up, the rest would stay open at the far end as long as the connection.
          this.#next = index;
          this.#waitForRoom();
          break;
        }
        // Those that were asked for already come; the rest has failed with this one.
        this.#next = length;
        this.#failFrom(index, toError(thrown));
      }
    }
    this.#isAsking = false;
  }

  #waitForRoom(): void {
    this.#turns.wait(this, () => this.#fetchMore());
  }

  #fetch(streamId: bigint, index: number): void {
    const { downloadFileManager } = this.#options;
    if (downloadFileManager === undefined) {
      const succeed = (chunk: ManagedBuffer): void => void this.#succeeded(index, chunk);
      const fail = (error: Error): void => this.#failed(index, error);
      this.#client.fetchChunk(streamId, index, {
        onSuccess: (_, chunk) => succeed(new BytesManagedBuffer(chunk.take())),
        onFailure: (_, error) => fail(error),
        // What would be put together for `onSuccess` is copied once more.
        openStream: (_, byteCount) => new ChunkCollector(byteCount, this.#memory, succeed, fail),
      });
      return;
    }
    const download = new BlockDownload(downloadFileManager, {
      onSuccess: (data) => this.#succeeded(index, data),
      onFailure: (error) => this.#failed(index, error),
      onLeftBehind: ({ path }, error) => this.#options.logger.warning(`Cannot tidy up ${path}`, error),
    });
    this.#client.stream(OneForOneStreamManager.genStreamChunkId(streamId, index), download);
  }

  #notOpened(message: string, error: Error): void {
    this.#options.logger.debug(message, error);
    this.#failFrom(0, error);
  }

  #succeeded(index: number, data: ManagedBuffer): void | Promise<void> {
    const given = this.#give(this.#request.blockIds[index]!, data);
    this.#settled();
    return given;
  }

  /** The block is held for the listener until that returns, or until what it has promised has settled. */
  #give(blockId: string, data: ManagedBuffer): void | Promise<void> {
    const taken = this.#tell(() => promiseOf(this.#listener.onBlockFetchSuccess(blockId, data)));
    if (taken === undefined) return this.#release(data);
    return taken.catch((thrown) => this.#callbackFailed(thrown)).then(() => this.#release(data));
  }

  /** A listener that has released it itself has got that block wrong, and no other. */
  #release(data: ManagedBuffer): void {
    this.#tell(() => data.release());
  }

  #failed(index: number, error: Error): void {
    this.#failFrom(index, error);
    this.#settled();
  }

  #settled(): void {
    this.#waiting--;
    this.#fetchMore();
    this.#turns.settled(this.#intoFiles);
  }

  /** A stream gives its chunks in order: after one that failed, those behind it fail too, but for those that have. */
  #failFrom(index: number, error: Error): void {
    const { blockIds } = this.#request;
    const end = index >= this.#failedFrom ? index + 1 : Math.min(blockIds.length, this.#failedFrom);
    this.#failedFrom = Math.min(this.#failedFrom, index);
    for (let i = index; i < end; i++) this.#tell(() => this.#listener.onBlockFetchFailure(blockIds[i]!, error));
  }

  #tell<T>(run: () => T): T | undefined {
    try {
      return run();
    } catch (thrown) {
      this.#callbackFailed(thrown);
    }
  }

  #callbackFailed(thrown: unknown): void {
    this.#options.logger.error("Error in block fetch callback", toError(thrown));
  }
}

/**
 * Reads the answer to a fetch.
 *
 * @param bytes The answer.
 * @param numBlocks How many blocks were asked for.
 * @throws RpcError PROTOCOL if it is none, or has another number of chunks.
 */
export function readStreamHandle(bytes: Uint8Array, numBlocks: number): StreamHandle {
  let message;
  try {
    message = decodeBlockTransferMessage(bytes);
  } catch (thrown) {
    if (!(thrown instanceof ProtocolError)) throw thrown;
    throw new RpcError("PROTOCOL", `The answer to a fetch is corrupt: ${thrown.message}`, { cause: thrown });
  }
  if (message.type !== BlockTransferMessageType.StreamHandle) {
    throw new RpcError("PROTOCOL", `The answer to a fetch is no stream, but a message of type ${message.type}`);
  }
  if (message.numChunks !== numBlocks) {
    throw new RpcError("PROTOCOL", `${numBlocks} blocks were asked for, but the stream has ${message.numChunks}`);
  }
  return message;
}
