/**
 * The job of `driver.ts`: counts the words of a split. It is bundled to one module without imports, which executors load from
 * their driver, so it uses nothing but the language and what all runtimes have.
 *
 * @module
 */
import { WordCounter } from "./_word_counter.ts";

/** How often words occur. One long text is sent and read several times as fast as all its words one by one. */
export interface WordCounts {
  /** The words, each with a line feed after it. */
  readonly words: string;
  /** How often each occurs. */
  readonly counts: Uint32Array;
}

/** A part of a result has not many more UTF-16 units than this, so that no message is too large. */
const PART_UNITS = 4 * 1024 * 1024;

/**
 * After so many bytes timers have their turn. On Deno 2.9 a socket that always has bytes keeps them from it for a hundred reads: a slow
 * machine counted ten seconds in one go, in which no heartbeat went out, and the driver took its executor for lost.
 */
const TURN_BYTES = 4 * 1024 * 1024;

/**
 * Counts the words of UTF-8; what is not UTF-8 reads as U+FFFD, which is no letter.
 *
 * @param split The bytes, in chunks that end anywhere. A split ends where no word goes on.
 * @returns The counts, in parts with no word twice.
 */
export async function* run(split: AsyncIterable<Uint8Array>): AsyncGenerator<WordCounts> {
  const counter = new WordCounter();
  const decoder = new TextDecoder();
  let turnBytes = 0;
  for await (const chunk of split) {
    counter.add(decoder.decode(chunk, { stream: true }));
    turnBytes += chunk.length;
    if (turnBytes < TURN_BYTES) continue;
    turnBytes = 0;
    await new Promise((resolve) => setTimeout(resolve));
  }
  counter.add(decoder.decode());
  yield* counter.end().parts(PART_UNITS);
}
