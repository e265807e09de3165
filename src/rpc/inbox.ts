/**
 * The messages that wait for one endpoint, and the giving of them into its hands.
 *
 * Spark: core/…/rpc/netty/Inbox.scala. "Thread" becomes "message in hand": an endpoint that takes one at a time gets the next
 * when what its handler returned has settled; others may have `maxConcurrentMessages` in hand. Differences: the queue is bounded,
 * and an ask that is dropped is failed instead of being left to its timeout.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import { RpcStoppedError, UnsupportedMessageError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { promiseOf } from "../base/promise_of.ts";
import { RingQueue } from "../base/ring_queue.ts";
import { tellEndpoint } from "./endpoint_events.ts";
import { inboxFull, type InboxLimit, type InboxLimits } from "./inbox_limits.ts";
import { bytesOf, type InboxMessage, type RpcMessage } from "./inbox_message.ts";
import type { MessageLoop } from "./message_loop.ts";
import { MessageOutcome } from "./message_outcome.ts";
import { later } from "./rpc_call_context.ts";
import type { RpcEndpoint } from "./rpc_endpoint.ts";
import type { EndpointStats } from "./rpc_env_stats.ts";

/** Why a message was dropped. */
export type DropReason = "stopped" | "full";

/** What an inbox needs of its surroundings. */
export interface InboxHost {
  /** Hears of what went wrong. */
  readonly logger: Logger;
  /** The name that the endpoint's reference prints, for messages. */
  describe(inbox: Inbox): string;
  /** A handler has returned a promise. */
  watch(): void;
  /** OnStop is about to be handled: the endpoint's reference is removed. */
  removeRpcEndpointRef(inbox: Inbox): void;
  /** OnStop has been handled, or all was discarded: there is nothing more to come. */
  ended(inbox: Inbox): void;
  /** A message was dropped, and at which limit if the inbox was full. */
  dropped(inbox: Inbox, message: InboxMessage, reason: DropReason, limit: InboxLimit | undefined): void;
}

/** A message whose handler has not settled yet. */
interface InHand {
  readonly message: InboxMessage;
  /** Set when a scan for slow handlers has seen it once, then when it has been reported. */
  seen: 0 | 1 | 2;
}

/** Stands where a message was that nobody has in hand any more: it may have been large, and the next one be long in coming. */
const NO_MESSAGE: InboxMessage = { kind: "OnStart" };

/** Stands where an endpoint was that has ended. */
const NO_ENDPOINT: RpcEndpoint = {};

/** Life-cycle and network events are never refused, so the ring itself has no limit; `post` keeps that of messages. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** The inbox of one endpoint. */
export class Inbox {
  /** The endpoint's name. */
  readonly name: string;
  /** The endpoint, until it has ended: connections remember for long where they found an inbox. */
  endpoint: RpcEndpoint;
  /** Gives it its turns. */
  readonly loop: MessageLoop;
  /** Whether the loop has it in its list of those with something to do. */
  active = false;
  /** Messages that were handled. */
  processedMessages = 0;
  /** Messages that were dropped. */
  droppedMessages = 0;
  /** The most messages that ever waited. */
  maxQueuedMessages = 0;
  /** How many bytes of connections the messages were that wait or are in hand. */
  bytes = 0;
  readonly #host: InboxHost;
  readonly #limits: InboxLimits;
  readonly #outcome: MessageOutcome;
  readonly #messages = new RingQueue<InboxMessage>(NO_LIMIT);
  readonly #inHand = new Set<InHand>();
  readonly #oneAtATime: boolean;
  #stopped = false;
  #concurrent = false;
  /** The one message in the hands of an endpoint that takes one at a time. */
  readonly #single: { message: InboxMessage; seen: 0 | 1 | 2 } = { message: NO_MESSAGE, seen: 0 };
  #singleBusy = false;

  /** OnStart is queued, and waits for the loop. */
  constructor(
    name: string,
    endpoint: RpcEndpoint,
    options: { readonly loop: MessageLoop; readonly host: InboxHost; readonly limits: InboxLimits },
  ) {
    this.name = name;
    this.endpoint = endpoint;
    this.loop = options.loop;
    this.#host = options.host;
    this.#limits = options.limits;
    this.#outcome = new MessageOutcome(this, options.host.logger);
    this.#oneAtATime = takesOneAtATime(endpoint);
    this.#messages.push({ kind: "OnStart" });
  }

