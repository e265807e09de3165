/**
 * What a connection has to send: frames are written into one buffer and leave together, stream bodies follow in order.
 *
 * Spark: Netty's ChannelOutboundBuffer and common/network-common/…/protocol/MessageWithHeader.java. There every message is
 * flushed by itself; here a flush waits until the buffer stops growing, which is worth a factor of five on small messages.
 *
 * @module
 */

import { ByteSink } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import type { Deadlines } from "../base/deadlines.ts";
import { RpcError } from "../base/errors.ts";
import type { Message } from "../protocol/message.ts";
import { encodeMessage } from "../protocol/message_encoder.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import { DEFAULT_MAX_QUEUED_BYTES, SocketError } from "../socket/socket.ts";
import type { Socket } from "../socket/socket.ts";
import type { Content } from "./rpc_response_callback.ts";
import { StreamBodies } from "./stream_bodies.ts";

/** Size of a gather buffer; a full one is written at once. A larger one gains nothing. */
const GATHER_BYTES = 64 * 1024;
/** A buffer that one large frame made larger than this is not kept. */
const MAX_POOLED_BYTES = 256 * 1024;
/** How many buffers are kept for the next writes. */
const MAX_POOLED_BUFFERS = 4;
/** Bytes from here on go by reference instead of being copied. */
const BY_REFERENCE_BYTES = 16 * 1024;
/** Microtask turns without a new frame after which the buffer leaves, while handlers work on answers and otherwise. */
const QUIET_TURNS_BUSY = 8;
const QUIET_TURNS = 2;

/** A buffer that the socket still has, and where in the connection's bytes it ends. */
interface InFlight {
  readonly bytes: Uint8Array;
  readonly end: number;
}

/** Writes the frame's head and returns where the frame begins. */
export type BeginFrame<T> = (head: T, out: ByteSink) => number;

const NOTHING = new Uint8Array(0);

function beginMessage(message: Message, out: ByteSink): number {
  encodeMessage(message, out);
  return 0;
}

function endMessage(): void {}

/** The bytes that wait to be sent on one connection, in order. */
export class OutgoingQueue {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #maxQueuedBytes: number;
  readonly #bodies: StreamBodies;
  #out = new ByteSink(GATHER_BYTES);
  #inFlight: InFlight[] = [];
  #pool: Uint8Array[] = [];
  /** Frames that were sent from within the writing of another one; they follow it. */
  #nested: Uint8Array[] = [];
  #writing = false;
  /** Nothing more is taken. */
  #closed = false;
  /** Called once all that was taken has been handed to the socket. */
  #onFlushed: (() => void) | undefined;
  #settling = false;
  #seenBytes = 0;
  #quietTurns = 0;
  #writtenBytes = 0;
  #backlog = 0;
  /** How many requests of the peer are being worked on: while there are any, answers are likely soon. */
  handlersAtWork = 0;

  /** When bytes were last handed to the socket, in milliseconds of the clock. */
  lastWriteAt = 0;

