/**
 * A world in which environments live in virtual time and talk over a simulated network: one seed decides all that happens.
 *
 * The same seed gives the same run on every runtime, as long as the endpoints in it take time, chances and sockets from their
 * environment alone, and no Web Streams, subtle crypto, files, dynamic imports or `Promise.prototype.finally`, which take another
 * number of turns on each engine.
 *
 * @module
 */

import { silentLogger } from "../base/logger.ts";
import { type Random, seededRandom } from "../base/random.ts";
import type { SimulatedClock, SimulatedRunOptions } from "../base/simulated_clock.ts";
import { MemoryFiles } from "../platform/memory_files.ts";
import { SimulatedNetwork } from "../socket/sim.ts";
import type { SimulatedHost, SimulatedNetworkOptions, SimulatedTrace } from "../socket/sim.ts";
import { createNettyRpcEnv } from "./netty_rpc_env_factory.ts";
import type { RpcEnv, RpcEnvOptions } from "./rpc_env.ts";

/** How an environment of a {@linkcode SimulatedWorld} is made. */
export interface SimulatedRpcEnvOptions extends RpcEnvOptions {
  /** The simulated host that it lives on, which is the name by which others dial it. Driver, clock and chances are that host's. */
  readonly host: string;
}

/**
 * A simulated world. Made by `RpcEnv.createSimulated`.
 *
 * Nothing happens in it by itself: what is awaited is given to {@linkcode SimulatedWorld.settle}, which lets events happen until
 * it has settled.
 *
 * @example An ask over a network that cuts and delays what is sent
 * ```ts
 * import { RpcEnv } from "@sparkwire/sparkwire";
 *
 * const world = RpcEnv.createSimulated(7, { delayMinMs: 1, delayMeanMs: 5, splitProbability: 0.3 });
 * const server = await world.create({ name: "server", host: "server", port: 7077 });
 * server.setupEndpoint("Greeter", { receiveAndReply: (name) => `Hello, ${name}` });
 *
 * const client = await world.create({ name: "client", host: "client" });
 * const greeter = await world.settle(client.setupEndpointRef("spark://Greeter@server:7077"));
 * if (await world.settle(greeter.ask("Ada")) !== "Hello, Ada") throw new Error(world.report());
 * if (!(world.clock.now() >= 4)) throw new Error("No time has passed");
 *
 * await world.shutdown();
 * ```
 */
export class SimulatedWorld implements AsyncDisposable {
  /** The network below: its hosts, and how much of it is in use. */
  readonly network: SimulatedNetwork;
  readonly #envs = new Set<RpcEnv>();
  readonly #files = new Map<string, MemoryFiles>();
  #created = 0;

  /**
   * Makes an empty world.
   *
   * @param options Its seed, and what goes wrong in it.
   * @throws {RangeError} If a number among the faults makes no sense.
   */
  constructor(options: SimulatedNetworkOptions) {
    this.network = new SimulatedNetwork(options);
  }

  /** What decides everything. */
  get seed(): number {
    return this.network.seed;
  }

  /** The time of the world. Each host has a clock of its own, which can stand still or jump: `env.clock`. */
  get clock(): SimulatedClock {
    return this.network.clock;
  }

  /** Numbers for a test's own choices; faults draw from another sequence. */
  get random(): Random {
    return this.network.random;
  }

  /** What happened so far; its hash stands for all of it. */
  get trace(): SimulatedTrace {
    return this.network.trace;
  }

  /**
   * Makes an environment on a host of this world. No virtual time passes.
   *
   * @param options As for `RpcEnv.create`, with the host's name; nothing is logged unless there is a logger.
   * @returns The environment. Rejects as `RpcEnv.create` does: a port of a host can be taken too.
   */
  async create(options: SimulatedRpcEnvOptions): Promise<RpcEnv> {
    const host = this.network.host(options.host);
    const env = await createNettyRpcEnv({
      ...options,
      driver: options.driver ?? host.driver,
      clock: options.clock ?? host.clock,
      files: options.files ?? this.files(options.host),
      random: options.random ?? seededRandom(Math.imul(this.seed, 31) + this.#created++),
      logger: options.logger ?? silentLogger,
    });
    this.#envs.add(env);
    // Executors that come and go must not be kept as long as the world. Not before all of it has ended: `shutdown` waits for that.
    env.awaitTermination().then(() => env.shutdown()).then(() => this.#envs.delete(env));
    return env;
  }

  /**
   * Lets the world go on until `promise` has settled. Whatever an async function does inside of it needs no `settle` of its own.
   *
   * @param promise What is waited for.
   * @param options How far the run may go.
   * @returns What `promise` gave. Rejects as it did, and as {@linkcode SimulatedWorld.run} does.
   */
  settle<T>(promise: PromiseLike<T>, options?: SimulatedRunOptions): Promise<T> {
    return this.network.settle(promise, options);
  }

  /**
   * Lets the world go on until a condition holds, or until nothing happens any more if there is no condition.
   *
   * @param until Looked at after each event.
   * @param options How far the run may go.
   * @returns Rejects, with {@linkcode SimulatedWorld.report} in the text, if the condition never comes to hold or a limit is passed.
   */
  run(until?: () => boolean, options?: SimulatedRunOptions): Promise<void> {
    return this.network.run(until, options);
  }

  /** Lets the world go on for `ms` of virtual time. Rejects as {@linkcode SimulatedWorld.run} does. */
  advance(ms: number, options?: SimulatedRunOptions): Promise<void> {
    return this.network.advance(ms, options);
  }

  /** The host of that name, which can be frozen, cut off, and have its clock moved; made when it is first asked for. */
  host(name: string): SimulatedHost {
    return this.network.host(name);
  }

  /** The files of a host, which its environments serve; there are none at first. */
  files(host: string): MemoryFiles {
    let files = this.#files.get(host);
    if (files === undefined) this.#files.set(host, files = new MemoryFiles());
    return files;
  }

  /** Lets nothing happen on a host for `ms`, as on a machine that swaps. */
  freeze(host: string, ms: number): void {
    this.host(host).freeze(ms);
  }

  /** Moves the clock of a host ahead by `ms`, as on a machine that was asleep. */
  jumpClock(host: string, ms: number): void {
    this.host(host).jumpClock(ms);
  }

  /** Cuts a host off without a word, as when a cable is pulled. Its programs go on; `host(name).heal()` ends it. */
  silence(host: string): void {
    this.host(host).silence();
  }

  /** Switches all faults off: frozen hosts go on, and connections that had fallen silent are reset. */
  heal(): void {
    this.network.heal();
  }

  /** What a failure should print: the seed, the hash, and the last 50 events. */
  report(): string {
    return this.network.report();
  }

  /** Heals the world, shuts down every environment, and lets the rest happen. */
  async shutdown(): Promise<void> {
    this.heal();
    await this.settle(Promise.all([...this.#envs].map((env) => env.shutdown())));
    this.#envs.clear();
    await this.run();
  }

  /** The same as {@linkcode SimulatedWorld.shutdown}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }
}
