import { assertEquals, assertRejects } from "@std/assert";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { splitFile } from "../../examples/_splits.ts";
import { makeFolder } from "../_folder.ts";
import { test } from "../_harness.ts";
import { makeText } from "./_word_count.ts";

async function split(folder: string, text: string | Uint8Array, splitBytes: number): Promise<string[]> {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const path = join(folder, "input.txt");
  await writeFile(path, bytes);
  const pieces: string[] = [];
  let at = 0;
  for await (const { path: of, start, length } of splitFile(path, splitBytes)) {
    assertEquals([of, start], [path, at]);
    at += length;
    pieces.push(new TextDecoder().decode(bytes.subarray(start, at)));
  }
  assertEquals(at, bytes.length);
  return pieces;
}

test("splitFile() cuts before the next ASCII byte that is no letter", async (context) => {
  const folder = await makeFolder(context);
  const cases: readonly [string, number, string[]][] = [
    ["", 1, []],
    ["a", 1, ["a"]],
    ["one two three", 1, ["one", " two", " three"]],
    ["one two three", 3, ["one", " two", " three"]],
    ["one two three", 4, ["one two", " three"]],
    ["one two three", 7, ["one two", " three"]],
    ["one two three", 8, ["one two three"]],
    ["one two three", Number.MAX_SAFE_INTEGER, ["one two three"]],
    // Only ASCII is a border, all of it that is no letter is.
    ["äöü—ß ß", 1, ["äöü—ß", " ß"]],
    ["a\0b@c[d`e{f\x7fg1h", 1, ["a", "\0b", "@c", "[d", "`e", "{f", "\x7fg", "1h"]],
    ["AZaz", 1, ["AZaz"]],
    ["   ", 1, [" ", " ", " "]],
  ];
  for (const [text, splitBytes, expected] of cases) {
    assertEquals(await split(folder, text, splitBytes), expected, `${text} ${splitBytes}`);
  }
});

test("splitFile() finds a border far away, and none where there is none", async (context) => {
  const folder = await makeFolder(context);
  const long = "ä".repeat(100_000);
  assertEquals(await split(folder, `a ${long} ${long}`, 2), [`a ${long}`, ` ${long}`]);
  assertEquals(await split(folder, long, 10), [long]);
  // A border is the first byte of a piece that is read, and the last one.
  for (const length of [65_535, 65_536, 65_537]) {
    assertEquals(await split(folder, `${"x".repeat(length)} y`, 1), ["x".repeat(length), " y"]);
  }
});

test("splitFile() cuts no word, wherever it cuts", async (context) => {
  const folder = await makeFolder(context);
  const text = makeText(20_000, 5);
  for (const splitBytes of [1, 2, 7, 64, 1_000]) {
    const pieces = await split(folder, text, splitBytes);
    assertEquals(pieces.join(""), text);
    assertEquals(pieces.slice(1).every((piece) => /^[^a-zA-Z\u0080-\uffff]/.test(piece)), true);
  }
});

test("splitFile() fails with a file that is not there", async (context) => {
  const folder = await makeFolder(context);
  await assertRejects(() => splitFile(join(folder, "none"), 1).next(), Error, "none");
});

test("splitFile() fails with a file that has bytes and no length", async () => {
  await assertRejects(() => splitFile("/proc/self/status", 1).next(), Error, "/proc/self/status does not say how long it is");
}, { skip: existsSync("/proc/self/status") ? undefined : "there is no /proc" });
