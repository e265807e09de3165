/**
 * The examples of the documentation as one program, for Bun and Node: `deno test --doc` runs them on Deno alone.
 *
 * @module
 */
import { join, relative } from "node:path";
import { projectRoot } from "../_project.ts";
import { bundle } from "./bundle.ts";
import { sourceFiles } from "./entry_points.ts";

/** The program, ready to be run. */
export interface DocExamples extends AsyncDisposable {
  /** Its path. */
  readonly path: string;
}

/** The examples in the comments of a module. */
export function examplesIn(text: string): string[] {
  const comments = text.match(/\/\*\*[\s\S]*?\*\//g) ?? [];
  return comments.flatMap((comment) => {
    const lines = comment.split("\n").map((line) => line.replace(/^\s*\* ?/, ""));
    return Array.from(lines.join("\n").matchAll(/```ts\n([\s\S]*?)```/g), ([, code]) => code!);
  });
}

/** Bundles a program that runs all examples, one after the other; it fails if one does, and says which. */
export async function bundleExamples(): Promise<DocExamples> {
  const parent = join(projectRoot, ".build");
  await Deno.mkdir(parent, { recursive: true });
  const folder = await Deno.makeTempDir({ dir: parent, prefix: "examples-" });
  try {
    const entry = join(folder, "main.ts");
    await Deno.writeTextFile(entry, await writeExamples(folder));
    const path = relative(projectRoot, entry);
    const made = await bundle([path]);
    return { path: join(projectRoot, made.pathOf(path)), [Symbol.asyncDispose]: () => made[Symbol.asyncDispose]() };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Writes a module for each example; returns the one that imports them all. */
async function writeExamples(folder: string): Promise<string> {
  const module = relative(folder, join(projectRoot, "mod.ts"));
  const runs: string[] = [];
  for (const file of ["mod.ts", ...sourceFiles()]) {
    const examples = examplesIn(await Deno.readTextFile(join(projectRoot, file)));
    for (const [i, code] of examples.entries()) {
      const name = `example_${runs.length}.ts`;
      await Deno.writeTextFile(join(folder, name), code.replaceAll("@sparkwire/sparkwire", module));
      runs.push(`await run("Example ${i + 1} of ${file}", () => import("./${name}"));`);
    }
  }
  return `
import process from "node:process";
async function run(name, load) {
  try {
    await load();
  } catch (error) {
    console.error(name, error);
    process.exitCode = 1;
  }
}
${runs.join("\n")}
console.error("${runs.length} examples");
`;
}
