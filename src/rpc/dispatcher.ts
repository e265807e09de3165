/**
 * Knows the endpoints by name and puts messages into their inboxes.
 *
 * Spark: core/…/rpc/netty/Dispatcher.scala.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import { RpcEndpointNotFoundError, RpcStoppedError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { isWorthALine } from "../base/sparse_logging.ts";
import { Inbox } from "./inbox.ts";
import type { DropReason, InboxHost } from "./inbox.ts";
import type { InboxLimit, InboxLimits } from "./inbox_limits.ts";
import { describeMessage } from "./inbox_message.ts";
import type { InboxMessage, NetworkEvent, OneWayMessage, RpcMessage } from "./inbox_message.ts";
import { DedicatedMessageLoop, SharedMessageLoop } from "./message_loop.ts";
import type { MessageLoop } from "./message_loop.ts";
import type { RpcEndpoint } from "./rpc_endpoint.ts";
import type { RpcEndpointRef } from "./rpc_endpoint_ref.ts";
import { SlowHandlers } from "./slow_handlers.ts";

/** A message that an inbox has dropped, as the hook sees it. */
export interface DroppedMessage {
  /** The endpoint that it was for. */
  readonly endpoint: string;
  /** The message, or what is known of it. */
  readonly message: unknown;
  /** Why. */
  readonly reason: DropReason;
}

/** What a dispatcher needs of its surroundings. */
export interface DispatcherOptions extends InboxLimits {
  /** Gives turns and time. */
  readonly clock: Clock;
  /** Hears of what was dropped. */
  readonly logger: Logger;
  /** Hears of each message that was dropped. */
  readonly onDropped?: ((dropped: DroppedMessage) => void) | undefined;
}

/** The endpoints of an environment. */
export class Dispatcher implements InboxHost {
  readonly logger: Logger;
  readonly #options: DispatcherOptions;
  readonly #shared: SharedMessageLoop;
  readonly #dedicated = new Set<DedicatedMessageLoop>();
  /** Those that can be found by name. */
  readonly #endpoints = new Map<string, Inbox>();
  /** Those whose onStop has not run yet: an endpoint keeps its reference while it drains, or until it is set up again. */
  readonly #refs = new Map<RpcEndpoint, { readonly ref: RpcEndpointRef; readonly inbox: Inbox }>();
  /** Those that exist, also of endpoints that are about to stop. */
  readonly #inboxes = new Set<Inbox>();
  readonly #slow: SlowHandlers;
  #stopped = false;
  /** Who waits for the end. */
  readonly #waiting = new Set<() => void>();
  /** Changes when an endpoint comes or goes: what was found by name before must be looked up again. */
  generation = 0;
  /** Messages dropped by inboxes that are gone, and one-way messages for endpoints that were not there. */
  droppedMessages = 0;

  /** @param options Clock, log and limits. */
  constructor(options: DispatcherOptions) {
    this.logger = options.logger;
    this.#options = options;
    this.#shared = new SharedMessageLoop(options.clock);
    this.#slow = new SlowHandlers(options.clock, options.logger, () => this.#inboxes);
  }

  /** Whether `stop` has been called. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** How many wait for the end. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** The inboxes that exist, also of endpoints that are about to stop. */
  get inboxes(): Iterable<Inbox> {
    return this.#inboxes;
  }

