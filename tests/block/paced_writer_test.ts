import { assert, assertEquals, assertRejects } from "@std/assert";
import { setTimeout } from "node:timers/promises";
import { MAX_WAITING_BYTES, MAX_WAITING_CHUNKS, PacedWriter } from "../../src/block/paced_writer.ts";
import { type Deferred, deferred, test, until } from "../_harness.ts";

const CHUNK = 256 * 1024;

/** A writer whose writes the test ends. */
function held() {
  const writes: { readonly chunk: Uint8Array; readonly end: Deferred<void> }[] = [];
  const writer = new PacedWriter((chunk) => {
    const end = deferred();
    writes.push({ chunk, end });
    return end.promise;
  });
  const flow = {
    calls: [] as string[],
    pause: () => void flow.calls.push("pause"),
    resume: () => void flow.calls.push("resume"),
  };
  return { writes, writer, flow };
}

test("PacedWriter holds the stream back at its limit, until half of it is written", async () => {
  const { writes, writer, flow } = held();
  const count = MAX_WAITING_BYTES / CHUNK;
  for (let i = 0; i < count; i++) {
    assertEquals(flow.calls, []);
    writer.push(new Uint8Array(CHUNK).fill(i), true, flow);
  }
  assertEquals([flow.calls, writer.waitingBytes], [["pause"], MAX_WAITING_BYTES]);
  for (let i = 0; i < count; i++) {
    await until(() => writes.length === i + 1, "the next write");
    assertEquals(flow.calls.includes("resume"), i > count / 2, String(i));
    writes[i]!.end.resolve();
  }
  await writer.finish();
  assertEquals([flow.calls, writer.waitingBytes], [["pause", "resume"], 0]);
  assertEquals(writes.map(({ chunk }) => chunk[0]), Array.from({ length: count }, (_, i) => i));
});

test("PacedWriter copies what is borrowed, and gives out memory for what is not", async () => {
  const { writes, writer, flow } = held();
  const borrowed = Uint8Array.of(1, 2, 3);
  writer.push(borrowed, false, flow);
  borrowed.fill(9);
  const slab = writer.allocate();
  slab.set([4, 5], 0);
  writer.push(slab.subarray(0, 2), true, flow);
  const rest = writer.allocate();
  assertEquals([rest.buffer === slab.buffer, rest.byteOffset], [true, 2]);
  rest.set([6]);
  writer.push(rest.subarray(0, 1), true, flow);
  writer.push(new Uint8Array(0), true, flow);
  for (let i = 0; i < 3; i++) {
    await until(() => writes.length === i + 1, "the next write");
    writes[i]!.end.resolve();
  }
  await writer.finish();
  assertEquals(writes.map(({ chunk }) => [...chunk]), [[1, 2, 3], [4, 5], [6]]);
  assertEquals(writes.map(({ chunk }) => chunk.buffer === slab.buffer), [false, true, true]);
  // Nothing of it is kept.
  assert(writer.allocate().buffer !== slab.buffer);
});

test("PacedWriter.finish() waits until all is written, also what came after a pause", async () => {
  const { writes, writer, flow } = held();
  for (const byte of [1, 2]) {
    writer.push(Uint8Array.of(byte), true, flow);
    let isOver = false;
    const finished = writer.finish().then(() => isOver = true);
    await setTimeout();
    assertEquals([isOver, writes.length], [false, byte]);
    writes[byte - 1]!.end.resolve();
    await finished;
  }
  assertEquals(writer.waitingBytes, 0);
});

test("PacedWriter drops what comes after a failure, lets the stream go on, and fails at the end", async () => {
  const { writes, writer, flow } = held();
  for (let i = 0; i < MAX_WAITING_BYTES / CHUNK; i++) writer.push(new Uint8Array(CHUNK), true, flow);
  writes[0]!.end.reject(new Error("No room"));
  await until(() => flow.calls.includes("resume"), "the stream to go on");
  writer.push(new Uint8Array(CHUNK), true, flow);
  await assertRejects(() => writer.finish(), Error, "No room");
  assertEquals([writes.length, writer.waitingBytes, flow.calls], [1, 0, ["pause", "resume"]]);
});

test("PacedWriter.stop() waits for the write that is under way, and for no other", async () => {
  const { writes, writer, flow } = held();
  writer.push(new Uint8Array(MAX_WAITING_BYTES), true, flow);
  writer.push(Uint8Array.of(2), true, flow);
  let isOver = false;
  const stopped = writer.stop(new Error("No longer wanted")).then(() => isOver = true);
  // What still comes is dropped, so the stream goes on at once.
  assertEquals([writer.waitingBytes, flow.calls.at(-1)], [0, "resume"]);
  await setTimeout();
  assertEquals(isOver, false);
  writes[0]!.end.resolve();
  await stopped;
  assertEquals(writes.length, 1);
  await writer.stop(new Error("Again"));
  await assertRejects(() => writer.finish(), Error, "No longer wanted");
});

test("PacedWriter holds back a stream that comes a byte at a time, of which each costs far more than that", async () => {
  const { writes, writer, flow } = held();
  for (let i = 0; i < MAX_WAITING_CHUNKS; i++) {
    assertEquals(flow.calls.length, 0);
    writer.push(Uint8Array.of(i), true, flow);
    // The first is being written.
    if (i === 0) writer.push(Uint8Array.of(i), true, flow);
  }
  assertEquals(flow.calls, ["pause"]);
  for (let i = 0; i <= MAX_WAITING_CHUNKS; i++) {
    if (i === MAX_WAITING_CHUNKS / 2) assertEquals(flow.calls, ["pause"]);
    writes[i]!.end.resolve();
    for (let turn = 0; turn < 10; turn++) await undefined;
  }
  await writer.finish();
  assertEquals([flow.calls, writer.waitingBytes], [["pause", "resume"], 0]);
});
