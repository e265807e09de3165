import { assert, assertEquals } from "@std/assert";
import { BytesManagedBuffer, type ManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import {
  MAX_SHARED_BYTES,
  PIECE_BYTES,
  PieceMemory,
  SharedPieces,
  SPARE_PIECE_BYTES,
} from "../../src/transport/piece_memory.ts";
import { StreamBodies } from "../../src/transport/stream_bodies.ts";
import { byteAt } from "../_counted_buffer.ts";
import { deferred, test, until } from "../_harness.ts";

/** A file of that many bytes, whose reads are answered when the test says so. */
class SlowFile implements ManagedBuffer {
  readonly size: number;
  /** The positions that were read, in order. */
  readonly reads: number[] = [];
  readonly memories = new Set<ArrayBufferLike>();
  holders = 1;
  readonly #answers: (() => void)[] = [];
  readonly #mostAtOnce: number;

  constructor(size: number, mostAtOnce = Infinity) {
    this.size = size;
    this.#mostAtOnce = mostAtOnce;
  }

  async read(position: number, into: Uint8Array): Promise<number> {
    this.reads.push(position);
    this.memories.add(into.buffer);
    const gate = deferred();
    this.#answers.push(gate.resolve);
    await gate.promise;
    const count = Math.min(into.length, this.#mostAtOnce);
    for (let i = 0; i < count; i++) into[i] = byteAt(position + i);
    return count;
  }

  retain(): this {
    this.holders++;
    return this;
  }

  release(): void {
    this.holders--;
  }

  /** Answers the oldest read that waits, and lets what follows from it happen. */
  async answer(): Promise<void> {
    this.#answers.shift()!();
    for (let i = 0; i < 10; i++) await undefined;
  }

  get waiting(): number {
    return this.#answers.length;
  }
}

/** A file of that many bytes, which are read at once. */
class BlankFile implements ManagedBuffer {
  readonly size: number;

  constructor(size: number) {
    this.size = size;
  }

  read(_position: number, into: Uint8Array): Promise<number> {
    return Promise.resolve(into.length);
  }

  retain(): this {
    return this;
  }

  release(): void {}
}

/** A socket that keeps what it is given until the test takes it; what is sent is checked then. */
class Wire {
  readonly queue: Uint8Array[] = [];
  readonly pieces: number[] = [];
  written = 0;
  left = 0;
  faults = 0;
  failure: Error | undefined;
  readonly bodies: StreamBodies;

  constructor(maxPieceBytes = Infinity, pieces = new SharedPieces()) {
    this.bodies = new StreamBodies(
      {
        writtenBytes: () => this.written,
        leftBytes: () => this.left,
        write: (bytes) => {
          this.queue.push(bytes);
          this.pieces.push(bytes.length);
          this.written += bytes.length;
          return this.written - this.left < 64 * 1024;
        },
        failed: (error) => this.failure = error,
        emptied() {},
      },
      maxPieceBytes,
      pieces,
    );
  }

  /** The oldest chunk leaves, as it is by now. */
  send(): void {
    const chunk = this.queue.shift()!;
    for (let i = 0; i < chunk.length; i++) if (chunk[i] !== byteAt(this.left + i)) this.faults++;
    this.left += chunk.length;
    if (this.written - this.left < 32 * 1024) this.bodies.drained();
  }
}

test("StreamBodies reads one piece ahead while another is being sent, and no more", async () => {
  const wire = new Wire();
  const file = new SlowFile(4.5 * PIECE_BYTES);
  let result: Error | undefined | "none" = "none";
  wire.bodies.push(file, (error) => result = error);
  assertEquals(file.reads, [0]);
  await file.answer();
  // The first piece is with the socket, and the second is being read.
  assertEquals([wire.pieces, file.reads], [[PIECE_BYTES], [0, PIECE_BYTES]]);
  await file.answer();
  assertEquals([wire.pieces, file.reads.length, file.waiting], [[PIECE_BYTES], 2, 0]);
  wire.send();
  assertEquals([wire.pieces.length, file.reads.length], [2, 3]);
  for (let i = 0; i < 10 && result === "none"; i++) {
    if (file.waiting > 0) await file.answer();
    if (wire.queue.length > 0) wire.send();
  }
  assertEquals(result, undefined);
  assertEquals([wire.left, wire.faults, file.holders], [4.5 * PIECE_BYTES, 0, 0]);
  assertEquals(wire.pieces, [...Array(4).fill(PIECE_BYTES), PIECE_BYTES / 2]);
  assert(file.memories.size <= 3, `${file.memories.size} pieces of memory for one stream`);
});

test("StreamBodies sends no other bytes in place of those whose memory has shrunk", () => {
  const wire = new Wire();
  const memory = new ArrayBuffer(20_000_000, { maxByteLength: 20_000_000 });
  let result: Error | undefined;
  wire.bodies.push(new BytesManagedBuffer(new Uint8Array(memory)), (error) => result = error);
  memory.resize(wire.written);
  wire.send();
  assertEquals([wire.pieces.length, wire.failure], [1, result]);
  assertEquals(result?.message, "The memory of a body of 20000000 bytes was taken away while they were sent");
});

test("StreamBodies does not read into memory whose last bytes have not left", async () => {
  const wire = new Wire();
  const file = new SlowFile(6 * PIECE_BYTES);
  let ended = false;
  wire.bodies.push(file, () => ended = true);
  // Now and then a piece is asked for when only nearly all of the last one has left.
  for (let i = 0; i < 100 && !ended; i++) {
    if (file.waiting > 0) await file.answer();
    const chunk = wire.queue[0];
    if (chunk === undefined) continue;
    if (chunk.length > 1_000) {
      wire.queue.splice(0, 1, chunk.subarray(0, chunk.length - 1_000), chunk.subarray(chunk.length - 1_000));
    }
    wire.send();
  }
  assertEquals([ended, wire.faults], [true, 0]);
});

test("StreamBodies goes on when a body gives little at a time, though nothing ever fills the socket", async () => {
  const wire = new Wire();
  const file = new SlowFile(100, 7);
  let ended = false;
  wire.bodies.push(file, () => ended = true);
  for (let i = 0; i < 15; i++) await file.answer();
  assertEquals([ended, wire.pieces.length, file.holders], [true, 15, 0]);
  while (wire.queue.length > 0) wire.send();
  assertEquals(wire.faults, 0);
});

test("StreamBodies keeps few bytes between two bodies in little memory, and many frames in few pieces", () => {
  const wire = new Wire();
  wire.bodies.push(new BytesManagedBuffer(new Uint8Array(PIECE_BYTES)), () => {});
  for (let i = 0; i < 3; i++) {
    wire.bodies.pushFrames(new Uint8Array(29));
    wire.bodies.push(new BytesManagedBuffer(new Uint8Array(PIECE_BYTES)), () => {});
  }
  for (let i = 0; i < 1_000; i++) wire.bodies.pushFrames(new Uint8Array(100));
  assertEquals(wire.bodies.queuedBytes, 3 * 29 + 100_000);
  const sent: Uint8Array[] = [];
  while (wire.queue.length > 0) {
    sent.push(wire.queue[0]!);
    wire.send();
  }
  const frames = sent.filter(({ length }) => length < PIECE_BYTES);
  assertEquals(frames.slice(0, 3).map(({ buffer }) => buffer.byteLength < 100), [true, true, true]);
  assert(frames.every(({ length }) => length <= 16 * 1024));
  assertEquals([frames.length, wire.bodies.queuedBytes, wire.written], [3 + 7, 0, 4 * PIECE_BYTES + 3 * 29 + 100_000]);
});

test("StreamBodies hands over no more at once than it may", async () => {
  const wire = new Wire(1_000);
  const file = new SlowFile(2_500);
  wire.bodies.push(file, () => {});
  for (let i = 0; i < 3; i++) await file.answer();
  assertEquals(wire.pieces, [1_000, 1_000, 500]);
});

test("StreamBodies.stop() releases a body whose next piece is ready or being read", async () => {
  for (const answers of [0, 1, 2]) {
    const wire = new Wire();
    const file = new SlowFile(5 * PIECE_BYTES);
    const results: unknown[] = [];
    wire.bodies.push(file, (error) => results.push(error));
    for (let i = 0; i < answers; i++) await file.answer();
    const reason = new Error("gone");
    wire.bodies.stop(reason);
    while (file.waiting > 0) await file.answer();
    await until(() => file.holders === 0, "the body to be released");
    assertEquals([results, wire.pieces.length], [[reason], Math.min(answers, 1)]);
  }
});

test("StreamBodies.pushFrames() keeps nothing after stop()", () => {
  const { bodies } = new Wire();
  bodies.stop(new Error("gone"));
  bodies.pushFrames(new Uint8Array(29));
  assertEquals([bodies.idle, bodies.queuedBytes], [true, 0]);
});

test("StreamBodies.push() releases what comes after stop()", () => {
  const { bodies } = new Wire();
  const reason = new Error("gone");
  bodies.stop(reason);
  const file = new SlowFile(100);
  const results: unknown[] = [];
  bodies.push(file, (error) => results.push(error));
  assertEquals([results, file.holders, file.reads], [[reason], 0, []]);
});

test("StreamBodies counts what is said of a body that cannot be begun as it does frames", async () => {
  const { bodies, pieces } = new Wire();
  const file = Object.assign(new SlowFile(100), { read: () => Promise.reject(new Error("disk is gone")) });
  const failures: (string | undefined)[] = [];
  bodies.push(file, (error) => failures.push(error?.message), { head: new Uint8Array(21), refuse: () => new Uint8Array(33) });
  await until(() => bodies.idle, "the refusal");
  assertEquals([failures, pieces, bodies.queuedBytes, file.holders], [["disk is gone"], [33], 0, 0]);
});

test("StreamBodies keeps no memory when all bodies have been handed over", async () => {
  const wire = new Wire();
  const files = [new SlowFile(1_000), new SlowFile(1_000)];
  for (const file of files) {
    wire.bodies.push(file, () => {});
    await file.answer();
    wire.left = wire.written;
  }
  assertEquals(files.map(({ holders }) => holders), [0, 0]);
  assertEquals(new Set(files.flatMap(({ memories }) => [...memories])).size, 2);
});

test("PieceMemory.take() gives what has left again, and is as large as is wanted", () => {
  const memory = new PieceMemory(new SharedPieces());
  const first = memory.take(1_000, 0);
  assertEquals([first.bytes.length, first.inUseUntil], [1_000, Infinity]);
  first.inUseUntil = 500;
  assert(memory.take(900, 499) !== first);
  assert(memory.take(900, 500) === first);
  // And it is in use again.
  assertEquals(first.inUseUntil, Infinity);
  first.inUseUntil = 600;
  // Too small: another one takes its place.
  const larger = memory.take(2_000, 600);
  assertEquals([larger === first, larger.bytes.length], [false, 2_000]);
  assertEquals(memory.take(5 * PIECE_BYTES, 600).bytes.length, PIECE_BYTES);
  // No more than three are kept.
  assertEquals(memory.take(5 * PIECE_BYTES, 600).bytes.length, PIECE_BYTES / 4);
});

test("StreamBodies reads files in small pieces while readers that stall keep as much memory as there may be", async () => {
  const shared = new SharedPieces();
  const stalled: Wire[] = [];
  const stall = async (): Promise<number> => {
    const wire = new Wire(Infinity, shared);
    wire.bodies.push(new BlankFile(4 * PIECE_BYTES), () => {});
    for (let i = 0; i < 20; i++) await undefined;
    stalled.push(wire);
    return wire.pieces[0]!;
  };
  // One piece is with the socket, another one has been read, and that is all.
  while (shared.bytes < MAX_SHARED_BYTES) assertEquals(await stall(), PIECE_BYTES);
  assertEquals(stalled.length, MAX_SHARED_BYTES / PIECE_BYTES / 2);
  for (let i = 0; i < 100; i++) assertEquals(await stall(), SPARE_PIECE_BYTES);
  assertEquals(shared.bytes, MAX_SHARED_BYTES + 200 * SPARE_PIECE_BYTES);
  // Whoever reads is served, though in small pieces, as long as the others stall.
  const wire = new Wire(Infinity, shared);
  const file = new SlowFile(2 * PIECE_BYTES);
  wire.bodies.push(file, () => stalled.pop()!.bodies.stop(new Error("gone")));
  while (file.waiting > 0 || wire.queue.length > 0) {
    if (file.waiting > 0) await file.answer();
    if (wire.queue.length > 0) wire.send();
  }
  assertEquals([wire.left, wire.faults, file.holders], [2 * PIECE_BYTES, 0, 0]);
  assertEquals(new Set(wire.pieces), new Set([SPARE_PIECE_BYTES]));
  for (const { bodies } of stalled) bodies.stop(new Error("gone"));
  assertEquals([shared.bytes, await stall()], [0, PIECE_BYTES]);
});

test("StreamBodies that many have waited in gives out the last of them as fast as the first", async () => {
  const body = new BytesManagedBuffer(new Uint8Array(1));
  let [given, sent] = [0, 0];
  const owner = {
    writtenBytes: () => sent,
    leftBytes: () => sent,
    write: () => ++sent % 10_000 !== 1,
    failed: (error: Error) => assert(false, error.message),
    emptied() {},
  };
  const bodies = new StreamBodies(owner, 1_024, new SharedPieces());
  while (given < 400_000) {
    bodies.push(body, () => {});
    given++;
  }
  assertEquals(sent, 1);
  // An array of that many would be moved as a whole at each of them.
  await until(() => {
    bodies.drained();
    return sent === given;
  }, "all of them to leave");
});
