import { assert, assertEquals, assertThrows } from "@std/assert";
import { AssertionError } from "../../src/base/assert.ts";
import { ByteSink } from "../../src/base/byte_sink.ts";
import { ProtocolError } from "../../src/base/errors.ts";
import { seededRandom } from "../../src/base/random.ts";
import { TransportFrameDecoder } from "../../src/protocol/transport_frame_decoder.ts";
import { test } from "../_harness.ts";
import { cuts, feedPart, frameOf, Frames, Taker } from "./_receiver.ts";

test("TransportFrameDecoder.feed() gives an interceptor that a handler sets the bytes after that frame", () => {
  const frames = [new Uint8Array(20).fill(1), new Uint8Array(30).fill(2)];
  const out = new ByteSink();
  out.writeBytes(frameOf(frames[0]!));
  out.writeBytes(new Uint8Array(1000).fill(0xff));
  out.writeBytes(frameOf(frames[1]!));
  const bytes = out.copy();
  for (const cut of cuts(bytes.length)) {
    const taker = new Taker(1000);
    const seen: number[] = [];
    const decoder = new TransportFrameDecoder({
      onFrame({ memory }, start, end) {
        seen.push(end - start, memory[start]!);
        if (seen.length === 2) decoder.setInterceptor(taker);
      },
    });
    feedPart(decoder, bytes, 0, cut, false);
    feedPart(decoder, bytes, cut, bytes.length, false);
    assertEquals([seen, taker.wanted], [[20, 1, 30, 2], 0], `cut at ${cut}`);
  }
});

test("TransportFrameDecoder.setInterceptor() refuses a second one", () => {
  const { decoder } = new Frames();
  decoder.setInterceptor(new Taker(1));
  assertThrows(() => decoder.setInterceptor(new Taker(1)), AssertionError, "Already have an interceptor.");
});

test("TransportFrameDecoder tells the interceptor of the end, once", () => {
  for (const first of ["channelInactive", "exceptionCaught failed"]) {
    const { decoder } = new Frames();
    const taker = new Taker(100);
    decoder.setInterceptor(taker);
    if (first === "channelInactive") decoder.channelInactive();
    decoder.exceptionCaught(new Error("failed"));
    decoder.channelInactive();
    decoder.feed(new Uint8Array(8), true);
    assertEquals(taker.events, [first]);
  }
});

test("TransportFrameDecoder.stop() ignores the rest of the chunk and all later ones, but the interceptor hears of the end", () => {
  const seen: number[] = [];
  const taker = new Taker(100);
  const decoder = new TransportFrameDecoder({
    onFrame({ memory }, start) {
      seen.push(memory[start]!);
      if (seen.length < 2) return;
      decoder.setInterceptor(taker);
      decoder.stop();
    },
  });
  const out = new ByteSink();
  for (const byte of [1, 2, 3]) out.writeBytes(frameOf(Uint8Array.of(byte)));
  decoder.feed(out.copy(), true);
  decoder.feed(frameOf(Uint8Array.of(4)), true);
  decoder.channelInactive();
  assertEquals([seen, taker.events], [[1, 2], ["channelInactive"]]);
});

test("TransportFrameDecoder.stop() from within an interceptor, and from within a frame that was cut", () => {
  const seen: number[] = [];
  const decoder = new TransportFrameDecoder({
    onFrame(_memory, start, end) {
      seen.push(end - start);
      decoder.stop();
    },
  });
  const bytes = frameOf(new Uint8Array(100));
  decoder.feed(bytes.subarray(0, 50), false);
  const rest = new ByteSink();
  rest.writeBytes(bytes.subarray(50));
  rest.writeBytes(bytes);
  decoder.feed(rest.copy(), false);
  assertEquals([seen, decoder.bufferedBytes], [[100], 0]);

  const { decoder: other, taken } = new Frames();
  const taker = new Taker(10);
  taker.handle = (_memory, start, end) => {
    other.stop();
    return Math.min(10, end - start);
  };
  other.setInterceptor(taker);
  const input = new ByteSink();
  input.writeBytes(new Uint8Array(10));
  input.writeBytes(frameOf(new Uint8Array(5)));
  other.feed(input.copy(), true);
  assertEquals(taken.length, 0);
});

test("TransportFrameDecoder.feed() lets an error of the handler through and is stopped by it", () => {
  let calls = 0;
  const decoder = new TransportFrameDecoder({
    onFrame() {
      calls++;
      throw new TypeError("handler");
    },
  });
  assertThrows(() => decoder.feed(frameOf(new Uint8Array(3)), true), TypeError, "handler");
  decoder.feed(frameOf(new Uint8Array(3)), true);
  assertEquals(calls, 1);
});

test("TransportFrameDecoder.feed() refuses to be called by its own handler", () => {
  const decoder = new TransportFrameDecoder({
    onFrame: () => decoder.feed(new Uint8Array(1), true),
  });
  assertThrows(() => decoder.feed(frameOf(new Uint8Array(3)), true), AssertionError, "feed() was called by what it had called");
});

test("TransportFrameDecoder.feed() throws nothing but ProtocolError on random bytes", () => {
  const random = seededRandom(3);
  let refused = 0;
  for (let round = 0; round < 5_000; round++) {
    const { decoder } = new Frames();
    try {
      for (let i = 0; i < 5; i++) {
        const chunk = Uint8Array.from({ length: Math.floor(random() * 40) }, () => Math.floor(random() * 256));
        // Half of the rounds begin with a length that may pass.
        if (round % 2 === 0 && i === 0) chunk.fill(0, 0, 7);
        decoder.feed(chunk, random() < 0.5);
      }
    } catch (thrown) {
      if (!(thrown instanceof ProtocolError)) throw thrown;
      refused++;
    }
  }
  assert(refused > 2_500 && refused < 5_000);
});
