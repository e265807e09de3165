import { assert, assertEquals } from "@std/assert";
import { MessageBody } from "../../src/protocol/message_body.ts";
import { BytesManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import { test } from "../_harness.ts";

test("MessageBody.take() copies borrowed memory and not what is owned", () => {
  const memory = Uint8Array.of(0, 1, 2, 3);
  const borrowed = new MessageBody(memory, 1, 3, false).take();
  const owned = new MessageBody(memory, 1, 3, true).take();
  memory.fill(0xee);
  assertEquals(borrowed, Uint8Array.of(1, 2));
  assertEquals(owned, Uint8Array.of(0xee, 0xee));
});

test("MessageBody.bytes is a view", () => {
  const memory = new Uint8Array(8);
  const body = new MessageBody(memory, 2, 5, false);
  assertEquals([body.length, body.bytes.byteOffset, body.bytes.length], [3, 2, 3]);
  assert(body.bytes.buffer === memory.buffer);
});

test("BytesManagedBuffer.read() copies from a position on, as much as fits or is there", () => {
  const buffer = new BytesManagedBuffer(Uint8Array.of(1, 2, 3, 4));
  const into = new Uint8Array(3);
  assertEquals([buffer.size, buffer.read(0, into)], [4, 3]);
  assertEquals(into, Uint8Array.of(1, 2, 3));
  assertEquals(buffer.read(3, into), 1);
  assertEquals(into, Uint8Array.of(4, 2, 3));
});
