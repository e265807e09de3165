/**
 * A folder of blocks: each is a file of its name, in one of several folders by the hash of it.
 *
 * Spark: core/…/storage/DiskBlockManager.scala and common/network-shuffle/…/ExecutorDiskUtils.java. Differences: with
 * `subDirectories: 0` blocks lie side by side; a name that a file system could take for a way out of the folder is nobody's; a
 * block that is put is there when it is whole, and not before.
 *
 * @module
 */

import { RpcError, toError } from "../base/errors.ts";
import { CountedFiles } from "../platform/counted_files.ts";
import { type Files, liesBelow, realFiles } from "../platform/files.ts";
import { nodeWritableFiles } from "../platform/node_writable_files.ts";
import type { FileWriter, WritableFiles } from "../platform/writable_files.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import { FileSegmentManagedBuffer } from "../transport/file_segment_managed_buffer.ts";

/** The longest name of a file, in bytes, that file systems agree on. */
const MAX_NAME_BYTES = 255;
/** How many folders a folder of blocks can have; Spark writes their numbers with two digits or more. */
const MAX_SUB_DIRECTORIES = 65_536;
/** The names of blocks that are not whole. They lie beside the others so that a block can be put in place in one step. */
const PART_NAME = /^\.sparkwire-\d+\.part$/;

const encoder = new TextEncoder();

/** Options of {@linkcode DiskBlockManager}. */
export interface DiskBlockManagerOptions {
  /**
   * How many folders blocks are spread over in each folder. Spark: `spark.diskStore.subDirectories`. 0: none, blocks lie side by side.
   *
   * @default 64
   */
  readonly subDirectories?: number | undefined;
  /**
   * Where files are.
   *
   * @default the machine's
   */
  readonly files?: WritableFiles | undefined;
}

/** A block that is being put: it is there after `commit`, and nothing is left of it after `abort`. */
export interface BlockWriter {
  /** Appends all of `chunk`. */
  write(chunk: Uint8Array): Promise<void>;
  /** Puts the block in place, whole; one that has its name is replaced. */
  commit(): Promise<void>;
  /** Forgets what was written; nothing happens after `commit`. */
  abort(): Promise<void>;
}

/**
 * Blocks on disk.
 *
 * @example
 * ```ts
 * import { DiskBlockManager, MemoryWritableFiles } from "@sparkwire/sparkwire";
 *
 * const blocks = new DiskBlockManager("/blocks", { files: new MemoryWritableFiles() });
 * const writer = await blocks.createBlock("rdd_0_0");
 * await writer.write(Uint8Array.of(1, 2, 3));
 * await writer.commit();
 * const block = await blocks.getBlock("rdd_0_0");
 * if (block.size !== 3) throw new Error("not three bytes");
 * block.release();
 * ```
 */
export class DiskBlockManager {
  /** Where blocks are. */
  readonly localDirs: readonly string[];
  /** How many folders are in each of those. */
  readonly subDirectories: number;
  readonly #files: WritableFiles;
  readonly #counted: CountedFiles;
  readonly #realFiles: Files;
  /** The real paths of `localDirs`. */
  readonly #roots: (Promise<string> | undefined)[] = [];
  #parts = 0;

  /**
   * Makes no folder yet.
   *
   * @param localDirs Where blocks are: a folder, or several that they are spread over.
   * @param options How many folders in each, and where files are.
   * @throws RangeError if there is no folder, or the number of folders makes no sense.
   */
  constructor(localDirs: string | readonly string[], options: DiskBlockManagerOptions = {}) {
    const { subDirectories = 64, files = nodeWritableFiles } = options;
    this.localDirs = typeof localDirs === "string" ? [localDirs] : [...localDirs];
    if (this.localDirs.length === 0) throw new RangeError("Expected at least one folder for blocks");
    if (!Number.isInteger(subDirectories) || subDirectories < 0 || subDirectories > MAX_SUB_DIRECTORIES) {
      throw new RangeError(`subDirectories must be a whole number from 0 to ${MAX_SUB_DIRECTORIES}: ${subDirectories}`);
    }
    this.subDirectories = subDirectories;
    this.#files = files;
    this.#counted = new CountedFiles(files);
    this.#realFiles = realFiles(this.#counted);
  }

  /** Makes the folders that are not there yet, and gives the real paths of all. */
  async makeLocalDirs(): Promise<readonly string[]> {
    return await Promise.all(this.localDirs.map(async (dir, index) => {
      await this.#files.makeFolder(dir);
      return await this.#root(index);
    }));
  }

  /** How many of its files are open to be read. */
  get openFiles(): number {
    return this.#counted.openHandles;
  }

  /**
   * Where a block's file is, or would be. Spark: getFile.
   *
   * @throws RpcError NOT_FOUND if no file can have that name.
   */
  getFile(blockId: string): string {
    const { folder, name } = this.#place(blockId);
    return `${folder}/${name}`;
  }

