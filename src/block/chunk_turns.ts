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

const all = new WeakMap<object, ChunkTurns>();

/** Takes turns at a connection's room for chunks. */
export class ChunkTurns {
  /** Chunks that are on their way. */
  #asked = 0;
  /** Those that wait for room, each with what asks once more. */
  readonly #waiting = new Map<object, () => void>();
  #isWaking = false;

  /** Those of a connection. */
  static of(client: object): ChunkTurns {
    let turns = all.get(client);
    if (turns === undefined) all.set(client, turns = new ChunkTurns());
    return turns;
  }

  /** Whether no chunk more may be asked for until one has come. */
  get areTaken(): boolean {
    return this.#asked >= MAX_CHUNKS_ON_THEIR_WAY;
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
