/**
 * Files that know how many of them are open.
 *
 * @module
 */

import type { FileHandle, FileInfo, Files } from "./files.ts";

/** Passes everything on, and counts handles. */
export class CountedFiles implements Files {
  readonly #files: Files;
  #openHandles = 0;

  /** @param files Where the files are. */
  constructor(files: Files) {
    this.#files = files;
  }

  /** How many handles are not closed yet, those included that are being opened or closed. */
  get openHandles(): number {
    return this.#openHandles;
  }

  async open(path: string): Promise<FileHandle> {
    this.#openHandles++;
    try {
      const handle = await this.#files.open(path);
      return new CountedHandle(handle, () => this.#openHandles--);
    } catch (thrown) {
      this.#openHandles--;
      throw thrown;
    }
  }

  stat(path: string): Promise<FileInfo> {
    return this.#files.stat(path);
  }

  realpath(path: string): Promise<string> {
    return this.#files.realpath(path);
  }
}

class CountedHandle implements FileHandle {
  readonly #handle: FileHandle;
  readonly #onClosed: () => void;
  #closing: Promise<void> | undefined;

  constructor(handle: FileHandle, onClosed: () => void) {
    this.#handle = handle;
    this.#onClosed = onClosed;
  }

  stat(): Promise<FileInfo> {
    return this.#handle.stat();
  }

  readAt(position: number, into: Uint8Array): Promise<number> {
    return this.#handle.readAt(position, into);
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    try {
      await this.#handle.close();
    } finally {
      this.#onClosed();
    }
  }
}
