/**
 * Streams of chunks, each of which is fetched once and in order: chunk 0, then chunk 1, and so on.
 *
 * Spark: common/network-common/…/server/OneForOneStreamManager.java. Differences: a chunk may take its time to be found, and one that
 * cannot be released keeps no other from being so; nobody has the streams of another connection; one that a chunk was refused of ends.
 *
 * @module
 */

import { RpcError, toError } from "../base/errors.ts";
import { type Logger, silentLogger } from "../base/logger.ts";
import { isPromised, promiseOf } from "../base/promise_of.ts";
import { type Random, systemRandom } from "../base/random.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import { StreamChunkId } from "../protocol/stream_chunk_id.ts";
import type { StreamManager } from "../transport/stream_manager.ts";
import type { TransportClient } from "../transport/transport_client.ts";

/** What a stream has for one chunk; undefined where there is none, which fails that chunk alone. */
export type Chunk = ManagedBuffer | undefined | Promise<ManagedBuffer | undefined>;

/** Gives the chunks of a stream, one after the other. Java: Iterator. */
export interface ChunkIterator {
  /** Whether there is one more. Makes none. */
  hasNext(): boolean;
  /** The next one; it is the caller's from here on. */
  next(): Chunk;
}

/** Options of {@linkcode OneForOneStreamManager}. */
export interface OneForOneStreamManagerOptions {
  /**
   * Chooses where the numbers of streams begin.
   *
   * @default the machine's
   */
  readonly random?: Random | undefined;
  /**
   * Hears of buffers that could not be released.
   *
   * @default silent
   */
  readonly logger?: Logger | undefined;
}

/** Options of {@linkcode OneForOneStreamManager.registerStream}. */
export interface RegisterStreamOptions {
  /**
   * The connection that may have it, and may go: then the stream is forgotten and its chunks are released. Without one it is
   * anybody's, and stays until it is read.
   */
  readonly client?: TransportClient | undefined;
  /**
   * Chunks are made by `next`, so those that were not asked for need no release.
   *
   * @default false
   */
  readonly materializedOnNext?: boolean | undefined;
}

interface StreamState {
  readonly appId: string | undefined;
  readonly buffers: ChunkIterator;
  readonly client: TransportClient | undefined;
  readonly materializedOnNext: boolean;
  /** The chunk that is next. */
  chunkIndex: number;
  chunksBeingTransferred: number;
}

const MAX_INT = 2 ** 31 - 1;

/**
 * Streams whose chunks are taken one by one.
 *
 * @example
 * ```ts
 * import { BytesManagedBuffer, OneForOneStreamManager } from "@sparkwire/sparkwire";
 *
 * const streams = new OneForOneStreamManager();
 * const streamId = streams.registerStream("app-1", [new BytesManagedBuffer(Uint8Array.of(1, 2, 3))]);
 * // This is what a connection does with it.
 * const chunk = await streams.getChunk(streamId, 0);
 * if (chunk?.size !== 3 || streams.numStreamStates !== 0) throw new Error("not the chunk, or not all of them");
 * chunk.release();
 * ```
 */
export class OneForOneStreamManager implements StreamManager {
  readonly #logger: Logger;
  readonly #streams = new Map<bigint, StreamState>();
  /** The numbers of those that go with their connection. */
  readonly #byClient = new Map<TransportClient, Set<bigint>>();
  #nextStreamId: bigint;
  #chunksBeingTransferred = 0;

  /**
   * Has no streams yet.
   *
   * @param options Chance and log.
   */
  constructor(options: OneForOneStreamManagerOptions = {}) {
    this.#logger = options.logger ?? silentLogger;
    // So that numbers of before a restart are not taken for those of after it.
    this.#nextStreamId = BigInt(Math.floor((options.random ?? systemRandom)() * MAX_INT)) * 1000n;
  }

  /** How many streams there are. */
  get numStreamStates(): number {
    return this.#streams.size;
  }

