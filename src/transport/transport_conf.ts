/**
 * The settings of the transport for one module (`rpc`, `files`, `shuffle`), read from configuration once and checked at once.
 *
 * Spark: common/network-common/…/util/TransportConf.java and core/…/network/netty/SparkTransportConf.scala. There each getter
 * reads its key anew, so that a bad value surfaces in the middle of things; here it is refused when the environment is made.
 * Times do not wrap at 2³¹ milliseconds. The getters of authentication, TLS and shuffle are in files of their own beside this one.
 *
 * @module
 */

import { illegalValue, type SparkConf } from "../base/spark_conf.ts";
import { readShuffleConf, type ShuffleConf } from "./shuffle_conf.ts";
import { sizeAsInt } from "./size_as_int.ts";
import { readSslRpcConf, type SslRpcConf } from "./ssl_rpc_conf.ts";
import { readTransportAuthConf, type TransportAuthConf } from "./transport_auth_conf.ts";

/** How the runtime waits for sockets. All values mean the same here: the runtime's own event loop. */
export type IoMode = "NIO" | "EPOLL" | "KQUEUE" | "AUTO";

const IO_MODES: readonly IoMode[] = ["NIO", "EPOLL", "KQUEUE", "AUTO"];

/** Threads that Spark gives a module at most, unless told otherwise. Spark: NettyUtils.MAX_DEFAULT_NETTY_THREADS. */
const MAX_DEFAULT_THREADS = 8;

const MAX_INT = 2 ** 31 - 1;

/** Options of {@linkcode TransportConf}. */
export interface TransportConfOptions {
  /**
   * Whose settings `spark.<role>.<module>.io.serverThreads` and `…clientThreads` come first: `driver` or `executor`.
   *
   * @default none
   */
  readonly role?: string | undefined;
  /**
   * How many cores there are; 0 where it is not known, which counts as many.
   *
   * @default 0
   */
  readonly numUsableCores?: number | undefined;
}

/**
 * The transport's settings for one module. Times are in milliseconds, sizes in bytes.
 *
 * @example
 * ```ts
 * import { SparkConf, TransportConf } from "@sparkwire/sparkwire";
 *
 * const conf = new TransportConf("shuffle", new SparkConf({ "spark.shuffle.io.retryWait": "10s", "spark.network.timeout": "60s" }));
 * if (conf.ioRetryWaitTimeMs !== 10_000 || conf.connectionTimeoutMs !== 60_000) throw new Error("not so");
 * ```
 */
