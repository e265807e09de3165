import { assert, assertEquals } from "@std/assert";
import { seededRandom } from "../../src/base/random.ts";
import { OneForOneStreamManager } from "../../src/block/one_for_one_stream_manager.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { SparkConf } from "../../src/base/spark_conf.ts";
import type { StreamCallback, StreamFlow } from "../../src/protocol/stream_callback.ts";
import { RpcEnv } from "../../src/rpc/rpc_env.ts";
import type { SimulatedWorld } from "../../src/rpc/simulated_world.ts";
import { noOpRpcHandler, type RpcHandler } from "../../src/transport/rpc_handler.ts";
import type { StreamCallbackWithId } from "../../src/transport/stream_callback_with_id.ts";
import type { TransportClient } from "../../src/transport/transport_client.ts";
import { TransportConf } from "../../src/transport/transport_conf.ts";
import { TransportContext } from "../../src/transport/transport_context.ts";
import { test } from "../_harness.ts";
import { CountedBuffer, type ReadMode } from "./counted_buffer.ts";
import { makePayload } from "./payload.ts";

const MIB = 1024 * 1024;
const MODES: readonly ReadMode[] = ["memory", "pieces", "slow"];

/** Bytes that were taken, and how it ended: once, or it is a fault. */
class Taker implements StreamCallback {
  readonly #world: SimulatedWorld;
  readonly #expected: Uint8Array;
  readonly #ends: string[];
  readonly #name: string;
  #received = 0;

  constructor(world: SimulatedWorld, seed: number, size: number, ends: string[], name: string) {
    this.#world = world;
    this.#expected = makePayload(seed, size).bytes;
    this.#ends = ends;
    this.#name = name;
  }

