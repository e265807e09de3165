/**
 * How an ask is answered: across a connection, or within the environment.
 *
 * Spark: core/…/rpc/netty/NettyRpcCallContext.scala, RemoteNettyRpcCallContext and LocalNettyRpcCallContext. Difference: a second
 * answer is refused in both cases; there a remote one is sent, and its receiver drops it.
 *
 * @module
 */

import type { ByteSink } from "../base/byte_sink.ts";
import { RpcError, toError } from "../base/errors.ts";
import type { Serializer } from "../serializer/serializer.ts";
import type { ContentWriter, RpcResponder } from "../transport/rpc_response_callback.ts";
import type { CallSignals } from "./call_signals.ts";
import type { NettyRpcCallContext } from "./inbox_message.ts";
import type { MessageLoop } from "./message_loop.ts";
import type { PendingAsk } from "./pending_ask.ts";
import type { RpcAddress } from "./rpc_address.ts";
import { later } from "./rpc_call_context.ts";
import type { RpcConnection } from "./rpc_connection.ts";
import { HeldBack } from "./versioned_content.ts";

// The two classes have no common base: V8 (Node 20) calls a derived constructor out of line, which is felt by every ask.

/** Answers an ask that came over a connection, in the codec that it came in. */
export class RemoteNettyRpcCallContext implements NettyRpcCallContext, ContentWriter {
  readonly senderAddress: RpcAddress;
  readonly #connection: RpcConnection;
  readonly #responder: RpcResponder;
  readonly #serializer: Serializer;
  readonly #loop: MessageLoop;
  #response: unknown;
  #replied: boolean;
  #controller: AbortController | undefined;

  /** @param responder Sends the answer. @param loop Is told how many bytes were written. */
  constructor(
    senderAddress: RpcAddress,
    connection: RpcConnection,
    responder: RpcResponder,
    serializer: Serializer,
    loop: MessageLoop,
  ) {
    this.senderAddress = senderAddress;
    this.#connection = connection;
    this.#responder = responder;
    this.#serializer = serializer;
    this.#loop = loop;
    this.#response = undefined;
    this.#replied = false;
    this.#controller = undefined;
  }

  get later(): typeof later {
    return later;
  }

  get replied(): boolean {
    return this.#replied;
  }

  get signal(): AbortSignal {
    this.#controller ??= this.#connection.signals.open(this.#replied);
    return this.#controller.signal;
  }

  reply(response: unknown): void {
    if (this.#replied) throw alreadyReplied();
    // The ask came before the answers to others were there.
    const overload = this.#connection.overload();
    if (overload !== undefined) throw overload;
    this.#response = response;
    try {
      this.#loop.replied(this.#responder.onSuccess(this));
    } catch (thrown) {
      if (!(thrown instanceof HeldBack)) throw thrown;
      this.#connection.spark.answer(this.#responder, thrown.content);
    }
    this.#close();
  }

  /** Writes the answer that is being sent: a closure for each would be felt. */
  writeTo(out: ByteSink): void {
    const response = this.#response;
    this.#response = undefined;
    const serializer = this.#serializer;
    if (serializer.variesBySpark === true) this.#connection.spark.writeAnswer(serializer, response, out);
    else serializer.encode(response, out, this.#connection.env.encoding);
  }

  sendFailure(failure: Error): void {
    if (this.#replied) throw alreadyReplied();
    this.#close();
    // A handler passes on what it caught, which may be anything.
    const error = toError(failure);
    const serializer = this.#serializer;
    try {
      if (serializer.variesBySpark === true) this.#connection.spark.fail(this.#responder, serializer, error);
      else this.#responder.onSuccess((out) => serializer.encodeFailure(error, out, this.#connection.env.encoding));
    } catch (thrown) {
      const { logger } = this.#connection.env;
      logger.debug("Failure was sent as text since it could not be encoded", toError(thrown));
      this.#responder.onFailure(error);
    }
  }

  #close(): void {
    this.#replied = true;
    if (this.#controller !== undefined) this.#connection.signals.close(this.#controller);
  }
}

/** What is done with a message or an answer on its way within an environment; `codec` is that of the reference in use. */
export type CopyLocal = (value: unknown, codec: Serializer) => unknown;

/** Answers an ask of this very environment: the same objects, or copies of them. */
export class LocalNettyRpcCallContext implements NettyRpcCallContext {
  readonly senderAddress: RpcAddress;
  readonly #ask: PendingAsk;
  readonly #signals: CallSignals;
  readonly #copy: CopyLocal;
  readonly #serializer: Serializer;
  #replied: boolean;
  #controller: AbortController | undefined;

  /** @param signals Those that abort when the environment stops. @param serializer The codec of the ask. */
  constructor(
    senderAddress: RpcAddress,
    ask: PendingAsk,
    signals: CallSignals,
    copy: CopyLocal,
    serializer: Serializer,
  ) {
    this.senderAddress = senderAddress;
    this.#ask = ask;
    this.#signals = signals;
    this.#copy = copy;
    this.#serializer = serializer;
    this.#replied = false;
    this.#controller = undefined;
  }

  get later(): typeof later {
    return later;
  }

  get replied(): boolean {
    return this.#replied;
  }

  get signal(): AbortSignal {
    this.#controller ??= this.#signals.open(this.#replied);
    return this.#controller.signal;
  }

  reply(response: unknown): void {
    if (this.#replied) throw alreadyReplied();
    this.#ask.succeed(this.#copy(response, this.#serializer));
    this.#close();
  }

  sendFailure(failure: Error): void {
    if (this.#replied) throw alreadyReplied();
    this.#close();
    this.#ask.onFailure(toError(failure));
  }

  #close(): void {
    this.#replied = true;
    if (this.#controller !== undefined) this.#signals.close(this.#controller);
  }
}

function alreadyReplied(): RpcError {
  return new RpcError("STOPPED", "Promise already completed.");
}
