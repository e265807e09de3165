/**
 * How programs of this folder end before they are done, and what they say of an error.
 *
 * @module
 */
import process from "node:process";
import { RpcError } from "../mod.ts";

/** The arguments are wrong. */
export class UsageError extends Error {}

/** The signals that end a program, and the code that it ends with then: 128 and the signal's number, as shells have it. */
const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** A signal that ends a program. */
export type EndingSignal = keyof typeof EXIT_CODES;

/** The user wants no more. */
export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: EndingSignal, message = "Interrupted") {
    super(message);
    this.exitCode = EXIT_CODES[signal];
  }
}

/** Aborts with an {@linkcode Interrupted} at Ctrl-C, or when the process is told to end. */
export function interruption(): AbortSignal {
  const interrupt = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupt.abort(new Interrupted(signal)));
  return interrupt.signal;
}

/** Errors of an output that nobody reads any more, as behind `head` or when a terminal has gone. */
const READER_GONE: readonly string[] = ["EPIPE", "EIO"];

/**
 * Goes on when what is printed goes nowhere: otherwise the next line ends the process then and there, with files half written. If it
 * is not that nobody reads any more, but a full disk, say, one line tells of it, and the exit code is not 0.
 */
export function outliveOutput(): void {
  let hasFailed = false;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (hasFailed || READER_GONE.includes(error.code ?? "")) return;
    hasFailed = true;
    process.stderr.write(`Cannot write to standard output: ${messageOf(error)}\n`);
    process.on("exit", () => process.exitCode ||= 1);
  });
  // There is no place left to tell of this.
  process.stderr.on("error", () => {});
  for (const output of [process.stdout, process.stderr]) {
    const write = output.write.bind(output) as (...args: unknown[]) => boolean;
    output.write = (...args: unknown[]) => {
      try {
        return write(...args);
      } catch (error) {
        // Where it is a file, Deno 2.9 throws what is an event elsewhere.
        output.destroy(error as Error);
        return false;
      }
    };
  }
}

/** Without what a peer might do to the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, " ");
}

/** What an error says, in one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return printable(text.split("\n", 1)[0]!);
}

/** Errors of these codes say what became of it; why, only their cause says. */
const CODES_WITH_CAUSE: readonly string[] = ["DISCONNECTED", "INVALID_ADDRESS"];

/** The same, and why a connection was lost or an address is none, unless that is in it already. */
export function reasonOf(error: unknown): string {
  const message = messageOf(error);
  if (!RpcError.is(error) || error.cause === undefined || !CODES_WITH_CAUSE.includes(error.code)) return message;
  const why = messageOf(error.cause);
  return message.endsWith(why) ? message : `${message}: ${why}`;
}

/** The same with its code, if it has one. */
export function describe(error: unknown): string {
  return RpcError.is(error) ? `${reasonOf(error)} (${error.code})` : messageOf(error);
}
