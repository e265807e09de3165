/**
 * Where `blocks.ts` puts the blocks that it fetches: each into a file of another name first, which gets the block's name when it is whole.
 *
 * @module
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type BlockFetchingListener,
  type DownloadFile,
  type DownloadFileManager,
  type DownloadFileWritableChannel,
  type ManagedBuffer,
  nodeWritableFiles,
  SimpleDownloadFile,
} from "../mod.ts";
import { type Progress, startProgress } from "./_progress.ts";

/** A block that is in its file. */
export interface FetchedBlock {
  readonly blockId: string;
  readonly bytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
  /** How long its bytes took. */
  readonly seconds: number;
}

/** A block that is whole, in its file of another name. */
interface WholeFile extends Omit<FetchedBlock, "blockId"> {
  readonly path: string;
}

/** A folder of fetched blocks: makes their files, and hears of them. */
export class BlockFiles implements DownloadFileManager, BlockFetchingListener {
  /** The blocks that could not be had. */
  readonly failures = new Map<string, Error>();
  readonly #output: string;
  readonly #temporary: string;
  readonly #onFetched: (block: FetchedBlock) => void;
  readonly #whole = new Map<ManagedBuffer, WholeFile>();
  #begun = 0;
  #count = 0;
  #left = 0;
  #resolve: () => void = () => {};
  #saving: Promise<void> = Promise.resolve();

  /** @param output Where to. @param onFetched Hears of each block that is in its file. */
  constructor(output: string, onFetched: (block: FetchedBlock) => void) {
    this.#output = output;
    this.#temporary = join(output, `.blocks-${randomUUID()}`);
    this.#onFetched = onFetched;
  }

  async open(): Promise<void> {
    await mkdir(this.#temporary, { recursive: true });
  }

  /** Takes away what is not whole. */
  async close(): Promise<void> {
    await rm(this.#temporary, { recursive: true, force: true });
  }

  /** Starts a fetch of so many blocks, and waits until each is in its file or has failed. */
  fetch(count: number, start: () => void): Promise<void> {
    this.#count += count;
    this.#left = count;
    return new Promise((resolve) => {
      this.#resolve = resolve;
      start();
    });
  }

  createTempFile(): DownloadFile {
    const path = join(this.#temporary, randomUUID());
    const file = new SimpleDownloadFile(nodeWritableFiles, path);
    const openForWriting = async (byteCount: number) => {
      const channel = await file.openForWriting();
      const progress = startProgress(`Fetching block ${++this.#begun} of ${this.#count}`, byteCount);
      return measured(channel, progress, (data, whole) => this.#whole.set(data, { path, ...whole }));
    };
    return { path, openForWriting, delete: () => file.delete() };
  }

  /** They are all taken away at the end. */
  registerTempFileToClean(): boolean {
    return true;
  }

  onBlockFetchSuccess(blockId: string, data: ManagedBuffer): void {
    const whole = this.#whole.get(data);
    this.#whole.delete(data);
    if (whole === undefined) throw new Error(`Block ${blockId} is in no file`);
    const { path, ...block } = whole;
    // One after the other, so that they are told of in order.
    this.#saving = this.#saving.then(() => rename(path, join(this.#output, blockId))).then(
      () => this.#onFetched({ blockId, ...block }),
      (error) => void this.failures.set(blockId, error),
    ).then(() => this.#settled());
  }

  onBlockFetchFailure(blockId: string, error: Error): void {
    this.failures.set(blockId, error);
    this.#settled();
  }

  #settled(): void {
    if (--this.#left === 0) this.#resolve();
  }
}

/** A channel that computes the hash of what goes through it, and shows how far it is. */
function measured(
  channel: DownloadFileWritableChannel,
  progress: Progress,
  onWhole: (data: ManagedBuffer, whole: Omit<WholeFile, "path">) => void,
): DownloadFileWritableChannel {
  const hash = createHash("sha256");
  const begun = performance.now();
  let bytes = 0;
  return {
    async write(chunk) {
      hash.update(chunk);
      await channel.write(chunk);
      bytes += chunk.length;
      progress.update(bytes);
    },
    async closeAndRead() {
      progress.stop();
      const data = await channel.closeAndRead();
      onWhole(data, { bytes, sha256: hash.digest("hex"), seconds: (performance.now() - begun) / 1_000 });
      return data;
    },
    async close() {
      progress.stop();
      await channel.close();
    },
  };
}
