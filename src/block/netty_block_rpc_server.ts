/**
 * Serves blocks: opens those that are asked for as a stream of chunks, and takes those that are uploaded.
 *
 * Spark: core/…/network/netty/NettyBlockRpcServer.scala. Differences: a message of another application is refused; a corrupt one is
 * answered with a failure, where Spark leaves its sender waiting; blocks that were opened and not fetched are limited.
 *
 * @module
 */

import { ProtocolError, RpcError, RpcOverloadedError, toError, UnsupportedMessageError } from "../base/errors.ts";
import { limitsInForce } from "../base/limits.ts";
import type { Logger } from "../base/logger.ts";
import type { MessageBody } from "../base/message_body.ts";
import type { Random } from "../base/random.ts";
import { isWorthALine } from "../base/sparse_logging.ts";
import { BytesManagedBuffer } from "../protocol/managed_buffer.ts";
import type { RpcHandler } from "../transport/rpc_handler.ts";
import type { RpcResponder } from "../transport/rpc_response_callback.ts";
import type { StreamCallbackWithId } from "../transport/stream_callback_with_id.ts";
import type { TransportClient } from "../transport/transport_client.ts";
import type { BlockDataManager } from "./block_data_manager.ts";
import { formatShuffleBlockId } from "./block_id.ts";
import { BlockTransferMessageType } from "./block_transfer_message_type.ts";
import {
  type BlockTransferMessage,
  decodeBlockTransferMessage,
  encodeBlockTransferMessage,
  UnknownMessageTypeError,
} from "./block_transfer_messages.ts";
import type { DiagnoseCorruption } from "./corruption_messages.ts";
import type { GetLocalDirsForExecutors } from "./executor_messages.ts";
import type { FetchShuffleBlocks } from "./fetch_messages.ts";
import { OneForOneStreamManager } from "./one_for_one_stream_manager.ts";
import { findBlocks, OpenedBlocks } from "./opened_blocks.ts";
import { RequestTurns } from "./request_turns.ts";
import { UploadInTurn } from "./upload_in_turn.ts";
import type { UploadBlock } from "./upload_messages.ts";

/** How many blocks one connection may have opened without having fetched them. */
export const MAX_OPEN_BLOCKS = 500_000;

const NO_BYTES = new Uint8Array(0);

/** Options of {@linkcode NettyBlockRpcServer}. */
export interface NettyBlockRpcServerOptions {
  /** The application whose blocks they are; without one, those of any may fetch them. */
  readonly appId: string | undefined;
  /** The executor whose blocks they are. */
  readonly executorId: string | undefined;
  /** Chooses where the numbers of streams begin. */
  readonly random: Random;
  /** Hears of corrupt messages. */
  readonly logger: Logger;
  /** How many blocks one connection may have opened without having fetched them. @default MAX_OPEN_BLOCKS */
  readonly maxOpenBlocks?: number | undefined;
}

/** Answers the requests of the block service. */
export class NettyBlockRpcServer implements RpcHandler {
  readonly streamManager: OneForOneStreamManager;
  readonly #blocks: BlockDataManager;
  readonly #options: NettyBlockRpcServerOptions;
  readonly #maxOpenBlocks: number;
  /** Blocks that are being opened or are open, by connection. */
  readonly #openBlocks = new Map<TransportClient, number>();
  /** A peer's requests are worked on a few at a time. */
  readonly #turns = new WeakMap<TransportClient, RequestTurns>();
  /** How many of a peer's messages were corrupt. */
  readonly #corruptMessages = new WeakMap<TransportClient, number>();
  #uploads = 0;

  /** @param blocks Has the blocks. @param options Whose they are, and limits. */
  constructor(blocks: BlockDataManager, options: NettyBlockRpcServerOptions) {
    this.#blocks = blocks;
    this.#options = options;
    const { maxOpenBlocks } = options;
    this.#maxOpenBlocks = limitsInForce({ maxOpenBlocks: MAX_OPEN_BLOCKS }, { maxOpenBlocks }).maxOpenBlocks;
    this.streamManager = new OneForOneStreamManager({ random: options.random, logger: options.logger });
  }

