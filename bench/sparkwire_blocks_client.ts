/**
 * The process that fetches blocks: 64 chunks by `fetchBlocks`, one block by `openBlock`, or one stream by a callback; `blocks.ts`
 * starts it.
 *
 * @module
 */

import {
  type BlockPeer,
  NettyBlockTransferService,
  noOpRpcHandler,
  SparkConf,
  type TransportClient,
  TransportContext,
} from "../mod.ts";
import { chunkId, CHUNKS } from "./block_plan.ts";
import { fetchOnCommand } from "./file_client.ts";
import { BENCH_HOST } from "./frames.ts";

/** As much as the yardstick's client has. */
const MEMORY_BYTES = 128 * 1024;
const chunkIds = Array.from({ length: CHUNKS }, (_, i) => chunkId(i));

function fetchChunks(service: NettyBlockTransferService, peer: BlockPeer): Promise<number> {
  return new Promise((resolve, reject) => {
    let [bytes, left] = [0, CHUNKS];
    service.fetchBlocks(peer, chunkIds, {
      onBlockFetchSuccess(_, data) {
        bytes += data.size;
        if (--left === 0) resolve(bytes);
      },
      onBlockFetchFailure: (_, error) => reject(error),
    });
  });
}

async function readBlock(service: NettyBlockTransferService, peer: BlockPeer, blockId: string): Promise<number> {
  let bytes = 0;
  const reader = service.openBlock(peer, blockId).getReader();
  for (let { value } = await reader.read(); value !== undefined; { value } = await reader.read()) bytes += value.length;
  return bytes;
}

function takeStream(client: TransportClient, streamId: string, memory: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    client.stream(streamId, {
      allocate: () => memory,
      onData: (_, chunk) => void (bytes += chunk.length),
      onComplete: () => resolve(bytes),
      onFailure: (_, error) => reject(error),
    });
  });
}

/** What fetches all once, and says how many bytes came. */
async function connect(port: number, name: string): Promise<() => Promise<number>> {
  if (name === "chunks" || name === "readable") {
    const service = new NettyBlockTransferService(new SparkConf(), { host: BENCH_HOST });
    const peer = { host: BENCH_HOST, port, execId: "1" };
    return () => name === "chunks" ? fetchChunks(service, peer) : readBlock(service, peer, name);
  }
  const context = await TransportContext.create(noOpRpcHandler);
  const client = await context.createClientFactory().createClient({ host: BENCH_HOST, port });
  const memory = new Uint8Array(MEMORY_BYTES);
  return () => takeStream(client, name, memory);
}

await fetchOnCommand(async ({ port, name, size }) => {
  const fetchAll = await connect(port, name);
  return async () => {
    const bytes = await fetchAll();
    if (bytes !== size) throw new Error(`${bytes} bytes came instead of ${size}`);
  };
});
