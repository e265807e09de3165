import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { BytesManagedBuffer, NettyBlockTransferService, silentLogger, SparkConf } from "../../mod.ts";
import type { ManagedBuffer } from "../../mod.ts";
import { MEMORY_AND_DISK_SER } from "../../examples/_upload_metadata.ts";
import { makeFolder } from "../_folder.ts";
import { content } from "../_counted_buffer.ts";
import { deferred, test, type TestContext, toHex, until, within } from "../_harness.ts";
import { readVectors } from "../_vectors.ts";
import { MemoryBlocks } from "../block/_blocks.ts";
import { runExample, startExample, whyNot } from "./_example.ts";

const BLOCKS = "examples/blocks.ts";
const skip = whyNot(BLOCKS);

interface Stage {
  /** The server's folder. */
  readonly served: string;
  /** A folder to fetch into. */
  readonly output: string;
  readonly address: string;
}

/** A folder with these files, served by the example. */
async function serve(context: TestContext, files: Readonly<Record<string, Uint8Array>>, ...flags: string[]): Promise<Stage> {
  const folder = await makeFolder(context);
  const served = join(folder, "served");
  await mkdir(served);
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(served, name), bytes);
  const server = startExample(context, BLOCKS, ["serve", served, ...flags]);
  const [, address] = await server.waitFor(/^READY (\S+)\n/m);
  return { served, output: join(folder, "output"), address: address! };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

test("blocks.ts serves a folder, and fetches blocks of it with their hashes", async (context) => {
  const files = {
    rdd_0_0: content(3_000_000),
    shuffle_0_7_0: content(10),
    empty: new Uint8Array(0),
    "a b": content(5),
  };
  const { address, output } = await serve(context, files, "--app-id", "app-1");
  const ids = Object.keys(files);
  const { code, stdout, stderr } = await runExample(context, BLOCKS, [
    "fetch",
    address,
    ...ids,
    "-o",
    output,
    "--app-id",
    "app-1",
  ]);
  assertEquals([code, stderr], [0, ""]);
  const lines = stdout.trimEnd().split("\n");
  assertEquals(lines.length, ids.length);
  for (const [id, bytes] of Object.entries(files)) {
    assertEquals(new Uint8Array(await readFile(join(output, id))), bytes);
    const line = lines.find((text) => text.startsWith(`${sha256(bytes)}  ${id}  `));
    assertMatch(line ?? `No line of ${id}`, /^[0-9a-f]{64} {2}[\w ]+ {2}[\d.]+ \w+ {2}[\d.]+ \w+\/s$/);
  }
  assertEquals((await readdir(output)).sort(), ids.sort());
  const shuffle = await runExample(context, BLOCKS, ["fetch", address, "shuffle_0_7_0", "-o", output, "--app-id", "app-1"]);
  assertEquals([shuffle.code, shuffle.stderr], [0, ""]);
}, { skip });

test("blocks.ts says which blocks could not be had, fetches the others, and leaves nothing else behind", async (context) => {
  const { address, output, served } = await serve(context, { here: content(7) });
  await symlink("/etc/hostname", join(served, "way_out"));
  const wrong = await runExample(context, BLOCKS, ["fetch", address, "gone", "here", "way_out", "-o", output]);
  assertEquals([wrong.code, wrong.stdout.slice(0, 72)], [1, `${sha256(content(7))}  here  `]);
  assertEquals(wrong.stderr.split("\n").sort(), [
    "",
    "blocks: gone: Block gone not found (REMOTE)",
    "blocks: way_out: Block way_out not found (REMOTE)",
  ]);
  assertEquals(await readdir(output), ["here"]);
}, { skip });

