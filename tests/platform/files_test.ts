import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { RpcError } from "../../src/base/errors.ts";
import { CountedFiles } from "../../src/platform/counted_files.ts";
import { type Files, liesBelow, realFiles } from "../../src/platform/files.ts";
import { MemoryFiles } from "../../src/platform/memory_files.ts";
import { nodeFiles } from "../../src/platform/node_files.ts";
import { makeFolder } from "../_folder.ts";
import { content } from "../_counted_buffer.ts";
import { test, type TestContext } from "../_harness.ts";

/** A folder to work in, in a file system of either kind. */
interface Folder {
  readonly files: Files;
  readonly path: string;
  write(name: string, bytes: Uint8Array): Promise<void>;
  link(name: string, target: string): Promise<void>;
}

const KINDS: Readonly<Record<string, (context: TestContext) => Promise<Folder>>> = {
  async nodeFiles(context) {
    const path = await makeFolder(context);
    return {
      files: nodeFiles,
      path,
      write: (name, bytes) => writeFile(join(path, name), bytes),
      link: (name, target) => symlink(target, join(path, name)),
    };
  },
  MemoryFiles() {
    const files = new MemoryFiles();
    const write = (name: string, bytes: Uint8Array) => Promise.resolve(files.write(`/data/${name}`, bytes));
    const link = (name: string, target: string) => Promise.resolve(files.link(`/data/${name}`, target));
    return Promise.resolve({ files, path: "/data", write, link });
  },
};

async function assertNotFound(attempt: () => Promise<unknown>): Promise<void> {
  const error = await assertRejects(attempt, RpcError, "No such file: ");
  assertEquals(error.code, "NOT_FOUND");
}

for (const [kind, make] of Object.entries(KINDS)) {
  test(`${kind}: FileHandle.readAt() fills its memory from any position, up to the end`, async (context) => {
    const { files, path, write } = await make(context);
    const bytes = content(3_000_000);
    await write("data", bytes);
    const handle = await files.open(`${path}/data`);
    context.defer(() => handle.close());
    assertEquals(await handle.stat(), { size: 3_000_000, isFile: true });
    for (const [position, length, expected] of [[0, 10, 10], [2_999_990, 20, 10], [1, 2_999_999, 2_999_999]] as const) {
      const memory = new Uint8Array(length);
      assertEquals(await handle.readAt(position, memory), expected);
      assertEquals(memory.subarray(0, expected), bytes.subarray(position, position + expected));
    }
    assertEquals(await handle.readAt(3_000_000, new Uint8Array(5)), 0);
    assertEquals(await handle.readAt(4_000_000, new Uint8Array(5)), 0);
    assertEquals(await handle.readAt(0, new Uint8Array(0)), 0);
  });

  test(`${kind}: FileHandle.readAt() works several times at once, and close() waits for it`, async (context) => {
    const { files, path, write } = await make(context);
    const bytes = content(1_000_000);
    await write("data", bytes);
    const handle = await files.open(`${path}/data`);
    const parts = Array.from({ length: 10 }, () => new Uint8Array(100_000));
    const reads = parts.map((part, index) => handle.readAt(index * 100_000, part));
    const closed = handle.close();
    assertEquals(await Promise.all(reads), parts.map(() => 100_000));
    await closed;
    await handle.close();
    await handle[Symbol.asyncDispose]();
    for (const [index, part] of parts.entries()) assertEquals(part, bytes.subarray(index * 100_000, (index + 1) * 100_000));
    for (const late of [() => handle.readAt(0, new Uint8Array(1)), () => handle.stat()]) {
      assertEquals((await assertRejects(late, RpcError, "File is closed: ")).code, "STOPPED");
    }
  });

  test(`${kind}: Files rejects with NOT_FOUND where nothing is`, async (context) => {
    const { files, path, write } = await make(context);
    await write("data", content(1));
    for (const missing of [`${path}/none`, `${path}/data/below`, `${path}/none/data`]) {
      await assertNotFound(() => files.open(missing));
      await assertNotFound(() => files.stat(missing));
      await assertNotFound(() => files.realpath(missing));
    }
  });

  test(`${kind}: Files.stat() tells files from folders`, async (context) => {
    const { files, path, write } = await make(context);
    await write("data", content(5));
    assertEquals(await files.stat(`${path}/data`), { size: 5, isFile: true });
    assertEquals((await files.stat(path)).isFile, false);
  });

  test(`${kind}: Files.realpath() resolves links, dots and what is above a link`, async (context) => {
    const { files, path, write, link } = await make(context);
    await write("data", content(5));
    await link("relative", "data");
    await link("absolute", `${path}/relative`);
    await link("here", ".");
    await link("broken", "none");
    for (const name of ["data", "relative", "absolute", "./data", "here/here/data", "here/../here/data"]) {
      if (name === "here/../here/data") await assertNotFound(() => files.realpath(`${path}/${name}`));
      else assertEquals(await files.realpath(`${path}/${name}`), `${path}/data`);
    }
    assertEquals((await files.stat(`${path}/absolute`)).size, 5);
    await assertNotFound(() => files.realpath(`${path}/broken`));
  });

  test(`${kind}: Files.realpath() ends where links lead in a circle`, async (context) => {
    const { files, path, link } = await make(context);
    await link("one", "other");
    await link("other", "one");
    await assertRejects(() => files.realpath(`${path}/one`), Error);
  });
}

