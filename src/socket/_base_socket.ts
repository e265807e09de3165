/**
 * What a socket is on every runtime: the order of callbacks, the marks of the write queue, and closing exactly once.
 *
 * A driver adds how bytes are read, written and cut off; it never calls a handler itself.
 *
 * @module
 */

import { systemClock } from "../base/clock.ts";
import { DEFAULT_HIGH_WATER_MARK_BYTES, DEFAULT_MAX_QUEUED_BYTES } from "./socket.ts";
import type { AttachSocket, Socket, SocketAddress, SocketError, SocketHandler, SocketOptions } from "./socket.ts";
import { formatAddress, socketError, toSocketError } from "./socket_errors.ts";

/** How much is read at once: 16 KiB halves the bulk rate on Deno, 256 KiB gains nothing. */
export const READ_BUFFER_BYTES: number = 64 * 1024;

/** The addresses of a connection, as the runtime has them. */
export interface SocketEnds {
  /** This end. */
  readonly local: SocketAddress;
  /** The other end. */
  readonly remote: SocketAddress;
}

/** The part of a {@linkcode Socket} that does not depend on the runtime. */
export abstract class BaseSocket implements Socket {
  readonly localAddress: SocketAddress;
  readonly remoteAddress: SocketAddress;
  readonly secure: boolean;
  readonly closed: Promise<void>;
  /** From so many queued bytes on `write` says no. */
  protected readonly highWaterMark: number;
  readonly #maxQueued: number;
  readonly #settleClosed: () => void;
  #handler: SocketHandler | undefined;
  #wantsDrain = false;
  #isShut = false;
  #hasEnded = false;
  #isClosed = false;
  #isPaused = false;
  /** What came after a pause: at most what the runtime had read by then. */
  readonly #held: Uint8Array[] = [];
  #isEndHeld = false;
  #isCloseHeld = false;

  /** @param options As given to connect or listen, and checked there by {@linkcode checkSocketOptions}. */
  constructor(ends: SocketEnds, options: SocketOptions) {
    this.localAddress = ends.local;
    this.remoteAddress = ends.remote;
    this.secure = options.tls !== undefined;
    this.highWaterMark = options.highWaterMarkBytes ?? DEFAULT_HIGH_WATER_MARK_BYTES;
    this.#maxQueued = options.maxQueuedBytes ?? DEFAULT_MAX_QUEUED_BYTES;
    let settle!: () => void;
    this.closed = new Promise((resolve) => settle = resolve);
    this.#settleClosed = settle;
  }