export class TransportConf {
  /** The module, which is the second part of most keys. */
  readonly moduleName: string;
  /** `spark.<module>.io.mode`, then `spark.io.mode.default`; default AUTO; checked, without effect. */
  readonly ioMode: IoMode;
  /**
   * `spark.<module>.io.connectionTimeout`, then `spark.network.timeout`; default 120s; in whole seconds, given as ms.
   * A connection that is silent for so long while requests are outstanding is closed; 0 (also from a negative value) never.
   */
  readonly connectionTimeoutMs: number;
  /** `spark.<module>.io.connectionCreationTimeout`; default connectionTimeoutMs; in whole seconds, given as ms; 0 waits for ever. */
  readonly connectionCreationTimeoutMs: number;
  /** `spark.<module>.io.numConnectionsPerPeer`; default 1; connections. */
  readonly numConnectionsPerPeer: number;
  /**
   * `spark.<module>.io.backLog`; default -1; connections that wait to be accepted; below 1 is the system's own limit. Bun 1.4 has 512,
   * whatever is asked for.
   */
  readonly backLog: number;
  /** `spark.<module>.io.serverThreads`; default the cores, at most 8; threads; without effect, as the event loop is the thread. */
  readonly serverThreads: number;
  /** `spark.<module>.io.clientThreads`; default the cores, at most 8; threads; without effect, as the event loop is the thread. */
  readonly clientThreads: number;
  /** `spark.<module>.io.receiveBuffer`; default -1; bytes (SO_RCVBUF); without effect, as no runtime offers it. */
  readonly receiveBuf: number;
  /** `spark.<module>.io.sendBuffer`; default -1; bytes (SO_SNDBUF); without effect, as no runtime offers it. */
  readonly sendBuf: number;
  /** `spark.<module>.io.enableTcpKeepAlive`; default false; of accepted connections: the ones we open always have it. */
  readonly enableTcpKeepAlive: boolean;
  /** `spark.<module>.io.maxRetries`; default 3; attempts after the first, of block transfers. */
  readonly maxIORetries: number;
  /** `spark.<module>.io.retryWait`; default 5s; in whole seconds, given as ms; between attempts, and how long a refused peer is left alone. */
  readonly ioRetryWaitTimeMs: number;
  /** `spark.<module>.io.lazyFD`; default true; checked, without effect: a file is opened only when its bytes are wanted. */
  readonly lazyFileDescriptor: boolean;
  /** `spark.storage.memoryMapThreshold`; default 2m; bytes; without effect, as no runtime maps files. */
  readonly memoryMapBytes: number;
  /** `spark.port.maxRetries`; default 16, 100 where `spark.testing` is set; ports tried after the first. */
  readonly portMaxRetries: number;
  /** `spark.shuffle.maxChunksBeingTransferred`; default unlimited (2⁵³-1); chunks, of every module; beyond it connections close. */
  readonly maxChunksBeingTransferred: number;
  /** `spark.<module>.io.preferDirectBufs`; default true; checked, without effect: all memory is the same. */
  readonly preferDirectBufs: boolean;
  /** `spark.<module>.io.enableVerboseMetrics`; default false; checked, without effect: there are no arenas to tell of. */
  readonly verboseMetrics: boolean;
  /** `spark.network.sharedByteBufAllocators.enabled`; default true; checked, without effect: there are no allocators. */
  readonly sharedByteBufAllocators: boolean;
  /** `spark.network.io.preferDirectBufs`; default true; checked, without effect: all memory is the same. */
  readonly preferDirectBufsForSharedByteBufAllocators: boolean;
  /** How peers authenticate themselves; without effect yet. */
  readonly auth: TransportAuthConf;
  /** Spark's keys of TLS; without effect: the option `tls` says how TLS is spoken. */
  readonly ssl: SslRpcConf;
  /** How blocks are moved. */
  readonly shuffle: ShuffleConf;
  readonly #conf: SparkConf;

