/**
 * One ask that waits for its answer, from the call to its promise's settling.
 *
 * Spark: `askAbortable` in core/…/rpc/netty/NettyRpcEnv.scala, with its promise, timer and RpcOutboxMessage. Difference: an answer
 * that cannot be decoded fails its own ask and nothing else.
 *
 * @module
 */

import type { AskPhase } from "../base/errors.ts";
import { RpcEndpointNotFoundError, RpcError, RpcRemoteError, RpcStoppedError, toError } from "../base/errors.ts";
import type { MessageBody } from "../protocol/message_body.ts";
import { RpcFailure } from "../serializer/serializer.ts";
import type { Content, RpcResponseCallback } from "../transport/rpc_response_callback.ts";
import type { TransportClient } from "../transport/transport_client.ts";
import type { Abortable } from "./abort_listeners.ts";
import type { NettyRpcEndpointRef } from "./netty_rpc_endpoint_ref.ts";
import type { NettyRpcEnv } from "./netty_rpc_env.ts";
import type { RpcTimeout } from "./rpc_timeout.ts";

/** An ask and its promise. */
export class PendingAsk implements RpcResponseCallback, Abortable {
  readonly deadline: number;
  /** The answer. */
  readonly promise: Promise<unknown>;
  readonly #env: NettyRpcEnv;
  readonly #ref: NettyRpcEndpointRef;
  readonly #timeout: RpcTimeout;
  readonly #signal: AbortSignal | undefined;
  readonly #resolve: (value: unknown) => void;
  readonly #reject: (reason: unknown) => void;
  #phase: AskPhase;
  #client: TransportClient | undefined;
  #requestId = -1;
  #settled = false;
  /** What the asked endpoint had in its hands when it asked itself. */
  #selfAskDuring: string | undefined;

  /** @param phase Where a timeout before the message is sent finds it. */
  constructor(env: NettyRpcEnv, ref: NettyRpcEndpointRef, timeout: RpcTimeout, phase: AskPhase, signal?: AbortSignal) {
    this.#env = env;
    this.#ref = ref;
    this.#timeout = timeout;
    this.#phase = phase;
    this.#signal = signal;
    this.deadline = env.deadlines.now() + timeout.durationMs;
    this.promise = new Promise(captureSettlers);
    this.#resolve = settlers.resolve;
    this.#reject = settlers.reject;
    signal?.throwIfAborted();
    if (signal !== undefined) env.signals.add(signal, this);
  }

  /** Whether the promise has been settled. */
  get settled(): boolean {
    return this.#settled;
  }

  /** Sends the message over a connection. */
  sendOver(client: TransportClient, content: Content): void {
    if (this.#settled) return;
    this.#client = client;
    this.#phase = this.#phase === "lookup" ? "lookup" : "waiting";
    this.#requestId = client.sendRpc(content, this);
  }

  /** The endpoint asks itself while it has a message in its hands: allowed, but it may wait for ever. */
  markSelfAsk(during: string): void {
    this.#selfAskDuring = during;
  }

  /** What keeps it when it is local, so that it can be forgotten. */
  keptAs(requestId: number): void {
    this.#requestId = requestId;
    this.#phase = "waiting";
  }

  /** The answer, from this environment itself. */
  succeed(value: unknown): void {
    if (this.#settle()) this.#resolve(value);
    else this.#env.logger.debug("Ignored message: the ask has ended");
  }

  onSuccess(body: MessageBody): void {
    let value: unknown;
    try {
      value = this.#env.decodeReply(this.#client, body);
    } catch (thrown) {
      this.onFailure(toError(thrown));
      return;
    }
    this.#requestId = -1;
    if (value instanceof RpcFailure) this.onFailure(value.error);
    else this.succeed(value);
  }

  onFailure(error: Error): void {
    if (this.#settle()) this.#reject(error instanceof RpcRemoteError ? explainFailure(error, this.#ref.name) : error);
    else this.#env.logger.debug("Ignored failure: the ask has ended", error);
  }

  onTimeout(): void {
    this.#requestId = -1;
    if (this.#settle()) this.#reject(this.#timeoutError());
  }

  abort(reason: unknown): void {
    if (this.#settle()) this.#reject(reason);
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    // Whoever keeps it has let go of it already if the answer came over a connection, or if its time is up.
    if (this.#requestId >= 0) this.#env.forget(this.#client, this.#requestId);
    if (this.#signal !== undefined) this.#env.signals.remove(this.#signal, this);
    return true;
  }

  #timeoutError(): Error {
    const peer = this.#ref.address?.hostPort ?? this.#client?.channel.remote;
    let phase = this.#phase;
    if (phase === "waiting" && this.#client?.channel.outgoing.empty === false) phase = "queued";
    if (this.#client === undefined && phase !== "lookup" && phase !== "waiting") {
      this.#env.logger.error("Ask terminated before connecting successfully");
    }
    const error = this.#timeout.noReplyError({ peer, phase });
    if (this.#selfAskDuring === undefined) return error;
    const during = `endpoint ${this.#ref.name} was still handling ${this.#selfAskDuring} when it should have answered itself`;
    return this.#timeout.timeoutError(`${error.message}; ${during}`, { peer, phase, cause: error });
  }
}

/** Where `captureSettlers` leaves a new promise's functions: a closure per ask would cost more than the rest of it. */
const settlers: { resolve: (value: unknown) => void; reject: (reason: unknown) => void } = {
  resolve: () => {},
  reject: () => {},
};

function captureSettlers(resolve: (value: unknown) => void, reject: (reason: unknown) => void): void {
  settlers.resolve = resolve;
  settlers.reject = reject;
}

/** What a failure that came as text means, where it can be told. */
function explainFailure(error: RpcRemoteError, name: string): Error {
  const { message } = error;
  const [line = ""] = message.split("\n", 1);
  if (line.endsWith(`Could not find ${name}.`)) {
    return new RpcEndpointNotFoundError(`Could not find ${name}.`, name, { cause: error });
  }
  if (line.endsWith("RpcEnv already stopped.")) return new RpcStoppedError("RpcEnv already stopped.", { cause: error });
  if (message.includes("invalid stream header: D9D9F7")) {
    const hint = 'The peer is a Spark, which cannot read CBOR: use a reference with serializer: "java"';
    return new RpcError("SERIALIZER", hint, { cause: error });
  }
  return error;
}
