/**
 * The outboxes of an environment, by the address that they lead to.
 *
 * Spark: `outboxes` and `postToOutbox` in core/…/rpc/netty/NettyRpcEnv.scala.
 *
 * @module
 */

import type { Deadlines } from "../base/deadlines.ts";
import { RpcError, RpcOverloadedError, RpcStoppedError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { isWorthALine } from "../base/sparse_logging.ts";
import type { TransportClient } from "../transport/transport_client.ts";
import type { NettyRpcEndpointRef } from "./netty_rpc_endpoint_ref.ts";
import type { OneWayOutboxMessage } from "./one_way_outbox_message.ts";
import { Outbox } from "./outbox.ts";
import type { PendingAsk } from "./pending_ask.ts";
import { RpcAddress } from "./rpc_address.ts";
import type { OutboxStats } from "./rpc_env_stats.ts";
import type { SparkPeers } from "./spark_peers.ts";
import { invalidAddress } from "./spark_uri.ts";
import { HeldBack, type VersionedContent } from "./versioned_content.ts";

/** What the outboxes need of their environment. */
export interface OutboxesOptions {
  /** The most bytes that may wait for one address. */
  readonly maxOutboxBytes: number;
  /** The largest frame, in bytes without its length field. */
  readonly maxFrameBytes: number;
  /** Times out asks that wait for a connection. */
  readonly deadlines: Deadlines;
  /** Hears of lost messages. */
  readonly logger: Logger;
  /** Knows what the peer of a connection can read. */
  readonly sparkPeers: SparkPeers;
  /** Dials. */
  connect(address: RpcAddress): Promise<TransportClient>;
}

/** All outboxes of an environment. */
export class Outboxes {
  /** What they need. */
  readonly options: OutboxesOptions;
  /** One-way messages that were lost on their way out: no connection, or no room. */
  lostMessages = 0;
  readonly #byAddress = new Map<string, Outbox>();
  /** Those in which something waits for what the peer of a connection is. */
  readonly #held = new Map<TransportClient, Outbox>();

  /** @param options What they need. */
  constructor(options: OutboxesOptions) {
    this.options = options;
  }

  /**
   * The outbox of `address`.
   *
   * @throws {RpcError} With code INVALID_ADDRESS if there is no address.
   */
  #get(address: RpcAddress | undefined): Outbox {
    if (address === undefined) {
      throw invalidAddress("requirement failed: Cannot send message to client endpoint with no listen address.");
    }
    const canonical = canonicalAddress(address);
    let outbox = this.#byAddress.get(canonical.hostPort);
    if (outbox === undefined) {
      outbox = new Outbox(canonical, this);
      this.#byAddress.set(canonical.hostPort, outbox);
      this.options.deadlines.add(outbox);
    }
    return outbox;
  }

  /** The outbox in which messages to `ref` may have to wait; none for one that is bound to a connection, unless some wait there. */
  #of(ref: NettyRpcEndpointRef): Outbox | undefined {
    if (ref.client !== undefined) return this.#held.size === 0 ? undefined : this.#held.get(ref.client);
    // The reference remembers it: finding it by address costs as much as sending.
    if (ref.outbox === undefined || ref.outbox.stopped) ref.outbox = this.#get(ref.address);
    return ref.outbox;
  }

  /** Sends an ask: over the connection that `ref` is bound to, or through the outbox of its address. */
  ask(ref: NettyRpcEndpointRef, ask: PendingAsk): void {
    const outbox = this.#of(ref);
    const client = outbox === undefined ? ref.client : outbox.client;
    if (client !== undefined) ask.sendOver(client, ask);
    else outbox?.send(ask);
  }

  /** Sends a message that wants no answer: over the connection that `ref` is bound to, or through the outbox of its address. */
  send(ref: NettyRpcEndpointRef, message: OneWayOutboxMessage): void {
    try {
      const outbox = this.#of(ref);
      const client = outbox === undefined ? ref.client : outbox.client;
      message.client = client;
      if (client === undefined) outbox?.send(message);
      else if (!client.send(message)) this.lost(ref.address, new Error(`${client.channel.remote} is gone`));
    } catch (thrown) {
      if (thrown instanceof HeldBack && message.client !== undefined) this.#hold(message.client, thrown.content);
      else if (thrown instanceof RpcOverloadedError) this.lost(ref.address, thrown);
      else throw thrown;
    }
  }

  /** An outbox is of no more use: it has failed. */
  removeOutbox(outbox: Outbox): void {
    if (this.#byAddress.get(outbox.address.hostPort) !== outbox) return;
    this.#byAddress.delete(outbox.address.hostPort);
    this.options.deadlines.remove(outbox);
  }

  /** A one-way message was lost. */
  lost(address: RpcAddress | undefined, reason: Error): void {
    const count = ++this.lostMessages;
    if (!isWorthALine(count)) return;
    const text = `Failed to send one-way RPC to ${address ?? "a client"}: ${reason.message} (${count} lost so far)`;
    if (reason instanceof RpcStoppedError) this.options.logger.debug(text);
    else this.options.logger.warning(text);
  }

  /** A connection is gone: its outbox goes with it, so that the next message dials again. */
  connectionLost(client: TransportClient, dialled: RpcAddress): void {
    const outbox = this.#held.get(client) ?? this.#byAddress.get(dialled.hostPort);
    if (outbox === undefined || !outbox.goesOver(client)) return;
    this.#held.delete(client);
    this.removeOutbox(outbox);
    const cause = client.channel.closeReason;
    outbox.stop(new RpcError("DISCONNECTED", "Message is dropped because Outbox is stopped", { cause }));
  }

  /** Keeps a message that wants no answer until it is known what the peer of `client` is. */
  #hold(client: TransportClient, content: VersionedContent): void {
    const { host, port } = client.channel.remoteAddress;
    const address = new RpcAddress(host, port);
    let outbox = this.#held.get(client) ?? this.#byAddress.get(address.hostPort);
    // References that are bound to a connection have no outbox, as a rule.
    if (outbox?.goesOver(client) !== true) {
      outbox = new Outbox(address, this);
      this.options.deadlines.add(outbox);
    }
    outbox.hold(client, content);
  }

  /** Something waits for what the peer of `client` is: all that goes over that connection comes after. */
  holding(outbox: Outbox, client: TransportClient): void {
    this.#held.set(client, outbox);
  }

  /** Nothing does any more. */
  released(outbox: Outbox, client: TransportClient): void {
    this.#held.delete(client);
    if (this.#byAddress.get(outbox.address.hostPort) !== outbox) this.options.deadlines.remove(outbox);
  }

  /** Resolves when no outbox waits for its connection any more. */
  async connected(): Promise<void> {
    await Promise.all([...this.#all()].map((outbox) => outbox.connected));
  }

  /** Fails all that still waits. */
  stop(reason: Error): void {
    for (const outbox of this.#all()) {
      this.removeOutbox(outbox);
      outbox.stop(reason);
    }
  }

  /** A snapshot of each. */
  stats(): OutboxStats[] {
    return [...this.#all()].map((outbox) => outbox.stats());
  }

  #all(): Set<Outbox> {
    return new Set([...this.#byAddress.values(), ...this.#held.values()]);
  }
}

/** A peer may have written an IP address in another way than the connection to it has. One that is none fails its dial. */
function canonicalAddress(address: RpcAddress): RpcAddress {
  try {
    return new RpcAddress(address.host, address.port);
  } catch {
    return address;
  }
}
