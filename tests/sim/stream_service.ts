/**
 * Streams over a simulated network: a transport of its own that serves them, and consumers that check every byte.
 *
 * @module
 */

import type { Clock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { SparkConf } from "../../src/base/spark_conf.ts";
import type { StreamCallback, StreamFlow } from "../../src/protocol/stream_callback.ts";
import { noOpRpcHandler } from "../../src/transport/rpc_handler.ts";
import type { StreamManager } from "../../src/transport/stream_manager.ts";
import { TransportConf } from "../../src/transport/transport_conf.ts";
import { TransportContext } from "../../src/transport/transport_context.ts";
import { CountedBuffer, type ReadMode } from "./counted_buffer.ts";
import type { SimulatedNode } from "./node.ts";
import { payloadFault } from "./payload.ts";
import type { Stage } from "./stage.ts";
import { WatchedClock } from "./watched_clock.ts";
import { WatchedDriver } from "./watched_driver.ts";

/** What a stream is asked for by: all that its server needs to make it. */
export interface StreamName {
  readonly seed: number;
  readonly size: number;
  readonly mode: ReadMode | "missing" | "late";
}

/** A transport on a node's host, with driver and clock under observation. */
export function makeTransport(
  stage: Stage,
  node: SimulatedNode,
  streamManager?: StreamManager,
): { readonly context: TransportContext; readonly driver: WatchedDriver; readonly clock: WatchedClock } {
  const driver = new WatchedDriver(stage.world.host(node.name).driver, stage.ledger.fail);
  const clock = new WatchedClock(node.clock);
  const handler = streamManager === undefined ? noOpRpcHandler : {
    ...noOpRpcHandler,
    streamManager,
    receive: echoBytes,
  };
  const conf = new TransportConf("shuffle", new SparkConf({ "spark.shuffle.io.connectionTimeout": "120s" }));
  const options = { driver, clock, logger: silentLogger, random: stage.world.random };
  return { context: new TransportContext(conf, handler, options), driver, clock };
}

const echoBytes: typeof noOpRpcHandler.receive = (_client, body, responder) => void responder.onSuccess(body.take());

/** Opens the streams that are asked for, and knows whether all of them have been released. */
export class SimulatedStreams implements StreamManager {
  readonly #clock: Clock;
  readonly #opened: CountedBuffer[] = [];
  /** Streams that are being sent. */
  underWay = 0;

  /** @param clock The server's. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many buffers somebody still holds. */
  get held(): number {
    return this.#opened.filter(({ holders }) => holders !== 0).length;
  }

  openStream(streamId: string): CountedBuffer | undefined | Promise<CountedBuffer> {
    const { seed, size, mode } = JSON.parse(streamId) as StreamName;
    if (mode === "missing") return undefined;
    const buffer = new CountedBuffer(seed, size, mode === "late" ? "pieces" : mode, this.#clock);
    this.#opened.push(buffer);
    return mode === "late" ? new Promise((resolve) => this.#clock.setTimer(size % 50, () => resolve(buffer))) : buffer;
  }

  streamBeingSent(): void {
    this.underWay++;
  }

  streamSent(): void {
    this.underWay--;
  }
}

/** Takes one stream, now and then not as fast as it comes. */
export class StreamConsumer implements StreamCallback {
  /** Resolves at the end of the stream; rejects with what it failed with. */
  readonly ended: Promise<void>;
  readonly #stage: Stage;
  readonly #clock: Clock;
  readonly #name: StreamName;
  readonly #bytes: Uint8Array;
  #received = 0;
  #isPaused = false;
  #hasEnded = false;
  #resolve: () => void = () => {};
  #reject: (error: Error) => void = () => {};

  /** @param clock The consumer's. */
  constructor(stage: Stage, clock: Clock, name: StreamName) {
    this.#stage = stage;
    this.#clock = clock;
    this.#name = name;
    this.#bytes = new Uint8Array(name.size);
    this.ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  onData(_streamId: string, chunk: Uint8Array, _owned: boolean, flow: StreamFlow): void {
    if (this.#isPaused) this.#fail("went on though it was paused");
    if (this.#hasEnded) this.#fail("went on after its end");
    if (this.#received + chunk.length > this.#bytes.length) return this.#fail("has more bytes than were asked for");
    this.#bytes.set(chunk, this.#received);
    this.#received += chunk.length;
    // No numbers are drawn here: how often this is called depends on the engine's reads in real life, so let the bytes decide.
    if (chunk[0]! % 4 !== 0) return;
    this.#isPaused = true;
    flow.pause();
    this.#clock.setTimer(chunk[0]! / 8, () => {
      this.#isPaused = false;
      flow.resume();
    });
  }

  onComplete(): void {
    this.#end();
    const fault = payloadFault({ seed: this.#name.seed, bytes: this.#bytes.subarray(0, this.#received) }, this.#name.size);
    if (fault !== undefined) this.#fail(`is wrong: ${fault}`);
    this.#resolve();
  }

  onFailure(_streamId: string, error: Error): void {
    this.#end();
    this.#reject(error);
  }

  #end(): void {
    if (this.#hasEnded) this.#fail("ended twice");
    this.#hasEnded = true;
  }

  #fail(what: string): void {
    this.#stage.ledger.fail(`Stream ${JSON.stringify(this.#name)} ${what}`);
  }
}
