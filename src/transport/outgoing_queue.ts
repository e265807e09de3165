/**
 * What a connection has to send: frames are written into one buffer and leave together, stream bodies follow in order.
 *
 * Spark: Netty's ChannelOutboundBuffer and common/network-common/…/protocol/MessageWithHeader.java.
 *
 * @module
 */

import { ByteSink } from "../base/byte_sink.ts";
import type { Clock } from "../base/clock.ts";
import type { Deadlines } from "../base/deadlines.ts";
import { RpcError, toError } from "../base/errors.ts";
import { type Message, MessageType } from "../protocol/message.ts";
import { FRAME_LENGTH_BYTES, MAX_FRAME_BYTES } from "../protocol/frame_length.ts";
import {
  beginFrame,
  type ContentMessageType,
  encodeMessage,
  encodeMessageHead,
  endFrame,
} from "../protocol/message_encoder.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import { SocketError } from "../socket/socket.ts";
import { bytesToSend, released } from "./body_calls.ts";
import { GATHER_BYTES, GatherBuffers, MAX_POOLED_BYTES } from "./gather_buffers.ts";
import type { Socket } from "../socket/socket.ts";
import { formatAddress } from "../socket/socket_errors.ts";
import { checkRoom, checkWritten, frameTooLarge, type OutgoingLimits } from "./outgoing_limits.ts";
import type { SharedPieces } from "./piece_memory.ts";
import { type Content, writeContent } from "./rpc_response_callback.ts";
import { SettlingFlush } from "./settling_flush.ts";
import { StreamBodies } from "./stream_bodies.ts";

/** Size of a connection's first buffer, which grows to what it is used for: most connections say little. */
const FIRST_BYTES = 2 * 1024;
/**
 * So much is written at once. With 1,024 small asks on their way that lets both processes work at the same time: half as much again
 * a second as with a full buffer on Node 20, twice as much on Deno 2.9, if each has a core; on one core it costs 5 %.
 */
const FLUSH_BYTES = 32 * 1024;
/** Bytes from here on go by reference instead of being copied. */
const BY_REFERENCE_BYTES = 16 * 1024;

/** The bytes that wait to be sent on one connection, in order. */
export class OutgoingQueue {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #maxQueuedBytes: number;
  readonly #maxFrameBytes: number;
  readonly #bodies: StreamBodies;
  #out = this.#newBuffer(FIRST_BYTES);
  readonly #buffers = new GatherBuffers();
  readonly #settlingFlush: SettlingFlush;
  /** Frames that were sent from within the writing of another one; they follow it. */
  #nested: Uint8Array[] = [];
  #writing = false;
  /** Nothing more is taken. */
  #closed = false;
  /** Called once all that was taken has been handed to the socket. */
  #onFlushed: (() => void) | undefined;
  #writtenBytes = 0;
  #backlog = 0;
  /** How many requests of the peer are being worked on: while there are any, answers are likely soon. */
  handlersAtWork = 0;

  /** How many frames were appended. */
  frames = 0;

  /** When there was last something to write, in milliseconds of the clock: it is handed to the socket within the same turn. */
  lastWriteAt = 0;

