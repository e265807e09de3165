/**
 * The bodies of streams on their way out: read piece by piece as the socket takes them, never interleaved with frames.
 *
 * Spark: common/network-common/…/protocol/MessageWithHeader.java, which writes at most 256 KiB at a time.
 *
 * @module
 */

import { toError } from "../base/errors.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";

/** How much of a body is read at once. */
const PIECE_BYTES = 256 * 1024;

/** A body, or frames that wait behind one. */
type Item =
  | { readonly bytes: Uint8Array }
  | { readonly body: ManagedBuffer; position: number; readonly done: (error: Error | undefined) => void };

/** A FIFO of bodies, and of the frames between them. */
export class StreamBodies {
  readonly #write: (chunks: readonly Uint8Array[]) => boolean;
  readonly #abort: () => void;
  #items: Item[] = [];
  #queuedBytes = 0;
  #pumping = false;
  #reading = false;
  #blocked = false;
  #stopped = false;

  /** @param write Gives bytes to the socket; false when it is full. @param abort Ends the connection. */
  constructor(write: (chunks: readonly Uint8Array[]) => boolean, abort: () => void) {
    this.#write = write;
    this.#abort = abort;
  }

  /** Whether nothing waits. */
  get idle(): boolean {
    return this.#items.length === 0;
  }

  /** Bytes of frames that wait behind bodies. The bodies' own are not in memory. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Appends a body. */
  push(body: ManagedBuffer, done: (error: Error | undefined) => void): void {
    this.#items.push({ body, position: 0, done });
    this.pump();
  }

  /** Appends frames behind the bodies that wait. */
  pushBytes(bytes: Uint8Array): void {
    this.#items.push({ bytes });
    this.#queuedBytes += bytes.length;
  }

  /** Goes on after the socket was full, or after a piece has been read. */
  pump(): void {
    this.#blocked = false;
    if (this.#pumping || this.#reading) return;
    this.#pumping = true;
    while (!this.#blocked && !this.#reading && !this.#stopped) {
      const item = this.#items[0];
      if (item === undefined) break;
      if ("bytes" in item) {
        this.#items.shift();
        this.#queuedBytes -= item.bytes.length;
        this.#send(item.bytes);
      } else if (item.position === item.body.size) {
        this.#items.shift();
        item.body.release();
        item.done(undefined);
      } else {
        this.#sendPiece(item);
      }
    }
    this.#pumping = false;
  }

  /** Fails and releases all that waits. */
  stop(error: Error): void {
    if (this.#stopped) return;
    this.#stopped = true;
    const items = this.#items;
    this.#items = [];
    this.#queuedBytes = 0;
    for (const item of items) {
      if ("bytes" in item) continue;
      item.body.release();
      item.done(error);
    }
  }

  #send(bytes: Uint8Array): void {
    if (!this.#write([bytes])) this.#blocked = true;
  }

  #sendPiece(item: Extract<Item, { body: ManagedBuffer }>): void {
    const count = Math.min(PIECE_BYTES, item.body.size - item.position);
    const bytes = item.body.bytes;
    if (bytes !== undefined) {
      this.#send(bytes.subarray(item.position, item.position + count));
      item.position += count;
      return;
    }
    const piece = new Uint8Array(count);
    this.#reading = true;
    this.#read(item, piece);
  }

  async #read(item: Extract<Item, { body: ManagedBuffer }>, piece: Uint8Array): Promise<void> {
    try {
      // The buffer lives for the length of the read even if the connection closes meanwhile.
      item.body.retain();
      let length: number;
      try {
        length = await item.body.read(item.position, piece);
      } finally {
        item.body.release();
      }
      this.#reading = false;
      if (this.#stopped) return;
      item.position += length;
      this.#send(length === piece.length ? piece : piece.subarray(0, length));
    } catch (thrown) {
      this.#reading = false;
      if (this.#stopped) return;
      // The peer has been promised these bytes; closing is the only way to say that they will not come.
      this.stop(toError(thrown));
      this.#abort();
      return;
    }
    if (!this.#blocked) this.pump();
  }
}