  /**
   * Registers a stream whose chunks may each be fetched once. They are the manager's from here on and released when they were sent,
   * or when the connection goes.
   *
   * @param appId Whose it is: an authenticated peer of another application may not have it.
   * @param buffers The chunks.
   * @param options Its connection.
   * @returns The stream's number.
   */
  registerStream(
    appId: string | undefined,
    buffers: readonly Chunk[] | ChunkIterator,
    options: RegisterStreamOptions = {},
  ): bigint {
    const { client } = options;
    const streamId = this.#nextStreamId++;
    this.#streams.set(streamId, {
      appId,
      buffers: "hasNext" in buffers ? buffers : iteratorOf(buffers),
      client,
      materializedOnNext: options.materializedOnNext ?? false,
      chunkIndex: 0,
      chunksBeingTransferred: 0,
    });
    if (client === undefined) return streamId;
    const own = this.#byClient.get(client);
    if (own === undefined) this.#byClient.set(client, new Set([streamId]));
    else own.add(streamId);
    // Whoever registered it took so long that the connection has gone meanwhile.
    if (client.isActive === false) this.connectionTerminated(client);
    return streamId;
  }

  /**
   * The name under which a chunk can be had as a stream.
   *
   * @param streamId The stream's number.
   * @param chunkIndex Which chunk; the first is 0.
   */
  static genStreamChunkId(streamId: bigint, chunkIndex: number): string {
    return new StreamChunkId(streamId, chunkIndex).name;
  }

  /**
   * Takes the name of a chunk apart.
   *
   * @param streamChunkId The name.
   * @throws RpcError of code `STREAM` if it is none.
   */
  static parseStreamChunkId(streamChunkId: string): StreamChunkId {
    const chunk = chunkNamed(streamChunkId);
    if (chunk === undefined) throw new RpcError("STREAM", "Stream id and chunk index should be specified.");
    return chunk;
  }

  /**
   * The next chunk of a stream; the caller's from here on.
   *
   * @param streamId The stream's number.
   * @param chunkIndex Which chunk; each is had once, in their order.
   * @throws RpcError of code `STREAM` if there is no such stream, or that chunk is not its next one.
   */
  getChunk(streamId: bigint, chunkIndex: number): Chunk {
    const state = this.#streams.get(streamId);
    if (state === undefined) {
      throw new RpcError("STREAM", `Requested chunk not available since streamId ${streamId} is closed`);
    }
    if (chunkIndex !== state.chunkIndex) {
      throw new RpcError("STREAM", `Received out-of-order chunk index ${chunkIndex} (expected ${state.chunkIndex})`);
    }
    if (!state.buffers.hasNext()) throw new RpcError("STREAM", `Requested chunk index beyond end ${chunkIndex}`);
    state.chunkIndex++;
    try {
      return state.buffers.next();
    } finally {
      if (!state.buffers.hasNext()) this.#forget(streamId, state);
    }
  }

  /**
   * A chunk by its name.
   *
   * @param streamChunkId The name, as of `genStreamChunkId`.
   * @throws RpcError of code `STREAM` if it is no such name, and as `getChunk` does.
   */
  openStream(streamChunkId: string): Chunk {
    const { streamId, chunkIndex } = OneForOneStreamManager.parseStreamChunkId(streamChunkId);
    return this.getChunk(streamId, chunkIndex);
  }

  /**
   * Whether a peer may have a stream: one that was registered for another connection, or another application, it may not. Numbers
   * count up, so whoever has one knows those of others.
   *
   * @param client The peer's connection.
   * @param stream The stream's number, or a chunk's name.
   * @throws RpcError of code `AUTH` if it may not.
   */
  checkAuthorization(client: TransportClient, stream: string | bigint): void {
    const streamId = typeof stream === "bigint" ? stream : OneForOneStreamManager.parseStreamChunkId(stream).streamId;
    const state = this.#streams.get(streamId);
    if (state?.client !== undefined && state.client !== client) {
      throw new RpcError("AUTH", `Stream ${streamId} was opened over another connection.`);
    }
    if (client.clientId === undefined) return;
    if (state === undefined) throw new RpcError("AUTH", "Unknown stream ID.");
    if (client.clientId === state.appId) return;
    throw new RpcError("AUTH", `Client ${client.clientId} not authorized to read stream ${streamId} (app ${state.appId}).`);
  }

  /**
   * Forgets a stream of which a chunk was refused, and releases its chunks: as they are had in order, none behind that one could be,
   * and they would be kept as long as the connection.
   *
   * @param client The connection.
   * @param stream The stream's number, or a chunk's name.
   */
  streamRefused(client: TransportClient, stream: string | bigint): void {
    const streamId = typeof stream === "bigint" ? stream : chunkNamed(stream)?.streamId;
    if (streamId !== undefined && this.#streams.get(streamId)?.client === client) this.#end([streamId]);
  }

  /**
   * Forgets the streams of a connection that is gone, and releases their chunks.
   *
   * @param client The connection.
   */
  connectionTerminated(client: TransportClient): void {
    this.#end(this.#byClient.get(client) ?? []);
  }

  /** Counts a chunk as on its way. */
  chunkBeingSent(streamId: bigint): void {
    const state = this.#streams.get(streamId);
    if (state === undefined) return;
    state.chunksBeingTransferred++;
    this.#chunksBeingTransferred++;
  }

  /** Counts it no more. */
  chunkSent(streamId: bigint): void {
    const state = this.#streams.get(streamId);
    if (state === undefined) return;
    state.chunksBeingTransferred--;
    this.#chunksBeingTransferred--;
  }

  /** Counts a chunk as on its way that was asked for by its name. */
  streamBeingSent(streamChunkId: string): void {
    this.chunkBeingSent(OneForOneStreamManager.parseStreamChunkId(streamChunkId).streamId);
  }

  /** Counts it no more. */
  streamSent(streamChunkId: string): void {
    this.chunkSent(OneForOneStreamManager.parseStreamChunkId(streamChunkId).streamId);
  }

  /** How many chunks are on their way. Those of a stream whose last chunk was handed out no longer count, as in Spark. */
  chunksBeingTransferred(): number {
    return this.#chunksBeingTransferred;
  }

  #end(streamIds: Iterable<bigint>): void {
    let failure: { readonly thrown: unknown } | undefined;
    const attempt = (run: () => void): void => {
      try {
        run();
      } catch (thrown) {
        if (failure === undefined) failure = { thrown };
        else this.#logger.error("Exception trying to release remaining StreamState buffers", toError(thrown));
      }
    };
    for (const streamId of streamIds) {
      const state = this.#streams.get(streamId)!;
      this.#forget(streamId, state);
      if (state.materializedOnNext) continue;
      attempt(() => {
        while (state.buffers.hasNext()) {
          const chunk = state.buffers.next();
          // One that cannot be released is no reason to keep those behind it.
          attempt(() => this.#release(chunk));
        }
      });
    }
    if (failure !== undefined) throw failure.thrown;
  }

  #forget(streamId: bigint, state: StreamState): void {
    // Who makes its last chunk may have closed its connection.
    if (!this.#streams.delete(streamId)) return;
    this.#chunksBeingTransferred -= state.chunksBeingTransferred;
    const { client } = state;
    if (client === undefined) return;
    const own = this.#byClient.get(client);
    own?.delete(streamId);
    if (own?.size === 0) this.#byClient.delete(client);
  }

  #release(chunk: Chunk): void {
    if (!isPromised(chunk)) return chunk?.release();
    promiseOf(chunk).then((buffer) => buffer?.release()).catch((thrown) => {
      this.#logger.error("Exception trying to release remaining StreamState buffers", toError(thrown));
    });
  }
}

/** The chunk that has a name, if it is one of a chunk. */
function chunkNamed(name: string): StreamChunkId | undefined {
  const match = /^(-?[0-9]{1,19})_(-?[0-9]{1,10})$/.exec(name);
  return match === null ? undefined : new StreamChunkId(BigInt(match[1]!), Number(match[2]));
}

/** Keeps none that was handed out. */
function iteratorOf(chunks: readonly Chunk[]): ChunkIterator {
  const left = [...chunks].reverse();
  return { hasNext: () => left.length > 0, next: () => left.pop() };
}
