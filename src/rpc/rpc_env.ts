/**
 * The environment that endpoints live in: it finds, sends, asks, and ends.
 *
 * Spark: core/…/rpc/RpcEnv.scala.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import type { SparkConf, SparkConfInit } from "../base/spark_conf.ts";
import type { Files } from "../platform/files.ts";
import type { Serializer } from "../serializer/serializer.ts";
import type { SimulatedFaults } from "../socket/sim.ts";
import type { SocketDriver, TlsOptions } from "../socket/socket.ts";
import type { TransferOptions } from "../transport/transfers.ts";
import type { TransportLimits } from "../transport/transport_limits.ts";
import type { DroppedMessage } from "./dispatcher.ts";
import type { InboxLimits } from "./inbox_limits.ts";
import type { LookupTarget } from "./lookup_target.ts";
import { createNettyRpcEnv } from "./netty_rpc_env_factory.ts";
import type { RpcAddress } from "./rpc_address.ts";
import type { RpcEndpoint, TypedEndpoint } from "./rpc_endpoint.ts";
import type { RpcEndpointRef } from "./rpc_endpoint_ref.ts";
import type { RpcEnvFileServer } from "./rpc_env_file_server.ts";
import type { RpcEnvStats } from "./rpc_env_stats.ts";
import type { SecurityManager } from "./security_manager.ts";
import { SimulatedWorld } from "./simulated_world.ts";

/** The limits of an environment. */
export interface RpcEnvLimits extends InboxLimits, Omit<TransportLimits, "maxFrameBytes"> {
  /**
   * Downloads that may be under way at once; each has a connection of its own. One more fails.
   *
   * @default 256
   */
  readonly maxDownloads: number;
}

/** How an environment is made. */
export interface RpcEnvOptions {
  /** Names the environment in logs and errors. */
  readonly name: string;
  /**
   * The host that others reach this environment at. Spark: advertiseAddress.
   *
   * @default this machine's name, by SPARK_LOCAL_HOSTNAME, SPARK_LOCAL_IP or its first address
   */
  readonly host?: string | undefined;
  /**
   * Where it listens. Spark: bindAddress.
   *
   * @default the host
   */
  readonly bindHost?: string | undefined;
  /**
   * The port to listen on, 1024 or above; 0 lets the system choose. Without one the environment is in client mode and does not
   * listen.
   */
  readonly port?: number | undefined;
  /**
   * Configuration, by Spark's keys.
   *
   * @default no key is set
   */
  readonly conf?: SparkConf | SparkConfInit | undefined;
  /**
   * Must have authentication disabled, which is not there yet: one that has it enabled is refused.
   *
   * @default none
   */
  readonly securityManager?: SecurityManager | undefined;
  /**
   * The codecs of messages; the first is what is sent, all are understood.
   *
   * @default CBOR and Java
   */
  readonly serializers?: readonly Serializer[] | undefined;
  /**
   * Names of the serializers whose content is accepted from peers; look-ups always are.
   *
   * @default those of all `serializers`
   */
  readonly accept?: readonly string[] | undefined;
  /**
   * Makes sockets.
   *
   * @default the runtime's own
   */
  readonly driver?: SocketDriver | undefined;
  /**
   * Where the files are that the environment serves.
   *
   * @default the machine's
   */
  readonly files?: Files | undefined;
  /**
   * Speak TLS on every connection.
   *
   * @default no TLS
   */
  readonly tls?: TlsOptions | undefined;
  /**
   * Hears of what was dropped, retried or could not be done.
   *
   * @default warnings and errors to the console
   */
  readonly logger?: Logger | undefined;
  /**
   * Gives time.
   *
   * @default the machine's
   */
  readonly clock?: Clock | undefined;
  /**
   * Gives chances.
   *
   * @default the machine's
   */
  readonly random?: Random | undefined;
  /** How many cores there are; without effect, as Spark makes threads of it. Spark: numUsableCores. */
  readonly numUsableCores?: number | undefined;
  /** Limits that differ from the defaults; each says its own in {@linkcode RpcEnvLimits}, and `env.stats().limits` has those in force. */
  readonly limits?: Partial<RpcEnvLimits> | undefined;
  /**
   * Whether endpoints of this environment get the sender's own objects, as in Spark, or copies by the serializer of the reference,
   * which may be as long as a frame (`spark.rpc.message.maxSize`).
   *
   * @default "share"
   */
  readonly localMessages?: "share" | "clone" | undefined;
  /**
   * Tell peers the stacks of failures.
   *
   * @default false
   */
  readonly exposeStack?: boolean | undefined;
  /**
   * Bind every reference that comes over a connection to that connection, as Spark does, even if it leads elsewhere.
   *
   * @default false
   */
  readonly bindForwardedRefs?: boolean | undefined;
  /** Hears of each message that an inbox drops. What it throws is logged. */
  readonly onDropped?: ((dropped: DroppedMessage) => void) | undefined;
}

/** How an endpoint is looked up. */
export interface LookupOptions {
  /**
   * How long to wait, in milliseconds.
   *
   * @default `spark.rpc.lookupTimeout`, then `spark.network.timeout`, then 120 s
   */
  readonly timeoutMs?: number | undefined;
  /** Gives up waiting. */
  readonly signal?: AbortSignal | undefined;
  /** The name of the serializer that the reference sends with; the environment's default if absent. */
  readonly serializer?: string | undefined;
}

/** How an environment is shut down. */
export interface ShutdownOptions {
  /**
   * How long endpoints may take to handle what waits, and connections to send what was sent, in milliseconds; connections have five
   * seconds in any case. After a second of it, or half if that is less, the `signal` of each call that is still in hand aborts. What
   * endpoints still have waiting at its end is dropped.
   *
   * @default 10000
   */
  readonly deadlineMs?: number | undefined;
}

