/**
 * A node of a simulated cluster: an environment with its endpoints, which can crash and come back at the same address.
 *
 * @module
 */

import type { Clock } from "../../src/base/clock.ts";
import type { Logger } from "../../src/base/logger.ts";
import type { RpcEnv, RpcEnvLimits } from "../../src/rpc/rpc_env.ts";
import type { RpcEnvStats } from "../../src/rpc/rpc_env_stats.ts";
import { CLOSE_LINGER_MS } from "../../src/transport/channel.ts";
import { GATHER_BYTES } from "../../src/transport/gather_buffers.ts";
import type { Ledger } from "./ledger.ts";
import type { Stage } from "./stage.ts";
import { Subject, type SubjectKind } from "./subject.ts";
import { WatchedClock } from "./watched_clock.ts";
import { WatchedDriver } from "./watched_driver.ts";

/** The endpoints that every node has, one of each kind. */
export const STANDING: readonly SubjectKind[] = ["plain", "safe", "isolated", "pair"];

/** What makes up a node. */
export interface NodeOptions {
  readonly name: string;
  /** Where it listens; undefined in client mode. */
  readonly port: number | undefined;
  readonly conf: Readonly<Record<string, string>>;
  readonly limits: Partial<RpcEnvLimits>;
  /** What becomes of messages within the environment. */
  readonly localMessages: "share" | "clone";
}

/** After its endpoints have ended, a shutdown waits for what it has sent, but not for long. */
const MAX_CLOSING_MS = 3 * CLOSE_LINGER_MS;

/** That it is there, broke and is gone: of the address that it comes from, and of that at which the peer listens. */
const EVENTS_PER_CONNECTION = 6;

/** Lines of level error that a fault of the network explains; all others are a bug. */
const EXPLAINED_ERRORS = [
  "Ask terminated before connecting successfully",
  "Exit as unable to send heartbeats to driver",
  "while there are outstanding requests. Assuming connection is dead",
];

/** Why a one-way message may be lost. */
const LOST = /: (?:Could not find \S+\.|RpcEnv already stopped\.)$/;

/** Fails the run when the core logs what cannot be a fault of the network. */
export class NodeLogger implements Logger {
  readonly #ledger: Ledger;
  readonly #name: string;
  /** Endpoints that had not ended when the deadline of a shutdown passed. */
  abandoned = 0;

  constructor(ledger: Ledger, name: string) {
    this.#ledger = ledger;
    this.#name = name;
  }

  debug(): void {}

  info(): void {}

  warning(message: string): void {
    if (message.includes("did not end in time")) this.abandoned++;
    if (message.includes("A second answer")) this.#fail(message);
  }

  error(message: string, cause?: unknown): void {
    if (EXPLAINED_ERRORS.some((text) => message.includes(text))) return;
    const lost = message.includes("for one-way message") && LOST.test(message);
    if (!lost) this.#fail(cause === undefined ? message : `${message} (${cause})`);
  }

  #fail(message: string): void {
    this.#ledger.fail(`${this.#name} logged: ${message}`);
  }
}

/** One node. Its environment and its sockets are new after each start. */
export class SimulatedNode {
  readonly name: string;
  readonly port: number | undefined;
  readonly limits: Partial<RpcEnvLimits>;
  readonly #stage: Stage;
  readonly conf: Readonly<Record<string, string>>;
  readonly localMessages: "share" | "clone";
  readonly #lives: { readonly env: RpcEnv; readonly logger: NodeLogger; readonly subjects: Subject[] }[] = [];
  #driver: WatchedDriver | undefined;
  #envClock: WatchedClock | undefined;

  /** Makes a node that has not been started. */
  constructor(stage: Stage, options: NodeOptions) {
    this.#stage = stage;
    this.name = options.name;
    this.port = options.port;
    this.limits = options.limits;
    this.conf = options.conf;
    this.localMessages = options.localMessages;
  }

  /** The environment of its present life. */
  get env(): RpcEnv {
    return this.#lives.at(-1)!.env;
  }

  /** Its sockets. */
  get driver(): WatchedDriver {
    return this.#driver!;
  }

  /** Its time, which is that of its host in all its lives. */
  get clock(): Clock {
    return this.#stage.world.host(this.name).clock;
  }

  /** Its address, where others find it. */
  get address(): { readonly host: string; readonly port: number } {
    if (this.port === undefined) throw new Error(`${this.name} is in client mode`);
    return { host: this.name, port: this.port };
  }

  /** Begins a new life. */
  async start(): Promise<void> {
    const { world, ledger } = this.#stage;
    const logger = new NodeLogger(ledger, this.name);
    this.#driver = new WatchedDriver(world.host(this.name).driver, ledger.fail);
    this.#envClock = new WatchedClock(this.clock);
    const env = await world.create({
      name: this.name,
      host: this.name,
      port: this.port,
      driver: this.#driver,
      clock: this.#envClock,
      logger,
      limits: this.limits,
      localMessages: this.localMessages,
      // A port that is still taken is a leak of the life before.
      conf: { ...this.conf, "spark.port.maxRetries": "0", "spark.rpc.message.maxSize": "1" },
    });
    this.#lives.push({ env, logger, subjects: [] });
    for (const kind of STANDING) this.setup(kind, kind);
  }

