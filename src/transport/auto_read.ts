/**
 * Whether a connection is read: it is not while anyone holds it back.
 *
 * Spark: Netty's `ChannelConfig.setAutoRead`. That is one flag; here the reader of a stream and those who work on requests may hold
 * the same connection back, and it is read again when the last of them lets go.
 *
 * @module
 */

import type { Deadlines } from "../base/deadlines.ts";
import type { Socket } from "../socket/socket.ts";

/** Who holds one connection back. */
export class AutoRead {
  /** When it was last let go, in milliseconds of the clock: the peer could not be heard before. */
  releasedAt = 0;
  readonly #socket: Socket;
  readonly #deadlines: Deadlines;
  /** Made by the first, since most connections never have one. */
  #holders: Set<object> | undefined;
  #isStopped = false;

  /** @param socket The connection. @param deadlines Has the time. */
  constructor(socket: Socket, deadlines: Deadlines) {
    this.#socket = socket;
    this.#deadlines = deadlines;
  }

  /** Whether the connection is held back, however much the peer may send. */
  get isHeld(): boolean {
    return this.#holders !== undefined && this.#holders.size > 0;
  }

  /** What has been read is still handled, but no more is read until `holder` lets go. */
  hold(holder: object): void {
    if (this.#isStopped) return;
    this.#holders ??= new Set();
    this.#holders.add(holder);
    this.#socket.pause();
  }

  /** Lets go, if `holder` holds the connection back. */
  release(holder: object): void {
    if (!this.#holders?.delete(holder) || this.isHeld) return;
    this.releasedAt = this.#deadlines.now();
    this.#socket.resume();
  }

  /** The connection is gone, or has only to hear the peer's FIN: whoever waits for that must not wait for a holder. */
  stop(): void {
    this.#isStopped = true;
    this.#holders = undefined;
    this.#socket.resume();
  }
}
