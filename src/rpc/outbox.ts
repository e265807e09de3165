/**
 * What waits for the connection to one address, and that connection once it is there.
 *
 * Spark: core/…/rpc/netty/Outbox.scala. Differences: it is bounded, an ask whose time is up before the connection stands is not
 * sent any more, and every message that cannot be sent is told so.
 *
 * @module
 */

import { ByteSink } from "../base/byte_sink.ts";
import type { DeadlineSource } from "../base/deadlines.ts";
import { RpcError, RpcOverloadedError, RpcStoppedError, toError } from "../base/errors.ts";
import { FRAME_LENGTH_BYTES } from "../protocol/frame_length.ts";
import { ONE_WAY_HEAD_BYTES, RPC_HEAD_BYTES } from "../protocol/message_encoder.ts";
import { checkWritten, frameTooLarge } from "../transport/outgoing_limits.ts";
import type { ContentWriter } from "../transport/rpc_response_callback.ts";
import type { TransportClient } from "../transport/transport_client.ts";
import { OneWayOutboxMessage } from "./one_way_outbox_message.ts";
import type { Outboxes } from "./outboxes.ts";
import type { PendingAsk } from "./pending_ask.ts";
import type { RpcAddress } from "./rpc_address.ts";
import type { OutboxStats } from "./rpc_env_stats.ts";
import type { SparkPeer } from "./spark_peer.ts";
import type { VersionedContent } from "./versioned_content.ts";

/** A message that waits. Spark: OneWayOutboxMessage and RpcOutboxMessage. */
interface OutboxMessage {
  readonly bytes: Uint8Array;
  /** What has these bytes and can change them, if it is not sure that its reader can read them. */
  readonly versioned: VersionedContent | undefined;
  /** The ask that wants the answer; undefined for a one-way message. */
  readonly ask: PendingAsk | undefined;
}

/** The messages to one address, in order. */
export class Outbox implements DeadlineSource {
  /** Where they go. */
  readonly address: RpcAddress;
  readonly #host: Outboxes;
  #messages: OutboxMessage[] = [];
  #queuedBytes = 0;
  #client: TransportClient | undefined;
  /** The connection, while something waits for what its peer is. */
  #held: TransportClient | undefined;
  #dialled = false;
  #dial: Promise<void> = Promise.resolve();
  #stopped = false;

  /** @param address Where messages go. @param host Hears what becomes of them. */
  constructor(address: RpcAddress, host: Outboxes) {
    this.address = address;
    this.#host = host;
  }

  /** The connection, if it stands and nothing waits for its turn before. */
  get client(): TransportClient | undefined {
    return this.#client;
  }

  /** Whether its messages go over `client`, now or in their turn. */
  goesOver(client: TransportClient): boolean {
    return this.#client === client || this.#held === client;
  }

  /** Resolves when the dial that is under way has ended, one way or the other, and what waited has been sent. */
  get connected(): Promise<void> {
    return this.#dial;
  }

  /** Whether it takes no more messages. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** How many messages wait, each of which may have a deadline. */
  get size(): number {
    return this.#messages.length;
  }

