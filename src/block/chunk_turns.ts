/**
 * The fetches of one connection: who may not ask for another chunk, because too many are on their way, does when one has come.
 *
 * Spark has no limit there.
 *
 * @module
 */

/**
 * How many chunks of one connection are asked for at most before one of them has come. The far end may be of the same limits as this
 * one: beyond 65,536 (`maxChunks`, `maxStreams`) it refuses them, and it counts one until its socket has taken it.
 */
export const MAX_CHUNKS_ON_THEIR_WAY = 32_768;
/**
 * The same of chunks that go into files: small ones come by the thousand in one read, and each has its file open until the disk has it.
 * A process may have no more than 1,024 descriptors.
 */
export const MAX_FILES_ON_THEIR_WAY = 256;

const ofMemory = new WeakMap<object, ChunkTurns>();
const ofFiles = new WeakMap<object, ChunkTurns>();

/** Takes turns at a connection's room for chunks. */
export class ChunkTurns {
  readonly #limit: number;
  /** Chunks that are on their way. */
  #asked = 0;
  /** Those that wait for room, each with what asks once more. */
  readonly #waiting = new Map<object, () => void>();
  #isWaking = false;

  private constructor(limit: number) {
    this.#limit = limit;
  }

  /** Those of a connection, among fetches into memory or among those into files: they are streams, which have limits of their own. */
  static of(client: object, intoFiles: boolean): ChunkTurns {
    const all = intoFiles ? ofFiles : ofMemory;
    let turns = all.get(client);
    if (turns === undefined) {
      turns = new ChunkTurns(intoFiles ? MAX_FILES_ON_THEIR_WAY : MAX_CHUNKS_ON_THEIR_WAY);
      all.set(client, turns);
    }
    return turns;
  }

  /** Whether no chunk more may be asked for until one has come. */
  get areTaken(): boolean {
    return this.#asked >= this.#limit;
  }

  /** A chunk is about to be asked for. */
  asked(): void {
    this.#asked++;
  }

  /** It could not be. Returns whether any is on its way that will make room. */
  refused(): boolean {
    return --this.#asked > 0;
  }

  /** Calls `ask` when there may be room for a chunk of `fetch`. */
  wait(fetch: object, ask: () => void): void {
    this.#waiting.set(fetch, ask);
  }

  /** A chunk has come, or will not: somebody may have its room. */
  settled(): void {
    this.#asked--;
    if (this.#isWaking) return;
    this.#isWaking = true;
    for (const [fetch, ask] of this.#waiting) {
      this.#waiting.delete(fetch);
      ask();
      // With nothing on its way nobody else would wake those behind.
      if (this.#asked > 0) break;
    }
    this.#isWaking = false;
  }
}
