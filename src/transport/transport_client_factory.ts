/**
 * Dials peers and keeps their connections for the next who wants them.
 *
 * Spark: common/network-common/…/client/TransportClientFactory.java. Differences: the time limit of a dial holds for its
 * bootstraps too, and a peer whose connections are gone is forgotten.
 *
 * @module
 */

import { RpcStoppedError, toError } from "../base/errors.ts";
import { socketHost } from "../base/ip_address.ts";
import { untilAborted } from "../base/until_aborted.ts";
import { WatchTimer } from "../base/watch_timer.ts";
import { SocketError } from "../socket/socket.ts";
import type { SocketAddress } from "../socket/socket.ts";
import { formatAddress } from "../socket/socket_errors.ts";
import type { TransportChannelHandler } from "./transport_channel_handler.ts";
import type { TransportClientBootstrap } from "./transport_client_bootstrap.ts";
import type { TransportClient } from "./transport_client.ts";
import type { TransportContext } from "./transport_context.ts";

/** How many peers that could not be reached are remembered; the longest ago is forgotten first. */
const MAX_REMEMBERED_FAILURES = 1_024;
/** The part of `spark.<module>.io.retryWait` for which an unreachable peer is left alone: a retry after that wait must get through. */
const FAST_FAIL_WINDOW = 0.95;

/** Options of {@linkcode TransportClientFactory.createClient}. */
export interface CreateClientOptions {
  /**
   * Fail at once if the peer could not be reached a moment ago: for those who try again by themselves.
   *
   * @default false
   */
  readonly fastFail?: boolean | undefined;
  /** Gives up waiting: the promise rejects with the signal's reason, and the dial goes on for the others who want that peer. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@linkcode TransportClientFactory.createUnmanagedClient}. */
export interface CreateUnmanagedClientOptions {
  /** Gives up the dial: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** How a connection is dialled. */
interface DialOptions {
  /** Gives it up. */
  readonly signal?: AbortSignal | undefined;
  /** Hears that the peer could not be reached. */
  readonly onUnreachable?: () => void;
}

/** A connection, or the dial that will make it. */
type Slot = TransportClient | Promise<TransportClient>;
/** Those of a peer, by number: there may be far more of them than are ever used. */
type Slots = Map<number, Slot>;

/**
 * A pool of connections by the name and port that were dialled. Made by {@linkcode TransportContext.createClientFactory}.
 *
 * @example
 * ```ts
 * import { noOpRpcHandler, TransportContext } from "@sparkwire/sparkwire";
 *
 * const context = await TransportContext.create(noOpRpcHandler);
 * const server = await context.createServer();
 * const factory = context.createClientFactory();
 *
 * const [one, same] = await Promise.all([factory.createClient(server.address), factory.createClient(server.address)]);
 * const own = await factory.createUnmanagedClient(server.address);
 * if (one !== same || one === own) throw new Error("the pool has one connection to each peer, unless it is told otherwise");
 *
 * own.close();
 * await factory.close();
 * await server.close();
 * ```
 */
export class TransportClientFactory implements AsyncDisposable {
  readonly #context: TransportContext;
  readonly #bootstraps: readonly TransportClientBootstrap[];
  readonly #pools = new Map<string, Slots>();
  readonly #dialling = new Set<AbortController>();
  /** When a peer could last not be reached, the longest ago first. */
  readonly #lastFailures = new Map<string, number>();
  #closed = false;

  /**
   * @param bootstraps What is done on a new connection before anybody gets it, in order.
   *
   * @internal
   */
  constructor(context: TransportContext, bootstraps: readonly TransportClientBootstrap[]) {
    this.#context = context;
    this.#bootstraps = bootstraps;
  }

  /** How many peers it has connections to, dials included. */
  get size(): number {
    return this.#pools.size;
  }

