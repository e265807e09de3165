/**
 * A client of a standalone cluster's Master: what it knows, and drivers that it is to run.
 *
 * Spark: deploy/Client.scala and ClientEndpoint, deploy/rest/RestSubmissionClient.scala. There a process does one of these things and
 * exits; here they are methods that say what came of it. A driver is sent to the Master that is alive, not to all.
 *
 * @module
 */

import { RpcRemoteError, RpcTimeoutError } from "../../base/errors.ts";
import { checkDuration } from "../../base/limits.ts";
import { SparkConf } from "../../base/spark_conf.ts";
import type { RpcAddress } from "../../rpc/rpc_address.ts";
import type { AskOptions } from "../../rpc/rpc_endpoint_ref.ts";
import { RpcEnv } from "../../rpc/rpc_env.ts";
import { untilAborted } from "../../base/until_aborted.ts";
import { sparkDeploy } from "../../serializer/java/deploy_messages.ts";
import { SystemName } from "../endpoint_name.ts";
import { ActiveMaster, type MasterQuestion } from "./active_master.ts";
import { describeDriver, type DriverLaunch } from "./driver_launch.ts";
import { DriverRefusedError } from "./driver_refused_error.ts";
import { type DriverStatus, isFinalDriverState } from "./driver_status.ts";
import { MasterFinder } from "./master_finder.ts";
import { expectReply, isNotAlive } from "./master_replies.ts";
import { type MasterPorts, type MasterStatus, portsOf, statusOf } from "./master_status.ts";
import { parseMasterUrls } from "./master_urls.ts";
import { type MasterProbe, NoAliveMasterError } from "./no_alive_master_error.ts";
import type {
  AwaitDriverOptions,
  KilledDriver,
  MasterCallOptions,
  SparkMasterOptions,
  SubmittedDriver,
} from "./spark_master_options.ts";

/** Spark: ClientApp, which sets the limit of an ask unless its user did. */
const DEFAULT_TIMEOUT = "10s";
const TIMEOUT_KEYS = ["spark.rpc.askTimeout", "spark.rpc.lookupTimeout"] as const;
const DEFAULT_INTERVAL_MS = 1_000;

/**
 * Talks with the Master of a standalone cluster that is alive. Made by {@linkcode SparkMaster.connect}.
 *
 * When that Master is gone, or no more than a standby, a call looks for another one, once; when an answer did not come in time, the
 * next call does. Methods reject with a {@linkcode NoAliveMasterError} if there is none, with another RpcError if the Master failed or
 * did not answer in time, with a RangeError if the time to wait is none, and with the signal's reason.
 *
 * @example
 * ```ts
 * import { RpcEnv, type RpcEndpointRef, sparkDeploy, SparkMaster, unhandled } from "@sparkwire/sparkwire";
 *
 * // A Master that takes drivers, in a few lines; a real one is at spark://host:7077, or spark://one:7077,two:7077.
 * const cluster = await RpcEnv.create({ name: "cluster", host: "127.0.0.1", port: 0 });
 * const self: RpcEndpointRef = cluster.setupEndpoint("Master", {
 *   receiveAndReply(message) {
 *     if (message === sparkDeploy.RequestMasterState) {
 *       const none = { workers: [], activeApps: [], completedApps: [], activeDrivers: [], completedDrivers: [] };
 *       return new sparkDeploy.MasterStateResponse({ host: "127.0.0.1", port: 7077, restPort: undefined, ...none, status: "ALIVE" });
 *     }
 *     if (!(message instanceof sparkDeploy.RequestSubmitDriver)) return unhandled;
 *     const { jarUrl } = message.driverDescription;
 *     return new sparkDeploy.SubmitDriverResponse({ master: self, success: true, driverId: "driver-1", message: `Took ${jarUrl}` });
 *   },
 * });
 *
 * const master = await SparkMaster.connect(`spark://${cluster.address}`, { timeoutMs: 5_000 });
 * const { driverId } = await master.submitDriver({
 *   jarUrl: "file:///apps/count.jar",
 *   mainClass: "com.example.Count",
 *   args: ["--input", "words.txt"],
 *   memoryMiB: 512,
 *   conf: { "spark.app.name": "count" },
 * });
 * if (driverId !== "driver-1") throw new Error(driverId);
 *
 * await master.close();
 * await cluster.shutdown();
 * ```
 */
export class SparkMaster implements AsyncDisposable {
  /** Where it asks from. */
  readonly env: RpcEnv;
  readonly #ownsEnv: boolean;
  readonly #active: ActiveMaster;

