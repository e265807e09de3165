import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { RpcError, StreamError } from "../../src/base/errors.ts";
import { type Logger, silentLogger } from "../../src/base/logger.ts";
import { MemoryFiles } from "../../src/platform/memory_files.ts";
import { BytesManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import type { ManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import { NettyStreamManager } from "../../src/rpc/netty_stream_manager.ts";
import { RpcAddress } from "../../src/rpc/rpc_address.ts";
import { FileSegmentManagedBuffer } from "../../src/transport/file_segment_managed_buffer.ts";
import { test } from "../_harness.ts";
import { MemoryLogger } from "../_memory_logger.ts";
import { fetchFailure, fetchText, fileTest } from "./_file_server.ts";

// Spark: RpcEnvSuite "file server"
fileTest("RpcEnv.fileServer serves files, jars and folders, and openChannel() fetches them", async (stage) => {
  const { server, client } = await stage.pair();
  const contents = {
    file: "a file",
    "file name": "with a space",
    empty: "",
    jar: "a jar",
    "dir1/file1": "one",
    "dir2/file2": "two",
  };
  const folder = await stage.folder(contents);
  const { fileServer } = server;
  const fileUri = await fileServer.addFile(join(folder, "file"));
  const spaceUri = await fileServer.addFile(join(folder, "file name"));
  const emptyUri = await fileServer.addFile(join(folder, "empty"));
  const jarUri = await fileServer.addJar(join(folder, "jar"));
  const dir1Uri = await fileServer.addDirectory("/dir1", join(folder, "dir1"));
  const dir2Uri = await fileServer.addDirectory("/dir2", join(folder, "dir2"));
  const root = server.address!.toSparkURL();
  assertEquals([fileUri, spaceUri, emptyUri, jarUri, dir1Uri, dir2Uri], [
    `${root}/files/file`,
    `${root}/files/file%20name`,
    `${root}/files/empty`,
    `${root}/jars/jar`,
    `${root}/dir1`,
    `${root}/dir2`,
  ]);
  for (const uri of ["/files", "/jars"]) {
    const message = "requirement failed: Directory URI cannot be /files nor /jars.";
    await assertRejects(() => fileServer.addDirectory(uri, join(folder, "dir1")), RangeError, message);
  }
  for (const [uri, name] of [["/dir1/././", "dir1"], ["/dir2/../dir2/", "dir2"]] as const) {
    const message = `requirement failed: URI '/${name}' already registered.`;
    await assertRejects(() => fileServer.addDirectory(uri, join(folder, "dir1")), RangeError, message);
    assertEquals(await fileServer.addDirectoryIfAbsent(uri, "/nowhere"), `${root}/${name}`);
  }
  const expected = new Map(Object.entries({
    [fileUri]: contents.file,
    [spaceUri]: contents["file name"],
    [emptyUri]: "",
    [jarUri]: contents.jar,
    [`${dir1Uri}/file1`]: "one",
    [`${dir2Uri}/file2`]: "two",
  }));
  for (const [uri, text] of expected) assertEquals(await fetchText(client, uri), text, uri);
  for (const name of ["files", "jars", "dir1"]) {
    const error = await fetchFailure(client, `${root}/${name}/doesNotExist`);
    assertEquals([error instanceof StreamError, error.message], [true, `Stream '/${name}/doesNotExist' was not found.`]);
  }
});

fileTest("NettyStreamManager never leaves what was registered", async (stage) => {
  const { server, client } = await stage.pair();
  const folder = await stage.folder({
    "shared/inside.txt": "inside",
    "shared/deep/x": "x",
    "secret.txt": "secret",
    "sharedX/y": "y",
  });
  const shared = join(folder, "shared");
  await symlink(join(folder, "secret.txt"), join(shared, "link"));
  await symlink("..", join(shared, "up"));
  await symlink("deep/x", join(shared, "within"));
  await symlink(join(folder, "secret.txt"), join(folder, "known"));
  const root = server.address!.toSparkURL();
  await server.fileServer.addDirectory("/shared", shared);
  assertEquals(await fetchText(client, await server.fileServer.addFile(join(folder, "known"))), "secret");
  assertEquals(await fetchText(client, `${root}/shared/inside.txt`), "inside");
  assertEquals(await fetchText(client, `${root}/shared/within`), "x");
  const hostile: readonly string[] = [
    "/shared/../secret.txt",
    "/shared/%2e%2e/secret.txt",
    "/shared/%2E%2E%2Fsecret.txt",
    "/shared/%252e%252e/secret.txt",
    "/shared/deep/../../secret.txt",
    "/shared/./inside.txt",
    "/shared//inside.txt",
    "/shared/inside.txt/",
    `/shared/${folder}/secret.txt`,
    `/shared/${folder.replaceAll("/", "%2F")}%2Fsecret.txt`,
    "/shared/link",
    "/shared/up/secret.txt",
    "/shared/up/shared/../secret.txt",
    "/shared/inside.txt%00",
    "/shared/%00/../inside.txt",
    "/shared/..%5Csecret.txt",
    "/shared/deep%5Cx",
    "/shared/%ff%fe",
    "/shared/deep",
    "/shared/",
    `/shared/${"a".repeat(5_000)}`,
    `/shared/${"a/".repeat(5_000)}b`,
    "/files/../secret.txt",
    "/files/shared/inside.txt",
    "/files/",
    "/jars/known",
    "/sharedX/y",
    "/shared",
    "/files",
    "/",
    "//shared/inside.txt",
    "//files/known",
  ];
  for (const path of hostile) {
    const error = await fetchFailure(client, `${root}${path}`);
    assertEquals(error instanceof StreamError, true, path);
    assertEquals(
      /was not found\.$|^requirement failed: Invalid stream URI: .* not found\.$/s.test(error.message),
      true,
      error.message,
    );
    // A local path is nobody's business.
    assertEquals(error.message.includes(folder) && !decodeURIComponent(path).includes(folder), false, error.message);
  }
  assertEquals(await fetchText(client, `${root}/shared/inside.txt`), "inside");
});

/** A manager over files in memory, at `spark://me:7`. */
function manager(logger: Logger = silentLogger): { readonly files: MemoryFiles; readonly manager: NettyStreamManager } {
  const files = new MemoryFiles();
  return { files, manager: new NettyStreamManager({ name: "it", address: new RpcAddress("me", 7), logger }, files) };
}

function describe(buffer: ManagedBuffer | undefined): string | undefined {
  return buffer === undefined ? undefined : String(buffer);
}

test("NettyStreamManager.addFile() is idempotent, and refuses another file of the same name", async () => {
  const { files, manager: served } = manager();
  files.write("/a/x", Uint8Array.of(1));
  files.write("/b/x", Uint8Array.of(2, 3));
  files.link("/c", "/a");
  assertEquals(await served.addFile("/a/x"), "spark://me:7/files/x");
  assertEquals(await served.addFile("/c/../a/./x"), "spark://me:7/files/x");
  assertEquals(await served.addFile("/c/x"), "spark://me:7/files/x");
  const paths = "(old path = /a/x, new path = /b/x";
  await assertRejects(
    () => served.addFile("/b/x"),
    RangeError,
    `requirement failed: File x was already registered with a different path ${paths}`,
  );
  assertEquals(await served.addJar("/b/x"), "spark://me:7/jars/x");
  await assertRejects(
    () => served.addJar("/a/x"),
    RangeError,
    "requirement failed: File x was already registered with a different path (old path = /b/x, new path = /a/x",
  );
  assertEquals(describe(await served.openStream("/jars/x")), "FileSegmentManagedBuffer[file=/b/x,offset=0,length=2]");
  served.removeJar("x");
  assertEquals(await served.openStream("/jars/x"), undefined);
  assertEquals(describe(await served.openStream("files/x")), "FileSegmentManagedBuffer[file=/a/x,offset=0,length=1]");
  served.removeFile("x");
  served.removeFile("x");
  assertEquals(await served.openStream("/files/x"), undefined);
  assertEquals(await served.addFile("/b/x"), "spark://me:7/files/x");
});

test("NettyStreamManager encodes names as java.net.URI does", async () => {
  const { files, manager: served } = manager();
  const names: Readonly<Record<string, string>> = {
    "a b": "a%20b",
    "100%": "100%25",
    "a+b&c=d;e,f@g:h$i!j~k*l'm(n)": "a+b&c=d;e,f@g:h$i!j~k*l'm(n)",
    'q?h#"<>[]^`{|}': "q%3Fh%23%22%3C%3E%5B%5D%5E%60%7B%7C%7D",
    "größe\u00a0\u{1f600}": "größe%C2%A0\u{1f600}",
    "tab\t\x7f\x85": "tab%09%7F%C2%85",
  };
  for (const [name, encoded] of Object.entries(names)) {
    files.write(`/d/${name}`, new Uint8Array(1));
    assertEquals(await served.addFile(`/d/${name}`), `spark://me:7/files/${encoded}`);
  }
  files.write("/d/a\\b", new Uint8Array(1));
  await assertRejects(() => served.addFile("/d/a\\b"), RangeError, "requirement failed: File name has a backslash: a\\b");
  assertEquals(await served.addDirectory("x%20y/z", "/d"), "spark://me:7/x%20y/z");
  assertEquals(describe(await served.openStream("/x y/z/a b")), "FileSegmentManagedBuffer[file=/d/a b,offset=0,length=1]");
});

test("NettyStreamManager refuses what is not there, what is of the other kind, and URIs without a name", async () => {
  const { files, manager: served } = manager();
  files.write("/d/x", new Uint8Array(1));
  for (const add of [() => served.addFile("/d/y"), () => served.addJar("/y"), () => served.addDirectory("e", "/e")]) {
    assertEquals((await assertRejects(add, RpcError, "No such file: ")).code, "NOT_FOUND");
  }
  await assertRejects(() => served.addFile("/d"), RangeError, "Not a file: /d");
  await assertRejects(() => served.addDirectory("e", "/d/x"), RangeError, "Not a folder: /d/x");
  for (const path of ["", "/", ".", "/d/.."]) {
    await assertRejects(() => served.addFile(path), RangeError, "Path has no file name");
  }
  for (
    const [uri, text] of [
      ["", "has no name"],
      ["/./", "has no name"],
      ["/../e", "leads out"],
      ["/files/e", "cannot be below"],
      ["/jars/e", "cannot be below"],
    ]
  ) {
    await assertRejects(() => served.addDirectory(uri!, "/d"), RangeError, text);
  }
});

test("NettyStreamManager in client mode has no address that a URI could name", async () => {
  const { files } = manager();
  files.write("/d/x", new Uint8Array(1));
  const served = new NettyStreamManager({ name: "worker", address: undefined, logger: silentLogger }, files);
  const message = "worker is in client mode: it has no address that a URI of a file could name";
  for (const add of [() => served.addFile("/d/x"), () => served.addJar("/d/x"), () => served.addDirectory("d", "/d")]) {
    assertEquals((await assertRejects(add, RpcError, message)).code, "INVALID_ADDRESS");
  }
  assertThrows(() => served.addSource("s", () => undefined), RpcError, message);
});

test("NettyStreamManager.addSource() is asked for names below its prefix, the longest of those that match", async () => {
  const { manager: served } = manager();
  const asked: string[] = [];
  const source = (name: string) => (rest: string) => {
    asked.push(`${name} ${rest}`);
    return rest === "none" ? undefined : new BytesManagedBuffer(new Uint8Array(1));
  };
  served.addSource("splits/special/", source("special"));
  served.addSource("/splits", source("splits"));
  assertThrows(() => served.addSource("/splits/.", source("x")), RangeError, "URI '/splits' already registered.");
  await assertRejects(() => served.addDirectory("/splits", "/"), RangeError, "URI '/splits' already registered.");
  for (const id of ["/splits/1/2", "splits/a b", "/splits/special/3", "/splits/specialist", "/splits/none"]) {
    await served.openStream(id);
  }
  assertEquals(asked, ["splits 1/2", "splits a b", "special 3", "splits specialist", "splits none"]);
  for (const id of ["/splits/..", "/splits/a/../b", "/splits/", "/splits//a", "/splits/a\0", "/splits/a\\b", "/splits/."]) {
    assertEquals(await served.openStream(id), undefined, id);
  }
  assertEquals(asked.length, 5);
  for (
    const [id, type] of [["/split/1", "split"], ["/splits", "splits"], ["", ""], ["/", ""], ["x", "x"], ["//splits/1", ""]]
  ) {
    assertThrows(() => served.openStream(id!), RpcError, `requirement failed: Invalid stream URI: ${type} not found.`);
  }
  assertThrows(() => served.openStream(`${"/".repeat(60_000)}x`), RpcError, "Invalid stream URI");
});

test("NettyStreamManager serves what a registered file is now, but not where its path leads by now", async () => {
  const { files, manager: served } = manager();
  files.write("/d/x", new Uint8Array(1));
  files.write("/etc/passwd", new Uint8Array(9));
  await served.addFile("/d/x");
  await served.addDirectory("d", "/d");
  files.write("/d/x", new Uint8Array(5));
  assertEquals((await served.openStream("/files/x"))?.size, 5);
  files.remove("/d/x");
  assertEquals(await served.openStream("/files/x"), undefined);
  files.link("/d/x", "/etc/passwd");
  assertEquals(await served.openStream("/files/x"), undefined);
  assertEquals(await served.openStream("/d/x"), undefined);
});

test("NettyStreamManager reads no file in whose place a link was put while its peer kept it waiting", async () => {
  const { files, manager: served } = manager();
  files.write("/etc/passwd", new Uint8Array(9));
  files.write("/d/x", new Uint8Array(9));
  files.write("/d/etc/passwd", new Uint8Array(9));
  await served.addFile("/d/x");
  await served.addDirectory("d", "/d");
  const buffers = [];
  for (const id of ["/files/x", "/d/x", "/d/etc/passwd"]) buffers.push((await served.openStream(id))!);
  for (const path of ["/d/x", "/d/etc/passwd"]) files.remove(path);
  files.link("/d/x", "/etc/passwd");
  files.link("/d/etc", "/etc");
  for (const buffer of buffers) {
    await assertRejects(async () => await buffer.read(0, new Uint8Array(9)), RpcError, "Error in reading");
    buffer.release();
  }
  assertEquals(served.files.openHandles, 0);
});

test("NettyStreamManager.addDirectoryIfAbsent() that is called twice at once registers the folder once", async () => {
  const { files, manager: served } = manager();
  files.write("/d/x", new Uint8Array(1));
  const uris = await Promise.all([served.addDirectoryIfAbsent("/d", "/d"), served.addDirectoryIfAbsent("/d", "/d")]);
  assertEquals(uris, ["spark://me:7/d", "spark://me:7/d"]);
  assertEquals((await served.openStream("/d/x"))?.size, 1);
});

test("NettyStreamManager serves a folder that a link leads to", async () => {
  const { files, manager: served } = manager();
  files.write("/d/x", new Uint8Array(2));
  files.link("/link", "/d");
  await served.addDirectory("/linked", "/link");
  assertEquals(describe(await served.openStream("/linked/x")), "FileSegmentManagedBuffer[file=/d/x,offset=0,length=2]");
});

test("NettyStreamManager does not take the name of a kind for that of a file", async () => {
  const { files, manager: served } = manager();
  files.write("/d/files", new Uint8Array(2));
  await served.addFile("/d/files");
  assertThrows(() => served.openStream("/files"), RpcError, "Invalid stream URI: files not found.");
  assertEquals((await served.openStream("/files/files"))?.size, 2);
});

test("NettyStreamManager notes what it cannot open for who looks for it, as much of its path as fits a line", async () => {
  const logger = new MemoryLogger();
  const { files, manager: served } = manager(logger);
  files.write("/d/x", new Uint8Array(1));
  await served.addDirectory("/d", "/d");
  assertEquals(await served.openStream(`/d/${"y".repeat(10_000)}`), undefined);
  assertEquals(logger.lines, [`debug: Cannot serve /d/${"y".repeat(253)}`]);
});

test("NettyStreamManager serves the root of all files, if it is told to", async () => {
  const { files, manager: served } = manager();
  files.write("/etc/hosts", new Uint8Array(3));
  await served.addDirectory("all", "/");
  assertEquals((await served.openStream("/all/etc/hosts"))?.size, 3);
  assertEquals(await served.openStream("/all/etc"), undefined);
});

fileTest("RpcEnvFileServer.addSource() streams a part of a file, which counts as open while it is sent", async (stage) => {
  const { server, client } = await stage.pair();
  const folder = await stage.folder({ "words.txt": "one two three" });
  const { fileServer } = server;
  const part = (rest: string): ManagedBuffer | undefined => {
    if (rest === "bad") throw new RangeError("No such split: bad");
    const [offset, length] = rest.split("-").map(Number) as [number, number];
    return new FileSegmentManagedBuffer(fileServer.files, join(folder, "words.txt"), offset, length);
  };
  fileServer.addSource("/splits", part);
  const root = `${server.address!.toSparkURL()}/splits`;
  assertEquals(await fetchText(client, `${root}/4-3`), "two");
  assertEquals(await fetchText(client, `${root}/0-13`), "one two three");
  assertEquals((await fetchFailure(client, `${root}/bad`)).message, "No such split: bad");
  // What was promised does not come: the connection breaks, and the reader knows.
  const error = await fetchFailure(client, `${root}/4-100`);
  assertEquals(error instanceof StreamError || (error instanceof RpcError && error.code === "SOCKET"), true, String(error));
  assertEquals(await fetchText(client, `${root}/8-5`), "three");
});
