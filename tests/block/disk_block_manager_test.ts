import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { setTimeout } from "node:timers/promises";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { RpcError } from "../../src/base/errors.ts";
import { DiskBlockManager, isFileName, nonNegativeHash } from "../../src/block/disk_block_manager.ts";
import { DiskBlockStore } from "../../src/block/disk_block_store.ts";
import { MemoryWritableFiles } from "../../src/platform/memory_writable_files.ts";
import { nodeWritableFiles } from "../../src/platform/node_writable_files.ts";
import type { ManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import { content, CountedBuffer } from "../_counted_buffer.ts";
import { makeFolder } from "../_folder.ts";
import { test, until, within } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";
import { bufferOf, idle, startService } from "./_blocks.ts";

async function contents(buffer: ManagedBuffer): Promise<Uint8Array> {
  const bytes = new Uint8Array(buffer.size);
  for (let at = 0; at < bytes.length;) at += await buffer.read(at, bytes.subarray(at));
  buffer.release();
  return bytes;
}

async function put(blocks: DiskBlockManager, blockId: string, bytes: Uint8Array): Promise<void> {
  const writer = await blocks.createBlock(blockId);
  await writer.write(bytes);
  await writer.commit();
}

test("nonNegativeHash() is that of the JVM", () => {
  // "polygenelubricants".hashCode() is the least integer there is.
  const hashes = ["", "a", "shuffle_0_0_0", "polygenelubricants", "é\u{1F600}"].map(nonNegativeHash);
  assertEquals(hashes, [0, 97, javaHash("shuffle_0_0_0"), 0, javaHash("é\u{1F600}")]);
});

/** The definition, in integers without a limit. */
function javaHash(text: string): number {
  let hash = 0n;
  for (const unit of Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))) hash = hash * 31n + BigInt(unit);
  return Math.abs(Number(BigInt.asIntN(32, hash)));
}

test("DiskBlockManager.getFile() spreads blocks as Spark does, over folders and folders in them", () => {
  const files = new MemoryWritableFiles();
  const blocks = new DiskBlockManager(["/a", "/b"], { files });
  // 97: folder 97 % 2, then (97 / 2) % 64 = 48.
  assertEquals(blocks.getFile("a"), "/b/30/a");
  // 195: folder 195 % 64 = 3, unless there are more.
  assertEquals(new DiskBlockManager("/a", { files }).getFile("Ã"), "/a/03/Ã");
  assertEquals(new DiskBlockManager("/a", { files, subDirectories: 65_536 }).getFile("Ã"), "/a/c3/Ã");
  assertEquals(new DiskBlockManager("/a", { files, subDirectories: 1 }).getFile("a"), "/a/00/a");
  assertEquals(new DiskBlockManager("/a", { files, subDirectories: 0 }).getFile("a"), "/a/a");
  assertThrows(() => new DiskBlockManager([], { files }), RangeError, "at least one folder");
  for (const subDirectories of [-1, 1.5, 65_537]) {
    assertThrows(
      () => new DiskBlockManager("/a", { files, subDirectories }),
      RangeError,
      "subDirectories must be a whole number",
    );
  }
});

for (const kind of ["on disk", "in memory"] as const) {
  test(`DiskBlockManager puts, gives, replaces and removes blocks ${kind}`, async (context) => {
    const folder = kind === "on disk" ? await makeFolder(context) : "/blocks";
    const files = kind === "on disk" ? nodeWritableFiles : new MemoryWritableFiles();
    for (const subDirectories of [64, 0]) {
      const blocks = new DiskBlockManager([`${folder}/x/1`, `${folder}/x/2`], { files, subDirectories });
      assertEquals(await blocks.containsBlock("rdd_0_0"), false);
      await put(blocks, "rdd_0_0", content(1_000));
      const old = await blocks.getBlock("rdd_0_0");
      await old.read(0, new Uint8Array(1));
      assertEquals(blocks.openFiles, 1);
      await put(blocks, "rdd_0_0", content(10, 5));
      // Who has it open reads the old one.
      assertEquals(await contents(old), content(1_000));
      assertEquals(await contents(await blocks.getBlock("rdd_0_0")), content(10, 5));
      assertEquals(await blocks.containsBlock("rdd_0_0"), true);
      await until(() => blocks.openFiles === 0, "the files to close");
      await blocks.removeBlock("rdd_0_0");
      await blocks.removeBlock("rdd_0_0");
      const { code, message } = await assertRejects(() => blocks.getBlock("rdd_0_0"), RpcError) as RpcError;
      assertEquals([code, message], ["NOT_FOUND", "Block rdd_0_0 not found"]);
    }
  });
}

