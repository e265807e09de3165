/**
 * Files in memory that can be made, for tests and simulations: nothing in them takes a turn of the event loop.
 *
 * @module
 */

import { fileClosed } from "./files.ts";
import { MemoryFiles } from "./memory_files.ts";
import { fileExists, type FileWriter, type WritableFiles } from "./writable_files.ts";

/**
 * A tree of files under `/` that can be written by who has only paths; what a writer wrote is there when it is closed.
 *
 * @example
 * ```ts
 * import { MemoryWritableFiles } from "@sparkwire/sparkwire";
 *
 * const files = new MemoryWritableFiles();
 * const writer = await files.create("/blocks/.part");
 * await writer.write(new Uint8Array(3));
 * await writer.close();
 * await files.rename("/blocks/.part", "/blocks/rdd_0_0");
 * if ((await files.stat("/blocks/rdd_0_0")).size !== 3) throw new Error("not three bytes");
 * ```
 */
export class MemoryWritableFiles extends MemoryFiles implements WritableFiles {
  /** Makes a file that is not there yet; it is empty until its writer is closed. */
  // deno-lint-ignore require-await -- a promise by contract; of two who want the same path only one may go on.
  async create(path: string): Promise<FileWriter> {
    if (this.has(path)) throw fileExists(path);
    this.write(path, new Uint8Array(0));
    return new MemoryFileWriter(path, (bytes) => this.write(path, bytes));
  }

  /** Without effect: folders are there as soon as something lies in them. */
  makeFolder(): Promise<void> {
    return Promise.resolve();
  }

  /** Gives a file another path, in one step. */
  async rename(from: string, to: string): Promise<void> {
    const handle = await this.open(from);
    const bytes = new Uint8Array((await handle.stat()).size);
    await handle.readAt(0, bytes);
    await handle.close();
    if (await this.#isFolder(to)) throw new Error(`Is a folder: ${to}`);
    this.write(to, bytes);
    if (from !== to) this.remove(from);
  }

  /** Takes a file away; nothing happens if there is none. */
  unlink(path: string): Promise<void> {
    this.remove(path);
    return Promise.resolve();
  }

  async #isFolder(path: string): Promise<boolean> {
    return this.has(path) && !(await this.stat(path)).isFile;
  }
}

class MemoryFileWriter implements FileWriter {
  readonly #path: string;
  readonly #onClose: (bytes: Uint8Array) => void;
  readonly #chunks: Uint8Array[] = [];
  #size = 0;
  #isClosed = false;

  constructor(path: string, onClose: (bytes: Uint8Array) => void) {
    this.#path = path;
    this.#onClose = onClose;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#isClosed) return Promise.reject(fileClosed(this.#path));
    this.#chunks.push(bytes.slice());
    this.#size += bytes.length;
    return Promise.resolve();
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    const all = new Uint8Array(this.#size);
    let at = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    this.#onClose(all);
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
