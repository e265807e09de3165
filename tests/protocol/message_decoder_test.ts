import { assert, assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../src/base/errors.ts";
import { seededRandom } from "../../src/base/random.ts";
import { ReceivedBytes } from "../../src/base/received_bytes.ts";
import { decodeMessage, MAX_ERROR_BYTES, MAX_NAME_BYTES } from "../../src/protocol/message_decoder.ts";
import { type Message, MessageType } from "../../src/protocol/message.ts";
import { test } from "../_harness.ts";
import { readFrameVectors } from "./_messages.ts";

/** Decodes bytes that lie in the middle of some memory. */
function decode(bytes: Uint8Array, owned = false): Message {
  const memory = new Uint8Array(bytes.length + 20).fill(0xee);
  memory.set(bytes, 10);
  return decodeMessage(new ReceivedBytes(memory, owned), 10, 10 + bytes.length);
}

function fails(bytes: readonly number[] | Uint8Array, message: string, offset: number): void {
  const error = assertThrows(() => decode(Uint8Array.from(bytes)), ProtocolError);
  assertEquals([error.message, error.offset], [message, offset]);
}

function isBodyInFrame(message: Message): boolean {
  return "body" in message;
}

const int64 = (last: number) => [0, 0, 0, 0, 0, 0, 0, last];

test("decodeMessage() refuses types that it does not know, with Spark's texts", () => {
  fails([13], "Unknown message type: 13", 0);
  fails([127], "Unknown message type: 127", 0);
  fails([0xfe], "Unknown message type: -2", 0);
  fails([0x80, 1, 2], "Unknown message type: -128", 0);
  fails([0xff, 1, 2], "User type messages cannot be decoded.", 0);
  fails([], "Frame has no message type", 0);
});

test("decodeMessage() says what is cut short, and where", () => {
  fails([MessageType.RpcRequest], "RpcRequest needs 13 bytes, but its frame has 1", 1);
  fails([MessageType.RpcResponse, ...int64(1), 0, 0, 0], "RpcResponse needs 13 bytes, but its frame has 12", 12);
  fails([MessageType.OneWayMessage, 0], "OneWayMessage needs 5 bytes, but its frame has 2", 2);
  fails([MessageType.RpcFailure, 1, 2], "Request id of RpcFailure needs 8 bytes, but 2 are left", 1);
  fails([MessageType.StreamRequest, 0, 0, 0, 2, 97], "Stream id of StreamRequest needs 2 bytes, but 1 are left", 5);
  fails([MessageType.StreamRequest, 0xff, 0xff, 0xff, 0xff], "Length of Stream id of StreamRequest is negative: -1", 5);
});

/** A type, what comes before a text, and the text, of so many letters. */
function withText(type: number, before: readonly number[], length: number): Uint8Array {
  const bytes = new Uint8Array(1 + before.length + 4 + length).fill(97);
  bytes.set([type, ...before]);
  new DataView(bytes.buffer).setInt32(1 + before.length, length);
  return bytes;
}

test("decodeMessage() refuses names that nobody may have, before it reads them", () => {
  const most = decode(withText(MessageType.StreamRequest, [], MAX_NAME_BYTES));
  assertEquals(most.type === MessageType.StreamRequest && most.streamId.length, MAX_NAME_BYTES);
  const names = {
    "Stream id of StreamRequest": withText(MessageType.StreamRequest, [], MAX_NAME_BYTES + 1),
    "Stream id of StreamResponse": withText(MessageType.StreamResponse, [], MAX_NAME_BYTES + 1),
    "Stream id of StreamFailure": withText(MessageType.StreamFailure, [], MAX_NAME_BYTES + 1),
  };
  for (const [what, bytes] of Object.entries(names)) {
    fails(bytes, `${what} has ${MAX_NAME_BYTES + 1} bytes, more than ${MAX_NAME_BYTES}`, 5);
  }
  const request = withText(MessageType.MergedBlockMetaRequest, int64(1), MAX_NAME_BYTES + 1);
  fails(request, `App id of MergedBlockMetaRequest has ${MAX_NAME_BYTES + 1} bytes, more than ${MAX_NAME_BYTES}`, 13);
});

test("decodeMessage() cuts the text of a failure", () => {
  const failures: [type: number, before: readonly number[]][] = [
    [MessageType.RpcFailure, int64(1)],
    [MessageType.ChunkFetchFailure, [...int64(1), 0, 0, 0, 2]],
    [MessageType.StreamFailure, [0, 0, 0, 1, 97]],
  ];
  for (const [type, before] of failures) {
    for (
      const [length, error] of [
        [MAX_ERROR_BYTES, "a".repeat(MAX_ERROR_BYTES)],
        [MAX_ERROR_BYTES + 1, `${"a".repeat(MAX_ERROR_BYTES)}…`],
      ] as const
    ) {
      const message = decode(withText(type, before, length));
      assert("error" in message && message.error === error, `${type} of ${length}`);
    }
    // What is not there is missed all the same.
    assertThrows(() => decode(withText(type, before, MAX_ERROR_BYTES + 9).subarray(0, -1)), ProtocolError, "are left");
  }
});

test("decodeMessage() refuses every prefix of every message, but for a body that is shorter", () => {
  for (const { name, bytes, message } of readFrameVectors()) {
    const frame = bytes.subarray(8, 8 + Number(new DataView(bytes.buffer).getBigInt64(0)) - 8);
    const head = message.type === MessageType.OneWayMessage ? 5 : 13;
    const end = isBodyInFrame(message) ? head : frame.length;
    for (let cut = 0; cut < end; cut++) {
      assertThrows(() => decode(frame.subarray(0, cut)), ProtocolError, undefined, `${name} cut at ${cut}`);
    }
    if (isBodyInFrame(message)) decode(frame.subarray(0, end));
  }
});

test("decodeMessage() refuses bytes that are left over behind a message without a body", () => {
  for (const { name, bytes, message } of readFrameVectors()) {
    if (isBodyInFrame(message)) continue;
    const size = Number(new DataView(bytes.buffer).getBigInt64(0)) - 8;
    const frame = new Uint8Array(size + 2);
    frame.set(bytes.subarray(8, 8 + size));
    const error = assertThrows(() => decode(frame), ProtocolError, undefined, name);
    assertEquals(error.message, `Bytes left over behind a message of type ${message.type}: 2`);
    assertEquals(error.offset, size);
  }
});

test("decodeMessage() ignores the body size inside a message, as Spark does", () => {
  const sizes = [[0, 0, 0x03, 0xe7], [0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0]];
  for (const size of sizes) {
    const request = decode(Uint8Array.from([MessageType.RpcRequest, ...int64(7), ...size, 1, 2]));
    const response = decode(Uint8Array.from([MessageType.RpcResponse, ...int64(7), ...size, 1, 2]));
    const oneWay = decode(Uint8Array.from([MessageType.OneWayMessage, ...size, 1, 2]));
    for (const message of [request, response, oneWay]) {
      assert("body" in message);
      assertEquals(message.body.take(), Uint8Array.of(1, 2));
    }
  }
});

test("decodeMessage() refuses byte counts that are negative or no safe integer", () => {
  const response = (count: readonly number[]) => [MessageType.StreamResponse, 0, 0, 0, 0, ...count];
  const upload = (count: readonly number[]) => [MessageType.UploadStream, ...int64(1), 0, 0, 0, 0, ...count];
  const minusOne = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
  fails(response(minusOne), "Byte count of StreamResponse is negative: -1", 5);
  fails(upload(minusOne), "Byte count of UploadStream is negative: -1", 13);
  fails(response([0x80, ...int64(0).slice(1)]), `Byte count of StreamResponse is negative: ${-(2n ** 63n)}`, 5);
  fails(upload([0, 0x20, ...int64(0).slice(2)]), "Byte count of UploadStream is no safe integer: 9007199254740992", 13);
  const largest = decode(Uint8Array.from(response([0, 0x1f, 255, 255, 255, 255, 255, 255])));
  assertEquals(largest, { type: MessageType.StreamResponse, streamId: "", byteCount: 2 ** 53 - 1 });
});

test("decodeMessage() refuses an upload whose meta data reach beyond the frame", () => {
  const upload = (length: readonly number[]) => [MessageType.UploadStream, ...int64(1), ...length, 1, 2];
  fails(upload([0, 0, 0, 3]), "Meta of UploadStream needs 3 bytes, but 2 are left", 13);
  fails(upload([0x80, 0, 0, 0]), "Length of Meta of UploadStream is negative: -2147483648", 13);
  fails(upload([0, 0, 0, 2]), "Byte count of UploadStream needs 8 bytes, but 0 are left", 15);
});

test("decodeMessage() gives bodies over the frame's memory: taken ones are views if it is owned, else copies", () => {
  const memory = Uint8Array.of(0, MessageType.OneWayMessage, 0, 0, 0, 0, 1, 2, 3, 0);
  for (const owned of [true, false]) {
    const message = decodeMessage(new ReceivedBytes(memory, owned), 1, 9);
    assert("body" in message);
    assertEquals([message.body.length, message.body.bytes], [3, Uint8Array.of(1, 2, 3)]);
    assertEquals(message.body.bytes.buffer, memory.buffer);
    assertEquals(message.body.take().buffer === memory.buffer, owned);
  }
});

test("decodeMessage() throws nothing but ProtocolError on random bytes", () => {
  const random = seededRandom(11);
  let decoded = 0;
  for (let round = 0; round < 20_000; round++) {
    const bytes = Uint8Array.from({ length: Math.floor(random() * 60) }, () => Math.floor(random() * 256));
    if (bytes.length > 0 && round % 2 === 0) bytes[0] = Math.floor(random() * 13);
    if (decodes(bytes)) decoded++;
  }
  assert(decoded > 0);
});

test("decodeMessage() throws nothing but ProtocolError on messages with one byte changed", () => {
  const random = seededRandom(12);
  for (const { bytes } of readFrameVectors()) {
    const frame = bytes.slice(8, 8 + Math.min(100, Number(new DataView(bytes.buffer).getBigInt64(0)) - 8));
    for (let at = 0; at < frame.length; at++) {
      const kept = frame[at]!;
      for (const value of [0, 1, 0x7f, 0x80, 0xff, Math.floor(random() * 256)]) {
        frame[at] = value;
        decodes(frame);
      }
      frame[at] = kept;
    }
  }
});

function decodes(bytes: Uint8Array): boolean {
  try {
    decode(bytes);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof ProtocolError)) throw thrown;
    assert(thrown.offset !== undefined && thrown.offset >= 0 && thrown.offset <= bytes.length);
    return false;
  }
}