test("DiskBlockManager has a block when it is whole, and nothing after an abort", async (context) => {
  const folder = await makeFolder(context);
  const blocks = new DiskBlockManager(folder, { subDirectories: 0 });
  const [one, other] = [await blocks.createBlock("a"), await blocks.createBlock("a")];
  await one.write(content(5));
  await other.write(content(6));
  assertEquals(await blocks.containsBlock("a"), false);
  for (const part of await readdir(folder)) assertEquals([isFileName(part), await blocks.containsBlock(part)], [false, false]);
  await one.commit();
  await one.abort();
  assertEquals((await blocks.getBlock("a")).size, 5);
  await other.abort();
  await other.abort();
  assertEquals(await readdir(folder), ["a"]);
});

test("BlockWriter.abort() does nothing to a block that was put, and its work once to one that was not", async () => {
  const calls: string[] = [];
  class Told extends MemoryWritableFiles {
    override async create(path: string) {
      const writer = await super.create(path);
      const close = () => (calls.push("close"), writer.close());
      return { write: (bytes: Uint8Array) => writer.write(bytes), close, [Symbol.asyncDispose]: close };
    }

    override unlink(path: string) {
      calls.push("unlink");
      return super.unlink(path);
    }
  }
  const blocks = new DiskBlockManager("/blocks", { files: new Told() });
  const [kept, forgotten] = [await blocks.createBlock("a"), await blocks.createBlock("b")];
  await kept.commit();
  await kept.abort();
  assertEquals(calls, ["close"]);
  await Promise.all([forgotten.abort(), forgotten.abort()]);
  await forgotten.abort();
  assertEquals(calls, ["close", "close", "unlink"]);
});

test("DiskBlockManager.createBlock() fails as its folder does, and cuts the name of a block that is none", async () => {
  let failures = 3;
  class ReadOnly extends MemoryWritableFiles {
    override async create(path: string) {
      if (failures-- > 0) throw new RpcError("REMOTE", "Read-only file system");
      return await super.create(path);
    }
  }
  const blocks = new DiskBlockManager("/blocks", { files: new ReadOnly() });
  await assertRejects(() => blocks.createBlock("a"), RpcError, "Read-only file system");
  const { message } = assertThrows(() => blocks.getFile("x".repeat(10_000)), RpcError);
  assertEquals(message, `Block ${"x".repeat(255)} not found`);
});

test("DiskBlockManager leaves the parts of others alone", async (context) => {
  const folder = await makeFolder(context);
  await writeFile(join(folder, ".sparkwire-1.part"), "left by an earlier process");
  const blocks = new DiskBlockManager(folder, { subDirectories: 0 });
  await put(blocks, "a", content(3));
  assertEquals((await readdir(folder)).sort(), [".sparkwire-1.part", "a"]);
});

test("DiskBlockManager has no block outside of its folder, by name or by link", async (context) => {
  const folder = await makeFolder(context);
  await writeFile(join(folder, "secret"), "secret");
  await mkdir(join(folder, "blocks"));
  await mkdir(join(folder, "blocks-too"));
  await writeFile(join(folder, "blocks-too", "near"), "near");
  await symlink("../secret", join(folder, "blocks", "link"));
  await symlink("../blocks-too/near", join(folder, "blocks", "near"));
  await symlink("within", join(folder, "blocks", "inner"));
  await writeFile(join(folder, "blocks", "within"), "within");
  await mkdir(join(folder, "blocks", "folder"));
  const blocks = new DiskBlockManager(join(folder, "blocks"), { subDirectories: 0 });
  const names = [
    "..",
    ".",
    "",
    "../secret",
    "/etc/hostname",
    "a/../../secret",
    "..\\secret",
    "a\0",
    "link",
    "near",
    "folder",
    "x".repeat(256),
  ];
  for (const name of names) {
    const { code } = await assertRejects(() => blocks.getBlock(name), RpcError) as RpcError;
    assertEquals([name, code], [name, "NOT_FOUND"]);
  }
  assertEquals((await contents(await blocks.getBlock("inner"))).length, 6);
  const opened = await blocks.getBlock("inner");
  await rm(join(folder, "blocks", "within"));
  await symlink("../secret", join(folder, "blocks", "within"));
  await assertRejects(() => contents(opened), RpcError, "Error in reading");
  opened.release();
  assertEquals(blocks.openFiles, 0);
  for (const name of names.slice(0, 8)) await assertRejects(() => blocks.createBlock(name), RpcError, "not found");
  // What is put in place of a link is put in its place, not where it leads.
  await put(blocks, "link", content(3));
  assertEquals((await blocks.getBlock("link")).size, 3);
  assertEquals((await contents(await new DiskBlockManager(folder, { subDirectories: 0 }).getBlock("secret"))).length, 6);
});

