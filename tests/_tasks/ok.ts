/**
 * Task `ok`: all that can be said about the code without running the tests.
 *
 * @module
 */
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { projectRoot } from "../_project.ts";
import { noArguments, readArguments } from "./arguments.ts";
import { say } from "./console.ts";
import { bundleExamples } from "./doc_examples.ts";
import { capture, type Command } from "./run.ts";
import { findRuntime, type RuntimeName } from "./runtimes.ts";
import { commandStep, runSteps, type Step, type StepResult } from "./steps.ts";

const options = { cwd: projectRoot };

function deno(...args: string[]): Command {
  return { command: Deno.execPath(), args };
}

function denoStep(...args: string[]): Step {
  return commandStep(`deno ${args.join(" ")}`, deno(...args), options);
}

interface LintReport {
  readonly diagnostics: readonly LintDiagnostic[];
  readonly errors: readonly unknown[];
}

interface LintDiagnostic {
  readonly code: string;
  readonly filename: string;
  readonly message: string;
  readonly range: { readonly start: { readonly line: number; readonly col: number } };
}

/**
 * Judges by the report and not by the exit code: with a plugin of one's own, Deno 2.9.5 ends one time in ten with a
 * segmentation fault after its work is done.
 */
async function lint(): Promise<StepResult> {
  const { stdout, output } = await capture(deno("lint", "--json"), options);
  let report: LintReport;
  try {
    report = JSON.parse(stdout) as LintReport;
  } catch {
    return output;
  }
  const lines = report.diagnostics.map(({ code, filename, message, range }) => {
    const path = filename.startsWith("file:") ? relative(projectRoot, new URL(filename).pathname) : filename;
    return `${path}:${range.start.line}:${range.start.col + 1} ${code}: ${message}`;
  });
  lines.push(...report.errors.map((error) => JSON.stringify(error)));
  return lines.length === 0 ? undefined : lines.join("\n");
}

/** How the README names the module: where it will be published is not known here. */
const PLACEHOLDER = "https://…/sparkwire/mod.ts";

/**
 * Runs the snippets of the README with this project's module in the place of the published one, and without this project's
 * configuration: as its readers would, and without a search for what a snippet leaves open at its end.
 */
async function testReadme(): Promise<StepResult> {
  const folder = await Deno.makeTempDir({ prefix: "sparkwire-readme-" });
  try {
    const text = await Deno.readTextFile(join(projectRoot, "README.md"));
    const module = pathToFileURL(join(projectRoot, "mod.ts")).href;
    await Deno.writeTextFile(join(folder, "README.md"), text.replaceAll(PLACEHOLDER, module));
    const { code, output } = await capture(deno("test", "--quiet", "-A", "--doc", "README.md"), { cwd: folder });
    return code === 0 ? undefined : output;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs the examples of the documentation on another runtime than this one. */
async function runExamples(name: RuntimeName): Promise<StepResult> {
  const runtime = await findRuntime(name);
  if (runtime.path === undefined) {
    const reason = `${name} cannot be had: ${runtime.reason}`;
    if (Deno.env.get("CI") === "true") return reason;
    say(reason);
    return undefined;
  }
  const examples = await bundleExamples();
  try {
    const args = [...(name === "node" ? ["--enable-source-maps"] : []), examples.path];
    const { code, output } = await capture({ command: runtime.path, args }, options);
    return code === 0 ? undefined : output;
  } finally {
    await examples[Symbol.asyncDispose]();
  }
}

readArguments("deno task ok", noArguments);
Deno.exit(
  await runSteps([
    denoStep("fmt", "--check"),
    { name: "deno lint", run: lint },
    denoStep("check", "--quiet"),
    denoStep("doc", "--lint", "mod.ts"),
    denoStep("test", "--quiet", "-A", "--doc", "mod.ts", "src"),
    { name: "examples of the documentation on bun", run: () => runExamples("bun") },
    { name: "examples of the documentation on node", run: () => runExamples("node") },
    { name: "deno test --doc README.md", run: testReadme },
    denoStep("publish", "--dry-run", "--allow-dirty"),
  ]),
);