  /** Whether the block is there. Spark: containsBlock. */
  async containsBlock(blockId: string): Promise<boolean> {
    try {
      await this.#find(blockId);
      return true;
    } catch {
      return false;
    }
  }

  /**
   * A block's bytes, which are read as they are wanted. Whoever gets the buffer releases it.
   *
   * @returns Rejects with an RpcError of code `NOT_FOUND` if it is not there; a link that leads out of the folder is not.
   */
  async getBlock(blockId: string): Promise<ManagedBuffer> {
    const { real, size } = await this.#find(blockId);
    return new FileSegmentManagedBuffer(this.#realFiles, real, 0, size);
  }

  /**
   * Begins to put a block.
   *
   * @returns Rejects with an RpcError of code `NOT_FOUND` if no file can have that name.
   */
  async createBlock(blockId: string): Promise<BlockWriter> {
    const { folder, name } = this.#place(blockId);
    await this.#files.makeFolder(folder);
    const part = await this.#createPart(folder);
    return new DiskBlockWriter(this.#files, part.writer, part.path, `${folder}/${name}`);
  }

  /** Takes a block away; nothing happens if it is not there. */
  async removeBlock(blockId: string): Promise<void> {
    await this.#files.unlink(this.getFile(blockId));
  }

  async #find(blockId: string): Promise<{ readonly real: string; readonly size: number }> {
    const { index, folder, name } = this.#place(blockId);
    try {
      const root = await this.#root(index);
      const real = await this.#files.realpath(`${folder}/${name}`);
      const { isFile, size } = await this.#files.stat(real);
      if (isFile && liesBelow(real, root)) return { real, size };
    } catch (thrown) {
      throw notFound(blockId, toError(thrown));
    }
    throw notFound(blockId);
  }

  #place(blockId: string): { readonly index: number; readonly folder: string; readonly name: string } {
    if (!isFileName(blockId)) throw notFound(blockId);
    const hash = nonNegativeHash(blockId);
    const index = hash % this.localDirs.length;
    const root = this.localDirs[index]!;
    if (this.subDirectories === 0) return { index, folder: root, name: blockId };
    const sub = Math.floor(hash / this.localDirs.length) % this.subDirectories;
    return { index, folder: `${root}/${sub.toString(16).padStart(2, "0")}`, name: blockId };
  }

  async #root(index: number): Promise<string> {
    const finding = this.#roots[index] ??= this.#files.realpath(this.localDirs[index]!);
    try {
      return await finding;
    } catch (thrown) {
      // It may be made later.
      this.#roots[index] = undefined;
      throw thrown;
    }
  }

  /** What an earlier process left there is not taken for its own. */
  async #createPart(folder: string): Promise<{ readonly path: string; readonly writer: FileWriter }> {
    for (;;) {
      const path = `${folder}/.sparkwire-${++this.#parts}.part`;
      try {
        return { path, writer: await this.#files.create(path) };
      } catch (thrown) {
        if (!isTaken(thrown)) throw thrown;
      }
    }
  }
}

class DiskBlockWriter implements BlockWriter {
  readonly #files: WritableFiles;
  readonly #writer: FileWriter;
  readonly #part: string;
  readonly #path: string;
  #isOver = false;

  constructor(files: WritableFiles, writer: FileWriter, part: string, path: string) {
    this.#files = files;
    this.#writer = writer;
    this.#part = part;
    this.#path = path;
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#writer.write(chunk);
  }

  async commit(): Promise<void> {
    await this.#writer.close();
    await this.#files.rename(this.#part, this.#path);
    this.#isOver = true;
  }

  async abort(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    try {
      await this.#writer.close();
    } finally {
      await this.#files.unlink(this.#part);
    }
  }
}

/** As the JVM: `hashCode` of a string, without its sign. Spark: JavaUtils.nonNegativeHash. */
export function nonNegativeHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash, 31) + text.charCodeAt(i) | 0;
  return hash === -0x8000_0000 ? 0 : Math.abs(hash);
}

/** Whether a name is one of a file beside others, on any file system, and of nothing else. */
export function isFileName(name: string): boolean {
  if (name === "" || name === "." || name === ".." || PART_NAME.test(name)) return false;
  return !/[/\\\0]/.test(name) && encoder.encode(name).length <= MAX_NAME_BYTES;
}

function isTaken(thrown: unknown): boolean {
  return RpcError.is(thrown) && thrown.message.startsWith("File exists: ");
}

/** The path is no business of the peer that may hear this. */
function notFound(blockId: string, cause?: Error): RpcError {
  return new RpcError("NOT_FOUND", `Block ${blockId.slice(0, MAX_NAME_BYTES)} not found`, cause === undefined ? {} : { cause });
}
