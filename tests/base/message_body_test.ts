import { assert, assertEquals } from "@std/assert";
import { MessageBody } from "../../src/base/message_body.ts";
import { ReceivedBytes } from "../../src/base/received_bytes.ts";
import { test } from "../_harness.ts";

test("MessageBody.take() copies borrowed memory and not what is owned", () => {
  const memory = Uint8Array.of(0, 1, 2, 3);
  const borrowed = new MessageBody(new ReceivedBytes(memory, false), 1, 3).take();
  const owned = new MessageBody(new ReceivedBytes(memory, true), 1, 3).take();
  memory.fill(0xee);
  assertEquals(borrowed, Uint8Array.of(1, 2));
  assertEquals(owned, Uint8Array.of(0xee, 0xee));
});

test("MessageBody.bytes is a view", () => {
  const memory = new Uint8Array(8);
  const body = new MessageBody(new ReceivedBytes(memory, false), 2, 5);
  assertEquals([body.length, body.bytes.byteOffset, body.bytes.length], [3, 2, 3]);
  assert(body.bytes.buffer === memory.buffer);
});

test("MessageBody.startsWith() looks at what is left of the body, and not beyond it", () => {
  const body = new MessageBody(new ReceivedBytes(Uint8Array.of(1, 2, 3, 4), true), 0, 3);
  body.start++;
  assertEquals([body.startsWith(Uint8Array.of(2, 3)), body.startsWith(Uint8Array.of(1))], [true, false]);
  assertEquals(body.startsWith(Uint8Array.of(2, 3, 4)), false);
});