  /** How many messages wait. */
  get length(): number {
    return this.#messages.length;
  }

  /** Whether nothing waits. */
  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  /** How many messages have been given out and have not settled. Spark: numActiveThreads. */
  get messagesInHand(): number {
    return this.#inHand.size + (this.#singleBusy ? 1 : 0);
  }

  /** Whether it takes no more messages. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Whether a message waits and may be given out. */
  get ready(): boolean {
    return this.#messages.length > 0 && this.#mayTake();
  }

  /** The message in hand, for an endpoint that takes one at a time. */
  get current(): InboxMessage | undefined {
    const { message } = this.#single;
    return message === NO_MESSAGE || (this.#concurrent && !this.#singleBusy) ? undefined : message;
  }

  /** Queues a message. After `stop`, or above the limit, it is dropped: an ask is failed, all else is logged and counted. */
  post(message: InboxMessage): void {
    const waiting = this.#messages.length;
    const bytes = bytesOf(message);
    if (this.#stopped) {
      this.#drop(message, "stopped");
    } else if (waiting >= this.#limits.maxInboxMessages && isRefusable(message)) {
      this.#drop(message, "full", "maxInboxMessages");
    } else if (bytes > 0 && this.bytes > 0 && this.bytes + bytes > this.#limits.maxInboxBytes) {
      this.#drop(message, "full", "maxInboxBytes");
    } else {
      this.#messages.push(message);
      this.bytes += bytes;
      if (waiting >= this.maxQueuedMessages) this.maxQueuedMessages = waiting + 1;
    }
  }

  /** Queues OnStop behind all that waits, which is delivered one by one. Idempotent. */
  stop(): void {
    if (this.#stopped) return;
    // Set before OnStop is queued: it must find itself alone and last.
    this.#concurrent = false;
    this.#stopped = true;
    this.#messages.push({ kind: "OnStop" });
  }

  /** Drops all that waits: an endpoint that has not started is not told of its end either. */
  discard(): void {
    this.#stopped = true;
    for (let message = this.#messages.shift(); message !== undefined; message = this.#messages.shift()) {
      if (message.kind !== "OnStart") this.#dropWaiting(message);
    }
    this.#ended();
  }

  /** Drops what waits: nobody waits for the endpoint's end any more. It still hears of that when what it has in hand has settled. */
  abandon(): void {
    for (let waiting = this.#messages.length; waiting > 0; waiting--) {
      const message = this.#messages.shift()!;
      if (message.kind === "OnStart" || message.kind === "OnStop") this.#messages.push(message);
      else this.#dropWaiting(message);
    }
  }

  /** Gives out up to `limit` messages; returns how many. */
  process(limit: number): number {
    let processed = 0;
    while (processed < limit && this.#mayTake()) {
      const message = this.#messages.shift();
      if (message === undefined) break;
      processed++;
      this.#give(message);
    }
    this.processedMessages += processed;
    return processed;
  }

  /** The messages that have been in hand since the last scan, each of them once. */
  scanSlow(): InboxMessage[] {
    const slow: InboxMessage[] = [];
    if (this.#singleBusy) this.#scan(this.#single, slow);
    for (const hand of this.#inHand) this.#scan(hand, slow);
    return slow;
  }

  /** A snapshot. */
  stats(): EndpointStats {
    return {
      name: this.name,
      queuedMessages: this.length,
      bytes: this.bytes,
      maxQueuedMessages: this.maxQueuedMessages,
      messagesInHand: this.messagesInHand,
      processedMessages: this.processedMessages,
      droppedMessages: this.droppedMessages,
    };
  }

  #scan(hand: InHand, slow: InboxMessage[]): void {
    if (hand.seen === 1) slow.push(hand.message);
    if (hand.seen < 2) hand.seen++;
  }

  #mayTake(): boolean {
    if (this.#singleBusy) return false;
    const inHand = this.#inHand.size;
    return inHand === 0 || (this.#concurrent && inHand < this.#limits.maxConcurrentMessages);
  }

  #give(message: InboxMessage): void {
    let result: unknown;
    let promise: Promise<unknown> | undefined;
    this.#single.message = message;
    try {
      result = this.#call(message);
      promise = promiseOf(result);
    } catch (thrown) {
      this.#letGo();
      this.#failed(message, thrown);
      return;
    }
    this.#letGo();
    if (promise === undefined) {
      this.#succeeded(message, result);
      return;
    }
    this.#host.watch();
    if (this.#concurrent) this.#awaitAmongOthers(message, promise);
    else this.#awaitAlone(message, promise);
  }

  #call(message: InboxMessage): unknown {
    const { endpoint } = this;
    switch (message.kind) {
      case "RpcMessage":
        if (endpoint.receiveAndReply === undefined) return this.#refuse(message);
        return endpoint.receiveAndReply(message.content, message.context);
      case "OneWayMessage":
        if (endpoint.receive === undefined) throw this.#cannot("does not implement 'receive'");
        return endpoint.receive(message.content, message.senderAddress);
      case "OnStop":
        this.#leave();
        return tellEndpoint(endpoint, message);
      default:
        return tellEndpoint(endpoint, message);
    }
  }

  #refuse({ context }: RpcMessage): typeof later {
    context.sendFailure(this.#cannot("won't reply anything"));
    return later;
  }

  #cannot(what: string): UnsupportedMessageError {
    return new UnsupportedMessageError(`${this.#host.describe(this)} ${what}`);
  }

  /** OnStop is about to be handled. */
  #leave(): void {
    const inHand = this.messagesInHand;
    assert(inHand === 0, `There should be only a single active thread but found ${inHand} threads.`);
    this.#host.removeRpcEndpointRef(this);
  }

  /** Two functions bound once serve all messages of an endpoint that takes one at a time. */
  #awaitAlone(message: InboxMessage, result: Promise<unknown>): void {
    this.#single.message = message;
    this.#single.seen = 0;
    this.#singleBusy = true;
    result.then(this.#settledAlone, this.#failedAlone);
  }

  readonly #settledAlone = (value: unknown): void => {
    this.#succeeded(this.#letGo(), value);
    this.loop.resume(this);
  };

