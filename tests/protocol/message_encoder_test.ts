import { assert, assertEquals } from "@std/assert";
import { ByteSink } from "../../src/base/byte_sink.ts";
import { highOfSafe, int64FromBigInt, int64FromSafe } from "../../src/base/int64.ts";
import {
  beginFrame,
  encodeMessage,
  encodeMessageHead,
  endFrame,
  ONE_WAY_HEAD_BYTES,
  RPC_HEAD_BYTES,
} from "../../src/protocol/message_encoder.ts";
import { type Message, MessageType } from "../../src/protocol/message.ts";
import { MessageBody } from "../../src/base/message_body.ts";
import { ReceivedBytes } from "../../src/base/received_bytes.ts";
import { test, toHex } from "../_harness.ts";
import { readFrameVectors } from "./_messages.ts";
import { same } from "./_receiver.ts";

const BODY = Uint8Array.of(1, 2, 3);
const SAFE_IDS = [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];

/** What `write` appends behind three bytes that were there, in a sink that has to grow. */
function written(write: (out: ByteSink) => void): string {
  const out = new ByteSink(4);
  out.writeBytes(Uint8Array.of(0xaa, 0xbb, 0xcc));
  write(out);
  const hex = toHex(out.copy());
  assertEquals(hex.slice(0, 6), "aabbcc");
  return hex.slice(6);
}

function whole(message: Message): string {
  return written((out) => encodeMessage(message, out));
}

test("beginFrame() and endFrame() write requests as encodeMessage() does", () => {
  for (const id of SAFE_IDS) {
    const pieces = written((out) => {
      const start = beginFrame(MessageType.RpcRequest, out);
      assertEquals([start, out.position], [3, 3 + RPC_HEAD_BYTES]);
      out.writeBytes(BODY);
      endFrame(start, MessageType.RpcRequest, highOfSafe(id), id | 0, out);
    });
    assertEquals(
      pieces,
      whole({ type: MessageType.RpcRequest, idHigh: highOfSafe(id), idLow: id | 0, body: MessageBody.of(BODY) }),
    );
  }
});

test("beginFrame() and endFrame() write responses as encodeMessage() does, for any id", () => {
  for (const id of [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 0x0123_4567_89ab_cdefn]) {
    const requestId = int64FromBigInt(id);
    const pieces = written((out) => {
      const start = beginFrame(MessageType.RpcResponse, out);
      out.writeBytes(BODY);
      endFrame(start, MessageType.RpcResponse, requestId.high, requestId.low, out);
    });
    assertEquals(
      pieces,
      whole({ type: MessageType.RpcResponse, idHigh: requestId.high, idLow: requestId.low, body: MessageBody.of(BODY) }),
    );
  }
});

test("beginFrame() and endFrame() write one-way messages as encodeMessage() does", () => {
  const pieces = written((out) => {
    const start = beginFrame(MessageType.OneWayMessage, out);
    assertEquals(out.position, start + ONE_WAY_HEAD_BYTES);
    out.writeBytes(BODY);
    endFrame(start, MessageType.OneWayMessage, 0, 0, out);
  });
  assertEquals(pieces, whole({ type: MessageType.OneWayMessage, body: MessageBody.of(BODY) }));
});

test("endFrame() writes over what the reused memory held before", () => {
  const out = new ByteSink();
  out.bytes.fill(0xee);
  endFrame(beginFrame(MessageType.RpcRequest, out), MessageType.RpcRequest, 0, 1, out);
  endFrame(beginFrame(MessageType.OneWayMessage, out), MessageType.OneWayMessage, 0, 0, out);
  const request = "0000000000000015" + "03" + "0000000000000001" + "00000000";
  const oneWay = "000000000000000d" + "09" + "00000000";
  assertEquals(toHex(out.view()), request + oneWay);
});

test("encodeMessage() writes the part of the memory that is the body", () => {
  const body = new MessageBody(new ReceivedBytes(Uint8Array.of(9, 1, 2, 3, 9), false), 1, 4);
  assertEquals(
    whole({ type: MessageType.OneWayMessage, body }),
    whole({ type: MessageType.OneWayMessage, body: MessageBody.of(BODY) }),
  );
});

test("encodeMessageHead() leaves out the bytes of an in-frame body, and counts them", () => {
  for (const { name, bytes, message, bodies, stream } of readFrameVectors()) {
    const out = new ByteSink(1);
    encodeMessageHead(message, out);
    if ("body" in message) out.writeBytes(bodies[0]!);
    out.writeBytes(stream);
    assert(same(out.view(), bytes), name);
  }
});

test("encodeMessageHead() reads no more of a body than its length, which may be above 2 GiB", () => {
  const size = 2 ** 31;
  const body = new MessageBody(new ReceivedBytes(new Uint8Array(0), true), 0, size);
  const head = written((out) =>
    encodeMessageHead({ type: MessageType.ChunkFetchSuccess, streamId: int64FromSafe(5), chunkIndex: 6, body }, out)
  );
  assertEquals(head, "0000000080000015" + "01" + "0000000000000005" + "00000006");
});

test("encodeMessage() writes byte counts up to 2^53 - 1", () => {
  const hex = whole({ type: MessageType.StreamResponse, streamId: "", byteCount: 2 ** 53 - 1 });
  assertEquals(hex, "0000000000000015" + "07" + "00000000" + "001fffffffffffff");
});
