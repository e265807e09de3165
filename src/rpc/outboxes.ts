/**
 * The outboxes of an environment, by the address that they lead to.
 *
 * Spark: `outboxes` and `postToOutbox` in core/…/rpc/netty/NettyRpcEnv.scala.
 *
 * @module
 */

import type { Deadlines } from "../base/deadlines.ts";
import { RpcError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { TransportClient } from "../transport/transport_client.ts";
import { Outbox } from "./outbox.ts";
import type { OutboxHost } from "./outbox.ts";
import type { RpcAddress } from "./rpc_address.ts";
import type { OutboxStats } from "./rpc_env_stats.ts";

/** What the outboxes need of their environment. */
export interface OutboxesOptions {
  /** The most bytes that may wait for one address. */
  readonly maxOutboxBytes: number;
  /** Times out asks that wait for a connection. */
  readonly deadlines: Deadlines;
  /** Hears of lost messages. */
  readonly logger: Logger;
  /** Dials. */
  connect(address: RpcAddress): Promise<TransportClient>;
}

/** All outboxes of an environment. */
export class Outboxes implements OutboxHost {
  readonly maxOutboxBytes: number;
  readonly deadlines: Deadlines;
  /** One-way messages that were lost on their way out: no connection, or no room. */
  lostMessages = 0;
  readonly #options: OutboxesOptions;
  readonly #byAddress = new Map<string, Outbox>();
  #stopped = false;

  /** @param options What they need. */
  constructor(options: OutboxesOptions) {
    this.#options = options;
    this.maxOutboxBytes = options.maxOutboxBytes;
    this.deadlines = options.deadlines;
  }

  /**
   * The outbox of `address`.
   *
   * @throws {RpcError} With code INVALID_ADDRESS if there is no address.
   */
  get(address: RpcAddress | undefined): Outbox {
    if (address === undefined) {
      throw new RpcError(
        "INVALID_ADDRESS",
        "requirement failed: Cannot send message to client endpoint with no listen address.",
      );
    }
    let outbox = this.#byAddress.get(address.hostPort);
    if (outbox === undefined) {
      outbox = new Outbox(address, this);
      this.#byAddress.set(address.hostPort, outbox);
      this.deadlines.add(outbox);
    }
    return outbox;
  }

  connect(address: RpcAddress): Promise<TransportClient> {
    return this.#options.connect(address);
  }

  removeOutbox(outbox: Outbox): void {
    if (this.#byAddress.get(outbox.address.hostPort) !== outbox) return;
    this.#byAddress.delete(outbox.address.hostPort);
    this.deadlines.remove(outbox);
  }

  lost(address: RpcAddress | undefined, reason: Error): void {
    const count = ++this.lostMessages;
    // The first, the second, the fourth … is logged: a dead peer must not become a flood of lines.
    if ((count & (count - 1)) !== 0) return;
    const text = `Failed to send one-way RPC to ${address ?? "a client"}: ${reason.message} (${count} lost so far)`;
    if (this.#stopped) this.#options.logger.debug(text);
    else this.#options.logger.warning(text);
  }

  /** A connection is gone: its outbox goes with it, so that the next message dials again. */
  connectionLost(client: TransportClient, dialled: RpcAddress): void {
    const outbox = this.#byAddress.get(dialled.hostPort);
    if (outbox === undefined || outbox.client !== client) return;
    this.removeOutbox(outbox);
    outbox.stop(new RpcError("DISCONNECTED", "Message is dropped because Outbox is stopped"));
  }

  /** Resolves when no outbox waits for its connection any more. */
  async connected(): Promise<void> {
    await Promise.all([...this.#byAddress.values()].map((outbox) => outbox.connected));
  }

  /** Fails all that still waits. */
  stop(reason: Error): void {
    this.#stopped = true;
    for (const outbox of [...this.#byAddress.values()]) {
      this.removeOutbox(outbox);
      outbox.stop(reason);
    }
  }

  /** A snapshot of each. */
  stats(): OutboxStats[] {
    return [...this.#byAddress.values()].map((outbox) => outbox.stats());
  }
}
