/**
 * Notices that a connection has been silent for too long.
 *
 * Spark: Netty's IdleStateHandler and userEventTriggered in common/network-common/…/server/TransportChannelHandler.java.
 *
 * @module
 */

import type { Clock } from "../base/clock.ts";
import { WatchTimer } from "../base/watch_timer.ts";

/** What a connection shows of itself. */
export interface IdleSubject {
  /** When bytes last came or went, or a request was last sent, in milliseconds of the clock. */
  readonly lastActivityAt: number;
  /** Nothing happened for the whole timeout. Returns whether to go on watching. */
  onIdle(): boolean;
}

/** Watches one connection with one timer, which is set again only when it fires. */
export class IdleState {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #subject: IdleSubject;
  #timer: WatchTimer | undefined;

  /** @param timeoutMs How long silence may last: `spark.<module>.io.connectionTimeout`; 0 for ever. */
  constructor(clock: Clock, timeoutMs: number, subject: IdleSubject) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#subject = subject;
    if (timeoutMs > 0) this.#wait(timeoutMs);
  }

  /** Ends the watch. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #wait(delayMs: number): void {
    this.#timer = new WatchTimer(this.#clock, Math.max(1, delayMs), () => this.#look());
  }

  #look(): void {
    this.#timer = undefined;
    const leftMs = this.#subject.lastActivityAt + this.#timeoutMs - this.#clock.now();
    if (leftMs > 0) this.#wait(leftMs);
    else if (this.#subject.onIdle()) this.#wait(this.#timeoutMs);
  }
}
