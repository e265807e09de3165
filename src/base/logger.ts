// deno-lint-ignore-file no-console -- the one file that is named for it.
/**
 * Where the core says what it dropped, retried or could not do: the only place that writes to the console.
 *
 * @module
 */

/** How serious a line is. */
export type LogLevel = "debug" | "info" | "warning" | "error";

/** Takes the core's log lines. `cause` is the error behind a line, if there is one. */
export interface Logger {
  /** What helps to follow the course of things. */
  debug(message: string, cause?: unknown): void;
  /** What an operator likes to know. */
  info(message: string, cause?: unknown): void;
  /** What was lost or ignored, and by whose fault. */
  warning(message: string, cause?: unknown): void;
  /** What failed. */
  error(message: string, cause?: unknown): void;
}

/** Drops every line. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warning() {},
  error() {},
};

/** Options of {@linkcode consoleLogger}. */
export interface ConsoleLoggerOptions {
  /**
   * The least serious level that is written.
   *
   * @default "warning"
   */
  readonly level?: LogLevel;
}

const ORDER: readonly LogLevel[] = ["debug", "info", "warning", "error"];

/**
 * Writes lines to the console's error stream.
 *
 * @param options Which levels.
 * @returns A logger.
 * @example
 * ```ts
 * import { consoleLogger } from "@sparkwire/sparkwire";
 *
 * consoleLogger({ level: "debug" }).debug("ready");
 * ```
 */
export function consoleLogger(options: ConsoleLoggerOptions = {}): Logger {
  const from = ORDER.indexOf(options.level ?? "warning");
  const at = (level: LogLevel) =>
    ORDER.indexOf(level) < from ? () => {} : (message: string, cause?: unknown) => {
      const line = `sparkwire ${level}: ${message}`;
      if (cause === undefined) console.error(line);
      else console.error(line, cause);
    };
  return { debug: at("debug"), info: at("info"), warning: at("warning"), error: at("error") };
}
