/**
 * Files whose handles are counted, and whose opening can be held back.
 *
 * @module
 */

import type { FileHandle, FileInfo, Files } from "../../src/platform/files.ts";

/** Passes everything on and counts. */
export class CountingFiles implements Files {
  opened = 0;
  closed = 0;
  /** What each `open` waits for first. */
  gate: Promise<void> | undefined;
  readonly #files: Files;

  constructor(files: Files) {
    this.#files = files;
  }

  async open(path: string): Promise<FileHandle> {
    this.opened++;
    await this.gate;
    const handle = await this.#files.open(path);
    const close = (): Promise<void> => {
      this.closed++;
      return handle.close();
    };
    return {
      stat: () => handle.stat(),
      readAt: (position, into) => handle.readAt(position, into),
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  stat(path: string): Promise<FileInfo> {
    return this.#files.stat(path);
  }

  realpath(path: string): Promise<string> {
    return this.#files.realpath(path);
  }
}
