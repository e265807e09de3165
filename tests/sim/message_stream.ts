/**
 * Numbered messages from one sender to one endpoint: they arrive in order, once, and all of them as long as their connection lives.
 *
 * @module
 */

import type { RpcEndpointRef } from "../../src/rpc/rpc_endpoint_ref.ts";
import { codeOf, type Ledger } from "./ledger.ts";
import { makePayload } from "./payload.ts";
import type { Notice } from "./requests.ts";

/** Codes that `send` may throw with: the environment has been stopped, or an endpoint of the same environment has. */
const SEND_FAILURES: ReadonlySet<string> = new Set(["STOPPED", "NOT_FOUND"]);

/** Where a stream's messages go, and how one can tell which connection took them. */
export interface StreamRoute {
  readonly ref: RpcEndpointRef;
  /** Changes whenever the sender dials: between two changes all goes over one connection. */
  readonly dials: () => number;
}

/** One sender's messages to one endpoint. */
export class MessageStream {
  readonly id: number;
  readonly #ledger: Ledger;
  readonly #route: StreamRoute;
  /** By number of a message: how often had been dialled when it was sent. */
  readonly #dialsAt: number[] = [];
  /** By who received it and by number of dials: the last message that arrived. */
  readonly #last = new Map<object, Map<number, number>>();
  readonly #seen = new Set<number>();
  /** By number of dials: how many were sent and arrived. */
  readonly #sent = new Map<number, number>();
  readonly #arrived = new Map<number, number>();

  /** @param id A number that no other stream has. */
  constructor(id: number, ledger: Ledger, route: StreamRoute) {
    this.id = id;
    this.#ledger = ledger;
    this.#route = route;
  }

  /** How many messages have been sent. */
  get length(): number {
    return this.#dialsAt.length;
  }

  /** How many of them have not arrived. */
  get missing(): number {
    return this.length - this.#seen.size;
  }

  /** Where they go. */
  get ref(): RpcEndpointRef {
    return this.#route.ref;
  }

  /** Sends the next message. */
  send(bytes: number): void {
    const seq = this.length;
    const notice: Notice = { op: "count", stream: this.id, seq, payload: makePayload(this.id * 8191 + seq, bytes), bytes };
    try {
      this.ref.send(notice);
    } catch (thrown) {
      if (!SEND_FAILURES.has(codeOf(thrown))) this.#ledger.fail(`Message ${seq} of stream ${this.id} was refused: ${thrown}`);
      this.#dialsAt.push(-1);
      return;
    }
    // Nothing is delivered within send, so the number of dials is known before the message can arrive.
    const dials = this.#route.dials();
    this.#dialsAt.push(dials);
    increment(this.#sent, dials);
    this.#ledger.tally.sends++;
  }

  /** A message has arrived at `receiver`: an endpoint, which may have had a predecessor of the same name. */
  arrived(seq: number, receiver: object): void {
    const dials = this.#dialsAt[seq];
    if (dials === undefined || dials < 0) {
      this.#ledger.fail(`Message ${seq} of stream ${this.id} arrived although it was not sent`);
      return;
    }
    this.#ledger.tally.receipts++;
    if (this.#seen.has(seq)) this.#ledger.fail(`Message ${seq} of stream ${this.id} arrived twice`);
    this.#seen.add(seq);
    const lasts = this.#last.get(receiver) ?? new Map<number, number>();
    this.#last.set(receiver, lasts);
    const last = lasts.get(dials) ?? -1;
    if (seq < last) this.#ledger.fail(`Message ${seq} of stream ${this.id} arrived after message ${last}`);
    lasts.set(dials, seq);
    increment(this.#arrived, dials);
  }

  /**
   * A place between messages. An ask over the same reference that is made here and answered has come after all messages before
   * it: what is given back tells how many of them did not arrive, or 0 if another connection was dialled in between.
   */
  fence(): () => number {
    const dials = this.#route.dials();
    const sent = this.#sent.get(dials) ?? 0;
    return () => this.#route.dials() === dials ? sent - (this.#arrived.get(dials) ?? 0) : 0;
  }
}

function increment(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