test("DiskBlockManager of a folder that is not there yet has no block, and tells no path", async (context) => {
  const folder = join(await makeFolder(context), "later");
  const blocks = new DiskBlockManager(folder);
  const { code, message, cause } = await assertRejects(() => blocks.getBlock("a"), RpcError) as RpcError;
  assertEquals([code, message, await blocks.containsBlock("a")], ["NOT_FOUND", "Block a not found", false]);
  // Whoever has the error here may see more of it.
  assertEquals((cause as RpcError).message.startsWith("No such file"), true);
  await put(blocks, "a", content(3));
  assertEquals((await blocks.getBlock("a")).size, 3);
});

test("isFileName() takes odd names that are names", () => {
  const taken = ["a b", "ü", "-", "...", ".hidden", "con:1", "x".repeat(255)].map(isFileName);
  assertEquals(taken, taken.map(() => true));
  assertEquals(["é".repeat(128), ".sparkwire-7.part", ".sparkwire-12.part"].map(isFileName), [false, false, false]);
});

test("DiskBlockStore serves and keeps blocks on disk, whole and as streams", async (context) => {
  const folder = await makeFolder(context);
  const store = new DiskBlockStore(new DiskBlockManager(folder));
  const server = await startService(context, store, { executorId: "1" });
  const client = await startService(context, undefined, { conf: { "spark.network.maxRemoteBlockSizeFetchToMem": "1m" } });
  for (const [blockId, size] of [["small", 100], ["large", 5_000_000], ["shuffle_0_0_0", 0], ["exact", 1024 * 1024]] as const) {
    await within(client.service.uploadBlock(server.peer, blockId, bufferOf(content(size)), new Uint8Array(0)), "the upload");
    const block = await within(client.service.fetchBlock(server.peer, blockId), "the block");
    assertEquals(block.bytes, content(size));
  }
  assertEquals(await within(client.service.getHostLocalDirs(server.peer, ["1"]), "the folders"), new Map([["1", [folder]]]));
  await idle(server);
  await until(() => store.blocks.openFiles === 0, "the files to close");
});

test("DiskBlockStore tells peers, who work in folders of their own, where its folders really are", async (context) => {
  const folder = await makeFolder(context);
  const store = new DiskBlockStore(new DiskBlockManager(["a", "b"].map((name) => relative(".", join(folder, name)))));
  const server = await startService(context, store, { executorId: "1" });
  const client = await startService(context);
  const told = await within(client.service.getHostLocalDirs(server.peer, ["1"]), "the folders");
  assertEquals(told, new Map([["1", [join(folder, "a"), join(folder, "b")]]]));
});

/** Takes its time for whatever changes it. */
class SlowDisk extends MemoryWritableFiles {
  override async create(path: string) {
    const writer = await super.create(path);
    const write = (bytes: Uint8Array) => this.later().then(() => writer.write(bytes));
    return { write, close: () => writer.close(), [Symbol.asyncDispose]: () => writer.close() };
  }

  override async unlink(path: string) {
    await this.later();
    await super.unlink(path);
  }

  later(): Promise<void> {
    return setTimeout();
  }
}

