/**
 * The length that a frame begins with: what it may be, and what is said of one that no frame can have.
 *
 * Spark: the checks in common/network-common/…/util/TransportFrameDecoder.java.
 *
 * The texts begin as Spark's. Spark leaves it there; here the error says when the first bytes of a connection are those of
 * HTTP, TLS or SSH, which otherwise show only as an enormous number.
 *
 * @module
 */

import { ProtocolError } from "../base/errors.ts";
import { int64ToBigInt } from "../base/int64.ts";

/** Size of the length field; it counts itself. */
export const FRAME_LENGTH_BYTES = 8;
/** The largest frame that any Spark takes, without its length field: below 2³¹ - 1. */
export const MAX_FRAME_BYTES = 2 ** 31 - 2;

/** The first eight bytes of other protocols, one character a byte. */
const FOREIGN: readonly (readonly [RegExp, string])[] = [
  [
    /^(?:(?:GET|POST|PUT|HEAD|OPTIONS|DELETE|CONNECT|PATCH|TRACE|PRI) |HTTP\/\d)/,
    "HTTP, so the peer is a web server or browser",
  ],
  // deno-lint-ignore no-control-regex
  [/^[\x15\x16]\x03[\0-\x04]/, "TLS, so the peer encrypts and this end does not"],
  [/^SSH-/, "SSH, so the peer is a secure shell"],
];

/**
 * The error for a frame length that is not positive or above `limit`.
 *
 * @param high The upper half of the length field.
 * @param low The lower half.
 * @param limit The largest frame that is taken.
 * @param first Whether these are the first bytes of the connection.
 */
export function frameLengthError(high: number, low: number, limit: number, first: boolean): ProtocolError {
  // The size is taken modulo 2⁶⁴, as on the JVM.
  const size = BigInt.asIntN(64, int64ToBigInt({ high, low }) - BigInt(FRAME_LENGTH_BYTES));
  if (size <= 0n) return new ProtocolError(`Frame length should be positive: ${size}`, { offset: 0 });
  const foreign = first ? foreignBytes(high, low) : undefined;
  let message = `Too large frame: ${size}`;
  if (foreign !== undefined) message += `: ${foreign}`;
  else if (limit < MAX_FRAME_BYTES) message += `: the limit is ${limit} bytes`;
  return new ProtocolError(message, { offset: 0, limit });
}

/**
 * What is said of the first bytes of a connection if they are those of another protocol.
 *
 * @param high The upper half of what would be a length field.
 * @param low The lower half; a field that was cut ends with it.
 * @param count How many bytes have come.
 */
export function foreignBytes(high: number, low: number, count: number = FRAME_LENGTH_BYTES): string | undefined {
  const text = (asciiOf(high) + asciiOf(low)).slice(FRAME_LENGTH_BYTES - count);
  const foreign = FOREIGN.find(([pattern]) => pattern.test(text))?.[1];
  return foreign === undefined ? undefined : `these are the first bytes of ${foreign}`;
}

function asciiOf(half: number): string {
  return String.fromCharCode(half >>> 24, (half >>> 16) & 0xff, (half >>> 8) & 0xff, half & 0xff);
}
