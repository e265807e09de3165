/**
 * What an environment tells of itself: every queue, limit and counter.
 *
 * Spark's RpcEnv has no metrics; NettyMemoryMetrics.java tells of buffers only.
 *
 * @module
 */

import type { ConnectionStats } from "../transport/connection_stats.ts";
import type { TransportStats } from "../transport/transport_metrics.ts";

/** One endpoint's inbox. */
export interface EndpointStats {
  /** The endpoint's name. */
  readonly name: string;
  /** Messages that wait. */
  readonly queuedMessages: number;
  /** Bytes of those that came over connections, and of those in hand. */
  readonly bytes: number;
  /** The most that ever waited. */
  readonly maxQueuedMessages: number;
  /** Messages whose handlers have not settled. */
  readonly messagesInHand: number;
  /** Messages that were handled, network events included. */
  readonly processedMessages: number;
  /** Messages that were dropped because the inbox was full or stopped. */
  readonly droppedMessages: number;
}

/** Messages to one address that wait for its connection. */
export interface OutboxStats {
  /** Where they go. */
  readonly address: string;
  /** How many wait. */
  readonly queuedMessages: number;
  /** Their bytes, as the frames that they will be. */
  readonly queuedBytes: number;
}

/** A snapshot of an environment. */
export interface RpcEnvStats {
  /** The endpoints, the endpoint-verifier included. */
  readonly endpoints: readonly EndpointStats[];
  /** The open connections. */
  readonly connections: readonly ConnectionStats[];
  /** What connections do and have done, by module: `rpc`, and `files` for downloads. */
  readonly transports: readonly TransportStats[];
  /** The addresses that have an outbox. */
  readonly outboxes: readonly OutboxStats[];
  /** Asks of own endpoints that wait for their answers. */
  readonly localAsks: number;
  /** Signals that asks wait on. */
  readonly signals: number;
  /** Downloads that are under way. */
  readonly downloads: number;
  /** Streams that peers are being sent. */
  readonly streamsBeingSent: number;
  /** Files that the file server has open. */
  readonly openFiles: number;
  /** Messages that inboxes dropped, also of endpoints that are gone, and peers' one-way messages for endpoints that were not there. */
  readonly droppedMessages: number;
  /** One-way messages that were lost on their way out: no connection, or no room. */
  readonly lostMessages: number;
  /** One-way messages that arrived and could not be decoded. */
  readonly undecodedMessages: number;
  /** The limits in force, by their option's name. */
  readonly limits: Readonly<Record<string, number>>;
}