  private constructor(env: RpcEnv, ownsEnv: boolean, active: ActiveMaster) {
    this.env = env;
    this.#ownsEnv = ownsEnv;
    this.#active = active;
  }

  /**
   * Finds the Master that is alive.
   *
   * @param urls `spark://host:port`, or `spark://one:port,two:port` where there are standbys; or several of these.
   * @param options From where, and for how long.
   * @returns The client. Rejects with a NoAliveMasterError, an RpcError INVALID_ADDRESS, a RangeError if the environment has no Java
   * or the time to wait is none, or the signal's reason.
   */
  static async connect(urls: string | readonly string[], options: SparkMasterOptions = {}): Promise<SparkMaster> {
    const addresses = parseMasterUrls(urls);
    options.signal?.throwIfAborted();
    const env = options.env ?? await createEnv(options);
    const ownsEnv = options.env === undefined;
    try {
      const active = await ActiveMaster.find(new MasterFinder(env, addresses), callOptions(options));
      return new SparkMaster(env, ownsEnv, active);
    } catch (error) {
      if (ownsEnv) await env.shutdown();
      throw error;
    }
  }

  /**
   * Asks each Master for its state, alive or not.
   *
   * @param urls As of {@linkcode SparkMaster.connect}.
   * @param options From where, and for how long.
   * @returns What is at each address, in their order. Rejects as {@linkcode SparkMaster.connect} does, but for NoAliveMasterError.
   */
  static async probe(urls: string | readonly string[], options: SparkMasterOptions = {}): Promise<readonly MasterProbe[]> {
    const addresses = parseMasterUrls(urls);
    options.signal?.throwIfAborted();
    const env = options.env ?? await createEnv(options);
    try {
      return await new MasterFinder(env, addresses).probe(callOptions(options));
    } finally {
      if (options.env === undefined) await env.shutdown();
    }
  }

  /** Where the Master is that was alive when it was asked last. */
  get address(): RpcAddress {
    return this.#active.address;
  }

