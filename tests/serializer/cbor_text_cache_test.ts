import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { MessageBody } from "../../src/base/message_body.ts";
import { SerializerError } from "../../src/base/errors.ts";
import { CACHED_TEXTS, hashOfItem, MAX_SHORT_TEXT, ShortText, slotOf } from "../../src/serializer/_cbor_short_text.ts";
import { TextCache } from "../../src/serializer/_cbor_text_cache.ts";
import { cborSerializer } from "../../src/serializer/cbor.ts";
import { test } from "../_harness.ts";
import { assertSame, context, decodeHex, encode, roundTrip } from "./_cbor.ts";

/** The item of an ASCII text, and three bytes after it, which are nothing to it. */
function itemOf(text: string, after = 0xee): DataView {
  const bytes = new Uint8Array(1 + text.length + 3).fill(after);
  bytes[0] = 0x60 | text.length;
  for (let i = 0; i < text.length; i++) bytes[1 + i] = text.charCodeAt(i);
  return new DataView(bytes.buffer);
}

/** Texts of the longest kind that agree wherever the hash looks. */
function meetingTexts(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `abc${String(i).padStart(6, "0")}MMMM${String(i % 7).padStart(6, "x")}yyyy`);
}

const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-/.";
const textOfLength = (length: number, from = 0) =>
  Array.from({ length }, (_, i) => alphabet[(from + i) % alphabet.length]).join("");

test("ShortText.isAt() knows its own item, whatever follows, and none that differs in a byte, in length or is cut", () => {
  for (let length = 0; length <= MAX_SHORT_TEXT; length++) {
    const text = textOfLength(length);
    const entry = new ShortText();
    entry.become(text, itemOf(text), 0, 1 + length);
    assertEquals([entry.text, entry.size], [text, 1 + length]);
    for (const after of [0x00, 0x61, 0xff]) assert(entry.isAt(itemOf(text, after), 0, 1 + length), text);
    assert(!entry.isAt(itemOf(text), 0, length), `cut: ${text}`);
    for (let i = 0; i <= length; i++) {
      for (const flip of [0x01, 0x80]) {
        const other = itemOf(text);
        other.setUint8(i, other.getUint8(i) ^ flip);
        assert(!entry.isAt(other, 0, other.byteLength), `byte ${i} of ${text}`);
      }
    }
    if (length > 0) assert(!entry.isAt(itemOf(text.slice(1)), 0, length), `shorter: ${text}`);
  }
});

test(`TextCache.add() remembers ${CACHED_TEXTS} texts and no more, each as itself`, () => {
  const cache = new TextCache();
  const texts = Array.from({ length: 8 * CACHED_TEXTS }, (_, i) => `worker-${i}`);
  for (let round = 0; round < 4; round++) {
    for (const text of texts) {
      const item = itemOf(text);
      if (cache.find(item, 0, 1 + text.length) === undefined) cache.add(text, item, 0, 1 + text.length);
    }
  }
  const found = texts.filter((text) => {
    const entry = cache.find(itemOf(text), 0, 1 + text.length);
    if (entry !== undefined) assertEquals(entry.text, text);
    return entry !== undefined;
  });
  assert(found.length > CACHED_TEXTS / 2 && found.length <= CACHED_TEXTS, `${found.length} texts`);
});

test("TextCache.find() finds what comes often, though other texts come all the time", () => {
  const cache = new TextCache();
  const often = Array.from({ length: 32 }, (_, i) => textOfLength(1 + i % MAX_SHORT_TEXT, i));
  let misses = 0;
  for (let round = 0; round < 2000; round++) {
    for (const text of [...often, `new-${round}`, `${round}-other`]) {
      const item = itemOf(text);
      if (cache.find(item, 0, 1 + text.length) !== undefined) continue;
      if (round >= 1000 && often.includes(text)) misses++;
      cache.add(text, item, 0, 1 + text.length);
    }
  }
  assert(misses < 32 * 1000 / 20, `${misses} misses`);
});

