/**
 * Reads what a tag stands for: built-in classes by registered tags, ours by the names under tag 27.
 *
 * Tags that only say how a value may be shown (21, 22, 23, 24, 32) leave it as it is. An unknown tag is an error: without it
 * the value would mean something else.
 *
 * @module
 */

import { bigintOfBytes } from "./bigint_bytes.ts";
import type { CborDecoder } from "./_cbor_decoder.ts";
import { readGeneric } from "./_cbor_decode_generic.ts";
import { Major, MAX_BIGINT_BYTES, Tag } from "./_cbor_format.ts";
import { isTypedArrayTag, typedArrayOf } from "./_cbor_typed_arrays.ts";
import { readWtf8 } from "./_cbor_text.ts";
import { KeyCollisions } from "./key_collisions.ts";

const MAX_DATE_MS = 8.64e15;
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;

/** Reads the item that `tag` is put on; the tag ended at `at`. */
export function readTagged(decoder: CborDecoder, tag: number, at: number): unknown {
  switch (tag) {
    case Tag.genericObject:
      decoder.addObject();
      return readGeneric(decoder, at);
    case Tag.map:
      decoder.addObject();
      return readMap(decoder);
    case Tag.set:
      decoder.addObject();
      return readSet(decoder);
    case Tag.shareable:
      return decoder.readShareable(at);
    case Tag.reference:
      return decoder.shared(decoder.readUntagged("Reference"), at);
    case Tag.date:
      decoder.addObject();
      return readDate(decoder, at);
    case Tag.dateText:
      decoder.addObject();
      return readDateText(decoder, at);
    case Tag.bigint:
      return readBigint(decoder, at);
    case Tag.negativeBigint:
      return -1n - readBigint(decoder, at);
    case Tag.wtf8:
      return readBrokenText(decoder, at);
    case Tag.base64Url:
    case Tag.base64:
    case Tag.base16:
    case Tag.encodedItem:
    case Tag.uri:
    case Tag.selfDescribed:
      return readPlain(decoder);
    default:
      if (!isTypedArrayTag(tag)) throw decoder.fail(`Unknown tag ${tag}`, at);
      decoder.addObject();
      return readTypedArray(decoder, tag, at);
  }
}

/** A level of its own: tags cost a byte each and would else exhaust the stack. */
function readPlain(decoder: CborDecoder): unknown {
  decoder.enter();
  const value = decoder.readValue();
  decoder.leave();
  return value;
}

function readMap(decoder: CborDecoder): Map<unknown, unknown> {
  const handle = decoder.takeHandle();
  const count = decoder.open(Major.map, "Content of tag 259");
  const map = decoder.readEntries(count, handle);
  decoder.leave();
  return map;
}

function readSet(decoder: CborDecoder): Set<unknown> {
  const set = new Set<unknown>();
  decoder.resolve(decoder.takeHandle(), set);
  const count = decoder.open(Major.array, "Content of tag 258");
  const collisions = new KeyCollisions(set);
  for (let i = 0; decoder.hasNext(i, count); i++) {
    const value = decoder.readValue();
    set.add(value);
    collisions.check(value, decoder);
  }
  decoder.leave();
  return set;
}

function readDate(decoder: CborDecoder, at: number): Date {
  const seconds = decoder.readUntagged("Date");
  if (typeof seconds !== "number") throw decoder.fail("Date is not a number", at);
  const time = nearestMs(seconds);
  if (Math.abs(time) > MAX_DATE_MS) throw decoder.fail(`Date is out of range: ${seconds} s`, at);
  return new Date(time);
}

/** The division that made the seconds tells all milliseconds apart; multiplication may miss by one about 140,000 years from now. */
function nearestMs(seconds: number): number {
  const time = Math.round(seconds * 1000);
  if ((time - 1) / 1000 === seconds) return time - 1;
  return (time + 1) / 1000 === seconds ? time + 1 : time;
}

function readDateText(decoder: CborDecoder, at: number): Date {
  const text = decoder.readUntagged("Date");
  const time = typeof text === "string" && RFC3339.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(time)) throw decoder.fail("Date is not text of RFC 3339", at);
  return new Date(time);
}

function readBigint(decoder: CborDecoder, at: number): bigint {
  const bytes = decoder.readOwnBytes("Content of a bigint");
  if (bytes.length > MAX_BIGINT_BYTES) {
    throw decoder.fail(`Bigint has ${bytes.length} bytes, more than ${MAX_BIGINT_BYTES}`, at);
  }
  return bigintOfBytes(bytes);
}

function readBrokenText(decoder: CborDecoder, at: number): string {
  const bytes = decoder.readOwnBytes("Content of tag 273");
  const text = readWtf8(bytes, 0, bytes.length);
  if (text === undefined) throw decoder.fail("Text is not WTF-8", at);
  return text;
}

function readTypedArray(decoder: CborDecoder, tag: number, at: number): ArrayBufferView {
  const array = typedArrayOf(tag, decoder.readOwnBytes("Content of a typed array"));
  if (array === undefined) throw decoder.fail(`Typed array of tag ${tag} ends within an element`, at);
  return array;
}
