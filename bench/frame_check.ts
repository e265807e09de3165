/**
 * Whether the raw echo still sends what Sparkwire sends: one ask and one send through a relay that keeps the bytes.
 *
 * Without it a change of the codec would make the yardstick longer or shorter than what it measures, and nobody would see.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { RpcEnv } from "../mod.ts";
import { BENCH_ENDPOINT, BENCH_HOST, ID_OFFSET, oneWayFrame, patternBody, requestFrame, responseFrame } from "./frames.ts";

const SIZES = [64, 1024, 64 * 1024];

/** Throws unless our frames are those of `frames.ts`, but for the id. */
export async function checkFrames(): Promise<void> {
  const server = await RpcEnv.create({ name: "bench", host: BENCH_HOST, port: 0 });
  server.setupEndpoint(BENCH_ENDPOINT, { receive() {}, receiveAndReply: (message) => message });
  const relay = new Relay(server.address!.port);
  const client = await RpcEnv.create({ name: "client" });
  try {
    const ref = await client.setupEndpointRef({ address: { host: BENCH_HOST, port: relay.port }, name: BENCH_ENDPOINT });
    for (const size of SIZES) {
      const body = patternBody(size);
      relay.forget();
      await ref.ask(body);
      expect(`ask of ${size} bytes`, relay.sent(), requestFrame(body, relay.port), true);
      expect(`reply of ${size} bytes`, relay.received(), responseFrame(body), true);
      relay.forget();
      ref.send(body);
      await ref.ask(body);
      expect(`send of ${size} bytes`, relay.sent(), oneWayFrame(body, relay.port), false);
    }
  } finally {
    await client.shutdown();
    await server.shutdown();
    await relay.closed;
  }
}

function expect(what: string, bytes: Uint8Array, frame: Uint8Array, hasId: boolean): void {
  for (let i = 0; i < frame.length; i++) {
    const isId = hasId && i >= ID_OFFSET && i < ID_OFFSET + 8;
    if (!isId && bytes[i] !== frame[i]) throw new Error(`The frame of the ${what} differs from the raw echo's at byte ${i}`);
  }
  if (hasId && bytes.length !== frame.length) {
    throw new Error(`The ${what} is ${bytes.length} bytes instead of ${frame.length}`);
  }
}

/** Passes one connection on, and keeps what passes. */
class Relay {
  readonly port: number;
  /** Settles when the connection is over. */
  readonly closed: Promise<void>;
  #sent: Uint8Array[] = [];
  #received: Uint8Array[] = [];

  constructor(target: number) {
    const listener = Deno.listen({ hostname: BENCH_HOST, port: 0 });
    this.port = listener.addr.port;
    this.closed = this.#run(listener, target);
  }

  async #run(listener: Deno.TcpListener, target: number): Promise<void> {
    const near = await listener.accept();
    listener.close();
    const far = await Deno.connect({ hostname: BENCH_HOST, port: target });
    const pass = (from: Deno.TcpConn, to: Deno.TcpConn, keep: (bytes: Uint8Array) => void): Promise<void> =>
      from.readable.pipeThrough(
        new TransformStream<Uint8Array, Uint8Array>({
          transform(chunk, controller) {
            keep(chunk.slice());
            controller.enqueue(chunk);
          },
        }),
      ).pipeTo(to.writable).catch(() => {});
    await Promise.all([
      pass(near, far, (bytes) => this.#sent.push(bytes)),
      pass(far, near, (bytes) => this.#received.push(bytes)),
    ]);
  }

  forget(): void {
    this.#sent = [];
    this.#received = [];
  }

  sent(): Uint8Array {
    return Buffer.concat(this.#sent);
  }

  received(): Uint8Array {
    return Buffer.concat(this.#received);
  }
}
