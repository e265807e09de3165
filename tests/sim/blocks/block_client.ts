/**
 * Somebody who fetches and uploads blocks over a simulated network, and checks what becomes of each.
 *
 * @module
 */

import { RpcError, toError } from "../../../src/base/errors.ts";
import type { BlockFetchingListener } from "../../../src/block/block_fetching_listener.ts";
import type { BlockPeer } from "../../../src/block/block_transfer_service.ts";
import { type DownloadFile, type DownloadFileManager, SimpleDownloadFile } from "../../../src/block/download_file.ts";
import type { NettyBlockTransferService } from "../../../src/block/netty_block_transfer_service.ts";
import { MemoryWritableFiles } from "../../../src/platform/memory_writable_files.ts";
import type { ManagedBuffer } from "../../../src/protocol/managed_buffer.ts";
import type { SimulatedHostClock } from "../../../src/base/simulated_host_clock.ts";
import { CountedBuffer } from "../counted_buffer.ts";
import { blockFault, blockName, type BlockRecipe, parseBlockName } from "./simulated_blocks.ts";

/** Failures that a fault of the network or the end of a service explain. */
const EXPLAINED: ReadonlySet<string> = new Set(["DISCONNECTED", "SOCKET", "STOPPED"]);

/** One transfer. */
export interface Transfer {
  readonly kind: "fetch" | "fetchToFiles" | "upload";
  readonly blocks: readonly BlockRecipe[];
  /** When it is given up, in milliseconds after its beginning. */
  readonly abortAfterMs: number | undefined;
}

/** What a client may find. */
export interface Expectations {
  /** Whether nothing may fail but what was meant to. */
  readonly strict: boolean;
  /** Hears what is wrong. */
  readonly fail: (text: string) => void;
}

/** How transfers ended. */
export interface Tally {
  succeeded: number;
  failed: number;
  aborted: number;
}

/** Temporary files in memory, which go when they have been read. */
class Downloads implements DownloadFileManager {
  readonly files = new MemoryWritableFiles();
  readonly made: string[] = [];

  createTempFile(): DownloadFile {
    const path = `/downloads/${this.made.length}`;
    this.made.push(path);
    return new SimpleDownloadFile(this.files, path);
  }

  registerTempFileToClean(): boolean {
    return false;
  }
}

/** A client. */
export class BlockClient {
  readonly service: NettyBlockTransferService;
  readonly tally: Tally = { succeeded: 0, failed: 0, aborted: 0 };
  /** The names of uploads that the server has said to have. */
  readonly uploaded: string[] = [];
  readonly #clock: SimulatedHostClock;
  readonly #peer: BlockPeer;
  readonly #expectations: Expectations;
  readonly #downloads = new Downloads();
  readonly #sent: CountedBuffer[] = [];

  constructor(service: NettyBlockTransferService, clock: SimulatedHostClock, peer: BlockPeer, expectations: Expectations) {
    this.service = service;
    this.#clock = clock;
    this.#peer = peer;
    this.#expectations = expectations;
  }

  /** Buffers of uploads that are held, or were released too often. */
  get held(): number {
    return this.#sent.filter(({ holders }) => holders !== 0).length;
  }

  /** Files that are left of downloads. */
  async leftFiles(): Promise<readonly string[]> {
    const { files, made } = this.#downloads;
    const left: string[] = [];
    for (const path of made) if (await files.realpath(path).then(() => true, () => false)) left.push(path);
    return left;
  }

  /** Goes through a transfer; resolves when all of it has been told of. */
  run(transfer: Transfer): Promise<void> {
    const stop = transfer.abortAfterMs === undefined ? undefined : new AbortController();
    const timer = stop && this.#clock.setTimer(transfer.abortAfterMs!, () => stop.abort(new Error("Given up")));
    const ended = transfer.kind === "upload" ? this.#upload(transfer, stop?.signal) : this.#fetch(transfer, stop?.signal);
    return ended.then(() => timer?.cancel());
  }

  #fetch({ kind, blocks }: Transfer, signal: AbortSignal | undefined): Promise<void> {
    const names = [...new Set(blocks.map(blockName))];
    const left = new Set(names);
    return new Promise((resolve) => {
      const told = (name: string) => {
        if (!left.delete(name)) this.#expectations.fail(`Block ${name} was told of twice`);
        if (left.size === 0) resolve();
      };
      const listener: BlockFetchingListener = {
        onBlockFetchSuccess: (name, data) => {
          this.tally.succeeded++;
          this.#check(name, data);
          told(name);
        },
        onBlockFetchFailure: (name, error) => {
          this.#failed(`Fetch of ${name}`, error, signal, blocks);
          told(name);
        },
      };
      const downloadFileManager = kind === "fetchToFiles" ? this.#downloads : undefined;
      this.service.fetchBlocks(this.#peer, names, listener, { signal, downloadFileManager });
    });
  }

  /** A block in a file is read while it is held. */
  #check(name: string, data: ManagedBuffer): void {
    const { size } = parseBlockName(name);
    if (data.size !== size) return this.#expectations.fail(`Block ${name} has ${data.size} bytes`);
    if (data.bytes === undefined) return;
    const fault = blockFault(name, data.bytes);
    if (fault !== undefined) this.#expectations.fail(`Block ${name} is wrong: ${fault}`);
  }

  async #upload({ blocks }: Transfer, signal: AbortSignal | undefined): Promise<void> {
    const [recipe] = blocks;
    const name = blockName(recipe!);
    const { seed, size, mode } = recipe!;
    const data = new CountedBuffer(seed, size, mode === "late" || mode === "missing" ? "slow" : mode, this.#clock);
    this.#sent.push(data);
    try {
      await this.service.uploadBlock(this.#peer, name, data, Uint8Array.of(1, 2, 3), { signal });
      this.tally.succeeded++;
      this.uploaded.push(name);
      if (mode === "broken" && size > 0) this.#expectations.fail(`Upload of ${name} succeeded though it cannot be read`);
    } catch (thrown) {
      this.#failed(`Upload of ${name}`, toError(thrown), signal, blocks);
    }
  }

  #failed(what: string, error: Error, signal: AbortSignal | undefined, blocks: readonly BlockRecipe[]): void {
    if (signal?.aborted === true && error.message === "Given up") {
      this.tally.aborted++;
      return;
    }
    this.tally.failed++;
    const code = RpcError.is(error) ? error.code : "none";
    const isMeant = blocks.some(({ mode }) => mode === "missing" || mode === "broken") && ["REMOTE", "STREAM"].includes(code);
    // Whoever was cut off in one direction says so in the other.
    const isExplained = EXPLAINED.has(code) || error.message.includes("Connection closed within stream");
    if (isMeant || (!this.#expectations.strict && isExplained)) return;
    this.#expectations.fail(`${what} failed: ${error} (${code})`);
  }
}
