/**
 * What a handler has in its hands beside the message: who asks, and how to answer.
 *
 * Spark: core/…/rpc/RpcCallContext.scala. There a handler always answers by calling `reply`; here the value that it returns is
 * the answer, unless it says {@linkcode later}.
 *
 * @module
 */

import type { RpcAddress } from "./rpc_address.ts";

// Both are the same in every copy of this module: endpoints of one may live in an environment of another.

/** Returned by a handler for a message that it does not take: Spark's missing case of a partial function. */
export const unhandled: unique symbol = Symbol.for("sparkwire.unhandled");

/** What {@linkcode later} is. The compiler would take a `unique symbol` for any `symbol` where an async function returns it. */
export type Later = symbol & { readonly description: "sparkwire.later" };

/** Returned by a handler that answers later, by `context.reply` or `context.sendFailure`. */
export const later: Later = Symbol.for("sparkwire.later") as Later;

/** One ask in the hands of its endpoint. It may be kept and used after the handler has returned. */
export interface RpcCallContext {
  /**
   * Who asks: the address that its environment listens at, or that of its socket. The former is what the peer says of itself, as
   * in Spark: it serves to tell peers apart that are trusted, and proves nothing.
   */
  readonly senderAddress: RpcAddress;
  /**
   * Aborts when the asker's connection closes, or the environment stops: a second after the beginning of its shutdown, so that most
   * handlers end by themselves, or at half of its deadline if that is earlier. Made when it is first read.
   */
  readonly signal: AbortSignal;
  /** What a handler returns that answers later. */
  readonly later: Later;
  /**
   * Answers.
   *
   * @throws {SerializerError} If `response` cannot be encoded; nothing was sent.
   * @throws {ProtocolError} If it is larger than `spark.rpc.message.maxSize`; nothing was sent.
   * @throws {RpcOverloadedError} If more than half of `maxQueuedBytes` waits for the asker to read it; nothing was sent.
   * @throws {RpcError} With code STOPPED if the ask has been answered already: `Promise already completed.`
   */
  reply(response: unknown): void;
  /**
   * Answers that the message could not be handled.
   *
   * @throws {RpcError} With code STOPPED if the ask has been answered already.
   */
  sendFailure(error: Error): void;
}
