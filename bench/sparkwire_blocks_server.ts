/**
 * The process that serves blocks, out of memory or out of a folder; `blocks.ts` starts it.
 *
 * @module
 */

import { stat } from "node:fs/promises";
import process from "node:process";
import {
  type BlockDataManager,
  BytesManagedBuffer,
  FileSegmentManagedBuffer,
  type ManagedBuffer,
  NettyBlockTransferService,
  nodeFiles,
  noOpRpcHandler,
  SparkConf,
  TransportContext,
} from "../mod.ts";
import { serve } from "./bench_process.ts";
import { allBytes, CHUNK_BYTES, chunkId, CHUNKS } from "./block_plan.ts";
import { BENCH_HOST } from "./frames.ts";

/** Chunks of one buffer, and all of it. */
function inMemory(): BlockDataManager {
  const all = allBytes();
  const blocks = new Map([["readable", all]]);
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

/** Blocks by their service. Gives the port. */
async function serveBlocks(): Promise<number> {
  const service = new NettyBlockTransferService(new SparkConf(), { host: BENCH_HOST, port: 0 });
  await service.init(inMemory());
  return service.port!;
}

/** One stream by the network layer. Gives the port. */
async function serveStream(makeBuffer: () => ManagedBuffer): Promise<number> {
  const context = await TransportContext.create({ ...noOpRpcHandler, streamManager: { openStream: makeBuffer } });
  return (await context.createServer(0, { host: BENCH_HOST })).port;
}

async function start(workload: string | undefined, folder: string | undefined): Promise<number> {
  if (workload === "stream") {
    const buffer = new BytesManagedBuffer(allBytes());
    return await serveStream(() => buffer);
  }
  if (workload !== "file") return await serveBlocks();
  const path = `${folder}/file`;
  const { size } = await stat(path);
  return await serveStream(() => new FileSegmentManagedBuffer(nodeFiles, path, 0, size));
}

const [, , workload, folder] = process.argv;
serve(await start(workload, folder), () => 0);
