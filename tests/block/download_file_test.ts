import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { SimpleDownloadFile } from "../../src/block/download_file.ts";
import { MemoryWritableFiles } from "../../src/platform/memory_writable_files.ts";
import { nodeWritableFiles } from "../../src/platform/node_writable_files.ts";
import { makeFolder } from "../_folder.ts";
import { test } from "../_harness.ts";

// Spark: SimpleDownloadFileSuite "testChannelIsClosedAfterCloseAndRead"
test("SimpleDownloadFile: closeAndRead() closes the file, and gives what was written", async (context) => {
  const folder = await makeFolder(context);
  const files = new MemoryWritableFiles();
  const onDisk = new SimpleDownloadFile(nodeWritableFiles, join(folder, "block"));
  const inMemory = new SimpleDownloadFile(files, "/block");
  for (const file of [onDisk, inMemory]) {
    const channel = await file.openForWriting();
    for (const byte of [1, 2]) await channel.write(Uint8Array.of(byte));
    const buffer = await channel.closeAndRead();
    await assertRejects(() => channel.write(Uint8Array.of(3)));
    const bytes = new Uint8Array(8);
    assertEquals([buffer.size, await buffer.read(0, bytes), ...bytes.subarray(0, 2)], [2, 2, 1, 2]);
    buffer.release();
    await file.delete();
    await file.delete();
    // It may be made again, as nothing has its path any more.
    const again = await file.openForWriting();
    await again.close();
    await assertRejects(() => again.write(Uint8Array.of(3)));
    // Another's is not this one's to take away.
    const other = new SimpleDownloadFile(file === onDisk ? nodeWritableFiles : files, file.path);
    await assertRejects(() => other.openForWriting());
    await other.delete();
    await assertRejects(() => file.openForWriting(), "it is still there");
  }
});
