/**
 * One ask that waits for its answer, from the call to its promise's settling.
 *
 * Spark: `askAbortable` in core/…/rpc/netty/NettyRpcEnv.scala, with its promise, timer and RpcOutboxMessage. Differences: an answer
 * that cannot be decoded fails its own ask and nothing else, and an ask that its reader could not decode, since it is another version
 * of Spark, is sent again once in that version's classes.
 *
 * @module
 */

import type { ByteSink } from "../base/byte_sink.ts";
import type { AskPhase } from "../base/error_codes.ts";
import {
  RpcEndpointNotFoundError,
  RpcError,
  RpcRemoteError,
  RpcStoppedError,
  RpcTimeoutError,
  toError,
} from "../base/errors.ts";
import type { MessageBody } from "../base/message_body.ts";
import { RpcFailure } from "../serializer/serializer.ts";
import type { Content, ContentWriter, RpcResponseCallback } from "../transport/rpc_response_callback.ts";
import type { TransportClient } from "../transport/transport_client.ts";
import type { Abortable } from "./abort_listeners.ts";
import type { NettyRpcEndpointRef } from "./netty_rpc_endpoint_ref.ts";
import type { NettyRpcEnv } from "./netty_rpc_env.ts";
import type { RpcTimeout } from "./rpc_timeout.ts";
import { explainRefusal } from "./spark_peer.ts";
import type { VersionedContent } from "./versioned_content.ts";

/** What only few asks have. */
interface Particulars {
  /** Ends the ask. */
  signal?: AbortSignal;
  /** It looks up an endpoint. */
  lookup?: boolean;
  /** What the asked endpoint had in its hands when it asked itself. */
  selfAskDuring?: string;
  /** The ask once more, as long as it may have to be sent again. */
  versioned?: VersionedContent | undefined;
}

/** Where a request id would be, of an ask that nobody keeps, and of one that has ended. */
const NOT_KEPT = -1;
const ENDED = -2;

/** An ask and its promise. */
export class PendingAsk implements RpcResponseCallback, ContentWriter, Abortable {
  readonly deadline: number;
  /** The answer. */
  readonly promise: Promise<unknown>;
  readonly #env: NettyRpcEnv;
  readonly #ref: NettyRpcEndpointRef;
  readonly #timeout: RpcTimeout;
  #resolve!: (value: unknown) => void;
  #reject!: (reason: unknown) => void;
  #message: unknown;
  #client: TransportClient | undefined;
  #requestId: number;
  #particulars: Particulars | undefined;

  /** @param message What is asked. @param timeout Begins now. */
  constructor(env: NettyRpcEnv, ref: NettyRpcEndpointRef, message: unknown, timeout: RpcTimeout) {
    this.#env = env;
    this.#ref = ref;
    this.#message = message;
    this.#timeout = timeout;
    this.#client = undefined;
    this.#requestId = NOT_KEPT;
    this.#particulars = undefined;
    this.deadline = env.deadlines.after(timeout.durationMs);
    made = this;
    this.promise = new Promise(PendingAsk.#settlers);
    made = undefined;
  }

  /** Keeps a new promise's functions: a closure per ask would cost more than the rest of it. */
  static readonly #settlers = (resolve: (value: unknown) => void, reject: (reason: unknown) => void): void => {
    made!.#resolve = resolve;
    made!.#reject = reject;
  };

  /** Whether the promise has been settled. */
  get settled(): boolean {
    return this.#requestId === ENDED;
  }

  /** The message once more, if it is not sure that its reader can read it. */
  get versioned(): VersionedContent | undefined {
    return this.#particulars?.versioned;
  }

