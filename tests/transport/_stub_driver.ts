/**
 * Sockets without a network: the test says what arrives, what leaves, and when a connect is answered.
 *
 * @module
 */

import { SocketError } from "../../src/socket/socket.ts";
import type {
  AttachSocket,
  ConnectOptions,
  Socket,
  SocketAddress,
  SocketDriver,
  SocketHandler,
  SocketListener,
} from "../../src/socket/socket.ts";
import { type Deferred, deferred } from "../_harness.ts";

/** A socket that keeps what is written. */
export class StubSocket implements Socket {
  readonly localAddress: SocketAddress = { host: "127.0.0.1", port: 1 };
  readonly remoteAddress: SocketAddress;
  readonly secure = false;
  readonly closed: Promise<void>;
  /** Bytes that count as not having left. */
  queuedBytes = 0;
  /** What `write` returns, apart from counting. */
  full = false;
  readonly writes: Uint8Array[] = [];
  isShut = false;
  isPaused = false;
  aborted: unknown;
  readonly handler: SocketHandler;
  readonly #settled: Deferred<void> = deferred();
  #isClosed = false;

  constructor(remoteAddress: SocketAddress, attach: AttachSocket) {
    this.remoteAddress = remoteAddress;
    this.closed = this.#settled.promise;
    this.handler = attach(this);
  }

  get writtenBytes(): number {
    return this.writes.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.isShut || this.#isClosed) return false;
    for (const chunk of chunks) this.writes.push(chunk.slice());
    return !this.full;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  /** The peer answers with its own FIN once all has left. */
  shutdown(): void {
    this.isShut = true;
    if (this.queuedBytes === 0) this.close();
  }

  abort(reason?: unknown): void {
    if (this.#isClosed) return;
    this.aborted = reason ?? "aborted";
    this.close(new SocketError("ABORTED", `Aborted: ${String(reason)}`, { cause: reason }));
  }

  /** The driver says that it is closed, in a later microtask. */
  close(error?: SocketError): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.queuedBytes = 0;
    Promise.resolve().then(() => {
      this.handler.onClose(this, error);
      this.#settled.resolve();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.abort();
    await this.closed;
  }
}

/** Dials that are answered when the test says so, or never. */
export class StubDriver implements SocketDriver {
  readonly name = "stub";
  readonly sockets: StubSocket[] = [];
  /** How many connects were begun, and how many were given up. */
  dials = 0;
  aborted = 0;
  /** Whether connects are never answered. */
  silent = false;
  /** What a connect waits for before it fails or is answered. */
  gate: Promise<void> | undefined;
  failure: SocketError | undefined;
  /** Called between attach and the answer to the connect. */
  onAttached: (() => void) | undefined;

  async connect(address: SocketAddress, attach: AttachSocket, { signal }: ConnectOptions = {}): Promise<Socket> {
    this.dials++;
    signal?.throwIfAborted();
    const aborted = new Promise<never>((_, reject) => {
      signal?.addEventListener("abort", () => {
        this.aborted++;
        reject(signal.reason);
      }, { once: true });
    });
    await Promise.race([aborted, this.silent ? new Promise(() => {}) : this.gate]);
    if (this.failure !== undefined) throw this.failure;
    const socket = new StubSocket(address, attach);
    this.sockets.push(socket);
    this.onAttached?.();
    return socket;
  }

  listen(): Promise<SocketListener> {
    return Promise.reject(new SocketError("UNKNOWN", "A stub does not listen"));
  }
}
