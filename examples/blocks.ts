/**
 * Serves a folder of blocks, fetches blocks and uploads them, to and from any Spark or Sparkwire.
 *
 *     deno run -A examples/blocks.ts serve FOLDER --port 7078
 *     deno run -A examples/blocks.ts fetch 127.0.0.1:7078 rdd_0_0 rdd_0_1 -o blocks
 *     deno run -A examples/blocks.ts put 127.0.0.1:7078 rdd_0_2 FILE
 *
 * A block is a file of its name, and the file is there when the block is whole.
 *
 * @module
 */
import { mkdir, stat } from "node:fs/promises";
import process from "node:process";
import { parseArgs } from "node:util";
import {
  type BlockPeer,
  DiskBlockManager,
  DiskBlockStore,
  FileSegmentManagedBuffer,
  type Logger,
  type ManagedBuffer,
  NettyBlockTransferService,
  nodeFiles,
  RpcError,
  silentLogger,
  SparkConf,
} from "../mod.ts";
import { BlockFiles, type FetchedBlock } from "./_block_files.ts";
import { describe, Interrupted, interruption, outliveOutput, printable, reasonOf, UsageError } from "./_program.ts";
import { formatBytes, startProgress, writeAbove } from "./_progress.ts";
import { MEMORY_AND_DISK_SER } from "./_upload_metadata.ts";

const USAGE = "Usage: blocks serve FOLDER | fetch HOST:PORT ID… -o FOLDER | put HOST:PORT ID FILE";

const HELP = `${USAGE}

serve FOLDER               serves every file in FOLDER as the block of that name, and keeps what is uploaded; prints READY host:port
  --host HOST              where it listens, and others reach it (default: 127.0.0.1)
  --port P                 at which port (default: 0, any)
fetch HOST:PORT ID…        fetches blocks, and prints of each its SHA-256, name, size and rate
  -o, --output FOLDER      where to, each as a file of its name; what is there already is replaced once the block is whole
put HOST:PORT ID FILE      uploads FILE as a block, as a stream if it is larger than 1 MiB

  --app-id A               the application: who serves refuses those of others, unless it was started without one
  --executor-id E          whose blocks they are: a shuffle service has those of many executors, all others do without
  --help                   print this

Exit code: 0 if all was done, 1 if not, 2 for wrong arguments, 130 after Ctrl-C.
`;

/** What the arguments say. */
interface Call {
  readonly command: string;
  readonly operands: readonly string[];
  readonly output: string | undefined;
  readonly host: string;
  readonly port: number;
  readonly appId: string | undefined;
  readonly execId: string;
}

const FLAGS = {
  output: { type: "string", short: "o" },
  host: { type: "string", default: "127.0.0.1" },
  port: { type: "string", default: "0" },
  "app-id": { type: "string" },
  "executor-id": { type: "string", default: "" },
  help: { type: "boolean", short: "h" },
} as const;

/** Undefined if help is wanted. */
function readCall(args: string[]): Call | undefined {
  const { values, positionals } = parseArgs({ args, options: FLAGS, allowPositionals: true });
  if (values.help === true) return undefined;
  const [command, ...operands] = positionals;
  if (command === undefined) throw new UsageError("Expected serve, fetch or put");
  const { output, host } = values;
  const port = readPort(values.port, 0);
  return { command, operands, output, host, port, appId: values["app-id"], execId: values["executor-id"] };
}

function readPort(text: string, min: number): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= min && port <= 65_535) return port;
  throw new UsageError(`A port is a number from ${min} to 65535, not ${text}`);
}

function readPeer(text: string | undefined, execId: string): BlockPeer {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text ?? "");
  if (match === null) throw new UsageError(`Expected HOST:PORT, not ${text ?? "nothing"}`);
  return { host: match[1] ?? match[2]!, port: readPort(match[3]!, 1), execId };
}

/** A block's name becomes a file's: it may lead nowhere else. */
function checkBlockId(blockId: string): string {
  if (blockId === "" || blockId === "." || blockId === ".." || /[/\\\0]/.test(blockId)) {
    throw new UsageError(`No file can have the name of block ${JSON.stringify(blockId)}`);
  }
  return blockId;
}

/** What goes wrong in the end is in the errors. Of the log only that is shown which says why nothing seems to happen: what is tried again. */
const retryLogger: Logger = {
  ...silentLogger,
  info: (message) => writeAbove(`blocks: ${printable(message)}`),
  warning: (message, cause) => writeAbove(`blocks: ${printable(message)}: ${reasonOf(cause)}`),
};

function makeService({ host, port, appId }: Call, logger: Logger): NettyBlockTransferService {
  const conf = new SparkConf({ "spark.network.maxRemoteBlockSizeFetchToMem": "1m" });
  return new NettyBlockTransferService(conf, { host, port, appId, logger });
}

