/**
 * Where blocks go that are too large for memory: files of their own, until they have been read.
 *
 * Spark: DownloadFile, DownloadFileWritableChannel, DownloadFileManager and SimpleDownloadFile in common/network-shuffle/…/shuffle.
 * Difference: a file is opened when its block begins to come, not when all of them are asked for, and it is told how long it will be.
 *
 * @module
 */

import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import type { FileWriter, WritableFiles } from "../platform/writable_files.ts";
import { FileSegmentManagedBuffer } from "../transport/file_segment_managed_buffer.ts";

/** A file that a block is written into. */
export interface DownloadFile {
  /** Where it is. */
  readonly path: string;
  /**
   * Makes it.
   *
   * @param byteCount How many bytes will come.
   */
  openForWriting(byteCount: number): Promise<DownloadFileWritableChannel>;
  /** Takes it away; nothing happens if it is not there. */
  delete(): Promise<void>;
}

/** A {@linkcode DownloadFile} that was opened. */
export interface DownloadFileWritableChannel {
  /** Appends all of `chunk`. */
  write(chunk: Uint8Array): Promise<void>;
  /** Closes it, and gives what was written. Whoever gets the buffer releases it. */
  closeAndRead(): Promise<ManagedBuffer>;
  /** Closes it; what was written is not wanted. */
  close(): Promise<void>;
}

/** Makes files for blocks, and knows when nobody reads them any more. */
export interface DownloadFileManager {
  /** A file for one block. It does not exist yet. */
  createTempFile(): DownloadFile;
  /** A block is whole in its file. True: the manager takes it away; false: it goes when its listener has returned. */
  registerTempFileToClean(file: DownloadFile): boolean;
}

/**
 * A file of its bytes as they are: nothing is encrypted. Spark: SimpleDownloadFile.
 *
 * @example
 * ```ts
 * import { MemoryWritableFiles, SimpleDownloadFile } from "@sparkwire/sparkwire";
 *
 * const file = new SimpleDownloadFile(new MemoryWritableFiles(), "/tmp/block");
 * const channel = await file.openForWriting();
 * await channel.write(Uint8Array.of(1, 2, 3));
 * const data = await channel.closeAndRead();
 * if (data.size !== 3) throw new Error("not three bytes");
 * data.release();
 * await file.delete();
 * ```
 */
export class SimpleDownloadFile implements DownloadFile {
  /** Where it is. */
  readonly path: string;
  readonly #files: WritableFiles;
  /** It could not be made: what has its path is somebody else's. */
  #isUnmade = false;

  /**
   * Makes nothing yet.
   *
   * @param files Where files are.
   * @param path Where this one will be.
   */
  constructor(files: WritableFiles, path: string) {
    this.#files = files;
    this.path = path;
  }

  /** Makes it. Rejects if something has its path. */
  async openForWriting(): Promise<DownloadFileWritableChannel> {
    try {
      return new SimpleDownloadChannel(this.#files, this.path, await this.#files.create(this.path));
    } catch (thrown) {
      this.#isUnmade = true;
      throw thrown;
    }
  }

  /** Takes it away; nothing happens if it is not there, or could not be made. */
  delete(): Promise<void> {
    return this.#isUnmade ? Promise.resolve() : this.#files.unlink(this.path);
  }
}

class SimpleDownloadChannel implements DownloadFileWritableChannel {
  readonly #files: WritableFiles;
  readonly #path: string;
  readonly #writer: FileWriter;
  #size = 0;

  constructor(files: WritableFiles, path: string, writer: FileWriter) {
    this.#files = files;
    this.#path = path;
    this.#writer = writer;
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#writer.write(chunk);
    this.#size += chunk.length;
  }

  async closeAndRead(): Promise<ManagedBuffer> {
    await this.#writer.close();
    return new FileSegmentManagedBuffer(this.#files, this.#path, 0, this.#size);
  }

  close(): Promise<void> {
    return this.#writer.close();
  }
}
