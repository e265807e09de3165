/**
 * 64-bit integers as two 32-bit halves: ids that are echoed to a peer untouched, never through a float.
 *
 * @module
 */

/** A signed 64-bit integer. */
export interface Int64 {
  /** The upper half, signed. */
  readonly high: number;
  /** The lower half, signed (its bits are what counts). */
  readonly low: number;
}

/** The 64-bit form of a safe integer. */
export function int64FromSafe(value: number): Int64 {
  return { high: highOfSafe(value), low: value | 0 };
}

/** The upper half of a safe integer; the lower one is `value | 0`. */
export function highOfSafe(value: number): number {
  // Small ones stay small integers: a float on the way is felt on Bun 1.4.
  return value >= 0 && value <= 0x7fff_ffff ? 0 : Math.floor(value / 2 ** 32);
}

/** The number it stands for, or NaN where a float cannot hold it. */
export function int64ToSafe(value: Int64): number {
  return halvesToSafe(value.high, value.low);
}

/** The number that two halves stand for, or NaN where a float cannot hold it. */
export function halvesToSafe(high: number, low: number): number {
  // Small ids stay small integers: through a float they cost JavaScriptCore (Bun 1.4) half of the asker's time.
  if (high === 0 && low >= 0) return low;
  if (high < -0x20_0000 || high > 0x1f_ffff) return NaN;
  return high * 2 ** 32 + (low >>> 0);
}

/** The 64-bit form of the low 64 bits of `value`. */
export function int64FromBigInt(value: bigint): Int64 {
  return { high: Number(BigInt.asIntN(32, value >> 32n)), low: Number(BigInt.asIntN(32, value)) };
}

/** The exact value. */
export function int64ToBigInt(value: Int64): bigint {
  return (BigInt(value.high) << 32n) | BigInt(value.low >>> 0);
}
