/**
 * The numbers of the CBOR serializer: major types, registered tags, our names under tag 27, limits.
 *
 * The types are RFC 8949's, the tags come from IANA's registry of CBOR tags: nothing of ours is in them but the names.
 *
 * @module
 */

/** The first three bits of an item, in place: add the argument. */
export const Major = {
  unsigned: 0x00,
  negative: 0x20,
  bytes: 0x40,
  text: 0x60,
  array: 0x80,
  map: 0xa0,
  tag: 0xc0,
} as const;

/** Whole first bytes. */
export const Initial = {
  false: 0xf4,
  true: 0xf5,
  null: 0xf6,
  undefined: 0xf7,
  float16: 0xf9,
  float32: 0xfa,
  float64: 0xfb,
  break: 0xff,
} as const;

/** The tags that are written or read, besides those of typed arrays (64 to 87). */
export const Tag = {
  dateText: 0,
  date: 1,
  bigint: 2,
  negativeBigint: 3,
  base64Url: 21,
  base64: 22,
  base16: 23,
  encodedItem: 24,
  genericObject: 27,
  shareable: 28,
  reference: 29,
  uri: 32,
  set: 258,
  map: 259,
  wtf8: 273,
  selfDescribed: 55_799,
} as const;

/** Our own generic objects: the first element of what tag 27 is put on. Each begins with `RESERVED_TAG_PREFIX`. */
export const Name = {
  arrayBuffer: "sparkwire:arraybuffer",
  dataView: "sparkwire:dataview",
  error: "sparkwire:error",
  failure: "sparkwire:failure",
  ref: "sparkwire:ref",
  regexp: "sparkwire:regexp",
  sparseArray: "sparkwire:array",
} as const;

/** The first bytes of all content: the tag "self-described CBOR". */
export const PREFIX: Uint8Array = Uint8Array.of(0xd9, 0xd9, 0xf7);

/** How deep objects lie in one another at most, both ways. */
export const MAX_DEPTH = 512;

/**
 * How many objects one message has at most, both ways: arrays, Maps, Dates, byte strings and so on. Each takes a byte or two of the
 * message, and the receiver up to two hundred.
 */
export const MAX_OBJECTS = 2_000_000;

/** How many values of one message can be shared, both ways. */
export const MAX_HANDLES = 1_000_000;

/** How many holes the arrays of one message have at most, both ways; they cost the sender nothing and the receiver memory. */
export const MAX_HOLES = 65_536;

/**
 * How many characters the sources of all RegExps of one message have at most, both ways. To compile one takes V8 up to 0.1 ms for each
 * character (a class of 16,000 of them in falling order, with the flags `iv`), but for what {@linkcode regExpCharacters} counts as more.
 */
export const MAX_REGEXP_CHARACTERS = 16_384;

/** What is wrong with more of them. */
export const TOO_MANY_REGEXPS: string =
  `RegExps of more than ${MAX_REGEXP_CHARACTERS} characters in all ((?<…>, and with the flags u and v \\p{…} and \\w, count as 64 more, \\p{RGI_…} as 4,096 more)`;

/** Properties of texts: with the flags `iv` each takes V8 25 ms (Node 20.20.2). */
const TEXT_PROPERTIES = /\\p\{(?:RGI_|Basic_Emoji|Emoji_Keycap)/g;
/** With the flags `u` and `v`: properties of characters, and words if case is ignored, which take V8 0.3 ms each. */
const CHARACTER_CLASSES = /\\[pw]/gi;
/** Names of groups, which take JavaScriptCore time that grows with their square. */
const NAMES = /\(\?</g;

/** How many characters a RegExp counts as. */
export function regExpCharacters({ source, flags }: Pick<RegExp, "source" | "flags">): number {
  if (source.length > MAX_REGEXP_CHARACTERS) return source.length;
  const count = (part: RegExp): number => source.match(part)?.length ?? 0;
  const classes = /[uv]/.test(flags) ? count(CHARACTER_CLASSES) : 0;
  return source.length + 64 * (count(NAMES) + classes) + 4096 * count(TEXT_PROPERTIES);
}

/** Bytes of the longest bigint, both ways: JavaScriptCore has none above 2^20 bits. */
export const MAX_BIGINT_BYTES = 65_536;

/** What one message may have of elements: so many for each of its bytes, and so many besides. */
export const BUDGET_PER_BYTE = 4;

/** See {@linkcode BUDGET_PER_BYTE}; it is what sparse arrays live on. */
export const BUDGET_BASE = MAX_HOLES;

/** So many bytes of a text count as one element each time that it is referred to. */
export const BYTES_PER_ELEMENT = 8;
