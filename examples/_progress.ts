/**
 * How far a job has come: a bar with rate and time left on a terminal, a line now and then elsewhere.
 *
 * @module
 */
import process from "node:process";
import { Format, SingleBar } from "cli-progress";

/** A job under way. */
export interface Progress {
  /** So many bytes are done, of all that there are. */
  update(bytes: number): void;
  /** Leaves what was shown as it is, and the terminal as it was. */
  stop(): void;
}

/** A terminal or something else that takes text. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** The members of `SingleBar` that are called here; the package has no types of its own. */
interface Bar {
  start(total: number, value: number, payload: { readonly rate: string }): void;
  update(value: number, payload: { readonly rate: string }): void;
  stop(): void;
}

interface BarOptions {
  readonly format: string;
  readonly stream: Output;
  readonly linewrap: boolean;
  readonly fps: number;
  readonly etaBuffer: number;
  readonly hideCursor: boolean;
  readonly gracefulExit: boolean;
  readonly barCompleteChar: string;
  readonly barIncompleteChar: string;
  readonly formatValue: (value: number, options: object, type: string) => string;
}

const MakeBar: new (options: BarOptions) => Bar = SingleBar;

/** Where there is no terminal, this much time is between two lines, so that short jobs have none. */
const LINE_EVERY_MS = 5_000;

/**
 * Shows how far a job has come, on stderr.
 *
 * @param label What is being done, such as `Fetching words.txt`.
 * @param totalBytes How many bytes there are.
 * @param output Where to.
 */
export function startProgress(label: string, totalBytes: number, output: Output = process.stderr): Progress {
  return output.isTTY ? showBar(label, totalBytes, output) : writeLines(label, totalBytes, output);
}

/** Writes a line, above a bar if there is one. */
export function writeAbove(line: string, output: Output = process.stderr): void {
  // A bar that stops goes back to the place that was saved last, and what is written next goes below that.
  output.write(output.isTTY ? `\r\x1b[K${line}\n\x1b7` : `${line}\n`);
}

/** A size for people: `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let value = bytes;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${value.toFixed(unit === 0 ? 0 : 1)} ${units[unit]}`;
}

function showBar(label: string, totalBytes: number, output: Output): Progress {
  const rate = measureRate();
  const bar = new MakeBar({
    format: `${label} [{bar}] {percentage} % | {value} of {total} | {rate} | {eta_formatted} left`,
    stream: output,
    // The bar is cut at the terminal's width; the lines above it are not.
    linewrap: true,
    fps: 10,
    etaBuffer: 100,
    hideCursor: true,
    // Its own handler of Ctrl-C would keep the caller's from tidying up.
    gracefulExit: false,
    barCompleteChar: "=",
    barIncompleteChar: " ",
    formatValue: (value, options, type) =>
      type === "value" || type === "total" ? formatBytes(value) : Format.ValueFormat(value, options, type),
  });
  bar.start(totalBytes, 0, { rate: rate(0) });
  return { update: (bytes) => bar.update(bytes, { rate: rate(bytes) }), stop: () => bar.stop() };
}

function writeLines(label: string, totalBytes: number, output: Output): Progress {
  const rate = measureRate();
  let nextAt = performance.now() + LINE_EVERY_MS;
  return {
    update(bytes) {
      if (performance.now() < nextAt) return;
      nextAt = performance.now() + LINE_EVERY_MS;
      output.write(`${label}: ${formatBytes(bytes)} of ${formatBytes(totalBytes)}, ${rate(bytes)}\n`);
    },
    stop() {},
  };
}

/** The rate since the beginning. */
function measureRate(): (bytes: number) => string {
  const begun = performance.now();
  return (bytes) => `${formatBytes(bytes * 1000 / Math.max(1, performance.now() - begun))}/s`;
}
