/**
 * Bytes that can be checked wherever they turn up: whoever knows their seed knows each of them.
 *
 * The simulated network overwrites what it lent, so bytes that somebody kept without copying do not pass.
 *
 * @module
 */

/** Bytes and the number that they are made from. */
export interface Payload {
  readonly seed: number;
  readonly bytes: Uint8Array;
}

/** Makes `size` bytes. */
export function makePayload(seed: number, size: number): Payload {
  const bytes = new Uint8Array(size);
  let state = seed | 1;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes[i] = state >>> 24;
  }
  return { seed, bytes };
}

/** What is wrong with a payload of that size; undefined if nothing is. */
export function payloadFault(payload: unknown, size: number): string | undefined {
  if (!isPayload(payload)) return "it is no payload";
  const { seed, bytes } = payload;
  if (bytes.length !== size) return `it has ${bytes.length} bytes instead of ${size}`;
  let state = seed | 1;
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    if (bytes[i] !== state >>> 24) return `its byte ${i} of ${size} is ${bytes[i]} instead of ${state >>> 24}`;
  }
  return undefined;
}

function isPayload(value: unknown): value is Payload {
  if (typeof value !== "object" || value === null || !("seed" in value) || !("bytes" in value)) return false;
  return typeof value.seed === "number" && value.bytes instanceof Uint8Array;
}