  /**
   * A connection to `address`: an open one, or the one that is being dialled, or a new one, up to
   * `spark.<module>.io.numConnectionsPerPeer`. The key is the name, not the IP, so `localhost` and `127.0.0.1` are different peers.
   *
   * @param address The peer.
   * @param options Whether to fail fast, and what gives up waiting.
   * @returns The connection, which others may have too. Rejects with a SocketError (`TIMED_OUT` after
   * `spark.<module>.io.connectionCreationTimeout`, bootstraps included), with what a bootstrap failed with, or with an RpcStoppedError
   * after `close`, and with the signal's reason.
   */
  createClient(address: SocketAddress, { fastFail = false, signal }: CreateClientOptions = {}): Promise<TransportClient> {
    return signal?.aborted === true
      ? Promise.reject(signal.reason)
      : untilAborted(this.#pooled(dialled(address), fastFail), signal);
  }

  /**
   * Dials a connection that nobody else gets, for a transfer that may be given up, for instance. Who has it closes it.
   *
   * @param address The peer.
   * @param options What gives up the dial.
   * @returns The connection. Rejects as that of {@linkcode createClient} does, and with the signal's reason.
   */
  createUnmanagedClient(address: SocketAddress, { signal }: CreateUnmanagedClientOptions = {}): Promise<TransportClient> {
    return this.#closed ? Promise.reject(stoppedError()) : this.#dial(dialled(address), { signal });
  }

  /**
   * Closes the pooled connections and gives up the dials. What was sent before still leaves, for five seconds at most.
   *
   * @param reason What outstanding requests fail with.
   * @returns Resolves when they are closed.
   */
  async close(reason?: Error): Promise<void> {
    this.#closed = true;
    for (const dial of this.#dialling) dial.abort(stoppedError());
    const closing: Promise<void>[] = [];
    for (const slots of this.#pools.values()) {
      for (const slot of slots.values()) {
        if (slot instanceof Promise) continue;
        slot.close(reason);
        closing.push(slot.channel.socket.closed);
      }
    }
    this.#pools.clear();
    this.#lastFailures.clear();
    await Promise.all(closing);
  }

  /** The same as `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #pooled(address: SocketAddress, fastFail: boolean): Promise<TransportClient> {
    if (this.#closed) return Promise.reject(stoppedError());
    const { numConnectionsPerPeer } = this.#context.conf;
    const key = formatAddress(address);
    let slots = this.#pools.get(key);
    if (slots === undefined) {
      slots = new Map();
      this.#pools.set(key, slots);
    }
    const index = numConnectionsPerPeer === 1 ? 0 : Math.floor(this.#context.random() * numConnectionsPerPeer);
    const slot = slots.get(index);
    if (slot instanceof Promise) return slot;
    if (slot === undefined || !slot.isActive) {
      if (fastFail) {
        const error = this.#recentFailure(key);
        if (error !== undefined) {
          this.#forgetEmpty(key, slots);
          return Promise.reject(error);
        }
      }
      return this.#fill(slots, index, address);
    }
    slot.updateTimeOfLastRequest();
    return Promise.resolve(slot);
  }

  /** Not async: whoever asks while the dial is under way gets the very same promise. */
  #fill(slots: Slots, index: number, address: SocketAddress): Promise<TransportClient> {
    const forget = (slot: Slot): void => {
      if (slots.get(index) !== slot) return;
      slots.delete(index);
      this.#forgetEmpty(formatAddress(address), slots);
    };
    const onUnreachable = (): void => this.#noteFailure(formatAddress(address));
    const dialling = this.#dial(address, { onUnreachable }).then((client) => {
      if (this.#closed) {
        // Between the end of the dial and this: no dial was left to be given up, and no client was here to be closed.
        client.close(stoppedError());
        throw stoppedError();
      }
      slots.set(index, client);
      this.#lastFailures.delete(formatAddress(address));
      client.channel.socket.closed.then(() => forget(client));
      return client;
    });
    slots.set(index, dialling);
    dialling.catch(() => forget(dialling));
    return dialling;
  }

  #forgetEmpty(key: string, slots: Slots): void {
    if (this.#pools.get(key) === slots && slots.size === 0) this.#pools.delete(key);
  }

