/**
 * The block service over our own transport: a server, connections to others, and the transfers that go over them.
 *
 * Spark: core/…/network/netty/NettyBlockTransferService.scala. Differences: who only fetches and uploads needs no `init`; whether an
 * executor lives is asked of a function; there is no authentication yet.
 *
 * @module
 */

import { systemClock } from "../base/clock.ts";
import { RpcError, RpcStoppedError } from "../base/errors.ts";
import { loggerInForce } from "../base/logger.ts";
import { systemRandom } from "../base/random.ts";
import type { SparkConf } from "../base/spark_conf.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import { roleOf } from "../rpc/rpc_conf.ts";
import { askRpc, type AskRpcOptions } from "../transport/ask_rpc.ts";
import { noOpRpcHandler } from "../transport/rpc_handler.ts";
import { startServiceOnPort } from "../transport/start_service_on_port.ts";
import type { TransportClientFactory } from "../transport/transport_client_factory.ts";
import { TransportConf } from "../transport/transport_conf.ts";
import { TransportContext, type TransportContextOptions, type TransportSurroundings } from "../transport/transport_context.ts";
import { transportLimitsInForce } from "../transport/transport_limits.ts";
import type { TransportServer } from "../transport/transport_server.ts";
import { BlockConnections } from "./block_connections.ts";
import type { BlockDataManager } from "./block_data_manager.ts";
import { BlockFetch, type BlockFetchSurroundings } from "./block_fetch.ts";
import type { BlockFetchingListener } from "./block_fetching_listener.ts";
import type { ShuffleBlockId } from "./block_id.ts";
import { openBlockStream } from "./block_stream.ts";
import { BlockTransferMessageType } from "./block_transfer_message_type.ts";
import { type BlockTransferMessage, decodeBlockTransferMessage, writeBlockTransferMessage } from "./block_transfer_messages.ts";
import type { BlockTransferServiceOptions } from "./block_transfer_options.ts";
import {
  type BlockPeer,
  type BlockTransferOptions,
  type BlockTransferService,
  type BlockTransferStats,
  type FetchBlocksOptions,
  fetchOneBlock,
  type OpenBlockOptions,
} from "./block_transfer_service.ts";
import { BlockUpload, type BlockUploadSurroundings } from "./block_upload.ts";
import type { Cause, DiagnoseCorruption } from "./corruption_messages.ts";
import { makeFetchRequest } from "./fetch_request.ts";
import { NettyBlockRpcServer } from "./netty_block_rpc_server.ts";

/** What the server is called when it finds no port. */
const SERVICE_NAME = "org.apache.spark.network.netty.NettyBlockTransferService";
/** A peer that fetches to disk asks for all its blocks at once, as streams. */
const DEFAULT_MAX_STREAMS = 65_536;

/** The serving half of a service. */
interface Serving {
  readonly rpcServer: NettyBlockRpcServer;
  readonly context: TransportContext;
  readonly server: TransportServer;
}

/**
 * The block service of an executor, or of somebody who only fetches.
 *
 * @example A folder of blocks, and somebody who fetches one
 * ```ts
 * import { BytesManagedBuffer, DiskBlockManager, DiskBlockStore, MemoryWritableFiles } from "@sparkwire/sparkwire";
 * import { NettyBlockTransferService, SparkConf } from "@sparkwire/sparkwire";
 *
 * const blocks = new DiskBlockManager("/blocks", { files: new MemoryWritableFiles() });
 * const server = new NettyBlockTransferService(new SparkConf(), { host: "127.0.0.1" });
 * await server.init(new DiskBlockStore(blocks));
 *
 * const client = new NettyBlockTransferService(new SparkConf(), { host: "127.0.0.1" });
 * const peer = { host: "127.0.0.1", port: server.port ?? 0, execId: "1" };
 * await client.uploadBlock(peer, "rdd_0_0", new BytesManagedBuffer(Uint8Array.of(1, 2, 3)), new Uint8Array(0));
 * const block = await client.fetchBlock(peer, "rdd_0_0");
 * if (block.size !== 3) throw new Error("not three bytes");
 * block.release();
 *
 * await client.close();
 * await server.close();
 * ```
 */
export class NettyBlockTransferService implements BlockTransferService {
  /** The host that others reach it at. */
  readonly hostName: string;
  readonly #options: BlockTransferServiceOptions;
  readonly #listenPort: number;
  readonly #appId: string | undefined;
  readonly #executorId: string | undefined;
  /** What its contexts are made with. */
  readonly #contextOptions: TransportContextOptions & Pick<TransportSurroundings, "logger" | "random">;
  /** What its transfers need of it. */
  readonly #forTransfers: BlockFetchSurroundings & BlockUploadSurroundings;
  /** How long a diagnosis may take: the connection may be busy with other things for ever. */
  readonly #diagnosisTimeout: AskRpcOptions;
  /** What each transfer under way is stopped by. */
  readonly #transfers = new Set<(reason: Error) => void>();
  #dialling: { readonly context: TransportContext; readonly factory: TransportClientFactory } | undefined;
  #starting: Promise<Serving> | undefined;
  #serving: Serving | undefined;
  #closing: Promise<void> | undefined;

