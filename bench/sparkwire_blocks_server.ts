/**
 * The process that serves blocks, out of memory or out of a folder; `blocks.ts` starts it.
 *
 * @module
 */

import process from "node:process";
import {
  type BlockDataManager,
  BytesManagedBuffer,
  DiskBlockManager,
  DiskBlockStore,
  NettyBlockTransferService,
} from "../mod.ts";
import { SparkConf } from "../mod.ts";
import { serve } from "./bench_process.ts";
import { allBytes, CHUNK_BYTES, chunkId, CHUNKS } from "./block_plan.ts";
import { BENCH_HOST } from "./frames.ts";

/** Chunks of one buffer, and all of it. */
function inMemory(): BlockDataManager {
  const all = allBytes();
  const blocks = new Map([["stream", all]]);
  for (let i = 0; i < CHUNKS; i++) blocks.set(chunkId(i), all.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES));
  const refuse = (): never => {
    throw new Error("Nothing is uploaded here");
  };
  return {
    getLocalBlockData: (blockId) => new BytesManagedBuffer(blocks.get(blockId)!),
    putBlockData: refuse,
    putBlockDataAsStream: refuse,
  };
}

const [, , workload, folder] = process.argv;
const service = new NettyBlockTransferService(new SparkConf(), { host: BENCH_HOST, port: 0 });
const onDisk = () => new DiskBlockStore(new DiskBlockManager(folder!, { subDirectories: 0 }));
await service.init(workload === "file" ? onDisk() : inMemory());
serve(service.port!, () => 0);
