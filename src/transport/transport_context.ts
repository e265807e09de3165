/**
 * What servers and clients of one module share: configuration, handler, limits, and the list of open connections.
 *
 * Spark: common/network-common/…/TransportContext.java.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import { Deadlines } from "../base/deadlines.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import { DEFAULT_HIGH_WATER_MARK_BYTES, DEFAULT_MAX_QUEUED_BYTES } from "../socket/socket.ts";
import type { Socket, SocketAddress, SocketDriver, SocketOptions, TlsOptions } from "../socket/socket.ts";
import type { ConnectionStats } from "./connection_stats.ts";
import type { RpcHandler } from "./rpc_handler.ts";
import { TransportChannelHandler } from "./transport_channel_handler.ts";
import type { TransportClientBootstrap } from "./transport_client_bootstrap.ts";
import { TransportClientFactory } from "./transport_client_factory.ts";
import type { TransportConf } from "./transport_conf.ts";
import { TransportMetrics, type TransportStats } from "./transport_metrics.ts";
import { TransportServer } from "./transport_server.ts";
import type { TransportServerBootstrap } from "./transport_server_bootstrap.ts";

/** Limits per connection. */
export interface TransportLimits {
  /** The largest frame, in bytes without its length field. Sending more fails locally; receiving more closes the connection. */
  readonly maxFrameBytes: number;
  /** Bytes of own messages that may wait on one connection. */
  readonly maxOutboxBytes: number;
  /** Requests that may wait for their answers on one connection. */
  readonly maxOutstandingRequests: number;
  /** Bytes that may wait on one connection, answers included; above it the connection is aborted. */
  readonly maxQueuedBytes: number;
  /** Streams that one connection may be sent at once. */
  readonly maxStreams: number;
  /** Chunks that one connection may wait for at once; they are found when they are asked for and read when their turn comes. */
  readonly maxChunks: number;
}

/** The limits that hold unless others are given. */
export const DEFAULT_TRANSPORT_LIMITS: TransportLimits = {
  maxFrameBytes: 2 ** 31 - 1,
  maxOutboxBytes: 128 * 1024 * 1024,
  maxOutstandingRequests: 1_000_000,
  maxQueuedBytes: DEFAULT_MAX_QUEUED_BYTES,
  maxStreams: 64,
  maxChunks: 65_536,
};

/** What a context needs of its surroundings. */
export interface TransportContextOptions {
  /** Makes sockets. */
  readonly driver: SocketDriver;
  /** Gives time. */
  readonly clock: Clock;
  /** Hears of what was dropped. */
  readonly logger: Logger;
  /** Chooses among the connections to one peer. */
  readonly random: Random;
  /** Shared deadlines, where several contexts live in one environment. */
  readonly deadlines?: Deadlines | undefined;
  /** Limits that differ from {@linkcode DEFAULT_TRANSPORT_LIMITS}. */
  readonly limits?: Partial<TransportLimits> | undefined;
  /** Close connections that are merely idle. Spark: closeIdleConnections. */
  readonly closeIdleConnections?: boolean | undefined;
  /** Tell peers the stack of a failure. */
  readonly exposeStack?: boolean | undefined;
  /** Speak TLS. */
  readonly tls?: TlsOptions | undefined;
}

/** Makes servers and client factories. */
export class TransportContext {
  /** The module's configuration. */
  readonly conf: TransportConf;
  /** What the application does with requests. */
  readonly rpcHandler: RpcHandler;
  /** Makes sockets. */
  readonly driver: SocketDriver;
  /** Gives time. */
  readonly clock: Clock;
  /** Gives the deadlines of requests. */
  readonly deadlines: Deadlines;
  /** Hears of what was dropped. */
  readonly logger: Logger;
  /** Chooses among the connections to one peer. */
  readonly random: Random;
  /** Limits per connection. */
  readonly limits: TransportLimits;
  /** Whether connections that are merely idle are closed. */
  readonly closeIdleConnections: boolean;
  /** Whether peers are told the stack of a failure. */
  readonly exposeStack: boolean;
  /** What its connections have done. */
  readonly metrics: TransportMetrics = new TransportMetrics();
  readonly #tls: TlsOptions | undefined;
  readonly #connections = new Set<TransportChannelHandler>();

