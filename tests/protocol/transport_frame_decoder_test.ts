import { assert, assertEquals, assertThrows } from "@std/assert";
import { ByteSink } from "../../src/base/byte_sink.ts";
import { ProtocolError } from "../../src/base/errors.ts";
import { seededRandom } from "../../src/base/random.ts";
import { MAX_FRAME_BYTES } from "../../src/protocol/frame_length.ts";
import { TransportFrameDecoder } from "../../src/protocol/transport_frame_decoder.ts";
import { test } from "../_harness.ts";
import { cuts, feedPart, frameOf, Frames, lengthField, same, Taker } from "./_receiver.ts";
import { pattern } from "../_vectors.ts";

const KIB = 1024;

/** Frames of 1 to 31 KiB in one run of bytes, each with a pattern of its own. */
function manyFrames(count: number, random: () => number): { readonly bytes: Uint8Array; readonly frames: Uint8Array[] } {
  const out = new ByteSink();
  const frames: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const frame = pattern(KIB * (1 + Math.floor(random() * 31)), i);
    frames.push(frame);
    out.writeBytes(frameOf(frame));
  }
  return { bytes: out.copy(), frames };
}

/** Feeds `bytes` in chunks of 256 bytes to 4 KiB. */
function feedInChunks(decoder: TransportFrameDecoder, bytes: Uint8Array, random: () => number, owned: boolean): void {
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + 256 + Math.floor(random() * 4 * KIB));
    feedPart(decoder, bytes, at, end, owned);
    at = end;
  }
}

/** Feeds the length of a frame alone and returns what that throws. */
function lengthError(length: bigint, maxFrameBytes: number = MAX_FRAME_BYTES): ProtocolError {
  const decoder = new TransportFrameDecoder(new Frames(), { maxFrameBytes });
  return assertThrows(() => decoder.feed(lengthField(length), true), ProtocolError);
}

// Spark: TransportFrameDecoderSuite testFrameDecoding
test("TransportFrameDecoder.feed() finds the frames however they are cut", () => {
  const random = seededRandom(1);
  const { bytes, frames } = manyFrames(100, random);
  const receiver = new Frames();
  feedInChunks(receiver.decoder, bytes, random, true);
  assertEquals(receiver.taken.length, 100);
  assert(receiver.taken.every((frame, i) => same(frame, frames[i]!)));
  assertEquals(receiver.decoder.bufferedBytes, 0);
});

// Spark: TransportFrameDecoderSuite testConsolidationPerf
test("TransportFrameDecoder.feed() puts a frame of 30 MiB together in memory of just its size", () => {
  const size = 30 * KIB * KIB;
  const receiver = new Frames();
  receiver.decoder.feed(lengthField(BigInt(size + 8)), true);
  const chunk = pattern(KIB * KIB, 0);
  for (let i = 0; i < 30; i++) receiver.decoder.feed(chunk, false);
  assertEquals(receiver.taken.length, 1);
  assertEquals(receiver.given[0]!.memory.buffer.byteLength, size);
  assertEquals(receiver.given[0]!.owned, true);
  for (let i = 0; i < 30; i++) assert(same(receiver.taken[0]!.subarray(i * chunk.length, (i + 1) * chunk.length), chunk));
});

// Spark: TransportFrameDecoderSuite testInterception. There the interceptor is asked three times and not a fourth.
test("TransportFrameDecoder.feed() gives the interceptor all it wants, then frames again", () => {
  const receiver = new Frames();
  const taker = new Taker(24);
  receiver.decoder.setInterceptor(taker);
  for (let i = 0; i < 3; i++) receiver.decoder.feed(new Uint8Array(8), true);
  receiver.decoder.feed(lengthField(16n), true);
  receiver.decoder.feed(new Uint8Array(8), true);
  assertEquals(taker.events, ["took 8", "took 8", "took 8"]);
  assertEquals(receiver.taken, [new Uint8Array(8)]);
});