  /**
   * @param socket Where the bytes go.
   * @param clock Gives the microtasks in which the flush settles.
   * @param deadlines Give the time of the turn.
   * @param limits What it may hold.
   * @param pieces Those of files that are sent over other connections too.
   */
  constructor(socket: Socket, clock: Clock, deadlines: Deadlines, limits: OutgoingLimits, pieces: SharedPieces) {
    this.#socket = socket;
    this.#clock = clock;
    this.#deadlines = deadlines;
    this.#maxQueuedBytes = limits.maxQueuedBytes;
    this.#maxFrameBytes = Math.min(limits.maxFrameBytes, MAX_FRAME_BYTES);
    this.#settlingFlush = new SettlingFlush(this, clock);
    this.#bodies = new StreamBodies(
      {
        writtenBytes: () => this.#writtenBytes,
        leftBytes: () => this.leftBytes,
        write: (bytes) => {
          this.lastWriteAt = this.#deadlines.now();
          return this.#write(bytes);
        },
        failed: (error) => this.#socket.abort(error),
        emptied: () => this.#finish(),
      },
      limits.maxQueuedBytes / 4,
      pieces,
    );
  }

  /** Bytes that have been queued and have not left this process. */
  get queuedBytes(): number {
    return this.#out.position + this.#bodies.queuedBytes + this.#socket.queuedBytes;
  }

  /** Bytes that wait for the next flush. */
  get gatheredBytes(): number {
    return this.#out.position;
  }

  /** All bytes that have been handed to the socket. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** How many of them have left this process. */
  get leftBytes(): number {
    return this.#writtenBytes - this.#socket.queuedBytes;
  }

  /** Whether all bytes have left this process. */
  get empty(): boolean {
    return this.queuedBytes === 0 && this.#bodies.idle;
  }

  /**
   * Appends one frame: its content, then its head, which has been left room for. Returns how many bytes the frame takes; 0 if
   * nothing is taken any more.
   *
   * @param idHigh The upper half of the request's id; a one-way message has none.
   * @param idLow The lower half.
   * @throws ProtocolError if the frame is too large, and what `content` throws; then nothing is sent.
   */
  writeFrame(type: ContentMessageType, idHigh: number, idLow: number, content: Content): number {
    if (this.#writing || this.#closed) return this.#writeNested(type, idHigh, idLow, content);
    const out = this.#out;
    const start = out.position;
    let size: number;
    this.#writing = true;
    try {
      size = this.#encode(type, idHigh, idLow, content, out);
    } catch (thrown) {
      out.truncate(start);
      // Whatever is before it leaves soon, and this buffer with it.
      if (start === 0) this.#emptyBuffer();
      this.#written();
      throw thrown;
    }
    this.#writing = false;
    if (this.#nested.length > 0 || this.#closed) this.#written();
    if (out.position >= FLUSH_BYTES) this.#flushFull();
    else if (!this.#settlingFlush.settling) this.#flushSoon();
    return size;
  }

  /**
   * Whether a message with a name in it may be sent: the peer would close the connection for it.
   *
   * @throws ProtocolError if it takes more than a frame may.
   */
  checkSize(message: Message): void {
    const size = frameOf(message).length - FRAME_LENGTH_BYTES;
    if (size > this.#maxFrameBytes) throw frameTooLarge(size, this.#maxFrameBytes);
  }

  /** Appends a whole message; a stream's body is not part of it. */
  writeMessage(message: Message): void {
    if (this.#closed) return;
    this.frames++;
    if (this.#writing) {
      this.#nested.push(frameOf(message));
      return;
    }
    encodeMessage(message, this.#out);
    if (this.#out.position >= FLUSH_BYTES) this.#flushFull();
    else this.#flushSoon();
  }

  /**
   * Appends a frame and a body, which follows it or is its end; `done` hears how it went, after which the body has been released.
   *
   * @param refusal What is said instead where not even the first bytes can be read; without it the connection is aborted then, as
   * it is if later ones cannot be.
   * @throws ProtocolError if the frame is too large, RangeError if the body's size is none, and what its `bytes` throw; then the body
   * has been released, and `done` hears nothing. From within a frame's content nothing is thrown, and `done` hears of it.
   */
  writeBody(
    head: Message,
    body: ManagedBuffer,
    done: (error: Error | undefined) => void,
    refusal?: (error: Error) => Message,
  ): void {
    if (this.#closed) {
      released(body);
      done(new RpcError("DISCONNECTED", "The connection is closed"));
      return;
    }
    if (this.#writing) {
      this.#clock.soon(() => this.#writeBodyLater(head, body, done, refusal));
      return;
    }
    const bytes = bytesToSend(body, BY_REFERENCE_BYTES);
    const start = this.#out.position;
    this.#writeHead(head, body);
    if (bytes !== undefined && body.size < BY_REFERENCE_BYTES) {
      this.#out.writeBytes(bytes);
      if (this.#out.position >= FLUSH_BYTES) this.#flushFull();
      else this.#flushSoon();
      done(released(body));
      return;
    }
    if (bytes !== undefined || body.size === 0 || refusal === undefined) {
      this.flush();
      this.#bodies.push(body, done);
      return;
    }
    const promised = this.#out.bytes.slice(start, this.#out.position);
    this.#out.truncate(start);
    this.flush();
    this.#bodies.push(body, done, { head: promised, refuse: (error) => frameOf(refusal(error)) });
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
    out.bytes = this.#buffers.exchange(out.bytes, this.#writtenBytes, this.leftBytes);
    out.truncate(0);
  }

  /** Whether more than `limit` bytes wait. Looks closely only when the count of the last flush says so. */
  exceeds(limit: number): boolean {
    return this.#out.position + this.#backlog > limit && this.queuedBytes > limit;
  }

  /** The socket can take more. */
  drained(): void {
    this.#buffers.takeBack(this.leftBytes);
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
    this.#buffers.clear();
    this.#bodies.stop(error);
  }

  #flushFull(): void {
    this.lastWriteAt = this.#deadlines.now();
    this.flush();
  }

  #write(bytes: Uint8Array): boolean {
    this.#writtenBytes += bytes.length;
    const hasRoom = this.#socket.write([bytes]);
    if (!hasRoom) this.#bodies.block();
    return hasRoom;
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
    const to = formatAddress(this.#socket.remoteAddress);
    const message = `More than ${this.#maxQueuedBytes} bytes wait behind a stream to ${to} (maxQueuedBytes)`;
    const error = new SocketError("QUEUE_OVERFLOW", message);
    this.stop(error);
    this.#socket.abort(error);
  }

  #writeBodyLater(...args: Parameters<OutgoingQueue["writeBody"]>): void {
    const [, , done] = args;
    try {
      this.writeBody(...args);
    } catch (thrown) {
      // Whoever has called has long returned.
      done(toError(thrown));
    }
  }

  #encode(type: ContentMessageType, idHigh: number, idLow: number, content: Content, out: ByteSink): number {
    const start = beginFrame(type, out);
    writeContent(content, out);
    const size = out.position - start;
    if (size - FRAME_LENGTH_BYTES > this.#maxFrameBytes) throw frameTooLarge(size - FRAME_LENGTH_BYTES, this.#maxFrameBytes);
    if (size > BY_REFERENCE_BYTES) this.#checkRoom(type, size, out);
    endFrame(start, type, idHigh, idLow, out);
    this.frames++;
    return size;
  }

  /** Throws if a long message, which has been written to `out`, would have the connection aborted. */
  #checkRoom(type: ContentMessageType, size: number, out: ByteSink): void {
    const waiting = this.queuedBytes - (out === this.#out ? size : 0);
    checkRoom(type, size, waiting, this.#maxQueuedBytes, this.#socket.remoteAddress);
  }

  /** A frame's content has been written, or could not be: what it has sent itself follows. */
  #written(): void {
    this.#writing = false;
    if (this.#nested.length > 0) this.#appendNested();
    if (this.#closed) this.#finish();
  }

  #writeHead(head: Message, body: ManagedBuffer): void {
    const out = this.#out;
    const start = out.position;
    encodeMessageHead(head, out);
    const follows = head.type === MessageType.StreamResponse || head.type === MessageType.UploadStream;
    const size = out.position - start - FRAME_LENGTH_BYTES + (follows ? 0 : body.size);
    if (size <= this.#maxFrameBytes) {
      this.frames++;
      return;
    }
    out.truncate(start);
    released(body);
    throw frameTooLarge(size, this.#maxFrameBytes);
  }

  /** A frame that is sent from within the writing of another one follows it. */
  #writeNested(type: ContentMessageType, idHigh: number, idLow: number, content: Content): number {
    if (this.#closed) return 0;
    const out = new ByteSink(undefined, (position) => checkWritten(position, this.#maxFrameBytes));
    this.#encode(type, idHigh, idLow, content, out);
    this.#nested.push(out.view());
    return out.position;
  }

  #appendNested(): void {
    for (const frame of this.#nested) this.#out.writeBytes(frame);
    this.#nested = [];
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#settlingFlush.settling) return;
    this.lastWriteAt = this.#deadlines.now();
    this.#settlingFlush.begin();
  }

  /** Goes on in the same buffer, unless one large frame has made it larger than what is kept. */
  #emptyBuffer(): void {
    if (this.#out.bytes.length > MAX_POOLED_BYTES) this.#out = this.#newBuffer(GATHER_BYTES);
    else this.#out.truncate(0);
  }

  /** Before a message there are fewer bytes than are written at once. */
  #newBuffer(capacity: number): ByteSink {
    return new ByteSink(capacity, (position) => {
      if (this.#writing) checkWritten(position - FLUSH_BYTES, this.#maxFrameBytes);
    });
  }
}

function frameOf(message: Message): Uint8Array {
  const out = new ByteSink();
  encodeMessage(message, out);
  return out.view();
}
