// deno-lint-ignore-file no-console -- it prints what it measured where there is no `deno bench`.
/**
 * What the CBOR serializer costs a message, beside cbor-x: `deno bench bench/cbor_bench.ts`; bundled, on Bun and Node too.
 *
 * One iteration handles a batch of 1,000 messages, so a microsecond of an iteration is a nanosecond of a message. cbor-x does
 * less: it looks for no shared values, takes text that is not UTF-8, and gives byte strings that are views of the input.
 *
 * @module
 */

import { MessageBody } from "../src/base/message_body.ts";
import { ReceivedBytes } from "../src/base/received_bytes.ts";
import { Encoder } from "cbor-x/encode";
import { ByteSink } from "../src/base/bytes.ts";
import { cborSerializer } from "../src/serializer/cbor.ts";
import type { SerializerContext } from "../src/serializer/serializer.ts";

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
  "text": (i) => ({ path: `/user/hive/warehouse/table/part-${i}.parquet`, host: `worker-${i & 15}.example`, ok: true }),
  "text that is not ASCII": (i) => ({ name: "Zoë Müller", city: "東京", i }),
  "40 floats": (i) => Array.from({ length: 40 }, (_, k) => (k + i) * 1.1),
  "10 objects": (i) => Array.from({ length: 10 }, (_, k) => ({ id: k, at: { x: k, y: -i }, tags: ["a", "b"] })),
};

for (const [group, make] of Object.entries(MESSAGES)) {
  const messages = Array.from({ length: BATCH }, (_, i) => make(i));
  out.truncate(0);
  const starts = messages.map((message) => {
    const start = out.position;
    cborSerializer.encode(message, out, context);
    return start;
  });
  const ends = [...starts.slice(1), out.position];
  const chunk = out.copy();
  const theirContents = messages.map((message) => Uint8Array.from(theirs.encode(message)));

  register(`encode ${group}`, { group: `encode ${group}`, baseline: true }, () => {
    out.truncate(0);
    for (let i = 0; i < BATCH; i++) cborSerializer.encode(messages[i], out, context);
  });
  register(`encode ${group}, cbor-x`, { group: `encode ${group}`, baseline: false }, () => {
    for (let i = 0; i < BATCH; i++) kept[i & 63] = theirs.encode(messages[i]);
  });
  register(`decode ${group}`, { group: `decode ${group}`, baseline: true }, () => {
    const received = new ReceivedBytes(chunk, false);
    for (let i = 0; i < BATCH; i++) {
      kept[i & 63] = cborSerializer.decode(new MessageBody(received, starts[i]!, ends[i]!), context);
    }
  });
  register(`decode ${group}, cbor-x`, { group: `decode ${group}`, baseline: false }, () => {
    for (let i = 0; i < BATCH; i++) kept[i & 63] = theirs.decode(theirContents[i]!);
  });
}