  /**
   * Reads and checks the settings of `module`. Spark: SparkTransportConf.fromSparkConf.
   *
   * @param module The module, such as `rpc`.
   * @param conf The configuration; copied.
   * @param options Role and cores.
   * @throws RangeError that names the key whose value cannot be read.
   */
  constructor(module: string, conf: SparkConf, options: TransportConfOptions = {}) {
    this.moduleName = module;
    this.#conf = conf.clone();
    this.#resolveThreads(options);
    this.ioMode = this.#readIoMode();
    const networkTimeoutMs = this.#conf.timeAsSeconds("spark.network.timeout", "120s") * 1000;
    this.connectionTimeoutMs = this.#secondsAsMs("connectionTimeout", networkTimeoutMs);
    this.connectionCreationTimeoutMs = this.#secondsAsMs("connectionCreationTimeout", this.connectionTimeoutMs);
    this.numConnectionsPerPeer = this.#intOf("numConnectionsPerPeer", 1, 1);
    this.backLog = this.#intOf("backLog", -1);
    this.serverThreads = this.#intOf("serverThreads", 0);
    this.clientThreads = this.#intOf("clientThreads", 0);
    this.receiveBuf = this.#intOf("receiveBuffer", -1);
    this.sendBuf = this.#intOf("sendBuffer", -1);
    this.enableTcpKeepAlive = this.#conf.getBoolean(this.#ioKey("enableTcpKeepAlive"), false);
    this.maxIORetries = this.#intOf("maxRetries", 3, 0);
    this.ioRetryWaitTimeMs = this.#secondsAsMs("retryWait", 5_000);
    this.lazyFileDescriptor = this.#conf.getBoolean(this.#ioKey("lazyFD"), true);
    this.memoryMapBytes = sizeAsInt(this.#conf, "spark.storage.memoryMapThreshold", "2m");
    this.portMaxRetries = this.#conf.getInt("spark.port.maxRetries", this.#conf.contains("spark.testing") ? 100 : 16);
    this.maxChunksBeingTransferred = this.#conf.getLong("spark.shuffle.maxChunksBeingTransferred", Number.MAX_SAFE_INTEGER);
    this.preferDirectBufs = this.#conf.getBoolean(this.#ioKey("preferDirectBufs"), true);
    this.verboseMetrics = this.#conf.getBoolean(this.#ioKey("enableVerboseMetrics"), false);
    this.sharedByteBufAllocators = this.#conf.getBoolean("spark.network.sharedByteBufAllocators.enabled", true);
    this.preferDirectBufsForSharedByteBufAllocators = this.#conf.getBoolean("spark.network.io.preferDirectBufs", true);
    this.auth = readTransportAuthConf(this.#conf, module);
    this.ssl = readSslRpcConf(this.#conf);
    const cores = options.numUsableCores ?? 0;
    const threads = this.serverThreads > 0 ? this.serverThreads : 2 * (cores > 0 ? cores : MAX_DEFAULT_THREADS);
    this.shuffle = readShuffleConf(this.#conf, module, threads);
  }

  /**
   * The value of any key, with threads as they were resolved.
   *
   * @param key The whole key.
   * @param defaultValue What it is where it is not set.
   * @throws RangeError if it is not set and has no default.
   */
  get(key: string, defaultValue?: string): string {
    return this.#conf.get(key, defaultValue);
  }

  /**
   * The value of any key as a 32-bit integer.
   *
   * @param key The whole key.
   * @param defaultValue What it is where it is not set.
   * @throws RangeError if it is no such integer.
   */
  getInt(key: string, defaultValue: number): number {
    return this.#conf.getInt(key, defaultValue);
  }

  #ioKey(suffix: string): string {
    return `spark.${this.moduleName}.io.${suffix}`;
  }

  /** A role's own value wins over the module's, and that over the number of cores. */
  #resolveThreads({ role, numUsableCores = 0 }: TransportConfOptions): void {
    const threads = numUsableCores > 0 ? Math.min(numUsableCores, MAX_DEFAULT_THREADS) : MAX_DEFAULT_THREADS;
    for (const suffix of ["serverThreads", "clientThreads"]) {
      const ofRole = `spark.${role}.${this.moduleName}.io.${suffix}`;
      const key = this.#ioKey(suffix);
      const isOfRole = role !== undefined && this.#conf.contains(ofRole);
      this.#conf.set(key, isOfRole ? this.#conf.getInt(ofRole) : this.#conf.get(key, String(threads)));
    }
  }

  #readIoMode(): IoMode {
    const key = this.#conf.contains(this.#ioKey("mode")) ? this.#ioKey("mode") : "spark.io.mode.default";
    const text = this.#conf.get(key, "AUTO");
    const mode = IO_MODES.find((known) => known === text.toUpperCase());
    if (mode === undefined) throw illegalValue(key, text, `Mode must be one of ${IO_MODES.join(", ")}`);
    return mode;
  }

  #intOf(suffix: string, defaultValue: number, least = -MAX_INT - 1): number {
    const key = this.#ioKey(suffix);
    const value = this.#conf.getInt(key, defaultValue);
    if (value < least) throw illegalValue(key, String(value), `Value must be at least ${least}`);
    return value;
  }

  /** A negative time means 0, which disables the timer it is for. */
  #secondsAsMs(suffix: string, defaultMs: number): number {
    const key = this.#ioKey(suffix);
    return Math.max(0, this.#conf.contains(key) ? this.#conf.timeAsSeconds(key) * 1000 : defaultMs);
  }
}
