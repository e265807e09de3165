/**
 * The sockets of Deno: one loop that reads into borrowed memory, one write in flight at a time.
 *
 * Deno 2.9 closes with FIN: an abort is no RST, so the peer sees the end of the stream, unless bytes of its own lay unread here.
 * TLS goes through `node.ts`, since `Deno.listenTls` ignores client certificates without a word.
 *
 * @module
 */

import { systemClock } from "../base/clock.ts";
import type { Timer } from "../base/clock.ts";
import { BaseSocket, checkSocketOptions, READ_BUFFER_BYTES, socketAddress } from "./_base_socket.ts";
import type { DenoConn, DenoListener, DenoRuntime } from "./_runtime_types.ts";
import type {
  AttachSocket,
  ConnectOptions,
  ListenOptions,
  Socket,
  SocketAddress,
  SocketDriver,
  SocketListener,
  SocketOptions,
} from "./socket.ts";
import { formatAddress, socketError, toSocketError } from "./socket_errors.ts";
import { WriteQueue } from "./write_queue.ts";

/** How long accepting rests after a failure, such as no free file descriptor. */
const ACCEPT_REST_MS = 100;

class DenoSocket extends BaseSocket {
  readonly #conn: DenoConn;
  readonly #queue = new WriteQueue();
  #buffer: Uint8Array | undefined;
  #isWriting = false;
  #isFinSent = false;
  /** Lets the read loop go on. */
  #wake: (() => void) | undefined;

  constructor(conn: DenoConn, options: SocketOptions) {
    const { localAddr: local, remoteAddr: remote } = conn;
    const ends = { local: socketAddress(local.hostname, local.port), remote: socketAddress(remote.hostname, remote.port) };
    super(ends, options);
    this.#conn = conn;
  }

  override get queuedBytes(): number {
    return this.#queue.bytes;
  }

  protected override begin(): void {
    this.#readAll();
  }

  protected override startReading(): void {
    this.#wake?.();
  }

  protected override enqueue(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.#queue.push(chunk);
    if (!this.#isWriting) this.#writeAll();
  }

  protected override finishWriting(): void {
    if (!this.#isWriting) this.#writeAll();
  }

  protected override release(): undefined {
    this.#queue.clear();
    this.#conn.close();
    this.#wake?.();
  }

  async #readAll(): Promise<void> {
    try {
      for (;;) {
        while (this.isPaused && !this.isClosed) await this.#resumed();
        if (this.isClosed) return;
        const own = this.allocate();
        const buffer = own ?? (this.#buffer ??= new Uint8Array(READ_BUFFER_BYTES));
        const count = await this.#conn.read(buffer);
        if (count === null) {
          this.ended();
          this.#closeIfDone();
          return;
        }
        this.received(count === buffer.length ? buffer : buffer.subarray(0, count), own !== undefined);
      }
    } catch (thrown) {
      this.broke(thrown);
    }
  }

  #resumed(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    try {
      for (let chunk = this.#queue.first; chunk !== undefined; chunk = this.#queue.first) {
        const count = await this.#conn.write(chunk);
        if (this.isClosed) return;
        this.#queue.take(count);
        this.drained();
      }
      if (this.isShut) {
        await this.#conn.closeWrite();
        this.#isFinSent = true;
        this.#closeIfDone();
      }
    } catch (thrown) {
      this.broke(thrown);
    }
    this.#isWriting = false;
  }

  #closeIfDone(): void {
    if (this.hasEnded && this.#isFinSent) this.gone();
  }
}

class Listener implements SocketListener {
  readonly address: SocketAddress;
  readonly #listener: DenoListener;
  readonly #accepting: Promise<void>;
  #isClosed = false;
  #rest: { readonly timer: Timer; readonly end: () => void } | undefined;

