/**
 * Fetches a file that an environment serves, as curl does for the web.
 *
 *     deno run -A examples/fetch.ts spark://127.0.0.1:7077/files/words.txt -o words.txt
 *
 * The file appears under its name when it is whole, and not before: what was there until then stays there.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { RpcEnv, RpcError, silentLogger } from "../mod.ts";
import { describe, Interrupted, interruption, messageOf, outliveOutput, printable, UsageError } from "./_program.ts";
import { formatBytes, type Progress, startProgress } from "./_progress.ts";

const USAGE = "Usage: fetch URI -o FILE";

const HELP = `${USAGE}

Fetches a file from a Sparkwire or a Spark that serves it.

  URI                spark://host:port/files/name, or /jars/name, or below a folder; names are percent-encoded
  -o, --output FILE  where to; what is there already is replaced once the new file is whole
  --help             print this

Exit code: 0 if the file is there, 1 if it could not be fetched or written, 2 for wrong arguments, 130 after Ctrl-C.
`;

/** What the arguments say. */
interface Call {
  readonly uri: string;
  readonly output: string;
}

/** Undefined if help is wanted. */
async function readCall(args: string[]): Promise<Call | undefined> {
  const { values, positionals } = parseArgs({
    args,
    options: { output: { type: "string", short: "o" }, help: { type: "boolean", short: "h" } },
    allowPositionals: true,
  });
  if (values.help === true) return undefined;
  const [uri, ...rest] = positionals;
  const { output } = values;
  if (uri === undefined || rest.length > 0) throw new UsageError("Expected one URI");
  if (output === undefined || output === "") throw new UsageError("Expected -o FILE");
  const existing = await stat(output).catch(() => undefined);
  if (existing?.isDirectory()) throw new UsageError(`-o is a folder: ${output}`);
  // A device or a pipe would be replaced by a file.
  if (existing?.isFile() === false) throw new UsageError(`-o is no file: ${output}`);
  return { uri, output };
}

/** Fetches into a file of another name in the same folder, and renames it at the end. Returns how many bytes there were. */
async function fetchFile({ uri, output }: Call, signal: AbortSignal): Promise<number> {
  let progress: Progress | undefined;
  const onSize = (bytes: number) => progress = startProgress(`Fetching ${printable(basename(output))}`, bytes);
  // Without a port: client mode. What goes wrong is in the error, so the log has nothing to add.
  const env = await RpcEnv.create({ name: "fetch", logger: silentLogger });
  try {
    const stream = env.openChannel(uri, { signal, onSize });
    const temporary = join(dirname(output), `.fetch-${randomUUID()}.part`);
    try {
      const bytes = await writeTo(temporary, stream, (done) => progress?.update(done));
      signal.throwIfAborted();
      await rename(temporary, output);
      return bytes;
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  } finally {
    progress?.stop();
    await env.shutdown();
  }
}

async function writeTo(path: string, stream: ReadableStream<Uint8Array>, onProgress: (bytes: number) => void): Promise<number> {
  let bytes = 0;
  // Nobody else has a file of that name.
  const file = await open(path, "wx");
  try {
    // The peer sends no faster than this loop reads.
    for await (const chunk of stream) {
      await writeAll(file, chunk);
      bytes += chunk.length;
      onProgress(bytes);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return bytes;
}

/** A disk that is nearly full takes a part. */
async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length;) at += (await file.write(chunk, at, chunk.length - at)).bytesWritten;
}

function isUsageError(error: unknown): boolean {
  return error instanceof UsageError || error instanceof TypeError || (RpcError.is(error) && error.code === "INVALID_ADDRESS");
}

async function main(args: string[]): Promise<number> {
  outliveOutput();
  const signal = interruption();
  let call: Call | undefined;
  try {
    call = await readCall(args);
    if (call === undefined) {
      process.stdout.write(HELP);
      return 0;
    }
    const bytes = await fetchFile(call, signal);
    process.stdout.write(`${printable(call.output)}: ${formatBytes(bytes)}\n`);
    return 0;
  } catch (error) {
    if (isUsageError(error)) {
      process.stderr.write(`fetch: ${messageOf(error)}\n${USAGE}\n`);
      return 2;
    }
    process.stderr.write(`fetch: ${printable(call?.uri ?? "")}: ${describe(error)}\n`);
    return error instanceof Interrupted ? error.exitCode : 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
