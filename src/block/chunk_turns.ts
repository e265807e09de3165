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

const turnsOf = new WeakMap<object, ChunkTurns>();

/** Takes turns at a connection's room for chunks. */
export class ChunkTurns {
  /** Chunks that are on their way. */
  #asked = 0;
  /** How many of them go into files. */
  #files = 0;
  /** Those that wait for room, each with what asks once more. */
  readonly #waiting = new Map<object, () => void>();
  #isWaking = false;
  /** The connection itself has refused a chunk since somebody was woken. */
  #isFull = false;

  /** Those of a connection. */
  static of(client: object): ChunkTurns {
    let turns = turnsOf.get(client);
    if (turns === undefined) turnsOf.set(client, turns = new ChunkTurns());
    return turns;
  }

  /** Whether no such chunk may be asked for until one has come. */
  areTaken(intoFile: boolean): boolean {
    return this.#asked >= MAX_CHUNKS_ON_THEIR_WAY || (intoFile && this.#files >= MAX_FILES_ON_THEIR_WAY);
  }

  /** A chunk is about to be asked for. */
  asked(intoFile: boolean): void {
    this.#asked++;
    if (intoFile) this.#files++;
  }

  /** It could not be. Returns whether any is on its way that will make room. */
  refused(intoFile: boolean): boolean {
    this.#isFull = true;
    this.#left(intoFile);
    return this.#asked > 0;
  }

  /** Calls `ask` when there may be room for a chunk of `fetch`. */
  wait(fetch: object, ask: () => void): void {
    this.#waiting.set(fetch, ask);
  }

  /** A chunk has come, or will not: the first who can use its room has it. */
  settled(intoFile: boolean): void {
    this.#left(intoFile);
    if (this.#isWaking) return;
    this.#isWaking = true;
    // Who waits on goes behind these.
    let toWake = this.#waiting.size;
    for (const [fetch, ask] of this.#waiting) {
      if (toWake-- === 0) break;
      this.#waiting.delete(fetch);
      this.#isFull = false;
      const before = this.#asked;
      ask();
      // With nothing on its way nobody else would wake those behind.
      if (this.#asked > 0 && (this.#isFull || this.#asked > before)) break;
    }
    this.#isWaking = false;
  }

  #left(intoFile: boolean): void {
    this.#asked--;
    if (intoFile) this.#files--;
  }
}
