/**
 * Bytes that come from a stream of known length, to be sent once.
 *
 * Spark has only ChunkedStream over an InputStream for that, which blocks a thread.
 *
 * @module
 */

import { assert } from "../base/assert.ts";
import { RpcError, toError } from "../base/errors.ts";
import type { ManagedBuffer } from "../protocol/managed_buffer.ts";

/** Where the bytes of an upload or an answer can come from. */
export type ByteSource = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** The next bytes of a source, as all kinds of sources can give them. */
interface Puller {
  next(): Promise<Uint8Array | undefined>;
  cancel(): void;
}

const NO_BYTES = new Uint8Array(0);

/**
 * As many bytes of a source as were promised, read as the peer takes them. A source that gives fewer fails what they were
 * promised to, and so does one whose last chunk that is needed has more; beyond that chunk it is not asked. It is cancelled when the
 * last holder releases it before its end.
 *
 * @example
 * ```ts
 * import { StreamManagedBuffer } from "@sparkwire/sparkwire";
 *
 * const buffer = new StreamManagedBuffer(6, new Blob(["Spark!"]).stream());
 * const into = new Uint8Array(10);
 * const count = await buffer.read(0, into);
 * if (new TextDecoder().decode(into.subarray(0, count)) !== "Spark!") throw new Error("not all");
 * buffer.release();
 * ```
 */
export class StreamManagedBuffer implements ManagedBuffer {
  /** How many bytes were promised. */
  readonly size: number;
  readonly #source: Puller;
  #holders = 1;
  /** What was given and not read yet. */
  #rest: Uint8Array = NO_BYTES;
  #givenBytes = 0;
  #readBytes = 0;
  #isCancelled = false;

  /**
   * Reads nothing yet.
   *
   * @param size How many bytes there are.
   * @param source Where they come from.
   * @throws RangeError if the size cannot be one.
   */
  constructor(size: number, source: ByteSource) {
    if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`Size must be a whole number of bytes: ${size}`);
    this.size = size;
    this.#source = pullerOf(source);
  }

  /**
   * Reads the next bytes; `position` must be where the last read ended.
   *
   * @returns How many; rejects with an RpcError of code `STREAM` if the source fails or gives fewer or more than promised.
   */
  async read(position: number, into: Uint8Array): Promise<number> {
    assert(this.#holders > 0, "A stream was read after its release");
    assert(position === this.#readBytes, `A stream was read at ${position}, but its next byte is ${this.#readBytes}`);
    while (this.#rest.length === 0 && this.#readBytes < this.size) this.#rest = await this.#next();
    const count = Math.min(into.length, this.#rest.length);
    into.set(this.#rest.subarray(0, count));
    this.#rest = this.#rest.subarray(count);
    this.#readBytes += count;
    return count;
  }

  /** Cancels the source: a read that waits for it need wait no longer. */
  cancel(): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.#source.cancel();
  }

  /** Keeps it alive once more. */
  retain(): this {
    assert(this.#holders > 0, "A stream was retained after its release");
    this.#holders++;
    return this;
  }

  /** Gives it up once; the last one cancels the source. */
  release(): void {
    assert(this.#holders > 0, "A stream was released twice");
    if (--this.#holders > 0) return;
    this.#rest = NO_BYTES;
    this.cancel();
  }

  async #next(): Promise<Uint8Array> {
    let chunk: Uint8Array | undefined;
    try {
      chunk = await this.#source.next();
    } catch (thrown) {
      const cause = toError(thrown);
      throw new RpcError("STREAM", `Error in reading a stream of ${this.size} bytes: ${cause.message}`, { cause });
    }
    if (chunk === undefined) throw new RpcError("STREAM", `A stream of ${this.size} bytes ended after ${this.#givenBytes}`);
    if (!(chunk instanceof Uint8Array)) throw new RpcError("STREAM", "A stream gave something that is no Uint8Array");
    this.#givenBytes += chunk.length;
    if (this.#givenBytes > this.size) throw new RpcError("STREAM", `A stream of ${this.size} bytes gave ${this.#givenBytes}`);
    return chunk;
  }
}

/** Has a source give up before anything was read of it. */
export function cancelSource(source: ByteSource): void {
  pullerOf(source).cancel();
}

function pullerOf(source: ByteSource): Puller {
  if ("getReader" in source) return readerPuller(source.getReader());
  const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  return {
    async next() {
      const { done, value } = await iterator.next();
      return done === true ? undefined : value;
    },
    cancel() {
      // A generator that is waiting ends when it is next asked; nobody waits for that, and its failure is nobody's.
      Promise.resolve(iterator.return?.()).catch(() => {});
    },
  };
}

function readerPuller(reader: ReadableStreamDefaultReader<Uint8Array>): Puller {
  return {
    async next() {
      const { done, value } = await reader.read();
      return done ? undefined : value;
    },
    cancel() {
      reader.cancel().catch(() => {});
    },
  };
}