  /**
   * Asks the core for its handler, then lets events come.
   *
   * @returns Why there is no handler, if `attach` threw; the socket is aborted then.
   */
  open(attach: AttachSocket): SocketError | undefined {
    try {
      this.#handler = attach(this);
    } catch (thrown) {
      const error = this.#handlerError(thrown);
      this.#finish(error);
      return error;
    }
    if (!this.#isClosed) this.begin();
    return undefined;
  }

  abstract get queuedBytes(): number;

  /** Starts to read. */
  protected abstract begin(): void;
  /** Writes or queues, in order. */
  protected abstract enqueue(chunks: readonly Uint8Array[]): void;
  /** Sends FIN once the queue is flushed. Called once. */
  protected abstract finishWriting(): void;
  /** Drops the queue and lets go of the runtime's socket, if it is not gone yet. Called once; a promise settles when it is gone. */
  protected abstract release(): Promise<void> | undefined;
  /** Reads no more until {@linkcode startReading}; what was read already may still be passed to {@linkcode received}. */
  protected stopReading(): void {}
  /** Goes on after {@linkcode stopReading}. */
  protected startReading(): void {}

  /** Whether all is over: a driver that finds it so after a wait stops. */
  protected get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether the core wants no bytes now. */
  protected get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Whether onDrain is owed, and enough bytes have left the queue for it. */
  protected get isDrainDue(): boolean {
    return this.#wantsDrain && !this.#isClosed && this.queuedBytes * 2 < this.highWaterMark;
  }

  /** Whether `shutdown` was called. */
  protected get isShut(): boolean {
    return this.#isShut;
  }

  /** Whether the peer's FIN was passed on. */
  protected get hasEnded(): boolean {
    return this.#hasEnded;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#isShut || this.#isClosed) return false;
    this.enqueue(chunks);
    const queued = this.queuedBytes;
    if (queued > this.#maxQueued) this.#finish(socketError("QUEUE_OVERFLOW", this.#toPeer()));
    if (queued < this.highWaterMark) return !this.#isClosed;
    this.#wantsDrain = true;
    return false;
  }

  pause(): void {
    if (this.#isPaused || this.#isClosed) return;
    this.#isPaused = true;
    this.stopReading();
  }

  resume(): void {
    if (!this.#isPaused || this.#isClosed) return;
    this.#isPaused = false;
    if (this.#held.length > 0 || this.#isEndHeld || this.#isCloseHeld) systemClock.soon(() => this.#deliverHeld());
    else this.startReading();
  }

  shutdown(): void {
    if (this.#isShut || this.#isClosed) return;
    this.#isShut = true;
    this.finishWriting();
  }

  abort(reason?: unknown): void {
    if (!this.#isClosed) this.#finish(socketError("ABORTED", this.#toPeer(), reason));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.abort();
    await this.closed;
  }

  /** Memory of the handler's to read into, if it has any ready. */
  protected allocate(): Uint8Array | undefined {
    const handler = this.#handler;
    // What is held may lie in memory that was given out before.
    if (this.#isClosed || this.#held.length > 0 || handler?.allocate === undefined) return undefined;
    try {
      const memory = handler.allocate(this);
      return memory?.length === 0 ? undefined : memory;
    } catch (thrown) {
      this.#finish(this.#handlerError(thrown));
      return undefined;
    }
  }

  /** Bytes arrived. */
  protected received(chunk: Uint8Array, owned: boolean): void {
    // A read of Deno that is under way cannot be called back, and TLS on Node goes on to pass records that it has decrypted.
    if (this.#isPaused || this.#held.length > 0) this.#held.push(owned ? chunk : chunk.slice());
    else this.#deliver(chunk, owned);
  }

  /** The peer's FIN arrived. */
  protected ended(): void {
    if (this.#isClosed || this.#hasEnded) return;
    if (this.#held.length > 0) {
      this.#isEndHeld = true;
      return;
    }
    this.#hasEnded = true;
    try {
      this.#handler?.onEnd(this);
    } catch (thrown) {
      this.#finish(this.#handlerError(thrown));
    }
  }

  /** Bytes have left the queue. */
  protected drained(): void {
    if (!this.isDrainDue) return;
    this.#wantsDrain = false;
    try {
      this.#handler?.onDrain(this);
    } catch (thrown) {
      this.#finish(this.#handlerError(thrown));
    }
  }

  /** The runtime's socket broke. */
  protected broke(thrown: unknown): void {
    if (!this.#isClosed) this.#finish(toSocketError(thrown, this.#toPeer(), this.secure ? "TLS" : "UNKNOWN"));
  }

  /**
   * The runtime's socket closed without an error. Both FINs have passed then; a runtime that skipped the peer's has it made up.
   * If neither side sent one, the connection was cut off all the same.
   */
  protected gone(): void {
    if (this.#isClosed) return;
    if (this.#held.length > 0) {
      this.#isCloseHeld = true;
      return;
    }
    const clean = this.#hasEnded || this.#isShut;
    this.#finish(clean ? undefined : socketError("CONNECTION_RESET", this.#toPeer()));
  }

  #deliver(chunk: Uint8Array, owned: boolean): void {
    if (this.#isClosed) return;
    try {
      this.#handler?.onData(this, chunk, owned);
    } catch (thrown) {
      this.#finish(this.#handlerError(thrown));
    }
  }

  #deliverHeld(): void {
    while (!this.#isPaused) {
      const chunk = this.#held.shift();
      if (chunk === undefined) break;
      this.#deliver(chunk, true);
    }
    if (this.#isPaused || this.#isClosed) return;
    if (this.#isEndHeld) this.ended();
    if (this.#isCloseHeld) this.gone();
    else if (!this.#isEndHeld) this.startReading();
  }

  #finish(error: SocketError | undefined): void {
    if (this.#isClosed) return;
    const endIsMissing = error === undefined && !this.#hasEnded;
    this.#isClosed = true;
    this.#held.length = 0;
    const released = this.release();
    // Later, since this may be a call from the core, or a callback of the runtime's in the midst of one.
    systemClock.soon(() => {
      this.#sayClosed(error, endIsMissing);
      if (released === undefined) this.#settleClosed();
      else released.then(this.#settleClosed);
    });
  }

  #sayClosed(error: SocketError | undefined, endIsMissing: boolean): void {
    const handler = this.#handler;
    this.#handler = undefined;
    try {
      if (endIsMissing) handler?.onEnd(this);
    } catch (thrown) {
      error = this.#handlerError(thrown);
    }
    try {
      handler?.onClose(this, error);
    } catch {
      // The socket is closed, which is all that a failing handler leads to, and no callback is left that could say so.
    }
  }

  #handlerError(thrown: unknown): SocketError {
    return socketError("ABORTED", `Handler of the connection with ${formatAddress(this.remoteAddress)} threw`, thrown);
  }

  #toPeer(): string {
    return `Connection with ${formatAddress(this.remoteAddress)}`;
  }
}

/** Refuses what no runtime can do, alike on all. Throws RangeError and TypeError. */
export function checkSocketOptions(address: SocketAddress, options: SocketOptions): void {
  const { host, port } = address;
  if (host === "") throw new TypeError("Host is empty");
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new RangeError(`Port is not in 0..65535: ${port}`);
  checkPositive("highWaterMarkBytes", options.highWaterMarkBytes);
  checkPositive("maxQueuedBytes", options.maxQueuedBytes);
  // Bun 1.4 takes it for none, and so trusts every public authority.
  if (options.tls?.caCerts?.length === 0) {
    throw new TypeError("caCerts is empty: leave it out to trust whom the runtime trusts");
  }
}

function checkPositive(name: string, value: number | undefined): void {
  if (value !== undefined && !(value > 0)) throw new RangeError(`${name} is not positive: ${value}`);
}

/** The address as the contract has it: an IPv4 peer of a listener on `::` counts as IPv4, as it does in Java. */
export function socketAddress(host: string, port: number): SocketAddress {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host);
  return { host: mapped?.[1] ?? host, port };
}
