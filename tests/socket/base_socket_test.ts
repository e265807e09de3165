import { assertEquals, assertThrows } from "@std/assert";
import { setTimeout } from "node:timers/promises";
import { BaseSocket, checkSocketOptions, socketAddress } from "../../src/socket/_base_socket.ts";
import type { SocketError, SocketHandler, SocketOptions } from "../../src/socket/socket.ts";
import { deferred, test } from "../_harness.ts";

const address = { host: "127.0.0.1", port: 1 };

/** A runtime that does what a test says, also what only one of the three does now and then. */
class ScriptedSocket extends BaseSocket {
  readonly calls: string[] = [];
  queuedBytes = 0;

  constructor(options: SocketOptions = {}) {
    super({ local: address, remote: address }, options);
  }

  data(...bytes: number[]): void {
    const borrowed = Uint8Array.from(bytes);
    this.received(borrowed, false);
    borrowed.fill(0xee);
  }

  /** Bytes in memory that `memory` gave out. */
  dataInPlace(chunk: Uint8Array): void {
    this.received(chunk, true);
  }

  memory(): Uint8Array | undefined {
    return this.allocate();
  }

  end(): void {
    this.ended();
  }

  close(): void {
    this.gone();
  }

  break(thrown: unknown): void {
    this.broke(thrown);
  }

  drain(): void {
    this.drained();
  }

  protected override begin(): void {
    this.calls.push("begin");
  }

  protected override enqueue(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.queuedBytes += chunk.length;
  }

  protected override finishWriting(): void {
    this.calls.push("finishWriting");
  }

  protected override release(): Promise<void> | undefined {
    this.calls.push("release");
    this.queuedBytes = 0;
    return undefined;
  }

  protected override stopReading(): void {
    this.calls.push("stopReading");
  }

  protected override startReading(): void {
    this.calls.push("startReading");
  }
}

function open(socket: ScriptedSocket, hooks: Partial<SocketHandler> = {}): string[] {
  const seen: string[] = [];
  socket.open(() => ({
    onData: (_socket, chunk) => void seen.push(`data ${chunk.join(" ")}`),
    onDrain: () => void seen.push("drain"),
    onEnd: () => void seen.push("end"),
    onClose: (_socket, error) => void seen.push(`close ${error?.socketCode ?? "without error"}`),
    ...hooks,
  }));
  return seen;
}

test("BaseSocket holds what a runtime passes on after pause(), the end and the close included", async () => {
  const socket = new ScriptedSocket();
  const seen = open(socket);
  socket.data(1);
  socket.pause();
  socket.data(2, 3);
  socket.data(4);
  socket.shutdown();
  socket.end();
  socket.close();
  await Promise.resolve();
  assertEquals(seen, ["data 1"]);
  socket.resume();
  assertEquals(seen, ["data 1"]);
  await socket.closed;
  assertEquals(seen, ["data 1", "data 2 3", "data 4", "end", "close without error"]);
  assertEquals(socket.calls, ["begin", "stopReading", "finishWriting", "release"]);
});

test("BaseSocket reads on after it has passed on what it held, unless it was paused again", async () => {
  const socket = new ScriptedSocket();
  let pauses = 2;
  const seen: string[] = [];
  open(socket, {
    onData: (_socket, chunk) => {
      seen.push(chunk.join(" "));
      if (pauses-- > 0) socket.pause();
    },
  });
  for (const byte of [1, 2, 3]) socket.data(byte);
  assertEquals(seen, ["1"]);
  socket.resume();
  socket.data(4);
  await Promise.resolve();
  assertEquals(seen, ["1", "2"]);
  assertEquals(socket.calls, ["begin", "stopReading", "stopReading"]);
  socket.resume();
  await Promise.resolve();
  assertEquals(seen, ["1", "2", "3", "4"]);
  assertEquals(socket.calls.at(-1), "startReading");
  socket.data(5);
  assertEquals(seen.at(-1), "5");
});

