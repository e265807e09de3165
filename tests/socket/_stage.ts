/**
 * What each case of the socket suite stands on: listeners, connections and waiting, all cleaned up and checked at its end.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type {
  AttachSocket,
  ConnectOptions,
  ListenOptions,
  Socket,
  SocketAddress,
  SocketDriver,
  SocketListener,
  TlsOptions,
} from "../../src/socket/socket.ts";
import { test, type TestContext, type TestOptions, within } from "../_harness.ts";
import { Peer, type PeerHooks } from "./_peer.ts";

/** Which driver the suite is run over, and what is known to differ with it. */
export interface SocketSuiteOptions {
  /** Begins the name of each test. */
  readonly name: string;
  /** Listens, and dials too unless `connectDriver` is given. */
  readonly driver: SocketDriver;
  /** Dials. */
  readonly connectDriver?: SocketDriver;
  /** Runs all cases over TLS, with these options at either end. */
  readonly tls?: { readonly listen: TlsOptions; readonly connect: TlsOptions };
  /**
   * Where the suite listens.
   *
   * @default "127.0.0.1"
   */
  readonly host?: string;
  /**
   * Whether an abort is an RST, which the peer sees as `CONNECTION_RESET`. Without it the peer may see a plain end.
   *
   * @default true
   */
  readonly abortResets?: boolean;
  /**
   * Whether names are resolved and addresses bound by an operating system.
   *
   * @default true
   */
  readonly realNetwork?: boolean;
  /** Waits for `promise`, with a deadline. A simulation runs its events here. */
  readonly run?: <T>(promise: Promise<T>, what: string) => Promise<T>;
}

/** Two ends of one connection. */
export interface Pair {
  readonly client: Peer;
  readonly server: Peer;
}

/** Options of one connection or listener in a case. */
export interface EndOptions {
  readonly hooks?: PeerHooks;
  readonly options?: ListenOptions;
}

/** A listener and the peers that it accepted. */
export class TestListener {
  readonly listener: SocketListener;
  readonly accepted: Peer[];
  readonly #stage: Stage;
  readonly #arrivals: (() => void)[];
  #taken = 0;

  constructor(stage: Stage, listener: SocketListener, accepted: Peer[], arrivals: (() => void)[]) {
    this.#stage = stage;
    this.listener = listener;
    this.accepted = accepted;
    this.#arrivals = arrivals;
  }

  get address(): SocketAddress {
    return this.listener.address;
  }

  /** The next connection, in the order of arrival. */
  async next(): Promise<Peer> {
    const index = this.#taken++;
    if (this.accepted.length <= index) {
      await this.#stage.run(new Promise<void>((resolve) => this.#arrivals.push(resolve)), "a connection to be accepted");
    }
    return this.accepted[index]!;
  }
}

/** One case: everything that it opens is closed at its end, and every peer must have seen the contract kept. */
export class Stage {
  readonly suite: SocketSuiteOptions;
  readonly #peers: Peer[] = [];
  readonly #context: TestContext;
  #echo: Pair | undefined;

  constructor(suite: SocketSuiteOptions, context: TestContext) {
    this.suite = suite;
    this.#context = context;
    context.defer(() => this.#check());
  }

  get host(): string {
    return this.suite.host ?? "127.0.0.1";
  }

  /** The driver that dials. */
  get dialler(): SocketDriver {
    return this.suite.connectDriver ?? this.suite.driver;
  }

  run<T>(promise: Promise<T>, what: string): Promise<T> {
    return (this.suite.run ?? within)(promise, what);
  }

  /** Waits until `holds`, asked after every callback of `peer`. */
  async until(peer: Peer, what: string, holds: () => boolean): Promise<void> {
    try {
      await this.run(peer.when(holds), what);
    } catch (cause) {
      const { events, receivedBytes, sentBytes, error } = peer;
      const state = `[${events.join(" ")}], ${receivedBytes} bytes received, ${sentBytes} sent, ${error ?? "no error"}`;
      throw new Error(`Peer did not come to see ${what}: ${state}`, { cause });
    }
  }

  async untilClosed(...peers: readonly Peer[]): Promise<void> {
    for (const peer of peers) await this.until(peer, "to be closed", () => peer.events.includes("closed"));
  }

  async listen({ hooks, options }: EndOptions = {}, host: string = this.host): Promise<TestListener> {
    const { driver, tls } = this.suite;
    const accepted: Peer[] = [];
    const arrivals: (() => void)[] = [];
    const all = { ...options, ...(tls === undefined ? {} : { tls: tls.listen }) };
    const listening = driver.listen({ host, port: 0 }, (socket) => {
      const peer = this.track(socket, hooks);
      accepted.push(peer);
      arrivals.shift()?.();
      return peer;
    }, all);
    const listener = await this.run(listening, "to listen");
    this.#context.defer(() => this.run(listener.close(), "the listener to close"));
    return new TestListener(this, listener, accepted, arrivals);
  }

  /** Dials with any handler. */
  dial(address: SocketAddress, attach: AttachSocket, options?: ConnectOptions): Promise<Socket> {
    const { tls } = this.suite;
    return this.dialler.connect(address, attach, { ...options, ...(tls === undefined ? {} : { tls: tls.connect }) });
  }

  async connect(
    address: SocketAddress,
    { hooks, options }: EndOptions & { readonly options?: ConnectOptions } = {},
  ): Promise<Peer> {
    let peer: Peer | undefined;
    const dialling = this.dial(address, (socket) => peer = this.track(socket, hooks), options);
    const socket = await this.run(dialling, "to connect");
    assertEquals(socket, peer?.socket);
    return peer!;
  }

  /** A connection, with what either end is to be. */
  async pair(ends: { readonly client?: EndOptions; readonly server?: EndOptions } = {}): Promise<Pair> {
    const listener = await this.listen(ends.server);
    const client = await this.connect(listener.address, ends.client);
    return { client, server: await listener.next() };
  }

  /** A handler that records, and is cleaned up at the end. */
  track(socket: Socket, hooks?: PeerHooks): Peer {
    const peer = new Peer(socket, hooks);
    this.#peers.push(peer);
    this.#context.defer(() => {
      peer.abort();
      return this.run(socket.closed, "a socket to close at the end");
    });
    return peer;
  }

  /** Gives what must not happen a good chance to: round trips over another connection. */
  async letPass(): Promise<void> {
    this.#echo ??= await this.pair({ server: { hooks: { onData: (peer, chunk) => void peer.send(chunk.length) } } });
    const { client } = this.#echo;
    for (let i = 0; i < 10; i++) {
      client.send(8);
      await this.until(client, "an echo", () => client.receivedBytes === client.sentBytes);
    }
  }

  #check(): void {
    for (const peer of this.#peers) {
      peer.checkOwned();
      assertEquals(peer.violations, []);
    }
  }
}

/** Registers a case. */
export function socketCase(
  suite: SocketSuiteOptions,
  name: string,
  body: (stage: Stage) => Promise<void>,
  options?: TestOptions,
): void {
  test(`${suite.name}: ${name}`, (context) => body(new Stage(suite, context)), options);
}
