/**
 * A reference to an endpoint, here or in another process: the only way to talk to it.
 *
 * Spark: core/…/rpc/RpcEndpointRef.scala. `askSync` is `await ask`; `askWithRetry` is gone there too, since handlers are not
 * idempotent.
 *
 * @module
 */

import type { RpcEndpointAddress } from "./rpc_endpoint_address.ts";
import type { RpcAddress } from "./rpc_address.ts";

/** How an ask is made. */
export interface AskOptions {
  /**
   * How long to wait, in milliseconds.
   *
   * @default `spark.rpc.askTimeout`, then `spark.network.timeout`, then 120 s
   */
  readonly timeoutMs?: number | undefined;
  /** Gives up waiting: the promise rejects with the signal's reason, and a late answer is ignored. */
  readonly signal?: AbortSignal | undefined;
}

/** An ask that can be given up. Spark: AbortableRpcFuture. */
export interface AbortableRpcFuture {
  /** The answer. */
  readonly future: Promise<unknown>;
  /** Rejects the future with `reason` and forgets the request; the peer is not told. */
  abort(reason: unknown): void;
}

/**
 * Contract `C` with functions for methods, as its references are compared. Methods would fit each other if the payload of either fits
 * the other's, and a reference to an endpoint that wants more than is sent would do.
 *
 * `-?` keeps the compiler from comparing the contracts themselves in its place; `& C` keeps `any` what it is.
 */
export type ContractFunctions<C> =
  & {
    readonly [K in keyof C]-?: {
      readonly [T in keyof C[K]]: C[K][T] extends (...args: infer A) => infer R ? (...args: A) => R : C[K][T];
    };
  }
  & C;

/**
 * Sends messages to one endpoint. Two references are equal if their addresses are. The type parameter is the contract of a typed
 * endpoint; `typedRef` makes use of it.
 */
export interface RpcEndpointRef<C = unknown> {
  /** The endpoint's name. */
  readonly name: string;
  /**
   * Where its environment listens; undefined if that is in client mode. Then the reference serves those whom that environment itself
   * sent it to: passed on, it leads back to who passed it on, and to an endpoint of that name there, if there is one.
   */
  readonly address: RpcAddress | undefined;
  /** Address and name, as printed: `spark://name@host:port` or `spark-client://name`. */
  readonly endpointAddress: RpcEndpointAddress;
  /** Carries the contract in the type; nothing of it exists at run time. */
  readonly "~contract"?: (value: C) => ContractFunctions<C>;
  /**
   * Sends a message that wants no answer. It is lost, which `env.stats()` counts, if the connection cannot be made or breaks, if too
   * much waits for it (`maxOutboxBytes`), or if the environment has been stopped.
   *
   * @throws {SerializerError} If the message cannot be encoded.
   * @throws {ProtocolError} If it is larger than `spark.rpc.message.maxSize`.
   * @throws {TypeError} If it is null or undefined.
   * @throws {RpcError} NOT_FOUND if a local endpoint does not exist, INVALID_ADDRESS if the reference has neither an address nor a
   * connection.
   */
  send(message: unknown): void;
  /**
   * Sends a message and waits for the answer. Nothing is retried. Never throws; the promise rejects with an
   * {@linkcode RpcTimeoutError} when the time is up, with what the handler failed with, with another RpcError, with a RangeError if the
   * time limit is none, or with the signal's reason.
   */
  ask(message: unknown, options?: AskOptions): Promise<unknown>;
  /** As {@linkcode ask}, with a way to give up. */
  askAbortable(message: unknown, options?: AskOptions): AbortableRpcFuture;
  /** Whether `other` leads to the same address and name. */
  equals(other: unknown): boolean;
  /** `NettyRpcEndpointRef(spark://name@host:port)`. */
  toString(): string;
}