  /**
   * Opens nothing yet.
   *
   * @param conf The configuration.
   * @param options Where it is, and what differs from the defaults.
   * @throws RangeError that names the key whose value cannot be read, or the limit that is none.
   */
  constructor(conf: SparkConf, options: BlockTransferServiceOptions) {
    const { clock = systemClock, random = systemRandom, driver, exposeStack, tls, isExecutorAlive } = options;
    const logger = loggerInForce(options.logger);
    this.#options = options;
    this.hostName = options.host;
    this.#appId = options.appId ?? conf.getOption("spark.app.id");
    this.#executorId = options.executorId ?? conf.getOption("spark.executor.id");
    this.#listenPort = options.port ?? readPort(conf);
    const limits = transportLimitsInForce({ ...options.limits, maxStreams: options.limits?.maxStreams ?? DEFAULT_MAX_STREAMS });
    const transportConf = new TransportConf("shuffle", conf, {
      numUsableCores: options.numUsableCores,
      role: roleOf(conf),
    });
    this.#contextOptions = { conf: transportConf, driver, clock, random, logger, limits, exposeStack, tls };
    const { maxIORetries: maxRetries, ioRetryWaitTimeMs: retryWaitMs, connectionTimeoutMs } = transportConf;
    const timeoutMs = connectionTimeoutMs > 0 ? connectionTimeoutMs : undefined;
    this.#diagnosisTimeout = { timeoutMs, timeoutKey: "spark.shuffle.io.connectionTimeout" };
    const { enableSaslRetries, useOldFetchProtocol } = transportConf.shuffle;
    this.#forTransfers = {
      connections: new BlockConnections(() => this.#clientFactory()),
      appId: this.#appId ?? "",
      retry: { maxRetries, retryWaitMs, enableSaslRetries, clock, logger },
      useOldFetchProtocol,
      isExecutorAlive,
      maxBytesInMemory: conf.sizeAsBytes("spark.network.maxRemoteBlockSizeFetchToMem", "200m"),
    };
  }

  /** The port that it listens on; undefined until `init`. */
  get port(): number | undefined {
    return this.#serving?.server.port;
  }

