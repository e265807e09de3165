/**
 * Cuts the bytes of a connection into frames, and hands the bytes of stream bodies between them to an interceptor.
 *
 * Spark: common/network-common/…/util/TransportFrameDecoder.java.
 *
 * A frame that lies whole in a chunk is handed out where it is. Spark gathers one that does not as a list of the chunks; here
 * a small one is put together in a buffer that is used again, a large one in memory of its own that grows with the bytes that
 * came, whatever the frame's length claims. The limit can be lower than 2 GiB.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import { ReceivedBytes } from "../base/received_bytes.ts";
import { foreignBytes, FRAME_LENGTH_BYTES, frameLengthError, MAX_FRAME_BYTES } from "./frame_length.ts";

/** From this size on a frame that was cut gets memory of its own, which whoever handles it may keep. */
const LARGE_FRAME_BYTES = 64 * 1024;
/** The first memory of a large frame; twice the usual chunk, so that one which barely misses fitting needs no second. */
const FIRST_MEMORY_BYTES = 2 * LARGE_FRAME_BYTES;
/** The smallest buffer for small frames that were cut. */
const MIN_SMALL_BUFFER_BYTES = 4 * 1024;
const NO_BYTES = new Uint8Array(0);
/** What a handler sees of a large frame before it is whole: the type and as much as a ChunkFetchSuccess has before its body. */
export const FRAME_HEAD_BYTES = 13;
/** With so many bytes behind its head a frame need not be whole in memory: its handler is asked who takes them as they come. */
export const STREAMED_BODY_BYTES = 1024 * 1024;

/** Takes frames. */
export interface FrameHandler {
  /** One frame, without its length field, in `[start, end)` of what was received. */
  onFrame(received: ReceivedBytes, start: number, end: number): void;
  /**
   * The first {@linkcode FRAME_HEAD_BYTES} of a frame that was cut have come, and at least {@linkcode STREAMED_BODY_BYTES} will
   * follow: whoever is returned takes exactly those, and `onFrame` is not called. `head` is borrowed.
   */
  interceptFrame?(head: Uint8Array, bodyBytes: number): Interceptor | undefined;
}

/** Takes bytes that are no frames: those of a stream's body. Spark: TransportFrameDecoder.Interceptor. */
export interface Interceptor {
  /** Where to put the next bytes, for a driver that can read straight into it; they are then owned. */
  allocate?(): Uint8Array | undefined;
  /**
   * Takes bytes of `[start, end)` and returns how many: fewer than given only when it has all that it wanted, and then it is
   * gone. One that got its last byte at the end of a chunk is asked once more at the next and takes 0. Unless `owned`, the
   * memory is borrowed until this returns.
   */
  handle(memory: Uint8Array, start: number, end: number, owned: boolean): number;
  /** The connection was closed, for that reason; the interceptor is gone. It may have had all that it wanted. */
  channelInactive(reason?: Error): void;
  /** The connection failed; the interceptor is gone. It may have had all that it wanted. */
  exceptionCaught(cause: Error): void;
}

/** Options of a {@linkcode TransportFrameDecoder}. */
export interface TransportFrameDecoderOptions {
  /** The largest frame that is taken, in bytes without the length field. @default MAX_FRAME_BYTES */
  readonly maxFrameBytes?: number;
  /** Parts of frames of up to so many bytes are copied when they are kept: `SocketDriver.copiedBytes`. @default 0 */
  readonly copiedBytes?: number | undefined;
}

type State = "idle" | "feeding" | "stopped";

/** The incoming half of one connection. An error that `feed` throws leaves it stopped. */
export class TransportFrameDecoder {
  readonly #handler: FrameHandler;
  readonly #copiedBytes: number;
  #maxFrameBytes = MAX_FRAME_BYTES;
  #state: State = "idle";
  #interceptor: Interceptor | undefined = undefined;
  /** Whether no length was read yet. */
  #first = true;
  /** How much there is of a length field that was cut, and its halves so far. */
  #lengthCount = 0;
  #lengthHigh = 0;
  #lengthLow = 0;
  /** Size of a frame that was cut, 0 if there is none; its memory; how many of its bytes have come. */
  #frameSize = 0;
  #memory = NO_BYTES;
  #received = 0;
  /** The first bytes of a frame that may be streamed. */
  #head = NO_BYTES;
  /** Where small frames that were cut are put together, one after the other. */
  #smallBuffer = NO_BYTES;
  /** What was borrowed last, as integers. */
  #borrowed: ArrayBufferLike | undefined = undefined;
  #view: DataView | undefined = undefined;
  /** How many frames have been handed out, those that were intercepted included. */
  frames = 0;

  /**
   * A decoder at the beginning of a connection.
   *
   * @param handler Takes the frames.
   * @param options The limits.
   */
  constructor(handler: FrameHandler, options: TransportFrameDecoderOptions = {}) {
    this.#handler = handler;
    this.#copiedBytes = options.copiedBytes ?? 0;
    this.maxFrameBytes = options.maxFrameBytes ?? MAX_FRAME_BYTES;
  }

