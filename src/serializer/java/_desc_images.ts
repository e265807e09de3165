/**
 * Descriptions of classes that begin a content, as whole pieces of bytes: most contents begin with one of few, and to write or read
 * one bit by bit takes longer than all the rest of a small message.
 *
 * @module
 */

import type { ByteSink } from "../../base/byte_sink.ts";
import { sameBytes } from "../../base/bytes.ts";
import type { JavaClassDesc } from "./class_desc.ts";

/** How many descriptions of classes are kept for reading. */
const MAX_IMAGES = 16;

/** Longer descriptions are read bit by bit. */
const MAX_IMAGE_BYTES = 4096;

/** A description with all it inherits, as it is where nothing has a handle yet. */
export interface DescImage {
  /** Its bytes, with the mark that it begins with. */
  readonly bytes: Uint8Array;
  /** What gets a handle by it, in order: descriptions, and the types of their fields. */
  readonly handles: readonly (JavaClassDesc | string)[];
}

const written = new WeakMap<JavaClassDesc, DescImage>();

/** The image of a description that was written before. */
export function writtenImage(desc: JavaClassDesc): DescImage | undefined {
  return written.get(desc);
}

/** Keeps what was written for `desc` since `start`. */
export function keepWritten(
  desc: JavaClassDesc,
  out: ByteSink,
  start: number,
  descs: ReadonlyMap<JavaClassDesc, number>,
  strings: ReadonlyMap<string, number>,
): void {
  const handles: (JavaClassDesc | string)[] = [];
  for (const [one, handle] of descs) handles[handle] = one;
  for (const [one, handle] of strings) handles[handle] = one;
  written.set(desc, { bytes: out.copy(start), handles });
}

/** The descriptions that contents for one codec began with. */
export class DescImages {
  readonly #images: DescImage[] = [];
  #next = 0;

  /** The image that `bytes` have at `position`, if there is one. */
  find(bytes: Uint8Array, position: number): DescImage | undefined {
    const images = this.#images;
    for (let i = 0; i < images.length; i++) {
      const image = images[i]!;
      // Past the end of `bytes` nothing is the same.
      if (sameBytes(bytes, position, image.bytes, image.bytes.length)) return image;
    }
    return undefined;
  }

  /** Keeps the bytes `[start, end)` and what got a handle by them, in the place of the oldest if there are too many. */
  keep(bytes: Uint8Array, start: number, end: number, handles: readonly (JavaClassDesc | string)[]): void {
    if (end - start > MAX_IMAGE_BYTES) return;
    this.#images[this.#next] = { bytes: new Uint8Array(bytes.subarray(start, end)), handles };
    this.#next = (this.#next + 1) % MAX_IMAGES;
  }
}
