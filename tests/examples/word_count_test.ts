import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { MAX_WORD_UNITS, WordCounter } from "../../examples/_word_counter.ts";
import { isWordCounts, WordTable } from "../../examples/_word_table.ts";
import { run, type WordCounts } from "../../examples/word_count.ts";
import { test } from "../_harness.ts";
import { countWords, makeText } from "./_word_count.ts";

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** What the job says of a text that comes in chunks. */
async function runOn(text: string | Uint8Array, chunkBytes: number): Promise<{ parts: WordCounts[]; table: WordTable }> {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const parts: WordCounts[] = [];
  const table = new WordTable();
  for await (const part of run(chunksOf(bytes, chunkBytes))) {
    assertEquals(isWordCounts(part), true);
    parts.push(part);
    table.add(part);
  }
  return { parts, table };
}

function resultOf({ words, distinct, top }: { words: number; distinct: number; top: unknown }): unknown {
  return { words, distinct, top };
}

test("word_count.ts counts the same whatever its chunks are", async () => {
  const text = makeText(6_000, 6);
  const expected = countWords(text);
  for (const chunkBytes of [1, 2, 3, 5, 17, 1_000, 10_000]) {
    const { table } = await runOn(text, chunkBytes);
    assertEquals(
      resultOf({ words: table.words, distinct: table.distinct, top: table.top(Infinity) }),
      expected,
      `${chunkBytes}`,
    );
  }
});

test("word_count.ts takes what is not UTF-8 for a border", async () => {
  // A byte that is none, a character that is cut, one that is too long, a surrogate, one that is cut by the end.
  const bytes = Uint8Array.of(...[
    0x61,
    0xff,
    0x62,
    0xe6,
    0xbc,
    0x63,
    0xc1,
    0xa1,
    0x64,
    0xed,
    0xa0,
    0x80,
    0x65,
    0xf0,
    0x9d,
    0x94,
  ]);
  for (const chunkBytes of [1, 2, 100]) {
    const { table } = await runOn(bytes, chunkBytes);
    assertEquals(table.top(9), [["a", 1], ["b", 1], ["c", 1], ["d", 1], ["e", 1]]);
  }
  assertEquals((await runOn("", 1)).parts, []);
  assertEquals((await runOn("1 2\n", 1)).parts, []);
});

test("word_count.ts lower-cases whole words", async () => {
  for (const chunkBytes of [1, 3, 100]) {
    // The last sigma of a word is another one; a dot that lower-casing adds is no letter, and cuts no word.
    const { table } = await runOn("ΟΔΟΣ οδος Σ İX ix Dž ǆ STRASSE straße", chunkBytes);
    assertEquals(Object.fromEntries(table.top(99)), {
      ...{ "οδος": 2, "σ": 1, "i̇x": 1, "ix": 1, "dž": 1, "ǆ": 1, "strasse": 1, "straße": 1 },
    });
  }
});

test("word_count.ts gives a large result in parts", async () => {
  const word = (index: number) =>
    index.toString(26).replace(/\d/g, (digit) => "qrstuvwxyz"[Number(digit)]!) + "q".repeat(1_000);
  const words = Array.from({ length: 10_000 }, (_, index) => word(index));
  const { parts, table } = await runOn(words.join(" "), 65_536);
  assertEquals([parts.length, table.words, table.distinct], [3, 10_000, 10_000]);
  assertEquals(parts.every((part) => part.words.length < 4 * 1024 * 1024 + 2_000), true);
});

test("WordCounter counts a word that is too long to be kept by its beginning, length and fingerprint", () => {
  const count = (texts: readonly string[]) => {
    const counter = new WordCounter();
    for (const text of texts) counter.add(text);
    return counter.end().top(9);
  };
  const kept = "aB".repeat(MAX_WORD_UNITS / 2);
  assertEquals(count([kept]), [[kept.toLowerCase(), 1]]);

  const long = kept + "c";
  const cut = [long.slice(0, 7), long.slice(7, 70_000), long.slice(70_000)];
  const names = [
    ...count([long, " ", ...cut, " ", long.toUpperCase()]),
    ...count(["x".repeat(MAX_WORD_UNITS + 1), " ", "x".repeat(MAX_WORD_UNITS + 2), " ", "𝔘".repeat(MAX_WORD_UNITS)]),
    // It differs in one letter far from its beginning.
    ...count([long.slice(0, -1) + "d"]),
  ];
  assertEquals(names.map(([, times]) => times), [3, 1, 1, 1, 1]);
  assertEquals(new Set(names.map(([name]) => name)).size, 5);
  assertMatch(names[0]![0], new RegExp(`^(ab){50}… \\(${MAX_WORD_UNITS + 1} letters, [0-9a-f]{16}\\)$`));
  assertMatch(names[3]![0], new RegExp(`^(𝔘){100}… \\(${MAX_WORD_UNITS} letters, [0-9a-f]{16}\\)$`, "u"));
});

