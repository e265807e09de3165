/**
 * Bytes where they lie: integers out of them, and whether they are the same.
 *
 * @module
 */

/** The signed 32-bit integer at `offset`. */
export function int32At(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!;
}

/** Whether `a[aStart…aStart+length)` and `b[0…length)` hold the same bytes. */
export function sameBytes(a: Uint8Array, aStart: number, b: Uint8Array, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[aStart + i] !== b[i]) return false;
  return true;
}
