/**
 * Lint rule `layers`: a folder of src/ imports folders to its left only, and no file imports another folder's `_x.ts`.
 *
 * @module
 */
import { posix } from "node:path";
import { visitImports } from "./_imports.ts";
import { isSource, projectPath, resolveImport } from "./_project_path.ts";

/** The layers from left to right; folders of one layer do not know each other. */
export const LAYERS: readonly (readonly string[])[] = [
  ["base"],
  ["platform", "socket", "protocol", "serializer"],
  ["transport"],
  ["rpc"],
  ["typed", "block"],
  ["spark"],
];

/** Refuses imports to the right, within a bracket, out of src/, and of other folders' private files. */
export const layers: Deno.lint.Rule = {
  create(context) {
    const importer = projectPath(context.filename);
    return visitImports((specifier, node) => {
      if (specifier === undefined || !specifier.startsWith(".")) return;
      const target = resolveImport(importer, specifier);
      const message = layerFault(importer, target) ?? privacyFault(importer, target);
      if (message !== undefined) context.report({ node, message });
    });
  },
};

function layerFault(importer: string, target: string): string | undefined {
  if (!isSource(importer)) return undefined;
  if (!target.startsWith("src/")) return `${importer} imports ${target}, which is not in src/`;
  if (importer === "mod.ts") return undefined;
  const from = folderOf(importer);
  const to = folderOf(target);
  const unknown = [from, to].find((folder) => rankOf(folder) < 0);
  if (unknown !== undefined) return `src/${unknown} is in no layer; tests/lint/layers.ts lists them`;
  if (from === to || rankOf(to) < rankOf(from)) return undefined;
  return `${from} imports ${to}, which is not to its left: ${LAYERS.map((layer) => layer.join(" | ")).join(" → ")}`;
}

/** Tests mirror src/, so the tests of a folder may look at its private files. */
function privacyFault(importer: string, target: string): string | undefined {
  if (!target.startsWith("src/") || !posix.basename(target).startsWith("_")) return undefined;
  const home = posix.dirname(target);
  const from = posix.dirname(importer).replace(/^tests\b/, "src");
  if (from === home || from.startsWith(`${home}/`)) return undefined;
  return `${target} is private to ${home}`;
}

function folderOf(path: string): string {
  return path.split("/")[1] ?? "";
}

function rankOf(folder: string): number {
  return LAYERS.findIndex((layer) => layer.includes(folder));
}
