import { readdir, readlink } from "node:fs/promises";
import process from "node:process";
import { assertEquals, assertRejects } from "@std/assert";
import { RpcError } from "../../src/base/errors.ts";
import { MemoryWritableFiles } from "../../src/platform/memory_writable_files.ts";
import { nodeWritableFiles } from "../../src/platform/node_writable_files.ts";
import type { WritableFiles } from "../../src/platform/writable_files.ts";
import { makeFolder } from "../_folder.ts";
import { test, type TestContext, within } from "../_harness.ts";

const KINDS: Readonly<
  Record<string, (context: TestContext) => Promise<{ readonly files: WritableFiles; readonly path: string }>>
> = {
  nodeWritableFiles: async (context) => ({ files: nodeWritableFiles, path: await makeFolder(context) }),
  MemoryWritableFiles: () => Promise.resolve({ files: new MemoryWritableFiles(), path: "/data" }),
};

async function read(files: WritableFiles, path: string): Promise<Uint8Array> {
  const handle = await files.open(path);
  const bytes = new Uint8Array((await handle.stat()).size);
  await handle.readAt(0, bytes);
  await handle.close();
  return bytes;
}

test("nodeWritableFiles: a file whose folder is not there cannot be made", async (context) => {
  const { files, path } = await KINDS.nodeWritableFiles!(context);
  const error = await assertRejects(() => files.create(`${path}/none/one`), RpcError, "No such file: ");
  assertEquals(error.code, "NOT_FOUND");
});

test("nodeWritableFiles: what lies below a file is not there", async (context) => {
  const { files, path } = await KINDS.nodeWritableFiles!(context);
  await (await files.create(`${path}/one`)).close();
  await files.unlink(`${path}/one/none`);
  await assertRejects(() => files.rename(`${path}/one/none`, `${path}/two`), RpcError, "No such file: ");
});

test("nodeWritableFiles.makeFolder() says where no folder can be made", async (context) => {
  const { files, path } = await KINDS.nodeWritableFiles!(context);
  await (await files.create(`${path}/file`)).close();
  // Below /proc, as where folders are mounted when they are asked for, the system says that it is not there, though /proc is.
  for (const folder of [`${path}/file`, `${path}/file/a`, `${path}/file/a/b`, "/proc/none", "/proc/none/a/b"]) {
    await within(assertRejects(() => files.makeFolder(folder), Error), `${folder} to be refused`);
  }
  await Promise.all([files.makeFolder(`${path}/a/b/c`), files.makeFolder(`${path}/a/b/c`), files.makeFolder(`${path}/a/b/d`)]);
  await files.makeFolder("/");
  assertEquals([(await files.stat(`${path}/a/b/c`)).isFile, (await files.stat(`${path}/a/b/d`)).isFile], [false, false]);
});

test("nodeWritableFiles.unlink() says what it could not take away", async (context) => {
  const { files, path } = await KINDS.nodeWritableFiles!(context);
  // With nothing in it Deno 2.9 takes it away.
  await files.makeFolder(`${path}/folder/in it`);
  await assertRejects(() => files.unlink(`${path}/folder`));
});

test("nodeWritableFiles closes what was read and what could not be written", async (context) => {
  const { files, path } = await KINDS.nodeWritableFiles!(context);
  const writer = await files.create(`${path}/one`);
  const reader = await files.open(`${path}/one`);
  assertEquals((await descriptorsOf(`${path}/one`)).length, 2);
  await assertRejects(() => writer.write({ length: 5 } as Uint8Array));
  await writer.close();
  await reader.close();
  assertEquals(await descriptorsOf(`${path}/one`), []);
}, { skip: process.platform === "linux" ? undefined : "the system does not tell which files are open" });

/** The descriptors of this process that lead to a file. */
async function descriptorsOf(path: string): Promise<string[]> {
  const all = (await readdir("/proc/self/fd")).map((name) => `/proc/self/fd/${name}`);
  const targets = await Promise.all(all.map((name) => readlink(name).catch(() => undefined)));
  return all.filter((_, index) => targets[index] === path);
}

for (const [kind, make] of Object.entries(KINDS)) {
  test(`${kind}: a file is written from its beginning to its end, and put in place`, async (context) => {
    const { files, path } = await make(context);
    await files.makeFolder(`${path}/a/b`);
    await files.makeFolder(`${path}/a/b`);
    const writer = await files.create(`${path}/a/b/part`);
    const chunk = Uint8Array.of(1, 2);
    await writer.write(chunk);
    chunk.fill(9);
    await writer.write(new Uint8Array(0));
    await writer.write(new Uint8Array(3_000_000).fill(7));
    await writer.close();
    await writer.close();
    await writer[Symbol.asyncDispose]();
    assertEquals((await assertRejects(() => writer.write(chunk), RpcError, "File is closed: ") as RpcError).code, "STOPPED");
    await files.rename(`${path}/a/b/part`, `${path}/a/whole`);
    const bytes = await read(files, `${path}/a/whole`);
    assertEquals([bytes.length, bytes[0], bytes[1], bytes[2], bytes[3_000_001]], [3_000_002, 1, 2, 7, 7]);
    await assertRejects(() => files.stat(`${path}/a/b/part`), RpcError, "No such file: ");
  });

  test(`${kind}: what is there is not made again, but may be replaced and taken away`, async (context) => {
    const { files, path } = await make(context);
    for (const [name, byte] of [["one", 1], ["other", 2]] as const) {
      const writer = await files.create(`${path}/${name}`);
      await writer.write(Uint8Array.of(byte));
      await writer.close();
    }
    await assertRejects(() => files.create(`${path}/one`), RpcError, "File exists: ");
    await files.rename(`${path}/other`, `${path}/one`);
    assertEquals(await read(files, `${path}/one`), Uint8Array.of(2));
    await files.unlink(`${path}/one`);
    await files.unlink(`${path}/one`);
    await assertRejects(() => files.stat(`${path}/one`), RpcError, "No such file: ");
    const missing = await assertRejects(() => files.rename(`${path}/none`, `${path}/one`), RpcError, "No such file: ");
    assertEquals(missing.code, "NOT_FOUND");
  });

  test(`${kind}: a file does not take the place of a folder`, async (context) => {
    const { files, path } = await make(context);
    await files.makeFolder(`${path}/folder`);
    for (const name of ["folder/in it", "one"]) await (await files.create(`${path}/${name}`)).close();
    await assertRejects(() => files.rename(`${path}/one`, `${path}/folder`), Error);
    assertEquals([(await files.stat(`${path}/one`)).isFile, (await files.stat(`${path}/folder/in it`)).isFile], [true, true]);
  });

  test(`${kind}: of those who make the same file at once one does`, async (context) => {
    const { files, path } = await make(context);
    const made = await Promise.allSettled([1, 2, 3].map(() => files.create(`${path}/one`)));
    for (const each of made) if (each.status === "fulfilled") await each.value.close();
    assertEquals(made.map(({ status }) => status).sort(), ["fulfilled", "rejected", "rejected"]);
  });

  test(`${kind}: close() waits for the write that is under way`, async (context) => {
    const { files, path } = await make(context);
    const writer = await files.create(`${path}/one`);
    const written = writer.write(new Uint8Array(1_000_000));
    await writer.close();
    await written;
    assertEquals((await files.stat(`${path}/one`)).size, 1_000_000);
  });
}
