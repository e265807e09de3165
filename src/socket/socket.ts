/**
 * The byte stream that the core stands on: sockets, listeners and the drivers that make them.
 *
 * A driver adapts one runtime (`deno.ts`, `bun.ts`, `node.ts`) or a simulation (`sim.ts`) to these few members; nothing above
 * knows which. `tests/socket/socket_suite.ts` says in code what each sentence here means.
 *
 * @module
 */

import { RpcError } from "../base/errors.ts";

/** Where a socket is or leads to: a host name or IP literal without brackets, and a port. */
export interface SocketAddress {
  /** A host name or IP literal; an IPv6 literal has no brackets. */
  readonly host: string;
  /** The TCP port, 0 to 65535. */
  readonly port: number;
}

/**
 * What the core gives to a socket. No callback runs inside a call into the socket. A callback that throws is a bug of the core:
 * the driver aborts that socket with the error and goes on.
 */
export interface SocketHandler {
  /**
   * Where to put the next bytes. A driver that can, reads straight into it, and may ask long before they come: it stays reserved
   * until the next onData or onClose. An empty one counts as none.
   */
  allocate?(socket: Socket): Uint8Array | undefined;
  /**
   * Bytes arrived. Unless `owned`, `chunk` is borrowed: its memory is the driver's again on return. What lies in memory of
   * `allocate` is the handler's in any case.
   */
  onData(socket: Socket, chunk: Uint8Array, owned: boolean): void;
  /** `queuedBytes` fell below half the mark after a `write` that returned false. */
  onDrain(socket: Socket): void;
  /** The peer sent FIN. Writing still works. Always before an `onClose` without error; it may come while paused. */
  onEnd(socket: Socket): void;
  /** The last callback, exactly once. */
  onClose(socket: Socket, error: SocketError | undefined): void;
}

