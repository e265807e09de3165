import { assertEquals } from "@std/assert";
import { ChunkTurns, MAX_CHUNKS_ON_THEIR_WAY, MAX_FILES_ON_THEIR_WAY } from "../../src/block/chunk_turns.ts";
import { test } from "../_harness.ts";

/** Fetches of one connection, which note who was woken. */
class Fetches {
  readonly turns: ChunkTurns = ChunkTurns.of({});
  readonly #woken: string[] = [];

  /** `name` waits; woken, it does what `use` does. */
  wait(name: string, use: () => void): void {
    this.turns.wait({}, () => {
      this.#woken.push(name);
      use();
    });
  }

  /** Who was woken since this was asked last. */
  woken(): string[] {
    return this.#woken.splice(0);
  }
}

test("ChunkTurns.areTaken() counts chunks, and those that go into files by themselves", () => {
  const { turns } = new Fetches();
  for (let i = 0; i < MAX_FILES_ON_THEIR_WAY; i++) {
    assertEquals(turns.areTaken(true), false);
    turns.asked(true);
  }
  assertEquals([turns.areTaken(true), turns.areTaken(false)], [true, false]);
  for (let i = MAX_FILES_ON_THEIR_WAY; i < MAX_CHUNKS_ON_THEIR_WAY; i++) turns.asked(false);
  assertEquals(turns.areTaken(false), true);
  turns.settled(true);
  assertEquals([turns.areTaken(true), turns.areTaken(false)], [false, false]);
});

test("ChunkTurns.settled() wakes the first that waits, which goes behind the others when it waits on", () => {
  const fetches = new Fetches();
  const { turns } = fetches;
  const first = {};
  const ask = (): void => {
    turns.asked(false);
    turns.wait(first, ask);
  };
  turns.asked(false);
  turns.asked(false);
  turns.wait(first, ask);
  fetches.wait("second", () => turns.asked(false));
  turns.settled(false);
  assertEquals(fetches.woken(), []);
  turns.settled(false);
  assertEquals(fetches.woken(), ["second"]);
  // It has what it wanted, and is not woken again.
  turns.settled(false);
  turns.settled(false);
  assertEquals(fetches.woken(), []);
});

test("ChunkTurns.settled() goes on behind who makes no use of the room", () => {
  const fetches = new Fetches();
  const { turns } = fetches;
  turns.asked(false);
  turns.asked(false);
  fetches.wait("first", () => {});
  fetches.wait("second", () => turns.asked(false));
  fetches.wait("third", () => turns.asked(false));
  turns.settled(false);
  assertEquals(fetches.woken(), ["first", "second"]);
});

test("ChunkTurns.settled() ends where the connection itself refuses a chunk, unless nothing is on its way that wakes the others", () => {
  const fetches = new Fetches();
  const { turns } = fetches;
  const refused: boolean[] = [];
  const ask = (): void => {
    turns.asked(true);
    refused.push(turns.refused(true));
  };
  turns.asked(false);
  turns.asked(false);
  for (const name of ["first", "second", "third", "fourth"]) fetches.wait(name, ask);
  turns.settled(false);
  assertEquals([fetches.woken(), refused], [["first"], [true]]);
  turns.settled(false);
  assertEquals([fetches.woken(), refused], [["second", "third", "fourth"], [true, false, false, false]]);
  assertEquals(turns.areTaken(true), false);
});

test("ChunkTurns.settled() wakes nobody twice where a chunk comes to nothing at once, or who was woken waits on", () => {
  const fetches = new Fetches();
  const { turns } = fetches;
  turns.asked(false);
  fetches.wait("first", () => {
    turns.asked(false);
    turns.settled(false);
    fetches.wait("first, later", () => {});
  });
  fetches.wait("second", () => {});
  turns.settled(false);
  assertEquals(fetches.woken(), ["first", "second"]);
});
