import { assertEquals, assertThrows } from "@std/assert";
import { RpcOverloadedError } from "../../src/base/errors.ts";
import { MessageBody } from "../../src/base/message_body.ts";
import { Deadlines } from "../../src/base/deadlines.ts";
import { BytesManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import type { ManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import { MessageType } from "../../src/protocol/message.ts";
import type { Socket } from "../../src/socket/socket.ts";
import { OutgoingQueue } from "../../src/transport/outgoing_queue.ts";
import { SharedPieces } from "../../src/transport/piece_memory.ts";
import type { Content } from "../../src/transport/rpc_response_callback.ts";
import { untilCollected } from "../_garbage.ts";
import { HandClock } from "../_hand_clock.ts";
import { test, until } from "../_harness.ts";

/** A socket that keeps what it is given until the test takes it. */
class HeldSocket implements Socket {
  readonly localAddress = { host: "127.0.0.1", port: 1 };
  readonly remoteAddress = { host: "127.0.0.1", port: 2 };
  readonly secure = false;
  readonly closed = Promise.resolve();
  readonly writes: number[] = [];
  readonly sent: number[] = [];
  instant: boolean;
  aborted = false;
  #held: Uint8Array[] = [];

  constructor(instant: boolean) {
    this.instant = instant;
  }

  get queuedBytes(): number {
    return this.#held.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  write(chunks: readonly Uint8Array[]): boolean {
    for (const chunk of chunks) {
      this.writes.push(chunk.length);
      this.#held.push(chunk);
      if (this.instant) this.release();
    }
    return this.queuedBytes < 64 * 1024;
  }

  /** Lets the first `count` chunks go; what they hold by then is what was sent. */
  release(count = this.#held.length): void {
    for (const chunk of this.#held.splice(0, count)) for (const byte of chunk) this.sent.push(byte);
  }

  /** Lets all go at once; says what memory it was, without keeping it. */
  leave(): WeakRef<ArrayBufferLike>[] {
    return this.#held.splice(0).map((chunk) => new WeakRef(chunk.buffer));
  }

  pause(): void {}
  resume(): void {}
  shutdown(): void {}

  abort(): void {
    this.aborted = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.closed;
  }
}

function setUp(
  instant = true,
  maxQueuedBytes = 2 ** 28,
  maxFrameBytes = 2 ** 31,
): { clock: HandClock; socket: HeldSocket; queue: OutgoingQueue } {
  const clock = new HandClock();
  const socket = new HeldSocket(instant);
  return {
    clock,
    socket,
    queue: new OutgoingQueue(socket, clock, new Deadlines(clock), { maxQueuedBytes, maxFrameBytes }, new SharedPieces()),
  };
}

function respond(queue: OutgoingQueue, content: Content): number {
  return queue.writeFrame(MessageType.RpcResponse, 0, 7, content);
}

const HEAD_BYTES = 21;

test("OutgoingQueue gathers frames and flushes when the buffer has been quiet for two turns", () => {
  const { clock, socket, queue } = setUp();
  respond(queue, new Uint8Array(1));
  respond(queue, new Uint8Array(2));
  assertEquals(socket.writes, []);
  clock.tick();
  clock.tick();
  assertEquals(socket.writes, []);
  clock.drain();
  assertEquals(socket.writes, [2 * HEAD_BYTES + 3]);
  assertEquals(clock.waiting, 0);
});

test("OutgoingQueue waits as long as the buffer grows", () => {
  const { clock, socket, queue } = setUp();
  for (let i = 0; i < 20; i++) {
    respond(queue, new Uint8Array(1));
    clock.tick();
  }
  assertEquals(socket.writes, []);
  clock.drain();
  assertEquals(socket.writes, [20 * (HEAD_BYTES + 1)]);
});

test("OutgoingQueue waits for the event loop's turn while handlers are at work, and looks once", () => {
  const { clock, socket, queue } = setUp();
  queue.handlersAtWork = 2;
  respond(queue, new Uint8Array(1));
  assertEquals(clock.drain(), 1);
  respond(queue, new Uint8Array(1));
  queue.handlersAtWork = 0;
  assertEquals([clock.drain(), clock.yielded, socket.writes], [0, 1, []]);
  clock.turn();
  assertEquals([socket.writes, clock.waiting, clock.yielded], [[2 * (HEAD_BYTES + 1)], 0, 0]);
  respond(queue, new Uint8Array(1));
  clock.drain();
  assertEquals(socket.writes.length, 2);
});

test("OutgoingQueue writes at once from 32 KiB on", () => {
  const { clock, socket, queue } = setUp();
  respond(queue, new Uint8Array(32_767 - HEAD_BYTES));
  assertEquals(socket.writes, []);
  clock.drain();
  respond(queue, new Uint8Array(32_768 - HEAD_BYTES));
  assertEquals(socket.writes, [32_767, 32_768]);
});

test("OutgoingQueue.writeFrame() leaves nothing of a frame whose content throws", () => {
  const { socket, queue } = setUp();
  respond(queue, Uint8Array.of(1));
  const failing: Content = (out) => {
    out.writeBytes(new Uint8Array(100));
    throw new RangeError("no");
  };
  assertThrows(() => respond(queue, failing), RangeError, "no");
  respond(queue, Uint8Array.of(2));
  queue.flush();
  assertEquals(socket.sent.length, 2 * (HEAD_BYTES + 1));
  assertEquals([socket.sent[HEAD_BYTES], socket.sent[2 * HEAD_BYTES + 1]], [1, 2]);
});

test("OutgoingQueue.writeFrame() puts a frame that was sent from within another one after it", () => {
  const { socket, queue } = setUp();
  respond(queue, (out) => {
    out.writeUint8(1);
    respond(queue, Uint8Array.of(9, 9));
    out.writeUint8(2);
  });
  queue.flush();
  assertEquals(socket.sent.length, 2 * HEAD_BYTES + 4);
  assertEquals(socket.sent.slice(HEAD_BYTES, HEAD_BYTES + 2), [1, 2]);
  assertEquals(socket.sent.slice(2 * HEAD_BYTES + 2), [9, 9]);
});

test("OutgoingQueue.frames counts frames that were sent from within another one, and none that failed", () => {
  const { queue } = setUp();
  respond(queue, () => void respond(queue, Uint8Array.of(9)));
  assertEquals(queue.frames, 2);
  assertThrows(() =>
    respond(queue, () => {
      throw new Error("no");
    })
  );
  assertEquals(queue.frames, 2);
});

test("OutgoingQueue.writeFrame() sends a nested frame even if the outer one fails", () => {
  const { socket, queue } = setUp();
  assertThrows(() =>
    respond(queue, () => {
      respond(queue, Uint8Array.of(9));
      throw new Error("no");
    })
  );
  queue.flush();
  assertEquals(socket.sent.length, HEAD_BYTES + 1);
});

test("OutgoingQueue writes into no buffer that the socket still has", () => {
  const { socket, queue } = setUp(false);
  for (let i = 0; i < 20; i++) {
    respond(queue, Uint8Array.of(i));
    queue.flush();
    if (i % 3 === 2) socket.release(2);
  }
  socket.release();
  const contents = socket.sent.filter((_, at) => at % (HEAD_BYTES + 1) === HEAD_BYTES);
  assertEquals(contents, Array.from({ length: 20 }, (_, i) => i));
});

test("OutgoingQueue.exceeds() counts what waits here and at the socket", () => {
  const { socket, queue } = setUp(false);
  respond(queue, new Uint8Array(1_000));
  assertEquals(queue.exceeds(1_021), false);
  assertEquals(queue.exceeds(1_020), true);
  queue.flush();
  assertEquals(queue.exceeds(1_020), true);
  socket.release();
  assertEquals(queue.exceeds(0), false);
  assertEquals(queue.empty, true);
});

/** A body that is read in pieces of at most 1,000 bytes, and that counts its holders. */
class CountedBuffer implements ManagedBuffer {
  readonly size: number;
  holders = 1;
  readonly #failAt: number;

  constructor(size: number, failAt = Infinity) {
    this.size = size;
    this.#failAt = failAt;
  }

  read(position: number, into: Uint8Array): Promise<number> {
    if (position >= this.#failAt) return Promise.reject(new Error("disk is gone"));
    const count = Math.min(into.length, 1_000);
    for (let i = 0; i < count; i++) into[i] = (position + i) & 0xff;
    return Promise.resolve(count);
  }

  retain(): this {
    this.holders++;
    return this;
  }

  release(): void {
    this.holders--;
  }
}

const response = (byteCount: number) => ({ type: MessageType.StreamResponse, streamId: "s", byteCount } as const);

test("OutgoingQueue.writeBody() keeps frames out of a body, and releases it once", async () => {
  const { socket, queue } = setUp();
  const body = new CountedBuffer(5_500);
  let done = 0;
  queue.writeBody(response(body.size), body, () => done++);
  respond(queue, Uint8Array.of(77));
  queue.flush();
  await until(() => done === 1 && queue.empty, "the body to be sent");
  const head = 8 + 1 + 4 + 1 + 8;
  assertEquals(socket.sent.length, head + 5_500 + HEAD_BYTES + 1);
  assertEquals(socket.sent.slice(head, head + 5_500), Array.from({ length: 5_500 }, (_, i) => i & 0xff));
  assertEquals(socket.sent.at(-1), 77);
  assertEquals([body.holders, done], [0, 1]);
});

test("OutgoingQueue.writeBody() reads no further than the socket takes", async () => {
  const { socket, queue } = setUp(false);
  const body = new CountedBuffer(1_000_000);
  let done = false;
  queue.writeBody(response(body.size), body, () => done = true);
  await until(() => socket.queuedBytes >= 64 * 1024, "the socket to be full");
  for (let i = 0; i < 100; i++) await Promise.resolve();
  assertEquals(socket.queuedBytes < 66 * 1024, true);
  while (!done) {
    socket.release();
    queue.drained();
    await Promise.resolve();
  }
  socket.release();
  assertEquals(body.holders, 0);
  assertEquals(socket.sent.length, 22 + 1_000_000);
});

test("OutgoingQueue.writeBody() ends the connection when a body fails, since its bytes were promised", async () => {
  const { socket, queue } = setUp();
  const body = new CountedBuffer(5_000, 2_000);
  const second = new CountedBuffer(5_000);
  const errors: (string | undefined)[] = [];
  queue.writeBody(response(body.size), body, (error) => errors.push(error?.message));
  queue.writeBody(response(second.size), second, (error) => errors.push(error?.message));
  await until(() => socket.aborted, "the connection to be aborted");
  assertEquals(errors, ["disk is gone", "disk is gone"]);
  assertEquals([body.holders, second.holders], [0, 0]);
});

test("OutgoingQueue.writeBody() from within a frame's content tells of a frame that is too large", () => {
  const { clock, socket, queue } = setUp(true, 2 ** 28, 100);
  const body = new CountedBuffer(3);
  const errors: (Error | undefined)[] = [];
  respond(queue, () => {
    const upload = {
      type: MessageType.UploadStream,
      requestId: { high: 0, low: 1 },
      meta: MessageBody.of(new Uint8Array(101)),
    };
    queue.writeBody({ ...upload, bodyByteCount: 3 } as const, body, (error) => errors.push(error));
  });
  clock.drain();
  assertEquals(errors.map((error) => error?.message), [
    "Message takes 122 bytes, but the limit is 100 (maxFrameBytes; in an RpcEnv spark.rpc.message.maxSize)",
  ]);
  assertEquals([body.holders, socket.sent.length], [0, HEAD_BYTES]);
});

test("OutgoingQueue.writeBody() promises nobody a body whose size is none", () => {
  const { clock, socket, queue } = setUp();
  for (const size of [-1, 1.5, NaN, Infinity, 2 ** 53]) {
    const body = new CountedBuffer(size);
    assertThrows(() => queue.writeBody(response(size), body, () => {}), RangeError, `must be a whole number of bytes: ${size}`);
    assertEquals(body.holders, 0);
  }
  respond(queue, Uint8Array.of(1));
  clock.drain();
  assertEquals([queue.frames, socket.sent.length], [1, HEAD_BYTES + 1]);
});

test("OutgoingQueue.stop() releases bodies and tells their senders", () => {
  const { queue } = setUp(false);
  const body = new BytesManagedBuffer(new Uint8Array(1_000_000));
  const errors: (string | undefined)[] = [];
  queue.writeBody(response(body.size), body, (error) => errors.push(error?.message));
  queue.stop(new Error("gone"));
  assertEquals(errors, ["gone"]);
  assertEquals(respond(queue, new Uint8Array(1)), 0);
});

test("OutgoingQueue.close() takes nothing more, and says when all has been handed to the socket", () => {
  const { socket, queue, clock } = setUp(false);
  respond(queue, Uint8Array.of(1));
  let flushed = 0;
  queue.close(() => flushed++);
  assertEquals([socket.writes, flushed], [[HEAD_BYTES + 1], 1]);
  const late = new CountedBuffer(10);
  const errors: (string | undefined)[] = [];
  queue.writeBody(response(10), late, (error) => errors.push(error?.message));
  assertEquals([respond(queue, Uint8Array.of(2)), late.holders, errors], [0, 0, ["The connection is closed"]]);
  queue.close(() => flushed++);
  clock.drain();
  assertEquals([socket.writes, flushed], [[HEAD_BYTES + 1], 1]);
});

test("OutgoingQueue.close() waits for the bodies, and for the frames behind them", async () => {
  const { socket, queue } = setUp();
  const body = new CountedBuffer(5_500);
  let flushed = false;
  queue.writeBody(response(body.size), body, () => {});
  respond(queue, Uint8Array.of(77));
  queue.close(() => flushed = true);
  assertEquals(flushed, false);
  await until(() => flushed, "all to be handed on");
  assertEquals([socket.sent.length, socket.sent.at(-1), body.holders], [22 + 5_500 + HEAD_BYTES + 1, 77, 0]);
});

test("OutgoingQueue.close() within a frame's content lets that frame go first, unless it fails", () => {
  for (const fails of [false, true]) {
    const { socket, queue } = setUp();
    let sentBefore = -1;
    const content: Content = (out) => {
      out.writeUint8(1);
      queue.close(() => sentBefore = socket.sent.length);
      assertEquals(sentBefore, -1);
      if (fails) throw new RangeError("no");
    };
    if (fails) assertThrows(() => respond(queue, content), RangeError, "no");
    else assertEquals(respond(queue, content), HEAD_BYTES + 1);
    assertEquals(sentBefore, fails ? 0 : HEAD_BYTES + 1);
  }
});

test("OutgoingQueue.close() is forgotten when the connection breaks", () => {
  const { queue } = setUp(false);
  let flushed = false;
  queue.writeBody(response(1_000_000), new BytesManagedBuffer(new Uint8Array(1_000_000)), () => {});
  queue.close(() => flushed = true);
  queue.stop(new Error("gone"));
  queue.drained();
  assertEquals(flushed, false);
});

test("OutgoingQueue keeps small frames behind a body in little memory, and aborts above maxQueuedBytes", () => {
  const { socket, queue } = setUp(false, 100_000);
  const body = new BytesManagedBuffer(new Uint8Array(1_000_000));
  const errors: (string | undefined)[] = [];
  queue.writeBody(response(body.size), body, (error) => errors.push(error?.message));
  const before = socket.queuedBytes;
  socket.release();
  let frames = 0;
  for (; !socket.aborted && frames < 100_000; frames++) {
    respond(queue, Uint8Array.of(1));
    queue.flush();
  }
  assertEquals([before > 20_000, frames], [true, Math.floor(100_000 / (HEAD_BYTES + 1)) + 1]);
  assertEquals(errors, ["More than 100000 bytes wait behind a stream to 127.0.0.1:2 (maxQueuedBytes)"]);
  assertEquals(respond(queue, Uint8Array.of(1)), 0);
});

test("OutgoingQueue.writeFrame() refuses an own message that would have the connection aborted, and goes on", () => {
  for (const within of [false, true]) {
    const { socket, queue } = setUp(false, 100_000);
    const send = (bytes: number): number => {
      let size = 0;
      const content = new Uint8Array(bytes);
      const sendIt = () => void (size = queue.writeFrame(MessageType.OneWayMessage, 0, 0, content));
      if (within) respond(queue, sendIt);
      else sendIt();
      return size;
    };
    assertEquals(send(70_000) > 70_000, true);
    queue.flush();
    const queued = queue.queuedBytes;
    const text = `bytes: ${
      queued + (within ? HEAD_BYTES : 0)
    } of 100000 bytes wait already in outbox to 127.0.0.1:2 (maxQueuedBytes)`;
    const error = assertThrows(() => send(40_000), RpcOverloadedError, text);
    assertEquals([error.queue, error.limit, queue.queuedBytes], ["outbox to 127.0.0.1:2", 100_000, queued]);
    assertEquals(send(20_000) > 20_000, true);
    queue.flush();
    socket.release();
    assertEquals(send(40_000) > 40_000, true);
    assertEquals(socket.aborted, false);
  }
});

test("OutgoingQueue.writeFrame() refuses any message that could not even wait alone, and no answer that could", () => {
  const { queue } = setUp(false, 100_000);
  const textOf = (queue: string) => `Cannot send 100021 bytes: 0 of 100000 bytes wait already in ${queue} (maxQueuedBytes)`;
  const tooLarge = new Uint8Array(100_000);
  assertThrows(() => respond(queue, tooLarge), RpcOverloadedError, textOf("answers to 127.0.0.1:2"));
  assertThrows(
    () => queue.writeFrame(MessageType.RpcRequest, 0, 1, tooLarge),
    RpcOverloadedError,
    textOf("outbox to 127.0.0.1:2"),
  );
  assertEquals([queue.queuedBytes, queue.frames], [0, 0]);
  const answer = new Uint8Array(100_000 - HEAD_BYTES);
  assertEquals([respond(queue, answer), respond(queue, answer)], [100_000, 100_000]);
});

test("OutgoingQueue.writeBody() of another body does not make a full socket fuller", () => {
  const { socket, queue } = setUp(false);
  for (let i = 0; i < 5; i++) {
    queue.writeBody(response(2_000_000), new BytesManagedBuffer(new Uint8Array(2_000_000)), () => {});
  }
  assertEquals(socket.writes, [22, 1_048_576]);
});

test("OutgoingQueue.writeBody() does not begin a body while messages fill the socket", () => {
  const { socket, queue } = setUp(false);
  queue.writeFrame(MessageType.OneWayMessage, 0, 0, new Uint8Array(100_000));
  queue.flush();
  const waiting = socket.queuedBytes;
  queue.writeBody(response(1_000), new BytesManagedBuffer(new Uint8Array(1_000)), () => {});
  queue.writeBody(response(50_000), new BytesManagedBuffer(new Uint8Array(50_000)), () => {});
  assertEquals(socket.queuedBytes, waiting + 22 + 1_000 + 22);
  socket.release();
  queue.drained();
  assertEquals(socket.queuedBytes, 50_000);
});

test("OutgoingQueue.writeBody() fails a body that reads nothing or too much, instead of asking for ever", async () => {
  for (const length of [0, -1, NaN, 6_000]) {
    const { socket, queue } = setUp();
    const body = new CountedBuffer(5_000);
    body.read = () => Promise.resolve(length);
    const errors: (string | undefined)[] = [];
    queue.writeBody(response(body.size), body, (error) => errors.push(error?.message));
    await until(() => socket.aborted, "the connection to be aborted");
    assertEquals(errors, [`A buffer of 5000 bytes read ${length} of 5000 at 0`]);
    assertEquals(body.holders, 0);
  }
});

test("OutgoingQueue.empty is false while a body is being read, though nothing of it is in memory", async () => {
  const { queue } = setUp();
  const body = new CountedBuffer(50_000);
  queue.writeBody(response(body.size), body, () => {});
  assertEquals([queue.queuedBytes, queue.empty], [0, false]);
  await until(() => queue.empty, "the body to leave");
  assertEquals(body.holders, 0);
});

test("OutgoingQueue does not keep the memory that one large frame needed, behind a body neither", () => {
  for (const isBehind of [false, true]) {
    const { queue } = setUp();
    if (isBehind) queue.writeBody(response(50_000), new CountedBuffer(50_000), () => {});
    respond(queue, new Uint8Array(1_000_000));
    const capacities: number[] = [];
    respond(queue, (out) => void capacities.push(out.bytes.length));
    assertEquals(capacities, [64 * 1024]);
  }
});

test("OutgoingQueue keeps little of the memory of what has left, also while nothing more is written", async () => {
  for (const size of [40_000, 1_000_000]) {
    const { socket, queue } = setUp(false);
    for (let i = 0; i < 16; i++) respond(queue, new Uint8Array(size));
    const memory = socket.leave();
    queue.drained();
    await untilCollected(memory, `the memory of 16 frames of ${size} bytes`, 4);
    assertEquals([memory.length, queue.queuedBytes], [16, 0]);
  }
});

test("OutgoingQueue does not keep the memory of a message that it refuses", async () => {
  const { socket, queue } = setUp(false);
  const memory: WeakRef<object>[] = [];
  for (const before of [0, 10]) {
    if (before > 0) respond(queue, new Uint8Array(before));
    const refused = (): number =>
      respond(queue, (out) => {
        out.writeBytes(new Uint8Array(1_000_000));
        memory.push(new WeakRef(out.bytes.buffer));
        throw new RangeError("no");
      });
    assertThrows(refused, RangeError, "no");
    queue.flush();
    socket.leave();
  }
  await untilCollected(memory, "the memory of what was refused");
  assertEquals([memory.length, queue.gatheredBytes], [2, 0]);
});
