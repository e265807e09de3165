/**
 * Bundles for Bun and Node: one file for each entry point, shared code in chunks, no node_modules.
 *
 * @module
 */
import { join, relative } from "node:path";
import { projectRoot } from "../_project.ts";
import { capture } from "./run.ts";

/** What `deno bundle` has made. */
export interface Bundle extends AsyncDisposable {
  /** Its folder: `tests/rpc/inbox_test.ts` is `tests/rpc/inbox_test.js` in it. */
  readonly folder: string;
  /** The bundle of an entry point, as a path below the project's root that begins with `./`. */
  pathOf(entry: string): string;
}

const PREFIX = "run-";

/** Programs that are also bundled to one `.mjs` file without imports: executors load them from their driver. */
const JOBS: readonly string[] = ["examples/word_count.ts"];

/**
 * Bundles entry points into a fresh folder of `.build/`, which goes when the bundle is disposed of: two runs at once do
 * not meet there.
 *
 * @param entries Paths below the project's root.
 * @throws {Error} One of them does not compile; the text says where.
 */
export async function bundle(entries: readonly string[]): Promise<Bundle> {
  const parent = join(projectRoot, ".build");
  await Deno.mkdir(parent, { recursive: true });
  await removeOld(parent);
  const folder = await Deno.makeTempDir({ dir: parent, prefix: PREFIX });
  const remove = () => Deno.remove(folder, { recursive: true });
  try {
    // mod.ts is there to make the root the common folder of all entries: paths in the output are relative to that.
    await denoBundle("--code-splitting", "--sourcemap=linked", `--outdir=${folder}`, ...new Set(["mod.ts", ...entries]));
    for (const job of JOBS.filter((entry) => entries.includes(entry))) {
      await denoBundle(`--output=${join(folder, job.replace(/\.ts$/, ".mjs"))}`, job);
    }
  } catch (error) {
    await remove();
    throw error;
  }
  // The files are named .js, which Node takes for CommonJS unless told otherwise.
  await Deno.writeTextFile(join(folder, "package.json"), '{ "type": "module" }\n');
  return {
    folder,
    pathOf: (entry) => `./${relative(projectRoot, join(folder, entry.replace(/\.ts$/, ".js")))}`,
    [Symbol.asyncDispose]: remove,
  };
}

async function denoBundle(...args: string[]): Promise<void> {
  const command = { command: Deno.execPath(), args: ["bundle", "--quiet", "--no-check", "--platform=deno", ...args] };
  const { code, output } = await capture(command, { cwd: projectRoot });
  if (code !== 0) throw new Error(`deno bundle failed\n${output}`);
}

/** Takes away what a run that was killed left behind, a day after. */
async function removeOld(parent: string): Promise<void> {
  const oldest = Date.now() - 24 * 60 * 60_000;
  for await (const { name } of Deno.readDir(parent)) {
    const path = join(parent, name);
    const { mtime } = await Deno.stat(path);
    if (name.startsWith(PREFIX) && mtime !== null && mtime.getTime() < oldest) await Deno.remove(path, { recursive: true });
  }
}
