/**
 * The files that are counted.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** What is counted unless there is an `--input`: sources and docs, below the folder of deno.json. */
const OWN_INPUT = ["mod.ts", "README.md", "src", "examples", "tests", "bench"];
const OWN_FILE = /\.(ts|md)$/;

/**
 * Finds the files of an input: a file itself, or all files in a folder and the folders below. Links within it are not followed.
 *
 * @throws {Error} There is no such file or folder, or it is something else.
 */
export async function* findFiles(input: string): AsyncGenerator<string> {
  const kind = await stat(input);
  if (kind.isFile()) yield input;
  else if (kind.isDirectory()) yield* filesBelow(input);
  else throw new Error(`${input} is neither a file nor a folder`);
}

async function* filesBelow(folder: string): AsyncGenerator<string> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isFile()) yield path;
    else if (entry.isDirectory()) yield* filesBelow(path);
  }
}

/**
 * Finds this project's own sources and docs.
 *
 * @param moduleUrl A module of the project, or a bundle below its folder.
 */
export async function* findOwnFiles(moduleUrl: string): AsyncGenerator<string> {
  const root = findRoot(dirname(fileURLToPath(moduleUrl)));
  for (const name of OWN_INPUT) {
    for await (const path of findFiles(join(root, name))) if (OWN_FILE.test(path)) yield path;
  }
}

function findRoot(folder: string): string {
  if (existsSync(join(folder, "deno.json"))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error("There is no project to count; --input says what else");
  return findRoot(parent);
}