  readonly #failedAlone = (thrown: unknown): void => {
    this.#failed(this.#letGo(), thrown);
    this.loop.resume(this);
  };

  /** The message that was given out has come back; returns it. */
  #letGo(): InboxMessage {
    const { message } = this.#single;
    this.#single.message = NO_MESSAGE;
    this.#singleBusy = false;
    return message;
  }

  #awaitAmongOthers(message: InboxMessage, result: Promise<unknown>): void {
    const hand: InHand = { message, seen: 0 };
    this.#inHand.add(hand);
    result.then((value) => {
      this.#inHand.delete(hand);
      this.#succeeded(message, value);
      this.loop.resume(this);
    }, (thrown) => {
      this.#inHand.delete(hand);
      this.#failed(message, thrown);
      this.loop.resume(this);
    });
  }

  #succeeded(message: InboxMessage, result: unknown): void {
    this.bytes -= bytesOf(message);
    switch (message.kind) {
      case "RpcMessage":
        this.#outcome.answered(message, result);
        return;
      case "OneWayMessage":
        this.#outcome.received(message, result);
        return;
      case "OnStart":
        // As in Spark: an endpoint whose onStart failed stays with one message at a time.
        this.#concurrent = !this.#stopped && !this.#oneAtATime;
        return;
      case "OnStop":
        this.#ended();
        return;
    }
  }

  #failed(message: InboxMessage, thrown: unknown): void {
    this.bytes -= bytesOf(message);
    this.#outcome.failed(message, thrown);
    if (message.kind === "OnStop") this.#ended();
  }

  #ended(): void {
    assert(this.isEmpty, "OnStop should be the last message");
    this.endpoint = NO_ENDPOINT;
    this.#host.ended(this);
  }

  #dropWaiting(message: InboxMessage): void {
    this.bytes -= bytesOf(message);
    this.#drop(message, "stopped");
  }

  #drop(message: InboxMessage, reason: DropReason, limit?: InboxLimit): void {
    this.droppedMessages++;
    this.#host.dropped(this, message, reason, limit);
    if (message.kind !== "RpcMessage") return;
    message.context.sendFailure(
      limit === undefined ? new RpcStoppedError(`Endpoint ${this.name} is stopped`) : inboxFull(this, limit, this.#limits),
    );
  }
}

function isRefusable(message: InboxMessage): boolean {
  return message.kind === "RpcMessage" || message.kind === "OneWayMessage";
}

function takesOneAtATime(endpoint: RpcEndpoint): boolean {
  return endpoint.threadSafe === true || (endpoint.threadCount !== undefined && endpoint.threadCount() <= 1);
}
