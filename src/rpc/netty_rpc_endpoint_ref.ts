/**
 * A reference that sends through an environment: locally, over the connection that it came by, or through an outbox.
 *
 * Spark: NettyRpcEndpointRef in core/…/rpc/netty/NettyRpcEnv.scala. Differences: a reference without an address is local only in
 * the environment that made it, and one that came over a connection is bound to it only where that leads to its owner.
 *
 * @module
 */

import type { ByteSink } from "../base/byte_sink.ts";
import { ENCODED_REF, type EncodedRef, type Serializer } from "../serializer/serializer.ts";
import type { TransportClient } from "../transport/transport_client.ts";
import type { Inbox } from "./inbox.ts";
import type { NettyRpcEnv } from "./netty_rpc_env.ts";
import type { Outbox } from "./outbox.ts";
import { encodeRequestHeader } from "./request_message.ts";
import { RpcAddress } from "./rpc_address.ts";
import { RpcEndpointAddress } from "./rpc_endpoint_address.ts";
import type { AbortableRpcFuture, AskOptions, RpcEndpointRef } from "./rpc_endpoint_ref.ts";
import type { VersionedContent } from "./versioned_content.ts";

/** Which way a reference sends. */
export interface RefRoute {
  /** The endpoint lives in the same environment. */
  readonly local?: boolean;
  /** The connection that leads to it. Spark: client. */
  readonly client?: TransportClient | undefined;
  /** The codec of what it sends; the environment's default if absent. */
  readonly serializer?: Serializer | undefined;
  /** Set on the reference that is an endpoint's own `self`. */
  readonly selfInbox?: Inbox | undefined;
}

/** A reference of an environment. */
export class NettyRpcEndpointRef implements RpcEndpointRef {
  readonly endpointAddress: RpcEndpointAddress;
  // All else is private, so that a reference that is printed shows its address and not the whole environment.
  readonly #env: NettyRpcEnv;
  readonly #route: RefRoute;
  readonly #serializer: Serializer;
  #outbox: Outbox | undefined;
  #header: Uint8Array | undefined;

  /** @param address Where the endpoint's environment listens, if it does. */
  constructor(env: NettyRpcEnv, address: RpcAddress | undefined, name: string, route: RefRoute = {}) {
    this.#env = env;
    this.endpointAddress = new RpcEndpointAddress(address, name);
    this.#route = route;
    this.#serializer = route.serializer ?? env.codecs.default;
  }

  get name(): string {
    return this.endpointAddress.name;
  }

  get address(): RpcAddress | undefined {
    return this.endpointAddress.rpcAddress;
  }

  /** How it travels. */
  get [ENCODED_REF](): EncodedRef {
    return { name: this.name, address: this.address, askTimeout: this.#env.askTimeout };
  }

  /** Whether the endpoint lives in the same environment. */
  get local(): boolean {
    return this.#route.local === true;
  }

  /** Whether the endpoint lives in `env`, or did. */
  isLocalTo(env: NettyRpcEnv): boolean {
    return this.local && this.#env === env;
  }

  /** The connection that it is bound to. */
  get client(): TransportClient | undefined {
    return this.#route.client;
  }

  /** The inbox behind an endpoint's own `self`. */
  get selfInbox(): Inbox | undefined {
    return this.#route.selfInbox;
  }

  /** The codec of what it sends. */
  get serializer(): Serializer {
    return this.#serializer;
  }

  /** The outbox that it used last. */
  get outbox(): Outbox | undefined {
    return this.#outbox;
  }

  set outbox(outbox: Outbox | undefined) {
    this.#outbox = outbox;
  }

  /**
   * Writes what a message consists of: the header, which is the same each time, and the encoded message.
   *
   * @param client The connection that it is for, if there is one yet.
   * @returns The same once more if it is not sure that the peer, a Spark, can read it.
   */
  write(message: unknown, out: ByteSink, client: TransportClient | undefined): VersionedContent | undefined {
    this.#header ??= encodeRequestHeader(this.#env.address, this.address, this.name);
    if (this.#serializer.variesBySpark === true) {
      const peer = this.#env.sparkPeers.at(client ?? this.client, this.address);
      return peer.write(this.#serializer, message, out, this.#header);
    }
    out.writeBytes(this.#header);
    this.#serializer.encode(message, out, this.#env.encoding);
    return undefined;
  }

  send(message: unknown): void {
    this.#env.send(this, message);
  }

  ask(message: unknown, options?: AskOptions): Promise<unknown> {
    return this.#env.ask(this, message, options);
  }

  askAbortable(message: unknown, options?: AskOptions): AbortableRpcFuture {
    return this.#env.askAbortable(this, message, options);
  }

  equals(other: unknown): boolean {
    return other instanceof NettyRpcEndpointRef && this.endpointAddress.equals(other.endpointAddress);
  }

  toString(): string {
    return `NettyRpcEndpointRef(${this.endpointAddress})`;
  }
}

/** How `value` travels, if it is a reference. Throws a TypeError for a typed one. */
export function encodeRef(value: object): EncodedRef | undefined {
  if (value instanceof NettyRpcEndpointRef) return value[ENCODED_REF];
  if (!(ENCODED_REF in value)) return undefined;
  // Codecs know an address by this copy's class.
  const { address, ...rest } = value[ENCODED_REF] as EncodedRef;
  return { ...rest, address: address && new RpcAddress(address.host, address.port) };
}