// Spark: TransportFrameDecoderSuite testRetainedFrames. There every second frame is kept.
test("MessageBody.take() keeps frames beyond the call, of borrowed chunks too", () => {
  for (const owned of [false, true]) {
    const random = seededRandom(2);
    const { bytes, frames } = manyFrames(100, random);
    const receiver = new Frames();
    feedInChunks(receiver.decoder, bytes, random, owned);
    receiver.decoder.channelInactive();
    bytes.fill(0xee);
    assertEquals(receiver.taken.length, 100);
    assert(receiver.taken.every((frame, i) => same(frame, frames[i]!)), `owned ${owned}`);
  }
});

// Spark: TransportFrameDecoderSuite testSplitLengthField
test("TransportFrameDecoder.feed() takes a length field in pieces", () => {
  const frame = pattern(5 * KIB, 1);
  const bytes = frameOf(frame);
  for (let cut = 0; cut <= 8; cut++) {
    const receiver = new Frames();
    feedPart(receiver.decoder, bytes, 0, cut, false);
    assertEquals([receiver.taken.length, receiver.decoder.bufferedBytes], [0, cut]);
    feedPart(receiver.decoder, bytes, cut, bytes.length, false);
    assertEquals(receiver.taken.length, 1);
    assert(same(receiver.taken[0]!, frame));
  }
});

// Spark: TransportFrameDecoderSuite testNegativeFrameSize
test("TransportFrameDecoder.feed() refuses a negative frame length", () => {
  assertEquals(lengthError(-1n).message, "Frame length should be positive: -9");
  assertEquals(lengthError(-(2n ** 40n)).message, `Frame length should be positive: ${-(2n ** 40n) - 8n}`);
});

// Spark: TransportFrameDecoderSuite testEmptyFrame
test("TransportFrameDecoder.feed() refuses an empty frame, and the length 7 that Spark skips", () => {
  assertEquals(lengthError(8n).message, "Frame length should be positive: 0");
  assertEquals(lengthError(7n).message, "Frame length should be positive: -1");
  assertEquals(lengthError(0n).message, "Frame length should be positive: -8");
});

test("TransportFrameDecoder.feed() takes frames up to maxFrameBytes and refuses larger ones before their bytes come", () => {
  for (const limit of [1, 100, 70 * KIB]) {
    const receiver = new Frames();
    receiver.decoder.maxFrameBytes = limit;
    receiver.decoder.feed(frameOf(pattern(limit, 1)), true);
    assertEquals(receiver.taken.map((frame) => frame.length), [limit]);
    const error = lengthError(BigInt(limit + 9), limit);
    assertEquals(error.message, `Too large frame: ${limit + 1}: the limit is ${limit} bytes`);
    assertEquals(error.limit, limit);
  }
});

test("TransportFrameDecoder.feed() has Spark's limit unless told otherwise", () => {
  for (const maxFrameBytes of [MAX_FRAME_BYTES, 2 ** 31 - 1, Infinity]) {
    assertEquals(lengthError(2n ** 31n + 7n, maxFrameBytes).message, "Too large frame: 2147483647");
    const decoder = new TransportFrameDecoder(new Frames(), { maxFrameBytes });
    decoder.feed(lengthField(2n ** 31n + 6n), true);
    assertEquals(decoder.maxFrameBytes, MAX_FRAME_BYTES);
  }
  for (const wrong of [0, -1, NaN]) {
    assertThrows(() => new TransportFrameDecoder(new Frames(), { maxFrameBytes: wrong }), RangeError);
  }
});

test("TransportFrameDecoder.maxFrameBytes may be raised between frames of one chunk", () => {
  const sizes: number[] = [];
  const decoder = new TransportFrameDecoder({
    onFrame(_received, start, end) {
      sizes.push(end - start);
      decoder.maxFrameBytes = 1000;
    },
  }, { maxFrameBytes: 10 });
  const out = new ByteSink();
  out.writeBytes(frameOf(new Uint8Array(10)));
  out.writeBytes(frameOf(new Uint8Array(1000)));
  decoder.feed(out.copy(), true);
  assertEquals(sizes, [10, 1000]);
});

