/**
 * What the protocol layer costs a message: `deno bench bench/protocol_bench.ts`.
 *
 * One iteration handles a batch of 1,000 messages, so a microsecond of an iteration is a nanosecond of a message.
 *
 * @module
 */

import { ByteSink } from "../src/base/byte_sink.ts";
import { int64FromSafe } from "../src/base/int64.ts";
import { decodeMessage } from "../src/protocol/message_decoder.ts";
import { beginFrame, encodeMessage, endFrame } from "../src/protocol/message_encoder.ts";
import { MessageType } from "../src/protocol/message.ts";
import { MessageBody } from "../src/base/message_body.ts";
import { TransportFrameDecoder } from "../src/protocol/transport_frame_decoder.ts";

const BATCH = 1000;
const out = new ByteSink(1 << 20);
const content = new Uint8Array(64);
const body = MessageBody.of(content);
const responseId = int64FromSafe(2 ** 40);

function requests(bodyBytes: number): Uint8Array {
  const sink = new ByteSink();
  for (let id = 0; id < BATCH; id++) {
    const start = beginFrame(MessageType.RpcRequest, sink);
    sink.writeBytes(new Uint8Array(bodyBytes));
    endFrame(start, MessageType.RpcRequest, 0, id, sink);
  }
  return sink.copy();
}

/** Chunks of 64 KiB, as a socket gives them. */
function chunksOf(bytes: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 65_536) chunks.push(bytes.slice(at, at + 65_536));
  return chunks;
}

let seen = 0;
const counting = new TransportFrameDecoder({
  onFrame(_received, start, end) {
    seen += end - start;
  },
});
const decoding = new TransportFrameDecoder({
  onFrame(received, start, end) {
    seen += decodeMessage(received, start, end).type;
  },
});

function feedAll(decoder: TransportFrameDecoder, chunks: readonly Uint8Array[], owned: boolean): void {
  for (const chunk of chunks) decoder.feed(chunk, owned);
}

function benchDecoder(name: string, bodyBytes: number): void {
  const chunks = chunksOf(requests(bodyBytes));
  Deno.bench(`frames, ${name} × ${BATCH}, chunks of 64 KiB`, { group: `decode ${name}` }, () => {
    feedAll(counting, chunks, false);
  });
  Deno.bench(`frames and messages, ${name} × ${BATCH}`, { group: `decode ${name}`, baseline: true }, () => {
    feedAll(decoding, chunks, false);
  });
}

benchDecoder("64 B", 64);
benchDecoder("1 KiB", 1024);
benchDecoder("64 KiB", 65_536);

Deno.bench(`RpcRequest: beginFrame … endFrame, 64 B × ${BATCH}`, { group: "encode" }, () => {
  out.truncate(0);
  for (let id = 0; id < BATCH; id++) {
    const start = beginFrame(MessageType.RpcRequest, out);
    out.writeBytes(content);
    endFrame(start, MessageType.RpcRequest, 0, id, out);
  }
});

Deno.bench(`RpcResponse: beginFrame … endFrame, 64 B × ${BATCH}`, { group: "encode" }, () => {
  out.truncate(0);
  for (let i = 0; i < BATCH; i++) {
    const start = beginFrame(MessageType.RpcResponse, out);
    out.writeBytes(content);
    endFrame(start, MessageType.RpcResponse, responseId.high, responseId.low, out);
  }
});

Deno.bench(`OneWayMessage: beginFrame … endFrame, 64 B × ${BATCH}`, { group: "encode" }, () => {
  out.truncate(0);
  for (let i = 0; i < BATCH; i++) {
    const start = beginFrame(MessageType.OneWayMessage, out);
    out.writeBytes(content);
    endFrame(start, MessageType.OneWayMessage, 0, 0, out);
  }
});

Deno.bench(`encodeMessage of RpcResponse, 64 B × ${BATCH}`, { group: "encode" }, () => {
  out.truncate(0);
  const message = { type: MessageType.RpcResponse, idHigh: responseId.high, idLow: responseId.low, body } as const;
  for (let i = 0; i < BATCH; i++) encodeMessage(message, out);
});

Deno.bench(`encodeMessage of RpcFailure × ${BATCH}`, { group: "encode" }, () => {
  out.truncate(0);
  const message = { type: MessageType.RpcFailure, requestId: responseId, error: "Cannot find endpoint" } as const;
  for (let i = 0; i < BATCH; i++) encodeMessage(message, out);
});
