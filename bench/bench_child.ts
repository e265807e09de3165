/**
 * A process of the comparison, as `compare.ts` sees it: started, asked for lines, ended.
 *
 * @module
 */

import { TextLineStream } from "@std/streams";

const running = new Set<BenchChild>();

/** A child that does not say its next line within this time, on top of what it was told to measure, has hung. */
const LINE_DEADLINE_MS = 30_000;

/** A child that reads and writes JSON lines. It ends with its stdin; a hung one is killed by its pid. */
export class BenchChild implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #command: string;

  /** @param command The program and its arguments. */
  constructor(command: readonly string[]) {
    const [program, ...args] = command;
    this.#command = command.join(" ");
    this.#process = new Deno.Command(program!, { args, stdin: "piped", stdout: "piped", stderr: "inherit" }).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#lines = this.#process.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream()).getReader();
    running.add(this);
  }

  /** Sends a line and returns the next one. */
  async request<T>(line: string, expectedSeconds = 0): Promise<T> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
    return await this.next<T>(expectedSeconds);
  }

  /** The next line. */
  async next<T>(expectedSeconds = 0): Promise<T> {
    let hung = false;
    const timer = setTimeout(() => {
      hung = true;
      this.kill();
    }, expectedSeconds * 10_000 + LINE_DEADLINE_MS);
    const { value } = await this.#lines.read();
    clearTimeout(timer);
    if (value === undefined) throw new Error(`${hung ? "Killed, as it hung" : "Ended early"}: ${this.#command}`);
    return JSON.parse(value) as T;
  }

  /** Ends the process at once. */
  kill(): void {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
  }

  /** Closes stdin and waits for the end. */
  async [Symbol.asyncDispose](): Promise<void> {
    const timer = setTimeout(() => this.kill(), 3_000);
    await this.#input.close().catch(() => {});
    await this.#lines.cancel();
    await this.#process.status;
    clearTimeout(timer);
    running.delete(this);
  }
}

/** Ends all children at once. */
export function killAll(): void {
  for (const child of running) child.kill();
}
