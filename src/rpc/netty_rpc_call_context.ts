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
  #replied = false;
  #controller: AbortController | undefined;

  constructor(senderAddress: RpcAddress) {
    this.senderAddress = senderAddress;
  }

  get replied(): boolean {
    return this.#replied;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (!this.#replied) this.watch(this.#controller);
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
    if (this.#controller !== undefined) this.unwatch(this.#controller);
  }

  protected abstract watch(controller: AbortController): void;
  protected abstract unwatch(controller: AbortController): void;
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
    super(senderAddress);
    this.#connection = connection;
    this.#responder = responder;
    this.#serializer = serializer;
    this.#loop = loop;
  }

  protected watch(controller: AbortController): void {
    this.#connection.watch(controller);
  }

  protected unwatch(controller: AbortController): void {
    this.#connection.unwatch(controller);
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

/** Answers an ask of this very environment: the same objects, nothing is encoded. */
export class LocalNettyRpcCallContext extends CallContext {
  readonly #ask: PendingAsk;
  readonly #signals: Set<AbortController>;
  readonly #copy: (value: unknown) => unknown;

  /** @param signals Those that abort when the environment stops. @param copy What is done with an answer on its way. */
  constructor(senderAddress: RpcAddress, ask: PendingAsk, signals: Set<AbortController>, copy: (value: unknown) => unknown) {
    super(senderAddress);
    this.#ask = ask;
    this.#signals = signals;
    this.#copy = copy;
  }

  protected watch(controller: AbortController): void {
    this.#signals.add(controller);
  }

  protected unwatch(controller: AbortController): void {
    this.#signals.delete(controller);
  }

  protected sendReply(response: unknown): void {
    this.#ask.succeed(this.#copy(response));
  }

  protected failAsker(error: Error): void {
    this.#ask.onFailure(error);
  }
}