  /** The largest frame that is taken, in bytes without the length field; never above {@linkcode MAX_FRAME_BYTES}. */
  get maxFrameBytes(): number {
    return this.#maxFrameBytes;
  }

  set maxFrameBytes(bytes: number) {
    if (!(bytes > 0)) throw new RangeError(`maxFrameBytes must be positive: ${bytes}`);
    this.#maxFrameBytes = Math.min(bytes, MAX_FRAME_BYTES);
  }

  /** How many bytes have come of a frame that is not complete, its length field included; 0 between frames. */
  get bufferedBytes(): number {
    return this.#frameSize > 0 ? FRAME_LENGTH_BYTES + this.#received : this.#lengthCount;
  }

  /** Whose bytes these are, if all that has come of the connection is less than a length and what another protocol begins with. */
  get foreignBytes(): string | undefined {
    return this.#first ? foreignBytes(this.#lengthHigh, this.#lengthLow, this.#lengthCount) : undefined;
  }

  /**
   * Takes the next bytes of the connection and calls the handler for each frame that they complete.
   *
   * @param chunk The bytes; they may lie in what {@linkcode allocate} gave.
   * @param owned Whether the chunk's memory stays as it is after the call.
   * @throws ProtocolError if a length cannot be one; what the handler or the interceptor throws comes through.
   */
  feed(chunk: Uint8Array, owned: boolean): void {
    if (this.#state === "stopped") return;
    assert(this.#state === "idle", "feed() was called by what it had called");
    this.#state = "feeding";
    try {
      this.#decode(chunk, this.#isOwnMemory(chunk) ? this.#advance(chunk.length) : 0, owned);
    } catch (thrown) {
      this.stop();
      throw thrown;
    }
    if (this.#state === "feeding") this.#state = "idle";
  }

  /**
   * A part of the memory of the frame that is being received, for the next bytes of the connection to be read into; the next
   * chunk is then a view of its beginning. There is one only while at least 64 KiB of a frame are missing, or of what an
   * interceptor wants that has memory.
   */
  allocate(): Uint8Array | undefined {
    if (this.#interceptor !== undefined) return this.#interceptor.allocate?.();
    if (this.#frameSize - this.#received < LARGE_FRAME_BYTES || this.#headMissing()) return undefined;
    this.#reserve(LARGE_FRAME_BYTES);
    return this.#memory.subarray(this.#received);
  }

  /** Lets `interceptor` take the bytes that follow the current frame, until it has all that it wants. */
  setInterceptor(interceptor: Interceptor): void {
    assert(this.#interceptor === undefined, "Already have an interceptor.");
    this.#interceptor = interceptor;
  }

  /** The connection was closed: tells the interceptor and frees the memory. */
  channelInactive(reason?: Error): void {
    this.stop();
    const interceptor = this.#interceptor;
    this.#interceptor = undefined;
    interceptor?.channelInactive(reason);
  }

  /** The connection failed and will be closed: tells the interceptor and frees the memory. */
  exceptionCaught(cause: Error): void {
    this.stop();
    const interceptor = this.#interceptor;
    this.#interceptor = undefined;
    interceptor?.exceptionCaught(cause);
  }

  /** Ignores the rest of the current chunk and all later ones, since the connection is about to be closed. */
  stop(): void {
    this.#state = "stopped";
    this.#lengthCount = 0;
    this.#frameSize = 0;
    this.#received = 0;
    this.#memory = NO_BYTES;
    this.#head = NO_BYTES;
    this.#smallBuffer = NO_BYTES;
    this.#borrowed = undefined;
    this.#view = undefined;
  }

  #decode(chunk: Uint8Array, start: number, owned: boolean): void {
    const received = new ReceivedBytes(chunk, owned, this.#copiedBytes, owned ? undefined : this.#viewOfBorrowed(chunk));
    const { view } = received;
    const end = chunk.length;
    let at = start;
    let frames = 0;
    // A handler may install an interceptor or stop the decoder, so each turn looks anew.
    while (at < end && this.#state === "feeding") {
      if (this.#interceptor !== undefined) {
        at = this.#intercept(this.#interceptor, chunk, at, owned);
      } else if (this.#frameSize > 0) {
        at = this.#continueFrame(received, at);
      } else if (this.#lengthCount > 0 || end - at < FRAME_LENGTH_BYTES) {
        at = this.#continueLength(chunk, at);
      } else {
        const size = this.#checkedSize(view.getInt32(at), view.getInt32(at + 4));
        at += FRAME_LENGTH_BYTES;
        if (size <= end - at) {
          frames++;
          this.#handler.onFrame(received, at, at + size);
          at += size;
        } else {
          this.#frameSize = size;
        }
      }
    }
    this.frames += frames;
  }

  /** A driver lends the same memory time and again; to make a view of it anew takes V8 as long as to decode a small frame. */
  #viewOfBorrowed(chunk: Uint8Array): DataView | undefined {
    if (chunk.byteOffset !== 0) return undefined;
    const { buffer } = chunk;
    if (buffer !== this.#borrowed) {
      this.#borrowed = buffer;
      this.#view = new DataView(buffer);
    }
    return this.#view;
  }

  /** Whether it is still open who takes the frame that is being received. */
  #headMissing(): boolean {
    return this.#received < FRAME_HEAD_BYTES && this.#frameSize >= FRAME_HEAD_BYTES + STREAMED_BODY_BYTES;
  }

  #checkedSize(high: number, low: number): number {
    const size = high === 0 ? (low >>> 0) - FRAME_LENGTH_BYTES : -1;
    if (size <= 0 || size > this.#maxFrameBytes) throw frameLengthError(high, low, this.#maxFrameBytes, this.#first);
    this.#first = false;
    return size;
  }

  #intercept(interceptor: Interceptor, chunk: Uint8Array, at: number, owned: boolean): number {
    const taken = interceptor.handle(chunk, at, chunk.length, owned);
    if (taken < chunk.length - at) this.#interceptor = undefined;
    return at + taken;
  }

  #continueLength(chunk: Uint8Array, start: number): number {
    let at = start;
    while (at < chunk.length && this.#lengthCount < FRAME_LENGTH_BYTES) {
      this.#lengthHigh = (this.#lengthHigh << 8) | (this.#lengthLow >>> 24);
      this.#lengthLow = (this.#lengthLow << 8) | chunk[at]!;
      this.#lengthCount++;
      at++;
    }
    if (this.#lengthCount === FRAME_LENGTH_BYTES) {
      this.#lengthCount = 0;
      this.#frameSize = this.#checkedSize(this.#lengthHigh, this.#lengthLow);
    }
    return at;
  }

  #continueFrame(received: ReceivedBytes, at: number): number {
    const chunk = received.memory;
    if (this.#headMissing()) return this.#continueHead(chunk, at);
    const count = Math.min(this.#frameSize - this.#received, chunk.length - at);
    if (count === this.#frameSize) {
      // Only the length came apart from the rest.
      this.#frameSize = 0;
      this.frames++;
      this.#handler.onFrame(received, at, at + count);
      return at + count;
    }
    this.#reserve(count);
    this.#memory.set(chunk.subarray(at, at + count), this.#received);
    this.#advance(count);
    return at + count;
  }

  #continueHead(chunk: Uint8Array, start: number): number {
    const end = Math.min(chunk.length, start + FRAME_HEAD_BYTES - this.#received);
    if (this.#received === 0) this.#head = new Uint8Array(FRAME_HEAD_BYTES);
    const head = this.#head;
    head.set(chunk.subarray(start, end), this.#received);
    this.#received += end - start;
    if (this.#received < FRAME_HEAD_BYTES) return end;
    this.#head = NO_BYTES;
    const interceptor = this.#handler.interceptFrame?.(head, this.#frameSize - FRAME_HEAD_BYTES);
    if (this.#state !== "feeding") return end;
    if (interceptor === undefined) {
      this.#reserve(0);
      this.#memory.set(head);
    } else {
      this.#frameSize = 0;
      this.#received = 0;
      this.frames++;
      this.setInterceptor(interceptor);
    }
    return end;
  }

  /** Counts bytes that are in place and hands the frame out if they were its last. */
  #advance(count: number): number {
    this.#received += count;
    if (this.#received === this.#frameSize) {
      const memory = this.#memory;
      const size = this.#frameSize;
      this.#memory = NO_BYTES;
      this.#frameSize = 0;
      this.#received = 0;
      this.frames++;
      this.#handler.onFrame(new ReceivedBytes(memory, size >= LARGE_FRAME_BYTES, this.#copiedBytes), 0, size);
    }
    return count;
  }

  /** Makes room for `count` more bytes of the frame, or for all that are missing if they are fewer. */
  #reserve(count: number): void {
    const size = this.#frameSize;
    const needed = Math.min(size, this.#received + count);
    const memory = this.#memory;
    if (needed <= memory.length) return;
    if (size < LARGE_FRAME_BYTES) {
      if (this.#smallBuffer.length < size) this.#smallBuffer = new Uint8Array(smallBufferBytes(size));
      this.#memory = this.#smallBuffer;
      return;
    }
    const grown = new Uint8Array(Math.min(size, Math.max(FIRST_MEMORY_BYTES, 2 * memory.length, 2 * needed)));
    grown.set(memory.subarray(0, this.#received));
    this.#memory = grown;
  }

  /** Whether the chunk lies where it belongs, in memory that is the frame's alone. */
  #isOwnMemory(chunk: Uint8Array): boolean {
    return this.#frameSize >= LARGE_FRAME_BYTES && chunk.buffer === this.#memory.buffer && chunk.byteOffset === this.#received;
  }
}

function smallBufferBytes(size: number): number {
  let bytes = MIN_SMALL_BUFFER_BYTES;
  while (bytes < size) bytes *= 2;
  return bytes;
}