  /** How many blocks are being opened, or are open and were not fetched. */
  get openBlocks(): number {
    let sum = 0;
    for (const count of this.#openBlocks.values()) sum += count;
    return sum;
  }

  /** How many uploads are arriving, or being put in place. */
  get uploads(): number {
    return this.#uploads;
  }

  receive(client: TransportClient, body: MessageBody, responder: RpcResponder): void {
    const message = this.#decode(client, body);
    const turns = this.#turnsOf(client);
    const { length } = body;
    turns.take(length, () => void this.#respond(client, message, responder).then(() => turns.end(length)));
  }

  receiveOneWay(): void {
    throw new UnsupportedMessageError("The block service takes no one-way messages");
  }

  receiveStream(client: TransportClient, meta: MessageBody): StreamCallbackWithId {
    const message = this.#decode(client, meta);
    if (message.type !== BlockTransferMessageType.UploadBlockStream) throw unexpected(message);
    const { blockId } = message;
    const metadata = message.metadata.slice();
    const turns = this.#turnsOf(client);
    const upload = new UploadInTurn(blockId, () => this.#blocks.putBlockDataAsStream(blockId, metadata), () => {
      this.#uploads--;
      turns.end(metadata.length);
    });
    this.#uploads++;
    turns.take(metadata.length, () => upload.begin());
    upload.check();
    return upload;
  }

  #turnsOf(client: TransportClient): RequestTurns {
    let turns = this.#turns.get(client);
    if (turns === undefined) this.#turns.set(client, turns = new RequestTurns(client));
    return turns;
  }

