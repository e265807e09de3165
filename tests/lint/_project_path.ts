/**
 * Where a file lies in the project: rules speak of `src/rpc/inbox.ts`, Deno of absolute names.
 *
 * @module
 */
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of deno.json. */
export const projectRoot: string = fileURLToPath(new URL("../..", import.meta.url));

/** The path below the project's root, with slashes; one that begins with `../` lies outside. */
export function projectPath(filename: string): string {
  return relative(projectRoot, filename).replaceAll("\\", "/");
}

/** The path below the project's root of what `specifier` means in `importer`, which is such a path itself. */
export function resolveImport(importer: string, specifier: string): string {
  return projectPath(resolve(projectRoot, dirname(importer), specifier));
}

/** Whether the file is part of what is published: there the strict rules hold. */
export function isSource(path: string): boolean {
  return path === "mod.ts" || path.startsWith("src/");
}
