import { assert, assertEquals } from "@std/assert";
import { BodyChannel } from "../../src/transport/body_channel.ts";
import { BodyLog } from "../_body_log.ts";
import { test } from "../_harness.ts";

/** Counts pauses and resumes. */
class Flow {
  pauses = 0;
  resumes = 0;

  pause(): void {
    this.pauses++;
  }

  resume(): void {
    this.resumes++;
  }
}

test("BodyChannel holds the far end back while its sink is full", () => {
  const [sink, flow] = [new BodyLog(), new Flow()];
  const channel = new BodyChannel("s", sink, (failure) => sink.events.push(`end ${failure === undefined}`));
  channel.resume();
  channel.onStart("s", 10);
  channel.onData("s", new Uint8Array(4), true, flow);
  assertEquals([flow.pauses, flow.resumes], [1, 0]);
  channel.resume();
  channel.resume();
  assertEquals([flow.pauses, flow.resumes], [1, 1]);
  sink.isFull = false;
  channel.onData("s", new Uint8Array(6), true, flow);
  channel.onComplete();
  channel.cancel(new Error("late"));
  channel.onData("s", new Uint8Array(6), true, flow);
  channel.resume();
  assertEquals([flow.pauses, flow.resumes, sink.bytes, channel.hasEnded], [1, 1, 10, true]);
  assertEquals(sink.events, ["size 10", "data", "end true", "complete"]);
});

test("BodyChannel.cancel() ends it at once, also from within its sink", () => {
  const [sink, flow] = [new BodyLog(), new Flow()];
  const reason = new Error("enough");
  const channel = new BodyChannel("s", {
    onData(chunk) {
      channel.cancel(reason);
      return sink.onData(chunk);
    },
    onComplete: () => sink.onComplete(),
    onFailure: (why) => sink.onFailure(why),
  }, (failure) => sink.events.push(`end ${failure?.reason === reason && failure.cancelled}`));
  channel.onStart("s", 10);
  channel.onData("s", new Uint8Array(4), true, flow);
  channel.onFailure("s", new Error("the connection was given up"));
  assertEquals(flow.pauses, 0);
  assertEquals([sink.events, sink.failure], [["end true", "failure", "data"], reason]);
});

test("BodyChannel copies what is borrowed, and gives memory of its own to read into", () => {
  const chunks: Uint8Array[] = [];
  const sink = { onData: (chunk: Uint8Array) => chunks.push(chunk) > 0, onComplete() {}, onFailure() {} };
  const channel = new BodyChannel("s", sink, () => {});
  const borrowed = Uint8Array.of(1, 2, 3);
  channel.onData("s", borrowed, false, new Flow());
  borrowed.fill(0xee);
  assertEquals(chunks, [Uint8Array.of(1, 2, 3)]);
  const memory = channel.allocate()!;
  assertEquals(channel.allocate(), memory);
  memory.set([4, 5, 6]);
  channel.onData("s", memory.subarray(0, 3), true, new Flow());
  // What was given out is not given out again.
  channel.allocate()!.fill(9);
  assertEquals(chunks[1], Uint8Array.of(4, 5, 6));
  for (let i = 0; i < 20; i++) {
    const next = channel.allocate()!;
    assert(next.length >= 64 * 1024, "too little to read into");
    channel.onData("s", next.subarray(0, 60_000), true, new Flow());
  }
  assertEquals(chunks[1], Uint8Array.of(4, 5, 6));
});

test("BodyChannel.cancel() lets what is left of the body pass, and gives no memory for it", () => {
  const [sink, flow] = [new BodyLog(), new Flow()];
  const channel = new BodyChannel("s", sink, () => {});
  channel.onData("s", new Uint8Array(4), true, flow);
  assertEquals([flow.pauses, flow.resumes], [1, 0]);
  channel.cancel(new Error("enough"));
  channel.onData("s", new Uint8Array(6), true, flow);
  channel.resume();
  assertEquals([flow.pauses, flow.resumes, sink.bytes, channel.allocate()], [1, 1, 4, undefined]);
});

test("BodyChannel.onFailure() is told from a cancellation", () => {
  const sink = new BodyLog();
  const failures: unknown[] = [];
  const channel = new BodyChannel("s", sink, (failure) => failures.push(failure));
  const reason = new Error("gone");
  channel.onFailure("s", reason);
  channel.cancel(new Error("late"));
  assertEquals([failures, sink.failure], [[{ reason, cancelled: false }], reason]);
});
