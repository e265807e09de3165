// deno-lint-ignore-file no-console -- it prints what it measured where there is no `deno bench`.
/**
 * What the CBOR serializer costs a message, beside cbor-x: `deno bench bench/cbor_bench.ts`; bundled, on Bun and Node too.
 *
 * One iteration handles a batch of 1,000 messages, so a microsecond of an iteration is a nanosecond of a message. cbor-x does
 * less: it looks for no shared values, takes text that is not UTF-8, gives byte strings that are views of the input, and has an
 * array in place of a typed message.
 *
 * @module
 */

import { MessageBody } from "../src/base/message_body.ts";
import { ReceivedBytes } from "../src/base/received_bytes.ts";
import { Encoder } from "cbor-x/encode";
import { ByteSink } from "../src/base/byte_sink.ts";
import { cborSerializer } from "../src/serializer/cbor.ts";
import { type SerializerContext, TypedMessage } from "../src/serializer/serializer.ts";

const BATCH = 1000;
const ROUNDS = 200;

const context: SerializerContext = { encodeRef: () => undefined, decodeRef: () => ({}), exposeStack: false };
const theirs = new Encoder({ useRecords: false, tagUint8Array: false, variableMapSize: true });
const out = new ByteSink(1 << 22);

/** Results stay alive for a while, as they do where a handler takes them. */
const kept: unknown[] = new Array(64).fill(undefined);

interface BenchOptions {
  readonly group: string;
  readonly baseline: boolean;
}

type Register = (name: string, options: BenchOptions, run: () => void) => void;

/** The best of some rounds, for runtimes without `deno bench`. */
function measure(name: string, _options: BenchOptions, run: () => void): void {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }
  console.log(`${name.padEnd(44)} ${(best * 1e6 / BATCH).toFixed(0).padStart(9)} ns`);
}

const register: Register = (globalThis as { Deno?: { bench?: Register } }).Deno?.bench ?? measure;

const data = Uint8Array.from({ length: 64 }, (_, i) => i);

/** Messages by what they are like; each gives another one for each number. */
const MESSAGES: Readonly<Record<string, (i: number) => unknown>> = {
  "64 bytes": () => data,
  "small object": (i) => ({ taskId: i, name: `stage-${i & 7}`, data }),
  "heartbeat": (i) => ({ id: `w${i & 63}`, cores: 4, memory: i * 1024 }),
  "typed message": (i) =>
    new TypedMessage("RegisterWorker", { id: `worker-${i & 63}`, cores: 4, host: "10.0.0.1", port: 7078 }),
  "typed reply": (i) => ({ accepted: (i & 1) === 0 }),
  "numbers": (i) => ({ x: i * 1.1, y: -i, time: 1.7e12 + i, ratio: 0.5, n: 300 + i, small: 7 }),
  "10 keys": (i) => ({
    executorId: i,
    host: "h1",
    port: 1,
    totalCores: 8,
    freeCores: 3,
    memoryMb: 4096,
    state: "RUNNING",
    active: true,
    lastSeen: 1.7e12 + i,
    tasks: 12,
  }),
  "nested": (i) => ({ job: { id: i, stage: { id: i & 7, attempt: 0 } }, ok: true, parent: null }),
  "text": (i) => ({ path: `/user/hive/warehouse/table/part-${i}.parquet`, host: `worker-${i & 15}.example`, ok: true }),
  "text that is new": (i) => ({ a: `k${i}abc`, b: `host-${i * 7}.example.org`, c: `${i}/${i * 31}/some/longer/path/of/it` }),
  "keys that are new": (i) => ({ [`k${i * 7919}`]: i, [`m${i * 104_729}x`]: i, [`${i}abc`]: 1 }),
  "text that is not ASCII": (i) => ({ name: "Zoë Müller", city: "東京", i }),
  "40 floats": (i) => Array.from({ length: 40 }, (_, k) => (k + i) * 1.1),
  "10 objects": (i) => Array.from({ length: 10 }, (_, k) => ({ id: k, at: { x: k, y: -i }, tags: ["a", "b"] })),
};

/** What a socket gives at a time. */
const CHUNK_BYTES = 64 * 1024;

/** Received bytes, and where the messages in them end. */
interface Chunk {
  readonly memory: Uint8Array;
  readonly ends: readonly number[];
}

/** The messages' contents as they arrive: many in a chunk. */
function chunksOf(contents: readonly Uint8Array[]): readonly Chunk[] {
  const chunks: Chunk[] = [];
  const chunk = new ByteSink(CHUNK_BYTES);
  for (let i = 0; i < contents.length;) {
    const ends: number[] = [];
    for (; i < contents.length && chunk.position + contents[i]!.length <= CHUNK_BYTES; i++) {
      chunk.writeBytes(contents[i]!);
      ends.push(chunk.position);
    }
    chunks.push({ memory: chunk.copy(), ends });
    chunk.truncate(0);
  }
  return chunks;
}

function decodeAll({ memory, ends }: Chunk): void {
  const received = new ReceivedBytes(memory, false);
  let start = 0;
  for (let i = 0; i < ends.length; i++) {
    const end = ends[i]!;
    kept[i & 63] = cborSerializer.decode(new MessageBody(received, start, end), context);
    start = end;
  }
}

for (const [group, make] of Object.entries(MESSAGES)) {
  const messages = Array.from({ length: BATCH }, (_, i) => make(i));
  const chunks = chunksOf(messages.map((message) => {
    out.truncate(0);
    cborSerializer.encode(message, out, context);
    return out.copy();
  }));
  const plain = messages.map((message) => message instanceof TypedMessage ? [message.tag, message.payload] : message);
  const theirContents = plain.map((message) => Uint8Array.from(theirs.encode(message)));

  register(`encode ${group}`, { group: `encode ${group}`, baseline: true }, () => {
    out.truncate(0);
    for (let i = 0; i < BATCH; i++) cborSerializer.encode(messages[i], out, context);
  });
  register(`encode ${group}, cbor-x`, { group: `encode ${group}`, baseline: false }, () => {
    for (let i = 0; i < BATCH; i++) kept[i & 63] = theirs.encode(plain[i]);
  });
  register(`decode ${group}`, { group: `decode ${group}`, baseline: true }, () => {
    for (const chunk of chunks) decodeAll(chunk);
  });
  register(`decode ${group}, cbor-x`, { group: `decode ${group}`, baseline: false }, () => {
    for (let i = 0; i < BATCH; i++) kept[i & 63] = theirs.decode(theirContents[i]!);
  });
}
