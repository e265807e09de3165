/**
 * The arguments of a task.
 *
 * @module
 */
import { say } from "./console.ts";

/** `args` without the `--` that `deno task` passes through: `deno task sim -- 5` is `deno task sim 5`. */
export function taskArguments(args: readonly string[]): string[] {
  const separator = args.indexOf("--");
  return args.filter((_, index) => index !== separator);
}

/** Of a task that takes none: what was meant by them is not what would be done. */
export function noArguments(args: readonly string[]): void {
  if (args.length > 0) throw new TypeError(`Expected no arguments, not ${args.join(" ")}`);
}

/**
 * What `read` makes of a task's arguments. A task that is asked for help ends with a word on its use, and so does one whose arguments
 * make no sense.
 */
export function readArguments<T>(usage: string, read: (args: string[]) => T): T {
  const args = taskArguments(Deno.args);
  if (args.includes("--help") || args.includes("-h")) {
    say(`Usage: ${usage}`);
    Deno.exit(0);
  }
  try {
    return read(args);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    say(`${error.message}\nUsage: ${usage}`);
    Deno.exit(2);
  }
}
