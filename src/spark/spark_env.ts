/**
 * What a driver or an executor lives in: its configuration, its role, and its RPC environment.
 *
 * Spark: core/…/SparkEnv.scala. There is no `SparkEnv.get`: whoever needs the environment is given it. Of what Spark puts beside
 * the RPC environment there are heartbeats and the block service; the key for files that are encrypted is carried, not used.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import { checkDuration } from "../base/limits.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import type { SparkConf } from "../base/spark_conf.ts";
import type { BlockTransferService } from "../block/block_transfer_service.ts";
import type { BlockTransferServiceOptions } from "../block/block_transfer_options.ts";
import { NettyBlockTransferService } from "../block/netty_block_transfer_service.ts";
import type { TypedEndpoint } from "../rpc/rpc_endpoint.ts";
import type { RpcEndpointRef } from "../rpc/rpc_endpoint_ref.ts";
import { type LookupOptions, RpcEnv, type RpcEnvOptions, type ShutdownOptions } from "../rpc/rpc_env.ts";
import { makeDriverRef } from "./driver_ref.ts";
import { SystemName } from "./endpoint_name.ts";

/** The driver's id among those of executors. Spark: SparkContext.DRIVER_IDENTIFIER. */
export const DRIVER_ID = "driver";

/** What {@linkcode SparkEnv} makes its RPC environment of. */
export interface SparkRpcEnvOptions extends RpcEnvOptions {
  /** The host that others know it by; an executor's too, though nobody dials it. */
  readonly host: string;
}

/** What goes beyond configuration and role: all that `RpcEnv.create` takes, but for what those decide. */
export interface SparkEnvOptions
  extends Omit<RpcEnvOptions, "name" | "host" | "bindHost" | "port" | "conf" | "numUsableCores"> {
  /**
   * Makes the RPC environment; `(options) => world.create(options)` puts it into a simulated world.
   *
   * @default RpcEnv.create
   */
  readonly createRpcEnv?: ((options: SparkRpcEnvOptions) => Promise<RpcEnv>) | undefined;
  /** Limits of the block service, whose connections are its own; `limits` are those of the RPC environment. */
  readonly blockLimits?: BlockTransferServiceOptions["limits"];
}

/** What goes beyond configuration and role, for a driver. */
export interface DriverEnvOptions extends SparkEnvOptions {
  /** The key for files that are encrypted, to be given to executors; wanted if `spark.io.encryption.enabled` is true. */
  readonly ioEncryptionKey?: Uint8Array | undefined;
}

/** What a {@linkcode SparkEnv} is made of. */
interface SparkEnvParts {
  readonly conf: SparkConf;
  readonly executorId: string;
  readonly bindAddress: string;
  readonly hostname: string;
  readonly numUsableCores: number;
  readonly ioEncryptionKey: Uint8Array | undefined;
  readonly isLocal: boolean;
}

/**
 * The environment of a driver or an executor. Made by {@linkcode SparkEnv.createDriverEnv} and
 * {@linkcode SparkEnv.createExecutorEnv}.
 *
 * @example A driver that an executor registers with
 * ```ts
 * import { EndpointName, SparkConf, SparkEnv } from "@sparkwire/sparkwire";
 *
 * const conf = new SparkConf({ "spark.driver.host": "127.0.0.1", "spark.driver.port": 0 });
 * const driver = await SparkEnv.createDriverEnv(conf, false, 2);
 * const executors: unknown[] = [];
 * const scheduler = () => ({ receiveAndReply: (id: unknown) => executors.push(id) > 0 });
 * await driver.registerOrLookupEndpoint(EndpointName.coarseGrainedScheduler, scheduler);
 *
 * // The driver's port, which the system chose, is in its configuration now.
 * const executor = await SparkEnv.createExecutorEnv(conf.clone(), "1", "127.0.0.1", "127.0.0.1", 2, undefined, false);
 * const ref = await executor.registerOrLookupEndpoint(EndpointName.coarseGrainedScheduler, scheduler);
 * if (await ref.ask(executor.executorId) !== true || executors[0] !== "1") throw new Error("not registered");
 *
 * await executor.stop();
 * await driver.stop();
 * ```
 */
