/**
 * The bodies of streams on their way out: read piece by piece as the socket takes them, never interleaved with frames.
 *
 * Spark: common/network-common/…/protocol/MessageWithHeader.java, which writes at most 256 KiB at a time.
 *
 * @module
 */

import { ByteSink } from "../base/bytes.ts";
import { RpcError, toError } from "../base/errors.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";

/** How much of a body is read at once. */
const PIECE_BYTES = 256 * 1024;
/** Frames that wait are put together in blocks of this size: one object each would cost more than the frames. */
const FRAMES_BYTES = 16 * 1024;

interface Body {
  readonly body: ManagedBuffer;
  readonly done: (error: Error | undefined) => void;
  position: number;
}

/** A body, or frames that wait behind one. */
type Item = Body | { readonly frames: ByteSink };

/** What {@linkcode StreamBodies} tells its owner. */
export interface StreamBodiesOwner {
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
  #items: Item[] = [];
  #queuedBytes = 0;
  #pumping = false;
  #reading = false;
  #blocked = false;
  /** Why nothing more is taken. */
  #stopped: Error | undefined;

  /** @param owner Is told what happens. */
  constructor(owner: StreamBodiesOwner) {
    this.#owner = owner;
  }

  /** Whether nothing waits. */
  get idle(): boolean {
    return this.#items.length === 0;
  }

  /** Bytes of frames that wait behind bodies. The bodies' own are not in memory. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Appends a body; `done` hears how it went, after which the body has been released. */
  push(body: ManagedBuffer, done: (error: Error | undefined) => void): void {
    if (this.#stopped !== undefined) {
      // A body that could not be read has ended all this, and the connection hears of it in a moment.
      body.release();
      done(this.#stopped);
      return;
    }
    this.#items.push({ body, position: 0, done });
    this.#pump();
  }

  /** Appends a copy of `bytes`, whole frames, behind the bodies that wait. */
  pushFrames(bytes: Uint8Array): void {
    if (this.#stopped !== undefined) return;
    this.#queuedBytes += bytes.length;
    const last = this.#items.at(-1);
    if (last !== undefined && "frames" in last && last.frames.position + bytes.length <= last.frames.bytes.length) {
      last.frames.writeBytes(bytes);
      return;
    }
    const frames = new ByteSink(Math.max(FRAMES_BYTES, bytes.length));
    frames.writeBytes(bytes);
    this.#items.push({ frames });
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
    const items = this.#items;
    this.#items = [];
    this.#queuedBytes = 0;
    for (const item of items) {
      if ("frames" in item) continue;
      item.body.release();
      item.done(error);
    }
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (!this.#blocked && !this.#reading && this.#stopped === undefined) {
      const item = this.#items[0];
      if (item === undefined) break;
      if ("frames" in item) {
        this.#items.shift();
        this.#queuedBytes -= item.frames.position;
        this.#send(item.frames.view());
      } else if (item.position === item.body.size) {
        this.#items.shift();
        item.body.release();
        item.done(undefined);
      } else {
        this.#sendPiece(item);
      }
    }
    this.#pumping = false;
    if (this.#items.length === 0) this.#owner.emptied();
  }

  #send(bytes: Uint8Array): void {
    if (!this.#owner.write(bytes)) this.#blocked = true;
  }

  #sendPiece(item: Body): void {
    const count = Math.min(PIECE_BYTES, item.body.size - item.position);
    const bytes = item.body.bytes;
    if (bytes === undefined) {
      this.#reading = true;
      this.#read(item, new Uint8Array(count));
      return;
    }
    this.#send(bytes.subarray(item.position, item.position + count));
    item.position += count;
  }

  async #read(item: Body, piece: Uint8Array): Promise<void> {
    let failure: Error | undefined;
    // The buffer lives for the length of the read even if the connection closes meanwhile.
    item.body.retain();
    try {
      const length = await item.body.read(item.position, piece);
      // One that reads nothing would be asked for ever.
      if (!(length > 0 && length <= piece.length)) {
        throw new RpcError(
          "STREAM",
          `A buffer of ${item.body.size} bytes read ${length} of ${piece.length} at ${item.position}`,
        );
      }
      if (this.#stopped === undefined) {
        item.position += length;
        this.#send(length === piece.length ? piece : piece.subarray(0, length));
      }
    } catch (thrown) {
      failure = toError(thrown);
    }
    this.#reading = false;
    item.body.release();
    if (this.#stopped !== undefined) return;
    if (failure === undefined) return this.#pump();
    // The peer has been promised these bytes; closing is the only way to say that they will not come.
    this.stop(failure);
    this.#owner.failed(failure);
  }
}
