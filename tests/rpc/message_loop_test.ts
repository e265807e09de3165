import { assertEquals, assertThrows } from "@std/assert";
import { silentLogger } from "../../src/base/logger.ts";
import { Inbox } from "../../src/rpc/inbox.ts";
import {
  DedicatedMessageLoop,
  MESSAGES_PER_TURN,
  REPLY_BYTES_PER_TURN,
  SharedMessageLoop,
} from "../../src/rpc/message_loop.ts";
import type { MessageLoop } from "../../src/rpc/message_loop.ts";
import { RpcAddress } from "../../src/rpc/rpc_address.ts";
import { HandClock } from "../_hand_clock.ts";
import { deferred, test } from "../_harness.ts";

const sender = new RpcAddress("localhost", 1);

function setUpInbox(
  loop: MessageLoop,
  name: string,
  receive: (message: unknown) => unknown,
  threadSafe = false,
): Inbox {
  return new Inbox(name, { receive, threadSafe }, {
    loop,
    host: {
      logger: silentLogger,
      describe: (inbox) => inbox.name,
      watch() {},
      removeRpcEndpointRef() {},
      ended() {},
      dropped() {},
    },
    limits: { maxInboxMessages: 1_000_000, maxInboxBytes: 1_000_000, maxConcurrentMessages: 10 },
  });
}

function fill(inbox: Inbox, count: number): void {
  for (let i = 0; i < count; i++) inbox.post({ kind: "OneWayMessage", senderAddress: sender, content: i });
  inbox.loop.activate(inbox);
}

test("MessageLoop.activate() runs nothing at once, and all in a microtask", () => {
  const clock = new HandClock();
  const loop = new SharedMessageLoop(clock);
  let received = 0;
  fill(setUpInbox(loop, "a", () => void received++), 3);
  assertEquals(received, 0);
  clock.drain();
  assertEquals([received, loop.busy], [3, false]);
});

test("MessageLoop gives each inbox a batch of 64 in turn", () => {
  const clock = new HandClock();
  const loop = new SharedMessageLoop(clock);
  const order: string[] = [];
  for (const name of ["a", "b"]) fill(setUpInbox(loop, name, () => void order.push(name)), 100);
  loop.runNow();
  const turns = order.filter((name, at) => name !== order[at - 1]);
  assertEquals(turns, ["a", "b", "a", "b"]);
  // onStart is the first message of a batch.
  assertEquals(order.indexOf("b"), 63);
});

test("MessageLoop yields to the event loop after 1,024 messages, or half of what waits", () => {
  const clock = new HandClock();
  const loop = new SharedMessageLoop(clock);
  let received = 0;
  fill(setUpInbox(loop, "a", () => void received++), 1_500);
  loop.runNow();
  assertEquals([received, clock.yielded], [MESSAGES_PER_TURN - 1, 1]);
  clock.turn();
  assertEquals([received, clock.yielded], [1_500, 0]);

  const many = setUpInbox(loop, "b", () => void received++);
  received = 0;
  fill(many, 10_000);
  loop.runNow();
  assertEquals([received >= 5_000 && received < 5_100, clock.yielded], [true, 1]);
});

test("MessageLoop yields after 256 KiB of answers", () => {
  const clock = new HandClock();
  const loop = new SharedMessageLoop(clock);
  let received = 0;
  const inbox = setUpInbox(loop, "a", () => {
    received++;
    loop.replied(REPLY_BYTES_PER_TURN / 64);
  });
  fill(inbox, 200);
  loop.runNow();
  assertEquals([received < 130, clock.yielded], [true, 1]);
  // Each turn has as much again.
  clock.turn();
  assertEquals([received > 130, clock.yielded], [true, 1]);
  clock.turn();
  assertEquals([received, clock.yielded], [200, 0]);
});

test("MessageLoop lets async handlers go on in microtasks only as long as the turn allows", async () => {
  const clock = new HandClock();
  const loop = new SharedMessageLoop(clock);
  let received = 0;
  const inbox = setUpInbox(loop, "a", () => Promise.resolve(received++), true);
  fill(inbox, 1_500);
  loop.runNow();
  for (let i = 0; i < 10_000; i++) await Promise.resolve();
  clock.drain();
  assertEquals([received < 1_100, clock.yielded], [true, 1]);
  while (clock.yielded > 0) {
    clock.turn();
    for (let i = 0; i < 10_000; i++) await Promise.resolve();
    clock.drain();
  }
  assertEquals(received, 1_500);
});

test("MessageLoop gives what is behind a handler that has settled its turns, however much that is", async () => {
  const clock = new HandClock();
  const loop = new SharedMessageLoop(clock);
  const gate = deferred();
  let received = 0;
  const inbox = setUpInbox(loop, "a", () => received++ === 0 ? gate.promise : undefined, true);
  fill(inbox, 500);
  loop.runNow();
  assertEquals([received, loop.busy], [1, false]);
  gate.resolve();
  for (let i = 0; i < 5; i++) await Promise.resolve();
  // A batch at once, and the others have theirs before the next one.
  assertEquals([received, loop.busy], [65, true]);
  clock.drain();
  assertEquals([received, loop.busy], [500, false]);
});

test("MessageLoop runs nothing from within a handler", () => {
  const clock = new HandClock();
  const loop = new SharedMessageLoop(clock);
  const order: unknown[] = [];
  const inbox: Inbox = setUpInbox(loop, "a", (message) => {
    order.push(`begin ${message}`);
    if (message === 0) {
      inbox.post({ kind: "OneWayMessage", senderAddress: sender, content: 1 });
      loop.activate(inbox);
      loop.runNow();
    }
    order.push(`end ${message}`);
  });
  fill(inbox, 1);
  clock.drain();
  assertEquals(order, ["begin 0", "end 0", "begin 1", "end 1"]);
});

test("DedicatedMessageLoop.activate() refuses another endpoint's inbox", () => {
  const loop = new DedicatedMessageLoop(new HandClock(), "mine");
  const inbox = setUpInbox(loop, "other", () => {});
  assertThrows(() => loop.activate(inbox), Error, "Dedicated loop of mine was given other");
});
