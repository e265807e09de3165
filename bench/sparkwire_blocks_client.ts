/**
 * The process that fetches blocks: 64 chunks by `fetchBlocks`, or one block by `openBlock`; `blocks.ts` starts it.
 *
 * @module
 */

import { type BlockPeer, NettyBlockTransferService, SparkConf } from "../mod.ts";
import { chunkId, CHUNKS } from "./block_plan.ts";
import { fetchOnCommand } from "./file_client.ts";
import { BENCH_HOST } from "./frames.ts";

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

async function readStream(service: NettyBlockTransferService, peer: BlockPeer, blockId: string): Promise<number> {
  let bytes = 0;
  const reader = service.openBlock(peer, blockId).getReader();
  for (let { value } = await reader.read(); value !== undefined; { value } = await reader.read()) bytes += value.length;
  return bytes;
}

await fetchOnCommand(({ port, name, size }) => {
  const service = new NettyBlockTransferService(new SparkConf(), { host: BENCH_HOST });
  const peer = { host: BENCH_HOST, port, execId: "1" };
  return Promise.resolve(async () => {
    const bytes = await (name === "chunks" ? fetchChunks(service, peer) : readStream(service, peer, name));
    if (bytes !== size) throw new Error(`${bytes} bytes came instead of ${size}`);
  });
});
