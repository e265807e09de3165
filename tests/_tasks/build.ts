/**
 * Task `build`: `dist/` with the module in one file and its declarations, and the tarball for npm; each is tried out.
 *
 * @module
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { projectRoot } from "../_project.ts";
import { capture } from "./run.ts";
import { findRuntime, RUNTIME_NAMES } from "./runtimes.ts";
import { commandStep, runSteps, type Step, type StepResult } from "./steps.ts";

const dist = join(projectRoot, "dist");
const bundled = join(dist, "sparkwire.mjs");
const tarball = join(dist, "sparkwire.tgz");
const options = { cwd: projectRoot };

/** Writes the names that a module exports. */
function program(specifier: string): string {
  return `import * as all from ${JSON.stringify(specifier)};\nconsole.log(Object.keys(all).sort().join(" "));\n`;
}

/** Runs `body` in a folder of its own, outside of the project and its configuration. */
async function inTemporaryFolder(body: (folder: string) => Promise<StepResult>): Promise<StepResult> {
  const folder = await Deno.makeTempDir({ prefix: "sparkwire-build-" });
  try {
    return await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Imports `specifier` in `folder` on each runtime that can be had: it must export what mod.ts does. */
async function importEverywhere(folder: string, specifier: string): Promise<StepResult> {
  const expected = Object.keys(await import(pathToFileURL(join(projectRoot, "mod.ts")).href)).sort().join(" ");
  const file = join(folder, "main.mjs");
  await Deno.writeTextFile(file, program(specifier));
  for (const runtime of await Promise.all(RUNTIME_NAMES.map(findRuntime))) {
    if (runtime.path === undefined) continue;
    const args = runtime.name === "deno" ? ["run", "-A", file] : [file];
    const { code, stdout, output } = await capture({ command: runtime.path, args }, { cwd: folder });
    if (code !== 0 || stdout !== expected) return `${runtime.name} should find\n${expected}\nnot\n${output}`;
  }
  return undefined;
}

/** Checks the types of a program that imports `specifier`: the declarations must be there and sound by themselves. */
async function checkTypes(folder: string, specifier: string): Promise<StepResult> {
  const file = join(folder, "types.ts");
  const source = `import { RpcError } from ${JSON.stringify(specifier)};
export const code: "NOT_FOUND" | undefined = new RpcError("NOT_FOUND", "a").code === "NOT_FOUND" ? "NOT_FOUND" : undefined;
// @ts-expect-error a code that does not exist.
export const wrong: RpcError = new RpcError("NO_SUCH_CODE", "a");
`;
  await Deno.writeTextFile(file, source);
  const { code, output } = await capture({ command: Deno.execPath(), args: ["check", file] }, { cwd: folder });
  return code === 0 ? undefined : output;
}

const steps: readonly Step[] = [
  {
    name: "empty dist/",
    async run() {
      await Deno.remove(dist, { recursive: true }).catch(() => {});
      await Deno.mkdir(dist);
      return undefined;
    },
  },
  commandStep("dist/sparkwire.mjs and dist/sparkwire.d.mts", {
    command: Deno.execPath(),
    args: ["bundle", "--quiet", "--platform=deno", "--declaration", `--output=${bundled}`, "mod.ts"],
  }, options),
  commandStep("dist/sparkwire.tgz", {
    command: Deno.execPath(),
    args: ["pack", "--quiet", "--allow-dirty", `--output=${tarball}`],
  }, options),
  {
    name: "dist/sparkwire.mjs is imported",
    run: () =>
      inTemporaryFolder(async (folder) => {
        await Deno.copyFile(bundled, join(folder, "sparkwire.mjs"));
        await Deno.copyFile(join(dist, "sparkwire.d.mts"), join(folder, "sparkwire.d.mts"));
        return await importEverywhere(folder, "./sparkwire.mjs") ?? await checkTypes(folder, "./sparkwire.mjs");
      }),
  },
  {
    name: "dist/sparkwire.tgz is installed and imported",
    run: () =>
      inTemporaryFolder(async (folder) => {
        await Deno.writeTextFile(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
        const install = ["install", "--no-audit", "--no-fund", "--offline", tarball];
        const { code, output } = await capture({ command: "npm", args: install }, { cwd: folder });
        if (code !== 0) return output;
        const name = "@sparkwire/sparkwire";
        return await importEverywhere(folder, name) ?? await checkTypes(folder, name);
      }),
  },
];

Deno.exit(await runSteps(steps));
