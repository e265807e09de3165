/**
 * All declarations of the package in one file.
 *
 * Deno 2.9.5 has three ways to declarations. `deno bundle --declaration` puts files one after the other and leaves their
 * imports in; `deno pack` leaves out methods named by symbols (denoland/deno#36567); `deno transpile` is right, in many files.
 *
 * @module
 */
// TypeScript 7 has no API for plugins; the version that is named here is the one that the plugin gets.
import "npm:typescript@5.9.3";
import { type Plugin, rollup } from "npm:rollup@3.29.5";
import { dts } from "npm:rollup-plugin-dts@6.2.3";
import { dirname, join, resolve } from "node:path";
import { projectRoot } from "../_project.ts";
import { sourceFiles } from "./entry_points.ts";
import { capture } from "./run.ts";

/**
 * Writes the declarations of `mod.ts`, and of all that they need, to one file.
 *
 * @param scratch An empty folder.
 * @param output The file.
 * @returns Undefined, or what went wrong.
 */
export async function bundleDeclarations(scratch: string, output: string): Promise<string | undefined> {
  const args = ["transpile", "--quiet", "--declaration", `--outdir=${scratch}`, "mod.ts", ...sourceFiles()];
  const transpiled = await capture({ command: Deno.execPath(), args }, { cwd: projectRoot });
  if (transpiled.code !== 0) return transpiled.output;
  const warnings: string[] = [];
  const bundle = await rollup({
    input: join(scratch, "mod.d.ts"),
    plugins: [declarationPaths, withoutModuleNames, dts()],
    onwarn: (warning) => warnings.push(warning.message),
  });
  await bundle.write({ file: output, format: "es" });
  await bundle.close();
  return warnings.length === 0 ? undefined : warnings.join("\n");
}

/** The files import each other as `./inbox.ts`, and lie there as `./inbox.d.ts`. */
const declarationPaths: Plugin = {
  name: "declaration-paths",
  resolveId: (source, importer) =>
    importer !== undefined && source.startsWith(".") && !source.endsWith(".d.ts")
      ? resolve(dirname(importer), source.replace(/\.ts$/, ".d.ts"))
      : null,
};

/** Deno names each module by its path on this machine in a comment of its declarations. */
const withoutModuleNames: Plugin = {
  name: "without-module-names",
  transform: (code) => ({ code: code.replaceAll(/^\/\/\/ <amd-module .*\n/gm, ""), map: null }),
};
