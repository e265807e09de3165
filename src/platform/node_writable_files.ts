/**
 * Files that can be made, by `node:fs`, on all three runtimes.
 *
 * @module
 */

import { close, mkdir, open, rename, stat, unlink, write } from "node:fs";
import type { Stats } from "node:fs";
import { dirname } from "node:path";
import { codeOf, done, isMissing, onPath, promised } from "./_node_callbacks.ts";
import { fileClosed } from "./files.ts";
import { nodeFiles } from "./node_files.ts";
import { fileExists, type FileWriter, type WritableFiles } from "./writable_files.ts";

class NodeFileWriter implements FileWriter {
  readonly #path: string;
  readonly #fd: number;
  #writing: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(fileClosed(this.#path));
    const written = this.#writeAll(bytes);
    this.#writing = written.catch(() => {});
    return written;
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A disk that is nearly full takes a part. */
  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await promised<number>((callback) => write(this.#fd, bytes, at, bytes.length - at, null, callback));
    }
  }

  async #close(): Promise<void> {
    await this.#writing;
    await done((callback) => close(this.#fd, callback));
  }
}

/**
 * Without the `recursive` of Node 20 to 26: that tries for ever, at full load, where the system says that a folder is not there when
 * it is to be made: below /proc, or where folders are mounted as they are asked for.
 */
async function makeFolder(path: string): Promise<void> {
  try {
    await makeOneFolder(path);
  } catch (thrown) {
    const above = dirname(path);
    if (codeOf(thrown) !== "ENOENT" || above === path) throw thrown;
    await makeFolder(above);
    await makeOneFolder(path);
  }
}

/** Makes a folder in one that is there, unless it is there too. */
async function makeOneFolder(path: string): Promise<void> {
  try {
    await done((callback) => mkdir(path, (error) => callback(error)));
  } catch (thrown) {
    if (!await isFolder(path)) throw thrown;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await promised<Stats>((callback) => stat(path, callback))).isDirectory();
  } catch {
    return false;
  }
}

/** The machine's files, which can be made too. */
export const nodeWritableFiles: WritableFiles = {
  ...nodeFiles,
  async create(path) {
    try {
      return new NodeFileWriter(path, await onPath(path, promised<number>((callback) => open(path, "wx", callback))));
    } catch (thrown) {
      throw codeOf(thrown) === "EEXIST" ? fileExists(path, thrown) : thrown;
    }
  },
  makeFolder,
  rename: (from, to) => onPath(from, done((callback) => rename(from, to, callback))),
  async unlink(path) {
    try {
      await done((callback) => unlink(path, callback));
    } catch (thrown) {
      if (!isMissing(thrown)) throw thrown;
    }
  },
};
