/**
 * Takes what arrives on the connections of an environment: messages to the inboxes, news of connections to all of them.
 *
 * Spark: NettyRpcHandler in core/…/rpc/netty/NettyRpcEnv.scala. Difference: each address of a peer is announced once per
 * connection; there one that both dials and is dialled is announced twice.
 *
 * @module
 */

import type { MessageBody } from "../base/message_body.ts";
import type { Serializer } from "../serializer/serializer.ts";
import type { RpcHandler } from "../transport/rpc_handler.ts";
import type { RpcResponder } from "../transport/rpc_response_callback.ts";
import type { StreamManager } from "../transport/stream_manager.ts";
import type { TransportClient } from "../transport/transport_client.ts";
import { RemoteNettyRpcCallContext } from "./netty_rpc_call_context.ts";
import type { NettyRpcEnv } from "./netty_rpc_env.ts";
import type { Route } from "./route_cache.ts";
import type { RpcAddress } from "./rpc_address.ts";
import { RpcConnection } from "./rpc_connection.ts";
import { VERIFIER_NAME } from "./rpc_endpoint_verifier.ts";

/** The RpcHandler of an environment. */
export class NettyRpcHandler implements RpcHandler {
  readonly streamManager: StreamManager;
  readonly #env: NettyRpcEnv;

  /** @param streamManager Where streams come from. */
  constructor(env: NettyRpcEnv, streamManager: StreamManager) {
    this.#env = env;
    this.streamManager = streamManager;
  }

  receive(client: TransportClient, body: MessageBody, responder: RpcResponder): void {
    const connection = this.#connection(client);
    const route = this.#internalReceive(connection, body);
    const { inbox } = route;
    if (inbox === undefined) {
      responder.onFailure(this.#env.dispatcher.cannotPost(route.name));
      return;
    }
    const serializer = this.#serializer(route, body);
    const sender = route.senderAddress ?? connection.socketAddress;
    const context = new RemoteNettyRpcCallContext(sender, connection, responder, serializer, inbox.loop);
    const overload = connection.overload();
    if (overload !== undefined) {
      context.sendFailure(overload);
      return;
    }
    const bytes = body.length;
    const content = serializer.decode(body, connection.decoding(serializer));
    this.#env.dispatcher.postTo(inbox, { kind: "RpcMessage", senderAddress: sender, content, context, bytes });
  }

  receiveOneWay(client: TransportClient, body: MessageBody): void {
    const connection = this.#connection(client);
    const route = this.#internalReceive(connection, body);
    if (route.inbox === undefined) {
      this.#env.dispatcher.dropOneWay(route.name);
      return;
    }
    try {
      const serializer = this.#serializer(route, body);
      const bytes = body.length;
      const content = serializer.decode(body, connection.decoding(serializer));
      const senderAddress = route.senderAddress ?? connection.socketAddress;
      this.#env.dispatcher.postTo(route.inbox, { kind: "OneWayMessage", senderAddress, content, bytes });
    } catch (thrown) {
      this.#env.undecodedMessages++;
      throw thrown;
    }
  }

  channelReadComplete(): void {
    this.#env.dispatcher.run();
  }

  channelActive(client: TransportClient): void {
    const connection = this.#connection(client);
    this.#env.dispatcher.postToAll({ kind: "RemoteProcessConnected", remoteAddress: connection.socketAddress });
  }

  channelInactive(client: TransportClient): void {
    const connection = this.#connection(client);
    const { socketAddress, listeningAddress } = connection;
    this.#env.outboxes.connectionLost(client, socketAddress);
    // Only now: who hears of it at once, and sends, must not find this connection any more.
    connection.signals.end(client.channel.closeReason ?? new Error(`Connection from ${client.channel.remote} closed`));
    this.#env.dispatcher.postToAll({ kind: "RemoteProcessDisconnected", remoteAddress: socketAddress });
    if (listeningAddress === undefined) return;
    this.#env.dispatcher.postToAll({ kind: "RemoteProcessDisconnected", remoteAddress: listeningAddress });
  }

  exceptionCaught(client: TransportClient, cause: Error): void {
    const { socketAddress, listeningAddress } = this.#connection(client);
    const { dispatcher } = this.#env;
    dispatcher.postToAll({ kind: "RemoteProcessConnectionError", cause, remoteAddress: socketAddress });
    if (listeningAddress === undefined) return;
    dispatcher.postToAll({ kind: "RemoteProcessConnectionError", cause, remoteAddress: listeningAddress });
  }

  /** Finds where a message goes, and notes where its sender listens. What is left of `body` is the message's content. */
  #internalReceive(connection: RpcConnection, body: MessageBody): Route {
    const route = connection.routes.find(body);
    body.start += route.header.length;
    const { dispatcher } = this.#env;
    if (route.generation !== dispatcher.generation) {
      route.inbox = dispatcher.find(route.name);
      route.generation = dispatcher.generation;
    }
    if (route.senderAddress !== undefined && route.senderAddress !== connection.listeningAddress) {
      this.#sawSender(connection, route.senderAddress);
    }
    return route;
  }

  #sawSender(connection: RpcConnection, senderAddress: RpcAddress): void {
    if (connection.listeningAddress !== undefined || senderAddress.equals(connection.socketAddress)) return;
    connection.listeningAddress = senderAddress;
    this.#env.dispatcher.postToAll({ kind: "RemoteProcessConnected", remoteAddress: senderAddress });
  }

  #serializer(route: Route, content: MessageBody): Serializer {
    const { codecs } = this.#env;
    // Look-ups are in Java whatever else is accepted, or no Spark could find an endpoint here.
    return route.name === VERIFIER_NAME ? codecs.lookup : codecs.recognise(content);
  }

  #connection(client: TransportClient): RpcConnection {
    const { attachment } = client.channel;
    if (attachment instanceof RpcConnection) return attachment;
    const connection = new RpcConnection(this.#env, client);
    client.channel.attachment = connection;
    return connection;
  }
}
