/**
 * Gives the inboxes their turns: a batch each, and the event loop its own in between.
 *
 * Spark: core/…/rpc/netty/MessageLoop.scala, SharedMessageLoop and DedicatedMessageLoop. There threads take inboxes from a
 * queue, and a busy inbox keeps its thread; here one thread goes around, a batch of messages per inbox.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import type { Clock } from "../base/clock.ts";
import { RingQueue } from "../base/ring_queue.ts";
import type { Inbox } from "./inbox.ts";

/** Messages that one inbox may have handled before the next one has its turn. */
const BATCH_MESSAGES = 64;
/** Messages after which the event loop has its turn, unless twice as many wait. */
export const MESSAGES_PER_TURN = 1_024;
/** Bytes of answers after which the event loop has its turn: somebody has to take them. */
export const REPLY_BYTES_PER_TURN: number = 256 * 1024;

/** Runs inboxes. `post` never runs them: they run when what has arrived has been read, or in a microtask. */
export class MessageLoop {
  readonly #clock: Clock;
  /** At most one entry for each endpoint. Not an array that is emptied: for that V8 calls its runtime. */
  readonly #active = new RingQueue<Inbox>(Number.MAX_SAFE_INTEGER);
  #scheduled = false;
  #yielded = false;
  #running = false;
  #messages = 0;
  #maxMessages = MESSAGES_PER_TURN;
  #replyBytes = 0;
  readonly #runSoon = (): void => {
    this.#scheduled = false;
    this.#run();
  };
  readonly #runLater = (): void => {
    this.#yielded = false;
    this.runNow();
  };

  /** @param clock Gives microtasks and macrotasks. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether some inbox has something to do. */
  get busy(): boolean {
    return this.#active.length > 0;
  }

  /** `inbox` has something to do. */
  activate(inbox: Inbox): void {
    if (inbox.active) return;
    inbox.active = true;
    this.#active.push(inbox);
    if (this.#scheduled || this.#running || this.#yielded) return;
    this.#scheduled = true;
    this.#clock.soon(this.#runSoon);
  }

  /** What `inbox` had in hand has settled: it goes on at once if this turn allows. */
  resume(inbox: Inbox): void {
    if (inbox.active || !inbox.ready) return;
    if (this.#exhausted() || this.#running) {
      this.activate(inbox);
      return;
    }
    this.#messages += inbox.process(BATCH_MESSAGES);
    if (inbox.ready) this.activate(inbox);
  }

  /** Answers of so many bytes have been written. */
  replied(bytes: number): void {
    this.#replyBytes += bytes;
  }

  /** A new turn of the event loop: runs all that is ready. */
  runNow(): void {
    let waiting = 0;
    for (let i = 0; i < this.#active.length; i++) waiting += this.#active.at(i)!.length;
    this.#maxMessages = Math.max(MESSAGES_PER_TURN, waiting / 2);
    this.#messages = 0;
    this.#replyBytes = 0;
    this.#run();
  }

  #exhausted(): boolean {
    return this.#messages >= this.#maxMessages || this.#replyBytes >= REPLY_BYTES_PER_TURN;
  }

  #run(): void {
    if (this.#running) return;
    this.#running = true;
    try {
      this.#goAround();
    } finally {
      this.#running = false;
    }
    if (this.#active.length > 0) this.#yield();
  }

  #goAround(): void {
    // New arrivals join the end while this goes through.
    while (!this.#exhausted()) {
      const inbox = this.#active.shift();
      if (inbox === undefined) return;
      inbox.active = false;
      this.#messages += inbox.process(BATCH_MESSAGES);
      if (inbox.ready) this.activate(inbox);
    }
  }

  #yield(): void {
    if (this.#yielded) return;
    this.#yielded = true;
    this.#clock.yieldThen(this.#runLater);
  }
}

/** The loop of all endpoints that have none of their own. */
export class SharedMessageLoop extends MessageLoop {}

/** The loop of one isolated endpoint: its turns are not counted with those of the others. */
export class DedicatedMessageLoop extends MessageLoop {
  readonly #name: string;

  /** @param name The one endpoint that it serves. */
  constructor(clock: Clock, name: string) {
    super(clock);
    this.#name = name;
  }

  override activate(inbox: Inbox): void {
    assert(inbox.name === this.#name, `Dedicated loop of ${this.#name} was given ${inbox.name}`);
    super.activate(inbox);
  }
}
