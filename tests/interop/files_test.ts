import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { mkdir, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ManagedBuffer, type RpcEnv, RpcError, StreamError } from "../../mod.ts";
import { makeFolder } from "../_folder.ts";
import { pattern } from "../_vectors.ts";
import { type Deferred, deferred, test, within } from "../_harness.ts";
import { createEnv } from "./_envs.ts";
import { sha256 } from "./_notation.ts";
import { skip, Spark, SparkFailure } from "./_spark.ts";

/** Names that a URI has to escape, some of them. */
const NAMES = ["plain.txt", "with space.txt", "100%.txt", "a+b&c=d;e.txt", "\u00fc\u{1f600}.txt", "q?#.txt"];

async function writePattern(folder: string, name: string, length: number): Promise<{ path: string; bytes: Uint8Array }> {
  const path = join(folder, name);
  const bytes = pattern(length);
  await writeFile(path, bytes);
  return { path, bytes };
}

/** Reads a download to its end. */
async function download(env: RpcEnv, uri: string): Promise<Uint8Array> {
  const buffer = await within(new Response(env.openChannel(uri)).arrayBuffer(), `download of ${uri}`);
  return new Uint8Array(buffer);
}

test("files of a Spark's file server are downloaded, whatever their names", async (context) => {
  const folder = await makeFolder(context);
  const there = await (await Spark.open(context)).createEnv("there");
  const here = await createEnv(context);
  for (const [i, name] of NAMES.entries()) {
    const { path, bytes } = await writePattern(folder, name, 1_000 * i);
    assertEquals(await download(here, await there.addFile(path)), bytes, name);
  }
  const { path, bytes } = await writePattern(folder, "code.jar", 20_000_000);
  const uri = await there.addJar(path);
  assertStringIncludes(uri, "/jars/code.jar");
  assertEquals(sha256(await download(here, uri)), sha256(bytes));
}, { skip });

test("files below a folder of a Spark are downloaded, and what is not there is not found", async (context) => {
  const folder = await makeFolder(context);
  await mkdir(join(folder, "sub"));
  const there = await (await Spark.open(context)).createEnv("there");
  const here = await createEnv(context);
  const root = await there.addDirectory("/classes", folder);
  const { bytes } = await writePattern(join(folder, "sub"), "a b.bin", 70_000);
  assertEquals(await download(here, `${root}/sub/a%20b.bin`), bytes);
  const missing = await assertRejects(() => download(here, `${root}/missing`), StreamError);
  assertMatch(missing.message, /Stream '\/classes\/missing' was not found\./);
  const unknown = await assertRejects(() => download(here, `spark://${there.address}/nowhere/x`), StreamError);
  assertMatch(unknown.message, /Invalid stream URI: nowhere not found\./);
}, { skip });

test("a download breaks off when its Spark goes", async (context) => {
  const folder = await makeFolder(context);
  const there = await (await Spark.open(context)).createEnv("there");
  const here = await createEnv(context);
  // A Spark goes on for a while: 50 MB sometimes came whole. What is only claimed takes no room on the disk.
  const path = join(folder, "large");
  await writeFile(path, "");
  await truncate(path, 1e9);
  const reader = here.openChannel(await there.addFile(path)).getReader();
  await within(reader.read(), "first bytes");
  await there.shutdown();
  const readAll = async () => {
    while (!(await reader.read()).done);
  };
  await within(assertRejects(readAll, RpcError), "failure");
}, { skip });

test("a Spark downloads our files, whatever their names", async (context) => {
  const folder = await makeFolder(context);
  const there = await (await Spark.open(context)).createEnv("there", { client: true });
  const here = await createEnv(context, { port: 0 });
  for (const [i, name] of NAMES.entries()) {
    const { path, bytes } = await writePattern(folder, name, 1_000 * i);
    const uri = await here.fileServer.addFile(path);
    assertEquals(await there.download(uri), { length: bytes.length, sha256: sha256(bytes) }, name);
  }
  const { path, bytes } = await writePattern(folder, "code.jar", 20_000_000);
  assertEquals(await there.download(await here.fileServer.addJar(path)), { length: bytes.length, sha256: sha256(bytes) });
}, { skip });

test("a file has the same URI path from us as from a Spark", async (context) => {
  const folder = await makeFolder(context);
  const there = await (await Spark.open(context)).createEnv("there");
  const here = await createEnv(context, { port: 0 });
  const pathOf = (uri: string) => uri.replace(/^spark:\/\/[^/]*/, "");
  for (const name of NAMES) {
    const { path } = await writePattern(folder, name, 1);
    assertEquals(pathOf(await here.fileServer.addFile(path)), pathOf(await there.addFile(path)));
  }
}, { skip });

test("a Spark downloads from our folders, and never from outside of them", async (context) => {
  const folder = await makeFolder(context);
  await mkdir(join(folder, "served"));
  const there = await (await Spark.open(context)).createEnv("there", { client: true });
  const here = await createEnv(context, { port: 0 });
  const root = await here.fileServer.addDirectory("/classes", join(folder, "served"));
  const { bytes } = await writePattern(join(folder, "served"), "inside", 70_000);
  const { path } = await writePattern(folder, "outside", 10);
  await symlink(path, join(folder, "served", "link"));
  assertEquals(await there.download(`${root}/inside`), { length: bytes.length, sha256: sha256(bytes) });
  for (const name of ["missing", "../outside", "link"]) {
    const { described } = await assertRejects(() => there.download(`${root}/${name}`), SparkFailure);
    assertMatch(JSON.stringify(described), /was not found|leaves|outside/, name);
  }
}, { skip });

/** Bytes of which only the first come. */
class Part implements ManagedBuffer {
  readonly size = 1_000_000;
  readonly asked: Deferred<void> = deferred();
  readonly #rest = deferred<number>();

  read(position: number, into: Uint8Array): number | Promise<number> {
    if (position === 0) return into.fill(1, 0, 1_000).length > 1_000 ? 1_000 : into.length;
    this.asked.resolve();
    return this.#rest.promise;
  }

  retain(): this {
    return this;
  }

  release(): void {
    this.#rest.resolve(0);
  }
}

test("a Spark's download breaks off when we go, and does not end as if it were whole", async (context) => {
  const there = await (await Spark.open(context)).createEnv("there", { client: true });
  const here = await createEnv(context, { port: 0 });
  const part = new Part();
  here.fileServer.addSource("/parts", () => part);
  const failed = assertRejects(() => there.download(`${here.address!.toSparkURL()}/parts/1`), SparkFailure);
  await within(part.asked.promise, "the second read");
  await here.shutdown({ deadlineMs: 0 });
  const { described } = await within(failed, "failure");
  assertMatch(JSON.stringify(described), /closed|reset/i);
}, { skip });
