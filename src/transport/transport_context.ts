/**
 * What servers and clients of one module share: configuration, handler, limits, and the list of open connections.
 *
 * Spark: common/network-common/…/TransportContext.java. Differences: it is made by a function, since the runtime's sockets are loaded
 * when they are wanted, and it carries the limits and surroundings that there are static.
 *
 * @module
 */

import { type Clock, systemClock } from "../base/clock.ts";
import { Deadlines } from "../base/deadlines.ts";
import { socketHost } from "../base/ip_address.ts";
import { type Logger, loggerInForce } from "../base/logger.ts";
import { type Random, systemRandom } from "../base/random.ts";
import { SparkConf } from "../base/spark_conf.ts";
import { defaultSocketDriver } from "../socket/default.ts";
import { DEFAULT_HIGH_WATER_MARK_BYTES } from "../socket/socket.ts";
import type { Socket, SocketAddress, SocketDriver, SocketOptions, TlsOptions } from "../socket/socket.ts";
import { SharedPieces } from "./piece_memory.ts";
import type { RpcHandler } from "./rpc_handler.ts";
import { TransportChannelHandler } from "./transport_channel_handler.ts";
import type { TransportClientBootstrap } from "./transport_client_bootstrap.ts";
import { TransportClientFactory } from "./transport_client_factory.ts";
import { TransportConf } from "./transport_conf.ts";
import { type TransportLimits, transportLimitsInForce } from "./transport_limits.ts";
import { TransportMetrics, type TransportStats } from "./transport_metrics.ts";
import { type CreateServerOptions, TransportServer } from "./transport_server.ts";
import type { TransportServerBootstrap } from "./transport_server_bootstrap.ts";

/** Options of {@linkcode TransportContext.create}. */
export interface TransportContextOptions {
  /**
   * The settings of the module that it serves.
   *
   * @default those of `rpc`, all at their defaults
   */
  readonly conf?: TransportConf | undefined;
  /** Limits that differ from {@linkcode DEFAULT_TRANSPORT_LIMITS}. */
  readonly limits?: Partial<TransportLimits> | undefined;
  /**
   * Close connections that are merely idle for `spark.<module>.io.connectionTimeout`; without it only those are closed that are
   * silent for so long while requests wait for their answers.
   *
   * @default false
   */
  readonly closeIdleConnections?: boolean | undefined;
  /**
   * Tell peers the stacks of failures.
   *
   * @default false
   */
  readonly exposeStack?: boolean | undefined;
  /**
   * Speak TLS.
   *
   * @default no TLS
   */
  readonly tls?: TlsOptions | undefined;
  /**
   * Makes sockets.
   *
   * @default {@linkcode defaultSocketDriver}
   */
  readonly driver?: SocketDriver | undefined;
  /**
   * Gives time.
   *
   * @default {@linkcode systemClock}
   */
  readonly clock?: Clock | undefined;
  /**
   * Hears of what goes wrong and of what was dropped.
   *
   * @default {@linkcode consoleLogger}
   */
  readonly logger?: Logger | undefined;
  /**
   * Chooses among the connections to one peer.
   *
   * @default the system's own randomness
   */
  readonly random?: Random | undefined;
}

/** What a context is made with where everything is at hand, and what contexts of one environment share. */
export interface TransportSurroundings extends Omit<TransportContextOptions, "conf"> {
  readonly driver: SocketDriver;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
  /** Shared deadlines, where several contexts live in one environment. */
  readonly deadlines?: Deadlines | undefined;
}

/**
 * Makes servers and client factories: the way into Spark's network layer for those who need no endpoints, such as shuffle services
 * and side-cars.
 *
 * @example A server that answers, and somebody who asks
 * ```ts
 * import { askRpc, noOpRpcHandler, SparkConf, TransportConf, TransportContext } from "@sparkwire/sparkwire";
 *
 * const conf = new TransportConf("shuffle", new SparkConf({ "spark.shuffle.io.connectionTimeout": "30s" }));
 * const context = await TransportContext.create({
 *   ...noOpRpcHandler,
 *   receive(client, body, responder) {
 *     const text = new TextDecoder().decode(body.bytes);
 *     responder.onSuccess(new TextEncoder().encode(`Hello, ${text} from ${client.channel.remoteAddress.host}`));
 *   },
 * }, { conf });
 * const server = await context.createServer(0, { host: "127.0.0.1" });
 *
 * const factory = context.createClientFactory();
 * const client = await factory.createClient(server.address);
 * const answer = await askRpc(client, new TextEncoder().encode("Ada"));
 * if (new TextDecoder().decode(answer) !== "Hello, Ada from 127.0.0.1") throw new Error("not greeted");
 *
 * await factory.close();
 * await server.close();
 * ```
 */
export class TransportContext implements AsyncDisposable {
  /** The module's configuration. */
  readonly conf: TransportConf;
  /** What the application does with requests. */
  readonly rpcHandler: RpcHandler;
  /** Makes sockets. */
  readonly driver: SocketDriver;
  /** Gives time. */
  readonly clock: Clock;
  /**
   * Gives the deadlines of requests.
   *
   * @internal
   */
  readonly deadlines: Deadlines;
  /** Hears of what goes wrong and of what was dropped. */
  readonly logger: Logger;
  /** Chooses among the connections to one peer. */
  readonly random: Random;
  /** Limits per connection. */
  readonly limits: TransportLimits;
  /** Whether connections that are merely idle are closed. */
  readonly closeIdleConnections: boolean;
  /** Whether peers are told the stack of a failure. */
  readonly exposeStack: boolean;
  /**
   * What its connections have done.
   *
   * @internal
   */
  readonly metrics: TransportMetrics = new TransportMetrics();
  /**
   * The memory of files that its connections are sending.
   *
   * @internal
   */
  readonly pieces: SharedPieces = new SharedPieces();
  readonly #tls: TlsOptions | undefined;
  readonly #connections = new Set<TransportChannelHandler>();

