// deno-lint-ignore-file no-console -- the one file that is named for it.
/**
 * Where the core says what it dropped, retried or could not do: the only place that writes to the console.
 *
 * @module
 */

import { isWorthALine } from "./sparse_logging.ts";

/** How serious a line is. */
export type LogLevel = "debug" | "info" | "warning" | "error";

/** Takes the core's log lines. `cause` is the error behind a line, if there is one. What it throws is told to the console now and then. */
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
 * Writes lines to the console's error stream. One that cannot be written, since the disk is full say, is lost and does not throw.
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
      try {
        if (cause === undefined) console.error(line);
        else console.error(line, cause);
      } catch {
        // Deno 2.9 throws what the others keep to themselves: a full disk behind the log would cost connections.
      }
    };
  return { debug: at("debug"), info: at("info"), warning: at("warning"), error: at("error") };
}

/** A logger that somebody gave: what it throws must not stop what it was to be told of, the closing of a connection say. */
class ShelteredLogger implements Logger {
  readonly #given: Logger;
  readonly #last: Logger;
  #failures = 0;

  constructor(given: Logger, last: Logger) {
    this.#given = given;
    this.#last = last;
  }

  debug(message: string, cause?: unknown): void {
    this.#log("debug", message, cause);
  }

  info(message: string, cause?: unknown): void {
    this.#log("info", message, cause);
  }

  warning(message: string, cause?: unknown): void {
    this.#log("warning", message, cause);
  }

  error(message: string, cause?: unknown): void {
    this.#log("error", message, cause);
  }

  #log(level: LogLevel, message: string, cause: unknown): void {
    try {
      if (cause === undefined) this.#given[level](message);
      else this.#given[level](message, cause);
    } catch (thrown) {
      const line = `The logger failed at ${level}: ${message} (${++this.#failures} lines so far)`;
      if (isWorthALine(this.#failures)) this.#last.error(line, thrown);
    }
  }
}

/**
 * The logger in force.
 *
 * @param given Never fails from here on.
 * @param last Hears of its failures, and of all if there is none.
 */
export function loggerInForce(given: Logger | undefined, last: Logger = consoleLogger()): Logger {
  if (given === undefined) return last;
  return given instanceof ShelteredLogger ? given : new ShelteredLogger(given, last);
}
