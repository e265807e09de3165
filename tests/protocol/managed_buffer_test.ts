import { assertEquals, assertThrows } from "@std/assert";
import { runInNewContext } from "node:vm";
import { BytesManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import { test } from "../_harness.ts";

test("BytesManagedBuffer.read() copies from a position on, as much as fits or is there", () => {
  const buffer = new BytesManagedBuffer(Uint8Array.of(1, 2, 3, 4));
  const into = new Uint8Array(3);
  assertEquals([buffer.size, buffer.read(0, into)], [4, 3]);
  assertEquals(into, Uint8Array.of(1, 2, 3));
  assertEquals(buffer.read(3, into), 1);
  assertEquals(into, Uint8Array.of(4, 2, 3));
});

test("BytesManagedBuffer takes bytes of another realm, as tests in a context of their own have them", () => {
  const bytes = runInNewContext("Uint8Array.of(1, 2, 3)") as Uint8Array;
  assertEquals([bytes instanceof Uint8Array, new BytesManagedBuffer(bytes).size], [false, 3]);
});

test("BytesManagedBuffer is made of bytes that are there", () => {
  const gone = Uint8Array.of(1);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  for (const bytes of [gone, new Int32Array(2), new ArrayBuffer(8), "text", undefined] as unknown[]) {
    assertThrows(() => new BytesManagedBuffer(bytes as Uint8Array), TypeError);
  }
  assertEquals(new BytesManagedBuffer(new Uint8Array(0)).size, 0);
});
