/**
 * Files by `node:fs`, on all three runtimes.
 *
 * @module
 */

import { close, fstat, open, read, realpath, stat } from "node:fs";
import type { Stats } from "node:fs";
import { type Callback, done, onPath, promised } from "./_node_callbacks.ts";
import { fileClosed } from "./files.ts";
import type { FileHandle, FileInfo, Files } from "./files.ts";

class NodeFileHandle implements FileHandle {
  readonly #path: string;
  readonly #fd: number;
  #reads = 0;
  #closing: Promise<void> | undefined;
  /** Set while `close` waits for the last read. */
  #onIdle: (() => void) | undefined;

  constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
  }

  async stat(): Promise<FileInfo> {
    return infoOf(await this.#use<Stats>((callback) => fstat(this.#fd, callback)));
  }

  async readAt(position: number, into: Uint8Array): Promise<number> {
    let filled = 0;
    while (filled < into.length) {
      const count = await this.#use<number>((callback) => {
        read(this.#fd, into, filled, into.length - filled, position + filled, callback);
      });
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The descriptor's number is the next file's once it is closed: nothing may be under way then. */
  async #close(): Promise<void> {
    if (this.#reads > 0) await new Promise<void>((resolve) => this.#onIdle = resolve);
    await done((callback) => close(this.#fd, callback));
  }

  async #use<T>(start: (callback: Callback<T>) => void): Promise<T> {
    if (this.#closing !== undefined) throw fileClosed(this.#path);
    this.#reads++;
    try {
      return await promised(start);
    } finally {
      if (--this.#reads === 0) this.#onIdle?.();
    }
  }
}

function infoOf(stats: Stats): FileInfo {
  return { size: stats.size, isFile: stats.isFile() };
}

/** The machine's files. */
export const nodeFiles: Files = {
  async open(path) {
    return new NodeFileHandle(path, await onPath(path, promised<number>((callback) => open(path, "r", callback))));
  },
  async stat(path) {
    return infoOf(await onPath(path, promised<Stats>((callback) => stat(path, callback))));
  },
  realpath(path) {
    // `realpath` itself goes up from a link's own folder where `open` goes up from where the link leads.
    return onPath(path, promised<string>((callback) => realpath.native(path, callback)));
  },
};
