/**
 * The examples of RFC 8949: appendix A, what items stand for, and appendix F, what is not well-formed.
 *
 * @module
 */

/** An example of appendix A. */
export interface Example {
  /** The item, in hexadecimal. */
  readonly hex: string;
  /** What it stands for here. */
  readonly value: unknown;
  /** Whether that value is written as this item again; else there is a shorter one, or one of definite length. */
  readonly written: boolean;
}

function both(hex: string, value: unknown): Example {
  return { hex, value, written: true };
}

function read(hex: string, value: unknown): Example {
  return { hex, value, written: false };
}

const TO_25 = Array.from({ length: 25 }, (_, i) => i + 1);
const LETTERS = { a: "A", b: "B", c: "C", d: "D", e: "E" };
const BYTES = Uint8Array.of(1, 2, 3, 4);

/** Appendix A, in its order, without the two simple values that have no meaning. */
export const EXAMPLES: readonly Example[] = [
  both("00", 0),
  both("01", 1),
  both("0a", 10),
  both("17", 23),
  both("1818", 24),
  both("1819", 25),
  both("1864", 100),
  both("1903e8", 1000),
  both("1a000f4240", 1_000_000),
  both("1b000000e8d4a51000", 1_000_000_000_000),
  both("1bffffffffffffffff", 18446744073709551615n),
  both("c249010000000000000000", 18446744073709551616n),
  both("3bffffffffffffffff", -18446744073709551616n),
  both("c349010000000000000000", -18446744073709551617n),
  both("20", -1),
  both("29", -10),
  both("3863", -100),
  both("3903e7", -1000),
  read("f90000", 0),
  both("f98000", -0),
  read("f93c00", 1),
  both("fb3ff199999999999a", 1.1),
  both("f93e00", 1.5),
  read("f97bff", 65504),
  read("fa47c35000", 100000),
  both("fa7f7fffff", 3.4028234663852886e+38),
  both("fb7e37e43c8800759c", 1.0e+300),
  both("f90001", 5.960464477539063e-8),
  both("f90400", 0.00006103515625),
  read("f9c400", -4),
  both("fbc010666666666666", -4.1),
  both("f97c00", Infinity),
  both("f97e00", NaN),
  both("f9fc00", -Infinity),
  read("fa7f800000", Infinity),
  read("fa7fc00000", NaN),
  read("faff800000", -Infinity),
  read("fb7ff0000000000000", Infinity),
  read("fb7ff8000000000000", NaN),
  read("fbfff0000000000000", -Infinity),
  both("f4", false),
  both("f5", true),
  both("f6", null),
  both("f7", undefined),
  read("c074323031332d30332d32315432303a30343a30305a", new Date("2013-03-21T20:04:00Z")),
  both("c11a514b67b0", new Date(1363896240_000)),
  both("c1fb41d452d9ec200000", new Date(1363896240_500)),
  read("d74401020304", BYTES),
  read("d818456449455446", Uint8Array.of(0x64, 0x49, 0x45, 0x54, 0x46)),
  read("d82076687474703a2f2f7777772e6578616d706c652e636f6d", "http://www.example.com"),
  both("40", new Uint8Array(0)),
  both("4401020304", BYTES),
  both("60", ""),
  both("6161", "a"),
  both("6449455446", "IETF"),
  both("62225c", '"\\'),
  both("62c3bc", "\u00fc"),
  both("63e6b0b4", "\u6c34"),
  both("64f0908591", "\ud800\udd51"),
  both("80", []),
  both("83010203", [1, 2, 3]),
  both("8301820203820405", [1, [2, 3], [4, 5]]),
  both("98190102030405060708090a0b0c0d0e0f101112131415161718181819", TO_25),
  both("a0", {}),
  read("a201020304", new Map([[1, 2], [3, 4]])),
  both("a26161016162820203", { a: 1, b: [2, 3] }),
  both("826161a161626163", ["a", { b: "c" }]),
  both("a56161614161626142616361436164614461656145", LETTERS),
  read("5f42010243030405ff", Uint8Array.of(1, 2, 3, 4, 5)),
  read("7f657374726561646d696e67ff", "streaming"),
  read("9fff", []),
  read("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
  read("9f01820203820405ff", [1, [2, 3], [4, 5]]),
  read("83018202039f0405ff", [1, [2, 3], [4, 5]]),
  read("83019f0203ff820405", [1, [2, 3], [4, 5]]),
  read("9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff", TO_25),
  read("bf61610161629f0203ffff", { a: 1, b: [2, 3] }),
  read("826161bf61626163ff", ["a", { b: "c" }]),
  read("bf6346756ef563416d7421ff", { Fun: true, Amt: -2 }),
];

/** Appendix F.1, by its headings; the last also has every reserved length code. */
export const NOT_WELL_FORMED: Readonly<Record<string, readonly string[]>> = {
  "end of input in a head": [
    ..."18 19 1a 1b 1901 1a0102 1b01020304050607 38 58 78 98 9a01ff00 b8 d8 f8 f900 fa0000 fb000000".split(" "),
  ],
  "string with short data": [
    ..."41 61 5affffffff00 5bffffffffffffffff010203 7affffffff00 7b7fffffffffffffff010203".split(" "),
  ],
  "array or map not closed": ["81", "81".repeat(9), ..."8200 a1 a20102 a100 a2000000".split(" ")],
  "tag without content": ["c0"],
  "indefinite string not closed": ["5f4100", "7f6100"],
  "indefinite array or map not closed": [
    ..."9f 9f0102 bf bf01020102 819f 9f8000 9f9f9f9f9fffffffff 9f819f819f9fffffff".split(" "),
  ],
  "reserved two-byte simple value": ["f800", "f801", "f818", "f81f"],
  "piece of another type": [..."5f00ff 5f21ff 5f6100ff 5f80ff 5fa0ff 5fc000ff 5fe0ff 7f4100ff".split(" ")],
  "piece of indefinite length": ["5f5f4100ffff", "7f7f6100ffff"],
  "break alone": ["ff"],
  "break in a definite array, map or tag": [
    ..."81ff 8200ff a1ff a1ff00 a100ff a20000ff 9f81ff 9f829f819f9fffffffff".split(" "),
  ],
  "break in place of a value": ["bf00ff", "bf000000ff"],
  "indefinite integer or tag": ["1f", "3f", "df"],
  "reserved length code": [0x1c, 0x3c, 0x5c, 0x7c, 0x9c, 0xbc, 0xdc, 0xfc].flatMap((first) =>
    [first, first + 1, first + 2].map((byte) => byte.toString(16))
  ),
};
