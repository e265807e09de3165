/**
 * Runs other programs, never longer than a deadline.
 *
 * @module
 */

/** A program and its arguments. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

/** Options of {@linkcode run} and {@linkcode capture}. */
export interface RunOptions {
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** After this the program is ended and counts as failed. */
  readonly deadlineMs?: number;
}

/** How a program ended. */
export interface RunResult {
  readonly code: number;
  readonly timedOut: boolean;
}

/** What a program wrote, standard output and error in one. */
export interface CaptureResult extends RunResult {
  readonly output: string;
  readonly stdout: string;
}

const DEFAULT_DEADLINE_MS = 5 * 60_000;
/** How long a program has to end by itself before it is killed. */
const GRACE_MS = 5_000;

/** Runs a program on the terminal of this one. */
export async function run({ command, args }: Command, options: RunOptions = {}): Promise<RunResult> {
  const child = new Deno.Command(command, { ...spawnOptions(options), args: [...args], stdin: "null" }).spawn();
  const deadline = new Deadline(child, options.deadlineMs);
  const { code } = await child.status;
  return { code, timedOut: deadline.end() };
}

/** Runs a program and keeps what it writes; one that cannot be started has failed with that text. */
export async function capture({ command, args }: Command, options: RunOptions = {}): Promise<CaptureResult> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(command, {
      ...spawnOptions(options),
      args: [...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    return { code: 127, timedOut: false, output: String(error), stdout: "" };
  }
  const deadline = new Deadline(child, options.deadlineMs);
  const { code, stdout, stderr } = await child.output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, timedOut: deadline.end(), output: `${out}${err}`.trim(), stdout: out!.trim() };
}

function spawnOptions({ cwd, env }: RunOptions): Deno.CommandOptions {
  return { ...(cwd !== undefined && { cwd }), ...(env !== undefined && { env }) };
}

/** Ends a child that takes too long: gently, so that a test runner ends its own children, and then not. */
class Deadline {
  readonly #timers: ReturnType<typeof setTimeout>[];
  #passed = false;

  constructor(child: Deno.ChildProcess, deadlineMs = DEFAULT_DEADLINE_MS) {
    const end = (signal: Deno.Signal) => {
      this.#passed = true;
      child.kill(signal);
    };
    this.#timers = [
      setTimeout(() => end("SIGTERM"), deadlineMs),
      setTimeout(() => end("SIGKILL"), deadlineMs + GRACE_MS),
    ];
  }

  /** The child has ended. True: because it had to. */
  end(): boolean {
    for (const timer of this.#timers) clearTimeout(timer);
    return this.#passed;
  }
}