  /** Ends it when `signal`, which has not yet, aborts. */
  abortBy(signal: AbortSignal): void {
    (this.#particulars ??= {}).signal = signal;
    this.#env.signals.add(signal, this);
  }

  /** It looks up an endpoint: so says its timeout, wherever that finds it. */
  markLookup(): void {
    (this.#particulars ??= {}).lookup = true;
  }

  /** The endpoint asks itself while it has a message in its hands: allowed, but it may wait for ever. */
  markSelfAsk(during: string): void {
    (this.#particulars ??= {}).selfAskDuring = during;
  }

  /** Its turn to go over `client` comes later. */
  waitFor(client: TransportClient): void {
    this.#client = client;
  }

  /** Sends `content`, which is the ask itself, or the bytes of it if it had to wait for the connection. */
  sendOver(client: TransportClient, content: Content): void {
    if (this.#requestId === ENDED) return;
    this.#client = client;
    const requestId = client.sendRpc(content, this);
    if (requestId < 0) return;
    // A getter of the message may have aborted it meanwhile.
    if (this.settled) client.removeRpcRequest(requestId);
    else this.#requestId = requestId;
  }

  /** Writes the message, which is then forgotten. */
  writeTo(out: ByteSink): void {
    const message = this.#message;
    this.#message = undefined;
    const versioned = this.#ref.write(message, out, this.#client);
    // A getter of the message may have aborted it meanwhile.
    if (versioned === undefined || this.settled || !this.#env.sparkPeers.keep(versioned)) return;
    (this.#particulars ??= {}).versioned = versioned;
  }

  /** The message, for an endpoint of this environment. */
  takeMessage(): unknown {
    const message = this.#message;
    this.#message = undefined;
    return message;
  }

  /** What keeps it when it is local, so that it can be forgotten. */
  keptAs(requestId: number): void {
    this.#requestId = requestId;
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
      this.#fail(toError(thrown));
      return;
    }
    if (this.#requestId >= 0) this.#requestId = NOT_KEPT;
    if (value instanceof RpcFailure) this.#fail(value.error);
    else this.succeed(value);
  }

  onFailure(error: Error): void {
    // What a peer's transport says may be of an ask that was never decoded; what its endpoint says is an answer, and of one that was.
    const client = this.#client;
    if (!(error instanceof RpcRemoteError) || client === undefined) this.#fail(error);
    else if (!this.#sendAgain(client, error)) {
      this.#fail(explainRefusal(error, client.channel.remote) ?? explainFailure(error, this.#ref, client.channel.remote));
    }
  }

  /** Sends the ask once more if the peer could not read its classes and now could. */
  #sendAgain(client: TransportClient, error: RpcRemoteError): boolean {
    const { sparkPeers } = this.#env;
    const content = this.versioned;
    if (!sparkPeers.at(client, this.#ref.address).refused(error, content)) return false;
    if (content === undefined || this.settled) return false;
    this.#forgetVersioned(content);
    this.#requestId = NOT_KEPT;
    try {
      this.sendOver(client, content.bytes);
    } catch (thrown) {
      this.#fail(toError(thrown));
    }
    return true;
  }

  #forgetVersioned(content: VersionedContent): void {
    this.#env.sparkPeers.release(content);
    this.#particulars!.versioned = undefined;
  }

  #fail(error: Error): void {
    if (this.#settle()) this.#reject(error);
    else this.#env.logger.debug("Ignored failure: the ask has ended", error);
  }

  onTimeout(): void {
    const error = this.#timeoutError();
    if (this.#requestId >= 0) this.#requestId = NOT_KEPT;
    if (this.#settle()) this.#reject(error);
  }

  abort(reason: unknown): void {
    if (this.#settle()) this.#reject(reason);
  }

  #settle(): boolean {
    const requestId = this.#requestId;
    if (requestId === ENDED) return false;
    this.#requestId = ENDED;
    // Whoever keeps it has let go of it already if the answer came over a connection, or if its time is up.
    if (requestId >= 0) this.#env.forget(this.#client, requestId);
    const particulars = this.#particulars;
    if (particulars === undefined) return true;
    if (particulars.signal !== undefined) this.#env.signals.remove(particulars.signal, this);
    if (particulars.versioned !== undefined) this.#forgetVersioned(particulars.versioned);
    return true;
  }

  /** How far it has come. */
  #phase(): AskPhase {
    if (this.#client === undefined) return this.#requestId >= 0 ? "waiting" : "connecting";
    return this.#requestId >= 0 ? this.#client.askPhase : "queued";
  }

  #timeoutError(): Error {
    const peer = this.#ref.address?.hostPort ?? this.#client?.channel.remote;
    const reached = this.#phase();
    if (reached === "connecting") this.#env.logger.error("Ask terminated before connecting successfully");
    const phase = this.#particulars?.lookup === true ? "lookup" : reached;
    const error = this.#timeout.noReplyError({ peer, phase });
    const selfAskDuring = this.#particulars?.selfAskDuring;
    if (selfAskDuring === undefined) return error;
    const during = `endpoint ${this.#ref.name} was still handling ${selfAskDuring} when it should have answered itself`;
    return new RpcTimeoutError(`${error.message}; ${during}`, error);
  }
}

/** The ask whose promise is being made; no longer, or the last answer of the process would be kept, and its environment. */
let made: PendingAsk | undefined;

/** What a failure that a peer's transport told as text means, where it can be told. */
function explainFailure(error: RpcRemoteError, { name, address }: NettyRpcEndpointRef, peer: string): Error {
  const { message } = error;
  const [line = ""] = message.split("\n", 1);
  if (line.endsWith(`Could not find ${name}.`)) {
    const why = ` Its environment is in client mode, so its reference leads to ${peer}, which sent it, and to nobody else`;
    const text = `Could not find ${name}.${address === undefined ? why : ""}`;
    return new RpcEndpointNotFoundError(text, name, { cause: error });
  }
  if (line.endsWith("RpcEnv already stopped.")) return new RpcStoppedError("RpcEnv already stopped.", { cause: error });
  if (message.startsWith("Corrupted block message: ")) {
    return new RpcError("NOT_FOUND", `${peer} serves blocks and has no endpoints`, { cause: error });
  }
  if (message.includes("invalid stream header: D9D9F7")) {
    const hint = 'The peer is a Spark, which cannot read CBOR: use a reference with serializer: "java"';
    return new RpcError("SERIALIZER", hint, { cause: error });
  }
  return error;
}