  /**
   * Registers an endpoint; its onStart runs later.
   *
   * @throws {RpcStoppedError} If the environment has been stopped.
   * @throws {RangeError} If the name is taken.
   * @throws What the endpoint's threadCount and onRegistered throw.
   */
  registerRpcEndpoint(name: string, endpoint: RpcEndpoint, makeRef: (inbox: Inbox) => RpcEndpointRef): RpcEndpointRef {
    if (this.#stopped) throw new RpcStoppedError("RpcEnv has been stopped");
    if (name === "") throw new RangeError("The name of an endpoint must not be empty: nobody could look it up");
    if (this.#endpoints.has(name)) throw new RangeError(`There is already an RpcEndpoint called ${name}`);
    const loop = this.#loopFor(name, endpoint);
    const inbox = new Inbox(name, endpoint, { loop, host: this, limits: this.#options });
    const ref = makeRef(inbox);
    if (loop instanceof DedicatedMessageLoop) this.#dedicated.add(loop);
    const before = this.#refs.get(endpoint);
    this.#endpoints.set(name, inbox);
    this.#refs.set(endpoint, { ref, inbox });
    this.#inboxes.add(inbox);
    this.generation++;
    loop.activate(inbox);
    try {
      endpoint.onRegistered?.(ref);
    } catch (thrown) {
      // It may live under another name, and must not hear of an end that is not its own.
      this.removeRpcEndpointRef(inbox);
      if (before !== undefined) this.#refs.set(endpoint, before);
      this.#endpoints.delete(name);
      this.generation++;
      inbox.discard();
      throw thrown;
    }
    return ref;
  }

  /** The inbox of `name`, if an endpoint of that name takes messages. */
  find(name: string): Inbox | undefined {
    return this.#endpoints.get(name);
  }

  /** The reference of an endpoint, from its registration until its onStop. */
  getRpcEndpointRef(endpoint: RpcEndpoint): RpcEndpointRef | undefined {
    return this.#refs.get(endpoint)?.ref;
  }

  /** Whether an endpoint of that name takes messages. Spark: verify. */
  verify(name: string): boolean {
    return this.#endpoints.has(name);
  }

  /** Stops an endpoint: what waits is delivered, then onStop. By name, so twice is the same as once. */
  unregisterRpcEndpoint(name: string): void {
    const inbox = this.#endpoints.get(name);
    if (inbox === undefined) return;
    this.#endpoints.delete(name);
    this.generation++;
    inbox.stop();
    inbox.loop.activate(inbox);
  }

  /** Gives news of a connection to all endpoints. */
  postToAll(event: NetworkEvent): void {
    if (this.#stopped) {
      this.logger.debug(`Message ${describeMessage(event)} dropped. RpcEnv already stopped.`);
      return;
    }
    for (const inbox of this.#endpoints.values()) this.postTo(inbox, event);
  }

  /** Puts a message into an inbox that was found before. */
  postTo(inbox: Inbox, message: RpcMessage | OneWayMessage | NetworkEvent): void {
    inbox.post(message);
    if (!inbox.active && inbox.ready) inbox.loop.activate(inbox);
  }

  /**
   * Puts a message into the inbox of `name`.
   *
   * @throws {RpcStoppedError} If the environment has been stopped.
   * @throws {RpcEndpointNotFoundError} If there is no such endpoint: `Could not find <name>.`
   */
  postMessage(name: string, message: RpcMessage | OneWayMessage): void {
    const inbox = this.find(name);
    if (inbox === undefined) throw this.cannotPost(name);
    this.postTo(inbox, message);
  }

  /** Why nothing can be posted to `name`. */
  cannotPost(name: string): Error {
    if (this.#stopped) return new RpcStoppedError();
    // No endpoint is without a name; what asks for blocks is read as a request for such a one.
    const hint = name === "" ? " No endpoint was named: this is the port of an RpcEnv, which has no blocks" : "";
    return new RpcEndpointNotFoundError(`Could not find ${name}.${hint}`, name);
  }

  /**
   * A message for `name`, who has no inbox, wants no answer. That peers go on sending to an environment that ends is no error.
   *
   * @throws {RpcEndpointNotFoundError} If the environment has not been stopped.
   */
  dropOneWay(name: string): void {
    this.droppedMessages++;
    const error = this.cannotPost(name);
    if (!(error instanceof RpcStoppedError)) throw error;
    this.logger.debug(`One-way message for ${name} dropped. ${error.message}`);
  }

  /** A new turn of the event loop: what has arrived is handled now. */
  run(): void {
    if (this.#shared.busy) this.#shared.runNow();
    for (const loop of this.#dedicated) if (loop.busy) loop.runNow();
  }

  /** Stops every endpoint; resolves when the last onStop has run. */
  stop(): Promise<void> {
    this.#stopped = true;
    for (const name of [...this.#endpoints.keys()]) this.unregisterRpcEndpoint(name);
    if (this.#inboxes.size === 0) this.#terminated();
    return this.awaitTermination();
  }

  /** Resolves when the dispatcher has been stopped and the last onStop has run. Rejects with the signal's reason. */
  awaitTermination(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    if (this.#stopped && this.#inboxes.size === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const ended = (): void => {
        signal?.removeEventListener("abort", abort);
        resolve();
      };
      // Whoever looks again and again whether it is over must not be kept until it is.
      const abort = (): void => {
        this.#waiting.delete(ended);
        reject(signal?.reason);
      };
      this.#waiting.add(ended);
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  /** Gives up on endpoints that still have not ended, so that those who wait go on; what waits for such an endpoint is dropped. */
  abandon(): void {
    for (const inbox of this.#inboxes) {
      const left = `${inbox.messagesInHand} messages in hand, ${inbox.length} waiting`;
      this.logger.warning(`Endpoint ${inbox.name} did not end in time: ${left}`);
      inbox.abandon();
      this.droppedMessages += inbox.droppedMessages;
    }
    this.#inboxes.clear();
    this.#refs.clear();
    this.#terminated();
  }

  describe(inbox: Inbox): string {
    return String(this.getRpcEndpointRef(inbox.endpoint) ?? inbox.name);
  }

  watch(): void {
    this.#slow.watch();
  }

  removeRpcEndpointRef(inbox: Inbox): void {
    const { endpoint } = inbox;
    if (this.#refs.get(endpoint)?.inbox === inbox) this.#refs.delete(endpoint);
  }

  ended(inbox: Inbox): void {
    // Of one that was given up on they have been counted.
    if (this.#inboxes.delete(inbox)) this.droppedMessages += inbox.droppedMessages;
    if (inbox.loop instanceof DedicatedMessageLoop) this.#dedicated.delete(inbox.loop);
    if (this.#stopped && this.#inboxes.size === 0) this.#terminated();
  }

  dropped(inbox: Inbox, message: InboxMessage, reason: DropReason, limit: InboxLimit | undefined): void {
    const count = inbox.droppedMessages;
    if (isWorthALine(count)) {
      const why = reason === "stopped" ? "is stopped" : `is full (${limit}), ${count} so far`;
      this.logger.warning(`Drop ${describeMessage(message)} because endpoint ${inbox.name} ${why}`);
    }
    const content = message.kind === "RpcMessage" || message.kind === "OneWayMessage" ? message.content : message;
    try {
      this.#options.onDropped?.({ endpoint: inbox.name, message: content, reason });
    } catch (thrown) {
      // It would be thrown at whoever sent the message, or shuts down.
      if (isWorthALine(count)) this.logger.error(`Option onDropped failed for a message to ${inbox.name}`, thrown);
    }
  }

  #terminated(): void {
    this.#slow.stop();
    for (const ended of this.#waiting) ended();
    this.#waiting.clear();
  }

  #loopFor(name: string, endpoint: RpcEndpoint): MessageLoop {
    return endpoint.threadCount === undefined ? this.#shared : new DedicatedMessageLoop(this.#options.clock, name);
  }
}
