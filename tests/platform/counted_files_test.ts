import { assertEquals, assertRejects } from "@std/assert";
import { RpcError } from "../../src/base/errors.ts";
import { CountedFiles } from "../../src/platform/counted_files.ts";
import { MemoryFiles } from "../../src/platform/memory_files.ts";
import { test } from "../_harness.ts";

test("CountedFiles counts the handles that are open, each once", async () => {
  const memory = new MemoryFiles();
  memory.write("/a", Uint8Array.of(1, 2, 3));
  memory.link("/b", "a");
  const files = new CountedFiles(memory);
  const [one, other] = await Promise.all([files.open("/a"), files.open("/b")]);
  assertEquals(files.openHandles, 2);
  const into = new Uint8Array(2);
  assertEquals([await one.readAt(1, into), into, (await other.stat()).size], [2, Uint8Array.of(2, 3), 3]);
  await Promise.all([one.close(), one.close()]);
  assertEquals(files.openHandles, 1);
  await other[Symbol.asyncDispose]();
  assertEquals(files.openHandles, 0);
  await assertRejects(() => files.open("/c"), RpcError, "No such file: /c");
  assertEquals(files.openHandles, 0);
  assertEquals([await files.realpath("/b"), await files.stat("/b")], ["/a", { size: 3, isFile: true }]);
});