  /** @param conf The module's configuration. @param rpcHandler What to do with requests. */
  constructor(conf: TransportConf, rpcHandler: RpcHandler, options: TransportContextOptions) {
    this.conf = conf;
    this.rpcHandler = rpcHandler;
    this.driver = options.driver;
    this.clock = options.clock;
    this.deadlines = options.deadlines ?? new Deadlines(options.clock);
    this.logger = options.logger;
    this.random = options.random;
    this.limits = { ...DEFAULT_TRANSPORT_LIMITS, ...options.limits };
    this.closeIdleConnections = options.closeIdleConnections ?? false;
    this.exposeStack = options.exposeStack ?? false;
    this.#tls = options.tls;
  }

  /** The open connections, dialled and accepted. Spark: registeredConnections. */
  get connections(): ReadonlySet<TransportChannelHandler> {
    return this.#connections;
  }

  /** Listens on `port`; 0 lets the system choose. Rejects with a SocketError. */
  createServer(port = 0, bootstraps: readonly TransportServerBootstrap[] = [], host = "127.0.0.1"): Promise<TransportServer> {
    return TransportServer.listen(this, { host, port }, bootstraps);
  }

  /** Makes a pool of connections, each prepared by `bootstraps`. */
  createClientFactory(bootstraps: readonly TransportClientBootstrap[] = []): TransportClientFactory {
    return new TransportClientFactory(this, bootstraps);
  }

  /** Takes charge of a socket. Spark: initializePipeline. */
  register(
    socket: Socket,
    dialled: SocketAddress | undefined,
    bootstraps: readonly TransportServerBootstrap[] = [],
  ): TransportChannelHandler {
    const handler = new TransportChannelHandler(this, socket, dialled);
    this.#connections.add(handler);
    this.metrics.connectionsOpened++;
    handler.activate(bootstraps);
    return handler;
  }

  /** Forgets a connection that is closed. */
  unregister(handler: TransportChannelHandler): void {
    if (this.#connections.delete(handler)) this.metrics.connectionClosed(handler.stats());
  }

  /** A snapshot of what its connections do and have done. */
  stats(): TransportStats {
    const open = [...this.#connections].map((handler) => handler.stats());
    const sum = (pick: (each: ConnectionStats) => number): number => open.reduce((all, each) => all + pick(each), 0);
    const { metrics } = this;
    return {
      module: this.conf.moduleName,
      connections: open.length,
      connectionsOpened: metrics.connectionsOpened,
      connectionsClosed: metrics.connectionsClosed,
      dialsFailed: metrics.dialsFailed,
      connectionsBroken: metrics.connectionsBroken,
      connectionsTimedOut: metrics.connectionsTimedOut,
      ...metrics.totals(open),
      outstandingRequests: sum((each) => each.outstandingRequests),
      unansweredRequests: sum((each) => each.unansweredRequests),
      queuedBytes: sum((each) => each.queuedBytes),
      streamsSent: metrics.streamsSent,
      chunksSent: metrics.chunksSent,
      transfersFailed: metrics.transfersFailed,
      uploadsReceived: metrics.uploadsReceived,
      uploadsFailed: metrics.uploadsFailed,
      requestLatency: metrics.requestLatency.stats(),
    };
  }

  /** How the sockets of this context behave. */
  socketOptions(keepAlive: boolean): SocketOptions {
    const { maxQueuedBytes } = this.limits;
    // A stream's body must find its socket full long before that is aborted for being too full.
    const highWaterMarkBytes = Math.max(1, Math.min(DEFAULT_HIGH_WATER_MARK_BYTES, maxQueuedBytes / 4));
    const options = { noDelay: true, keepAlive, maxQueuedBytes, highWaterMarkBytes };
    return this.#tls === undefined ? options : { ...options, tls: this.#tls };
  }

  /** Closes every connection and waits until all are closed. */
  async close(reason?: Error): Promise<void> {
    const closing = [...this.#connections].map((handler) => {
      handler.client.close(reason);
      return handler.channel.socket.closed;
    });
    await Promise.all(closing);
  }
}
