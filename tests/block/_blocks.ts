/**
 * What tests of the block service stand on: blocks in memory, services over real sockets that end with the test, and ears.
 *
 * @module
 */

import { SparkConf } from "../../src/base/spark_conf.ts";
import type { BlockDataManager } from "../../src/block/block_data_manager.ts";
import type { BlockFetchingListener } from "../../src/block/block_fetching_listener.ts";
import type { BlockTransferServiceOptions } from "../../src/block/block_transfer_options.ts";
import type { BlockPeer } from "../../src/block/block_transfer_service.ts";
import { NettyBlockTransferService } from "../../src/block/netty_block_transfer_service.ts";
import { BytesManagedBuffer, type ManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import type { StreamCallbackWithId } from "../../src/transport/stream_callback_with_id.ts";
import { CountedBuffer } from "../_counted_buffer.ts";
import { concat, type TestContext, until, within } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";

/** Blocks in memory; each time that one is handed out is written down. */
export class MemoryBlocks implements BlockDataManager {
  readonly blocks = new Map<string, Uint8Array>();
  readonly metadata = new Map<string, Uint8Array>();
  readonly handedOut: CountedBuffer[] = [];
  readonly aborted: string[] = [];
  /** Uploads are not stored if false. */
  hasRoom = true;

  constructor(blocks: Readonly<Record<string, Uint8Array>> = {}) {
    for (const [blockId, bytes] of Object.entries(blocks)) this.blocks.set(blockId, bytes);
  }

  /** How many buffers nobody has released. */
  get held(): number {
    return this.handedOut.reduce((sum, { holders }) => sum + holders, 0);
  }

  getLocalBlockData(blockId: string): ManagedBuffer {
    const bytes = this.blocks.get(blockId);
    if (bytes === undefined) throw new Error(`Block ${blockId} not found`);
    const buffer = new CountedBuffer(bytes);
    this.handedOut.push(buffer);
    return buffer;
  }

  putBlockData(blockId: string, data: ManagedBuffer, metadata: Uint8Array): boolean {
    if (this.hasRoom) this.#put(blockId, data.bytes!, metadata);
    return this.hasRoom;
  }

  putBlockDataAsStream(blockId: string, metadata: Uint8Array): StreamCallbackWithId {
    if (blockId === "") throw new Error("A block must have a name");
    const chunks: Uint8Array[] = [];
    return {
      id: blockId,
      onData: (_id, chunk) => void chunks.push(chunk.slice()),
      onComplete: () => {
        if (!this.hasRoom) throw new Error("No room");
        this.#put(blockId, concat(chunks), metadata);
      },
      onFailure: (id) => void this.aborted.push(id),
    };
  }

  #put(blockId: string, bytes: Uint8Array, metadata: Uint8Array): void {
    this.blocks.set(blockId, bytes);
    this.metadata.set(blockId, metadata);
  }
}

/** Writes down what is heard of blocks, and waits for it. */
export class Ear implements BlockFetchingListener {
  /** What came, with the bytes of blocks in memory. */
  readonly blocks = new Map<string, Uint8Array | undefined>();
  readonly failures = new Map<string, Error>();
  /** The names, in the order in which they were told of. */
  readonly order: string[] = [];

  onBlockFetchSuccess(blockId: string, data: ManagedBuffer): void {
    this.order.push(blockId);
    this.blocks.set(blockId, data.retain().bytes);
  }

  onBlockFetchFailure(blockId: string, error: Error): void {
    this.order.push(blockId);
    this.failures.set(blockId, error);
  }

  /** Waits until `count` blocks were told of. */
  async count(count: number): Promise<void> {
    await until(() => this.order.length >= count, `${count} blocks`);
  }
}

/** A service with its log, which is closed with the test. */
export interface TestService {
  readonly service: NettyBlockTransferService;
  readonly logger: MemoryLogger;
  /** As others see it; once it listens. */
  readonly peer: BlockPeer;
}

/** Makes a service; with blocks, it serves them. */
export async function startService(
  context: TestContext,
  blocks?: BlockDataManager,
  options: Partial<BlockTransferServiceOptions> & { readonly conf?: Readonly<Record<string, string>> } = {},
): Promise<TestService> {
  const logger = new MemoryLogger();
  const { conf = {}, ...rest } = options;
  const all = new SparkConf({ "spark.shuffle.io.retryWait": "0s", ...conf });
  const service = new NettyBlockTransferService(all, { host: "127.0.0.1", logger, ...rest });
  context.defer(() => within(service.close(), "the service to close"));
  if (blocks !== undefined) await within(service.init(blocks), "to listen");
  return {
    service,
    logger,
    get peer() {
      return { host: "127.0.0.1", port: service.port!, execId: "exec-1" };
    },
  };
}

/** Waits until nothing of a service is left but its server. */
export async function idle({ service }: TestService): Promise<void> {
  const counts = () => {
    const { transfers, streams, openBlocks, chunksBeingTransferred, uploads, connections } = service.stats();
    const requests = connections.reduce(
      (sum, { outstandingRequests, unansweredRequests }) => sum + outstandingRequests + unansweredRequests,
      0,
    );
    return transfers + streams + openBlocks + chunksBeingTransferred + uploads + requests;
  };
  await until(() => counts() === 0, "the counters to be back at zero");
}

/** A buffer of bytes. */
export function bufferOf(bytes: Uint8Array): BytesManagedBuffer {
  return new BytesManagedBuffer(bytes);
}