/**
 * An environment of endpoints. Made by {@linkcode RpcEnv.create}.
 *
 * @example
 * ```ts
 * import { RpcEnv } from "@sparkwire/sparkwire";
 *
 * const server = await RpcEnv.create({ name: "server", host: "127.0.0.1", port: 0 });
 * server.setupEndpoint("Greeter", { receiveAndReply: (name) => `Hello, ${name}` });
 *
 * const client = await RpcEnv.create({ name: "client" });
 * const greeter = await client.setupEndpointRef(`spark://Greeter@${server.address}`);
 * if (await greeter.ask("Ada") !== "Hello, Ada") throw new Error("not greeted");
 *
 * await client.shutdown();
 * await server.shutdown();
 * ```
 */
export interface RpcEnv extends AsyncDisposable {
  /** Its name. */
  readonly name: string;
  /** Where others reach it; undefined in client mode. */
  readonly address: RpcAddress | undefined;
  /** Its configuration. */
  readonly conf: SparkConf;
  /** Its time. */
  readonly clock: Clock;
  /** Its chances. */
  readonly random: Random;
  /** Its log. */
  readonly logger: Logger;
  /**
   * Registers an endpoint; its onStart runs soon. The reference has the contract of a typed endpoint; `unknown` for others.
   *
   * @throws {RangeError} `There is already an RpcEndpoint called <name>`, or the name is empty.
   * @throws {RpcStoppedError} If the environment has been stopped.
   */
  setupEndpoint<C>(name: string, endpoint: TypedEndpoint<C>): RpcEndpointRef<C>;
  /**
   * Looks an endpoint up, by `spark://name@host:port` or by address and name.
   *
   * Rejects with an {@linkcode RpcEndpointNotFoundError} if the peer has none of that name, an {@linkcode RpcTimeoutError} whose
   * key is `spark.rpc.lookupTimeout` unless the options say how long, a SocketError if there is no connection, an RpcError
   * INVALID_ADDRESS if the target is none, a RangeError if there is no serializer of that name or the time limit is none, an
   * RpcStoppedError after `shutdown`, or the signal's reason.
   */
  setupEndpointRef(target: LookupTarget, options?: LookupOptions): Promise<RpcEndpointRef>;
  /** The reference of an endpoint of this environment, from its registration until its onStop; undefined otherwise. */
  endpointRef(endpoint: RpcEndpoint): RpcEndpointRef | undefined;
  /** Serves files to peers. */
  readonly fileServer: RpcEnvFileServer;
  /**
   * Downloads what a peer's file server has, over a connection apart from that of messages.
   *
   * The peer sends as fast as the stream is read, and no faster: one that is neither read to its end nor cancelled keeps its connection,
   * and counts against `maxDownloads`, until `shutdown`. The chunks are the reader's to keep, but their `buffer` may have
   * neighbours and must not be transferred.
   *
   * @param uri As the peer's `fileServer` gave it: `spark://host:port/files/name`.
   * @param options What cancels it, and who hears of its size.
   * @returns The bytes. Errors once: with a StreamError if the peer has no such stream or the connection breaks within it, with an
   * RpcError of code `DISCONNECTED` if it breaks before, with a SocketError if there is none, with an RpcOverloadedError at
   * `maxDownloads`, with an RpcStoppedError after `shutdown`, and with the signal's reason.
   * @throws {RpcError} INVALID_ADDRESS if the URI is none of a file.
   */
  openChannel(uri: string, options?: TransferOptions): ReadableStream<Uint8Array>;
  /**
   * Stops an endpoint of this environment: what waits is delivered, then comes onStop. Twice is the same as once.
   *
   * @throws {TypeError} If the reference is to an endpoint of another environment.
   */
  stop<C>(ref: RpcEndpointRef<C>): void;
  /**
   * Stops all endpoints, sends what was sent before, closes all connections. Idempotent. Safe within a handler, as long as the
   * handler does not await it. Rejects with a RangeError if the deadline is negative or no number; then nothing has begun.
   */
  shutdown(options?: ShutdownOptions): Promise<void>;
  /** Resolves when all endpoints have ended after a shutdown. Rejects with the signal's reason. */
  awaitTermination(options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  /** A snapshot of every queue, limit and counter. */
  stats(): RpcEnvStats;
}

/** Makes environments: what {@linkcode RpcEnv} is as a value. */
export interface RpcEnvCompanion {
  /**
   * Makes an environment: a server if `options.port` is given, otherwise one in client mode.
   *
   * @param options Name, address, and what differs from the defaults.
   * @returns The environment, listening if it is a server. Rejects with a SocketError if the ports that may be tried are all in
   * use (`spark.port.maxRetries`), or the address is not this machine's; with an RpcError INVALID_ADDRESS if the host is none; with a
   * RangeError if the port, a limit or a configuration value is out of range, if there is no serializer, or none of a name in `accept`,
   * and if authentication is asked for, which is not there yet.
   */
  create(options: RpcEnvOptions): Promise<RpcEnv>;

  /**
   * Makes a world for tests: its environments live in virtual time and talk over a simulated network, and the same seed gives
   * the same run, faults included.
   *
   * @param seed Decides everything that is left to chance.
   * @param faults What goes wrong, and how often; nothing by default.
   * @returns A world without environments.
   * @throws {RangeError} If a number among the faults makes no sense.
   */
  createSimulated(seed: number, faults?: SimulatedFaults): SimulatedWorld;
}

/** Makes environments. */
export const RpcEnv: RpcEnvCompanion = {
  create: (options) => createNettyRpcEnv(options),
  createSimulated: (seed, faults = {}) => new SimulatedWorld({ seed, faults }),
};
