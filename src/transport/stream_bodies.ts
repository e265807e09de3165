/**
 * The bodies of streams on their way out: read piece by piece as the socket takes them, never interleaved with frames.
 *
 * Spark: common/network-common/…/protocol/MessageWithHeader.java, which writes at most 256 KiB at a time. Here the next piece of a
 * file is read while the last one is being sent.
 *
 * @module
 */

import { ByteSink } from "../base/byte_sink.ts";
import { RpcError, toError } from "../base/errors.ts";
import { RingQueue } from "../base/ring_queue.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";
import { cancelRead, lastingBytes, released } from "./body_calls.ts";
import { type PieceBuffer, PieceMemory, type SharedPieces } from "./piece_memory.ts";

/** How much of a body in memory is handed over at once. */
const VIEW_BYTES = 1024 * 1024;
/** Frames that wait are put together in blocks of up to this size: one object each would cost more than the frames. */
const FRAMES_BYTES = 16 * 1024;

interface Body {
  readonly body: ManagedBuffer;
  /** How many bytes the peer has been promised: the body may say otherwise later, a file that is being written to, say. */
  readonly size: number;
  /** All of it, where it is in memory and can stay there. */
  readonly bytes: Uint8Array | undefined;
  readonly done: (error: Error | undefined) => void;
  /** What goes before it, once its first bytes have been read, and what is sent instead of both if they cannot be. */
  promise: BodyPromise | undefined;
  /** How much of it has been handed to the socket, and how much of it has been read. */
  sentBytes: number;
  readBytes: number;
}

/** The frame that announces a body, and what is said instead if the body cannot even be begun. */
export interface BodyPromise {
  /** The frame, or its beginning. */
  readonly head: Uint8Array;
  /** A whole frame. */
  readonly refuse: (error: Error) => Uint8Array;
}

/** A piece that was read and has not been handed to the socket. */
interface Piece {
  readonly buffer: PieceBuffer;
  readonly length: number;
}

/** A body, or frames that wait behind one. */
type Item = Body | { readonly frames: ByteSink };

/** What {@linkcode StreamBodies} tells its owner. */
export interface StreamBodiesOwner {
  /** How many bytes `write` was given, here and elsewhere. */
  writtenBytes(): number;
  /** How many of them have left. */
  leftBytes(): number;
  /** Takes bytes for the socket; false when that is full. */
  write(bytes: Uint8Array): boolean;
  /** A body could not be read to its end, and all that waited has been dropped. */
  failed(error: Error): void;
  /** Nothing waits any more. */
  emptied(): void;
}

/** A FIFO of bodies, and of the frames between them. */
export class StreamBodies {
  readonly #owner: StreamBodiesOwner;
  readonly #maxPieceBytes: number;
  /** An array would be moved at each shift: with the 65,536 chunks that a peer may wait for, Node spends 0.1 ms on one. */
  readonly #items = new RingQueue<Item>(Number.MAX_SAFE_INTEGER);
  #queuedBytes = 0;
  #pumping = false;
  #reading = false;
  #ready: Piece | undefined;
  readonly #memory: PieceMemory;
  #blocked = false;
  /** Why nothing more is taken. */
  #stopped: Error | undefined;

  /** @param owner Is told what happens. @param maxPieceBytes How much may be handed over at once. @param pieces Those of others too. */
  constructor(owner: StreamBodiesOwner, maxPieceBytes: number, pieces: SharedPieces) {
    this.#owner = owner;
    this.#memory = new PieceMemory(pieces);
    this.#maxPieceBytes = Math.max(1, Math.floor(maxPieceBytes));
  }

  /** Whether nothing waits. */
  get idle(): boolean {
    return this.#items.length === 0;
  }