export class SparkEnv implements AsyncDisposable {
  /** Who this is: an executor's id, or `driver`. */
  readonly executorId: string;
  /** Endpoints live here. */
  readonly rpcEnv: RpcEnv;
  /** Fetches and uploads blocks; serves those of this executor after `init`. It ends with the environment. */
  readonly blockTransferService: BlockTransferService;
  /** The configuration, which was written into as {@linkcode SparkEnv.createDriverEnv} says. */
  readonly conf: SparkConf;
  /** Where it listens, or would. */
  readonly bindAddress: string;
  /** The name that others know this machine by. */
  readonly hostname: string;
  /** How many cores it may count on. */
  readonly numUsableCores: number;
  /** Whether driver and executor are one process. */
  readonly isLocal: boolean;
  /** Not where whoever prints the environment would see it. */
  readonly #ioEncryptionKey: Uint8Array | undefined;
  #stopped: Promise<void> | undefined;

  private constructor(parts: SparkEnvParts, rpcEnv: RpcEnv, blockTransferService: BlockTransferService) {
    this.executorId = parts.executorId;
    this.rpcEnv = rpcEnv;
    this.blockTransferService = blockTransferService;
    this.conf = parts.conf;
    this.bindAddress = parts.bindAddress;
    this.hostname = parts.hostname;
    this.numUsableCores = parts.numUsableCores;
    this.#ioEncryptionKey = parts.ioEncryptionKey;
    this.isLocal = parts.isLocal;
  }

  /**
   * Makes the environment of a driver. It listens at `spark.driver.bindAddress` (the host if it is not set), and others reach it
   * at `spark.driver.host`.
   *
   * @param conf The configuration, with `spark.driver.host` and `spark.driver.port`. It is kept, and written into:
   * `spark.driver.port` becomes the port in use, `spark.executor.id` becomes `driver`.
   * @param isLocal Whether the executor is this process too.
   * @param numUsableCores How many cores it may count on.
   * @param options What goes beyond that.
   * @returns The environment, listening. Rejects as `RpcEnv.create` does, and with a RangeError if a key that is wanted is not set.
   */
  static async createDriverEnv(
    conf: SparkConf,
    isLocal: boolean,
    numUsableCores: number,
    options: DriverEnvOptions = {},
  ): Promise<SparkEnv> {
    for (const key of ["spark.driver.host", "spark.driver.port"]) {
      if (!conf.contains(key)) throw new RangeError(`${key} is not set on the driver!`);
    }
    const { ioEncryptionKey, ...rest } = options;
    if (conf.getBoolean("spark.io.encryption.enabled", false) && ioEncryptionKey === undefined) {
      throw new RangeError("spark.io.encryption.enabled is true, but the driver was given no ioEncryptionKey");
    }
    const hostname = conf.get("spark.driver.host");
    const bindAddress = conf.get("spark.driver.bindAddress", hostname);
    const port = conf.getInt("spark.driver.port");
    const parts = { conf, executorId: DRIVER_ID, bindAddress, hostname, numUsableCores, ioEncryptionKey, isLocal };
    return await SparkEnv.#create(parts, port, rest);
  }

  /**
   * Makes the environment of an executor, which is in client mode: nobody dials it, and its endpoints are reached over the
   * connections that it opens.
   *
   * @param conf The configuration, which says where the driver is. It is kept, and `spark.executor.id` is set in it.
   * @param executorId Its id; not `driver`.
   * @param bindAddress Where it would listen.
   * @param hostname The name that others know this machine by.
   * @param numUsableCores How many cores it may count on.
   * @param ioEncryptionKey The driver's key for files that are encrypted, if there is one.
   * @param isLocal Whether the driver is this process too.
   * @param options What goes beyond that.
   * @returns The environment. Rejects with a RangeError if the id is the driver's.
   */
  static async createExecutorEnv(
    conf: SparkConf,
    executorId: string,
    bindAddress: string,
    hostname: string,
    numUsableCores: number,
    ioEncryptionKey: Uint8Array | undefined,
    isLocal: boolean,
    options: SparkEnvOptions = {},
  ): Promise<SparkEnv> {
    if (executorId === DRIVER_ID) throw new RangeError(`An executor cannot have the id ${DRIVER_ID}`);
    const parts = { conf, executorId, bindAddress, hostname, numUsableCores, ioEncryptionKey, isLocal };
    return await SparkEnv.#create(parts, undefined, options);
  }