/** A byte stream in both directions. No method throws; after the close all are no-ops. */
export interface Socket extends AsyncDisposable {
  /** This end. */
  readonly localAddress: SocketAddress;
  /** The other end. */
  readonly remoteAddress: SocketAddress;
  /** Whether TLS protects it. */
  readonly secure: boolean;
  /**
   * Bytes that `write` took and the system has not. They leave in order, so a chunk is the caller's to reuse once all bytes
   * up to its end have left: that is how the core pools its buffers without a callback per write.
   */
  readonly queuedBytes: number;
  /** Settles after `onClose`; never rejects. */
  readonly closed: Promise<void>;
  /** Queues all chunks in order; their memory is the socket's until they have left the queue. False: wait for onDrain. */
  write(chunks: readonly Uint8Array[]): boolean;
  /** No onData after this returns. */
  pause(): void;
  /** Lets onData go on. */
  resume(): void;
  /** Sends FIN once the queue is flushed: the half-close. Reading goes on. */
  shutdown(): void;
  /** Drops the queue and closes at once, with RST where the runtime can. */
  abort(reason?: unknown): void;
  /** Aborts it and waits for the close. Whoever wants a graceful end calls `shutdown` before and waits for `closed`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A listening socket. */
export interface SocketListener extends AsyncDisposable {
  /** Where it listens, with the port that the system chose. */
  readonly address: SocketAddress;
  /** Stops accepting; open sockets live on. */
  close(): Promise<void>;
  /** The same as `close`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Certificates and names of a TLS socket, in PEM. A listener gives each client 30 seconds for its handshake, and has 8,192 handshakes
 * under way at most: for one more the oldest is cut off.
 */
export interface TlsOptions {
  /** The certificate chain of this end. */
  readonly cert?: string;
  /** The private key of this end. */
  readonly key?: string;
  /**
   * Whom to trust, one at least; a listener that has it asks clients for certificates.
   *
   * @default whom the runtime trusts; a listener asks for none
   */
  readonly caCerts?: readonly string[];
  /** The name to verify, if it is not the host that was dialled. */
  readonly serverName?: string;
}

/** How a socket behaves. */
export interface SocketOptions {
  /** Speak TLS. */
  readonly tls?: TlsOptions;
  /**
   * From this many queued bytes on `write` returns false.
   *
   * @default 65536
   */
  readonly highWaterMarkBytes?: number;
  /**
   * Above this many queued bytes the socket is aborted with `QUEUE_OVERFLOW`.
   *
   * @default 268435456
   */
  readonly maxQueuedBytes?: number;
  /**
   * Send small writes at once.
   *
   * @default true
   */
  readonly noDelay?: boolean;
  /**
   * Probe a silent peer.
   *
   * @default false
   */
  readonly keepAlive?: boolean;
}

/** How a socket is dialled. */
export interface ConnectOptions extends SocketOptions {
  /** Gives up the attempt. */
  readonly signal?: AbortSignal;
}

/** How a listener is opened. */
export interface ListenOptions extends SocketOptions {
  /** How many connections wait to be accepted; the runtime's default if absent. Bun 1.4 has 512 in any case. */
  readonly backlog?: number;
  /**
   * Hears of each connection whose handshake failed, which `attach` is not called for, and each time that none can be accepted, as where
   * the system has no descriptor left: of that only Deno tells.
   */
  readonly onRefused?: (error: SocketError) => void;
}

/** Called with each new socket before its first event. */
export type AttachSocket = (socket: Socket) => SocketHandler;

/** Makes sockets on one runtime. */
export interface SocketDriver {
  /** Which one: `deno`, `bun`, `node`, `sim`. */
  readonly name: string;
  /**
   * Parts of up to so many bytes of a chunk are better copied than kept as views, since small arrays cost little; chunks are then plain
   * Uint8Arrays.
   *
   * @default 0
   */
  readonly copiedBytes?: number;
  /**
   * Dials. Rejects with a {@linkcode SocketError}, with `signal.reason`, or with a TypeError or RangeError if an argument makes no sense;
   * then `attach` was never called.
   */
  connect(address: SocketAddress, attach: AttachSocket, options?: ConnectOptions): Promise<Socket>;
  /** Listens; port 0 lets the system choose. Rejects with a {@linkcode SocketError}, or with a TypeError or RangeError as `connect` does. */
  listen(address: SocketAddress, attach: AttachSocket, options?: ListenOptions): Promise<SocketListener>;
}

/** `write` returns false from this many queued bytes on, unless the options say otherwise. */
export const DEFAULT_HIGH_WATER_MARK_BYTES: number = 64 * 1024;

/** A socket is aborted above this many queued bytes, unless the options say otherwise. */
export const DEFAULT_MAX_QUEUED_BYTES: number = 256 * 1024 * 1024;

/**
 * What went wrong on a socket, the same on every runtime, but for Bun's own sockets (1.4): to them a peer without a route is one that
 * refuses.
 */
export type SocketErrorCode =
  | "CONNECTION_REFUSED"
  | "CONNECTION_RESET"
  | "BROKEN_PIPE"
  | "TIMED_OUT"
  | "ADDRESS_IN_USE"
  | "ADDRESS_NOT_AVAILABLE"
  | "HOST_NOT_FOUND"
  | "HOST_UNREACHABLE"
  | "PERMISSION_DENIED"
  | "TLS"
  | "QUEUE_OVERFLOW"
  | "ABORTED"
  | "UNKNOWN";

/**
 * A connection could not be made, or broke. The runtime's own error is the cause.
 *
 * @example
 * ```ts
 * import { RpcEnv, SocketError } from "@sparkwire/sparkwire";
 *
 * const client = await RpcEnv.create({ name: "client" });
 * // Nobody listens there.
 * const error = await client.setupEndpointRef("spark://Greeter@127.0.0.1:1").catch((thrown) => thrown);
 * if (!(error instanceof SocketError) || error.socketCode !== "CONNECTION_REFUSED") throw error;
 * await client.shutdown();
 * ```
 */
export class SocketError extends RpcError {
  /** The class's name; kept when code is minified. */
  override readonly name: string = "SocketError";
  /** What went wrong, the same on every runtime. */
  readonly socketCode: SocketErrorCode;

  /**
   * Makes the error.
   *
   * @param socketCode What went wrong.
   * @param message The whole sentence.
   */
  constructor(socketCode: SocketErrorCode, message: string, options?: ErrorOptions) {
    super("SOCKET", message, options);
    this.socketCode = socketCode;
  }
}
