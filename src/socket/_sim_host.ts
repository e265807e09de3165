/**
 * A host of a simulated network: its clock, its ports, and the driver that its programs are given.
 *
 * @module
 */

import { SimulatedHostClock } from "../base/simulated_host_clock.ts";
import { checkSocketOptions } from "./_base_socket.ts";
import { type Acceptor, type ConnectionRegistry, SimulatedDial } from "./_sim_connection.ts";
import type { SimulatedMedium } from "./_sim_wire.ts";
import type {
  AttachSocket,
  ConnectOptions,
  ListenOptions,
  Socket,
  SocketAddress,
  SocketDriver,
  SocketListener,
} from "./socket.ts";
import { formatAddress, socketError } from "./socket_errors.ts";

/** Where ports begin that the system chooses. */
const FIRST_EPHEMERAL_PORT = 49_152;
const EPHEMERAL_PORTS = 65_536 - FIRST_EPHEMERAL_PORT;

const WILDCARDS: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);
const LOOPBACK_ADDRESSES: ReadonlySet<string> = new Set(["127.0.0.1", "::1"]);

/** What a host asks of the network around it. */
export interface HostRegistry extends ConnectionRegistry {
  /** The number of the next end of a connection; the one after it is taken too. */
  nextSocketId(): number;
  /** The host of that name. */
  findHost(name: string): SimulatedHost | undefined;
  /** How long a connect is tried, if nothing answers. */
  readonly connectTimeoutMs: number;
  /** Cuts the connections of `host` off. */
  silence(host: SimulatedHost): void;
}

class SimulatedListener implements SocketListener, Acceptor {
  readonly address: SocketAddress;
  readonly attach: AttachSocket;
  readonly options: ListenOptions;
  readonly #closed: () => void;

  constructor(address: SocketAddress, attach: AttachSocket, options: ListenOptions, closed: () => void) {
    this.address = address;
    this.attach = attach;
    this.options = options;
    this.#closed = closed;
  }

  // deno-lint-ignore require-await -- a promise by contract; here nothing takes time.
  async close(): Promise<void> {
    this.#closed();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** One machine of the simulated network. */
export class SimulatedHost {
  /** Its number, in the order of making. */
  readonly id: number;
  /** The name by which others dial it. */
  readonly name: string;
  /** The time as its programs see it. */
  readonly clock: SimulatedHostClock;
  /** The sockets of its programs. `noDelay`, `keepAlive` and `backlog` have no effect; of `tls` only whether it is there. */
  readonly driver: SocketDriver;
  readonly #medium: SimulatedMedium;
  readonly #registry: HostRegistry;
  readonly #listeners = new Map<number, SimulatedListener>();
  readonly #usedPorts = new Set<number>();
  #portCounter = 0;
  #silent = false;

  /** Made by the network. */
  constructor(medium: SimulatedMedium, registry: HostRegistry, id: number, name: string) {
    this.#medium = medium;
    this.#registry = registry;
    this.id = id;
    this.name = name;
    this.clock = new SimulatedHostClock(medium.clock);
    this.driver = {
      name: "sim",
      connect: (address, attach, options) => this.#connect(address, attach, options),
      listen: (address, attach, options) => this.#listen(address, attach, options),
    };
  }

  /** How many listeners are open. */
  get listenerCount(): number {
    return this.#listeners.size;
  }

  /** Whether it has gone silent for good. */
  get silent(): boolean {
    return this.#silent;
  }

  /** Lets nothing happen on this host for `ms`: timers, reads and accepts are late. */
  freeze(ms: number): void {
    this.#medium.trace.record(this.#medium.clock.now(), this.id, this.name, "freezes", ms);
    this.clock.freeze(ms);
  }

  /** Moves this host's clock ahead by `ms`. */
  jumpClock(ms: number): void {
    this.#medium.trace.record(this.#medium.clock.now(), this.id, this.name, "jumps", ms);
    this.clock.jump(ms);
  }

  /** Cuts this host off without a word: nothing reaches it or leaves it any more. Its programs go on. */
  silence(): void {
    this.#silent = true;
    this.#registry.silence(this);
  }

  /** Ends freezes and silence. */
  heal(): void {
    this.#silent = false;
    this.clock.thaw();
  }

  // deno-lint-ignore require-await -- a promise by contract; what is wrong with the arguments is a rejection.
  async #connect(address: SocketAddress, attach: AttachSocket, options: ConnectOptions = {}): Promise<Socket> {
    checkSocketOptions(address, options);
    options.signal?.throwIfAborted();
    const port = this.#choosePort();
    if (port === undefined) throw socketError("ADDRESS_NOT_AVAILABLE", `Cannot connect to ${formatAddress(address)}`);
    const isLocal = this.#isOwnName(address.host);
    return new Promise<Socket>((resolve, reject) => {
      const findHost = () => isLocal ? this : this.#registry.findHost(address.host);
      const dial = new SimulatedDial(this.#medium, this.#registry, {
        id: this.#registry.nextSocketId(),
        from: this,
        client: { host: isLocal ? address.host : this.name, port },
        server: { host: address.host, port: address.port },
        attach,
        options,
        findHost,
        findAcceptor: () => findHost()?.acceptorAt(address),
        timeoutMs: this.#registry.connectTimeoutMs,
        resolve,
        reject,
        over: () => this.#usedPorts.delete(port),
      });
      this.#medium.touch(dial);
    });
  }

  // deno-lint-ignore require-await -- as above.
  async #listen(address: SocketAddress, attach: AttachSocket, options: ListenOptions = {}): Promise<SocketListener> {
    checkSocketOptions(address, options);
    const what = `Cannot listen on ${formatAddress(address)}`;
    if (!this.#isOwnName(address.host) && !WILDCARDS.has(address.host)) throw socketError("ADDRESS_NOT_AVAILABLE", what);
    const port = address.port === 0 ? this.#choosePort() : this.#takePort(address.port);
    if (port === undefined) throw socketError("ADDRESS_IN_USE", what);
    const listener = new SimulatedListener({ host: address.host, port }, attach, options, () => {
      if (this.#listeners.get(port) !== listener) return;
      this.#listeners.delete(port);
      this.#usedPorts.delete(port);
    });
    this.#listeners.set(port, listener);
    return listener;
  }

  /**
   * Who listens for those that dial `address`.
   *
   * @internal
   */
  acceptorAt(address: SocketAddress): Acceptor | undefined {
    const listener = this.#listeners.get(address.port);
    if (listener === undefined) return undefined;
    const [bound, dialled] = [listener.address.host, address.host];
    if (bound === dialled || WILDCARDS.has(bound)) return listener;
    // `localhost` stands for both loopback addresses; a machine's own name is another interface than those.
    const other = bound === "localhost" ? dialled : dialled === "localhost" ? bound : "";
    return LOOPBACK_ADDRESSES.has(other) ? listener : undefined;
  }

  #isOwnName(host: string): boolean {
    if (host === this.name) return true;
    return (host === "localhost" || LOOPBACK_ADDRESSES.has(host)) && this.#registry.findHost(host) === undefined;
  }

  #takePort(port: number): number | undefined {
    if (this.#usedPorts.has(port)) return undefined;
    this.#usedPorts.add(port);
    return port;
  }

  /** The next port that is free, in a fixed order. */
  #choosePort(): number | undefined {
    for (let tries = 0; tries < EPHEMERAL_PORTS; tries++) {
      const port = this.#takePort(FIRST_EPHEMERAL_PORT + this.#portCounter++ % EPHEMERAL_PORTS);
      if (port !== undefined) return port;
    }
    return undefined;
  }
}
