import { assert, assertEquals, assertThrows } from "@std/assert";
import { StreamError } from "../../src/base/errors.ts";
import type { StreamCallback, StreamFlow } from "../../src/protocol/stream_callback.ts";
import { StreamInterceptor } from "../../src/protocol/stream_interceptor.ts";
import { TransportFrameDecoder } from "../../src/protocol/transport_frame_decoder.ts";
import { untilCollected } from "../_garbage.ts";
import { test, toHex } from "../_harness.ts";
import { cuts, feedPart, frameOf } from "./_receiver.ts";
import { pattern } from "../_vectors.ts";

const flow: StreamFlow = { pause() {}, resume() {} };

/** Writes down what a callback hears, in order. */
class Log implements StreamCallback {
  readonly events: string[] = [];
  data = "";
  error: Error | undefined;

  onData(streamId: string, chunk: Uint8Array): void {
    if (this.data === "") this.events.push(`onData ${streamId}`);
    this.data += toHex(chunk);
  }

  onComplete(streamId: string): void {
    this.events.push(`onComplete ${streamId}`);
  }

  onFailure(streamId: string, error: Error): void {
    this.events.push(`onFailure ${streamId}`);
    this.error = error;
  }

  intercept(byteCount: number): StreamInterceptor {
    return new StreamInterceptor("s", byteCount, this, flow, () => this.events.push("onEnd"));
  }
}

test("StreamInterceptor takes just its bytes wherever the input is cut, and the next frame follows", () => {
  const body = pattern(100, 3);
  const frame = frameOf(Uint8Array.of(1, 2, 3));
  const input = new Uint8Array(body.length + frame.length);
  input.set(body);
  input.set(frame, body.length);
  for (const cut of cuts(input.length)) {
    const log = new Log();
    const frames: string[] = [];
    const decoder = new TransportFrameDecoder({
      onFrame: ({ memory }, start, end) => frames.push(toHex(memory.subarray(start, end))),
    });
    decoder.setInterceptor(log.intercept(body.length));
    feedPart(decoder, input, 0, cut, false);
    feedPart(decoder, input, cut, input.length, false);
    decoder.channelInactive();
    assertEquals(log.data, toHex(body), `cut at ${cut}`);
    assertEquals(log.events, ["onData s", "onEnd", "onComplete s"], `cut at ${cut}`);
    assertEquals(frames, ["010203"], `cut at ${cut}`);
  }
});

test("StreamInterceptor passes on ownership, and whole chunks as they are", () => {
  const seen: unknown[] = [];
  const callback: StreamCallback = {
    onData: (_, chunk, owned) => void seen.push(chunk.buffer, owned),
    onComplete() {},
    onFailure() {},
  };
  const interceptor = new StreamInterceptor("s", 10, callback, flow, () => {});
  const chunk = new Uint8Array(4);
  assertEquals(interceptor.handle(chunk, 0, 4, true), 4);
  assertEquals(interceptor.handle(chunk, 1, 3, false), 2);
  assertEquals(seen, [chunk.buffer, true, chunk.buffer, false]);
});

test("StreamInterceptor lets its callback hold the connection back, until the stream has ended", () => {
  const calls: string[] = [];
  const connection: StreamFlow = { pause: () => void calls.push("pause"), resume: () => void calls.push("resume") };
  let own: StreamFlow = flow;
  const callback: StreamCallback = {
    onData(_id, _chunk, _owned, given) {
      own = given;
      given.pause();
    },
    onComplete: () => void calls.push("onComplete"),
    onFailure() {},
  };
  const interceptor = new StreamInterceptor("s", 2, callback, connection, () => {});
  interceptor.handle(new Uint8Array(1), 0, 1, true);
  own.resume();
  assertEquals(calls.splice(0), ["pause", "resume"]);
  interceptor.handle(new Uint8Array(1), 0, 1, true);
  assertEquals(calls.splice(0), ["pause", "resume", "onComplete"]);
  // By now the connection belongs to the next stream.
  own.pause();
  own.resume();
  assertEquals(calls, []);
});

test("StreamInterceptor takes nothing once it has all", () => {
  const log = new Log();
  const interceptor = log.intercept(2);
  assertEquals(interceptor.handle(new Uint8Array(5), 1, 5, true), 2);
  assertEquals(interceptor.handle(new Uint8Array(5), 0, 5, true), 0);
  interceptor.channelInactive();
  interceptor.exceptionCaught(new Error("late"));
  assertEquals(log.events, ["onData s", "onEnd", "onComplete s"]);
});

