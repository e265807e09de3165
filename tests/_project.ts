/**
 * Where the project lies, found from a source file and from a bundle in `.build/` alike.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of deno.json. */
export const projectRoot: string = findRoot(dirname(fileURLToPath(import.meta.url)));

function findRoot(folder: string): string {
  if (existsSync(join(folder, "deno.json"))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error("No deno.json in any folder above the tests");
  return findRoot(parent);
}
