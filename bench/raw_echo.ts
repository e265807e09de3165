/**
 * The yardstick: an echo of the benchmark's frames with nothing in it that the frames do not force.
 *
 * A request is a copy of a template with its id patched in, a promise, and a slot in a ring; a reply is a header and a copy of
 * the body that came. Frames are gathered in a pooled buffer that leaves at the end of `onData`. No message, route, inbox,
 * handler or deadline: that is what Sparkwire adds, and what the comparison shows.
 *
 * @module
 */

import {
  ID_OFFSET,
  oneWayFrame,
  requestFrame,
  responseFrame,
  ROUTE_BYTES,
  RPC_HEADER_BYTES,
  TYPE_ONE_WAY,
  TYPE_REQUEST,
  TYPE_RESPONSE,
} from "./frames.ts";

/** A buffer that frames are gathered in. */
export interface Pool {
  /** The memory. */
  readonly bytes: Uint8Array;
  /** The same memory: 32 bits at a time are faster to read and write through a view, on all three runtimes. */
  readonly view: DataView;
}

/** What the echo needs of a connection. */
export interface RawSocket {
  /** Whether a write waits for the system; then it pays to go on gathering. */
  readonly busy: boolean;
  /** Takes the first `length` bytes of `pool` and returns the pool to fill next, which may be the same. */
  send(pool: Pool, length: number): Pool;
  /** Hangs up. */
  close(): void;
}

/** Size of a pool; four times as much gains nothing. A frame that is larger gets a pool of its own size. */
const POOL_BYTES = 128 * 1024;

/** No frame is shorter: a length below it would stop the parser. */
const MIN_FRAME_BYTES = 13;

/** Up to this size a loop over 32-bit words beats `set(subarray)`: 15-30 ns against 35-50 for 69 bytes. */
const MAX_WORD_COPY = 256;

/** Wraps memory as a pool. */
export function poolOf(bytes: Uint8Array): Pool {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
}

/** One end of a connection: finds whole frames in what arrives, gathers what leaves. */
export abstract class RawPeer {
  /** How large the pools must be. */
  readonly poolBytes: number;
  protected socket!: RawSocket;
  protected pool!: Pool;
  /** How many bytes of the pool are filled. */
  protected position = 0;
  readonly #carry: Pool;
  #carried = 0;

  /** @param maxFrameBytes The longest frame that this peer sends or receives. */
  constructor(maxFrameBytes: number) {
    this.poolBytes = Math.max(POOL_BYTES, maxFrameBytes);
    this.#carry = poolOf(new Uint8Array(this.poolBytes));
  }

  /** Gives the peer its connection and its first pool. */
  attach(socket: RawSocket, pool: Pool): void {
    this.socket = socket;
    this.pool = pool;
  }

  /** Bytes arrived in `[0, end)`; their memory is the driver's again on return. */
  onData(bytes: Uint8Array, view: DataView, end: number): void {
    let at = this.#carried > 0 ? this.#complete(bytes, end) : 0;
    at = this.consume(bytes, view, at, end);
    if (at < end) {
      this.#carry.bytes.set(bytes.subarray(at, end), this.#carried);
      this.#carried += end - at;
    }
    this.afterData();
  }

