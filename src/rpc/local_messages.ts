/**
 * Messages that stay within their environment: they lie in the inbox as they are, or as copies, and never see a socket.
 *
 * Spark: the local branches of `send` and `askAbortable` in core/…/rpc/netty/NettyRpcEnv.scala.
 *
 * @module
 */

import { RpcOverloadedError } from "../base/errors.ts";
import { RequestTable } from "../transport/request_table.ts";
import { CallSignals } from "./call_signals.ts";
import { describeMessage } from "./inbox_message.ts";
import { localCopy } from "./local_copy.ts";
import { type CopyLocal, LocalNettyRpcCallContext } from "./netty_rpc_call_context.ts";
import type { NettyRpcEndpointRef } from "./netty_rpc_endpoint_ref.ts";
import type { NettyRpcEnv } from "./netty_rpc_env.ts";
import type { PendingAsk } from "./pending_ask.ts";
import { RpcAddress } from "./rpc_address.ts";

/** The messages between the endpoints of one environment. */
export class LocalMessages {
  /** Who sends them: where the environment listens, or its host with port 0. */
  sender: RpcAddress;
  readonly #env: NettyRpcEnv;
  readonly #asks: RequestTable;
  readonly #signals = new CallSignals();
  readonly #copy: CopyLocal;

  /** @param maxCopiedBytes How long each may be, if their readers get copies of them. */
  constructor(env: NettyRpcEnv, maxCopiedBytes: number | undefined) {
    this.sender = new RpcAddress(env.host, 0);
    this.#env = env;
    this.#asks = new RequestTable(env.limits.maxOutstandingRequests);
    env.deadlines.add(this.#asks);
    if (maxCopiedBytes === undefined) this.#copy = (value) => value;
    else this.#copy = (value, codec) => localCopy(value, codec, env.encoding, maxCopiedBytes);
  }

  /** How many asks wait for their answers. */
  get outstandingAsks(): number {
    return this.#asks.size;
  }

  /** Sends a message to an endpoint of the environment. */
  send(ref: NettyRpcEndpointRef, message: unknown): void {
    const content = this.#copy(message, ref.serializer);
    this.#env.dispatcher.postMessage(ref.name, { kind: "OneWayMessage", senderAddress: this.sender, content });
  }

  /** Asks an endpoint of the environment. Throws RpcOverloadedError where too many asks wait. */
  ask(ask: PendingAsk, ref: NettyRpcEndpointRef, message: unknown): void {
    if (this.#asks.full) {
      const { limit } = this.#asks;
      throw new RpcOverloadedError(`Cannot ask: ${limit} local asks wait (maxOutstandingRequests)`, "local asks", limit);
    }
    const during = ref.selfInbox?.current;
    if (during !== undefined) ask.markSelfAsk(describeMessage(during));
    const { serializer } = ref;
    const { sender: senderAddress } = this;
    const context = new LocalNettyRpcCallContext(senderAddress, ask, this.#signals, this.#copy, serializer);
    // Kept first: a getter of the message may ask too, and the limit holds for that as well.
    ask.keptAs(this.#asks.add(ask));
    const content = this.#copy(message, serializer);
    // Or it has aborted this one.
    if (ask.settled) return;
    if (ask.deadline !== Infinity) this.#env.deadlines.note(ask.deadline);
    this.#env.dispatcher.postMessage(ref.name, { kind: "RpcMessage", senderAddress, content, context });
  }

  /** Forgets an ask that nobody waits for. */
  forget(requestId: number): void {
    this.#asks.take(requestId);
  }

  /** Aborts the signals of calls that have not been answered. */
  endSignals(reason: Error): void {
    this.#signals.end(reason);
  }

  /** Fails the asks that still wait. */
  stop(reason: Error): void {
    for (const ask of this.#asks.drain()) ask.onFailure(reason);
    this.#env.deadlines.remove(this.#asks);
  }
}