test("TransportFrameDecoder.feed() names HTTP on a Spark port, whole or one byte at a time, and only at the beginning", () => {
  const http = new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n");
  const text =
    "Too large frame: 5211883372140375593: these are the first bytes of HTTP, so the peer is a web server or browser";
  assertEquals(assertThrows(() => new Frames().decoder.feed(http, true), ProtocolError).message, text);
  const { decoder } = new Frames();
  for (let at = 0; at < 7; at++) feedPart(decoder, http, at, at + 1, false);
  assertEquals(assertThrows(() => feedPart(decoder, http, 7, 8, false), ProtocolError).message, text);
  const later = new Frames().decoder;
  later.feed(frameOf(new Uint8Array(3)), true);
  assertEquals(assertThrows(() => later.feed(http, true), ProtocolError).message, "Too large frame: 5211883372140375593");
});

test("TransportFrameDecoder.feed() hands out a frame that lies whole in a chunk where it is", () => {
  for (const owned of [true, false]) {
    const receiver = new Frames();
    const chunk = frameOf(pattern(100 * KIB, 1));
    receiver.decoder.feed(chunk, owned);
    // The length came before, the frame lies whole in its chunk all the same.
    const second = pattern(100, 2);
    receiver.decoder.feed(lengthField(108n), owned);
    receiver.decoder.feed(second, owned);
    assertEquals(receiver.given.map(({ memory }) => memory === chunk || memory === second), [true, true]);
    assertEquals(receiver.given.map((given) => given.owned), [owned, owned]);
  }
});

test("TransportFrameDecoder.feed() reads what is lent now, not what lay there before: one memory, or two by turns", () => {
  const random = seededRandom(4);
  const { bytes, frames } = manyFrames(200, random);
  for (const lent of [[new Uint8Array(4_400)], [new Uint8Array(4_400), new Uint8Array(5_000)]]) {
    const receiver = new Frames();
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      // Also fewer bytes than a length field has, with those of an old one behind.
      const count = Math.min(bytes.length - at, 1 + Math.floor(random() * (turn % 2 === 0 ? 12 : 4_000)));
      const memory = lent[turn % lent.length]!;
      const start = turn % 3 === 0 ? 40 : 0;
      memory.set(bytes.subarray(at, at + count), start);
      receiver.decoder.feed(memory.subarray(start, start + count), false);
      at += count;
    }
    assertEquals(receiver.taken.length, frames.length);
    assert(receiver.taken.every((frame, i) => same(frame, frames[i]!)));
  }
});

test("TransportFrameDecoder.feed() puts small frames together in one buffer and large ones in memory of their own", () => {
  const receiver = new Frames();
  const sizes = [100, 9000, 64 * KIB - 1, 64 * KIB, 200 * KIB, 50];
  for (const size of sizes) {
    const bytes = frameOf(pattern(size, size));
    feedPart(receiver.decoder, bytes, 0, 30, true);
    assertEquals(receiver.decoder.bufferedBytes, 30);
    feedPart(receiver.decoder, bytes, 30, bytes.length, true);
  }
  assertEquals(receiver.given.map(({ owned }) => owned), sizes.map((size) => size >= 64 * KIB));
  assertEquals(receiver.given[5]!.memory === receiver.given[2]!.memory, true);
  assert(receiver.taken.every((frame, i) => same(frame, pattern(sizes[i]!, sizes[i]!))));
});

test("TransportFrameDecoder.feed() finds frames of all sizes cut in two at every place", () => {
  const out = new ByteSink();
  const sizes = [1, 2, 100, 3 * KIB];
  for (const size of sizes) out.writeBytes(frameOf(pattern(size, size)));
  const bytes = out.copy();
  for (const owned of [true, false]) {
    for (const cut of cuts(bytes.length)) {
      const receiver = new Frames();
      feedPart(receiver.decoder, bytes, 0, cut, owned);
      feedPart(receiver.decoder, bytes, cut, bytes.length, owned);
      assertEquals(receiver.taken.map((frame) => frame.length), sizes, `cut at ${cut}`);
      assert(receiver.taken.every((frame, i) => same(frame, pattern(sizes[i]!, sizes[i]!))), `cut at ${cut}`);
    }
  }
});