test("TextCache.find() gives none for another, also where all of them meet in one place", () => {
  const cache = new TextCache();
  const texts = meetingTexts(500);
  const places = new Set(texts.map((text) => slotOf(hashOfItem(itemOf(text), 0, 1 + text.length))));
  assert(places.size <= 7, `${places.size} places`);
  for (let round = 0; round < 20; round++) {
    for (const text of texts) {
      const item = itemOf(text);
      const entry = cache.find(item, 0, 1 + text.length);
      if (entry === undefined) cache.add(text, item, 0, 1 + text.length);
      else assertEquals(entry.text, text);
    }
  }
  assert(texts.filter((text) => cache.find(itemOf(text), 0, 1 + text.length) !== undefined).length <= 2 * places.size);
});

test("TextCache.expected() follows the order in which texts come, and a text that replaced another there", () => {
  const cache = new TextCache();
  const order = ["id", "host", "port", "a longer name of a key"];
  for (let round = 0; round < 200; round++) {
    for (const text of order) {
      const item = itemOf(text);
      if (cache.expected(item, 0, 1 + text.length) !== undefined) continue;
      if (cache.follow(item, 0, 1 + text.length) === undefined) cache.add(text, item, 0, 1 + text.length);
    }
  }
  for (const text of order) {
    assertEquals(cache.expected(itemOf("x" + text), 0, 2 + text.length), undefined);
    assertEquals(cache.expected(itemOf(text), 0, 1 + text.length)?.text, text);
  }
});

test("cborSerializer.decode() reads keys that meet in one place of its cache, and ever-new ones, as they are", () => {
  const meeting = Object.fromEntries(meetingTexts(2000).map((text, i) => [text, i]));
  for (let round = 0; round < 5; round++) {
    assertSame(roundTrip(meeting), meeting);
    const fresh = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`${round}-${i * 7919}`, `v${i}-${round}`]));
    assertSame(roundTrip(fresh), fresh);
    assertSame(roundTrip({ taskId: 1, name: "n", data: null }), { taskId: 1, name: "n", data: null });
  }
});

test("cborSerializer.decode() reads keys and texts of every length, in the middle and at the very end of the memory", () => {
  for (let length = 0; length <= 80; length++) {
    for (let from = 0; from < 40; from++) {
      const text = textOfLength(length, from);
      for (const value of [text, { [text]: 1 }, { [text]: text }, [text, `${text}é`, "水" + text, 7]]) {
        assertSame(cborSerializer.decode(MessageBody.of(encode(value)), context), value);
        assertSame(roundTrip(value), value);
      }
    }
  }
});

test("cborSerializer.decode() refuses text that is not UTF-8 each time it comes", () => {
  for (let i = 0; i < 100; i++) {
    assertThrows(() => decodeHex("62 c328"), SerializerError, "Text is not UTF-8, at byte 4");
    assertThrows(() => decodeHex("a1 63 61c328 00"), SerializerError, "Text is not UTF-8");
  }
});

test("cborSerializer.decode() makes __proto__ an own property each time it comes", () => {
  for (let i = 0; i < 100; i++) {
    const arrived = decodeHex("a2 69 5f5f70726f746f5f5f a1 6161 01 6162 02") as Record<string, unknown>;
    assertStrictEquals(Object.getPrototypeOf(arrived), Object.prototype);
    assertEquals(Object.keys(arrived), ["__proto__", "b"]);
    assertEquals(arrived.a, undefined);
  }
});

test("cborSerializer.encode() leaves out what objects inherit, from Object.prototype too", () => {
  const prototype = Object.prototype as { everywhere?: number };
  Object.defineProperty(prototype, "everywhere", { value: 1, enumerable: true, configurable: true });
  try {
    assertEquals(encode({ a: { b: 1 } }), encode(JSON.parse('{"a":{"b":1}}')));
    assertEquals(Object.keys(roundTrip({ a: 1 }) as object), ["a"]);
    assertEquals(
      Object.keys(roundTrip(
        new (class {
          own = 1;
        })(),
      ) as object),
      ["own"],
    );
  } finally {
    delete prototype.everywhere;
  }
  assertEquals(Object.keys(roundTrip(Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true } })) as object), [
    "own",
  ]);
});