  /** Whether this is the driver's. */
  get isDriver(): boolean {
    return this.executorId === DRIVER_ID;
  }

  /** The key for files that are encrypted, which nothing makes use of yet. */
  get ioEncryptionKey(): Uint8Array | undefined {
    return this.#ioEncryptionKey;
  }

  /** Whether `stop` has been called. */
  get isStopped(): boolean {
    return this.#stopped !== undefined;
  }

  /** Its time. */
  get clock(): Clock {
    return this.rpcEnv.clock;
  }

  /** Its chances. */
  get random(): Random {
    return this.rpcEnv.random;
  }

  /** Its log. */
  get logger(): Logger {
    return this.rpcEnv.logger;
  }

  /**
   * Sets an endpoint up in the driver, or finds the driver's in an executor: what Spark does with each of its own.
   *
   * @param name The endpoint's name.
   * @param makeEndpoint Makes it; called in the driver only.
   * @param options How it is looked up, in an executor.
   * @returns Its reference. Rejects as `setupEndpoint` throws, or as `setupEndpointRef` rejects.
   */
  async registerOrLookupEndpoint<C>(
    name: string,
    makeEndpoint: () => TypedEndpoint<C>,
    options: LookupOptions = {},
  ): Promise<RpcEndpointRef<C>> {
    if (!this.isDriver) return await makeDriverRef<C>(name, this.rpcEnv, options);
    this.logger.info(`Registering ${name}`);
    return this.rpcEnv.setupEndpoint(name, makeEndpoint());
  }

  /**
   * Stops everything in it. Twice is the same as once; safe within a handler that does not await it. Rejects with a RangeError if the
   * deadline is negative or no number; then nothing has begun.
   *
   * @param options How long endpoints may take.
   */
  stop(options: ShutdownOptions = {}): Promise<void> {
    try {
      checkDuration(options.deadlineMs ?? 0, "deadlineMs");
    } catch (thrown) {
      return Promise.reject(thrown);
    }
    this.#stopped ??= this.#stop(options);
    return this.#stopped;
  }

  /** The same as {@linkcode SparkEnv.stop}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(options: ShutdownOptions): Promise<void> {
    await Promise.all([this.rpcEnv.shutdown(options), this.blockTransferService.close()]);
  }

  /** With a port it is a server, without one in client mode. */
  static async #create(
    parts: SparkEnvParts,
    port: number | undefined,
    { createRpcEnv = RpcEnv.create, blockLimits, ...options }: SparkEnvOptions,
  ): Promise<SparkEnv> {
    const { conf, executorId, hostname, bindAddress, numUsableCores, ioEncryptionKey } = parts;
    // The RPC environment reads its role from it.
    conf.set("spark.executor.id", executorId);
    const name = port === undefined ? SystemName.executor : SystemName.driver;
    const rpcEnv = await createRpcEnv({ ...options, name, host: hostname, bindHost: bindAddress, port, conf, numUsableCores });
    if (rpcEnv.address !== undefined) conf.set("spark.driver.port", rpcEnv.address.port);
    if (ioEncryptionKey !== undefined && options.tls === undefined) {
      rpcEnv.logger.warning("I/O encryption enabled without RPC encryption: keys will be visible on the wire.");
    }
    try {
      return new SparkEnv(parts, rpcEnv, makeBlockTransferService(parts, rpcEnv, { ...options, limits: blockLimits }));
    } catch (thrown) {
      await rpcEnv.shutdown();
      throw thrown;
    }
  }
}

/** It opens nothing yet, and throws if its configuration makes no sense. */
function makeBlockTransferService(
  parts: SparkEnvParts,
  rpcEnv: RpcEnv,
  { driver, tls, exposeStack, limits }: Omit<BlockTransferServiceOptions, "host">,
): NettyBlockTransferService {
  const { conf, hostname, bindAddress, numUsableCores } = parts;
  const { clock, random, logger } = rpcEnv;
  const surroundings = { driver, tls, exposeStack, limits, clock, random, logger };
  return new NettyBlockTransferService(conf, { host: hostname, bindHost: bindAddress, numUsableCores, ...surroundings });
}
