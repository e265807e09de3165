import { assertEquals, assertThrows } from "@std/assert";
import { ByteSink } from "../../src/base/byte_sink.ts";
import { SerializerError } from "../../src/base/errors.ts";
import { seededRandom } from "../../src/base/random.ts";
import {
  MAX_BIGINT_BYTES,
  MAX_DEPTH,
  MAX_HANDLES,
  MAX_HOLES,
  MAX_OBJECTS,
  MAX_REGEXP_CHARACTERS,
} from "../../src/serializer/_cbor_format.ts";
import { TypedMessage } from "../../src/serializer/serializer.ts";
import { fromHex, test } from "../_harness.ts";
import { assertSame, decode, decodeHex, decodeSafely, encode, encodeHex, roundTrip } from "./_cbor.ts";
import { randomValue, samples } from "./_random_value.ts";

/** Each puts a value into another; `levels` is how many that takes. */
const NESTINGS: readonly { readonly name: string; readonly levels: number; wrap(inner: unknown): unknown }[] = [
  { name: "array", levels: 1, wrap: (inner) => [inner] },
  { name: "object", levels: 1, wrap: (inner) => ({ inner }) },
  { name: "Map", levels: 1, wrap: (inner) => new Map([[1, inner]]) },
  { name: "Map key", levels: 1, wrap: (inner) => new Map([[inner, 1]]) },
  { name: "Set", levels: 1, wrap: (inner) => new Set([inner]) },
  { name: "typed message", levels: 1, wrap: (inner) => new TypedMessage("A", inner) },
  { name: "Error", levels: 2, wrap: (cause) => new Error("e", { cause }) },
  { name: "sparse array", levels: 2, wrap: (inner) => [, inner] }, // deno-lint-ignore no-sparse-arrays -- tested
];

for (const { name, levels, wrap } of NESTINGS) {
  test(`cborSerializer carries ${MAX_DEPTH} levels of ${name} and no more`, () => {
    let value: unknown = 1;
    for (let i = 0; i < MAX_DEPTH / levels; i++) value = wrap(value);
    assertSame(roundTrip(value), value);
    assertThrows(() => encode(wrap(value)), SerializerError, `Cannot encode more than ${MAX_DEPTH} levels`);
  });
}

test("cborSerializer.encode() shows both ends of a path that is too long", () => {
  let value: unknown = 1;
  for (let i = 0; i < MAX_DEPTH + 1; i++) value = [value];
  const error = assertThrows(() => encode(value), SerializerError);
  assertEquals(error.path, "[0]".repeat(8) + "…" + "[0]".repeat(8));
});

test("cborSerializer.decode() refuses more levels than it writes, whatever they are made of", () => {
  for (
    const level of [
      "81",
      "9f",
      "a1 00",
      "bf 00",
      "d90102 81",
      "d90103 a1 00",
      "d5",
      "d818",
      "d9d9f7",
      "d81c 81",
      "d81b 82 6161",
    ]
  ) {
    assertThrows(() => decodeHex(level.repeat(100_000) + "00".repeat(8)), SerializerError, undefined, level);
    assertThrows(
      () => decodeHex(level.repeat(MAX_DEPTH + 1) + "00".repeat(8)),
      SerializerError,
      `more than ${MAX_DEPTH} levels`,
      level,
    );
  }
  decodeHex("d5".repeat(MAX_DEPTH) + "00");
  for (const [tag, what] of [["c0", "Date"], ["c1", "Date"], ["d81d", "Reference"]]) {
    assertThrows(() => decodeHex(tag!.repeat(100_000) + "00"), SerializerError, `${what} is tagged`);
  }
});

test(`cborSerializer carries a bigint of ${MAX_BIGINT_BYTES} bytes and no more`, () => {
  const largest = (1n << BigInt(8 * MAX_BIGINT_BYTES)) - 1n;
  assertEquals(roundTrip(largest), largest);
  assertEquals(roundTrip(-1n - largest), -1n - largest);
  assertThrows(() => encode(largest + 1n), SerializerError, "Cannot encode a bigint of 65537 bytes");
  assertThrows(() => decodeHex("c2 5a00010001" + "ff".repeat(MAX_BIGINT_BYTES + 1)), SerializerError, "Bigint has 65537 bytes");
});

test(`cborSerializer carries arrays with ${MAX_HOLES} holes in all and no more`, () => {
  const half = new Array(MAX_HOLES / 2);
  assertSame(roundTrip([half, [...half.keys()], new Array(MAX_HOLES / 2)]), [half, [...half.keys()], new Array(MAX_HOLES / 2)]);
  assertThrows(
    () => encode(new Array(MAX_HOLES + 1)),
    SerializerError,
    "Cannot encode arrays with more than 65536 holes in all",
  );
  assertThrows(() => encode([half, new Array(MAX_HOLES / 2 + 1)]), SerializerError, "more than 65536 holes in all at [1]");
  assertThrows(() => encode(new Array(2 ** 32 - 1)), SerializerError, "holes");
  encode(new Array(MAX_HOLES));
});