test("DiskBlockStore.putBlockData() copies blocks that are in no memory", async () => {
  const files = new SlowDisk();
  const store = new DiskBlockStore(new DiskBlockManager("/blocks", { files, subDirectories: 0 }));
  const reads: number[] = [];
  class Told extends CountedBuffer {
    override read(position: number, into: Uint8Array): Promise<number> {
      reads.push(into.length);
      return super.read(position, into);
    }
  }
  assertEquals(await store.putBlockData("a", new Told(content(700_000))), true);
  assertEquals(await contents(await store.getLocalBlockData("a")), content(700_000));
  // A block can be larger than memory.
  assertEquals(reads, [262_144, 262_144, 175_712]);
  class Cut extends CountedBuffer {
    reads = 0;

    override async read(position: number, into: Uint8Array): Promise<number> {
      return ++this.reads < 3 ? 0 : await super.read(position, into);
    }
  }
  const text = "Block data of 10 bytes ended after 0";
  const error = await assertRejects(() => store.putBlockData("b", new Cut(content(10))), RpcError, text);
  assertEquals(error.code, "STREAM");
  await store.blocks.removeBlock("a");
  await assertRejects(() => files.stat("/blocks"), RpcError, "No such file");
});

test("DiskBlockStore says so where it cannot take away what there is of a block", async () => {
  const files = new SlowDisk();
  const logger = new MemoryLogger();
  const store = new DiskBlockStore(new DiskBlockManager("/blocks", { files }), { logger });
  files.later = () => Promise.reject(new Error("Read-only"));
  await assertRejects(() => store.putBlockData("a", bufferOf(content(10))), Error, "Read-only");
  assertEquals(logger.lines, ["warning: Cannot take away what there is of block a"]);
});

test("DiskBlockStore.putBlockDataAsStream() tells whoever completes it, and nobody else, that a block cannot be made", async () => {
  const store = new DiskBlockStore(new DiskBlockManager("/blocks", { files: new MemoryWritableFiles() }));
  const upload = store.putBlockDataAsStream("no/name");
  await setTimeout();
  await assertRejects(async () => await upload.onComplete("no/name"), RpcError, "Block no/name not found");
});

test("DiskBlockStore fails an upload that cannot be written, and leaves nothing", async (context) => {
  class FullDisk extends MemoryWritableFiles {
    override async create(path: string) {
      const writer = await super.create(path);
      let room = 1_000_000;
      return {
        write: (bytes: Uint8Array) =>
          (room -= bytes.length) < 0 ? Promise.reject(new Error("No space left")) : writer.write(bytes),
        close: () => writer.close(),
        [Symbol.asyncDispose]: () => writer.close(),
      };
    }
  }
  const files = new FullDisk();
  const store = new DiskBlockStore(new DiskBlockManager("/blocks", { files, subDirectories: 0 }));
  const server = await startService(context, store);
  const client = await startService(context);
  for (const blockId of ["a", "shuffle_0_0_0"]) {
    const upload = client.service.uploadBlock(server.peer, blockId, bufferOf(content(3_000_000)), new Uint8Array(0));
    await within(assertRejects(() => upload, RpcError, "No space left"), "the failure");
  }
  await idle(server);
  await idle(client);
  await assertRejects(() => files.stat("/blocks"), RpcError, "No such file");
  await within(client.service.uploadBlock(server.peer, "b", bufferOf(content(30)), new Uint8Array(0)), "the upload");
});

test("DiskBlockStore leaves nothing of an upload whose file cannot be closed", async (context) => {
  class BadDisk extends MemoryWritableFiles {
    parts = 0;

    override async create(path: string) {
      const writer = await super.create(path);
      this.parts++;
      // What a disk far away could not keep, it may say at the end.
      const close = () => writer.close().then(() => Promise.reject(new Error("No space left")));
      return { write: (bytes: Uint8Array) => writer.write(bytes), close, [Symbol.asyncDispose]: close };
    }

    override async unlink(path: string) {
      await super.unlink(path);
      this.parts--;
    }
  }
  const files = new BadDisk();
  const store = new DiskBlockStore(new DiskBlockManager("/blocks", { files, subDirectories: 0 }));
  const server = await startService(context, store);
  const client = await startService(context);
  for (const blockId of ["a", "shuffle_0_0_0"]) {
    const upload = client.service.uploadBlock(server.peer, blockId, bufferOf(content(30)), new Uint8Array(0));
    await within(assertRejects(() => upload, RpcError, "No space left"), "the failure");
  }
  await until(() => files.parts === 0, "the parts to be taken away");
  await assertRejects(() => files.stat("/blocks"), RpcError, "No such file");
});