  /** Where the Master listens. */
  async ports(options: MasterCallOptions = {}): Promise<MasterPorts> {
    return portsOf(await this.#boundPorts(options));
  }

  /**
   * Whether the Master is more than a standby, as its readiness probe has it.
   *
   * @returns That; also of a Spark before 4.0, which has no such question and is asked for its state.
   */
  async ready(options: MasterCallOptions = {}): Promise<boolean> {
    try {
      return await this.#ask({
        message: sparkDeploy.RequestReadyz,
        repeatable: true,
        read: (reply) => reply === true,
      }, options);
    } catch (error) {
      if (!isUnknownMessage(error)) throw error;
      const { status } = await this.#state(options, false);
      return status !== "STANDBY";
    }
  }

  /** What the Master knows of its cluster. */
  async status(options: MasterCallOptions = {}): Promise<MasterStatus> {
    // One after the other: the first answer may lead to another Master.
    const state = await this.#state(options, true);
    return statusOf(await this.#boundPorts(options), state);
  }

  /**
   * Has a driver run on one of the Workers. It may have to wait for one that has room.
   *
   * If the connection is lost before the answer comes, or the answer does not come in time, it is not known whether the Master took it
   * or still will, and it is not sent again.
   *
   * @param launch The driver.
   * @param options For how long.
   * @returns Its id. Rejects also with a DriverRefusedError, a TypeError and a RangeError, the latter two before anything is sent.
   */
  async submitDriver(launch: DriverLaunch, options: MasterCallOptions = {}): Promise<SubmittedDriver> {
    const { success, driverId, message } = await this.#ask({
      message: new sparkDeploy.RequestSubmitDriver({ driverDescription: describeDriver(launch) }),
      read: (reply, from) => expectReply(reply, sparkDeploy.SubmitDriverResponse, from),
      isNotAlive: (reply) => !reply.success && isNotAlive(reply.message),
      repeatable: false,
    }, options);
    if (!success || driverId === undefined) throw new DriverRefusedError(message, this.address);
    return { driverId, message };
  }

  /**
   * How a driver is.
   *
   * @param driverId Its id.
   * @param options For how long.
   * @returns That, or undefined if the Master knows no such driver, or no more.
   */
  async driverStatus(driverId: string, options: MasterCallOptions = {}): Promise<DriverStatus | undefined> {
    const { found, state, workerId, workerHostPort, exception } = await this.#ask({
      message: new sparkDeploy.RequestDriverStatus({ driverId }),
      read: (reply, from) => expectReply(reply, sparkDeploy.DriverStatusResponse, from),
      isNotAlive: (reply) => !reply.found && isNotAlive(reply.exception?.message),
      repeatable: true,
    }, options);
    if (!found && exception !== undefined) throw exception;
    return found && state !== undefined ? { driverId, state, workerId, workerHostPort, error: exception } : undefined;
  }

  /**
   * Waits until a driver is over, also as `RELAUNCHING`: a supervised driver whose Worker was lost goes on under another id.
   *
   * It waits on while no Master is alive but one answers, which may take over. An answer that does not come in time is no end either:
   * other Masters are asked then, and it rejects if none answers.
   *
   * @param driverId Its id.
   * @param options How often to ask. `timeoutMs` is for each answer; how long the driver runs, `signal` limits alone.
   * @returns How it ended, or undefined if the Master knows no such driver, or no more.
   */
  async awaitDriver(driverId: string, options: AwaitDriverOptions = {}): Promise<DriverStatus | undefined> {
    const { intervalMs = DEFAULT_INTERVAL_MS, ...callOptions } = options;
    checkDuration(intervalMs, "intervalMs");
    while (true) {
      try {
        const status = await this.driverStatus(driverId, callOptions);
        if (status === undefined || isFinalDriverState(status.state)) return status;
      } catch (error) {
        if (!mayBeTakenOver(error)) throw error;
      }
      await this.#pause(intervalMs, options.signal);
    }
  }

  /**
   * Has a driver ended. It is over when {@linkcode SparkMaster.awaitDriver} says so.
   *
   * @param driverId Its id.
   * @param options For how long.
   * @returns Whether there was anything to end.
   */
  async killDriver(driverId: string, options: MasterCallOptions = {}): Promise<KilledDriver> {
    const { success, message } = await this.#ask({
      message: new sparkDeploy.RequestKillDriver({ driverId }),
      read: (reply, from) => expectReply(reply, sparkDeploy.KillDriverResponse, from),
      isNotAlive: (reply) => !reply.success && isNotAlive(reply.message),
      repeatable: true,
    }, options);
    return { accepted: success, message };
  }

  /** Shuts its environment down, if that is its own. Twice is the same as once. */
  async close(): Promise<void> {
    if (this.#ownsEnv) await this.env.shutdown();
  }

  /** The same as {@linkcode SparkMaster.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #boundPorts(options: MasterCallOptions) {
    const { BoundPortsRequest: message, BoundPortsResponse } = sparkDeploy;
    const read = (reply: unknown, from: RpcAddress) => expectReply(reply, BoundPortsResponse, from);
    return await this.#ask({ message, read, repeatable: true }, options);
  }

  /** @param active Whether a standby will not do. */
  async #state(options: MasterCallOptions, active: boolean) {
    return await this.#ask({
      message: sparkDeploy.RequestMasterState,
      read: (reply, from) => expectReply(reply, sparkDeploy.MasterStateResponse, from),
      isNotAlive: ({ status }) => active && status === "STANDBY",
      repeatable: true,
    }, options);
  }

  #ask<T>(question: MasterQuestion<T>, options: MasterCallOptions): Promise<T> {
    return this.#active.ask(question, callOptions(options));
  }

  /** Also over when its environment is. */
  async #pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
    let cancel = (): void => {};
    const over = new Promise<void>((resolve) => {
      const timer = this.env.clock.setTimer(delayMs, resolve);
      cancel = () => timer.cancel();
    });
    const abort = new AbortController();
    const ended = this.env.awaitTermination({ signal: abort.signal });
    try {
      await untilAborted(Promise.race([over, ended]), signal);
    } finally {
      cancel();
      abort.abort();
    }
  }
}

/** Of the options of whatever call, those of an ask. */
function callOptions({ timeoutMs, signal }: MasterCallOptions): AskOptions {
  return { timeoutMs, signal };
}

async function createEnv({ conf, logger }: SparkMasterOptions): Promise<RpcEnv> {
  const own = new SparkConf(conf);
  for (const key of TIMEOUT_KEYS) if (!own.contains(key)) own.set(key, DEFAULT_TIMEOUT);
  return await RpcEnv.create({ name: SystemName.driverClient, conf: own, logger });
}

/** Whether to ask again later: a standby waits for its turn, or it is not known yet what the other Masters say. */
function mayBeTakenOver(error: unknown): boolean {
  if (error instanceof NoAliveMasterError) return error.masters.some(({ state }) => state !== undefined);
  return error instanceof RpcTimeoutError;
}

/** Whether a Master lacks the class of the question. */
function isUnknownMessage(error: unknown): boolean {
  if (!(error instanceof RpcRemoteError)) return false;
  return error.remoteClass === "java.lang.ClassNotFoundException" || error.message.includes("ClassNotFoundException");
}