test("blocks.ts refuses another application", async (context) => {
  const { address, output } = await serve(context, { here: content(7) }, "--app-id", "app-1");
  const { code, stderr } = await runExample(context, BLOCKS, ["fetch", address, "here", "-o", output, "--app-id", "app-2"]);
  assertEquals([code, stderr], [1, "blocks: here: Client for app-1 not authorized for application app-2. (REMOTE)\n"]);
  assertEquals(await readdir(output), []);
}, { skip });

test("blocks.ts puts blocks, whole or as a stream, and replaces those that are there", async (context) => {
  const { address, served } = await serve(context, { old: content(4, 9) });
  for (const [id, size] of [["small", 10], ["old", 3_000_000], ["shuffle_0_0_0", 5], ["empty", 0]] as const) {
    const file = join(await makeFolder(context), "file");
    await writeFile(file, content(size));
    const { code, stdout, stderr } = await runExample(context, BLOCKS, ["put", address, id, file]);
    assertEquals([code, stderr, stdout.startsWith(`${id}  `)], [0, "", true]);
    assertEquals(new Uint8Array(await readFile(join(served, id))), content(size));
  }
  assertEquals((await readdir(served)).sort(), ["empty", "old", "shuffle_0_0_0", "small"]);
}, { skip });

test("blocks.ts never lets a name lead out of its folder", async (context) => {
  const { address, output, served } = await serve(context, { here: content(7) });
  await writeFile(join(served, "..", "secret"), "secret");
  const service = new NettyBlockTransferService(new SparkConf({ "spark.network.maxRemoteBlockSizeFetchToMem": "100b" }), {
    host: "127.0.0.1",
    logger: silentLogger,
  });
  context.defer(() => service.close());
  const [host, port] = address.split(":");
  const peer = { host: host!, port: Number(port), execId: "" };
  const names = [
    "..",
    ".",
    "",
    "../secret",
    "./here",
    "/etc/hostname",
    "..\\secret",
    "here/../../secret",
    "here\0",
    "x/y",
    ".sparkwire-1.part",
  ];
  const failures: string[] = [];
  for (const name of names) {
    const fails = (promise: Promise<unknown>) => promise.then(() => failures.push(name), () => {});
    await within(fails(service.fetchBlock(peer, name)), "the failure");
    for (const size of [10, 200]) {
      await within(
        fails(service.uploadBlock(peer, name, new BytesManagedBuffer(content(size)), MEMORY_AND_DISK_SER)),
        "the failure",
      );
    }
  }
  assertEquals(failures, []);
  assertEquals((await readdir(served)).sort(), ["here"]);
  assertEquals(await readFile(join(served, "..", "secret"), "utf8"), "secret");
  for (const name of ["..", "../x", "a/b", "a\\b"]) {
    const { code, stderr } = await runExample(context, BLOCKS, ["fetch", address, name, "-o", output]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, "No file can have the name of block ");
  }
}, { skip });

test("blocks.ts uploads with the metadata that Spark writes", async (context) => {
  const vector = readVectors("upload").find(({ name }) => name === "UploadMetadata_MEMORY_AND_DISK_SER")!;
  assertEquals(toHex(MEMORY_AND_DISK_SER), vector.hex);
  const blocks = new MemoryBlocks();
  const service = new NettyBlockTransferService(new SparkConf(), { host: "127.0.0.1", logger: silentLogger });
  context.defer(() => service.close());
  await service.init(blocks);
  const file = join(await makeFolder(context), "file");
  for (const size of [10, 2_000_000]) {
    await writeFile(file, content(size));
    const { code, stderr } = await runExample(context, BLOCKS, ["put", `127.0.0.1:${service.port}`, "rdd_0_0", file]);
    assertEquals([code, stderr], [0, ""]);
    assertEquals([blocks.blocks.get("rdd_0_0"), blocks.metadata.get("rdd_0_0")], [content(size), MEMORY_AND_DISK_SER]);
  }
}, { skip });

/** A block of which only the first bytes come by themselves. */
class Part implements ManagedBuffer {
  readonly size = 1_000_000;
  holders = 1;
  readonly #rest: Promise<number>;
  readonly #onRest: () => void;