/** What is seen of a socket whose held bytes lead to another pause, with its end held behind them. */
async function seenBehindAnotherPause(end: (socket: ScriptedSocket) => void): Promise<string[]> {
  const socket = new ScriptedSocket();
  const seen = open(socket, { onData: () => socket.pause() });
  socket.pause();
  socket.data(1);
  end(socket);
  socket.resume();
  await Promise.resolve();
  assertEquals(seen, []);
  socket.resume();
  await socket.closed;
  return seen;
}

test("BaseSocket passes on a held end also where the last bytes led to another pause", async () => {
  const seen = await seenBehindAnotherPause((socket) => {
    socket.shutdown();
    socket.end();
    socket.close();
  });
  assertEquals(seen, ["end", "close without error"]);
});

test("BaseSocket passes on a held close that no end came before", async () => {
  assertEquals(await seenBehindAnotherPause((socket) => socket.close()), ["close CONNECTION_RESET"]);
});

test("BaseSocket reads no more behind a held end, and says each end once", async () => {
  const socket = new ScriptedSocket();
  const seen = open(socket);
  socket.pause();
  socket.data(1);
  socket.end();
  socket.resume();
  await Promise.resolve();
  socket.end();
  assertEquals([seen, socket.calls], [["data 1", "end"], ["begin", "stopReading"]]);
});

test("BaseSocket asks its runtime for nothing twice", () => {
  const socket = new ScriptedSocket();
  open(socket);
  socket.resume();
  for (let i = 0; i < 2; i++) socket.pause();
  for (let i = 0; i < 2; i++) socket.resume();
  for (let i = 0; i < 2; i++) socket.shutdown();
  for (let i = 0; i < 2; i++) socket.abort();
  assertEquals(socket.calls, ["begin", "stopReading", "startReading", "finishWriting", "release"]);
});

test("BaseSocket that is over asks its runtime for nothing and passes nothing on", async () => {
  const socket = new ScriptedSocket();
  let asked = 0;
  const allocate = () => {
    asked++;
    return new Uint8Array(8);
  };
  const seen = open(socket, { allocate });
  socket.pause();
  socket.abort();
  socket.resume();
  socket.pause();
  socket.shutdown();
  assertEquals([socket.memory(), asked], [undefined, 0]);
  const other = new ScriptedSocket();
  const heard = open(other);
  other.abort();
  other.data(1);
  other.end();
  other.pause();
  await Promise.all([socket.closed, other.closed]);
  assertEquals([seen, socket.calls], [["close ABORTED"], ["begin", "stopReading", "release"]]);
  assertEquals([heard, other.calls], [["close ABORTED"], ["begin", "release"]]);
});

test("BaseSocket does not begin to read where attach has aborted it", async () => {
  const socket = new ScriptedSocket();
  socket.open((opened) => {
    opened.abort();
    return { onData() {}, onDrain() {}, onEnd() {}, onClose() {} };
  });
  await socket.closed;
  assertEquals(socket.calls, ["release"]);
});

test("BaseSocket is aborted by a handler that throws, once, and for the first reason", async () => {
  const thrown = new Error("bug");
  const errors: unknown[] = [];
  const onClose = (_socket: unknown, error: SocketError | undefined) => void errors.push(error?.cause);
  const allocating = new ScriptedSocket();
  open(allocating, {
    allocate() {
      throw thrown;
    },
    onClose,
  });
  assertEquals(allocating.memory(), undefined);
  await allocating.closed;
  const aborting = new ScriptedSocket();
  open(aborting, {
    onData(socket) {
      socket.abort("first");
      throw thrown;
    },
    onClose,
  });
  aborting.data(1);
  await aborting.closed;
  assertEquals([errors, aborting.calls], [[thrown, "first"], ["begin", "release"]]);
});

test("BaseSocket takes what nobody knows for a failure of TLS on a secure socket", async () => {
  for (const [options, code] of [[{ tls: {} }, "TLS"], [{}, "UNKNOWN"]] as const) {
    const socket = new ScriptedSocket(options);
    const seen = open(socket);
    socket.break(new Error("odd"));
    await socket.closed;
    assertEquals(seen, [`close ${code}`]);
  }
});