  /** Sets up one more endpoint. */
  setup(name: string, kind: SubjectKind, startMs = 0): Subject {
    const subject = new Subject(this.#stage, this, name, kind, startMs);
    this.env.setupEndpoint(name, subject);
    this.#lives.at(-1)!.subjects.push(subject);
    return subject;
  }

  /** Ends this life in good order: asks and messages that are under way have `deadlineMs` to be handled. */
  async stop(deadlineMs: number): Promise<void> {
    for (const subject of this.#lives.at(-1)!.subjects) subject.openGate();
    const begunAt = this.clock.now();
    await Promise.all([this.env.shutdown({ deadlineMs }), this.env.awaitTermination()]);
    const tookMs = this.clock.now() - begunAt;
    if (this.#stage.steady) this.#checkAtMost("milliseconds of shutdown", tookMs, deadlineMs + MAX_CLOSING_MS);
    this.#checkStopped();
  }

  /** Ends this life all of a sudden: sockets are gone, and nobody is told unless the network does. */
  async crash(): Promise<void> {
    this.driver.crash();
    await this.stop(0);
  }

  /** Queues and tables are within their limits at any time. */
  checkLimits(): void {
    const { endpoints, connections, outboxes, limits } = this.env.stats();
    for (const { name, queuedMessages, messagesInHand } of endpoints) {
      // Life-cycle and network events are never refused, so they may come on top.
      const events = 2 + EVENTS_PER_CONNECTION * this.driver.connections;
      this.#checkAtMost(`messages in ${name}`, queuedMessages, limits.maxInboxMessages! + events);
      this.#checkAtMost(`messages in the hands of ${name}`, messagesInHand, limits.maxConcurrentMessages!);
    }
    for (const { remote, outstandingRequests, queuedBytes } of connections) {
      this.#checkAtMost(`requests to ${remote}`, outstandingRequests, limits.maxOutstandingRequests!);
      // What is gathered is written when the buffer is full: the frame that fills it and one buffer come on top.
      const most = limits.maxQueuedBytes! + GATHER_BYTES + this.#stage.largestBytes;
      this.#checkAtMost(`bytes to ${remote}`, queuedBytes, most);
    }
    for (const { address, queuedMessages, queuedBytes } of outboxes) {
      if (queuedMessages > 1) this.#checkAtMost(`bytes in the outbox to ${address}`, queuedBytes, limits.maxOutboxBytes!);
    }
  }

  /** How many messages wait for its endpoints. */
  get queuedMessages(): number {
    return this.env.stats().endpoints.reduce((sum, { queuedMessages }) => sum + queuedMessages, 0);
  }

  /** Whether a message waits or is being handled. */
  get busy(): boolean {
    return this.queuedMessages > 0 || this.env.stats().endpoints.some(({ messagesInHand }) => messagesInHand > 0);
  }

  /** Nobody asks and nobody is asked any more: nothing may wait. */
  checkIdle(): void {
    const stats = this.env.stats();
    for (const { name, queuedMessages, messagesInHand } of stats.endpoints) {
      this.#checkAtMost(`messages in ${name}`, queuedMessages, 0);
      this.#checkAtMost(`messages in the hands of ${name}`, messagesInHand, 0);
    }
    for (const { remote, outstandingRequests, queuedBytes } of stats.connections) {
      this.#checkAtMost(`requests to ${remote}`, outstandingRequests, 0);
      this.#checkAtMost(`bytes to ${remote}`, queuedBytes, 0);
    }
    for (const { address, queuedMessages } of stats.outboxes) this.#checkAtMost(`messages to ${address}`, queuedMessages, 0);
    this.#checkNoAsks(stats);
    this.#checkNoStreams(stats);
  }

  /** All lives are over: every endpoint that was started was stopped, and every call's signal has aborted. */
  checkLives(): void {
    for (const { env, logger, subjects } of this.#lives) {
      this.#checkNoAsks(env.stats());
      this.#checkNoStreams(env.stats());
      for (const subject of subjects) {
        if (logger.abandoned === 0 && subject.state !== "stopped") {
          this.#stage.ledger.fail(`Endpoint ${subject.name} on ${this.name} is ${subject.state} at the end`);
        }
        if (subject.signals.some((signal) => !signal.aborted)) {
          this.#stage.ledger.fail(`A signal of ${subject.name} on ${this.name} has not aborted at the end`);
        }
      }
    }
  }

  #checkStopped(): void {
    const stats = this.env.stats();
    this.#checkAtMost("connections after shutdown", stats.connections.length, 0);
    this.#checkAtMost("sockets after shutdown", this.driver.openSockets, 0);
    this.#checkAtMost("outboxes after shutdown", stats.outboxes.length, 0);
    this.#checkAtMost("downloads after shutdown", stats.downloads, 0);
    this.#checkAtMost("timers after shutdown", this.#envClock!.pendingTimers, 0);
  }

  #checkNoAsks({ localAsks, signals }: RpcEnvStats): void {
    this.#checkAtMost("asks of its own", localAsks, 0);
    this.#checkAtMost("signals", signals, 0);
  }

  #checkNoStreams({ downloads, streamsBeingSent, openFiles }: RpcEnvStats): void {
    this.#checkAtMost("downloads", downloads, 0);
    this.#checkAtMost("streams being sent", streamsBeingSent, 0);
    this.#checkAtMost("open files", openFiles, 0);
  }

  #checkAtMost(what: string, count: number, most: number): void {
    if (count > most) this.#stage.ledger.fail(`${this.name} has ${count} ${what}, more than ${most}`);
  }
}
