/**
 * The sockets of `node:net` and `node:tls`: Node's own, and TLS on Deno and Bun too.
 *
 * A socket that was dialled reads into memory of ours (`onread`), which doubles its bulk rate; an accepted one cannot on any of the
 * three runtimes and gets each chunk in memory of its own. `attach` comes after the TLS handshake. A client whose certificate is
 * refused may be attached all the same and then closed with an error: TLS 1.3 ends its handshake before the server has judged.
 *
 * @module
 */

import { connect as connectTcp, createServer as createTcpServer, isIP } from "node:net";
import type { OnReadOpts, Server, Socket as Native } from "node:net";
import { systemClock } from "../base/clock.ts";
import { BaseSocket, checkSocketOptions, READ_BUFFER_BYTES, socketAddress } from "./_base_socket.ts";
import { connectTls, createTlsServer } from "./_node_tls.ts";
import type {
  AttachSocket,
  ConnectOptions,
  ListenOptions,
  Socket,
  SocketAddress,
  SocketDriver,
  SocketListener,
  SocketOptions,
  TlsOptions,
} from "./socket.ts";
import { formatAddress, socketError, toSocketError } from "./socket_errors.ts";

/**
 * How long each address of a name but the last may take before the next one is tried. Node itself gives it up for good after 250 ms: a
 * busy process, a long way or a first packet that is lost (sent again after 1 and 3 s) would then fail the dial.
 */
const ATTEMPT_TIMEOUT_MS = 5_000;

