/**
 * Calls of a body that somebody else may have made: what it throws is its maker's fault, and it is given up in any case.
 *
 * @module
 */

import { toError } from "../base/errors.ts";
import { checkSize, type ManagedBuffer } from "../protocol/managed_buffer.ts";

/** A body's bytes, where they are in memory and can stay with the socket when the body has been released. */
export function lastingBytes(body: ManagedBuffer): Uint8Array | undefined {
  return body.keepsBytes === true ? body.bytes : undefined;
}

/** Gives a body up; gives what that throws, which is its maker's fault and nobody else's. */
export function released(body: ManagedBuffer): Error | undefined {
  try {
    body.release();
    return undefined;
  } catch (thrown) {
    return toError(thrown);
  }
}

/** Has a read end that is waited for, which holds the body. */
export function cancelRead(body: ManagedBuffer): void {
  try {
    body.cancel?.();
  } catch {
    // Its maker's fault, and the body is given up in any case.
  }
}

/** How many bytes a body has. What this throws has released the body. */
export function sizeOf(body: ManagedBuffer): number {
  try {
    return body.size;
  } catch (thrown) {
    released(body);
    throw thrown;
  }
}

/**
 * A body's bytes, where they are in memory and can stay there, or are fewer than `copyBelow`, and so copied. What this throws has
 * released the body.
 */
export function bytesToSend(body: ManagedBuffer, copyBelow: number): Uint8Array | undefined {
  try {
    const bytes = body.size < copyBelow ? body.bytes : lastingBytes(body);
    checkSize(body, bytes);
    return bytes;
  } catch (thrown) {
    released(body);
    throw thrown;
  }
}
