/**
 * Runs the examples as a reader of theirs would: as processes of their own, on any runtime that is there.
 *
 * @module
 */
import { commandFor, type RuntimeName } from "../_entry_points.ts";
import { runtimeName, type TestContext, within } from "../_harness.ts";
import { type ProcessOptions, startProcess, type TestProcess } from "../_process.ts";

/** Options of {@linkcode startExample}. */
export interface ExampleOptions extends Pick<ProcessOptions, "pipeStdin" | "env"> {
  /** Where it runs; the test's own runtime unless it says otherwise. */
  readonly runtime?: RuntimeName;
}

/** How an example ended. */
export interface ExampleResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Why the program cannot be run on that runtime, if so. */
export function whyNot(entry: string, runtime: RuntimeName = runtimeName): string | undefined {
  return commandFor(entry, runtime) === undefined ? `only the task test has ${entry} for ${runtime}` : undefined;
}

/** Starts a program of the project; it does not outlive the test. */
export function startExample(
  context: TestContext,
  entry: string,
  args: readonly string[],
  { runtime = runtimeName, ...options }: ExampleOptions = {},
): TestProcess {
  const command = commandFor(entry, runtime);
  if (command === undefined) throw new Error(whyNot(entry, runtime));
  return startProcess(context, command.command, [...command.args, ...args], {
    ...options,
    env: { NO_COLOR: "1", ...options.env },
  });
}

/** Runs a program of the project to its end, with `input` as its standard input. */
export async function runExample(
  context: TestContext,
  entry: string,
  args: readonly string[],
  { input, ...options }: ExampleOptions & { readonly input?: string } = {},
): Promise<ExampleResult> {
  const program = startExample(context, entry, args, { ...options, pipeStdin: input !== undefined });
  program.endStdin(input);
  const code = await within(program.exited, `the end of ${entry} ${args.join(" ")}`);
  return { code, stdout: program.stdout, stderr: program.stderr };
}