class NodeSocket extends BaseSocket {
  readonly #native: Native;
  readonly #reader: Reader | undefined;
  #isGone = false;
  /** What could not be written has not left, though `writableLength` counts it no more. */
  readonly #onWritten = (error?: Error | null) => {
    if (!error) this.drained();
  };

  /** @param reader What the native socket reads with, if it was dialled. */
  constructor(native: Native, reader: Reader | undefined, options: SocketOptions) {
    const ends = {
      local: socketAddress(native.localAddress ?? "", native.localPort ?? 0),
      remote: socketAddress(native.remoteAddress ?? "", native.remotePort ?? 0),
    };
    super(ends, options);
    this.#native = native;
    this.#reader = reader;
    native.on("end", () => this.ended());
    native.on("error", (error) => this.broke(error));
    native.on("close", () => {
      this.#isGone = true;
      this.gone();
    });
  }

  override get queuedBytes(): number {
    return this.isClosed ? 0 : this.#native.writableLength;
  }

  protected override begin(): void {
    if (this.#reader !== undefined) this.#reader.socket = this;
    // A Buffer's `slice` is a view and its `subarray` a Buffer: the core gets what it looks like.
    else this.#native.on("data", (c: Uint8Array) => this.received(new Uint8Array(c.buffer, c.byteOffset, c.byteLength), true));
  }

  protected override stopReading(): void {
    this.#native.pause();
    if (this.secure) handleBelowTls(this.#native)?.readStop?.();
  }

  protected override startReading(): void {
    // Later: TLS on Deno 2.9 passes on what it has decrypted before `resume` returns.
    systemClock.soon(() => {
      if (this.isPaused || this.isClosed) return;
      if (this.secure) handleBelowTls(this.#native)?.readStart?.();
      this.#native.resume();
    });
  }

  /**
   * Without `cork`: it is of use for many small writes only, and the core gathers those. And with a callback only where there is
   * something to hear: to be called back takes Node 20 a tick, longer than the writing of a small frame.
   */
  protected override enqueue(chunks: readonly Uint8Array[]): void {
    const native = this.#native;
    for (const chunk of chunks) {
      if (chunk.length === 0) continue;
      if (native.writableLength > 0 || chunk.length >= this.highWaterMark) native.write(chunk, this.#onWritten);
      else native.write(chunk);
    }
  }

  protected override finishWriting(): void {
    this.#native.end();
  }

  protected override release(): Promise<void> | undefined {
    if (this.#isGone) return undefined;
    const native = this.#native;
    const gone = new Promise<void>((resolve) => native.once("close", () => resolve()));
    // TLS knows no reset: resetAndDestroy throws. Nor does a socket whose FIN has not left yet: on Node 20 it would never close.
    if (this.secure || this.isShut) native.destroy();
    else native.resetAndDestroy();
    return gone;
  }

  /** Where a dialled socket reads to next. */
  nextMemory(): Uint8Array | undefined {
    return this.allocate();
  }

  /** A dialled socket has read. */
  onRead(chunk: Uint8Array, owned: boolean): void {
    this.received(chunk, owned);
  }
}

/** The `onread` of a socket that is dialled: it exists before our socket does. */
class Reader implements OnReadOpts {
  /** Ours, once it is attached. */
  socket: NodeSocket | undefined;
  readonly #own = new Uint8Array(READ_BUFFER_BYTES);
  /** Asked for once: each time is a call into V8. */
  readonly #ownBuffer = this.#own.buffer;
  readonly buffer: () => Uint8Array = () => this.socket?.nextMemory() ?? this.#own;
  readonly callback: (count: number, memory: Uint8Array) => boolean = (count, memory) => {
    if (memory === this.#own) this.socket?.onRead(new Uint8Array(this.#ownBuffer, 0, count), false);
    else this.socket?.onRead(count === memory.length ? memory : memory.subarray(0, count), true);
    return true;
  };
}

/** What reads below a TLS socket, on Deno. */
interface TcpHandle {
  readStop?(): unknown;
  readStart?(): unknown;
}

/**
 * A TLS socket of Deno 2.9 that is paused goes on reading and keeps what it reads, without bound: only the handle below it can be
 * stopped. It is where Node keeps it too, and nowhere public; the suite fails where it is not found.
 */
function handleBelowTls(native: Native): TcpHandle | undefined {
  if (!("Deno" in globalThis)) return undefined;
  return (native as { readonly _handle?: { readonly _parent?: TcpHandle } | null })._handle?._parent;
}

class Listener implements SocketListener {
  readonly address: SocketAddress;
  readonly #server: Server;
  readonly #abortHandshakes: (() => void) | undefined;
  #isClosed = false;

  constructor(server: Server, address: SocketAddress, abortHandshakes: (() => void) | undefined) {
    this.#server = server;
    this.address = address;
    this.#abortHandshakes = abortHandshakes;
  }

  /** Whether {@linkcode close} was called: a handshake may still be under way. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(): Promise<void> {
    // The server's own `close` event waits for all open connections; the port is free at once.
    if (!this.#isClosed) this.#server.close();
    this.#isClosed = true;
    this.#abortHandshakes?.();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function setFlags(native: Native, options: SocketOptions): void {
  native.setNoDelay(options.noDelay ?? true);
  if (options.keepAlive === true) native.setKeepAlive(true);
}

async function connect(address: SocketAddress, attach: AttachSocket, options: ConnectOptions = {}): Promise<Socket> {
  checkSocketOptions(address, options);
  if (isIP(options.tls?.serverName ?? "") !== 0) throw new TypeError("serverName is an IP address, which TLS cannot ask for");
  options.signal?.throwIfAborted();
  return await new Promise<Socket>((resolve, reject) => dial(address, attach, options, resolve, reject));
}

function dial(
  address: SocketAddress,
  attach: AttachSocket,
  options: ConnectOptions,
  resolve: (socket: Socket) => void,
  reject: (reason: unknown) => void,
): void {
  const { signal, tls } = options;
  const what = `Cannot connect to ${formatAddress(address)}`;
  const reader = new Reader();
  const fail = (reason: unknown) => {
    settle();
    native.destroy();
    reject(reason);
  };
  const onAbort = () => fail(signal?.reason);
  const onError = (error: Error) => fail(toSocketError(error, what, tls === undefined ? "UNKNOWN" : "TLS"));
  const onClose = () => fail(socketError("CONNECTION_RESET", what));
  const settle = () => {
    signal?.removeEventListener("abort", onAbort);
    native.off("close", onClose);
  };
  let native: Native;
  try {
    native = startDial(address, reader, tls);
  } catch (thrown) {
    reject(toSocketError(thrown, what, tls === undefined ? "UNKNOWN" : "TLS"));
    return;
  }
  signal?.addEventListener("abort", onAbort, { once: true });
  native.on("close", onClose);
  // It stays: an error that comes after `fail` would be uncaught otherwise.
  native.on("error", onError);
  native.once(tls === undefined ? "connect" : "secureConnect", () => {
    settle();
    if (signal?.aborted) return;
    // A peer that has reset it by now has no address any more.
    if (native.remoteAddress === undefined) return onClose();
    native.off("error", onError);
    setFlags(native, options);
    const socket = new NodeSocket(native, reader, options);
    const error = socket.open(attach);
    if (error === undefined) resolve(socket);
    else reject(error);
  });
}

function startDial({ host, port }: SocketAddress, onread: OnReadOpts, tls: TlsOptions | undefined): Native {
  const target = { host, port, allowHalfOpen: true, onread, autoSelectFamilyAttemptTimeout: ATTEMPT_TIMEOUT_MS };
  return tls === undefined ? connectTcp(target) : connectTls(target, tls);
}

async function listen(address: SocketAddress, attach: AttachSocket, options: ListenOptions = {}): Promise<SocketListener> {
  checkSocketOptions(address, options);
  const { tls } = options;
  if (tls !== undefined && (tls.cert === undefined || tls.key === undefined)) {
    throw new TypeError("A TLS listener needs a certificate and its key");
  }
  const what = `Cannot listen on ${formatAddress(address)}`;
  let listener: Listener | undefined;
  const accept = (native: Native) => {
    native.on("error", () => {});
    // As above: it may have been reset. And what ends its handshake after `close` comes too late.
    if (native.remoteAddress === undefined || listener?.isClosed !== false) {
      native.destroy();
      return;
    }
    setFlags(native, options);
    new NodeSocket(native, undefined, options).open(attach);
  };
  return await new Promise((resolve, reject) => {
    try {
      const { server, abortHandshakes } = tls === undefined
        ? { server: createTcpServer({ allowHalfOpen: true }, accept), abortHandshakes: undefined }
        : createTlsServer(tls, accept, options.onRefused);
      // It stays: later ones are of single connections that could not be accepted.
      server.on("error", (error) => reject(toSocketError(error, what)));
      server.listen({ host: address.host, port: address.port, ...backlogOf(options) }, () => {
        listener = new Listener(server, boundAddress(server, address), abortHandshakes);
        resolve(listener);
      });
    } catch (thrown) {
      reject(toSocketError(thrown, what, tls === undefined ? "UNKNOWN" : "TLS"));
    }
  });
}

function backlogOf({ backlog }: ListenOptions): { readonly backlog?: number } {
  return backlog === undefined ? {} : { backlog };
}

function boundAddress(server: Server, asked: SocketAddress): SocketAddress {
  const bound = server.address();
  return typeof bound === "object" && bound !== null ? socketAddress(bound.address, bound.port) : asked;
}

/** Sockets by `node:net`, TLS by `node:tls`. */
export const nodeSocketDriver: SocketDriver = { name: "node", connect, listen };