test(`cborSerializer carries RegExps of ${MAX_REGEXP_CHARACTERS} characters in all and no more`, () => {
  const half = "a".repeat(MAX_REGEXP_CHARACTERS / 2);
  const longest = [new RegExp(half), new RegExp(half, "i")];
  assertSame(roundTrip(longest), longest);
  assertSame(roundTrip(longest), longest);
  const message = `Cannot encode RegExps of more than ${MAX_REGEXP_CHARACTERS} characters in all (`;
  const { path } = assertThrows(() => encode([...longest, /b/]), SerializerError, message);
  assertEquals(path, "[2]");
  // The source and the name are shared, so each but the first takes eleven bytes.
  const regExps = (count: number) =>
    `98${count.toString(16).padStart(2, "0")} d81b83d81c${encodeHex("sparkwire:regexp")}d81c${encodeHex(half)}60` +
    "d81b83d81d00d81d0160".repeat(count - 1);
  assertSame(decodeHex(regExps(2)), [new RegExp(half), new RegExp(half)]);
  assertThrows(
    () => decodeHex(regExps(3)),
    SerializerError,
    `Content has RegExps of more than ${MAX_REGEXP_CHARACTERS} characters in all (`,
  );
  assertThrows(
    () => decodeHex(regExps(1).replace(encodeHex(half), encodeHex(half.repeat(3)))),
    SerializerError,
    "RegExps of more",
  );
});

test("cborSerializer counts what is dear in a RegExp as more characters", () => {
  const content = (source: string, flags: string) =>
    `d81b83${encodeHex("sparkwire:regexp")}${encodeHex(source)}${encodeHex(flags)}`;
  // To compile the first, 16 KB, took Node 20 31 s.
  const cases: readonly [string, number, string][] = [
    ["\\p{RGI_Emoji}", 3, "iv"],
    ["\\p{L}", 237, "u"],
    ["\\P{L}", 237, "iu"],
    // Within one class, 16 KB took Node 20 4 s and Deno 2.9.5 1.6 s.
    ["\\W", 248, "iu"],
    ["\\w", 248, "v"],
  ];
  for (const [part, most, flags] of cases) {
    const allowed = new RegExp(part.repeat(most), flags);
    assertSame(roundTrip(allowed), allowed);
    assertThrows(() => decodeHex(content(part.repeat(most + 1), flags)), SerializerError, "Content has RegExps of more than");
    assertThrows(() => encode(new RegExp(part.repeat(most + 1), flags)), SerializerError, "Cannot encode RegExps of more than");
  }
  const words = new RegExp("\\w".repeat(MAX_REGEXP_CHARACTERS / 2), "i");
  assertSame(roundTrip(words), words);
  const names = (count: number) => Array.from({ length: count }, (_, i) => `(?<a${i}>)`).join("");
  assertSame(roundTrip(new RegExp(names(200))), new RegExp(names(200)));
  assertThrows(() => decodeHex(content(names(1000), "")), SerializerError, "Content has RegExps of more than");
});

test("cborSerializer.decode() refuses holes beyond four for each byte and 65,536 besides", () => {
  const holes = (length: number) => `d81b83${encodeHex("sparkwire:array")}${encodeHex(length)}a0`;
  const content = 3 + holes(70_000).length / 2;
  const limit = MAX_HOLES + 4 * content - 3;
  assertSame(decodeHex(holes(limit)), new Array(limit));
  assertThrows(() => decodeHex(holes(limit + 1)), SerializerError, `has more than ${limit + 3} elements`);
  assertThrows(() => decodeHex(holes(2 ** 32 - 1)), SerializerError, "elements");
  for (const length of [-1, 1.5, 2 ** 32, "a"]) {
    const hex = `d81b83${encodeHex("sparkwire:array")}${encodeHex(length)}a0`;
    assertThrows(() => decodeHex(hex), SerializerError, "Length of an array is none");
  }
  for (const index of [-1, 1.5, 3, "a"]) {
    const hex = `d81b83${encodeHex("sparkwire:array")}03a1${encodeHex(index)}00`;
    assertThrows(() => decodeHex(hex), SerializerError, "Array of 3 has no such element");
  }
});

/** Each is an object. */
const OBJECTS = ["40", "80", "a0", "d90102 80", "d90103 a0", "c100", "d840 40", "d81b 81 6161"];

