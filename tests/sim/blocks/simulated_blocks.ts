/**
 * Blocks that say by their names what they are made of, and a server of them that counts what it hands out.
 *
 * @module
 */

import type { Clock } from "../../../src/base/clock.ts";
import type { BlockDataManager } from "../../../src/block/block_data_manager.ts";
import { DiskBlockManager } from "../../../src/block/disk_block_manager.ts";
import { DiskBlockStore } from "../../../src/block/disk_block_store.ts";
import { MemoryWritableFiles } from "../../../src/platform/memory_writable_files.ts";
import type { ManagedBuffer } from "../../../src/protocol/managed_buffer.ts";
import type { StreamCallbackWithId } from "../../../src/transport/stream_callback_with_id.ts";
import { CountedBuffer, type ReadMode } from "../counted_buffer.ts";
import { payloadFault } from "../payload.ts";

/** How a block comes about; `late` ones take their time to be found. */
export type BlockMode = ReadMode | "late" | "missing";

/** All that there is to know of a block. */
export interface BlockRecipe {
  readonly seed: number;
  readonly size: number;
  readonly mode: BlockMode;
}

/** The name of a block. */
export function blockName({ seed, size, mode }: BlockRecipe): string {
  return `b_${seed}_${size}_${mode}`;
}

/** What a block's name says. */
export function parseBlockName(name: string): BlockRecipe {
  const [, seed, size, mode] = name.split("_");
  return { seed: Number(seed), size: Number(size), mode: mode as BlockMode };
}

/** What is wrong with the bytes of a block of that name; undefined if nothing is. */
export function blockFault(name: string, bytes: Uint8Array): string | undefined {
  const { seed, size } = parseBlockName(name);
  return payloadFault({ seed, bytes }, size);
}

/** Serves any block by its name, and keeps what is uploaded on a disk in memory. */
export class SimulatedBlocks implements BlockDataManager {
  readonly disk = new MemoryWritableFiles();
  readonly #store = new DiskBlockStore(new DiskBlockManager("/blocks", { files: this.disk, subDirectories: 2 }));
  readonly #clock: Clock;
  readonly #handedOut: CountedBuffer[] = [];
  #begun = 0;
  /** How often each block was put, whole or as a stream. */
  readonly puts = new Map<string, number>();

  /** @param clock The server's. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Buffers that are held, or were released too often. */
  get held(): number {
    return this.#handedOut.filter(({ holders }) => holders !== 0).length;
  }

  getLocalBlockData(name: string): ManagedBuffer | Promise<ManagedBuffer> {
    const { seed, size, mode } = parseBlockName(name);
    if (mode === "missing") throw new Error(`Block ${name} not found`);
    const buffer = new CountedBuffer(seed, size, mode === "late" ? "pieces" : mode, this.#clock);
    this.#handedOut.push(buffer);
    return mode === "late" ? new Promise((resolve) => this.#clock.setTimer(size % 50, () => resolve(buffer))) : buffer;
  }

  async putBlockData(name: string, data: ManagedBuffer): Promise<boolean> {
    this.#begun++;
    await this.#store.putBlockData(name, data);
    this.#noted(name);
    return true;
  }

  putBlockDataAsStream(name: string): StreamCallbackWithId {
    this.#begun++;
    const upload = this.#store.putBlockDataAsStream(name);
    return {
      ...upload,
      onComplete: async (id) => {
        await upload.onComplete(id);
        this.#noted(name);
      },
    };
  }

  /** Files of uploads that did not become blocks. */
  async leftParts(): Promise<string[]> {
    const left: string[] = [];
    for (let i = 1; i <= this.#begun; i++) {
      for (const folder of ["00", "01"]) {
        const path = `/blocks/${folder}/.sparkwire-${i}.part`;
        if (await this.disk.realpath(path).then(() => true, () => false)) left.push(path);
      }
    }
    return left;
  }

  /** The bytes of a block that was uploaded; undefined if it is not there. */
  async uploaded(name: string): Promise<Uint8Array | undefined> {
    if (!await this.#store.blocks.containsBlock(name)) return undefined;
    const buffer = await this.#store.getLocalBlockData(name);
    const bytes = new Uint8Array(buffer.size);
    for (let at = 0; at < bytes.length;) at += await buffer.read(at, bytes.subarray(at));
    buffer.release();
    return bytes;
  }

  #noted(name: string): void {
    this.puts.set(name, (this.puts.get(name) ?? 0) + 1);
  }
}
