/**
 * The Sparks that an environment talks with, and what is remembered of them when a connection is gone.
 *
 * What is remembered is a guess: who listens at an address may have been replaced by another version since.
 *
 * @module
 */

import type { Deadlines } from "../base/deadlines.ts";
import type { Logger } from "../base/logger.ts";
import type { SparkVersion } from "../serializer/java/spark_versions.ts";
import type { SerializerContext } from "../serializer/serializer.ts";
import type { TransportClient } from "../transport/transport_client.ts";
import type { RpcAddress } from "./rpc_address.ts";
import { RpcConnection } from "./rpc_connection.ts";
import { SparkPeer } from "./spark_peer.ts";
import type { VersionedContent } from "./versioned_content.ts";

/** Of how many addresses the version is remembered; the one that was learnt first goes first. */
export const MAX_REMEMBERED_PEERS = 1_024;

/** What they need of their environment. */
export interface SparkPeersOptions {
  /** The context in which content is written for nobody in particular. */
  readonly encoding: SerializerContext;
  /** Knows the time, and when a peer has been silent for too long. */
  readonly deadlines: Deadlines;
  /** The most bytes of answers to one peer that may wait until it is known, and of asks that may be kept to be sent again. */
  readonly maxOutboxBytes: number;
  /** Hears of peers that cannot be spoken to. */
  readonly logger: Logger;
}

/** The Sparks that an environment talks with. */
export class SparkPeers {
  readonly encoding: SerializerContext;
  readonly deadlines: Deadlines;
  readonly maxOutboxBytes: number;
  readonly logger: Logger;
  readonly #versions = new Map<string, SparkVersion>();
  #keptBytes = 0;

  /** @param options What they need. */
  constructor({ encoding, deadlines, maxOutboxBytes, logger }: SparkPeersOptions) {
    this.encoding = encoding;
    this.deadlines = deadlines;
    this.maxOutboxBytes = maxOutboxBytes;
    this.logger = logger;
  }

  /** The peer that `client` leads to; without a connection, what is remembered of the one at `address`. */
  at(client: TransportClient | undefined, address: RpcAddress | undefined): SparkPeer {
    const connection = client?.channel.attachment;
    return connection instanceof RpcConnection ? connection.spark : new SparkPeer(this, undefined, address?.hostPort);
  }

  /** The peer of a new connection. */
  of(client: TransportClient, address: RpcAddress): SparkPeer {
    // An accepted connection comes from a port that will be another's.
    return new SparkPeer(this, client, client.channel.dialled ? address.hostPort : undefined);
  }

  /** Bytes of the asks that are kept since they may have to be sent again. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** Whether there is room to keep an ask until it is answered; one that is not kept is not sent again. */
  keep({ bytes: { length } }: VersionedContent): boolean {
    if (this.#keptBytes > 0 && this.#keptBytes + length > this.maxOutboxBytes) return false;
    this.#keptBytes += length;
    return true;
  }

  /** An ask that was kept has been answered, or is sent again. */
  release({ bytes: { length } }: VersionedContent): void {
    this.#keptBytes -= length;
  }

  /** What listened at `address`, as far as is known. */
  remembered(address: string): SparkVersion | undefined {
    return this.#versions.get(address);
  }

  /** Remembers what listens at `address`. */
  remember(address: string, version: SparkVersion): void {
    if (!this.#versions.has(address) && this.#versions.size === MAX_REMEMBERED_PEERS) {
      for (const oldest of this.#versions.keys()) {
        this.#versions.delete(oldest);
        break;
      }
    }
    this.#versions.set(address, version);
  }
}
