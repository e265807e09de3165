import { assert, assertEquals } from "@std/assert";
import { ByteSink } from "../../src/base/bytes.ts";
import { int64FromBigInt, int64FromSafe } from "../../src/base/int64.ts";
import {
  beginOneWayMessage,
  beginRpcRequest,
  beginRpcResponse,
  encodeMessage,
  encodeMessageHead,
  endFrame,
  ONE_WAY_HEAD_BYTES,
  RPC_HEAD_BYTES,
} from "../../src/protocol/message_encoder.ts";
import { type Message, MessageType } from "../../src/protocol/message.ts";
import { MessageBody } from "../../src/protocol/message_body.ts";
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

test("beginRpcRequest() and endFrame() write what encodeMessage() writes", () => {
  for (const id of SAFE_IDS) {
    const pieces = written((out) => {
      const start = beginRpcRequest(id, out);
      assertEquals([start, out.position], [3, 3 + RPC_HEAD_BYTES]);
      out.writeBytes(BODY);
      endFrame(start, out);
    });
    assertEquals(pieces, whole({ type: MessageType.RpcRequest, requestId: int64FromSafe(id), body: new MessageBody(BODY) }));
  }
});

test("beginRpcResponse() and endFrame() write what encodeMessage() writes, for any id", () => {
  for (const id of [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 0x0123_4567_89ab_cdefn]) {
    const requestId = int64FromBigInt(id);
    const pieces = written((out) => {
      const start = beginRpcResponse(requestId, out);
      out.writeBytes(BODY);
      endFrame(start, out);
    });
    assertEquals(pieces, whole({ type: MessageType.RpcResponse, requestId, body: new MessageBody(BODY) }));
  }
});

test("beginOneWayMessage() and endFrame() write what encodeMessage() writes", () => {
  const pieces = written((out) => {
    const start = beginOneWayMessage(out);
    assertEquals(out.position, start + ONE_WAY_HEAD_BYTES);
    out.writeBytes(BODY);
    endFrame(start, out);
  });
  assertEquals(pieces, whole({ type: MessageType.OneWayMessage, body: new MessageBody(BODY) }));
});

test("endFrame() writes over what the reused memory held before", () => {
  const out = new ByteSink();
  out.bytes.fill(0xee);
  endFrame(beginRpcRequest(1, out), out);
  endFrame(beginOneWayMessage(out), out);
  const request = "0000000000000015" + "03" + "0000000000000001" + "00000000";
  const oneWay = "000000000000000d" + "09" + "00000000";
  assertEquals(toHex(out.view()), request + oneWay);
});

test("encodeMessage() writes the part of the memory that is the body", () => {
  const body = new MessageBody(Uint8Array.of(9, 1, 2, 3, 9), 1, 4, false);
  assertEquals(
    whole({ type: MessageType.OneWayMessage, body }),
    whole({ type: MessageType.OneWayMessage, body: new MessageBody(BODY) }),
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
  const body = new MessageBody(new Uint8Array(0), 0, size);
  const head = written((out) =>
    encodeMessageHead({ type: MessageType.ChunkFetchSuccess, streamId: int64FromSafe(5), chunkIndex: 6, body }, out)
  );
  assertEquals(head, "0000000080000015" + "01" + "0000000000000005" + "00000006");
});

test("encodeMessage() writes byte counts up to 2^53 - 1", () => {
  const hex = whole({ type: MessageType.StreamResponse, streamId: "", byteCount: 2 ** 53 - 1 });
  assertEquals(hex, "0000000000000015" + "07" + "00000000" + "001fffffffffffff");
});