  constructor(listener: DenoListener, attach: AttachSocket, options: ListenOptions) {
    this.address = socketAddress(listener.addr.hostname, listener.addr.port);
    this.#listener = listener;
    this.#accepting = this.#acceptAll(attach, options);
  }

  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#listener.close();
      this.#rest?.timer.cancel();
      this.#rest?.end();
    }
    // The port is free only once the pending accept has failed.
    await this.#accepting;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #acceptAll(attach: AttachSocket, options: ListenOptions): Promise<void> {
    while (!this.#isClosed) {
      let conn: DenoConn;
      try {
        conn = await this.#listener.accept();
      } catch (thrown) {
        // Either closed, or this one connection could not be taken; the listener itself does not break.
        if (this.#isClosed || isOfPeer(thrown)) continue;
        options.onRefused?.(toSocketError(thrown, "Cannot accept connections"));
        await this.#takeRest();
        continue;
      }
      if (this.#isClosed) conn.close();
      else makeSocket(conn, options).open(attach);
    }
  }

  #takeRest(): Promise<void> {
    return new Promise((end) => this.#rest = { timer: systemClock.setTimer(ACCEPT_REST_MS, end), end });
  }
}

/**
 * Whether a connection could not be accepted because its peer had reset it by then: Deno 2.9 fails to ask for the peer's address. A
 * rest for each would let anybody who dials and resets ten times a second keep all others out.
 */
function isOfPeer(thrown: unknown): boolean {
  const { socketCode } = toSocketError(thrown, "Cannot accept");
  return socketCode === "BROKEN_PIPE" || socketCode === "CONNECTION_RESET";
}

function makeSocket(conn: DenoConn, options: SocketOptions): DenoSocket {
  try {
    conn.setNoDelay(options.noDelay ?? true);
    if (options.keepAlive === true) conn.setKeepAlive(true);
  } catch {
    // The peer has reset it already, which the first read will tell.
  }
  return new DenoSocket(conn, options);
}

async function connect(address: SocketAddress, attach: AttachSocket, options: ConnectOptions = {}): Promise<Socket> {
  checkSocketOptions(address, options);
  if (options.tls !== undefined) return await (await import("./node.ts")).nodeSocketDriver.connect(address, attach, options);
  const { signal } = options;
  signal?.throwIfAborted();
  const what = `Cannot connect to ${formatAddress(address)}`;
  // Deno 2.9 throws a RangeError; everywhere else the system says that nobody listens there.
  if (address.port === 0) throw socketError("CONNECTION_REFUSED", what);
  let conn: DenoConn;
  try {
    conn = await dial(address, signal);
  } catch (thrown) {
    signal?.throwIfAborted();
    throw toSocketError(thrown, what);
  }
  if (signal?.aborted) {
    conn.close();
    throw signal.reason;
  }
  const socket = makeSocket(conn, options);
  const error = socket.open(attach);
  if (error !== undefined) throw error;
  return socket;
}

async function dial({ host, port }: SocketAddress, signal: AbortSignal | undefined): Promise<DenoConn> {
  const target = { hostname: host, port };
  if (signal === undefined) return await deno().connect(target);
  const controller = new AbortController();
  // Deno 2.9 asks its signal once more when it is connected. Were that aborted, nobody would be given the connection to close it.
  controller.signal.throwIfAborted = () => {};
  const giveUp = () => controller.abort();
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    return await deno().connect({ ...target, signal: controller.signal });
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

async function listen(address: SocketAddress, attach: AttachSocket, options: ListenOptions = {}): Promise<SocketListener> {
  checkSocketOptions(address, options);
  if (options.tls !== undefined) return await (await import("./node.ts")).nodeSocketDriver.listen(address, attach, options);
  try {
    const target = { hostname: address.host, port: address.port };
    const { backlog } = options;
    const listener = deno().listen(backlog === undefined ? target : { ...target, tcpBacklog: backlog });
    return new Listener(listener, attach, options);
  } catch (thrown) {
    throw toSocketError(thrown, `Cannot listen on ${formatAddress(address)}`);
  }
}

function deno(): DenoRuntime {
  return (globalThis as unknown as { readonly Deno: DenoRuntime }).Deno;
}

/** The native sockets of Deno. */
export const denoSocketDriver: SocketDriver = { name: "deno", connect, listen };
