/**
 * Both ends of raw simulated connections, for the tests of the simulated driver.
 *
 * @module
 */

import type { SimulatedNetwork } from "../../src/socket/sim.ts";
import type { ConnectOptions, ListenOptions, Socket, SocketError, SocketHandler } from "../../src/socket/socket.ts";

/** Byte number `position` of the stream with number `stream`: never the one that spoiled memory has. */
export function streamByte(stream: number, position: number): number {
  const byte = (stream * 31 + position * 7 + (position >>> 8)) & 0xff;
  return byte === 0xee ? 0 : byte;
}

/** Bytes `[start, end)` of a stream. */
export function streamBytes(stream: number, start: number, end: number): Uint8Array {
  return Uint8Array.from({ length: end - start }, (_, i) => streamByte(stream, start + i));
}

/** A handler that writes down what happens, and complains of what must not. */
export class Recorder implements SocketHandler {
  /** Every callback, in order: `data 5`, `drain`, `end`, `close` or `close CONNECTION_RESET`. */
  readonly log: string[] = [];
  /** All bytes that came. */
  readonly bytes: number[] = [];
  socket: Socket | undefined;
  error: SocketError | undefined;
  isClosed = false;
  hasEnded = false;
  /** Answers to what happens. */
  onBytes: (socket: Socket, chunk: Uint8Array) => void = () => {};
  onEnded: (socket: Socket) => void = () => {};
  onDrained: (socket: Socket) => void = () => {};

  /** What connect and listen are given. */
  readonly attach = (socket: Socket): this => {
    this.socket = socket;
    return this;
  };

  onData(socket: Socket, chunk: Uint8Array): void {
    this.#note(`data ${chunk.length}`);
    if (this.hasEnded) throw new Error("onData after onEnd");
    for (const byte of chunk) this.bytes.push(byte);
    this.onBytes(socket, chunk);
  }

  onDrain(socket: Socket): void {
    this.#note("drain");
    this.onDrained(socket);
  }

  onEnd(socket: Socket): void {
    this.#note("end");
    this.hasEnded = true;
    this.onEnded(socket);
  }

  onClose(_socket: Socket, error: SocketError | undefined): void {
    this.#note(error === undefined ? "close" : `close ${error.socketCode}`);
    this.isClosed = true;
    this.error = error;
  }

  #note(what: string): void {
    this.log.push(what);
    if (this.isClosed) throw new Error(`A callback after onClose: ${this.log.join(", ")}`);
  }
}

/** A connection from host `client` to host `server`. */
export interface Pair {
  readonly client: Recorder;
  readonly server: Recorder;
  readonly near: Socket;
  readonly far: Socket;
}

/** Connects two hosts of `network`, both with options of their own. */
export async function connectPair(
  network: SimulatedNetwork,
  clientOptions: ConnectOptions = {},
  serverOptions: ListenOptions = {},
): Promise<Pair> {
  const [client, server] = [new Recorder(), new Recorder()];
  const listener = await network.driver("server").listen({ host: "server", port: 0 }, server.attach, serverOptions);
  const near = await network.settle(network.driver("client").connect(listener.address, client.attach, clientOptions));
  await listener.close();
  return { client, server, near, far: server.socket! };
}
