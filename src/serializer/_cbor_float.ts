/**
 * Floats of CBOR: of 64, 32 and 16 bits.
 *
 * @module
 */

import type { ByteSink } from "../base/byte_sink.ts";
import { Initial } from "./_cbor_format.ts";

const single = new Float32Array(1);
const singleBits = new Uint32Array(single.buffer);
const double = new Float64Array(1);
const doubleBits = new Uint32Array(double.buffer);

/** Where the upper half of a double lies in its memory. */
const HIGH = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 1 : 0;
const LOW = 1 - HIGH;

const NOT_A_NUMBER = 0x7e00;

/** Writes `value` in the fewest bits that hold it exactly. */
export function writeFloat(out: ByteSink, value: number): void {
  single[0] = value;
  if (single[0] !== value && value === value) {
    double[0] = value;
    out.reserve(9);
    const at = out.position;
    out.bytes[at] = Initial.float64;
    out.setInt32(at + 1, doubleBits[HIGH]!);
    out.setInt32(at + 5, doubleBits[LOW]!);
    out.position = at + 9;
    return;
  }
  const half = halfBits(singleBits[0]!);
  if (half >= 0) {
    out.writeUint8(Initial.float16);
    out.writeUint16(half);
  } else {
    out.writeUint8(Initial.float32);
    out.writeInt32(singleBits[0]!);
  }
}

/** The 16 bits that stand for the same number as 32, or -1 if none do. */
function halfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const fraction = bits & 0x7f_ffff;
  if (exponent === 0xff) return fraction === 0 ? sign | 0x7c00 : NOT_A_NUMBER;
  if (exponent >= 113 && exponent <= 142 && (fraction & 0x1fff) === 0) {
    return sign | ((exponent - 112) << 10) | (fraction >>> 13);
  }
  if (exponent >= 103 && exponent <= 112) {
    // Below 2^-14 a half has no hidden bit: the fraction is shifted until its unit is 2^-24.
    const whole = fraction | 0x80_0000;
    const shift = 126 - exponent;
    if ((whole & ((1 << shift) - 1)) === 0) return sign | (whole >>> shift);
  }
  return exponent === 0 && fraction === 0 ? sign : -1;
}

/** The number that 16 bits of a half-precision float stand for. */
export function float16Value(bits: number): number {
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (fraction + 1024) * 2 ** (exponent - 25);
}
