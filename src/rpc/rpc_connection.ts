/**
 * What an environment keeps for one connection: the peer's addresses, its routes, its references, and who must hear of its end.
 *
 * Spark: the fields `remoteAddresses` of NettyRpcHandler and `currentClient` of NettyRpcEnv.
 *
 * @module
 */

import { RpcOverloadedError } from "../base/errors.ts";
import type { EncodedRef, RefAddress, Serializer, SerializerContext } from "../serializer/serializer.ts";
import type { TransportClient } from "../transport/transport_client.ts";
import { CallSignals } from "./call_signals.ts";
import { NettyRpcEndpointRef } from "./netty_rpc_endpoint_ref.ts";
import type { NettyRpcEnv } from "./netty_rpc_env.ts";
import { RouteCache } from "./route_cache.ts";
import { RpcAddress } from "./rpc_address.ts";
import type { SparkPeer } from "./spark_peer.ts";

/** One connection of an environment. */
export class RpcConnection {
  /** The environment. */
  readonly env: NettyRpcEnv;
  /** Asks over the connection. */
  readonly client: TransportClient;
  /** The address that was dialled, or that an accepted connection came from. */
  readonly socketAddress: RpcAddress;
  /** Where the messages of this connection go. */
  readonly routes = new RouteCache();
  /** Where the peer listens, as its messages say, if that is another address. */
  listeningAddress: RpcAddress | undefined;
  /** The signals of the calls that came over it. */
  readonly signals = new CallSignals();
  readonly #maxAnswerBytes: number;
  readonly #decoding = new Map<Serializer, ConnectionContext>();
  #last: ConnectionContext | undefined;
  #spark: SparkPeer | undefined;

  /** @param client The connection. */
  constructor(env: NettyRpcEnv, client: TransportClient) {
    this.env = env;
    this.client = client;
    const { host, port } = client.channel.remoteAddress;
    this.socketAddress = new RpcAddress(host, port);
    this.#maxAnswerBytes = env.limits.maxQueuedBytes / 2;
  }

  /** Why the peer gets no more answers, if so: it asks faster than it reads, and with more of them the connection would be aborted. */
  overload(): RpcOverloadedError | undefined {
    const limit = this.#maxAnswerBytes;
    const { channel } = this.client;
    if (!channel.outgoing.exceeds(limit)) return undefined;
    const queue = `answers to ${channel.remote}`;
    return new RpcOverloadedError(`More than ${limit} bytes of ${queue} wait (maxQueuedBytes)`, queue, limit);
  }

  /** The context in which content of this connection is decoded: references in it are bound to the connection. */
  decoding(serializer: Serializer): SerializerContext {
    // Nearly all messages of a connection are in one codec.
    if (this.#last?.serializer === serializer) return this.#last;
    let context = this.#decoding.get(serializer);
    if (context === undefined) {
      context = new ConnectionContext(this, serializer);
      this.#decoding.set(serializer, context);
    }
    this.#last = context;
    return context;
  }

  /** The Spark at the other end, if it is one: only content in Java asks. */
  get spark(): SparkPeer {
    return this.#spark ??= this.env.sparkPeers.of(this.client, this.socketAddress);
  }

  /** Whether messages to `address` can go over this connection. */
  leadsTo(address: RpcAddress): boolean {
    return address.equals(this.listeningAddress) || (this.client.channel.dialled && address.equals(this.socketAddress));
  }
}

class ConnectionContext implements SerializerContext {
  readonly serializer: Serializer;
  readonly #connection: RpcConnection;

  constructor(connection: RpcConnection, serializer: Serializer) {
    this.#connection = connection;
    this.serializer = serializer;
  }

  get exposeStack(): boolean {
    return this.#connection.env.encoding.exposeStack;
  }

  encodeRef(ref: object): EncodedRef | undefined {
    return this.#connection.env.encoding.encodeRef(ref);
  }

  sawJavaClass(className: string, serialVersionUID: bigint): void {
    this.#connection.spark.observe(className, serialVersionUID);
  }

  decodeRef(name: string, encoded: RefAddress | undefined): object {
    const { env, client } = this.#connection;
    const { serializer } = this;
    if (encoded === undefined) return new NettyRpcEndpointRef(env, undefined, name, { client, serializer });
    const address = new RpcAddress(encoded.host, encoded.port, { asWritten: true });
    if (address.equals(env.address)) return new NettyRpcEndpointRef(env, address, name, { local: true, serializer });
    const bound = env.bindForwardedRefs || this.#connection.leadsTo(address);
    return new NettyRpcEndpointRef(env, address, name, { client: bound ? client : undefined, serializer });
  }
}
