/**
 * What receives messages: plain endpoints, those that take one message at a time, and those with a loop of their own.
 *
 * Spark: core/…/rpc/RpcEndpoint.scala.
 *
 * @module
 */

import type { RpcAddress } from "./rpc_address.ts";
import type { RpcCallContext } from "./rpc_call_context.ts";
import type { ContractFunctions, RpcEndpointRef } from "./rpc_endpoint_ref.ts";
import type { RpcEnv } from "./rpc_env.ts";

/**
 * An endpoint's callbacks, each optional and possibly async. Life: onStart, then messages and network events, then onStop.
 *
 * A plain endpoint may be given a message while it still awaits something for an earlier one.
 *
 * @example
 * ```ts
 * import { RpcEnv } from "@sparkwire/sparkwire";
 *
 * const env = await RpcEnv.create({ name: "local", host: "127.0.0.1", port: 0 });
 * const ref = env.setupEndpoint("Echo", { receiveAndReply: (message) => message });
 * if (await ref.ask("hello") !== "hello") throw new Error("no echo");
 * await env.shutdown();
 * ```
 */
export interface RpcEndpoint {
  /** One message at a time, in order of arrival, across `await`. Spark: ThreadSafeRpcEndpoint. */
  readonly threadSafe?: boolean;
  /**
   * Gives the endpoint a loop of its own, where it takes one message at a time. Above 1 it takes as many at once as any plain endpoint
   * (`maxConcurrentMessages`), since there are no threads that could be counted. Asked at its set-up.
   */
  threadCount?(): number;
  /** It has been registered: called before `setupEndpoint` returns. What it throws, `setupEndpoint` throws; then nothing else is called. */
  onRegistered?(self: RpcEndpointRef): void;
  /** A message that wants no answer. Returns {@linkcode unhandled} for what it does not take. */
  receive?(message: unknown, senderAddress: RpcAddress): unknown;
  /** A message that wants an answer: what is returned, unless that is `unhandled` or `context.later`. */
  receiveAndReply?(message: unknown, context: RpcCallContext): unknown;
  /** Before the first message. */
  onStart?(): unknown;
  /** After the last message; `env.endpointRef(this)` is undefined by then. */
  onStop?(): unknown;
  /**
   * Another callback threw, or returned `unhandled`. What this throws is logged and ignored. A handler that runs out of stack is logged
   * alone.
   */
  onError?(error: Error): unknown;
  /** A connection to or from `remoteAddress` was opened: of its socket, then of where it says that it listens, which may be untrue. */
  onConnected?(remoteAddress: RpcAddress): unknown;
  /** A connection to or from `remoteAddress`, as in onConnected, was lost; there may be others with the same address. */
  onDisconnected?(remoteAddress: RpcAddress): unknown;
  /** The connection to or from `remoteAddress` broke. */
  onNetworkError?(error: Error, remoteAddress: RpcAddress): unknown;
}

/** An endpoint of contract `C`, which its reference is given too. Made by `endpoint`. */
export interface TypedEndpoint<C> extends RpcEndpoint {
  /** Carries the contract in the type; nothing of it exists at run time. */
  readonly "~contract"?: (value: C) => ContractFunctions<C>;
}

/** What the endpoint classes have in common: their environment and their own reference. */
export abstract class EndpointBase implements RpcEndpoint {
  /** The environment that the endpoint lives in. */
  readonly rpcEnv: RpcEnv;

  /**
   * Makes an endpoint; it lives once it is set up.
   *
   * @param rpcEnv The environment that the endpoint will be set up in.
   */
  constructor(rpcEnv: RpcEnv) {
    this.rpcEnv = rpcEnv;
  }

  /** The endpoint's own reference: from its set-up until onStop is called. */
  get self(): RpcEndpointRef | undefined {
    return this.rpcEnv.endpointRef(this);
  }

  /** Stops the endpoint, if it is running. */
  stop(): void {
    const self = this.self;
    if (self !== undefined) this.rpcEnv.stop(self);
  }

  /** A message that wants no answer. */
  receive?(message: unknown, senderAddress: RpcAddress): unknown;
  /** A message that wants an answer. */
  receiveAndReply?(message: unknown, context: RpcCallContext): unknown;
  /** Before the first message. */
  onStart?(): unknown;
  /** After the last message. */
  onStop?(): unknown;
  /** Another callback threw. */
  onError?(error: Error): unknown;
  /** A connection was opened. */
  onConnected?(remoteAddress: RpcAddress): unknown;
  /** A connection was lost. */
  onDisconnected?(remoteAddress: RpcAddress): unknown;
  /** A connection broke. */
  onNetworkError?(error: Error, remoteAddress: RpcAddress): unknown;
}

/**
 * An endpoint that takes one message at a time, also across `await`. Spark: ThreadSafeRpcEndpoint.
 *
 * @example
 * ```ts
 * import { RpcEnv, ThreadSafeRpcEndpoint } from "@sparkwire/sparkwire";
 *
 * class Counter extends ThreadSafeRpcEndpoint {
 *   #count = 0;
 *   override receiveAndReply() {
 *     return ++this.#count;
 *   }
 * }
 * const env = await RpcEnv.create({ name: "local", host: "127.0.0.1", port: 0 });
 * const ref = env.setupEndpoint("Counter", new Counter(env));
 * if (await ref.ask("next") !== 1) throw new Error("did not count");
 * await env.shutdown();
 * ```
 */
export abstract class ThreadSafeRpcEndpoint extends EndpointBase {
  /** Marks it for the inbox. */
  readonly threadSafe = true;
}

/**
 * An endpoint with a loop of its own, so that a busy one keeps nobody waiting. Spark: IsolatedRpcEndpoint.
 *
 * @example
 * ```ts
 * import { IsolatedRpcEndpoint, RpcEnv } from "@sparkwire/sparkwire";
 *
 * class Echo extends IsolatedRpcEndpoint {
 *   override receiveAndReply(message: unknown) {
 *     return message;
 *   }
 * }
 * const env = await RpcEnv.create({ name: "local", host: "127.0.0.1", port: 0 });
 * const ref = env.setupEndpoint("Echo", new Echo(env));
 * if (await ref.ask(1) !== 1) throw new Error("no echo");
 * await env.shutdown();
 * ```
 */
export abstract class IsolatedRpcEndpoint extends EndpointBase {
  /**
   * 1, unless overridden: one message at a time. Above 1 it takes as many at once as any plain endpoint (`maxConcurrentMessages`),
   * not as many as there would be threads in Spark.
   */
  threadCount(): number {
    return 1;
  }
}
