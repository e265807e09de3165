/**
 * One block on its way into a file.
 *
 * Spark: DownloadCallback in common/network-shuffle/…/shuffle/OneForOneBlockFetcher.java. Differences: the file is made when the first
 * byte is known to come, and a disk that is slow holds the far end back instead of a thread.
 *
 * @module
 */

import { toError } from "../base/errors.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import type { StreamCallback, StreamFlow } from "../protocol/stream_callback.ts";
import type { DownloadFile, DownloadFileManager, DownloadFileWritableChannel } from "./download_file.ts";
import { PacedWriter } from "./paced_writer.ts";

/** Who hears of a download: one of both, once. */
export interface BlockDownloadListener {
  /** The block is whole, and the listener's to release: that has been done when this returns, or when its promise resolves. */
  onSuccess(data: ManagedBuffer): void | Promise<void>;
  /** There is no block, and no file. */
  onFailure(error: Error): void;
  /** A file could not be closed or taken away; nobody waits for that. */
  onLeftBehind(file: DownloadFile, error: Error): void;
}

/** Takes a block's stream. */
export class BlockDownload implements StreamCallback {
  readonly #manager: DownloadFileManager;
  readonly #listener: BlockDownloadListener;
  readonly #writer = new PacedWriter(async (chunk) => (await this.#open(0)).write(chunk));
  #file: DownloadFile | undefined;
  #opening: Promise<DownloadFileWritableChannel> | undefined;

  /** @param manager Makes the file. @param listener Hears of the end. */
  constructor(manager: DownloadFileManager, listener: BlockDownloadListener) {
    this.#manager = manager;
    this.#listener = listener;
  }

  onStart(_streamId: string, byteCount: number): void {
    // Whoever waits for it has the failure.
    this.#open(byteCount).catch(() => {});
  }

  allocate(): Uint8Array {
    return this.#writer.allocate();
  }

  onData(_streamId: string, chunk: Uint8Array, owned: boolean, flow: StreamFlow): void {
    this.#writer.push(chunk, owned, flow);
  }

  onComplete(): void {
    this.#finish().catch((thrown) => this.#fail(toError(thrown)));
  }

  onFailure(_streamId: string, error: Error): void {
    this.#writer.stop(error).then(() => this.#fail(error));
  }

  #open(byteCount: number): Promise<DownloadFileWritableChannel> {
    return this.#opening ??= this.#openNow(byteCount);
  }

  /** Async, so that what a manager throws is a rejection. */
  async #openNow(byteCount: number): Promise<DownloadFileWritableChannel> {
    this.#file = this.#manager.createTempFile();
    return await this.#file.openForWriting(byteCount);
  }

  async #finish(): Promise<void> {
    await this.#writer.finish();
    const data = await (await this.#open(0)).closeAndRead();
    await this.#listener.onSuccess(data);
    const file = this.#file!;
    if (!this.#isManagers(file)) await this.#tidy(() => file.delete());
  }

  /** Whether the manager takes the file away; the listener has had the block, whatever it says. */
  #isManagers(file: DownloadFile): boolean {
    try {
      return this.#manager.registerTempFileToClean(file);
    } catch (thrown) {
      this.#listener.onLeftBehind(file, toError(thrown));
      return false;
    }
  }

  async #fail(error: Error): Promise<void> {
    await this.#tidy(async () => await (await this.#opening?.catch(() => undefined))?.close());
    await this.#tidy(async () => await this.#file?.delete());
    this.#listener.onFailure(error);
  }

  async #tidy(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (thrown) {
      this.#listener.onLeftBehind(this.#file!, toError(thrown));
    }
  }
}