  #noteFailure(key: string): void {
    this.#lastFailures.delete(key);
    this.#lastFailures.set(key, this.#context.clock.now());
    if (this.#lastFailures.size <= MAX_REMEMBERED_FAILURES) return;
    for (const oldest of this.#lastFailures.keys()) return void this.#lastFailures.delete(oldest);
  }

  #recentFailure(key: string): SocketError | undefined {
    const windowMs = Math.floor(this.#context.conf.ioRetryWaitTimeMs * FAST_FAIL_WINDOW);
    const failedAt = this.#lastFailures.get(key);
    if (failedAt === undefined || this.#context.clock.now() - failedAt >= windowMs) return undefined;
    const message = `Connecting to ${key} failed in the last ${windowMs} ms, fail this connection directly`;
    return new SocketError("CONNECTION_REFUSED", message);
  }

  async #dial(address: SocketAddress, { signal, onUnreachable }: DialOptions): Promise<TransportClient> {
    const { conf, clock, logger } = this.#context;
    const name = formatAddress(address);
    const timeoutMs = conf.connectionCreationTimeoutMs;
    const begun = clock.now();
    let connected: number | undefined;
    const dial = new AbortController();
    this.#dialling.add(dial);
    const late = new SocketError("TIMED_OUT", `Connecting to ${name} timed out (${timeoutMs} ms)`);
    const giveUp = (): void => dial.abort(signal?.reason);
    if (signal?.aborted === true) giveUp();
    signal?.addEventListener("abort", giveUp, { once: true });
    const timer = timeoutMs > 0 ? new WatchTimer(clock, timeoutMs, () => dial.abort(late)) : undefined;
    try {
      const client = await this.#connect(address, dial.signal);
      connected = clock.now();
      await this.#bootstrap(client, dial.signal);
      const total = Math.round(clock.now() - begun);
      const inBootstraps = Math.round(clock.now() - connected);
      logger.debug(`Successfully created connection to ${name} after ${total} ms (${inBootstraps} ms spent in bootstraps)`);
      return client;
    } catch (thrown) {
      this.#context.metrics.dialsFailed++;
      // As in Spark, only what an IOException is there, and no bootstrap's: a wrong password is no reason to leave a peer alone.
      if (connected === undefined && thrown instanceof SocketError) onUnreachable?.();
      throw thrown;
    } finally {
      timer?.cancel();
      signal?.removeEventListener("abort", giveUp);
      this.#dialling.delete(dial);
    }
  }

  async #connect(address: SocketAddress, signal: AbortSignal): Promise<TransportClient> {
    let handler: TransportChannelHandler | undefined;
    try {
      await this.#context.driver.connect(address, (socket) => {
        handler = this.#context.register(socket, address);
        return handler;
      }, { ...this.#context.socketOptions(true), signal });
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
      const error = toError(thrown);
      const code = error instanceof SocketError ? error.socketCode : "UNKNOWN";
      const where = formatAddress(address);
      // The driver's own words begin with the address too.
      const reason = error.message.replace(`Cannot connect to ${where}: `, "");
      throw new SocketError(code, `Failed to connect to ${where}: ${reason}`, { cause: error });
    }
    if (handler === undefined) throw new SocketError("UNKNOWN", `The ${this.#context.driver.name} driver attached nothing`);
    return handler.client;
  }

  async #bootstrap(client: TransportClient, signal: AbortSignal): Promise<void> {
    client.inHandshake = true;
    try {
      signal.throwIfAborted();
      for (const bootstrap of this.#bootstraps) await untilAborted(Promise.resolve(bootstrap.doBootstrap(client)), signal);
    } catch (thrown) {
      const error = toError(thrown);
      this.#context.logger.error(`Exception while bootstrapping client of ${client.channel.remote}`, error);
      client.close(error);
      throw thrown;
    } finally {
      client.inHandshake = false;
    }
  }
}

function dialled({ host, port }: SocketAddress): SocketAddress {
  return { host: socketHost(host), port };
}

function stoppedError(): RpcStoppedError {
  return new RpcStoppedError("TransportClientFactory is closed");
}
