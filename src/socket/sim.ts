/**
 * A network that is simulated: hosts, connections and faults in virtual time, all of it decided by one seed.
 *
 * The rules by which the same seed gives the same run on every runtime: nothing is decided and no number is drawn inside a call
 * into a socket. What the code under test does in an event (writes, connects, aborts) is collected per socket, and leaves when
 * the microtasks of the event have drained, the sockets in the order of their numbers; there delays, cuts and faults are drawn
 * and the trace is written. The code under test must not use what takes another number of turns elsewhere: Web Streams, subtle
 * crypto, files, dynamic imports, `Promise.prototype.finally`.
 *
 * @module
 */

import { AssertionError } from "../base/assert.ts";
import { toError } from "../base/errors.ts";
import { type Random, seededRandom } from "../base/random.ts";
import { SimulatedClock, type SimulatedRunOptions } from "../base/simulated_clock.ts";
import type { SimulatedConnection } from "./_sim_connection.ts";
import { FaultDice, type SimulatedFaults } from "./_sim_faults.ts";
import { type HostRegistry, SimulatedHost } from "./_sim_host.ts";
import { SHARED_READ_BYTES } from "./_sim_socket.ts";
import { SimulatedTrace } from "./_sim_trace.ts";
import type { Departure, SimulatedMedium } from "./_sim_wire.ts";
import type { SocketDriver } from "./socket.ts";

export type { SimulatedFaults } from "./_sim_faults.ts";
export type { SimulatedHost } from "./_sim_host.ts";
export type { SimulatedTrace } from "./_sim_trace.ts";

/** What a {@linkcode SimulatedNetwork} is like. */
export interface SimulatedNetworkOptions {
  /** Decides everything that is left to chance. */
  readonly seed: number;
  /**
   * What goes wrong.
   *
   * @default {}
   */
  readonly faults?: SimulatedFaults;
  /**
   * How many bytes fit between a sender's queue and a receiver's read; what is beyond waits in `queuedBytes`.
   *
   * @default 65536
   */
  readonly bufferBytes?: number;
  /**
   * How long a connect is tried if nothing answers; Linux's default.
   *
   * @default 127000
   */
  readonly connectTimeoutMs?: number;
  /**
   * How long a sender waits for a peer that has fallen silent; near Linux's default.
   *
   * @default 900000
   */
  readonly retransmitTimeoutMs?: number;
}

/**
 * A simulated world of hosts: its clock, its network, its trace.
 *
 * @example
 * ```ts
 * import { SimulatedNetwork } from "@sparkwire/sparkwire";
 *
 * const network = new SimulatedNetwork({ seed: 7, faults: { delayMinMs: 5, splitProbability: 0.5 } });
 * const arrived: number[] = [];
 * const quiet = { onData() {}, onDrain() {}, onEnd() {}, onClose() {} };
 * const address = { host: "server", port: 7077 };
 * await network.driver("server").listen(address, () => ({ ...quiet, onData: (_, chunk) => void arrived.push(...chunk) }));
 * const socket = await network.settle(network.driver("client").connect(address, () => quiet));
 * socket.write([Uint8Array.of(1, 2, 3)]);
 * await network.run(() => arrived.length === 3);
 * if (network.clock.now() !== 15) throw new Error(network.report());
 * ```
 */
export class SimulatedNetwork {
  /** What decides everything. */
  readonly seed: number;
  /** Numbers for a scenario's own choices; the faults draw from another sequence. */
  readonly random: Random;
  /** The time of the world. Programs of a host take the host's own clock. */
  readonly clock: SimulatedClock = new SimulatedClock();
  /** What happened so far. */
  readonly trace: SimulatedTrace = new SimulatedTrace();
  readonly #dice: FaultDice;
  readonly #medium: SimulatedMedium;
  readonly #registry: HostRegistry;
  readonly #hosts = new Map<string, SimulatedHost>();
  readonly #connections = new Set<SimulatedConnection>();
  readonly #departures = new Set<Departure>();
  #socketIds = 0;

