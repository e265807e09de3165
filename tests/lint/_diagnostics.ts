/**
 * Runs one rule of the plugin over a text, as if it stood in a file of the project.
 *
 * @module
 */
import { join } from "node:path";
import { projectRoot } from "./_project_path.ts";
import plugin from "./plugin.ts";

/** The messages of `rule` for `source` at `path` below the project's root. */
export function diagnose(rule: string, path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, join(projectRoot, path), source)
    .filter((diagnostic) => diagnostic.id === `sparkwire/${rule}`)
    .map((diagnostic) => diagnostic.message);
}
