/**
 * Bytes where they lie: integers out of them, whether they are the same, and whether they are there.
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

/** Whether `bytes` may have lost their memory: there are none, and they begin where those do. {@linkcode checkAttached} knows. */
export function mayBeDetached(bytes: Uint8Array): boolean {
  return bytes.length === 0 && bytes.byteOffset === 0;
}

/** What is asked for its keys says by a TypeError that its memory is gone. Nothing else tells that of a buffer that has shrunk. */
const { keys } = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array;

/**
 * Throws if the memory of `array` has been transferred, or resized so that the array is not within it any more: what was in it is
 * lost, and must not arrive as nothing.
 */
export function checkAttached(array: ArrayBufferView): void {
  keys.call(array as Uint8Array);
}
