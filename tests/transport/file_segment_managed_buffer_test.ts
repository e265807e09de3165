import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AssertionError } from "../../src/base/assert.ts";
import { RpcError } from "../../src/base/errors.ts";
import { MemoryFiles } from "../../src/platform/memory_files.ts";
import { nodeFiles } from "../../src/platform/node_files.ts";
import { FileSegmentManagedBuffer } from "../../src/transport/file_segment_managed_buffer.ts";
import { makeFolder } from "../_folder.ts";
import { content } from "../_counted_buffer.ts";
import { deferred, test, until } from "../_harness.ts";
import { CountingFiles } from "./_counting_files.ts";

const CONTENT = content(10_000);

function memoryFiles(): { files: CountingFiles; memory: MemoryFiles } {
  const memory = new MemoryFiles();
  memory.write("/data", CONTENT);
  return { files: new CountingFiles(memory), memory };
}

async function readAll(buffer: FileSegmentManagedBuffer, pieceBytes: number): Promise<Uint8Array> {
  const all = new Uint8Array(buffer.size);
  for (let at = 0; at < buffer.size;) {
    const piece = new Uint8Array(pieceBytes);
    const count = await buffer.read(at, piece);
    all.set(piece.subarray(0, count), at);
    at += count;
  }
  return all;
}

test("FileSegmentManagedBuffer.read() gives its part of the file, whatever the pieces", async (context) => {
  const path = join(await makeFolder(context), "data");
  await writeFile(path, CONTENT);
  const { files: inMemory } = memoryFiles();
  for (const [files, name] of [[inMemory, "/data"], [new CountingFiles(nodeFiles), path]] as const) {
    let segments = 0;
    for (const [offset, length] of [[0, 10_000], [0, 1], [9_999, 1], [777, 5_000], [10_000, 0]] as const) {
      for (const pieceBytes of [1_000, 4_096, 20_000]) {
        const buffer = new FileSegmentManagedBuffer(files, name, offset, length);
        assertEquals(await readAll(buffer, pieceBytes), CONTENT.subarray(offset, offset + length));
        buffer.release();
        if (length > 0) segments++;
      }
    }
    await until(() => files.closed === segments, "all handles to be closed");
    assertEquals(files.opened, segments);
  }
});

test("FileSegmentManagedBuffer opens nothing before it is read, and once only", async () => {
  const { files } = memoryFiles();
  const buffer = new FileSegmentManagedBuffer(files, "/data", 0, 100);
  assertEquals(files.opened, 0);
  await Promise.all([buffer.read(0, new Uint8Array(50)), buffer.read(50, new Uint8Array(50))]);
  assertEquals([files.opened, files.closed], [1, 0]);
  buffer.release();
  await until(() => files.closed === 1, "the handle to be closed");
  const unread = new FileSegmentManagedBuffer(files, "/data", 0, 100);
  unread.release();
  assertEquals(files.opened, 1);
});

test("FileSegmentManagedBuffer closes the file when the last holder has released it", async () => {
  const { files } = memoryFiles();
  const buffer = new FileSegmentManagedBuffer(files, "/data", 0, 100);
  assertEquals(buffer.retain(), buffer);
  await buffer.read(0, new Uint8Array(1));
  buffer.release();
  assertEquals(await buffer.read(1, new Uint8Array(1)), 1);
  assertEquals(files.closed, 0);
  buffer.release();
  await until(() => files.closed === 1, "the handle to be closed");
  assertThrows(() => buffer.release(), AssertionError, "released twice");
  assertThrows(() => buffer.retain(), AssertionError, "after its release");
  await assertRejects(() => buffer.read(0, new Uint8Array(1)), AssertionError, "after its release");
  assertEquals(files.closed, 1);
});

test("FileSegmentManagedBuffer that is released while the file is being opened closes it", async () => {
  const { files } = memoryFiles();
  const gate = deferred();
  files.gate = gate.promise;
  const buffer = new FileSegmentManagedBuffer(files, "/data", 0, 100);
  const reading = buffer.read(0, new Uint8Array(1));
  buffer.release();
  gate.resolve();
  await reading;
  await until(() => files.closed === 1, "the handle to be closed");
});

test("FileSegmentManagedBuffer.read() says how long a file is that is too short", async (context) => {
  const path = join(await makeFolder(context), "data");
  await writeFile(path, CONTENT);
  const files = new CountingFiles(nodeFiles);
  const buffer = new FileSegmentManagedBuffer(files, path, 100, 9_900);
  assertEquals(await buffer.read(0, new Uint8Array(4_000)), 4_000);
  await truncate(path, 5_000);
  const error = await assertRejects(() => buffer.read(4_000, new Uint8Array(4_000)), RpcError);
  const message = `Error in reading FileSegmentManagedBuffer[file=${path},offset=100,length=9900] (actual file length 5000)`;
  assertEquals([error.code, error.message], ["STREAM", message]);
  assert(error.cause instanceof RangeError);
  assertEquals(error.cause.message, "The file ended 3100 bytes too early");
  buffer.release();
  await until(() => files.closed === 1, "the handle to be closed");
});

test("FileSegmentManagedBuffer.read() of a file that has vanished says so, and leaves nothing open", async () => {
  const { files, memory } = memoryFiles();
  const buffer = new FileSegmentManagedBuffer(files, "/data", 1, 2);
  memory.remove("/data");
  for (let i = 0; i < 2; i++) {
    const error = await assertRejects(() => buffer.read(0, new Uint8Array(2)), RpcError);
    assertEquals(error.message, "Error in reading FileSegmentManagedBuffer[file=/data,offset=1,length=2]");
    assert(error.cause instanceof RpcError);
    assertEquals(error.cause.code, "NOT_FOUND");
  }
  buffer.release();
  assertEquals([files.opened, files.closed], [1, 0]);
});

test("FileSegmentManagedBuffer refuses a part that begins nowhere: -1 read on where the descriptor stood", () => {
  const { memory } = memoryFiles();
  for (const offset of [-1, -4, 0.5, NaN, 2 ** 53]) {
    const message = `A part of a file must begin at a whole number of bytes: ${offset}`;
    assertThrows(() => new FileSegmentManagedBuffer(memory, "/data", offset, 3), RangeError, message);
  }
});
