/**
 * The command line of `driver.ts`.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { isRuntimeName, ownRuntime, RUNTIME_NAMES, type RuntimeName } from "./_runtimes.ts";

/** What the flags say. */
export interface DriverOptions {
  /** Files and folders; this project's own sources and docs if there are none. */
  readonly inputs: readonly string[];
  readonly executors: number;
  /** Given to the executors in turn. */
  readonly runtimes: readonly RuntimeName[];
  readonly splitBytes: number;
  /** How many words are shown. */
  readonly top: number;
  /** Where the result is written as JSON. */
  readonly json: string | undefined;
  /** The module of the job; the one beside the driver if it is not said. */
  readonly job: string | undefined;
  readonly host: string;
  readonly port: number;
  /** Configuration by Spark's keys. */
  readonly conf: Readonly<Record<string, string>>;
  /** Whether the driver starts its executors itself. */
  readonly spawn: boolean;
}

/** What `--help` prints. */
export const HELP = `Usage: deno task example [FLAGS]

Counts the words of files: a driver hands the splits out to executors, which are processes of their own.

  --input PATH      a file or a folder; more than once if you like (default: this project's own sources and docs)
  --executors N     how many executors there are (default: 2)
  --runtimes LIST   deno, bun, node, with commas between: given to the executors in turn (default: the driver's own)
  --split BYTES     how long a split is (default: 1 MiB); it ends at the next ASCII byte that is no letter
  --top K           how many words are shown (default: 20)
  --json FILE       writes the result to a file
  --job FILE        the job's module, without imports (default: word_count.mjs beside the driver)
  --host HOST       where executors reach the driver (default: 127.0.0.1)
  --port PORT       and at which port (default: 0, any)
  --conf KEY=VALUE  sets one of Spark's keys, such as spark.network.timeout=30s
  --no-spawn        prints how to start each executor, on any machine, and waits for them
  --help            prints this

Exit code: 0 if all was counted, 1 if not, 2 for wrong arguments, 130 after Ctrl-C.
`;

const FLAGS = {
  input: { type: "string", multiple: true },
  executors: { type: "string", default: "2" },
  runtimes: { type: "string", default: ownRuntime },
  split: { type: "string", default: String(1024 * 1024) },
  top: { type: "string", default: "20" },
  json: { type: "string" },
  job: { type: "string" },
  host: { type: "string", default: "127.0.0.1" },
  port: { type: "string", default: "0" },
  conf: { type: "string", multiple: true },
  "no-spawn": { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

/**
 * Reads the command line.
 *
 * @returns Undefined if help is wanted.
 * @throws {TypeError} It makes no sense.
 */
export function readOptions(args: string[]): DriverOptions | undefined {
  const { values } = parseArgs({ args, options: FLAGS });
  if (values.help) return undefined;
  return {
    inputs: values.input ?? [],
    executors: readNumber("executors", values.executors, 1, 1_000),
    runtimes: values.runtimes.split(",").map(readRuntime),
    splitBytes: readNumber("split", values.split, 1, Number.MAX_SAFE_INTEGER),
    top: readNumber("top", values.top, 0, Number.MAX_SAFE_INTEGER),
    json: values.json,
    job: values.job,
    host: values.host,
    port: readNumber("port", values.port, 0, 65_535),
    conf: Object.fromEntries((values.conf ?? []).map(readConf)),
    spawn: !values["no-spawn"],
  };
}

function readNumber(flag: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= min && number <= max) return number;
  throw new TypeError(`--${flag} is a whole number from ${min} to ${max}, not ${text}`);
}

function readRuntime(name: string): RuntimeName {
  if (isRuntimeName(name)) return name;
  throw new TypeError(`--runtimes is of ${RUNTIME_NAMES.join(", ")}, not ${name}`);
}

function readConf(text: string): [key: string, value: string] {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new TypeError(`--conf is KEY=VALUE, not ${text}`);
}
