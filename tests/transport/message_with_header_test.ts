import { assert, assertEquals } from "@std/assert";
import { setTimeout } from "node:timers/promises";
import { Deadlines } from "../../src/base/deadlines.ts";
import { int64FromSafe } from "../../src/base/int64.ts";
import { type Message, MessageType } from "../../src/protocol/message.ts";
import { MessageBody } from "../../src/base/message_body.ts";
import type { ManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import { bodyElsewhere } from "../../src/transport/body_elsewhere.ts";
import { OutgoingQueue } from "../../src/transport/outgoing_queue.ts";
import { SharedPieces } from "../../src/transport/piece_memory.ts";
import { HandClock } from "../_hand_clock.ts";
import { concat, test, until } from "../_harness.ts";
import { content, CountedBuffer } from "../_counted_buffer.ts";
import { frameOf } from "./_raw_peer.ts";
import { StubSocket } from "./_stub_driver.ts";

function setUp(): { socket: StubSocket; queue: OutgoingQueue } {
  const clock = new HandClock();
  const socket = new StubSocket({ host: "peer", port: 1 }, () => ({ onData() {}, onDrain() {}, onEnd() {}, onClose() {} }));
  const limits = { maxQueuedBytes: 2 ** 28, maxFrameBytes: 2 ** 31 };
  return { socket, queue: new OutgoingQueue(socket, clock, new Deadlines(clock), limits, new SharedPieces()) };
}

const STREAM = int64FromSafe(7);
const head = (length: number): Message => ({
  type: MessageType.ChunkFetchSuccess,
  streamId: STREAM,
  chunkIndex: 3,
  body: bodyElsewhere(length),
});

/** What Spark's encoder makes of a chunk: one frame, whose end is the chunk. */
function frame(bytes: Uint8Array): Uint8Array {
  return frameOf({ type: MessageType.ChunkFetchSuccess, streamId: STREAM, chunkIndex: 3, body: MessageBody.of(bytes) });
}

async function send(queue: OutgoingQueue, socket: StubSocket, body: ManagedBuffer): Promise<Uint8Array> {
  let error: Error | undefined | "not yet" = "not yet";
  queue.writeBody(head(body.size), body, (failure) => error = failure);
  queue.flush();
  await until(() => error !== "not yet", "the chunk to be sent");
  assertEquals(error, undefined);
  return concat(socket.writes);
}

// Spark: MessageWithHeaderSuite "testSingleWrite"
test("OutgoingQueue.writeBody() sends head and body as one frame, whichever way the bytes are had", async () => {
  for (const size of [0, 1, 42, 16 * 1024 - 1, 16 * 1024, 300_000]) {
    for (const inMemory of [true, false]) {
      const { socket, queue } = setUp();
      const body = new CountedBuffer(content(size), { inMemory });
      assertEquals(await send(queue, socket, body), frame(content(size)));
      assertEquals([body.holders, body.frees], [0, 1]);
    }
  }
});

// Spark: MessageWithHeaderSuite "testShortWrite"
test("OutgoingQueue.writeBody() sends the same bytes to a socket that takes them a piece at a time", async () => {
  for (const inMemory of [true, false]) {
    const { socket, queue } = setUp();
    const body = new CountedBuffer(content(3_000_000), { inMemory });
    socket.full = true;
    let done = false;
    queue.writeBody(head(body.size), body, () => done = true);
    for (let turns = 0; !done; turns++) {
      assert(turns < 1_000, "it ends");
      queue.drained();
      await setTimeout();
    }
    assert(socket.writes.length > 3);
    assertEquals([concat(socket.writes), body.frees], [frame(content(3_000_000)), 1]);
  }
});

test("OutgoingQueue.writeBody() writes small bodies when a buffer is full of them, however many come at once", () => {
  const { socket, queue } = setUp();
  const bytes = content(10_000);
  for (let i = 0; i < 100; i++) {
    queue.writeBody(head(bytes.length), new CountedBuffer(bytes, { inMemory: true }), () => {});
    assert(queue.gatheredBytes < 32 * 1024, `${queue.gatheredBytes} bytes are gathered`);
  }
  queue.flush();
  assertEquals(socket.writtenBytes, 100 * frame(bytes).length);
});

// Spark: MessageWithHeaderSuite "testByteBufBody"
test("OutgoingQueue.writeBody() hands large bytes in memory on without a copy", () => {
  const { socket, queue } = setUp();
  const bytes = content(100_000);
  const buffers: ArrayBufferLike[] = [];
  const write = socket.write.bind(socket);
  socket.write = (chunks) => {
    for (const chunk of chunks) buffers.push(chunk.buffer);
    return write(chunks);
  };
  queue.writeBody(head(bytes.length), new CountedBuffer(bytes, { inMemory: true }), () => {});
  assertEquals([buffers.length, buffers[1] === bytes.buffer, concat(socket.writes)], [2, true, frame(bytes)]);
});

test("OutgoingQueue.writeBody() sends what a body was, though its memory changes with the release while the socket has it", async () => {
  for (const size of [100, 20_000, 3_000_000]) {
    const { socket, queue } = setUp();
    const late: Uint8Array[] = [];
    socket.write = (chunks) => {
      late.push(...chunks);
      for (const { length } of chunks) socket.queuedBytes += length;
      return true;
    };
    const body = new CountedBuffer(content(size), { inMemory: true, keepsBytes: false });
    let done = false;
    queue.writeBody(head(size), body, () => done = true);
    queue.flush();
    await until(() => done, "the chunk to be handed over");
    assertEquals([body.holders, body.frees], [0, 1]);
    body.bytes?.fill(0xee);
    socket.writes.push(...late);
    assertEquals(concat(socket.writes), frame(content(size)));
  }
});

/** A body whose reads give what lies in one of its parts. */
function composite(parts: readonly Uint8Array[]): ManagedBuffer {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const buffer: ManagedBuffer = {
    size,
    read(position, into) {
      let start = 0;
      for (const part of parts) {
        if (position < start + part.length) {
          const piece = part.subarray(position - start, position - start + into.length);
          into.set(piece);
          return piece.length;
        }
        start += part.length;
      }
      return 0;
    },
    retain: () => buffer,
    release() {},
  };
  return buffer;
}

// Spark: MessageWithHeaderSuite "testCompositeByteBufBodySingleBuffer"
test("OutgoingQueue.writeBody() sends a body of one part", async () => {
  const { socket, queue } = setUp();
  assertEquals(await send(queue, socket, composite([content(8)])), frame(content(8)));
});

// Spark: MessageWithHeaderSuite "testCompositeByteBufBodyMultipleBuffers"
test("OutgoingQueue.writeBody() sends a body of many parts", async () => {
  const { socket, queue } = setUp();
  const bytes = content(1_000);
  const parts = Array.from({ length: 10 }, (_, i) => bytes.subarray(i * 100, i * 100 + 100));
  assertEquals(await send(queue, socket, composite(parts)), frame(bytes));
});

// Spark: MessageWithHeaderSuite "testDeallocateReleasesManagedBuffer"
test("OutgoingQueue.stop() releases each body once: one being read, one that waits, one that comes late", async () => {
  const { queue } = setUp();
  const never = new Promise<void>(() => {});
  const bodies = [
    new CountedBuffer(content(100_000), { gate: Promise.resolve() }),
    new CountedBuffer(content(100_000), { gate: never }),
    new CountedBuffer(content(100_000), { inMemory: true }),
  ];
  const errors: (string | undefined)[] = [];
  for (const body of bodies) queue.writeBody(head(body.size), body, (error) => errors.push(error?.message));
  await Promise.resolve();
  queue.stop(new Error("gone"));
  const late = new CountedBuffer(content(10));
  queue.writeBody(head(late.size), late, (error) => errors.push(error?.message));
  await until(() => bodies[0]!.holders === 0, "the read that was under way");
  assertEquals([...bodies, late].map(({ frees }) => frees), [1, 1, 1, 1]);
  assertEquals(errors, ["gone", "gone", "gone", "The connection is closed"]);
});