  /**
   * @param socket Where the bytes go.
   * @param clock Gives the microtasks in which the flush settles.
   * @param maxQueuedBytes How many bytes may wait behind a stream's body; above it the socket is aborted, as it is by itself
   * above as many of its own.
   */
  constructor(socket: Socket, clock: Clock, deadlines: Deadlines, maxQueuedBytes: number = DEFAULT_MAX_QUEUED_BYTES) {
    this.#socket = socket;
    this.#clock = clock;
    this.#deadlines = deadlines;
    this.#maxQueuedBytes = maxQueuedBytes;
    this.#bodies = new StreamBodies({
      write: (bytes) => this.#write(bytes),
      failed: (error) => this.#socket.abort(error),
      emptied: () => this.#finish(),
    });
  }

  /** Bytes that have been queued and have not left this process. */
  get queuedBytes(): number {
    return this.#out.position + this.#bodies.queuedBytes + this.#socket.queuedBytes;
  }

  /** All bytes that have been handed to the socket. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** Whether all bytes have left this process. */
  get empty(): boolean {
    return this.queuedBytes === 0 && this.#bodies.idle;
  }

  /**
   * Appends one frame: `begin` writes its head, then comes the content, then `end` patches the lengths. Returns how many bytes
   * the frame takes; 0 if nothing is taken any more. What the content or `end` throws is thrown here, and nothing is sent.
   */
  writeFrame<T>(begin: BeginFrame<T>, head: T, content: Content, end: (frameStart: number, out: ByteSink) => void): number {
    if (this.#closed) return 0;
    if (this.#writing) return this.#writeNested(begin, head, content, end);
    const out = this.#out;
    const start = out.position;
    let size = 0;
    this.#writing = true;
    try {
      const frameStart = begin(head, out);
      if (typeof content === "function") content(out);
      else out.writeBytes(content);
      end(frameStart, out);
      size = out.position - start;
    } catch (thrown) {
      out.truncate(start);
      throw thrown;
    } finally {
      this.#writing = false;
      if (this.#nested.length > 0) this.#appendNested();
      if (this.#closed) this.#finish();
    }
    if (out.position >= GATHER_BYTES) this.flush();
    else this.#flushSoon();
    return size;
  }

  /** Appends a whole message; a stream's body is not part of it. */
  writeMessage(message: Message): void {
    this.writeFrame(beginMessage, message, NOTHING, endMessage);
  }

  /** Appends a frame and a body that follows it; `done` hears how it went, after which the body has been released. */
  writeBody(head: Message, body: ManagedBuffer, done: (error: Error | undefined) => void): void {
    if (this.#closed) {
      body.release();
      done(new RpcError("DISCONNECTED", "The connection is closed"));
      return;
    }
    encodeMessage(head, this.#out);
    const bytes = body.bytes;
    if (bytes !== undefined && bytes.length < BY_REFERENCE_BYTES) {
      this.#out.writeBytes(bytes);
      body.release();
      this.#flushSoon();
      done(undefined);
      return;
    }
    this.flush();
    this.#bodies.push(body, done);
  }

  /** Hands everything to the socket now. */
  flush(): void {
    const out = this.#out;
    if (out.position === 0 || this.#writing) return;
    const view = out.view();
    if (!this.#bodies.idle) {
      // A stream's bytes belong together on the wire, so frames wait behind it.
      this.#bodies.pushFrames(view);
      this.#emptyBuffer();
      this.#backlog = this.#bodies.queuedBytes + this.#socket.queuedBytes;
      if (this.#backlog > this.#maxQueuedBytes) this.#overflow();
      return;
    }
    this.#write(view);
    this.#backlog = this.#socket.queuedBytes;
    if (this.#backlog === 0 && out.bytes.length <= MAX_POOLED_BYTES) {
      out.truncate(0);
      return;
    }
    this.#inFlight.push({ bytes: out.bytes, end: this.#writtenBytes });
    this.#replaceBuffer();
  }

  /** Whether more than `limit` bytes wait. Looks closely only when the count of the last flush says so. */
  exceeds(limit: number): boolean {
    return this.#out.position + this.#backlog > limit && this.queuedBytes > limit;
  }

  /** The socket can take more. */
  drained(): void {
    this.#bodies.drained();
  }

  /** Takes nothing more; calls `flushed` once all that was taken, bodies included, has been handed to the socket. */
  close(flushed: () => void): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onFlushed = flushed;
    this.#finish();
  }

  /** Drops what is left; bodies are released and their senders told. */
  stop(error: Error): void {
    this.#closed = true;
    this.#onFlushed = undefined;
    this.#out = new ByteSink(0);
    this.#nested = [];
    this.#inFlight = [];
    this.#pool = [];
    this.#bodies.stop(error);
  }

  #write(bytes: Uint8Array): boolean {
    this.lastWriteAt = this.#deadlines.now();
    this.#writtenBytes += bytes.length;
    return this.#socket.write([bytes]);
  }

  /** After `close`: says so when nothing is left to be handed to the socket. */
  #finish(): void {
    if (this.#onFlushed === undefined || this.#writing) return;
    this.flush();
    if (!this.#bodies.idle) return;
    const flushed = this.#onFlushed;
    this.#onFlushed = undefined;
    flushed?.();
  }

  #overflow(): void {
    const { host, port } = this.#socket.remoteAddress;
    const message = `More than ${this.#maxQueuedBytes} bytes wait behind a stream to ${host}:${port} (maxQueuedBytes)`;
    const error = new SocketError("QUEUE_OVERFLOW", message);
    this.stop(error);
    this.#socket.abort(error);
  }

  #writeNested<T>(begin: BeginFrame<T>, head: T, content: Content, end: (frameStart: number, out: ByteSink) => void): number {
    const out = new ByteSink();
    const frameStart = begin(head, out);
    if (typeof content === "function") content(out);
    else out.writeBytes(content);
    end(frameStart, out);
    this.#nested.push(out.view());
    return out.position;
  }

  #appendNested(): void {
    for (const frame of this.#nested) this.#out.writeBytes(frame);
    this.#nested = [];
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#settling) return;
    this.#settling = true;
    this.#seenBytes = 0;
    this.#quietTurns = 0;
    this.#clock.soon(this.#settle);
  }

  /**
   * Waits in microtasks until the buffer has stopped growing. With async handlers each answer comes in a microtask of its own,
   * and a flush after the first one would send every answer alone.
   */
  readonly #settle = (): void => {
    const bytes = this.#out.position;
    if (bytes !== this.#seenBytes) {
      this.#seenBytes = bytes;
      this.#quietTurns = 0;
    } else if (bytes === 0 || ++this.#quietTurns >= (this.handlersAtWork > 0 ? QUIET_TURNS_BUSY : QUIET_TURNS)) {
      this.#settling = false;
      this.flush();
      return;
    }
    this.#clock.soon(this.#settle);
  };

  /** Goes on in the same buffer, unless one large frame has made it larger than what is kept. */
  #emptyBuffer(): void {
    if (this.#out.bytes.length > MAX_POOLED_BYTES) this.#out = new ByteSink(GATHER_BYTES);
    else this.#out.truncate(0);
  }

  /** Goes on in a buffer that the socket does not have. */
  #replaceBuffer(): void {
    const left = this.#writtenBytes - this.#socket.queuedBytes;
    let gone = 0;
    while (gone < this.#inFlight.length && this.#inFlight[gone]!.end <= left) {
      const { bytes } = this.#inFlight[gone++]!;
      if (bytes.length <= MAX_POOLED_BYTES && this.#pool.length < MAX_POOLED_BUFFERS) this.#pool.push(bytes);
    }
    if (gone > 0) this.#inFlight.splice(0, gone);
    this.#out.bytes = this.#pool.pop() ?? new Uint8Array(GATHER_BYTES);
    this.#out.truncate(0);
  }
}
