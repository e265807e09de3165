/**
 * A part of a file, to be sent: opened when its first byte is wanted, read in pieces, closed when nobody needs it any more.
 *
 * Spark: common/network-common/…/buffer/FileSegmentManagedBuffer.java with `spark.<module>.io.lazyFD`, which is always on here.
 * Nothing is mapped into memory.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import { RpcError, toError } from "../base/errors.ts";
import type { FileHandle, Files } from "../platform/files.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";

/**
 * Bytes `[offset, offset + size)` of a file. Whoever makes it holds it once; a source of the file server gives it away.
 *
 * @example The lines of a file, each as a stream of its own
 * ```ts
 * import { FileSegmentManagedBuffer, MemoryFiles, RpcEnv } from "@sparkwire/sparkwire";
 *
 * const files = new MemoryFiles();
 * files.write("/words", new TextEncoder().encode("one\ntwo\n"));
 * const server = await RpcEnv.create({ name: "server", host: "127.0.0.1", port: 0, files });
 * server.fileServer.addSource("/lines", (line) => {
 *   return new FileSegmentManagedBuffer(server.fileServer.files, "/words", 4 * Number(line), 3);
 * });
 *
 * const client = await RpcEnv.create({ name: "client" });
 * const text = await new Response(client.openChannel(`spark://${server.address}/lines/1`)).text();
 * if (text !== "two") throw new Error(text);
 *
 * await client.shutdown();
 * await server.shutdown();
 * ```
 */
export class FileSegmentManagedBuffer implements ManagedBuffer {
  /** How many bytes it has. */
  readonly size: number;
  readonly #files: Files;
  readonly #path: string;
  readonly #offset: number;
  #holders = 1;
  #opening: Promise<FileHandle> | undefined;

  /**
   * Opens nothing yet.
   *
   * @param files Where the file is.
   * @param path Its path.
   * @param offset Where the part begins, in bytes.
   * @param length How long it is, in bytes.
   * @throws RangeError if the part cannot begin there.
   */
  constructor(files: Files, path: string, offset: number, length: number) {
    // To node:fs -1 is wherever the descriptor stands: others of its bytes would be sent.
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw new RangeError(`A part of a file must begin at a whole number of bytes: ${offset}`);
    }
    this.#files = files;
    this.#path = path;
    this.#offset = offset;
    this.size = length;
  }

  /**
   * Reads at `position` of the part, as much as `into` holds.
   *
   * @returns How many bytes; rejects with an RpcError of code `STREAM` if the file cannot be read or is too short.
   */
  async read(position: number, into: Uint8Array): Promise<number> {
    assert(this.#holders > 0, "A file segment was read after its release");
    const wanted = Math.min(into.length, this.size - position);
    let handle: FileHandle | undefined;
    try {
      handle = await (this.#opening ??= this.#files.open(this.#path));
      const count = await handle.readAt(this.#offset + position, into.subarray(0, wanted));
      if (count < wanted) throw new RangeError(`The file ended ${wanted - count} bytes too early`);
      return count;
    } catch (thrown) {
      throw await this.#readError(handle, toError(thrown));
    }
  }

  /** Keeps the file open once more. */
  retain(): this {
    assert(this.#holders > 0, "A file segment was retained after its release");
    this.#holders++;
    return this;
  }

  /** Gives it up once; the last one closes the file. */
  release(): void {
    assert(this.#holders > 0, "A file segment was released twice");
    if (--this.#holders > 0) return;
    // Whoever waits for a failure has it from `read`; nothing was written that a failed close could lose.
    this.#opening?.then((handle) => handle.close()).catch(() => {});
  }

  /** As Spark has it in messages. */
  toString(): string {
    return `FileSegmentManagedBuffer[file=${this.#path},offset=${this.#offset},length=${this.size}]`;
  }

  async #readError(handle: FileHandle | undefined, cause: Error): Promise<RpcError> {
    let message = `Error in reading ${this}`;
    try {
      if (handle !== undefined) message += ` (actual file length ${(await handle.stat()).size})`;
    } catch {
      // The length would have been good to know, no more.
    }
    return new RpcError("STREAM", message, { cause });
  }
}
