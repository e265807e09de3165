/**
 * A logger that keeps its lines, for tests that ask what was logged.
 *
 * @module
 */

import type { Logger, LogLevel } from "../src/base/logger.ts";

/** Keeps every line as `level: message`. */
export class MemoryLogger implements Logger {
  readonly lines: string[] = [];

  debug(message: string): void {
    this.#keep("debug", message);
  }

  info(message: string): void {
    this.#keep("info", message);
  }

  warning(message: string): void {
    this.#keep("warning", message);
  }

  error(message: string, cause?: unknown): void {
    this.#keep("error", cause instanceof Error ? `${message} (${cause.message})` : message);
  }

  /** Whether some line has `text` in it. */
  has(text: string): boolean {
    return this.lines.some((line) => line.includes(text));
  }

  #keep(level: LogLevel, message: string): void {
    this.lines.push(`${level}: ${message}`);
  }
}
