/**
 * The body of a message, or what is left of it to be read: bytes that are borrowed from the connection until somebody takes them.
 *
 * Spark: common/network-common/…/buffer/NettyManagedBuffer.java, whose reference count `take` stands for.
 *
 * @module
 */

import { sameBytes } from "./bytes.ts";
import { ReceivedBytes } from "./received_bytes.ts";

/**
 * Bytes `[start, end)` of what was received. Whoever keeps them longer than the call that gave them calls {@linkcode take}.
 *
 * @example
 * ```ts
 * import { cborSerializer, MessageBody } from "@sparkwire/sparkwire";
 *
 * const body = MessageBody.of(Uint8Array.of(0xd9, 0xd9, 0xf7, 0x18, 42));
 * if (!body.startsWith(cborSerializer.prefix) || body.length !== 5) throw new Error("Not what was written");
 * ```
 */
export class MessageBody {
  /** What the body is a part of. */
  readonly received: ReceivedBytes;
  /** Where the body begins, or what is left of it. */
  start: number;
  /** Where the body ends. */
  readonly end: number;

  /**
   * A body in `[start, end)` of `received`.
   *
   * @param received What it is a part of.
   * @param start Where it begins.
   * @param end Where it ends.
   */
  constructor(received: ReceivedBytes, start: number, end: number) {
    this.received = received;
    this.start = start;
    this.end = end;
  }

  /**
   * A body of one's own bytes.
   *
   * @param bytes All of it; nobody changes them any more.
   */
  static of(bytes: Uint8Array): MessageBody {
    return new MessageBody(new ReceivedBytes(bytes, true), 0, bytes.length);
  }

  /** The memory that the body lies in, valid until the call that gave the body returns. */
  get memory(): Uint8Array {
    return this.received.memory;
  }

  /** How many bytes it has. */
  get length(): number {
    return this.end - this.start;
  }

  /** A view of the bytes, valid until the call that gave the body returns. */
  get bytes(): Uint8Array {
    return this.received.memory.subarray(this.start, this.end);
  }

  /** Whether it begins with these bytes. */
  startsWith(prefix: Uint8Array): boolean {
    return this.end - this.start >= prefix.length && sameBytes(this.received.memory, this.start, prefix, prefix.length);
  }

  /** The bytes for as long as one likes. Their `buffer` has neighbours and must not be transferred. */
  take(): Uint8Array {
    return this.received.keep(this.start, this.end);
  }
}