test("BaseSocket[Symbol.asyncDispose]() waits until the runtime's socket is gone", async () => {
  const gone = deferred();
  class Slow extends ScriptedSocket {
    protected override release(): Promise<void> {
      return gone.promise;
    }
  }
  const socket = new Slow();
  open(socket);
  let isOver = false;
  const disposed = socket[Symbol.asyncDispose]().then(() => isOver = true);
  await setTimeout();
  assertEquals(isOver, false);
  gone.resolve();
  await disposed;
});

test("BaseSocket drops what it holds when it is aborted", async () => {
  const socket = new ScriptedSocket();
  const seen = open(socket);
  socket.pause();
  socket.data(1);
  socket.end();
  socket.abort();
  socket.resume();
  await socket.closed;
  assertEquals(seen, ["close ABORTED"]);
});

test("BaseSocket asks for no memory while it holds bytes that may lie in it", async () => {
  const socket = new ScriptedSocket();
  const memory = new Uint8Array(8);
  const seen = open(socket, { allocate: () => memory });
  assertEquals(socket.memory(), memory);
  memory.set([1, 2]);
  socket.pause();
  socket.dataInPlace(memory.subarray(0, 2));
  assertEquals(socket.memory(), undefined);
  socket.resume();
  assertEquals(socket.memory(), undefined);
  await Promise.resolve();
  assertEquals([seen, socket.memory()], [["data 1 2"], memory]);
});

test("BaseSocket makes up the end that a runtime leaves out of a close without error", async () => {
  const socket = new ScriptedSocket();
  const seen = open(socket);
  socket.shutdown();
  socket.close();
  await socket.closed;
  assertEquals(seen, ["end", "close without error"]);
});

test("BaseSocket takes a close that no FIN has announced for a reset", async () => {
  const socket = new ScriptedSocket();
  const seen = open(socket);
  socket.close();
  socket.close();
  await socket.closed;
  assertEquals(seen, ["close CONNECTION_RESET"]);
});

test("BaseSocket says onDrain once for each time that write() returned false", () => {
  const socket = new ScriptedSocket({ highWaterMarkBytes: 10 });
  const seen = open(socket);
  const write = (count: number) => socket.write([new Uint8Array(count)]);
  assertEquals([write(9), write(1), write(0)], [true, false, false]);
  for (const queued of [9, 5, 4, 0]) {
    socket.queuedBytes = queued;
    socket.drain();
    assertEquals(seen.length, queued >= 5 ? 0 : 1);
  }
  assertEquals([write(10), write(1)], [false, false]);
  socket.queuedBytes = 0;
  socket.drain();
  socket.drain();
  assertEquals(seen, ["drain", "drain"]);
});

test("BaseSocket is aborted above maxQueuedBytes and not at it", async () => {
  const socket = new ScriptedSocket({ highWaterMarkBytes: 1_000, maxQueuedBytes: 10 });
  const seen = open(socket);
  assertEquals(socket.write([new Uint8Array(10)]), true);
  assertEquals(socket.write([new Uint8Array(1)]), false);
  await socket.closed;
  assertEquals(seen, ["close QUEUE_OVERFLOW"]);
});

test("checkSocketOptions() names what is wrong", () => {
  checkSocketOptions({ host: "::1", port: 65_535 }, { highWaterMarkBytes: 1, maxQueuedBytes: Infinity });
  assertThrows(() => checkSocketOptions({ host: "", port: 1 }, {}), TypeError, "Host is empty");
  assertThrows(() => checkSocketOptions({ host: "a", port: 65_536 }, {}), RangeError, "Port is not in 0..65535: 65536");
  assertThrows(() => checkSocketOptions(address, { maxQueuedBytes: 0 }), RangeError, "maxQueuedBytes is not positive: 0");
});

test("socketAddress() shows an IPv4 address by itself", () => {
  for (
    const [host, expected] of [["::ffff:10.0.0.1", "10.0.0.1"], ["::FFFF:10.0.0.1", "10.0.0.1"], ["::1", "::1"], ["a", "a"]]
  ) {
    assertEquals(socketAddress(host!, 1), { host: expected!, port: 1 });
  }
});