test("StreamInterceptor.channelInactive() fails the stream and says how much came", () => {
  const log = new Log();
  const interceptor = log.intercept(10);
  interceptor.handle(new Uint8Array(4), 0, 4, true);
  interceptor.channelInactive();
  interceptor.channelInactive();
  assertEquals(log.events, ["onData s", "onEnd", "onFailure s"]);
  assert(log.error instanceof StreamError);
  assertEquals(log.error.streamId, "s");
  assertEquals(log.error.message, "Connection closed within stream s: 4 of 10 bytes came");
});

test("StreamInterceptor.exceptionCaught() fails the stream with the cause, once", () => {
  const log = new Log();
  const interceptor = log.intercept(10);
  const cause = new Error("reset");
  interceptor.exceptionCaught(cause);
  interceptor.channelInactive();
  assertEquals(interceptor.handle(new Uint8Array(4), 0, 4, true), 0);
  assertEquals(log.events, ["onEnd", "onFailure s"]);
  assertEquals(log.error, cause);
});

test("StreamInterceptor lets an error of onData through, and the stream fails with it", () => {
  const log = new Log();
  log.onData = () => {
    throw new Error("disk full");
  };
  const decoder = new TransportFrameDecoder({ onFrame() {} });
  decoder.setInterceptor(log.intercept(10));
  const error = assertThrows(() => decoder.feed(new Uint8Array(4), true), Error, "disk full");
  decoder.exceptionCaught(error);
  decoder.channelInactive();
  assertEquals(log.events, ["onEnd", "onFailure s"]);
  assertEquals(log.error, error);
});

test("StreamInterceptor lets an error of onComplete through, and onFailure does not follow", () => {
  const log = new Log();
  log.onComplete = () => {
    throw new Error("late");
  };
  const interceptor = log.intercept(4);
  const error = assertThrows(() => interceptor.handle(new Uint8Array(4), 0, 4, true), Error, "late");
  interceptor.exceptionCaught(error);
  assertEquals(log.events, ["onData s", "onEnd"]);
});

test("StreamInterceptor does not complete a stream whose last onData closed the connection", () => {
  const log = new Log();
  const interceptor = log.intercept(4);
  const onData = log.onData.bind(log);
  log.onData = (streamId, chunk) => {
    onData(streamId, chunk);
    interceptor.channelInactive();
  };
  assertEquals(interceptor.handle(new Uint8Array(4), 0, 4, true), 4);
  assertEquals(log.events, ["onData s", "onEnd", "onFailure s"]);
});

test("StreamInterceptor.allocate() gives its callback's memory as long as many bytes are missing", () => {
  const memory = new Uint8Array(100_000);
  const log = new Log();
  const callback: StreamCallback = { ...plain(log), allocate: () => memory };
  const interceptor = new StreamInterceptor("s", 100_000, callback, flow, () => {});
  const decoder = new TransportFrameDecoder({ onFrame() {} });
  assertEquals(decoder.allocate(), undefined);
  decoder.setInterceptor(interceptor);
  assert(decoder.allocate() === memory);
  decoder.feed(memory.subarray(0, 34_464), true);
  assert(decoder.allocate() === memory);
  decoder.feed(memory.subarray(0, 1), true);
  assertEquals(decoder.allocate(), undefined);
  decoder.feed(memory.subarray(0, 65_535), true);
  assertEquals([log.events.at(-1), decoder.allocate()], ["onComplete s", undefined]);
});

function plain(log: Log): StreamCallback {
  return {
    onData: (streamId, chunk) => log.onData(streamId, chunk),
    onComplete: (streamId) => log.onComplete(streamId),
    onFailure: (streamId, error) => log.onFailure(streamId, error),
  };
}

test("StreamInterceptor keeps nothing of a stream that has ended, though nothing follows it on the connection", async () => {
  const decoder = new TransportFrameDecoder({ onFrame() {} });
  const large: WeakRef<object>[] = [];
  const take = (): void => {
    const chunks: Uint8Array[] = [];
    const keeping: StreamCallback = { onData: (_, chunk) => void chunks.push(chunk), onComplete() {}, onFailure() {} };
    decoder.setInterceptor(new StreamInterceptor("s", 1_000_000, keeping, flow, () => void chunks.length));
    decoder.feed(new Uint8Array(1_000_000), true);
    large.push(new WeakRef(chunks[0]!));
  };
  take();
  await untilCollected(large, "the stream's bytes");
  // The decoder is the connection's, and goes on.
  assertEquals(decoder.bufferedBytes, 0);
});
