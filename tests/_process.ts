/**
 * Starts other processes from a test and reads what they write; they never outlive the test.
 *
 * @module
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { deferred, type TestContext, until, within } from "./_harness.ts";

/** Options of {@linkcode startProcess}. */
export interface ProcessOptions {
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether its standard input is a pipe that the test writes to; otherwise it is empty. */
  readonly pipeStdin?: boolean;
}

/** A process that a test has started. */
export interface TestProcess {
  readonly pid: number;
  /** What it has written so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** Its exit code, or null if a signal ended it. Its output is complete then. */
  readonly exited: Promise<number | null>;
  /** Writes the last of its standard input; see {@linkcode ProcessOptions.pipeStdin}. */
  endStdin(text?: string): void;
  /** Reads no more of what it writes, as `head` when it has its lines. */
  closeOutput(): void;
  /** Waits for output that matches. Fails with all the output if the process ends before. */
  waitFor(pattern: RegExp, deadlineMs?: number): Promise<RegExpExecArray>;
  /** Sends a signal, unless it has ended. */
  kill(signal?: "SIGTERM" | "SIGKILL" | "SIGINT"): void;
}

/**
 * Starts a program without a shell. When the test is over it is killed if it still runs.
 *
 * @param context The test's.
 * @param command The program.
 * @param args Its arguments.
 * @param options Folder and environment.
 */
export function startProcess(
  context: TestContext,
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
): TestProcess {
  const child = spawn(command, args, {
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
    stdio: [options.pipeStdin === true ? "pipe" : "ignore", "pipe", "pipe"],
  });
  const written = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]!.setEncoding("utf8");
    child[name]!.on("data", (text: string) => written[name] += text);
  }
  // A program that ended without reading all of its input is none of the test's failures.
  child.stdin?.on("error", () => {});
  const exit = deferred<number | null>();
  let ended = false;
  child.on("error", (error) => exit.reject(error));
  child.on("close", (code) => {
    ended = true;
    exit.resolve(code);
  });
  const kill = (signal: NodeJS.Signals = "SIGTERM") => {
    if (ended || child.pid === undefined) return;
    // Of a child that ended by itself after a signal of `child.kill`, Deno 2.9.5 says that the signal ended it.
    if (signal === "SIGKILL") child.kill(signal);
    else process.kill(child.pid, signal);
  };
  context.defer(async () => {
    kill("SIGKILL");
    await within(exit.promise, `the end of ${command}`);
  });
  return {
    pid: child.pid ?? 0,
    get stdout() {
      return written.stdout;
    },
    get stderr() {
      return written.stderr;
    },
    exited: exit.promise,
    kill,
    endStdin: (text = "") => child.stdin?.end(text),
    closeOutput() {
      child.stdout!.destroy();
      child.stderr!.destroy();
    },
    async waitFor(pattern, deadlineMs) {
      let match: RegExpExecArray | null = null;
      await until(() => (match = pattern.exec(written.stdout)) !== null || ended, `output like ${pattern}`, deadlineMs);
      if (match === null) throw new Error(`${command} ended without ${pattern}:\n${written.stdout}\n${written.stderr}`);
      return match;
    },
  };
}
