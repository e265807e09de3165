/**
 * Text of the CBOR serializer: UTF-8, WTF-8 for text with half a surrogate pair, and a cache of short texts.
 *
 * @module
 */

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strictDecoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** V8 makes a rope of 13 or more characters put together one by one, and a rope is dear to read. */
const FLAT_TEXT = 12;

/** Keys, names and states repeat from message to message: a hit is half the price of making the text. */
const CACHED_BYTES = 24;
const CACHE_BITS = 10;
const cache: string[] = new Array(1 << CACHE_BITS).fill("");

/** How many bytes `text` takes in UTF-8; each half of a pair on its own takes three, as in WTF-8. */
export function wtf8Length(text: string): number {
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    length += unit <= 0x7f ? 1 : unit <= 0x7ff ? 2 : 3;
    // The second half of a pair adds one byte to the first one's three.
    if ((unit & 0xfc00) === 0xdc00 && i > 0 && (text.charCodeAt(i - 1) & 0xfc00) === 0xd800) length -= 2;
  }
  return length;
}

/** Writes `text` as UTF-8 at `at`, where there is room for it; half a pair becomes its three bytes of WTF-8. */
export function writeWtf8(text: string, bytes: Uint8Array, at: number): void {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit <= 0x7f) {
      bytes[at++] = unit;
    } else if (unit <= 0x7ff) {
      bytes[at++] = 0xc0 | (unit >> 6);
      bytes[at++] = 0x80 | (unit & 0x3f);
    } else {
      const point = text.codePointAt(i)!;
      if (point > 0xffff) {
        i++;
        bytes[at++] = 0xf0 | (point >> 18);
        bytes[at++] = 0x80 | ((point >> 12) & 0x3f);
      } else {
        bytes[at++] = 0xe0 | (point >> 12);
      }
      bytes[at++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[at++] = 0x80 | (point & 0x3f);
    }
  }
}

/** The text of `[start, end)` in UTF-8, or undefined if it is none. */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start <= CACHED_BYTES) return readShort(bytes, start, end);
  const text = decoder.decode(bytes.subarray(start, end));
  // The strict decoder costs Deno 2.9 three times as much, so it is asked only about what may be a replacement.
  return text.includes("\ufffd") ? readStrictly(bytes, start, end) : text;
}

function readStrictly(bytes: Uint8Array, start: number, end: number): string | undefined {
  try {
    return strictDecoder.decode(bytes.subarray(start, end));
  } catch {
    return undefined;
  }
}

function readShort(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (start === end) return "";
  const slot = slotOf(bytes, start, end);
  const cached = cache[slot]!;
  if (isText(cached, bytes, start, end)) return cached;
  for (let at = start; at < end; at++) if (bytes[at]! > 0x7f) return readUnits(bytes, start, end, false);
  return cache[slot] = readAscii(bytes, start, end);
}

/** The first, the middle and the last two bytes tell keys apart as well as all of them would, for less. */
function slotOf(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const last = bytes[end - 1]!;
  const samples = (bytes[start]! << 24) ^ (bytes[start + (length >> 1)]! << 16) ^ (bytes[length > 1 ? end - 2 : start]! << 8) ^
    last;
  return Math.imul(samples + length, 0x9e37_79b1) >>> (32 - CACHE_BITS);
}

function isText(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}

function readAscii(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > FLAT_TEXT) return decoder.decode(bytes.subarray(start, end));
  let text = "";
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at]!);
  return text;
}

/** The text of `[start, end)` in WTF-8, or undefined if it is none. */
export function readWtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  return readUnits(bytes, start, end, true);
}

function readUnits(bytes: Uint8Array, start: number, end: number, halves: boolean): string | undefined {
  let text = "";
  for (let at = start; at < end;) {
    const lead = bytes[at]!;
    const size = sizeOf(lead);
    if (size === 0 || at + size > end) return undefined;
    let point = size === 1 ? lead : lead & (0x7f >> size);
    for (let i = 1; i < size; i++) {
      const next = bytes[at + i]!;
      if ((next & 0xc0) !== 0x80) return undefined;
      point = (point << 6) | (next & 0x3f);
    }
    if (size === 3 && (point < 0x800 || (!halves && (point & 0xf800) === 0xd800))) return undefined;
    if (size === 4 && (point < 0x1_0000 || point > 0x10_ffff)) return undefined;
    text += size === 4 ? String.fromCodePoint(point) : String.fromCharCode(point);
    at += size;
  }
  return text;
}

/** How many bytes begin with `lead`; 0 for what no character begins with. */
function sizeOf(lead: number): number {
  if (lead <= 0x7f) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if ((lead & 0xf0) === 0xe0) return 3;
  return (lead & 0xf8) === 0xf0 ? 4 : 0;
}
