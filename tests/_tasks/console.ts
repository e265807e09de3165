// deno-lint-ignore-file no-console -- the one file of the tasks that writes to the console.
/**
 * What a task says to the one who started it.
 *
 * @module
 */

/** Writes a line. */
export function say(line: string): void {
  console.log(line);
}
