/**
 * One connection as the transport sees it: its addresses, its way out, and whether it is still open.
 *
 * Spark: Netty's Channel.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import type { Deadlines } from "../base/deadlines.ts";
import { SocketError } from "../socket/socket.ts";
import type { Socket, SocketAddress } from "../socket/socket.ts";
import { formatAddress } from "../socket/socket_errors.ts";
import { AutoRead } from "./auto_read.ts";
import type { OutgoingLimits } from "./outgoing_limits.ts";
import { OutgoingQueue } from "./outgoing_queue.ts";
import type { SharedPieces } from "./piece_memory.ts";

/** How long a connection that is being closed may take to flush and to hear the peer's FIN, unless it is told. */
export const CLOSE_LINGER_MS = 5_000;

/** What a {@linkcode Channel} is made with. */
export interface ChannelOptions {
  /** Whether this side dialled. */
  readonly dialled: boolean;
  /** Gives time. */
  readonly clock: Clock;
  /** Time and deadlines of the context. */
  readonly deadlines: Deadlines;
  /** Limits of what it sends. */
  readonly limits: OutgoingLimits;
  /** Counts the memory of files that are being sent, over other connections too. */
  readonly pieces: SharedPieces;
  /** Called once, when nothing more can be asked or answered over it. */
  readonly onInactive: (reason: Error) => void;
}

/**
 * A connection between two ends that are alike: either side may ask. It comes with its {@linkcode TransportClient}.
 *
 * Spark: TransportClient.getChannel.
 */
export class Channel {
  /** The byte stream below. */
  readonly socket: Socket;
  /** The peer: the name that was dialled, or the address that an accepted connection came from. */
  readonly remoteAddress: SocketAddress;
  /** Whether this side dialled. */
  readonly dialled: boolean;
  /**
   * The bytes on their way out.
   *
   * @internal
   */
  readonly outgoing: OutgoingQueue;
  /**
   * Whether it is read.
   *
   * @internal
   */
  readonly autoRead: AutoRead;
  /**
   * Time and deadlines of the context.
   *
   * @internal
   */
  readonly deadlines: Deadlines;
  /** Whatever the application keeps per connection. Netty: Channel.attr. */
  attachment: object | undefined;
  /** Bytes that have arrived. */
  bytesRead = 0;
  #active = true;
  #closeReason: Error | undefined;
  readonly #clock: Clock;
  readonly #onInactive: (reason: Error) => void;

  /**
   * @param socket The byte stream below.
   * @param remoteAddress The peer, as it was dialled or as it came.
   * @param options Its surroundings.
   *
   * @internal
   */
  constructor(socket: Socket, remoteAddress: SocketAddress, options: ChannelOptions) {
    this.socket = socket;
    this.remoteAddress = remoteAddress;
    this.dialled = options.dialled;
    this.deadlines = options.deadlines;
    this.#clock = options.clock;
    this.#onInactive = options.onInactive;
    this.autoRead = new AutoRead(socket, options.deadlines);
    this.outgoing = new OutgoingQueue(socket, options.clock, options.deadlines, options.limits, options.pieces);
  }

  /** Whether the connection can be used. */
  get active(): boolean {
    return this.#active;
  }

  /** Why it was closed, if it was and there is a reason. */
  get closeReason(): Error | undefined {
    return this.#closeReason;
  }

  /** `host:port` of the peer, for people. */
  get remote(): string {
    return formatAddress(this.remoteAddress);
  }

  /**
   * Nothing more is asked or answered; what was sent before, bodies of streams included, still leaves.
   *
   * @param reason What outstanding requests fail with.
   * @param lingerMs How long that may take, in milliseconds; then the rest is dropped.
   */
  close(
    reason: Error = new SocketError("ABORTED", `Connection from ${this.remote} closed`),
    lingerMs: number = CLOSE_LINGER_MS,
  ): void {
    if (!this.#deactivate(reason)) return;
    this.outgoing.close(() => this.socket.shutdown());
    const timer = this.#clock.setTimer(lingerMs, () => this.socket.abort(reason));
    this.socket.closed.then(() => timer.cancel());
  }

  /**
   * Drops everything at once: outstanding requests and transfers fail, and the peer sees a reset where the runtime can.
   *
   * @param reason What they fail with.
   */
  abort(reason: Error): void {
    this.#deactivate(reason);
    this.socket.abort(reason);
  }

  /**
   * The socket is closed.
   *
   * @internal
   */
  closed(error: Error | undefined): void {
    const reason = error ?? new SocketError("CONNECTION_RESET", `Connection from ${this.remote} closed`);
    this.#deactivate(reason);
    this.outgoing.stop(reason);
  }

  #deactivate(reason: Error): boolean {
    if (!this.#active) return false;
    this.#active = false;
    this.#closeReason = reason;
    this.#onInactive(reason);
    return true;
  }
}