test("TransportFrameDecoder keeps no more memory than bytes came, whatever the length claims", () => {
  const { decoder } = new Frames();
  const memory = () => decoder.allocate()!.buffer.byteLength;
  decoder.feed(lengthField(2n ** 31n + 6n), true);
  decoder.feed(new Uint8Array(KIB), true);
  assertEquals(decoder.bufferedBytes, 8 + KIB);
  assert(memory() <= 128 * KIB + 2 * KIB, `${memory()} bytes are kept for 1 KiB`);
  const chunk = new Uint8Array(64 * KIB);
  for (let i = 0; i < 160; i++) {
    decoder.feed(chunk, true);
    assert(memory() <= 2 * (decoder.bufferedBytes + 128 * KIB), `${memory()} bytes are kept for ${decoder.bufferedBytes}`);
  }
  decoder.stop();
  assertEquals([decoder.bufferedBytes, decoder.allocate()], [0, undefined]);
});

test("TransportFrameDecoder.allocate() gives the frame's own memory while 64 KiB or more are missing", () => {
  const receiver = new Frames();
  const { decoder } = receiver;
  const frame = pattern(300 * KIB, 5);
  assertEquals(decoder.allocate(), undefined);
  decoder.feed(frameOf(frame).subarray(0, 18), false);
  let at = 10;
  for (let into = decoder.allocate(); into !== undefined; into = decoder.allocate()) {
    assert(frame.length - at >= 64 * KIB && into.length >= 64 * KIB && into.length <= frame.length - at);
    const chunk = into.subarray(0, 50 * KIB + 7);
    chunk.set(frame.subarray(at, at + chunk.length));
    decoder.feed(chunk, false);
    at += chunk.length;
    assertEquals(decoder.bufferedBytes, 8 + at);
  }
  assert(frame.length - at < 64 * KIB);
  decoder.feed(frame.slice(at), false);
  assertEquals(receiver.taken.length, 1);
  assert(same(receiver.taken[0]!, frame));
  assertEquals(receiver.given[0]!.owned, true);
});

test("TransportFrameDecoder.feed() takes a chunk that fills what allocate() gave to the frame's end", () => {
  const receiver = new Frames();
  const frame = pattern(64 * KIB, 6);
  receiver.decoder.feed(lengthField(BigInt(frame.length + 8)), true);
  const into = receiver.decoder.allocate()!;
  assertEquals(into.length, frame.length);
  into.set(frame);
  receiver.decoder.feed(into, false);
  assert(same(receiver.taken[0]!, frame));
  assert(receiver.taken[0]!.buffer === into.buffer);
  receiver.decoder.feed(frameOf(Uint8Array.of(1)), true);
  assertEquals(receiver.taken[1], Uint8Array.of(1));
});

test("TransportFrameDecoder.feed() takes bytes from wherever they lie in what allocate() gave", () => {
  const receiver = new Frames();
  const frame = pattern(300 * KIB, 7);
  receiver.decoder.feed(frameOf(frame).subarray(0, 18), false);
  const into = receiver.decoder.allocate()!;
  into.set(frame.subarray(10, 110), 1_000);
  receiver.decoder.feed(into.subarray(1_000, 1_100), false);
  receiver.decoder.feed(frame.slice(110), false);
  assert(same(receiver.taken[0]!, frame));
});

test("TransportFrameDecoder.feed() takes chunks of other memory after allocate()", () => {
  const random = seededRandom(9);
  const receiver = new Frames();
  const frames = Array.from({ length: 20 }, (_, i) => pattern(1 + Math.floor(random() * 400 * KIB), i));
  const out = new ByteSink();
  for (const frame of frames) out.writeBytes(frameOf(frame));
  const bytes = out.copy();
  for (let at = 0; at < bytes.length;) {
    const into = receiver.decoder.allocate();
    const useIt = into !== undefined && random() < 0.5;
    const count = Math.min(bytes.length - at, 1 + Math.floor(random() * 100 * KIB), useIt ? into.length : Infinity);
    if (useIt) {
      into.set(bytes.subarray(at, at + count));
      receiver.decoder.feed(into.subarray(0, count), false);
    } else {
      feedPart(receiver.decoder, bytes, at, at + count, false);
    }
    at += count;
  }
  assertEquals(receiver.taken.length, frames.length);
  assert(receiver.taken.every((frame, i) => same(frame, frames[i]!)));
});