  /**
   * Makes one of what is at hand; {@linkcode TransportContext.create} looks for the rest.
   *
   * @internal
   */
  constructor(conf: TransportConf, rpcHandler: RpcHandler, options: TransportSurroundings) {
    refuseUnprotected(conf, options.tls);
    this.conf = conf;
    this.rpcHandler = rpcHandler;
    this.driver = options.driver;
    this.clock = options.clock;
    this.deadlines = options.deadlines ?? new Deadlines(options.clock);
    this.logger = options.logger;
    this.random = options.random;
    this.limits = transportLimitsInForce(options.limits);
    this.closeIdleConnections = options.closeIdleConnections ?? false;
    this.exposeStack = options.exposeStack ?? false;
    this.#tls = options.tls;
  }

  /**
   * Makes a context. It opens nothing yet.
   *
   * @param rpcHandler What to do with the requests of peers, on connections that were accepted and dialled alike;
   * {@linkcode noOpRpcHandler} for those who only ask.
   * @param options Settings, limits, and what differs from this machine's own.
   * @returns The context. Rejects with a RangeError if the settings want a protection that there is not, or a limit is none.
   */
  static async create(rpcHandler: RpcHandler, options: TransportContextOptions = {}): Promise<TransportContext> {
    return new TransportContext(options.conf ?? new TransportConf("rpc", new SparkConf()), rpcHandler, {
      ...options,
      driver: options.driver ?? await defaultSocketDriver(),
      clock: options.clock ?? systemClock,
      logger: loggerInForce(options.logger),
      random: options.random ?? systemRandom,
    });
  }

  /**
   * The open connections, dialled and accepted. Spark: registeredConnections.
   *
   * @internal
   */
  get connections(): ReadonlySet<TransportChannelHandler> {
    return this.#connections;
  }

  /**
   * Listens.
   *
   * @param port The port; 0 lets the system choose.
   * @param options The address, and what prepares connections.
   * @returns The server. Rejects with a SocketError if it cannot listen there, with a TypeError or RangeError if there is no such place.
   */
  createServer(port = 0, { host = "127.0.0.1", bootstraps = [] }: CreateServerOptions = {}): Promise<TransportServer> {
    return TransportServer.listen(this, { host: socketHost(host), port }, bootstraps);
  }

  /**
   * Makes a pool of connections.
   *
   * @param bootstraps What is done on a new connection before anybody gets it, in order.
   * @returns The pool.
   */
  createClientFactory(bootstraps: readonly TransportClientBootstrap[] = []): TransportClientFactory {
    return new TransportClientFactory(this, bootstraps);
  }

  /**
   * Takes charge of a socket. Spark: initializePipeline.
   *
   * @internal
   */
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

  /**
   * Forgets a connection that is closed.
   *
   * @internal
   */
  unregister(handler: TransportChannelHandler): void {
    if (this.#connections.delete(handler)) this.metrics.connectionClosed(handler.stats());
  }

  /**
   * What its connections do and have done.
   *
   * @returns A snapshot.
   */
  stats(): TransportStats {
    return this.metrics.stats(this.conf.moduleName, [...this.#connections].map((handler) => handler.stats()));
  }

  /**
   * How the sockets of this context behave.
   *
   * @internal
   */
  socketOptions(keepAlive: boolean): SocketOptions {
    const { maxQueuedBytes } = this.limits;
    // A stream's body must find its socket full long before that is aborted for being too full.
    const highWaterMarkBytes = Math.max(1, Math.min(DEFAULT_HIGH_WATER_MARK_BYTES, maxQueuedBytes / 4));
    const options = { noDelay: true, keepAlive, maxQueuedBytes, highWaterMarkBytes };
    return this.#tls === undefined ? options : { ...options, tls: this.#tls };
  }

  /**
   * Closes every connection, dialled and accepted. Servers go on listening and factories dialling until they are closed too.
   *
   * @param reason What outstanding requests fail with.
   * @returns Resolves when they are closed.
   */
  async close(reason?: Error): Promise<void> {
    const closing = [...this.#connections].map((handler) => {
      handler.client.close(reason);
      return handler.channel.socket.closed;
    });
    await Promise.all(closing);
  }

  /** The same as `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Who asks for protection and cannot have it must hear of that, and not go on in the clear. */
function refuseUnprotected({ auth, ssl }: TransportConf, tls: TlsOptions | undefined): void {
  const instead = "set it to false, and give certificates as option tls, with caCerts to let in only clients that have one";
  if (auth.authenticationEnabled) throw new RangeError(`spark.authenticate: there is no authentication yet: ${instead}`);
  const key = auth.encryptionEnabled ? "spark.network.crypto.enabled" : "spark.authenticate.enableSaslEncryption";
  if (auth.encryptionEnabled || auth.saslEncryption) throw new RangeError(`${key}: only TLS encrypts yet: ${instead}`);
  if (ssl.sslRpcEnabled && tls === undefined) {
    throw new RangeError("spark.ssl.rpc.enabled: there are no certificates, give them in PEM as option tls");
  }
}
