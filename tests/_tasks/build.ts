/**
 * Task `build`: `dist/` with the module in one file and its declarations, and the tarball for npm; each is tried out.
 *
 * @module
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { projectRoot } from "../_project.ts";
import { noArguments, readArguments } from "./arguments.ts";
import { bundleDeclarations } from "./declarations.ts";
import { capture } from "./run.ts";
import { findRuntime, RUNTIME_NAMES } from "./runtimes.ts";
import { commandStep, runSteps, type Step, type StepResult } from "./steps.ts";

const dist = join(projectRoot, "dist");
const bundled = join(dist, "sparkwire.mjs");
const declarations = join(dist, "sparkwire.d.mts");
const tarball = join(dist, "sparkwire.tgz");
const options = { cwd: projectRoot };

function denoStep(name: string, ...args: string[]): Step {
  return commandStep(name, { command: Deno.execPath(), args }, options);
}

/** A step that has a folder of its own, outside of the project and its configuration. */
function scratchStep(name: string, body: (folder: string) => Promise<StepResult>): Step {
  return {
    name,
    async run() {
      const folder = await Deno.makeTempDir({ prefix: "sparkwire-build-" });
      try {
        return await body(folder);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  };
}

/** Imports `specifier` in `folder` on each runtime that can be had: it must export what mod.ts does. */
async function importEverywhere(folder: string, specifier: string): Promise<StepResult> {
  const expected = Object.keys(await import(pathToFileURL(join(projectRoot, "mod.ts")).href)).sort().join(" ");
  const file = join(folder, "main.mjs");
  const source = `import * as all from ${JSON.stringify(specifier)};\nconsole.log(Object.keys(all).sort().join(" "));\n`;
  await Deno.writeTextFile(file, source);
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
  const source = `import { RpcEnv, RpcError, type RpcEndpointRef } from ${JSON.stringify(specifier)};
export const error: RpcError = new RpcError("NOT_FOUND", "a");
// @ts-expect-error a code that does not exist.
export const wrong: RpcError = new RpcError("NO_SUCH_CODE", "a");
export async function lookUp(uri: string): Promise<RpcEndpointRef> {
  const env = await RpcEnv.create({ name: "client" });
  // @ts-expect-error a URI is a string.
  await env.setupEndpointRef(5);
  await RpcEnv.createSimulated(1)[Symbol.asyncDispose]();
  return await env.setupEndpointRef(uri);
}
`;
  await Deno.writeTextFile(file, source);
  const { code, output } = await capture({ command: Deno.execPath(), args: ["check", file] }, { cwd: folder });
  return code === 0 ? undefined : output;
}

/**
 * Puts our declarations into the tarball in place of its own, as declarations.ts says why, and takes out the sources that
 * `deno pack` adds where mod.ts does not lead to them.
 */
async function replaceDeclarations(folder: string): Promise<StepResult> {
  const unpack = await capture({ command: "tar", args: ["-xzf", tarball, "-C", folder] });
  if (unpack.code !== 0) return unpack.output;
  for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (path.endsWith(".ts")) await Deno.remove(join(folder, path));
  }
  await Deno.copyFile(declarations, join(folder, "package", "mod.d.ts"));
  const pack = await capture({ command: "tar", args: ["-czf", tarball, "-C", folder, "package"] });
  return pack.code === 0 ? undefined : pack.output;
}

/** Nothing that is published names a folder of this machine. */
async function findPaths(folder: string): Promise<StepResult> {
  const unpack = await capture({ command: "tar", args: ["-xzf", tarball, "-C", folder] });
  if (unpack.code !== 0) return unpack.output;
  const packed = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((path) => join(folder, path));
  const files = [bundled, declarations, ...packed].filter((path) => statSync(path).isFile());
  const found = files.filter((path) => readFileSync(path, "utf8").includes(projectRoot));
  return found.length === 0 ? undefined : `${projectRoot} is named in ${found.join(", ")}`;
}

async function tryBundle(folder: string): Promise<StepResult> {
  await Deno.copyFile(bundled, join(folder, "sparkwire.mjs"));
  await Deno.copyFile(declarations, join(folder, "sparkwire.d.mts"));
  return await importEverywhere(folder, "./sparkwire.mjs") ?? await checkTypes(folder, "./sparkwire.mjs");
}

async function tryTarball(folder: string): Promise<StepResult> {
  await Deno.writeTextFile(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  const install = ["install", "--no-audit", "--no-fund", "--offline", tarball];
  const { code, output } = await capture({ command: "npm", args: install }, { cwd: folder });
  if (code !== 0) return output;
  const name = "@sparkwire/sparkwire";
  return await importEverywhere(folder, name) ?? await checkTypes(folder, name);
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
  denoStep("dist/sparkwire.mjs", "bundle", "--quiet", "--platform=deno", `--output=${bundled}`, "mod.ts"),
  {
    name: "dist/sparkwire.mjs names its declarations for Deno",
    async run() {
      const code = await Deno.readTextFile(bundled);
      await Deno.writeTextFile(bundled, `// @ts-self-types="./sparkwire.d.mts"\n${code}`);
      return undefined;
    },
  },
  scratchStep("dist/sparkwire.d.mts", (folder) => bundleDeclarations(folder, declarations)),
  // Source maps would carry the paths of this machine.
  denoStep("dist/sparkwire.tgz", "pack", "--quiet", "--allow-dirty", "--no-source-maps", `--output=${tarball}`),
  scratchStep("dist/sparkwire.tgz gets the declarations", replaceDeclarations),
  scratchStep("dist/ names no folder of this machine", findPaths),
  scratchStep("dist/sparkwire.mjs is imported, and its types hold", tryBundle),
  scratchStep("dist/sparkwire.tgz is installed and imported, and its types hold", tryTarball),
];

readArguments("deno task build", noArguments);
Deno.exit(await runSteps(steps));
