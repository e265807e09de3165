/**
 * The connections that transfers of blocks go over: shared with others, or of their own where somebody may stop them.
 *
 * @module
 */

import type { TransportClient } from "../transport/transport_client.ts";
import type { TransportClientFactory } from "../transport/transport_client_factory.ts";
import type { BlockPeer } from "./block_transfer_service.ts";

/** A connection for one transfer. */
export interface BlockConnection {
  /** The connection. */
  readonly client: TransportClient;
  /** The transfer is over: a connection of its own closes. If it was stopped, which has a reason, the connection is cut off. */
  done(reason?: Error): void;
}

/** Gives connections to transfers. */
export class BlockConnections {
  readonly #factory: () => Promise<TransportClientFactory>;

  /** @param factory Gives what dials. */
  constructor(factory: () => Promise<TransportClientFactory>) {
    this.#factory = factory;
  }

  /**
   * A connection to `peer`: a shared one, or with a signal one that nobody else has.
   *
   * @param peer Who is dialled.
   * @param signal Gives up the dial.
   * @param fastFail Whether a peer that could not be reached a moment ago fails at once.
   */
  async connect({ host, port }: BlockPeer, signal: AbortSignal | undefined, fastFail: boolean): Promise<BlockConnection> {
    const factory = await this.#factory();
    const client = signal === undefined
      ? await factory.createClient({ host, port }, { fastFail })
      : await factory.createUnmanagedClient({ host, port }, { signal });
    return {
      client,
      done(reason) {
        // Only the end of the service stops a transfer over a shared one, and all others with it: none has anything left to send.
        if (reason !== undefined) client.channel.abort(reason);
        else if (signal !== undefined) client.close();
      },
    };
  }
}