async function serve(call: Call, signal: AbortSignal): Promise<void> {
  const [folder, ...rest] = call.operands;
  if (folder === undefined || rest.length > 0) throw new UsageError("Expected one folder");
  if (!(await stat(folder).catch(() => undefined))?.isDirectory()) throw new UsageError(`Not a folder: ${folder}`);
  const service = makeService(call, silentLogger);
  try {
    await service.init(new DiskBlockStore(new DiskBlockManager(folder, { subDirectories: 0 })));
    const host = call.host.includes(":") ? `[${call.host}]` : call.host;
    process.stdout.write(`READY ${host}:${service.port}\n`);
    // It may have been told to end before it listened.
    if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  } finally {
    await service.close();
  }
}

async function fetchBlocks(call: Call, signal: AbortSignal): Promise<void> {
  const [address, ...operands] = call.operands;
  const peer = readPeer(address, call.execId);
  const blockIds = [...new Set(operands.map(checkBlockId))];
  if (blockIds.length === 0) throw new UsageError("Expected the name of a block");
  const { output } = call;
  if (output === undefined || output === "") throw new UsageError("Expected -o FOLDER");
  await mkdir(output, { recursive: true });
  const files = new BlockFiles(output, printBlock);
  const service = makeService(call, retryLogger);
  const fetchAll = (ids: readonly string[]) => {
    return files.fetch(ids.length, () => service.fetchBlocks(peer, ids, files, { signal, downloadFileManager: files }));
  };
  try {
    await files.open();
    await fetchAll(blockIds);
    // Who lacks one of them refuses them all.
    const refused = [...files.failures].filter(([, error]) =>
      blockIds.length > 1 && RpcError.is(error) && error.code === "REMOTE"
    );
    for (const [blockId] of refused) {
      files.failures.delete(blockId);
      await fetchAll([blockId]);
    }
  } finally {
    await service.close();
    await files.close();
  }
  signal.throwIfAborted();
  for (const [blockId, error] of files.failures) process.stderr.write(`blocks: ${printable(blockId)}: ${describe(error)}\n`);
  if (files.failures.size > 0) process.exitCode = 1;
}

function printBlock({ sha256, blockId, bytes, seconds }: FetchedBlock): void {
  process.stdout.write(`${sha256}  ${printable(blockId)}  ${formatBytes(bytes)}  ${rate(bytes, seconds)}\n`);
}

async function put(call: Call, signal: AbortSignal): Promise<void> {
  const [address, blockId, path, ...rest] = call.operands;
  const peer = readPeer(address, call.execId);
  if (blockId === undefined || path === undefined || rest.length > 0) throw new UsageError("Expected HOST:PORT ID FILE");
  const info = await stat(path);
  if (!info.isFile()) throw new UsageError(`Not a file: ${path}`);
  const progress = startProgress(`Uploading ${printable(blockId)}`, info.size);
  const service = makeService(call, retryLogger);
  const begun = performance.now();
  try {
    const data = watched(new FileSegmentManagedBuffer(nodeFiles, path, 0, info.size), (bytes) => progress.update(bytes));
    await service.uploadBlock(peer, blockId, data, MEMORY_AND_DISK_SER, { signal });
  } finally {
    progress.stop();
    await service.close();
  }
  const seconds = (performance.now() - begun) / 1_000;
  process.stdout.write(`${printable(blockId)}  ${formatBytes(info.size)}  ${rate(info.size, seconds)}\n`);
}

/** The same bytes; whoever reads them says how far. */
function watched(data: ManagedBuffer, onRead: (bytes: number) => void): ManagedBuffer {
  const own: ManagedBuffer = {
    size: data.size,
    async read(position, into) {
      const count = await data.read(position, into);
      onRead(position + count);
      return count;
    },
    retain() {
      data.retain();
      return own;
    },
    release: () => data.release(),
  };
  return own;
}

function rate(bytes: number, seconds: number): string {
  return `${formatBytes(bytes / Math.max(seconds, 0.001))}/s`;
}

const COMMANDS: Readonly<Record<string, (call: Call, signal: AbortSignal) => Promise<void>>> = {
  serve,
  fetch: fetchBlocks,
  put,
};

async function main(args: string[]): Promise<void> {
  outliveOutput();
  const signal = interruption();
  try {
    const call = readCall(args);
    if (call === undefined) {
      process.stdout.write(HELP);
      return;
    }
    const run = Object.hasOwn(COMMANDS, call.command) ? COMMANDS[call.command] : undefined;
    if (run === undefined) throw new UsageError(`Expected serve, fetch or put, not ${call.command}`);
    await run(call, signal);
  } catch (error) {
    const isUsage = error instanceof UsageError || error instanceof TypeError;
    process.stderr.write(`blocks: ${describe(error)}\n${isUsage ? `${USAGE}\n` : ""}`);
    process.exitCode = isUsage ? 2 : error instanceof Interrupted ? error.exitCode : 1;
  }
}

await main(process.argv.slice(2));
