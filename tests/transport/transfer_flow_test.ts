import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { RpcTimeoutError } from "../../src/base/errors.ts";
import type { ManagedBuffer } from "../../src/protocol/managed_buffer.ts";
import { readChunk, readStream, receiveUpload, sendUpload } from "../../src/transport/transfers.ts";
import type { TransportStats } from "../../src/transport/transport_metrics.ts";
import { deferred, until, untilStill, within } from "../_harness.ts";
import { content, CountedBuffer, countedBuffers } from "../_counted_buffer.ts";
import { ask, bytesOf, echo, failureOf, type Stage, transportTest } from "./_stage.ts";

const MIB = 1024 * 1024;
const SIZE = 64 * MIB;
/** What may lie between a reader that stalls and the bytes that have not been read: its stream, kernels' buffers, pieces of files. */
const MAX_ON_THE_WAY = 32 * MIB;

/** Bytes that say up to where they were read. */
class Tape implements ManagedBuffer {
  readonly size = SIZE;
  position = 0;
  holders = 1;

  read(position: number, into: Uint8Array): number {
    const count = Math.min(into.length, SIZE - position);
    into.fill(position & 0xff, 0, count);
    this.position = position + count;
    return count;
  }

  retain(): this {
    this.holders++;
    return this;
  }

  release(): void {
    this.holders--;
  }
}

/** Waits until `position` stands still, far from the end. */
async function standsStill(stage: Stage, position: () => number): Promise<void> {
  await untilStill(position, "the far end to be held back");
  await stage.turns(50);
  assert(position() < MAX_ON_THE_WAY, `${position()} bytes were read ahead`);
}

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<number> {
  let bytes = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) bytes += next.value.length;
  return bytes;
}

function idle({ queuedBytes, outstandingRequests, unansweredRequests }: TransportStats): boolean {
  return queuedBytes === 0 && outstandingRequests === 0 && unansweredRequests === 0;
}

for (const kind of ["stream", "chunk"] as const) {
  transportTest(`A ${kind} whose reader stalls is not read ahead at the far end, and goes on with it`, async (stage) => {
    const tape = new Tape();
    const { connection, server, client } = await stage.pair({
      handler: { ...echo, streamManager: { openStream: () => tape, getChunk: () => tape } },
    });
    const reader = (kind === "stream" ? readStream(connection, "tape") : readChunk(connection, 7n, 0)).getReader();
    const first = (await within(reader.read(), "the first bytes")).value!.length;
    await standsStill(stage, () => tape.position);
    assertEquals(first + await within(drain(reader), "the rest"), SIZE);
    await until(
      () => tape.holders === 0 && idle(server.context.stats()) && idle(client.context.stats()),
      "both ends to be idle",
    );
    assertEquals(await ask(connection, "still here"), "still here");
  });
}

transportTest("An upload whose receiver stalls is not read ahead, and goes on with it", async (stage) => {
  const gate = deferred();
  let received = 0;
  const { connection, server, client } = await stage.pair({
    handler: {
      ...echo,
      receiveStream: () =>
        receiveUpload("u", async (stream) => {
          const reader = stream.getReader();
          received = (await reader.read()).value!.length;
          await gate.promise;
          received += await drain(reader);
        }),
    },
  });
  let given = 0;
  const piece = content(100_000);
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for (; given < SIZE; given += piece.length) yield await Promise.resolve(piece.subarray(0, SIZE - given));
  };
  const uploading = sendUpload(connection, bytesOf("u"), pieces(), { size: SIZE });
  uploading.catch(() => {});
  await standsStill(stage, () => given);
  gate.resolve();
  assertEquals(await within(uploading, "the answer"), new Uint8Array(0));
  assertEquals(received, SIZE);
  await until(() => idle(server.context.stats()) && idle(client.context.stats()), "both ends to be idle");
});

for (const kind of ["stream", "chunk", "upload"] as const) {
  transportTest(`What is given up while its reader stalls frees both ends: ${kind}`, async (stage) => {
    const tape = new Tape();
    const gate = deferred();
    const { connection, server, client } = await stage.pair({
      handler: {
        ...echo,
        streamManager: { openStream: () => tape, getChunk: () => tape },
        receiveStream: () => receiveUpload("u", (stream) => gate.promise.then(() => drain(stream.getReader())).then(() => {})),
      },
    });
    const abort = new AbortController();
    const { signal } = abort;
    const reason = new RangeError("enough");
    let ending: Promise<unknown>;
    if (kind === "upload") ending = sendUpload(connection, bytesOf("u"), tape, { signal });
    else {
      const stream = kind === "stream" ? readStream(connection, "tape", { signal }) : readChunk(connection, 7n, 0, { signal });
      ending = stream.getReader().closed;
    }
    ending.catch(() => {});
    await standsStill(stage, () => tape.position);
    abort.abort(reason);
    assertEquals(await failureOf(ending), reason);
    await until(() => tape.holders === 0, "the bytes to be released");
    await client.connections(0);
    // Nobody hears of the end of a connection that is not read: the receiver of an upload does when it goes on.
    gate.resolve();
    await server.connections(0);
    for (const { context } of [server, client]) assert(idle(context.stats()));
  });
}

transportTest("sendUpload() gives up after its time: with the connection if not all was sent", async (stage) => {
  const gate = deferred();
  const { connection, client, listening } = await stage.pair({
    handler: { ...echo, receiveStream: () => receiveUpload("u", () => gate.promise) },
  });
  const buffer = countedBuffers(stage.test);
  const data = buffer(content(1_000));
  const sent = failureOf(sendUpload(connection, bytesOf("u"), data, { timeoutMs: 300 }));
  await until(() => data.frees === 1, "all to be sent");
  stage.clock.advance(300);
  assertInstanceOf(await sent, RpcTimeoutError);
  assertEquals(connection.isActive, true);
  gate.resolve();
  const stuck = deferred();
  const own = await client.factory.createUnmanagedClient({ host: "127.0.0.1", port: listening.port });
  const unsent = failureOf(
    sendUpload(own, bytesOf("u"), buffer(content(1_000), { gate: stuck.promise }), { timeoutMs: 300 }),
  );
  stage.clock.advance(300);
  assertInstanceOf(await unsent, RpcTimeoutError);
  assertEquals(own.isActive, false);
  stuck.resolve();
  const refused = new CountedBuffer(content(10));
  await assertRejects(() => sendUpload(connection, bytesOf("u"), refused, { timeoutMs: -1 }), RangeError, "Timeout must not");
  assertEquals(refused.frees, 1);
});

transportTest("readStream() of a reader that leaves its loop early frees both ends", async (stage) => {
  const tape = new Tape();
  const { connection, server, client } = await stage.pair({ handler: { streamManager: { openStream: () => tape } } });
  const readSome = async (): Promise<void> => {
    for await (const chunk of readStream(connection, "tape")) if (chunk.length > 0) break;
  };
  await within(readSome(), "the first bytes");
  await until(() => tape.holders === 0, "the bytes to be released");
  await server.connections(0);
  await client.connections(0);
  assert(idle(server.context.stats()) && idle(client.context.stats()));
});