  constructor(rest: Promise<number>, onRest: () => void) {
    this.#rest = rest;
    this.#onRest = onRest;
  }

  read(position: number, into: Uint8Array): number | Promise<number> {
    if (position === 0) {
      into.fill(1, 0, 100_000);
      return 100_000;
    }
    this.#onRest();
    return this.#rest;
  }

  retain(): this {
    this.holders++;
    return this;
  }

  release(): void {
    this.holders--;
  }
}

test("blocks.ts says while it fetches what went wrong and is tried again", async (context) => {
  const output = await makeFolder(context);
  // Nobody listens there.
  const client = startExample(context, BLOCKS, ["fetch", "127.0.0.1:1", "a", "b", "-o", output]);
  await until(() => client.stderr.includes(" ms\n"), "a line on the retry");
  client.kill("SIGINT");
  assertEquals(await within(client.exited, "the end"), 130);
  const [why, retry] = client.stderr.split("\n");
  const refused = "Failed to connect to 127.0.0.1:1: connection refused";
  assertEquals(why, `blocks: Exception while beginning fetch of 2 outstanding blocks: ${refused}`);
  assertEquals(retry, "blocks: Retrying fetch (1/3) for 2 outstanding blocks after 5000 ms");
}, { skip });

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  test(`blocks.ts that is ended by ${signal} on the way leaves nothing behind, here or there`, async (context) => {
    const rest = deferred<number>();
    context.defer(() => rest.reject(new Error("The test is over")));
    let begun = false;
    const part = new Part(rest.promise, () => begun = true);
    const service = new NettyBlockTransferService(new SparkConf(), { host: "127.0.0.1", logger: silentLogger });
    context.defer(() => service.close());
    await service.init(Object.assign(new MemoryBlocks(), { getLocalBlockData: () => part }));
    const output = join(await makeFolder(context), "output");
    const client = startExample(context, BLOCKS, ["fetch", `127.0.0.1:${service.port}`, "slow", "-o", output]);
    await until(() => begun, "the first bytes");
    client.kill(signal);
    assertEquals(await within(client.exited, "the end"), code);
    assertEquals(await readdir(output), []);
    rest.reject(new Error("The test is over"));
    await until(() => part.holders === 0 && service.stats().connections.length === 0, "the release");
  }, { skip });
}

test("blocks.ts says what is wrong with its arguments", async (context) => {
  const folder = await makeFolder(context);
  const cases: readonly [args: readonly string[], text: string][] = [
    [[], "Expected serve, fetch or put"],
    [["get"], "Expected serve, fetch or put, not get"],
    [["serve"], "Expected one folder"],
    [["serve", join(folder, "none")], "Not a folder: "],
    [["serve", folder, "--port", "70000"], "A port is a number from 0 to 65535, not 70000"],
    [["fetch", "127.0.0.1", "a", "-o", folder], "Expected HOST:PORT, not 127.0.0.1"],
    [["fetch", "127.0.0.1:1", "-o", folder], "Expected the name of a block"],
    [["fetch", "127.0.0.1:1", "a"], "Expected -o FOLDER"],
    [["put", "127.0.0.1:1", "a"], "Expected HOST:PORT ID FILE"],
    [["put", "127.0.0.1:1", "a", folder], "Not a file: "],
    [["fetch", "--fast"], "--fast"],
  ];
  for (const [args, text] of cases) {
    const { code, stdout, stderr } = await runExample(context, BLOCKS, args);
    assertEquals([code, stdout], [2, ""], stderr);
    assertMatch(stderr, /^blocks: [^\n]+\nUsage: blocks serve [^\n]+\n$/);
    assertStringIncludes(stderr, text);
  }
  const help = await runExample(context, BLOCKS, ["--help"]);
  assertEquals([help.code, help.stderr], [0, ""]);
}, { skip });
