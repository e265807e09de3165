/**
 * What the connections of a context have done, those that are gone included.
 *
 * Spark: `registeredConnections` of TransportContext.java and the metrics of shuffle/ExternalBlockHandler.java. NettyMemoryMetrics.java
 * tells of allocators, which are not here.
 *
 * @module
 */

import type { ConnectionStats } from "./connection_stats.ts";
import { LatencyHistogram, type LatencyStats } from "./latency_histogram.ts";

/** A snapshot of a context. What ends in a participle counts up; the rest is what there is at the moment. */
export interface TransportStats {
  /** The module that its settings are of: `rpc`, `files`, `shuffle`. */
  readonly module: string;
  /** Open connections, dialled and accepted. Spark: registeredConnections. */
  readonly connections: number;
  /** Connections that were opened, by either side. */
  readonly connectionsOpened: number;
  /** Connections that are closed. */
  readonly connectionsClosed: number;
  /** Dials that came to nothing, those of bootstraps that failed included. */
  readonly dialsFailed: number;
  /** Connections that broke: a reset, or bytes that are no message. */
  readonly connectionsBroken: number;
  /** Connections that were closed because they were silent for too long. */
  readonly connectionsTimedOut: number;
  /** Connections that were reset as soon as they were accepted, since there were `maxConnections`. */
  readonly connectionsRefused: number;
  /** Bytes that have arrived. */
  readonly bytesRead: number;
  /** Bytes that have been handed to sockets. */
  readonly bytesWritten: number;
  /** Frames that have arrived. */
  readonly framesRead: number;
  /** Frames that were sent, or are about to be. */
  readonly framesWritten: number;
  /** Own requests, chunks and streams that wait for their answers. */
  readonly outstandingRequests: number;
  /** Requests of peers that have not been answered. */
  readonly unansweredRequests: number;
  /** Bytes that wait to be sent. */
  readonly queuedBytes: number;
  /** Streams that were sent to their ends. */
  readonly streamsSent: number;
  /** Chunks that were sent to their ends. */
  readonly chunksSent: number;
  /** Streams and chunks that were refused or broke off. */
  readonly transfersFailed: number;
  /** Uploads that came to their ends. */
  readonly uploadsReceived: number;
  /** Uploads that were refused or broke off, or whose receiver failed. */
  readonly uploadsFailed: number;
  /** How long requests waited for their answers: one at a time per connection is timed. */
  readonly requestLatency: LatencyStats;
}

/** What of a connection is added up when it is gone. */
type ConnectionTotals = Pick<ConnectionStats, "bytesRead" | "bytesWritten" | "framesRead" | "framesWritten">;

/** Counters of a context. */
export class TransportMetrics {
  connectionsOpened = 0;
  connectionsClosed = 0;
  dialsFailed = 0;
  connectionsBroken = 0;
  connectionsTimedOut = 0;
  connectionsRefused = 0;
  streamsSent = 0;
  chunksSent = 0;
  transfersFailed = 0;
  uploadsReceived = 0;
  uploadsFailed = 0;
  readonly requestLatency: LatencyHistogram = new LatencyHistogram();
  /** Of connections that are closed. */
  readonly #totals = { bytesRead: 0, bytesWritten: 0, framesRead: 0, framesWritten: 0 };

  /** A connection is closed. */
  connectionClosed(left: ConnectionStats): void {
    this.connectionsClosed++;
    add(this.#totals, left);
  }

  /** A snapshot, given those of the connections that are open. */
  stats(module: string, open: readonly ConnectionStats[]): TransportStats {
    const totals = { ...this.#totals };
    for (const each of open) add(totals, each);
    const sum = (pick: (each: ConnectionStats) => number): number => open.reduce((all, each) => all + pick(each), 0);
    return {
      module,
      connections: open.length,
      connectionsOpened: this.connectionsOpened,
      connectionsClosed: this.connectionsClosed,
      dialsFailed: this.dialsFailed,
      connectionsBroken: this.connectionsBroken,
      connectionsTimedOut: this.connectionsTimedOut,
      connectionsRefused: this.connectionsRefused,
      ...totals,
      outstandingRequests: sum((each) => each.outstandingRequests),
      unansweredRequests: sum((each) => each.unansweredRequests),
      queuedBytes: sum((each) => each.queuedBytes),
      streamsSent: this.streamsSent,
      chunksSent: this.chunksSent,
      transfersFailed: this.transfersFailed,
      uploadsReceived: this.uploadsReceived,
      uploadsFailed: this.uploadsFailed,
      requestLatency: this.requestLatency.stats(),
    };
  }
}

function add(sum: { -readonly [Key in keyof ConnectionTotals]: number }, more: ConnectionTotals): void {
  sum.bytesRead += more.bytesRead;
  sum.bytesWritten += more.bytesWritten;
  sum.framesRead += more.framesRead;
  sum.framesWritten += more.framesWritten;
}
