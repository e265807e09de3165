/**
 * How an ask is answered: across a connection, or within the environment.
 *
 * Spark: core/…/rpc/netty/NettyRpcCallContext.scala, RemoteNettyRpcCallContext and LocalNettyRpcCallContext. Difference: a second
 * answer is refused in both cases; there a remote one is sent, and its receiver drops it.
 *
 * @module
 */

import { RpcError, toError } from "../base/errors.ts";
import type { Serializer } from "../serializer/serializer.ts";
import type { RpcResponder } from "../transport/rpc_response_callback.ts";
import type { CallSignals } from "./call_signals.ts";
import type { NettyRpcCallContext } from "./inbox_message.ts";
import type { MessageLoop } from "./message_loop.ts";
import type { PendingAsk } from "./pending_ask.ts";
import type { RpcAddress } from "./rpc_address.ts";
import { later } from "./rpc_call_context.ts";
import type { RpcConnection } from "./rpc_connection.ts";

/** Answers, once. */
abstract class CallContext implements NettyRpcCallContext {
  readonly later: typeof later = later;
  readonly senderAddress: RpcAddress;
  readonly #signals: CallSignals;
  #replied = false;
  #controller: AbortController | undefined;

  constructor(senderAddress: RpcAddress, signals: CallSignals) {
    this.senderAddress = senderAddress;
    this.#signals = signals;
  }

  get replied(): boolean {
    return this.#replied;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (!this.#replied) this.#signals.watch(this.#controller);
    }
    return this.#controller.signal;
  }

  reply(response: unknown): void {
    this.#checkOpen();
    this.sendReply(response);
    this.#close();
  }

  sendFailure(error: Error): void {
    this.#checkOpen();
    this.#close();
    this.failAsker(error);
  }

  #checkOpen(): void {
    if (this.#replied) throw new RpcError("STOPPED", "Promise already completed.");
  }

  #close(): void {
    this.#replied = true;
    if (this.#controller !== undefined) this.#signals.unwatch(this.#controller);
  }

  protected abstract sendReply(response: unknown): void;
  protected abstract failAsker(error: Error): void;
}

/** Answers an ask that came over a connection, in the codec that it came in. */
export class RemoteNettyRpcCallContext extends CallContext {
  readonly #connection: RpcConnection;
  readonly #responder: RpcResponder;
  readonly #serializer: Serializer;
  readonly #loop: MessageLoop;

  /** @param responder Sends the answer. @param loop Is told how many bytes were written. */
  constructor(
    senderAddress: RpcAddress,
    connection: RpcConnection,
    responder: RpcResponder,
    serializer: Serializer,
    loop: MessageLoop,
  ) {
    super(senderAddress, connection.signals);
    this.#connection = connection;
    this.#responder = responder;
    this.#serializer = serializer;
    this.#loop = loop;
  }

  protected sendReply(response: unknown): void {
    const { encoding } = this.#connection.env;
    this.#loop.replied(this.#responder.onSuccess((out) => this.#serializer.encode(response, out, encoding)));
  }

  protected failAsker(error: Error): void {
    const { encoding } = this.#connection.env;
    try {
      this.#responder.onSuccess((out) => this.#serializer.encodeFailure(error, out, encoding));
    } catch (thrown) {
      this.#connection.env.logger.debug("Failure was sent as text since it could not be encoded", toError(thrown));
      this.#responder.onFailure(error);
    }
  }
}

/** What is done with a message or an answer on its way within an environment; `codec` is that of the reference in use. */
export type CopyLocal = (value: unknown, codec: Serializer) => unknown;

/** Answers an ask of this very environment: the same objects, or copies of them. */
export class LocalNettyRpcCallContext extends CallContext {
  readonly #ask: PendingAsk;
  readonly #copy: CopyLocal;
  readonly #serializer: Serializer;

  /** @param signals Those that abort when the environment stops. @param serializer The codec of the ask. */
  constructor(
    senderAddress: RpcAddress,
    ask: PendingAsk,
    signals: CallSignals,
    copy: CopyLocal,
    serializer: Serializer,
  ) {
    super(senderAddress, signals);
    this.#ask = ask;
    this.#copy = copy;
    this.#serializer = serializer;
  }

  protected sendReply(response: unknown): void {
    this.#ask.succeed(this.#copy(response, this.#serializer));
  }

  protected failAsker(error: Error): void {
    this.#ask.onFailure(error);
  }
}