  onData(_id: string, chunk: Uint8Array, _owned: boolean, flow: StreamFlow): void {
    for (let i = 0; i < chunk.length; i += 97) assertEquals(chunk[i], this.#expected[this.#received + i], this.#name);
    this.#received += chunk.length;
    if (chunk[0]! % 8 !== 0) return;
    flow.pause();
    this.#world.clock.setTimer(chunk[0]! / 16, () => flow.resume());
  }

  onComplete(): void {
    assertEquals(this.#received, this.#expected.length, this.#name);
    this.#ends.push(`${this.#name} complete`);
  }

  onFailure(): void {
    this.#ends.push(`${this.#name} failed`);
  }
}

interface Play {
  /** What was asked for, and what each of it came to. */
  readonly asked: readonly string[];
  readonly ends: readonly string[];
  /** How many bytes came to the client and to the server. */
  readonly bytes: readonly [number, number];
}

/** Chunks, streams, uploads and requests over one connection, which is broken after so many bytes at one end, if it is. */
async function play(seed: number, breakAt?: { readonly end: "client" | "server"; readonly bytes: number }): Promise<Play> {
  const random = seededRandom(seed);
  const int = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1));
  const world = RpcEnv.createSimulated(seed, { splitProbability: 0.3, mergeProbability: 0.2, delayMeanMs: 2 });
  const buffers: CountedBuffer[] = [];
  const make = (of: number, size: number): CountedBuffer => {
    const buffer = new CountedBuffer(of, size, MODES[of % 3]!, world.clock);
    buffers.push(buffer);
    return buffer;
  };
  const context = (host: string, handler: RpcHandler): TransportContext => {
    const { driver, clock } = world.host(host);
    const conf = new TransportConf("shuffle", new SparkConf());
    return new TransportContext(conf, handler, { driver, clock, logger: silentLogger, random: world.random });
  };
  const manager = new OneForOneStreamManager({ random: world.random });
  const uploads: string[] = [];
  const sizes = Array.from({ length: int(1, 5) }, (_, i) => i === 0 ? MIB + int(0, 200_000) : int(0, 50_000));
  const serving = context("server", {
    ...noOpRpcHandler,
    streamManager: manager,
    receive(client, body, responder) {
      if (body.length > 0) return void responder.onSuccess(body.take());
      const streamId = manager.registerStream("app", sizes.map((size, i) => make(i, size)), { client });
      responder.onSuccess((out) => out.writeUtf8(String(streamId)));
    },
    receiveStream(_, meta): StreamCallbackWithId {
      const [name, of, size] = new TextDecoder().decode(meta.bytes).split(" ");
      const taker = new Taker(world, Number(of), Number(size), uploads, name!);
      return {
        id: name!,
        onData: (id, chunk, owned, flow) => taker.onData(id, chunk, owned, flow),
        onComplete: () => taker.onComplete(),
        onFailure: () => taker.onFailure(),
      };
    },
  });
  const listening = await world.settle(serving.createServer(7337, { host: "server" }));
  const dialling = context("client", noOpRpcHandler);
  const factory = dialling.createClientFactory();
  const client = await world.settle(factory.createClient({ host: "server", port: 7337 }));
  const asked: string[] = [];
  const ends: string[] = [];
  const request = (name: string, content: Uint8Array, then?: (answer: string) => void): void => {
    asked.push(name);
    client.sendRpc(content, {
      deadline: Infinity,
      onSuccess(body) {
        ends.push(`${name} answered`);
        then?.(new TextDecoder().decode(body.bytes));
      },
      onFailure: () => void ends.push(`${name} failed`),
      onTimeout() {},
    });
  };
  const fetch = (streamId: bigint): void => {
    for (const [i, size] of sizes.entries()) {
      const name = `chunk ${i}`;
      asked.push(name);
      client.fetchChunk(streamId, i, {
        onSuccess(_, body) {
          assertEquals(body.take(), makePayload(i, size).bytes);
          ends.push(`${name} came`);
        },
        onFailure: () => void ends.push(`${name} failed`),
        openStream: () => new Taker(world, i, size, ends, name),
      });
      if (i % 2 === 0) request(`request ${i}`, makePayload(i, 100).bytes);
      else upload(client, i);
    }
  };
  const upload = (over: TransportClient, i: number): void => {
    const size = int(0, 100_000);
    const name = `upload${i}`;
    asked.push(name);
    over.uploadStream(new TextEncoder().encode(`${name} ${i} ${size}`), make(i, size), {
      deadline: Infinity,
      onSuccess: () => void ends.push(`${name} answered`),
      onFailure: () => void ends.push(`${name} failed`),
      onTimeout() {},
    });
  };
  request("register", new Uint8Array(0), (answer) => fetch(BigInt(answer)));
  upload(client, 100);
  const broken = breakAt?.end === "server" ? [...serving.connections][0] : [...dialling.connections][0];
  const bytes = (): number => broken === undefined ? 0 : broken.stats().bytesRead + broken.stats().bytesWritten;
  await world.run(() => ends.length === asked.length || (breakAt !== undefined && bytes() >= breakAt.bytes));
  const total = [client.channel.bytesRead, client.channel.outgoing.writtenBytes] as const;
  if (breakAt !== undefined) broken?.channel.abort(new Error("pulled the plug"));
  await world.settle(Promise.all([factory.close(), listening.close()]));
  await world.run();
  const what = `seed ${seed}, broken ${JSON.stringify(breakAt)}\n${world.report()}`;
  for (const each of [serving, dialling]) {
    const { connections, outstandingRequests, unansweredRequests, queuedBytes } = each.stats();
    assertEquals([connections, outstandingRequests, unansweredRequests, queuedBytes], [0, 0, 0, 0], what);
  }
  assertEquals(buffers.map(({ holders }) => holders).filter((holders) => holders !== 0), [], what);
  assertEquals([manager.numStreamStates, manager.chunksBeingTransferred()], [0, 0], what);
  assertEquals(new Set(uploads).size, uploads.length, what);
  return { asked, ends, bytes: total };
}

function nameOf(end: string): string {
  return end.slice(0, end.lastIndexOf(" "));
}

test("A simulated connection brings all chunks, uploads and answers, whatever way their bytes are cut", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { asked, ends } = await play(seed);
    assertEquals(ends.map(nameOf).sort(), [...asked].sort(), `seed ${seed}`);
    assert(ends.every((end) => !end.endsWith(" failed")), `seed ${seed}: ${ends}`);
  }
});

test("A simulated connection that is lost at any byte fails what was on it, each once, and leaves nothing", async () => {
  let broken = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const { bytes } = await play(seed);
    const all = bytes[0] + bytes[1];
    const random = seededRandom(seed + 1_000);
    for (let round = 0; round < 6; round++) {
      const end = round % 2 === 0 ? "client" : "server";
      // Half of them where little has come yet: most boundaries between messages are there.
      const at = Math.floor(random() * (round < 3 ? 2_000 : all));
      const { asked, ends } = await play(seed, { end, bytes: at });
      assertEquals(ends.map(nameOf).sort(), [...asked].sort(), `seed ${seed}, broken at ${at} by the ${end}`);
      if (ends.some((each) => each.endsWith(" failed"))) broken++;
    }
  }
  assert(broken > 100, `${broken} plays were broken`);
});