  /**
   * Listens, and serves blocks. Once.
   *
   * @param blocks Has them.
   * @returns Rejects with a SocketError if there is no free port, with a RangeError if it may not listen at that port, or if the
   * configuration wants a protection that there is not, with an RpcError if it listens already, or has been closed.
   */
  async init(blocks: BlockDataManager): Promise<void> {
    if (this.#closing !== undefined) throw stopped();
    if (this.#starting !== undefined) throw new RpcError("INVALID_ADDRESS", "The block service has been started already");
    this.#starting = this.#serve(blocks);
    try {
      this.#serving = await this.#starting;
    } catch (thrown) {
      this.#starting = undefined;
      throw thrown;
    }
    this.#contextOptions.logger.info(`Server created on ${this.hostName}:${this.port}`);
  }

  /**
   * Fetches blocks; those that the network loses are asked for again.
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
    options: FetchBlocksOptions = {},
  ): void {
    if (blockIds.length === 0) throw new RangeError("Zero-sized blockIds array");
    const end = (): void => void this.#transfers.delete(cancel);
    const fetch = new BlockFetch(this.#forTransfers, source, blockIds, listener, options, end);
    const cancel = (reason: Error): void => fetch.cancel(reason);
    this.#transfers.add(cancel);
    fetch.start();
  }

  /**
   * Fetches one block.
   *
   * @param source Who has it.
   * @param blockId Its name.
   * @param options Files, and a signal.
   * @returns The block; whoever gets it releases it. Rejects with what it failed with.
   */
  fetchBlock(source: BlockPeer, blockId: string, options: FetchBlocksOptions = {}): Promise<ManagedBuffer> {
    return fetchOneBlock(this, source, blockId, options);
  }

  /**
   * Fetches one block as a stream, over a connection of its own.
   *
   * @param source Who has it.
   * @param blockId Its name.
   * @param options What stops it, and who hears of its size.
   * @returns The bytes. Errors once.
   * @throws RangeError if the name begins as that of a shuffle block and is none.
   */
  openBlock(source: BlockPeer, blockId: string, options: OpenBlockOptions = {}): ReadableStream<Uint8Array> {
    const { connections, appId, useOldFetchProtocol } = this.#forTransfers;
    const request = makeFetchRequest({ appId, execId: source.execId }, [blockId], useOldFetchProtocol);
    const began = (cancel: (reason: Error) => void) => {
      this.#transfers.add(cancel);
      return () => void this.#transfers.delete(cancel);
    };
    return openBlockStream({ connections, began }, source, request, options);
  }

  /**
   * Uploads a block.
   *
   * @param target Who is to have it.
   * @param blockId Its name.
   * @param data Its bytes, which are the service's from here on, and released once.
   * @param metadata How it is to be stored.
   * @param options A signal.
   * @returns When the peer has stored it. Rejects with what it failed with.
   */
  async uploadBlock(
    target: BlockPeer,
    blockId: string,
    data: ManagedBuffer,
    metadata: Uint8Array,
    options: BlockTransferOptions = {},
  ): Promise<void> {
    const upload = new BlockUpload(this.#forTransfers);
    const cancel = (reason: Error): void => upload.cancel(reason);
    this.#transfers.add(cancel);
    try {
      await upload.run(target, { blockId, data, metadata }, options.signal);
    } finally {
      this.#transfers.delete(cancel);
    }
  }

  /** Asks an executor for its folders. */
  async getHostLocalDirs(source: BlockPeer, execIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const { appId } = this.#forTransfers;
    const answer = await this.#ask(source, { type: BlockTransferMessageType.GetLocalDirsForExecutors, appId, execIds });
    if (answer.type !== BlockTransferMessageType.LocalDirsForExecutors) throw wrongAnswer(answer);
    return answer.localDirsByExec;
  }

  /** Asks what made a shuffle block corrupt. */
  async diagnoseCorruption(source: BlockPeer, block: ShuffleBlockId, checksum: bigint, algorithm: string): Promise<Cause> {
    const { shuffleId, mapId, reduceId } = block;
    const question: DiagnoseCorruption = {
      type: BlockTransferMessageType.DiagnoseCorruption,
      appId: this.#forTransfers.appId,
      execId: source.execId,
      shuffleId,
      mapId,
      reduceId,
      checksum,
      algorithm,
    };
    const answer = await this.#ask(source, question, this.#diagnosisTimeout);
    if (answer.type !== BlockTransferMessageType.CorruptionCause) throw wrongAnswer(answer);
    return answer.cause;
  }

  /** What it is doing. */
  stats(): BlockTransferStats {
    const rpcServer = this.#serving?.rpcServer;
    const contexts = [this.#serving?.context, this.#dialling?.context].filter((context) => context !== undefined);
    return {
      transports: contexts.map((context) => context.stats()),
      connections: contexts.flatMap((context) => [...context.connections].map((connection) => connection.stats())),
      transfers: this.#transfers.size,
      streams: rpcServer?.streamManager.numStreamStates ?? 0,
      openBlocks: rpcServer?.openBlocks ?? 0,
      chunksBeingTransferred: rpcServer?.streamManager.chunksBeingTransferred() ?? 0,
      uploads: rpcServer?.uploads ?? 0,
    };
  }

  /** Fails all transfers, stops serving, and closes all connections. Twice is the same as once. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** The same as {@linkcode NettyBlockTransferService.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const reason = stopped();
    for (const cancel of [...this.#transfers]) cancel(reason);
    const serving = await this.#starting?.catch(() => undefined);
    await serving?.server.close(reason);
    await serving?.context.close(reason);
    await this.#dialling?.factory.close(reason);
    await this.#dialling?.context.close(reason);
  }

  async #serve(blocks: BlockDataManager): Promise<Serving> {
    const { random, logger } = this.#contextOptions;
    const rpcServer = new NettyBlockRpcServer(blocks, {
      appId: this.#appId,
      executorId: this.#executorId,
      random,
      logger,
      maxOpenBlocks: this.#options.maxOpenBlocks,
    });
    const context = await TransportContext.create(rpcServer, this.#contextOptions);
    const { bindHost = this.hostName } = this.#options;
    const server = await startServiceOnPort(this.#listenPort, (free) => context.createServer(free, { host: bindHost }), {
      name: SERVICE_NAME,
      maxRetries: context.conf.portMaxRetries,
      logger,
    });
    return { rpcServer, context, server };
  }

  async #clientFactory(): Promise<TransportClientFactory> {
    if (this.#dialling === undefined) {
      const context = await TransportContext.create(noOpRpcHandler, this.#contextOptions);
      this.#dialling ??= { context, factory: context.createClientFactory() };
    }
    if (this.#closing !== undefined) throw stopped();
    return this.#dialling.factory;
  }

  async #ask(source: BlockPeer, message: BlockTransferMessage, options?: AskRpcOptions): Promise<BlockTransferMessage> {
    const { client } = await this.#forTransfers.connections.connect(source, undefined, false);
    return decodeBlockTransferMessage(await askRpc(client, (out) => writeBlockTransferMessage(out, message), options));
  }
}

function readPort(conf: SparkConf): number {
  const port = conf.getInt("spark.blockManager.port", 0);
  return roleOf(conf) === "driver" ? conf.getInt("spark.driver.blockManager.port", port) : port;
}

function stopped(): RpcStoppedError {
  return new RpcStoppedError("The block service has been closed");
}

function wrongAnswer({ type }: BlockTransferMessage): RpcError {
  return new RpcError("PROTOCOL", `The answer is a message of type ${type}, which was not asked for`);
}
