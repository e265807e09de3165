/**
 * The sockets of one environment under observation: callbacks come in the order that the contract says, and a crash can be had.
 *
 * Only handlers are wrapped; sockets are given on as they are.
 *
 * @module
 */

import type {
  AttachSocket,
  ConnectOptions,
  ListenOptions,
  Socket,
  SocketAddress,
  SocketDriver,
  SocketError,
  SocketHandler,
  SocketListener,
} from "../../src/socket/socket.ts";

/** Hears what is against the contract. */
export type Fail = (text: string) => void;

/** A driver that looks over the shoulder of another one. */
export class WatchedDriver implements SocketDriver {
  readonly name: string;
  readonly #inner: SocketDriver;
  readonly #fail: Fail;
  readonly #open = new Set<WatchedHandler>();
  readonly #listeners = new Set<SocketListener>();
  readonly #dials = new Map<string, number>();
  /** How many connections there ever were. */
  connections = 0;

  /** @param inner Makes the sockets. @param fail Hears what is against the contract. */
  constructor(inner: SocketDriver, fail: Fail) {
    this.name = inner.name;
    this.#inner = inner;
    this.#fail = fail;
  }

  /** How many sockets have not said `onClose`. */
  get openSockets(): number {
    return this.#open.size;
  }

  /** How often `address` has been dialled: messages to it between two dials go over one connection. */
  dialsTo(address: SocketAddress): number {
    return this.#dials.get(`${address.host}:${address.port}`) ?? 0;
  }

  async connect(address: SocketAddress, attach: AttachSocket, options?: ConnectOptions): Promise<Socket> {
    this.#dials.set(`${address.host}:${address.port}`, this.dialsTo(address) + 1);
    let attached = 0;
    try {
      return await this.#inner.connect(address, (socket) => {
        attached++;
        return this.#watch(socket, attach);
      }, options);
    } catch (thrown) {
      if (attached > 0) this.#fail(`Connecting to ${address.host} failed although a handler was attached`);
      throw thrown;
    }
  }

  async listen(address: SocketAddress, attach: AttachSocket, options?: ListenOptions): Promise<SocketListener> {
    const listener = await this.#inner.listen(address, (socket) => this.#watch(socket, attach), options);
    this.#listeners.add(listener);
    return listener;
  }

  /** What a crash of the process does to its sockets: peers are told by a reset, if the network lets that pass. */
  crash(): void {
    for (const listener of this.#listeners) void listener.close();
    for (const { socket } of this.#open) socket.abort();
  }

  #watch(socket: Socket, attach: AttachSocket): SocketHandler {
    this.connections++;
    const watched = new WatchedHandler(socket, attach(socket), this.#fail, () => this.#open.delete(watched));
    this.#open.add(watched);
    return watched;
  }
}

/** Stands between a socket and its handler. */
class WatchedHandler implements SocketHandler {
  readonly socket: Socket;
  readonly allocate?: (socket: Socket) => Uint8Array | undefined;
  readonly #handler: SocketHandler;
  readonly #fail: Fail;
  readonly #closed: () => void;
  #ended = false;
  #isClosed = false;
  #inside: string | undefined;

  constructor(socket: Socket, handler: SocketHandler, fail: Fail, closed: () => void) {
    this.socket = socket;
    this.#handler = handler;
    this.#fail = fail;
    this.#closed = closed;
    if (handler.allocate !== undefined) this.allocate = () => this.#enter("allocate", () => handler.allocate!(socket));
  }

  onData(socket: Socket, chunk: Uint8Array, owned: boolean): void {
    if (this.#ended) this.#fail(`onData after onEnd from ${this.#peer}`);
    this.#enter("onData", () => this.#handler.onData(socket, chunk, owned));
  }

  onDrain(socket: Socket): void {
    this.#enter("onDrain", () => this.#handler.onDrain(socket));
  }

  onEnd(socket: Socket): void {
    if (this.#ended) this.#fail(`onEnd twice from ${this.#peer}`);
    this.#ended = true;
    this.#enter("onEnd", () => this.#handler.onEnd(socket));
  }

  onClose(socket: Socket, error: SocketError | undefined): void {
    if (error === undefined && !this.#ended) this.#fail(`onClose without error and without onEnd from ${this.#peer}`);
    this.#enter("onClose", () => this.#handler.onClose(socket, error));
    this.#isClosed = true;
    this.#closed();
  }

  get #peer(): string {
    const { host, port } = this.socket.remoteAddress;
    return `${host}:${port}`;
  }

  #enter<T>(name: string, call: () => T): T {
    if (this.#isClosed) this.#fail(`${name} after onClose from ${this.#peer}`);
    if (this.#inside !== undefined) this.#fail(`${name} within ${this.#inside} from ${this.#peer}`);
    this.#inside = name;
    try {
      return call();
    } catch (thrown) {
      // A driver aborts such a socket and goes on, which would hide the bug.
      this.#fail(`${name} of the core threw: ${thrown}`);
      throw thrown;
    } finally {
      this.#inside = undefined;
    }
  }
}
