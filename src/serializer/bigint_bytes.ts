/**
 * Bigints as bytes in network order, for both codecs.
 *
 * It takes a peer five bytes to refer to one of 65,536, and who sends it on writes all of it each time. So writing one must not take
 * long, and what is written of large ones is bounded.
 *
 * @module
 */

/** From so many bytes on a bigint is a large one: of smaller ones a message cannot become a hundred times as long. */
const LARGE_BIGINT_BYTES = 257;

/** How many bytes all large bigints have at most that one message is written with. */
export const MAX_LARGE_BIGINT_BYTES: number = 2 ** 22;

/** What is wrong with a message that has more of them. */
export const TOO_MANY_LARGE_BIGINTS: string =
  `bigints of ${LARGE_BIGINT_BYTES} bytes and more that have more than ${MAX_LARGE_BIGINT_BYTES} in all`;

/** How many bytes of a bigint that takes so many count against the limit. */
export function largeBigintBytes(length: number): number {
  return length < LARGE_BIGINT_BYTES ? 0 : length;
}

const DIGIT_ZERO = 0x30;
const DIGIT_NINE = 0x39;
/** The code of `a`, less ten. */
const LETTER_BASE = 0x57;

/** The bytes of `magnitude`, which is not negative. Zero has one. */
export function bytesOfBigint(magnitude: bigint): Uint8Array {
  const digits = magnitude.toString(16);
  const bytes = new Uint8Array((digits.length + 1) >> 1);
  for (let i = bytes.length - 1, at = digits.length - 1; i >= 0; i--, at -= 2) {
    bytes[i] = valueOf(digits.charCodeAt(at)) + (at > 0 ? valueOf(digits.charCodeAt(at - 1)) << 4 : 0);
  }
  return bytes;
}

function valueOf(digit: number): number {
  return digit <= DIGIT_NINE ? digit - DIGIT_ZERO : digit - LETTER_BASE;
}

/** The bigint that has these bytes. */
export function bigintOfBytes(bytes: Uint8Array): bigint {
  let hex = "0x0";
  for (let i = 0; i < bytes.length; i++) hex += (bytes[i]! + 0x100).toString(16).slice(1);
  return BigInt(hex);
}
