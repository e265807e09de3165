/**
 * Task `ok`: all that can be said about the code without running the tests.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { projectRoot } from "../_project.ts";
import { capture, type Command } from "./run.ts";
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

const documents = ["mod.ts", "src", "README.md"].filter((path) => existsSync(join(projectRoot, path)));

Deno.exit(
  await runSteps([
    denoStep("fmt", "--check"),
    { name: "deno lint", run: lint },
    denoStep("check"),
    denoStep("doc", "--lint", "mod.ts"),
    denoStep("test", "-A", "--doc", ...documents),
    denoStep("publish", "--dry-run", "--allow-dirty"),
  ]),
);