  /** Bytes of frames that wait behind bodies. The bodies' own are not in memory. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /**
   * Appends a body; `done` hears how it went, after which the body has been released.
   *
   * @param promise Sent with the first bytes; without one the peer has been promised the body already.
   */
  push(body: ManagedBuffer, done: (error: Error | undefined) => void, promise?: BodyPromise): void {
    if (this.#stopped !== undefined) {
      // A body that could not be read has ended all this, and the connection hears of it in a moment.
      released(body);
      done(this.#stopped);
      return;
    }
    this.#items.push({ body, size: body.size, bytes: lastingBytes(body), promise, sentBytes: 0, readBytes: 0, done });
    this.#pump();
  }

  /** Appends a copy of `bytes`, whole frames, behind the bodies that wait. */
  pushFrames(bytes: Uint8Array): void {
    if (this.#stopped !== undefined) return;
    this.#queuedBytes += bytes.length;
    const last = this.#items.at(this.#items.length - 1);
    if (last !== undefined && "frames" in last && last.frames.position + bytes.length <= FRAMES_BYTES) {
      last.frames.writeBytes(bytes);
      return;
    }
    // No larger than it must be: between two bodies there is often no more than the head of the second.
    const frames = new ByteSink(bytes.length);
    frames.writeBytes(bytes);
    this.#items.push({ frames });
  }

  /** The socket is full of something else: bodies wait until it can take more. */
  block(): void {
    this.#blocked = true;
  }

  /** The socket, which was full, can take more. */
  drained(): void {
    this.#blocked = false;
    this.#pump();
  }

  /** Fails and releases all that waits. */
  stop(error: Error): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = error;
    this.#queuedBytes = 0;
    this.#ready = undefined;
    this.#memory.clear();
    const first = this.#items.peek();
    if (this.#reading && first !== undefined && "body" in first) cancelRead(first.body);
    this.#items.clear((item) => {
      if ("frames" in item) return;
      released(item.body);
      item.done(error);
    });
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (!this.#blocked && this.#stopped === undefined) {
      const item = this.#items.peek();
      if (item === undefined || !this.#advance(item)) break;
    }
    this.#pumping = false;
    const item = this.#items.peek();
    if (item === undefined) {
      this.#memory.clear();
      this.#owner.emptied();
    } else if (!("frames" in item)) {
      // While what came before is being sent.
      this.#readAhead(item);
    }
  }

  /** Hands the next bytes to the socket; false if they are not there yet. */
  #advance(item: Item): boolean {
    if ("frames" in item) {
      this.#items.shift();
      this.#queuedBytes -= item.frames.position;
      this.#send(item.frames.view());
      return true;
    }
    const { body, size, bytes, sentBytes } = item;
    if (sentBytes === size) {
      this.#items.shift();
      item.done(released(body));
    } else if (bytes !== undefined) {
      item.sentBytes = Math.min(sentBytes + Math.min(VIEW_BYTES, this.#maxPieceBytes), size);
      if (bytes.length < item.sentBytes) {
        this.#fail(new RpcError("STREAM", `The memory of a body of ${size} bytes was taken away while they were sent`));
        return false;
      }
      this.#send(bytes.subarray(sentBytes, item.sentBytes));
    } else if (this.#ready !== undefined) {
      const { buffer, length } = this.#ready;
      this.#ready = undefined;
      item.sentBytes += length;
      if (item.promise !== undefined) this.#send(item.promise.head);
      item.promise = undefined;
      this.#send(buffer.bytes.subarray(0, length));
      buffer.inUseUntil = this.#owner.writtenBytes();
    } else return false;
    return true;
  }

  #send(bytes: Uint8Array): void {
    if (!this.#owner.write(bytes)) this.#blocked = true;
  }

  #readAhead(item: Body): void {
    const missing = item.size - item.readBytes;
    if (this.#reading || this.#ready !== undefined || missing === 0 || item.bytes !== undefined) return;
    if (this.#stopped !== undefined) return;
    this.#reading = true;
    const wanted = Math.min(missing, this.#maxPieceBytes);
    const buffer = this.#memory.take(wanted, this.#owner.leftBytes());
    this.#read(item, buffer, buffer.bytes.subarray(0, wanted));
  }

  /** Says in the body's place that it will not come; whoever waits behind it is served. */
  #refuse({ body, done }: Body, refusal: Uint8Array, error: Error): void {
    const frames = new ByteSink(refusal.length);
    frames.writeBytes(refusal);
    this.#items.replaceFirst({ frames });
    this.#queuedBytes += refusal.length;
    released(body);
    done(error);
    this.#pump();
  }

  async #read(item: Body, buffer: PieceBuffer, into: Uint8Array): Promise<void> {
    const { body, size } = item;
    let length = 0;
    let failure: Error | undefined;
    try {
      // The buffer lives for the length of the read even if the connection closes meanwhile.
      body.retain();
      try {
        length = await body.read(item.readBytes, into);
        // One that reads nothing would be asked for ever.
        if (!(length > 0 && length <= into.length)) {
          throw new RpcError("STREAM", `A buffer of ${size} bytes read ${length} of ${into.length} at ${item.readBytes}`);
        }
      } catch (thrown) {
        failure = toError(thrown);
      }
      body.release();
    } catch (thrown) {
      failure ??= toError(thrown);
    }
    this.#reading = false;
    if (this.#stopped !== undefined) return;
    if (failure === undefined) {
      item.readBytes += length;
      this.#ready = { buffer, length };
      return this.#pump();
    }
    if (item.promise !== undefined) return this.#refuse(item, item.promise.refuse(failure), failure);
    this.#fail(failure);
  }

  /** The peer has been promised these bytes; closing is the only way to say that they will not come. */
  #fail(failure: Error): void {
    this.stop(failure);
    this.#owner.failed(failure);
  }
}
