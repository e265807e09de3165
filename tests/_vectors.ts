/**
 * Bytes that a real Spark wrote, out of `tests/vectors/`.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./_project.ts";

/** One line of a file of vectors; `F` is what the test knows of its fields. */
export interface Vector<F = Readonly<Record<string, unknown>>> {
  /** What it is an example of; once per file. */
  readonly name: string;
  /** The version of Spark that wrote it. */
  readonly spark: string;
  /** The version of Scala that Spark was built with. */
  readonly scala: string;
  /** The whole encoding; `fromHex` of the harness makes bytes of it. */
  readonly hex: string;
  /** What went in. */
  readonly fields: F;
}

/**
 * Reads a file of vectors.
 *
 * @param name The file's name without `.jsonl`; `frames` will do for `frames-4.2.0_2.13.jsonl` if there is only one.
 * @returns Its lines, each checked to be a vector.
 */
export function readVectors<F = Readonly<Record<string, unknown>>>(name: string): Vector<F>[] {
  const folder = join(projectRoot, "tests", "vectors");
  const file = existsSync(join(folder, `${name}.jsonl`)) ? `${name}.jsonl` : onlyFile(folder, `${name}-`);
  const lines = readFileSync(join(folder, file), "utf8").split("\n").filter((line) => line !== "");
  return lines.map((line, index) => {
    const vector: unknown = JSON.parse(line);
    if (!isVector(vector)) throw new TypeError(`${file}:${index + 1} is no vector`);
    return vector as Vector<F>;
  });
}

/** The bytes that the JVM's `pattern(length,seed)` makes. */
export function pattern(length: number, seed = 7): Uint8Array {
  const bytes = new Uint8Array(length);
  // A callback per byte would take seconds.
  for (let i = 0; i < length; i++) bytes[i] = i * 31 + seed + (i >> 8);
  return bytes;
}

/** The bytes that such a text in a vector stands for. */
export function parsePattern(text: string): Uint8Array {
  const match = /^pattern\((\d+),(\d+)\)$/.exec(text);
  if (match === null) throw new Error(`No pattern: ${text}`);
  return pattern(Number(match[1]), Number(match[2]));
}

function onlyFile(folder: string, start: string): string {
  const files = readdirSync(folder).filter((file) => file.startsWith(start) && file.endsWith(".jsonl"));
  if (files.length !== 1) throw new Error(`tests/vectors has ${files.length} files ${start}*.jsonl, not one`);
  return files[0]!;
}

function isVector(value: unknown): value is Vector {
  if (typeof value !== "object" || value === null) return false;
  const { name, spark, scala, hex, fields } = value as Partial<Record<keyof Vector, unknown>>;
  return [name, spark, scala, hex].every((text) => typeof text === "string") && typeof fields === "object" && fields !== null;
}