  /** Bytes of an uploaded block may be kept; of all other messages nothing is. */
  #decode(client: TransportClient, body: MessageBody): BlockTransferMessage {
    const isUpload = body.length > 0 && body.memory[body.start] === BlockTransferMessageType.UploadBlock;
    try {
      return decodeBlockTransferMessage(isUpload ? body.take() : body.bytes);
    } catch (thrown) {
      if (!(thrown instanceof ProtocolError)) throw thrown;
      const isUnknown = thrown instanceof UnknownMessageTypeError;
      const what = isUnknown ? "This could be" : "Refused";
      this.#corrupt(client, `${what} a corrupted RPC message (capacity: ${body.length})`, thrown);
      // It fails its own request, not the connection: whoever wrote it knew how to write frames.
      throw new RpcError("PROTOCOL", isUnknown ? thrown.message : `Corrupted block message: ${thrown.message}`, {
        cause: thrown,
      });
    }
  }

  #corrupt(client: TransportClient, what: string, error: ProtocolError): void {
    const count = (this.#corruptMessages.get(client) ?? 0) + 1;
    this.#corruptMessages.set(client, count);
    if (!isWorthALine(count)) return;
    const advice = "Please use `spark.authenticate.*` configurations in case of security incidents.";
    this.#options.logger.warning(`${what} from ${client.channel.remote} (${count} of its messages so far). ${advice}`, error);
  }

  /** Never rejects. */
  async #respond(client: TransportClient, message: BlockTransferMessage, responder: RpcResponder): Promise<void> {
    try {
      responder.onSuccess(await this.#answer(client, message));
    } catch (thrown) {
      responder.onFailure(toError(thrown));
    }
  }

  async #answer(client: TransportClient, message: BlockTransferMessage): Promise<Uint8Array> {
    if ("appId" in message) this.#checkAuth(client, message.appId);
    switch (message.type) {
      case BlockTransferMessageType.OpenBlocks:
        return await this.#open(client, message.blockIds);
      case BlockTransferMessageType.FetchShuffleBlocks:
        return await this.#open(client, shuffleBlockIds(message));
      case BlockTransferMessageType.UploadBlock:
        return await this.#upload(message);
      case BlockTransferMessageType.GetLocalDirsForExecutors:
        return await this.#localDirs(message);
      case BlockTransferMessageType.DiagnoseCorruption:
        return await this.#diagnose(message);
      default:
        throw unexpected(message);
    }
  }

  #checkAuth(client: TransportClient, appId: string): void {
    for (const own of [client.clientId, this.#options.appId]) {
      if (own !== undefined && own !== appId) {
        throw new RpcError("AUTH", `Client for ${own} not authorized for application ${appId}.`);
      }
    }
  }

  async #open(client: TransportClient, blockIds: readonly string[]): Promise<Uint8Array> {
    const open = this.#openBlocks.get(client) ?? 0;
    const limit = this.#maxOpenBlocks;
    if (open + blockIds.length > limit) {
      const message = `Cannot open ${blockIds.length} blocks: of ${limit} that may be open, ${open} are (maxOpenBlocks)`;
      throw new RpcOverloadedError(message, `open blocks of ${client.channel.remote}`, limit);
    }
    this.#addOpen(client, blockIds.length);
    let streamId = 0n;
    try {
      const find = (blockId: string) => this.#blocks.getLocalBlockData(blockId);
      const blocks = await findBlocks(blockIds, find, () => client.isActive);
      const opened = new OpenedBlocks(blocks, () => this.#addOpen(client, -1));
      // A stream without chunks would stay until its connection goes.
      if (blocks.length > 0) streamId = this.streamManager.registerStream(this.#options.appId, opened, { client });
    } catch (thrown) {
      this.#addOpen(client, -blockIds.length);
      throw thrown;
    }
    const numChunks = blockIds.length;
    return encodeBlockTransferMessage({ type: BlockTransferMessageType.StreamHandle, streamId, numChunks });
  }

  #addOpen(client: TransportClient, count: number): void {
    const open = (this.#openBlocks.get(client) ?? 0) + count;
    if (open > 0) this.#openBlocks.set(client, open);
    else this.#openBlocks.delete(client);
  }

  async #upload({ blockId, metadata, blockData }: UploadBlock): Promise<Uint8Array> {
    this.#uploads++;
    try {
      if (await this.#blocks.putBlockData(blockId, new BytesManagedBuffer(blockData), metadata)) return NO_BYTES;
    } finally {
      this.#uploads--;
    }
    throw new RpcError(
      "REMOTE",
      `Upload block for ${blockId} failed. This mostly happens when there is not sufficient space available to store the block.`,
    );
  }

  async #localDirs({ appId, execIds }: GetLocalDirsForExecutors): Promise<Uint8Array> {
    const { executorId } = this.#options;
    if (this.#blocks.getLocalDiskDirs === undefined || executorId === undefined) {
      throw new UnsupportedMessageError("This server tells no local folders");
    }
    const [execId] = execIds;
    if (execIds.length !== 1 || execId === undefined) {
      const reason = `incorrect executor number: ${execIds.length} (expected 1);`;
      throw new RpcError("REMOTE", `Invalid GetLocalDirsForExecutors request: ${reason} application ${appId}`);
    }
    if (execId !== executorId) throw new RpcError("REMOTE", `Invalid executor id: ${execId}, expected ${executorId}.`);
    const localDirsByExec = new Map([[execId, await this.#blocks.getLocalDiskDirs()]]);
    return encodeBlockTransferMessage({ type: BlockTransferMessageType.LocalDirsForExecutors, localDirsByExec });
  }

  async #diagnose(message: DiagnoseCorruption): Promise<Uint8Array> {
    const { checksum, algorithm } = message;
    const diagnosed = this.#blocks.diagnoseShuffleBlockCorruption?.(formatShuffleBlockId(message), checksum, algorithm);
    const cause = await diagnosed ?? "UNKNOWN_ISSUE";
    return encodeBlockTransferMessage({ type: BlockTransferMessageType.CorruptionCause, cause });
  }
}

/** The names of blocks that were asked for by number. */
function shuffleBlockIds({ shuffleId, mapIds, reduceIds, batchFetchEnabled }: FetchShuffleBlocks): string[] {
  if (mapIds.length !== reduceIds.length) {
    throw new RpcError(
      "PROTOCOL",
      `Invalid shuffle fetch request: ${mapIds.length} map ids, but ${reduceIds.length} lists of parts`,
    );
  }
  return mapIds.flatMap((mapId, i) => {
    const parts = reduceIds[i]!;
    if (!batchFetchEnabled) return parts.map((reduceId) => formatShuffleBlockId({ shuffleId, mapId, reduceId }));
    const [reduceId, endReduceId] = parts;
    if (parts.length !== 2 || reduceId === undefined || endReduceId === undefined) {
      const ends = `map task ${mapId} has ${parts.length} ends`;
      throw new RpcError("PROTOCOL", `Invalid shuffle fetch request when batch mode is enabled: ${ends}`);
    }
    return [formatShuffleBlockId({ shuffleId, mapId, reduceId, endReduceId })];
  });
}

function unexpected({ type }: BlockTransferMessage): UnsupportedMessageError {
  return new UnsupportedMessageError(`Unexpected message: the block service takes none of type ${type}`);
}
