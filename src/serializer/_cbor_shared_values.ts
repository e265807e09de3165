/**
 * Finds the values that occur twice in one message, and marks them afterwards: tag 28 before the first, tag 29 for the others.
 *
 * Nearly no message has any, so nothing is marked in advance: positions are noted, and the marks are put in at the end, if
 * there are any. So getters run once, and a message without sharing costs a few comparisons.
 *
 * @module
 */

import type { ByteSink } from "../base/byte_sink.ts";
import { Major, MAX_HANDLES, Tag } from "./_cbor_format.ts";

/** So many objects are compared one by one, which beats a Map: that hashes each object at its first sight. */
const COMPARED = 40;

/** A message with more objects leaves arrays behind that are not worth keeping. */
const KEPT_STARTS = 4096;

/** The objects of one message, in the order they were written. Reused: `clear` between messages. */
export class SharedValues {
  readonly #compared: (object | undefined)[] = new Array(COMPARED).fill(undefined);
  #others: Map<object, number> | undefined;
  /** Where each object's item begins, by its ordinal. */
  #starts: number[] = [];
  #count = 0;
  /** Where an item is missing because its object was written before, and that object's ordinal; ascending. */
  #gaps: number[] = [];
  #targets: number[] = [];

  /** Notes that `value` is about to be written at `position`. False: it has been before, so nothing must be written. */
  add(value: object, position: number): boolean {
    const count = this.#count;
    if (count > COMPARED) return this.#addOther(value, position);
    const compared = this.#compared;
    for (let i = 0; i < count; i++) {
      if (compared[i] === value) {
        this.#gaps.push(position);
        this.#targets.push(i);
        return false;
      }
    }
    if (count === COMPARED) return this.#addOther(value, position);
    compared[count] = value;
    this.#starts[count] = position;
    this.#count = count + 1;
    return true;
  }

  #addOther(value: object, position: number): boolean {
    this.#others ??= new Map(this.#compared.map((object, ordinal) => [object!, ordinal]));
    const ordinal = this.#others.get(value);
    if (ordinal !== undefined) {
      this.#gaps.push(position);
      this.#targets.push(ordinal);
      return false;
    }
    this.#others.set(value, this.#count);
    this.#starts[this.#count++] = position;
    return true;
  }

  /** Takes back the last `add`, which was of `value` and returned true. */
  forgetLast(value: object): void {
    this.#count--;
    if (this.#count < COMPARED) this.#compared[this.#count] = undefined;
    else this.#others?.delete(value);
  }

  /** How many objects were noted. */
  get count(): number {
    return this.#count;
  }

  /** Whether a value occurred twice. */
  get found(): boolean {
    return this.#gaps.length > 0;
  }

  /** Puts the marks and the references into what was written. False: there are more than {@linkcode MAX_HANDLES}. */
  mark(out: ByteSink): boolean {
    const starts = this.#starts;
    const shared = [...new Set(this.#targets)].sort((a, b) => starts[a]! - starts[b]!);
    if (shared.length > MAX_HANDLES) return false;
    const handles = new Map(shared.map((ordinal, handle) => [ordinal, handle]));
    const first = starts[shared[0]!]!;
    const written = out.copy(first);
    out.truncate(first);
    let copied = 0;
    const copyUpTo = (position: number) => {
      out.writeBytes(written.subarray(copied, position - first));
      copied = position - first;
    };
    let marked = 0;
    for (let i = 0; i < this.#gaps.length; i++) {
      const gap = this.#gaps[i]!;
      // An item that begins at the gap comes after it: gaps have no length yet.
      for (; marked < shared.length && starts[shared[marked]!]! < gap; marked++) {
        copyUpTo(starts[shared[marked]!]!);
        writeTag(out, Tag.shareable);
      }
      copyUpTo(gap);
      writeTag(out, Tag.reference);
      writeUnsigned(out, handles.get(this.#targets[i]!)!);
    }
    copyUpTo(first + written.length);
    return true;
  }

  /** Forgets the message. */
  clear(): void {
    const compared = this.#compared;
    for (let i = Math.min(this.#count, COMPARED) - 1; i >= 0; i--) compared[i] = undefined;
    if (this.#count >= COMPARED) {
      this.#others = undefined;
      if (this.#count > KEPT_STARTS) this.#starts = [];
    }
    if (this.#gaps.length > 0) {
      this.#gaps = [];
      this.#targets = [];
    }
    this.#count = 0;
  }
}

function writeTag(out: ByteSink, tag: number): void {
  out.writeUint8(Major.tag | 24);
  out.writeUint8(tag);
}

function writeUnsigned(out: ByteSink, value: number): void {
  if (value < 24) {
    out.writeUint8(value);
  } else if (value <= 0xff) {
    out.writeUint8(24);
    out.writeUint8(value);
  } else if (value <= 0xffff) {
    out.writeUint8(25);
    out.writeUint16(value);
  } else {
    out.writeUint8(26);
    out.writeInt32(value);
  }
}
