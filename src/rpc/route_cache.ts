/**
 * Finds sender and inbox of a message by the bytes of its header: the same few headers come again and again on a connection.
 *
 * @module
 */

import { int32At } from "../base/bytes.ts";
import { ProtocolError } from "../base/errors.ts";
import type { MessageBody } from "../base/message_body.ts";
import type { Inbox } from "./inbox.ts";
import { copyOf } from "../base/received_bytes.ts";
import { parseRequestHeader, requestHeaderEnd } from "./request_message.ts";
import type { RpcAddress } from "./rpc_address.ts";

/** How many headers a connection's cache keeps; when it is full it starts again. */
export const MAX_ROUTES = 256;

/** The longest header that is kept, in bytes. Names and addresses are far shorter, but each of the three may take 64 KiB. */
const MAX_HEADER_BYTES = 1_024;

const SLOTS = 512;

/** Where the messages with one header go. */
export interface Route {
  /** The header's bytes. */
  readonly header: Uint8Array;
  /** The same as 32-bit integers, without the last few: comparing them takes a quarter of the time. */
  readonly words: Int32Array;
  /** What the sender says its address is; undefined for one in client mode. */
  readonly senderAddress: RpcAddress | undefined;
  /** The endpoint. */
  readonly name: string;
  /** Its inbox, when it was last looked up; undefined if there was none. */
  inbox: Inbox | undefined;
  /** The dispatcher's generation at that time. */
  generation: number;
  /** The next route of the same slot. */
  readonly next: Route | undefined;
  /** The route of the message that last came behind one of this: endpoints asked in turn are found as fast as one alone. */
  follower: Route | undefined;
}

/** The routes of one connection. */
export class RouteCache {
  readonly #slots: (Route | undefined)[] = new Array<undefined>(SLOTS).fill(undefined);
  #last: Route | undefined;
  #size = 0;

  /** How many headers it knows. */
  get size(): number {
    return this.#size;
  }

  /**
   * The route of the message `body`.
   *
   * @throws {ProtocolError} If the header cannot be read.
   */
  find(body: MessageBody): Route {
    const last = this.#last;
    const expected = last?.follower ?? last;
    // A header tells its own length, so bytes that begin like a known one have that header.
    if (expected === undefined || body.length < expected.header.length || !hasHeader(body, expected)) return this.#lookUp(body);
    this.#last = expected;
    return expected;
  }

  #lookUp(body: MessageBody): Route {
    const { memory, start, end } = body;
    const headerEnd = requestHeaderEnd(memory, start, end);
    if (headerEnd < 0) throw new ProtocolError("RequestMessage is cut short within its header", { offset: end - start });
    const length = headerEnd - start;
    const slot = hash(memory, start, length) & (SLOTS - 1);
    for (let route = this.#slots[slot]; route !== undefined; route = route.next) {
      if (route.header.length === length && hasHeader(body, route)) return this.#follow(route);
    }
    return this.#add(memory, start, headerEnd, slot);
  }

  #add(memory: Uint8Array, start: number, headerEnd: number, slot: number): Route {
    const { senderAddress, name } = parseRequestHeader(memory, start, headerEnd);
    const isKept = headerEnd - start <= MAX_HEADER_BYTES;
    if (isKept && this.#size === MAX_ROUTES) {
      this.#slots.fill(undefined);
      this.#size = 0;
    }
    const header = copyOf(memory, start, headerEnd);
    const route: Route = {
      header,
      words: wordsOf(header),
      senderAddress,
      name,
      inbox: undefined,
      generation: -1,
      next: this.#slots[slot],
      follower: undefined,
    };
    if (!isKept) return route;
    this.#slots[slot] = route;
    this.#size++;
    return this.#follow(route);
  }

  #follow(route: Route): Route {
    if (this.#last !== undefined) this.#last.follower = route;
    this.#last = route;
    return route;
  }
}

/** Whether `body`, which is long enough, begins with the header of `route`. */
function hasHeader(body: MessageBody, { header, words }: Route): boolean {
  const { start, received } = body;
  const { view } = received;
  for (let i = 0; i < words.length; i++) if (view.getInt32(start + 4 * i) !== words[i]) return false;
  for (let i = 4 * words.length; i < header.length; i++) if (received.memory[start + i] !== header[i]) return false;
  return true;
}

function wordsOf(header: Uint8Array): Int32Array {
  const words = new Int32Array(header.length >> 2);
  for (let i = 0; i < words.length; i++) words[i] = int32At(header, 4 * i);
  return words;
}

/** Spark's names begin and end alike, and so do addresses, so bytes all over the header are taken in. */
function hash(memory: Uint8Array, start: number, length: number): number {
  let mixed = length;
  const step = (length >> 4) + 1;
  for (let at = start + length - 1; at >= start; at -= step) mixed = (Math.imul(mixed, 31) + memory[at]!) | 0;
  return mixed ^ (mixed >>> 9);
}