test("WordTable.top() sorts what is equally frequent by code point", () => {
  const table = new WordTable();
  // By UTF-16 units, U+10400 would come before U+FB01.
  const words = ["b", "𐐀", "ﬁ", "a", "ab", "é", "z", "𐐨"];
  table.add({ words: words.map((word) => `${word}\n`).join(""), counts: Uint32Array.from([1, 1, 1, 1, 1, 1, 9, 1]) });
  table.add({ words: "b\n", counts: Uint32Array.of(2) });
  const sorted = ["z", "b", "a", "ab", "é", "ﬁ", "𐐀", "𐐨"];
  for (const limit of [0, 1, 3, 8, 99]) assertEquals(table.top(limit).map(([word]) => word), sorted.slice(0, limit));
  assertEquals([table.words, table.distinct], [18, 8]);
});

test("WordTable.top() finds the same in a large table as a sort of all of it", () => {
  const table = new WordTable();
  const words = Array.from({ length: 5_000 }, (_, index) => (index * 7_919 % 5_000).toString(36));
  const counts = Uint32Array.from(words, (_, index) => index * 31 % 97);
  table.add({ words: words.map((word) => `${word}\n`).join(""), counts });
  const all = words.map((word, index) => [word, counts[index]!] as const);
  all.sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1));
  assertEquals(table.top(50), all.slice(0, 50));
});

test("WordTable counts as a Map does, while it grows", () => {
  const table = new WordTable();
  const expected = new Map<string, number>();
  let state = 7;
  for (let i = 0; i < 40_000; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const word = (state % 9_000).toString(36) + (state % 7 === 0 ? "\u00e9\u{10428}" : "");
    for (let at = 0; at < word.length; at++) table.push(word.charCodeAt(at));
    table.count(i % 5);
    expected.set(word, (expected.get(word) ?? 0) + i % 5);
  }
  assertEquals(new Map(table.top(Infinity)), expected);
  assertEquals([table.distinct, table.words, table.written], [expected.size, 80_000, 0]);
});

test("WordTable.take() takes back the word that is being written, and what comes next is whole", () => {
  const table = new WordTable();
  const write = (word: string) => {
    for (let at = 0; at < word.length; at++) table.push(word.charCodeAt(at));
  };
  write("kept");
  table.count(1);
  write("x".repeat(100_000));
  assertEquals([table.written, table.take(), table.written], [100_000, "x".repeat(100_000), 0]);
  write("kept");
  table.count(2);
  assertEquals(table.top(9), [["kept", 3]]);
});

test("WordTable.parts() gives all of it, none much longer than asked for", () => {
  const table = new WordTable();
  for (let i = 0; i < 1_000; i++) table.add({ words: `word${i}\n`, counts: Uint32Array.of(i + 1) });
  const whole = [...table.parts(Infinity)];
  const parts = [...table.parts(100)];
  assertEquals([whole.length, parts.every(({ words }) => words.length < 110)], [1, true]);
  assertEquals(parts.map(({ words }) => words).join(""), whole[0]!.words);
  assertEquals(parts.flatMap(({ counts }) => [...counts]), [...whole[0]!.counts]);
  assertEquals([...new WordTable().parts(100)], []);
});

test("WordTable.add() refuses a part whose words and counts do not go together", () => {
  for (const [words, counts] of [["a\n", 2], ["", 1], ["a\nb\n", 1], ["a\nb", 1]] as const) {
    const part = { words, counts: new Uint32Array(counts).fill(1) };
    assertEquals(isWordCounts(part), false);
    const add = () => new WordTable().add(part);
    assertThrows(add, TypeError, counts === 2 || words === "" ? "fewer words" : "more words");
  }
});
