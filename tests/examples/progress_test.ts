import { assertEquals } from "@std/assert";
import { formatBytes, type Output, startProgress, writeAbove } from "../../examples/_progress.ts";
import { test } from "../_harness.ts";

test("formatBytes() has no parts of bytes, and one digit of what is larger", () => {
  const sizes = [0, 31.936541959509196, 1023, 1024, 1536, 1024 ** 2, 2.5 * 1024 ** 3];
  assertEquals(sizes.map(formatBytes), ["0 B", "32 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "2.5 GiB"]);
});

/** What a terminal shows of what was written to it, on a screen that is large enough: only what bars and lines make use of. */
class Screen implements Output {
  readonly rows: string[] = [""];
  readonly isTTY = true;
  readonly columns: number;
  #row = 0;
  #column = 0;
  #saved = [0, 0];
  #wraps = true;

  constructor(columns: number) {
    this.columns = columns;
  }

  write(text: string): boolean {
    // deno-lint-ignore no-control-regex -- it is what a terminal reads.
    for (const [token] of text.matchAll(/\x1b(?:[78]|\[[?\d;]*[A-Za-z])|[^]/gu)) this.#take(token);
    return true;
  }

  #take(token: string): void {
    if (token === "\x1b7") this.#saved = [this.#row, this.#column];
    else if (token === "\x1b8") [this.#row, this.#column] = [this.#saved[0]!, this.#saved[1]!];
    else if (token === "\r" || token === "\x1b[1G") this.#column = 0;
    else if (token === "\n") this.#nextRow();
    else if (token === "\x1b[K" || token === "\x1b[0K") this.rows[this.#row] = this.rows[this.#row]!.slice(0, this.#column);
    else if (token === "\x1b[?7h" || token === "\x1b[?7l") this.#wraps = token.endsWith("h");
    else if (!token.startsWith("\x1b")) this.#put(token);
    else if (!token.startsWith("\x1b[?25")) throw new Error(`Nothing known of ${JSON.stringify(token)}`);
  }

  #put(character: string): void {
    if (this.#column === this.columns) {
      if (this.#wraps) this.#nextRow();
      else this.#column--;
    }
    const row = this.rows[this.#row]!.padEnd(this.#column);
    this.rows[this.#row] = row.slice(0, this.#column) + character + row.slice(++this.#column);
  }

  #nextRow(): void {
    this.#column = 0;
    this.rows[++this.#row] ??= "";
  }
}

test("writeAbove() leaves whole lines above a bar, and startProgress().stop() goes on below them", () => {
  const screen = new Screen(60);
  const progress = startProgress("Counting", 2048, screen);
  const lines = ["The first line", "The second one", "The third one", `${"x".repeat(59)} and more`];
  for (const line of lines) writeAbove(line, screen);
  progress.update(2048);
  progress.stop();
  screen.write("The result\n");
  const bar = "Counting [========================================] 100 % | ";
  assertEquals(screen.rows, [...lines.slice(0, 3), `${"x".repeat(59)} `, "and more", bar.slice(0, 60), "The result", ""]);
});