test(`cborSerializer.decode() takes ${MAX_OBJECTS} objects and no more`, () => {
  const one = OBJECTS.map((hex) => fromHex(hex.replaceAll(" ", "")));
  // One of them is the array that they are in.
  const content = (count: number) => {
    const out = new ByteSink(4 * count);
    out.writeBytes(Uint8Array.of(0xd9, 0xd9, 0xf7, 0x9a));
    out.writeInt32(count - 1);
    for (let i = 1; i < count; i++) out.writeBytes(one[i % one.length]!);
    return out.view();
  };
  assertEquals((decode(content(MAX_OBJECTS)) as unknown[]).length, MAX_OBJECTS - 1);
  assertThrows(() => decode(content(MAX_OBJECTS + 1)), SerializerError, `Content has more than ${MAX_OBJECTS} objects`);
});

test(`cborSerializer.encode() writes ${MAX_OBJECTS} objects and no more`, () => {
  const dates = Array.from({ length: MAX_OBJECTS - 1 }, () => new Date(0));
  // Once more is no object more.
  encode([...dates, dates[0]]);
  assertThrows(() => encode([...dates, new Date(0)]), SerializerError, `Cannot encode more than ${MAX_OBJECTS} objects`);
});

test(`cborSerializer.decode() takes ${MAX_HANDLES} shared values and no more`, () => {
  const content = (count: number) => {
    const out = new ByteSink(3 * count + 16);
    out.writeBytes(Uint8Array.of(0xd9, 0xd9, 0xf7, 0x9a));
    out.writeInt32(count);
    for (let i = 0; i < count; i++) out.writeBytes(Uint8Array.of(0xd8, 0x1c, 0));
    return out.view();
  };
  assertEquals((decode(content(MAX_HANDLES)) as unknown[]).length, MAX_HANDLES);
  assertThrows(() => decode(content(MAX_HANDLES + 1)), SerializerError, "Content has more than 1000000 shared values");
});

test(`cborSerializer.encode() marks ${MAX_HANDLES} shared values and no more`, () => {
  const all = Array.from({ length: MAX_HANDLES + 1 }, () => []);
  const fewer = all.slice(1);
  assertEquals((roundTrip([fewer, fewer.slice()]) as unknown[][])[1]!.length, MAX_HANDLES);
  assertThrows(() => encode([all, all.slice()]), SerializerError, "Cannot encode more than 1000000 shared values");
});

test("cborSerializer.decode() shows no more than 200 characters of a name", () => {
  for (const name of ["x".repeat(100_000), `sparkwire:${"x".repeat(100_000)}`]) {
    const error = assertThrows(() => decodeHex(`d81b83${encodeHex(name)}0000`), SerializerError, "… has 3 elements");
    assertEquals(error.message.length < 300, true);
  }
});

test("cborSerializer.decode() allocates nothing for a length that is only claimed", () => {
  for (const major of ["5", "7", "9", "b"]) {
    for (const claim of ["a7fffffff", "affffffff", "b001fffffffffffff", "bffffffffffffffff"]) {
      assertThrows(() => decodeHex(major + claim), SerializerError, "Content ends too early", major + claim);
      assertThrows(() => decodeHex((major + claim).repeat(400)), SerializerError);
    }
  }
  assertThrows(() => decodeHex("d84e 5affffffff"), SerializerError, "Content ends too early");
  assertThrows(() => decodeHex("d90103 baffffffff"), SerializerError, "Content ends too early");
});

test("cborSerializer.decode() of samples cut at every byte throws a SerializerError", () => {
  for (const content of samples()) {
    for (let end = 0; end < content.length; end++) {
      // A copy, so that what is missing cannot be read behind the end.
      assertThrows(() => decode(content.slice(0, end)), SerializerError, undefined, `cut at ${end}`);
    }
  }
});

test("cborSerializer.decode() of random bytes throws nothing but a SerializerError", () => {
  const random = seededRandom(1);
  for (let i = 0; i < 30_000; i++) {
    const content = Uint8Array.from({ length: 3 + Math.floor(random() * 60) }, () => random() * 256);
    content.set([0xd9, 0xd9, 0xf7]);
    decodeSafely(content);
  }
});

test("cborSerializer.decode() of samples with bytes changed, left out or put in throws nothing but a SerializerError", () => {
  const random = seededRandom(2);
  const all = samples();
  for (let i = 0; i < 40; i++) all.push(encode(randomValue(random)));
  for (const content of all) {
    for (let i = 0; i < 300; i++) decodeSafely(mutate(content, random));
  }
});

function mutate(content: Uint8Array, random: () => number): Uint8Array {
  const bytes = [...content];
  for (let i = 0; i < 1 + random() * 3; i++) {
    const at = 3 + Math.floor(random() * (bytes.length - 3));
    const byte = random() < 0.5 ? Math.floor(random() * 256) : bytes[at]! ^ (1 << Math.floor(random() * 8));
    bytes.splice(at, random() < 0.7 ? 1 : 0, ...(random() < 0.8 ? [byte] : []));
  }
  return Uint8Array.from(bytes);
}
