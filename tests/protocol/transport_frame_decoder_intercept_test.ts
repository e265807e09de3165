import { assertEquals } from "@std/assert";
import { FRAME_HEAD_BYTES, type Interceptor, STREAMED_BODY_BYTES } from "../../src/protocol/transport_frame_decoder.ts";
import { TransportFrameDecoder } from "../../src/protocol/transport_frame_decoder.ts";
import { test, toHex } from "../_harness.ts";

const HEAD = Uint8Array.from({ length: FRAME_HEAD_BYTES }, (_, i) => i + 1);

/** A frame with so many bytes behind its head, and a small one after it. */
function frames(bodyBytes: number): Uint8Array {
  const size = FRAME_HEAD_BYTES + bodyBytes;
  const bytes = new Uint8Array(8 + size + 10);
  new DataView(bytes.buffer).setUint32(4, 8 + size);
  bytes.set(HEAD, 8);
  for (let i = 0; i < bodyBytes; i++) bytes[8 + FRAME_HEAD_BYTES + i] = (i * 31 + (i >> 8)) & 0xff;
  bytes.set([0, 0, 0, 0, 0, 0, 0, 10, 77, 78], 8 + size);
  return bytes;
}

/** Takes the body, and notes all that it is called with. */
class Taker implements Interceptor {
  readonly taken: Uint8Array;
  count = 0;
  ends = 0;

  constructor(size: number) {
    this.taken = new Uint8Array(size);
  }

  handle(memory: Uint8Array, start: number, end: number): number {
    const count = Math.min(end - start, this.taken.length - this.count);
    this.taken.set(memory.subarray(start, start + count), this.count);
    this.count += count;
    return count;
  }

  channelInactive(): void {
    this.ends++;
  }

  exceptionCaught(): void {
    this.ends++;
  }
}

interface Heard {
  readonly heads: string[];
  readonly frames: number[];
  taker: Taker | undefined;
}

function decode(chunks: readonly Uint8Array[], wanted: boolean): Heard {
  const heard: Heard = { heads: [], frames: [], taker: undefined };
  const decoder = new TransportFrameDecoder({
    onFrame: (_, start, end) => void heard.frames.push(end - start),
    interceptFrame(head, bodyBytes) {
      heard.heads.push(`${toHex(head)} ${bodyBytes}`);
      if (wanted) heard.taker = new Taker(bodyBytes);
      return heard.taker;
    },
  });
  for (const chunk of chunks) decoder.feed(chunk, true);
  assertEquals([decoder.bufferedBytes, decoder.frames], [0, 2]);
  return heard;
}

/** Every cut in the lengths, the head and the last 64 bytes, and each multiple of 64 KiB between. */
function cutsOf(length: number): number[] {
  const cuts: number[] = [];
  for (let at = 1; at < length; at++) if (at < 40 || at > length - 64 || at % 65_536 === 0) cuts.push(at);
  return cuts;
}

for (const wanted of [true, false]) {
  test(`TransportFrameDecoder asks who takes a large frame, cut anywhere, and ${wanted ? "gives it to him" : "gathers it if nobody does"}`, () => {
    const all = frames(STREAMED_BODY_BYTES);
    const body = all.slice(8 + FRAME_HEAD_BYTES, all.length - 10);
    for (const cut of cutsOf(all.length)) {
      const { heads, frames, taker } = decode([all.slice(0, cut), all.slice(cut)], wanted);
      // A frame that lies whole in one piece is handed out where it is.
      const whole = cut >= all.length - 10;
      assertEquals(heads, whole ? [] : [`${toHex(HEAD)} ${STREAMED_BODY_BYTES}`], `cut at ${cut}`);
      assertEquals(frames, wanted && !whole ? [2] : [FRAME_HEAD_BYTES + STREAMED_BODY_BYTES, 2], `cut at ${cut}`);
      if (wanted && !whole) {
        assertEquals([taker?.count, taker?.taken.every((byte, i) => byte === body[i])], [body.length, true]);
      }
    }
  });
}

test("TransportFrameDecoder asks nobody about a smaller frame", () => {
  const all = frames(STREAMED_BODY_BYTES - 1);
  const { heads, frames: sizes } = decode([all.slice(0, 100), all.slice(100)], true);
  assertEquals([heads, sizes], [[], [FRAME_HEAD_BYTES + STREAMED_BODY_BYTES - 1, 2]]);
});

test("TransportFrameDecoder gives no memory for a large frame before it knows who takes it", () => {
  const all = frames(STREAMED_BODY_BYTES);
  const decoder = new TransportFrameDecoder({ onFrame() {}, interceptFrame: () => undefined });
  for (const [i, byte] of all.subarray(0, 21).entries()) {
    assertEquals(decoder.allocate(), undefined, `before byte ${i}`);
    decoder.feed(Uint8Array.of(byte), true);
  }
  assertEquals(decoder.allocate()!.length >= 64 * 1024, true);
});

test("TransportFrameDecoder tells who takes a large frame that its connection is gone", () => {
  const all = frames(STREAMED_BODY_BYTES);
  for (const how of ["channelInactive", "exceptionCaught"] as const) {
    const taker = new Taker(STREAMED_BODY_BYTES);
    const decoder = new TransportFrameDecoder({ onFrame() {}, interceptFrame: () => taker });
    decoder.feed(all.slice(0, 1_000), true);
    if (how === "channelInactive") decoder.channelInactive();
    else decoder.exceptionCaught(new Error("gone"));
    decoder.feed(all.slice(1_000), true);
    assertEquals([taker.ends, taker.count], [1, 1_000 - 21]);
  }
});

test("TransportFrameDecoder whose handler stops it at the beginning of a large frame takes no more of it", () => {
  const all = frames(STREAMED_BODY_BYTES);
  for (const isWanted of [false, true]) {
    const taker = new Taker(STREAMED_BODY_BYTES);
    let frameCount = 0;
    const decoder = new TransportFrameDecoder({
      onFrame: () => void frameCount++,
      interceptFrame() {
        decoder.stop();
        return isWanted ? taker : undefined;
      },
    });
    decoder.feed(all.slice(0, 1_000), true);
    decoder.feed(all.slice(1_000), true);
    decoder.channelInactive();
    assertEquals([frameCount, decoder.frames, decoder.bufferedBytes, taker.count, taker.ends], [0, 0, 0, 0, 0]);
  }
});