  /**
   * Makes an empty world.
   *
   * @param options What it is like.
   * @throws {RangeError} If a number makes no sense.
   */
  constructor(options: SimulatedNetworkOptions) {
    const { seed, faults = {}, bufferBytes = 64 * 1024, connectTimeoutMs = 127_000, retransmitTimeoutMs = 900_000 } = options;
    if (!(bufferBytes >= 1)) throw new RangeError(`bufferBytes is less than 1: ${bufferBytes}`);
    this.seed = seed;
    this.random = seededRandom(seed);
    this.#dice = new FaultDice(faults, seededRandom(~seed));
    this.#medium = {
      clock: this.clock,
      dice: this.#dice,
      trace: this.trace,
      bufferBytes,
      retransmitTimeoutMs,
      readBuffer: new Uint8Array(SHARED_READ_BYTES),
      touch: (departure) => this.#departures.add(departure),
    };
    this.#registry = {
      connectTimeoutMs,
      nextSocketId: () => {
        this.#socketIds += 2;
        return this.#socketIds - 2;
      },
      findHost: (name) => this.#hosts.get(name),
      opened: (connection) => {
        connection.openEnds++;
        this.#connections.add(connection);
      },
      closed: (connection) => {
        if (--connection.openEnds === 0) this.#connections.delete(connection);
      },
      silence: (host) => {
        for (const connection of this.#connections) if (connection.hosts.includes(host)) connection.fallSilent();
      },
    };
    this.clock.onDrained(() => this.#depart());
  }

  /** The host of that name; it is made when it is first asked for. */
  host(name: string): SimulatedHost {
    let host = this.#hosts.get(name);
    if (host === undefined) {
      host = new SimulatedHost(this.#medium, this.#registry, this.#hosts.size, name);
      this.#hosts.set(name, host);
    }
    return host;
  }

  /** The sockets of the host of that name. */
  driver(name: string): SocketDriver {
    return this.host(name).driver;
  }

  /** How many ends of connections are in use, attempts to connect included. */
  get openSocketCount(): number {
    let count = 0;
    for (const connection of this.#connections) count += connection.openEnds;
    return count;
  }

  /** How many listeners are open. */
  get listenerCount(): number {
    let count = 0;
    for (const host of this.#hosts.values()) count += host.listenerCount;
    return count;
  }

  /** Switches all faults off: frozen hosts go on, and connections that had fallen silent are reset at both ends. */
  heal(): void {
    this.#dice.heal();
    for (const host of this.#hosts.values()) host.heal();
    for (const connection of this.#connections) connection.heal();
  }

  /**
   * Lets the world go on until a condition holds, or until nothing happens any more if there is no condition.
   *
   * @param until Looked at after each event, when its microtasks have drained.
   * @param options How far the run may go.
   * @returns Rejects with an AssertionError that has the seed and the last events in its text, and what was thrown as its cause.
   */
  run(until?: () => boolean, options?: SimulatedRunOptions): Promise<void> {
    return this.#explain(this.clock.run(until, options));
  }

  /** Lets the world go on for `ms` of virtual time. Rejects as {@linkcode SimulatedNetwork.run} does. */
  advance(ms: number, options?: SimulatedRunOptions): Promise<void> {
    return this.#explain(this.clock.advance(ms, options));
  }

  /**
   * Lets the world go on until `promise` has settled.
   *
   * @param promise What is waited for.
   * @param options How far the run may go.
   * @returns What `promise` gave. Rejects as it did, and as {@linkcode SimulatedNetwork.run} does.
   */
  async settle<T>(promise: PromiseLike<T>, options?: SimulatedRunOptions): Promise<T> {
    // What it rejects with is no failure of the run.
    await this.#explain(this.clock.settle(promise.then(() => {}, () => {}), options));
    return await promise;
  }

  /** What a failure should print: the seed, the hash, and the last events. */
  report(): string {
    const { hash, count, tail } = this.trace;
    return [`Seed ${this.seed}, trace ${hash} of ${count} events at ${this.clock.now()} ms, the last ones:`, ...tail].join(
      "\n",
    );
  }

  async #explain(run: Promise<void>): Promise<void> {
    try {
      await run;
    } catch (error) {
      throw new AssertionError(`${toError(error).message}\n${this.report()}`, { cause: error });
    }
  }

  #depart(): void {
    while (this.#departures.size > 0) {
      const departures = [...this.#departures].sort((a, b) => a.id - b.id);
      this.#departures.clear();
      for (const departure of departures) departure.depart();
    }
  }
}
