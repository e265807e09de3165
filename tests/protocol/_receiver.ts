/**
 * The receiving half of a connection for tests: decoder, messages, and the bodies that follow frames.
 *
 * @module
 */

import { ByteSink } from "../../src/base/byte_sink.ts";
import { int64FromBigInt } from "../../src/base/int64.ts";
import { decodeMessage } from "../../src/protocol/message_decoder.ts";
import { type Message, MessageType } from "../../src/protocol/message.ts";
import { MessageBody } from "../../src/base/message_body.ts";
import type { ReceivedBytes } from "../../src/base/received_bytes.ts";
import { StreamInterceptor } from "../../src/protocol/stream_interceptor.ts";
import { type FrameHandler, type Interceptor, TransportFrameDecoder } from "../../src/protocol/transport_frame_decoder.ts";

/** A message and, for StreamResponse and UploadStream, the bytes that followed it. */
export interface Received {
  readonly message: Message;
  /** What `take()` gave for each body of the message, in the order of its fields. */
  readonly taken: Uint8Array[];
  readonly stream: number[];
  ended: boolean;
}

/** Decodes what is fed and takes every body while its frame is handled. */
export class Receiver implements FrameHandler {
  readonly decoder: TransportFrameDecoder = new TransportFrameDecoder(this);
  readonly received: Received[] = [];

  onFrame(chunk: ReceivedBytes, start: number, end: number): void {
    const message = decodeMessage(chunk, start, end);
    const taken: Uint8Array[] = [];
    if ("meta" in message) taken.push(message.meta.take());
    if ("body" in message) taken.push(message.body.take());
    const byteCount = streamByteCount(message);
    const received: Received = { message, taken, stream: [], ended: byteCount === 0 };
    this.received.push(received);
    if (byteCount > 0) this.decoder.setInterceptor(collect(byteCount, received));
  }
}

function streamByteCount(message: Message): number {
  if (message.type === MessageType.StreamResponse) return message.byteCount;
  return message.type === MessageType.UploadStream ? message.bodyByteCount : 0;
}

function collect(byteCount: number, into: Received): StreamInterceptor {
  const callback = {
    onData: (_: string, chunk: Uint8Array) => {
      for (const byte of chunk) into.stream.push(byte);
    },
    onComplete: () => {
      into.ended = true;
    },
    onFailure: (_: string, error: Error) => {
      throw error;
    },
  };
  return new StreamInterceptor("stream", byteCount, callback, { pause() {}, resume() {} }, () => {});
}

/** Feeds `[from, to)` of `bytes` as a chunk of its own; a borrowed one is spoilt afterwards. */
export function feedPart(decoder: TransportFrameDecoder, bytes: Uint8Array, from: number, to: number, owned: boolean): void {
  const chunk = bytes.slice(from, to);
  decoder.feed(chunk, owned);
  if (!owned) chunk.fill(0xee);
}

/** Where input is cut once: everywhere up to 4 KiB; else in the head, the last 64 bytes and at each multiple of 4 KiB. */
export function cuts(length: number): number[] {
  const all = Array.from({ length: length + 1 }, (_, i) => i);
  return length <= 4096 ? all : all.filter((i) => i <= 64 || i >= length - 64 || i % 4096 === 0);
}

/** A frame: the length, then `content`. */
export function frameOf(content: Uint8Array): Uint8Array {
  const out = new ByteSink();
  out.writeSafeInt64(content.length + 8);
  out.writeBytes(content);
  return out.copy();
}

/** The eight bytes of a length field. */
export function lengthField(value: bigint): Uint8Array {
  const out = new ByteSink();
  const { high, low } = int64FromBigInt(value);
  out.writeInt64(high, low);
  return out.copy();
}

/** Whether two runs of bytes are the same; assertEquals takes seconds on large ones. */
export function same(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Keeps each frame by `take()` and remembers how it was given. */
export class Frames implements FrameHandler {
  readonly decoder: TransportFrameDecoder = new TransportFrameDecoder(this);
  readonly taken: Uint8Array[] = [];
  readonly given: ReceivedBytes[] = [];

  onFrame(received: ReceivedBytes, start: number, end: number): void {
    this.taken.push(new MessageBody(received, start, end).take());
    this.given.push(received);
  }
}

/** An interceptor that takes `wanted` bytes. */
export class Taker implements Interceptor {
  wanted: number;
  readonly events: string[] = [];

  constructor(wanted: number) {
    this.wanted = wanted;
  }

  handle(_memory: Uint8Array, start: number, end: number): number {
    const taken = Math.min(this.wanted, end - start);
    this.wanted -= taken;
    if (taken > 0) this.events.push(`took ${taken}`);
    return taken;
  }

  channelInactive(): void {
    this.events.push("channelInactive");
  }

  exceptionCaught(cause: Error): void {
    this.events.push(`exceptionCaught ${cause.message}`);
  }
}
