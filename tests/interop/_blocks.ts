/**
 * Blocks of tests: services that fetch, serve and take them, folders, and what came.
 *
 * @module
 */
import {
  type BlockDataManager,
  type BlockPeer,
  type BlockTransferServiceOptions,
  type FetchBlocksOptions,
  type ManagedBuffer,
  NettyBlockTransferService,
  silentLogger,
  SparkConf,
} from "../../mod.ts";
import { pattern } from "../_vectors.ts";
import { deferred, type TestContext, within } from "../_harness.ts";
import { sha256 } from "./_notation.ts";

/** How long a test waits for blocks. */
export const DEADLINE_MS = 60_000;

/** A block service of ours, with this configuration; it serves `blocks`, if it is given some. */
export async function makeService(
  context: TestContext,
  conf: Readonly<Record<string, string>> = {},
  options: Partial<BlockTransferServiceOptions> & { readonly blocks?: BlockDataManager } = {},
): Promise<NettyBlockTransferService> {
  const { blocks, ...others } = options;
  const service = new NettyBlockTransferService(new SparkConf(conf), { host: "127.0.0.1", logger: silentLogger, ...others });
  context.defer(() => service.close());
  if (blocks !== undefined) await service.init(blocks);
  return service;
}

/** All of a block, which is released. */
export async function readBlock(block: ManagedBuffer): Promise<Uint8Array> {
  const bytes = new Uint8Array(block.size);
  for (let read = 0; read < bytes.length;) read += await block.read(read, bytes.subarray(read));
  block.release();
  return bytes;
}

/** Fetches several blocks at once; gives what each is, or what it failed with. */
export async function fetchAll(
  service: NettyBlockTransferService,
  peer: BlockPeer,
  blockIds: readonly string[],
  options: FetchBlocksOptions = {},
): Promise<Map<string, Uint8Array | Error>> {
  const found = new Map<string, Uint8Array | Error>();
  const all = deferred();
  const take = (blockId: string, what: Uint8Array | Error) => {
    found.set(blockId, what);
    if (found.size === blockIds.length) all.resolve();
  };
  const listener = {
    onBlockFetchSuccess(blockId: string, data: ManagedBuffer) {
      data.retain();
      readBlock(data).then((bytes) => take(blockId, bytes), (error) => take(blockId, error));
    },
    onBlockFetchFailure: take,
  };
  service.fetchBlocks(peer, blockIds, listener, options);
  await within(all.promise, `blocks ${blockIds.slice(0, 8).join(", ")}`, DEADLINE_MS);
  return found;
}

/** What the JVM says of a block. */
export function described(bytes: Uint8Array): { readonly length: number; readonly sha256: string } {
  return { length: bytes.length, sha256: sha256(bytes) };
}

/** The blocks of shuffle 0 that `ShuffleService.write` makes of these lengths, by their names. */
export function shuffleBlocks(maps: readonly (readonly number[])[]): Map<string, Uint8Array> {
  const blocks = maps.flatMap((parts, map) =>
    parts.map((length, part) => [`shuffle_0_${map}_${part}`, pattern(length, map)] as const)
  );
  return new Map(blocks);
}
