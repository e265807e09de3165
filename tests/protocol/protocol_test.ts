import { assert, assertEquals } from "@std/assert";
import { ByteSink } from "../../src/base/byte_sink.ts";
import { int64FromSafe } from "../../src/base/int64.ts";
import { encodeMessage } from "../../src/protocol/message_encoder.ts";
import { type Message, MessageType } from "../../src/protocol/message.ts";
import { MessageBody } from "../../src/base/message_body.ts";
import { test } from "../_harness.ts";
import { type FrameVector, readFrameVectors, withoutBodies } from "./_messages.ts";
import { cuts, feedPart, Receiver, same } from "./_receiver.ts";

const vectors = readFrameVectors();

function body(length: number): MessageBody {
  return MessageBody.of(Uint8Array.from({ length }, (_, i) => i));
}

function roundTrip(message: Message): void {
  const out = new ByteSink();
  encodeMessage(message, out);
  const receiver = new Receiver();
  receiver.decoder.feed(out.copy(), true);
  assertEquals(receiver.received.length, 1);
  const received = receiver.received[0]!;
  assertEquals(withoutBodies(received.message), withoutBodies(message));
  assertEquals(received.taken, "body" in message ? [message.body.take()] : []);
}

// Spark: ProtocolSuite requests
test("encodeMessage() and decodeMessage() agree on requests", () => {
  roundTrip({ type: MessageType.ChunkFetchRequest, streamId: int64FromSafe(1), chunkIndex: 2 });
  roundTrip({ type: MessageType.RpcRequest, idHigh: 0, idLow: 12345, body: body(0) });
  roundTrip({ type: MessageType.RpcRequest, idHigh: 0, idLow: 12345, body: body(10) });
  roundTrip({ type: MessageType.StreamRequest, streamId: "abcde" });
  roundTrip({ type: MessageType.OneWayMessage, body: body(10) });
});

// Spark: ProtocolSuite responses
test("encodeMessage() and decodeMessage() agree on responses", () => {
  const chunk = { streamId: int64FromSafe(1), chunkIndex: 2 };
  roundTrip({ type: MessageType.ChunkFetchSuccess, ...chunk, body: body(10) });
  roundTrip({ type: MessageType.ChunkFetchSuccess, ...chunk, body: body(0) });
  roundTrip({ type: MessageType.ChunkFetchFailure, ...chunk, error: "this is an error" });
  roundTrip({ type: MessageType.ChunkFetchFailure, ...chunk, error: "" });
  roundTrip({ type: MessageType.RpcResponse, idHigh: 0, idLow: 12345, body: body(0) });
  roundTrip({ type: MessageType.RpcResponse, idHigh: 0, idLow: 12345, body: body(100) });
  roundTrip({ type: MessageType.RpcFailure, requestId: int64FromSafe(0), error: "this is an error" });
  roundTrip({ type: MessageType.RpcFailure, requestId: int64FromSafe(0), error: "" });
  roundTrip({ type: MessageType.StreamResponse, streamId: "anId", byteCount: 12345 });
  roundTrip({ type: MessageType.StreamFailure, streamId: "anId", error: "this is an error" });
});

function check(receiver: Receiver, vector: FrameVector, how: string): void {
  const label = `${vector.name}, ${how}`;
  assertEquals(receiver.received.length, 1, label);
  const { message, taken, stream, ended } = receiver.received[0]!;
  assertEquals(withoutBodies(message), withoutBodies(vector.message), label);
  assertEquals(taken.length, vector.bodies.length, label);
  for (let i = 0; i < taken.length; i++) assert(same(taken[i]!, vector.bodies[i]!), `${label}: body ${i}`);
  assert(ended && same(stream, vector.stream), `${label}: stream`);
  assertEquals(receiver.decoder.bufferedBytes, 0, label);
}

test("the vectors have every type of message", () => {
  assertEquals(new Set(vectors.map((vector) => vector.message.type)).size, Object.keys(MessageType).length);
});

test("encodeMessage() writes Spark's bytes", () => {
  for (const { name, bytes, message, stream } of vectors) {
    const out = new ByteSink(1);
    encodeMessage(message, out);
    out.writeBytes(stream);
    assert(same(out.view(), bytes), name);
  }
});

test("TransportFrameDecoder and decodeMessage() read Spark's bytes, cut in two at every place", () => {
  for (const vector of vectors) {
    for (const cut of cuts(vector.bytes.length)) {
      for (const owned of [false, true]) {
        const receiver = new Receiver();
        feedPart(receiver.decoder, vector.bytes, 0, cut, owned);
        feedPart(receiver.decoder, vector.bytes, cut, vector.bytes.length, owned);
        check(receiver, vector, `cut at ${cut}, owned ${owned}`);
      }
    }
  }
});

test("TransportFrameDecoder and decodeMessage() read Spark's bytes one at a time", () => {
  const chunk = new Uint8Array(1);
  for (const vector of vectors) {
    const receiver = new Receiver();
    for (const byte of vector.bytes) {
      chunk[0] = byte;
      receiver.decoder.feed(chunk, false);
    }
    chunk[0] = 0xee;
    check(receiver, vector, "one byte at a time");
  }
});

test("TransportFrameDecoder and decodeMessage() read all of Spark's frames in one chunk and in chunks of 64 KiB", () => {
  const out = new ByteSink();
  for (const { bytes } of vectors) out.writeBytes(bytes);
  const all = out.copy();
  for (const size of [all.length, 65_536]) {
    const receiver = new Receiver();
    for (let at = 0; at < all.length; at += size) feedPart(receiver.decoder, all, at, Math.min(at + size, all.length), false);
    assertEquals(receiver.received.length, vectors.length);
    for (let i = 0; i < vectors.length; i++) {
      const { message, taken, stream } = receiver.received[i]!;
      assertEquals(withoutBodies(message), withoutBodies(vectors[i]!.message));
      assert(taken.every((bytes, n) => same(bytes, vectors[i]!.bodies[n]!)) && same(stream, vectors[i]!.stream));
    }
  }
});