  /**
   * Keeps a message until the connection stands, which is dialled if need be. Throws what its content throws, a ProtocolError if no frame
   * can hold it, and an RpcOverloadedError at the limit; a message alone always has room.
   */
  send(outgoing: OneWayOutboxMessage | PendingAsk): void {
    if (this.#stopped) throw new RpcStoppedError("Message is dropped because Outbox is stopped");
    const ask = outgoing instanceof OneWayOutboxMessage ? undefined : outgoing;
    if (this.#held !== undefined) ask?.waitFor(this.#held);
    try {
      const written = toBytes(outgoing, this.#host.options.maxFrameBytes);
      const { versioned } = outgoing;
      const message = { bytes: versioned?.bytes ?? written, versioned, ask };
      this.#checkSize(sizeOf(message));
      this.#add(message);
    } catch (thrown) {
      this.#removeIfUnused(toError(thrown));
      throw thrown;
    }
    if (ask !== undefined && ask.deadline !== Infinity) this.#host.options.deadlines.note(ask.deadline);
    if (!this.#dialled && this.#held === undefined) this.#dial = this.#connect();
  }

  /** Keeps a message that wants no answer, and all that follow it, until it is known what the peer of `client` is. */
  hold(client: TransportClient, content: VersionedContent): void {
    this.#client = undefined;
    this.#add({ bytes: content.bytes, versioned: content, ask: undefined });
    if (this.#held === undefined) this.#dial = this.#drain(client);
  }

  /** Nobody dials for it, so it would stay as long as the environment: it goes when a connection fails or is lost. */
  #removeIfUnused(reason: Error): void {
    if (this.#dialled || this.#held !== undefined || this.#client !== undefined) return;
    this.#host.removeOutbox(this);
    this.stop(reason);
  }

  #add(message: OutboxMessage): void {
    this.#messages.push(message);
    this.#queuedBytes += sizeOf(message);
  }

  #checkSize(size: number): void {
    const { maxFrameBytes, maxOutboxBytes: limit } = this.#host.options;
    if (size - FRAME_LENGTH_BYTES > maxFrameBytes) throw frameTooLarge(size - FRAME_LENGTH_BYTES, maxFrameBytes);
    if (this.#messages.length > 0 && this.#queuedBytes + size > limit) {
      const queue = `outbox to ${this.address}`;
      const message = `Cannot send ${size} bytes: the ${queue} holds ${this.#queuedBytes} of ${limit} (maxOutboxBytes)`;
      throw new RpcOverloadedError(message, queue, limit);
    }
  }

  /** Fails all that waits; nothing more is taken. */
  stop(reason: Error): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#client = undefined;
    const messages = this.#messages;
    this.#messages = [];
    this.#queuedBytes = 0;
    for (const { ask } of messages) {
      if (ask === undefined) this.#host.lost(this.address, reason);
      else ask.onFailure(reason);
    }
  }

  /** A snapshot. */
  stats(): OutboxStats {
    return { address: this.address.hostPort, queuedMessages: this.size, queuedBytes: this.#queuedBytes };
  }

  expire(now: number): number {
    let earliest = Infinity;
    const late: PendingAsk[] = [];
    this.#messages = this.#messages.filter((message) => {
      const { ask } = message;
      if (ask === undefined) return true;
      if (!ask.settled && ask.deadline > now) {
        earliest = Math.min(earliest, ask.deadline);
        return true;
      }
      this.#queuedBytes -= sizeOf(message);
      late.push(ask);
      return false;
    });
    for (const ask of late) ask.onTimeout();
    return earliest;
  }

  async #connect(): Promise<void> {
    this.#dialled = true;
    try {
      const client = await this.#host.options.connect(this.address);
      if (this.#stopped) return;
      if (!client.isActive) {
        throw client.channel.closeReason ?? new RpcError("DISCONNECTED", `Connection to ${this.address} closed`);
      }
      await this.#drain(client);
    } catch (thrown) {
      if (this.#stopped) return;
      this.#host.removeOutbox(this);
      this.stop(toError(thrown));
    }
  }

  /** Sends what waits, in order; nothing passes a message that waits for what the peer is. */
  async #drain(client: TransportClient): Promise<void> {
    this.#held = client;
    for (let waiting = this.#sendAll(client); waiting !== undefined; waiting = this.#sendAll(client)) {
      this.#host.holding(this, client);
      await waiting;
    }
    this.#held = undefined;
    if (!this.#stopped) this.#client = client;
    this.#host.released(this, client);
  }

  /** Sends what waits, up to a message that the peer might not read: then a promise of when to go on. */
  #sendAll(client: TransportClient): Promise<void> | undefined {
    while (this.#messages.length > 0) {
      // What is sent while these are comes after them.
      const messages = this.#messages;
      this.#messages = [];
      for (let next = 0; next < messages.length; next++) {
        const waiting = this.#sendOne(client, messages[next]!);
        if (waiting === undefined) continue;
        this.#messages = [...messages.slice(next), ...this.#messages];
        this.#queuedBytes = this.#messages.reduce((sum, message) => sum + sizeOf(message), 0);
        return waiting;
      }
    }
    this.#queuedBytes = 0;
    return undefined;
  }

  #sendOne(client: TransportClient, { bytes, versioned, ask }: OutboxMessage): Promise<void> | undefined {
    try {
      if (ask !== undefined) {
        if (versioned !== undefined) this.#peerOf(client).aim(versioned);
        ask.sendOver(client, bytes);
        return undefined;
      }
      const waiting = versioned === undefined ? undefined : this.#peerOf(client).prepare(versioned);
      if (waiting !== undefined) return waiting;
      if (!client.send(bytes)) throw new RpcError("DISCONNECTED", `Connection to ${this.address} closed`);
    } catch (thrown) {
      const error = toError(thrown);
      if (ask === undefined) this.#host.lost(this.address, error);
      else ask.onFailure(error);
    }
    return undefined;
  }

  #peerOf(client: TransportClient): SparkPeer {
    return this.#host.options.sparkPeers.at(client, undefined);
  }
}

/** What it takes on the connection, which has the same limit: what was taken here is not refused there. */
function sizeOf({ bytes, ask }: OutboxMessage): number {
  return bytes.length + (ask === undefined ? ONE_WAY_HEAD_BYTES : RPC_HEAD_BYTES);
}

function toBytes(content: ContentWriter, maxFrameBytes: number): Uint8Array {
  const out = new ByteSink(256, (position) => checkWritten(position, maxFrameBytes));
  content.writeTo(out);
  return out.copy();
}
