/**
 * Lint rule `imports`: what is published imports relative paths only, and `node:` modules in platform/ and socket/.
 *
 * A module that is loaded by URL has no import map, so a bare name in it breaks the program that imports it.
 *
 * @module
 */
import { visitImports } from "./_imports.ts";
import { isSource, projectPath } from "./_project_path.ts";

/** The folders that know the runtime beneath. */
export const RUNTIME_FOLDERS: readonly string[] = ["src/platform/", "src/socket/"];

/** Refuses bare, remote and computed specifiers, and `node:` outside the folders for it. */
export const imports: Deno.lint.Rule = {
  create(context) {
    const importer = projectPath(context.filename);
    if (!isSource(importer)) return {};
    return visitImports((specifier, node) => {
      const message = importFault(importer, specifier);
      if (message !== undefined) context.report({ node, message });
    });
  },
};

function importFault(importer: string, specifier: string | undefined): string | undefined {
  if (specifier === undefined) return "A computed import is invisible to bundlers and to an import by URL";
  if (/^\.\.?\//.test(specifier)) return undefined;
  if (!specifier.startsWith("node:")) return `"${specifier}" is not a relative path; src/ has no dependencies`;
  if (RUNTIME_FOLDERS.some((folder) => importer.startsWith(folder))) return undefined;
  return `"${specifier}" belongs in ${RUNTIME_FOLDERS.join(" or ")}`;
}
