/**
 * What a connection tells of itself.
 *
 * @module
 */

/** A snapshot of one connection. */
export interface ConnectionStats {
  /** `host:port` of the peer. */
  readonly remote: string;
  /** Whether this side dialled. */
  readonly dialled: boolean;
  /** Requests that wait for their answers. */
  readonly outstandingRequests: number;
  /** Requests of the peer that have not been answered. */
  readonly unansweredRequests: number;
  /** Bytes that wait to be sent. */
  readonly queuedBytes: number;
  /** Bytes that have arrived. */
  readonly bytesRead: number;
  /** Bytes that have been handed to the socket. */
  readonly bytesWritten: number;
  /** Frames that have arrived. */
  readonly framesRead: number;
  /** Frames that were sent, or are about to be. */
  readonly framesWritten: number;
}