  /** Adds to the frame that came in part, and handles it once it is whole. Returns how much of the chunk went into it. */
  #complete(bytes: Uint8Array, end: number): number {
    const carry = this.#carry;
    let at = 0;
    if (this.#carried < 8) {
      at = Math.min(8 - this.#carried, end);
      carry.bytes.set(bytes.subarray(0, at), this.#carried);
      this.#carried += at;
      if (this.#carried < 8) return at;
    }
    const length = carry.view.getInt32(4);
    if (length > carry.bytes.length) throw new Error(`Frame of ${length} bytes is longer than agreed`);
    const taken = Math.min(length - this.#carried, end - at);
    carry.bytes.set(bytes.subarray(at, at + taken), this.#carried);
    this.#carried += taken;
    if (this.#carried === length) {
      this.#carried = 0;
      this.consume(carry.bytes, carry.view, 0, length);
    }
    return at + taken;
  }

  /** Hands the gathered frames to the socket, unless it is busy: then it calls again. */
  flush(): void {
    if (this.position === 0 || this.socket.busy) return;
    this.spill();
  }

  /** Hands the gathered frames to the socket in any case, because the pool is full. */
  protected spill(): void {
    const length = this.position;
    this.position = 0;
    this.pool = this.socket.send(this.pool, length);
  }

  /** Handles all whole frames in `[at, end)` and returns where the rest begins. */
  protected abstract consume(bytes: Uint8Array, view: DataView, at: number, end: number): number;

  /** The chunk has been handled. */
  protected abstract afterData(): void;
}

/** The end that echoes. */
export class RawEchoServer extends RawPeer {
  /** How many one-way messages came. */
  oneWayMessages = 0;

  protected override consume(bytes: Uint8Array, view: DataView, at: number, end: number): number {
    while (end - at >= MIN_FRAME_BYTES) {
      const length = view.getInt32(at + 4);
      if (length < MIN_FRAME_BYTES) throw new Error(`Frame of ${length} bytes`);
      if (end - at < length) break;
      const type = view.getUint8(at + 8);
      if (type === TYPE_REQUEST) this.#reply(bytes, view, at, length);
      else if (type === TYPE_ONE_WAY) this.oneWayMessages++;
      else throw new Error(`Frame of type ${type}`);
      at += length;
    }
    return at;
  }

  #reply(bytes: Uint8Array, view: DataView, at: number, length: number): void {
    const size = length - RPC_HEADER_BYTES - ROUTE_BYTES;
    const replyLength = RPC_HEADER_BYTES + size;
    if (this.pool.bytes.length - this.position < replyLength) this.spill();
    const pool = this.pool;
    const out = pool.view;
    const to = this.position;
    out.setInt32(to, 0);
    out.setInt32(to + 4, replyLength);
    out.setUint8(to + 8, TYPE_RESPONSE);
    out.setInt32(to + ID_OFFSET, view.getInt32(at + ID_OFFSET));
    out.setInt32(to + ID_OFFSET + 4, view.getInt32(at + ID_OFFSET + 4));
    out.setInt32(to + ID_OFFSET + 8, size);
    const source = at + RPC_HEADER_BYTES + ROUTE_BYTES;
    const target = to + RPC_HEADER_BYTES;
    if (size <= MAX_WORD_COPY && size >= 4) copyWords(view, source, out, target, size);
    else pool.bytes.set(bytes.subarray(source, source + size), target);
    this.position = to + replyLength;
  }

  protected override afterData(): void {
    this.flush();
  }
}

/** Copies `size` bytes, four or more; the last word overlaps the one before. */
function copyWords(from: DataView, source: number, to: DataView, target: number, size: number): void {
  const last = size - 4;
  for (let i = 0; i < last; i += 4) to.setInt32(target + i, from.getInt32(source + i, true), true);
  to.setInt32(target + last, from.getInt32(source + last, true), true);
}

/** Marks a slot of the ring that no request holds. */
const FREE = -1;

/** Up to here an id is a small integer; to put halves together into a float costs Bun as much as all the rest of an ask. */
const MAX_INT32 = 2 ** 31 - 1;

function highHalf(id: number): number {
  return Math.floor(id / 2 ** 32) | 0;
}

const settled = Promise.resolve();

let resolver: (replyBytes: number) => void;

/** One function for all promises: it leaves the resolver where the request finds it. */
function capture(resolve: (replyBytes: number) => void): void {
  resolver = resolve;
}

/** The end that asks. */
export class RawEchoClient extends RawPeer {
  readonly #request: Uint8Array;
  readonly #oneWay: Uint8Array;
  readonly #response: Uint8Array;
  readonly #mask: number;
  readonly #ids: number[];
  readonly #resolvers: ((replyBytes: number) => void)[];
  readonly #flush = (): void => {
    this.#flushing = false;
    this.flush();
  };
  #flushing = false;
  #nextId = 0;
  /** While true, each reply is compared with what it should be, byte for byte. */
  verifying = false;

  /**
   * @param body What each request carries.
   * @param port The server's port, which each request names.
   * @param outstanding How many requests can wait for their reply; a power of two.
   */
  constructor(body: Uint8Array, port: number, outstanding: number) {
    const request = requestFrame(body, port);
    super(request.length);
    this.#request = request;
    this.#oneWay = oneWayFrame(body, port);
    this.#response = responseFrame(body);
    this.#mask = outstanding - 1;
    this.#ids = new Array<number>(outstanding).fill(FREE);
    this.#resolvers = new Array<(replyBytes: number) => void>(outstanding).fill(capture as () => void);
  }

  /** Sends a request; the promise becomes the length of its reply. */
  ask(): Promise<number> {
    const frame = this.#request;
    const ids = this.#ids;
    const mask = this.#mask;
    let id = this.#nextId;
    while (ids[id & mask] !== FREE) id++;
    this.#nextId = id + 1;
    if (this.pool.bytes.length - this.position < frame.length) this.spill();
    const at = this.position;
    const { bytes, view } = this.pool;
    bytes.set(frame, at);
    if (id > MAX_INT32) view.setInt32(at + ID_OFFSET, highHalf(id));
    view.setInt32(at + ID_OFFSET + 4, id | 0);
    this.position = at + frame.length;
    if (!this.#flushing) this.#flushSoon();
    const promise = new Promise<number>(capture);
    const slot = id & mask;
    ids[slot] = id;
    this.#resolvers[slot] = resolver;
    return promise;
  }

  /** Sends a message that nobody answers. */
  send(): void {
    const frame = this.#oneWay;
    if (this.pool.bytes.length - this.position < frame.length) this.spill();
    this.pool.bytes.set(frame, this.position);
    this.position += frame.length;
    if (!this.#flushing) this.#flushSoon();
  }

  /** After the replies of a chunk the askers run first, so that one flush takes all their new requests. */
  #flushSoon(): void {
    this.#flushing = true;
    void settled.then(this.#flush);
  }

  protected override consume(bytes: Uint8Array, view: DataView, at: number, end: number): number {
    const ids = this.#ids;
    const mask = this.#mask;
    const replyLength = this.#response.length;
    while (end - at >= MIN_FRAME_BYTES) {
      const length = view.getInt32(at + 4);
      if (length !== replyLength) throw new Error(`Reply of ${length} bytes instead of ${replyLength}`);
      if (end - at < length) break;
      if (view.getUint8(at + 8) !== TYPE_RESPONSE) throw new Error(`Frame of type ${view.getUint8(at + 8)}`);
      const low = view.getInt32(at + ID_OFFSET + 4);
      const slot = low & mask;
      const id = ids[slot]!;
      if (id === FREE || (id | 0) !== low || view.getInt32(at + ID_OFFSET) !== (id > MAX_INT32 ? highHalf(id) : 0)) {
        throw new Error(`Reply to a request that is not outstanding: …${low}`);
      }
      if (this.verifying) this.#verify(bytes, at);
      ids[slot] = FREE;
      this.#resolvers[slot]!(length);
      at += length;
    }
    return at;
  }

  #verify(bytes: Uint8Array, at: number): void {
    const expected = this.#response;
    for (let i = 0; i < expected.length; i++) {
      const isId = i >= ID_OFFSET && i < ID_OFFSET + 8;
      if (!isId && bytes[at + i] !== expected[i]) throw new Error(`Byte ${i} of a reply is wrong`);
    }
  }

  /** New requests come out of the microtasks that the replies set off, and bring their own flush. */
  protected override afterData(): void {}

  /** Hangs up. */
  close(): void {
    this.socket.close();
  }
}