test("MemoryFiles.write() leaves the contents of an open file alone", async () => {
  const files = new MemoryFiles();
  const source = Uint8Array.of(1, 2);
  files.write("/a", source);
  source[0] = 9;
  const handle = await files.open("/a");
  files.write("/a", Uint8Array.of(3, 4, 5));
  const memory = new Uint8Array(2);
  await handle.readAt(0, memory);
  assertEquals(memory, Uint8Array.of(1, 2));
  assertEquals((await files.stat("/a")).size, 3);
});

test("MemoryFiles.link() and remove() lead over links and dots, as every path does", async () => {
  const files = new MemoryFiles();
  files.write("/data/a", Uint8Array.of(1));
  files.link("/none/../here", "data");
  files.link("/here/b", "a");
  assertEquals(await files.realpath("/data/b"), "/data/a");
  files.remove("/here/./b");
  await assertNotFound(() => files.open("/data/b"));
  assert((await files.stat("/here/a")).isFile);
  files.link("/here", "none");
  await assertNotFound(() => files.open("/here/a"));
  files.link("/here", "data");
  files.remove("//here/");
  await assertNotFound(() => files.open("/here/a"));
  assert((await files.stat("/data/a")).isFile);
});

test("MemoryFiles.remove() takes away a link and not what it leads to", async () => {
  const files = new MemoryFiles();
  files.write("/a", Uint8Array.of(1));
  files.link("/b", "a");
  files.remove("/b");
  await assertNotFound(() => files.open("/b"));
  assert((await files.stat("/a")).isFile);
  files.remove("/a");
  files.remove("/a");
  await assertNotFound(() => files.open("/a"));
  await assertRejects(() => files.open("/"), Error, "Is a folder: /");
});

test("realFiles() opens what leads to itself alone, and keeps nothing else open", async () => {
  const memory = new MemoryFiles();
  for (const name of ["one", "gone", "lost"]) memory.write(`/data/${name}`, content(10));
  memory.link("/data/link", "one");
  const counted = new CountedFiles({
    open: (path) => memory.open(path),
    stat: (path) => memory.stat(path),
    // Taken away once it is open.
    realpath(path) {
      if (path === "/data/lost") throw new Error("The disk is gone");
      return memory.realpath(path === "/data/gone" ? "/data/none" : path);
    },
  });
  const files = realFiles(counted);
  for (const name of ["link", "gone", "lost"]) await assertNotFound(() => files.open(`/data/${name}`));
  assertEquals(counted.openHandles, 0);
  await (await files.open("/data/one")).close();
});

test("liesBelow() takes whole names, and backslashes on Windows alone", () => {
  for (
    const [real, folder] of [["/a/b", "/a"], ["/a", "/"], ["C:\\a\\b", "C:\\a"], ["C:\\a", "C:\\"], [
      "\\\\host\\share\\a",
      "\\\\host\\share",
    ]]
  ) {
    assert(liesBelow(real!, folder!), `${real} lies below ${folder}`);
  }
  for (
    const [real, folder] of [["/a", "/a"], ["/ab", "/a"], ["/a\\b", "/a"], ["C:\\ab", "C:\\a"], ["C:\\a/b", "C:\\a"], [
      "/b",
      "/a",
    ]]
  ) {
    assert(!liesBelow(real!, folder!), `${real} does not lie below ${folder}`);
  }
});
