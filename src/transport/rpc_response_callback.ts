/**
 * Who waits for the answer to a request, and what a request or an answer can consist of.
 *
 * Spark: common/network-common/…/client/RpcResponseCallback.java. There the client uses it to wait and the server to answer;
 * here the server's side is {@linkcode RpcResponder}, since what goes out is written straight into the connection's buffer.
 *
 * @module
 */

import type { ByteSink } from "../base/byte_sink.ts";
import { checkAttached } from "../base/bytes.ts";
import type { MessageBody } from "../base/message_body.ts";

/** Writes what a message consists of. For those who send so many that a closure for each would be felt. */
export interface ContentWriter {
  /** Appends it to `out`. */
  writeTo(out: ByteSink): void;
}

/**
 * What a message consists of: bytes that are the connection's from here on, or what writes them into the connection's own
 * buffer. That runs at once, may send other messages, and what it throws reaches the caller: nothing is sent.
 */
export type Content = Uint8Array | ((out: ByteSink) => void) | ContentWriter;

/** Appends `content`. */
export function writeContent(content: Content, out: ByteSink): void {
  // Not `instanceof Uint8Array`: V8 walks the prototypes of what is none, which is felt by every ask.
  if ("writeTo" in content) content.writeTo(out);
  else if (typeof content === "function") content(out);
  else {
    if (content.length === 0) checkAttached(content);
    out.writeBytes(content);
  }
}

/** Waits for an answer: one of its three methods is called, once. */
export interface RpcResponseCallback {
  /** When to give up, in milliseconds of the clock; Infinity for never. */
  readonly deadline: number;
  /** The answer. Its bytes are borrowed until this returns. */
  onSuccess(body: MessageBody): void;
  /** There will be no answer. */
  onFailure(error: Error): void;
  /** The deadline has passed; a late answer will be ignored. */
  onTimeout(): void;
}

/** Answers one request. The first answer counts; later ones are reported to the log and dropped. */
export interface RpcResponder {
  /** Answers with `content`. Returns how many bytes the answer takes. */
  onSuccess(content: Content): number;
  /** Answers with a failure that the asker sees as text. */
  onFailure(error: Error): void;
}
