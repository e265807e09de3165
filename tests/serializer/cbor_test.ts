import { assert, assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import { runInNewContext } from "node:vm";
import { ByteSink } from "../../src/base/byte_sink.ts";
import { RpcStoppedError, SerializerError } from "../../src/base/errors.ts";
import { cborSerializer } from "../../src/serializer/cbor.ts";
import { TypedMessage } from "../../src/serializer/serializer.ts";
import { test, toHex } from "../_harness.ts";
import { assertSame, context, decode, decodeHex, encode, encodeHex, FakeRef, roundTrip, Untravelled } from "./_cbor.ts";

class Point {
  readonly x: number;
  readonly #hidden = 1;
  constructor(x: number) {
    this.x = x;
  }
  get twice(): number {
    return 2 * this.x * this.#hidden;
  }
}

function cycle(): unknown {
  const value: Record<string, unknown> = { name: "loop" };
  value.self = value;
  return value;
}

function shared(): unknown {
  const one = { x: 1 };
  return { a: one, b: one };
}

/** The kinds of values that a codec for JavaScript is measured by. */
const KINDS: Readonly<Record<string, unknown>> = {
  "undefined": { a: undefined },
  "Map": new Map<unknown, unknown>([["a", 1], [{ k: 1 }, new Map()], [-1, undefined]]),
  "Set": new Set<unknown>([1, "1", [], NaN]),
  "Date": new Date(1234567890123),
  "bigint": [5n, -5n, 2n ** 53n, -(2n ** 53n), 2n ** 64n - 1n, -(2n ** 64n)],
  "large bigint": [2n ** 200n, -(2n ** 200n), 2n ** 64n, -(2n ** 64n) - 1n],
  "-0": [-0, 0],
  "NaN": [NaN, Infinity, -Infinity],
  "Float64Array": new Float64Array([1.5, -0, NaN]),
  "ArrayBuffer": Uint8Array.of(1, 2, 3).buffer,
  "RegExp": /a\/b\n"/giu,
  "Error": new RangeError("out"),
  "Error with cause": new Error("outer", { cause: new TypeError("inner") }),
  "cycle": cycle(),
  "shared object": shared(),
  // deno-lint-ignore no-sparse-arrays -- it is what is tested.
  "sparse array": [1, , undefined, , 5],
  "lone surrogates": ["\ud800", "a\udc00b", "\udc00\ud800", "\ud800\udb80\udc00", { "k\ud801": 1 }],
  "text": [
    "",
    "a",
    "\x7f",
    "\x80",
    "é",
    "水",
    "😀",
    "x".repeat(23),
    "x".repeat(24),
    "é".repeat(100),
    "😀".repeat(20_000),
    "\ufeffx",
  ],
  "numbers": [
    0,
    23,
    24,
    255,
    256,
    65535,
    65536,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 53 - 1,
    2 ** 53,
    1 - 2 ** 53,
    -(2 ** 53),
    -1,
    -24,
    -25,
  ],
  "floats": [0.5, 1.1, 2 ** -24, 2 ** -25, 2 ** -14, 65504, 65504.5, 65520.5, 1e-45, 1e300, Number.MIN_VALUE, Number.MAX_VALUE],
  "plain values": [true, false, null, "", [], {}],
  "own __proto__": JSON.parse('{"__proto__": {"a": 1}, "constructor": 2}'),
};

for (const [kind, value] of Object.entries(KINDS)) {
  test(`cborSerializer carries ${kind}`, () => {
    assertSame(roundTrip(value), value);
    assertSame(roundTrip({ in: [value] }), { in: [value] });
  });
}

test("cborSerializer carries an object of a class as its own enumerable data", () => {
  assertSame(roundTrip(new Point(3)), { x: 3 });
  class Inherited extends Point {
    readonly y = 4;
  }
  assertSame(roundTrip(new Inherited(3)), { x: 3, y: 4 });
  assertSame(roundTrip(Object.assign(Object.create({ inherited: 1 }), { own: 2, [Symbol("no")]: 3 })), { own: 2 });
  assertSame(roundTrip(Object.assign(Object.create(null), { a: 1 })), { a: 1 });
});

test("cborSerializer carries subclasses of built-in classes as these", () => {
  class Names extends Map<string, number> {}
  class Numbers extends Array<number> {}
  class Bytes extends Uint8Array {}
  assertSame(roundTrip(new Names([["a", 1]])), new Map([["a", 1]]));
  assertSame(roundTrip(Numbers.from([1, 2])), [1, 2]);
  assertSame(roundTrip(new Bytes([1, 2])), Uint8Array.of(1, 2));
});

test("cborSerializer carries values of another realm", () => {
  const sources = {
    "new Map([['a', new Set([1])]])": new Map([["a", new Set([1])]]),
    "new RangeError('out', { cause: new Error('in') })": new RangeError("out", { cause: new Error("in") }),
    "[{ a: new Date(5) }, , /x/g, new Uint8Array([1]), new ArrayBuffer(2), Object(1)]":
      // deno-lint-ignore no-sparse-arrays -- it is what is tested.
      [{ a: new Date(5) }, , /x/g, Uint8Array.of(1), new ArrayBuffer(2), 1],
  };
  for (const [source, expected] of Object.entries(sources)) {
    const value: unknown = runInNewContext(source);
    assertSame(roundTrip([value, value]), [expected, expected]);
  }
});

test("cborSerializer carries what toJSON returns", () => {
  class Money {
    readonly cents = 5;
    toJSON() {
      return { euros: this.cents / 100 };
    }
  }
  assertSame(roundTrip([new Money(), new URL("http://localhost/a")]), [{ euros: 0.05 }, "http://localhost/a"]);
  assertSame(roundTrip({ a: 1, toJSON: () => [1, 2] }), [1, 2]);
  assertSame(roundTrip({ toJSON: "data" }), { toJSON: "data" });
  const itself = { toJSON: (): unknown => itself };
  assertThrows(() => encode(itself), SerializerError, "Cannot encode more than 512 levels");
});

test("cborSerializer carries boxed primitives as primitives", () => {
  assertSame(roundTrip([Object(1), Object("a"), Object(false), Object(1n)]), [1, "a", false, 1n]);
});

for (
  const [tag, array] of [
    ["", Uint8Array.of(1, 255)],
    ["d844", Uint8ClampedArray.of(1, 255)],
    ["d848", Int8Array.of(1, -1)],
    ["d845", Uint16Array.of(1, 65535)],
    ["d846", Uint32Array.of(1, 2 ** 32 - 1)],
    ["d847", BigUint64Array.of(1n, 2n ** 64n - 1n)],
    ["d84d", Int16Array.of(1, -1)],
    ["d84e", Int32Array.of(1, -1)],
    ["d84f", BigInt64Array.of(1n, -1n)],
    ["d855", Float32Array.of(1.5, -0)],
    ["d856", Float64Array.of(1.1, NaN)],
  ] as const
) {
  test(`cborSerializer carries ${array.constructor.name} as RFC 8746 has it`, () => {
    assertSame(roundTrip(array), array);
    assertEquals(encodeHex(array).slice(0, tag.length), tag);
    const part = array.subarray(1);
    assertSame(roundTrip(part), part.slice());
    if (array.BYTES_PER_ELEMENT > 1) {
      const reversed = toHex(new Uint8Array(array.slice().buffer).reverse());
      const bigEndian = (parseInt(tag.slice(2), 16) & ~4).toString(16);
      assertSame(decodeHex(`d8${bigEndian}${(0x40 | array.byteLength).toString(16)}${reversed}`), array.slice().reverse());
      const cut = toHex(new Uint8Array(array.buffer, 0, array.byteLength - 1));
      assertThrows(
        () => decodeHex(`${tag}${(0x40 | (array.byteLength - 1)).toString(16)}${cut}`),
        SerializerError,
        "ends within an element",
      );
    }
  });
}

test("cborSerializer.decode() reads 16-bit floats as the runtime's own array, or as 32-bit ones", () => {
  const little = decodeHex("d854 44 003e 00c0");
  const big = decodeHex("d850 44 3e00 c000");
  for (const array of [little, big] as Float32Array[]) {
    assertEquals([...array], [1.5, -2]);
    assertEquals(array.constructor.name, "Float16Array" in globalThis ? "Float16Array" : "Float32Array");
  }
  assertThrows(() => decodeHex("d853 40"), SerializerError, "Unknown tag 83");
});

test("cborSerializer carries a DataView and a part of a buffer as their own bytes", () => {
  const buffer = Uint8Array.of(1, 2, 3, 4).buffer;
  assertSame(roundTrip(new DataView(buffer, 1, 2)), new DataView(Uint8Array.of(2, 3).buffer));
  const arrived = roundTrip(new Uint16Array(buffer, 2, 1)) as Uint16Array;
  assertEquals(arrived.buffer.byteLength, 2);
});

test("cborSerializer carries Dates of every millisecond, and the one that is none", () => {
  for (const time of [0, 1, -1, 8.64e15, -8.64e15, 8.64e15 - 1, 1 - 8.64e15, 1763700000123, NaN]) {
    assertEquals((roundTrip(new Date(time)) as Date).getTime(), time);
  }
  // Where a float of seconds is only just exact enough.
  for (const about of [2 ** 42 * 1000, 4_455_057_722_479_105, 2 ** 52, 2 ** 43 * 980]) {
    for (let time = about - 500; time < about + 500; time++) {
      assertEquals((roundTrip([new Date(time), new Date(-time)]) as Date[]).map(Number), [time, -time]);
    }
  }
});

test("cborSerializer carries references to endpoints", () => {
  const value = { a: new FakeRef("Master", { host: "127.0.0.1", port: 7077 }), b: [new FakeRef("client")] };
  assertSame(roundTrip(value), value);
  assertEquals(encodeHex(new FakeRef("m")), "d81b84" + "6d" + toHex(new TextEncoder().encode("sparkwire:ref")) + "616df600");
});

test("cborSerializer.decode() refuses references that are none", () => {
  const name = "6d737061726b776972653a726566";
  const ports = ["84 616d f6 20", "84 616d f6 1a00010000", "84 616d f6 f93e00"];
  for (const rest of ["84 01 f6 00", "84 616d 01 00", ...ports, "84 616d 6168 6130", "83 616d f6"]) {
    assertThrows(() => decodeHex(`d81b${rest.slice(0, 2)}${name}${rest.slice(2)}`), SerializerError, undefined, rest);
  }
});

test("cborSerializer asks the environment only about objects that can be references", () => {
  const asked: unknown[] = [];
  const asking = { ...context, encodeRef: (value: object) => void asked.push(value) };
  const plain = [
    {},
    [],
    new Map(),
    new Set(),
    new Date(),
    /a/,
    new Uint8Array(1),
    new DataView(new ArrayBuffer(1)),
    new Error(),
  ];
  cborSerializer.encode([plain, Object.create(null), new TypedMessage("A"), new Point(1)], new ByteSink(), asking);
  assertEquals(asked.length, 1);
  assertInstanceOf(asked[0], Point);
});

test("cborSerializer carries a typed message with and without a payload", () => {
  assertSame(roundTrip(new TypedMessage("Heartbeat", { id: "w1" })), new TypedMessage("Heartbeat", { id: "w1" }));
  assertEquals(encodeHex(new TypedMessage("Status")), "d81b8166537461747573");
  assertSame(roundTrip(new TypedMessage("Status")), new TypedMessage("Status", undefined));
  assertSame(roundTrip(new TypedMessage("Status", null)), new TypedMessage("Status", null));
});

test("cborSerializer.encode() refuses a typed message with one of our names", () => {
  assertThrows(
    () => encode(new TypedMessage("sparkwire:ref", 1)),
    SerializerError,
    "Cannot encode the tag sparkwire:ref, which begins with sparkwire:",
  );
});

test("cborSerializer.decode() refuses generic objects that are none of ours", () => {
  for (const hex of ["d81b80", "d81b01", "d81b8101", "d81b83616101 02", "d81b816a737061726b776972653a", "d81b9f6161ff"]) {
    assertThrows(() => decodeHex(hex), SerializerError, undefined, hex);
  }
});

for (
  const [what, value, message] of [
    ["a function", { workers: [1, 2, 3, { run: () => 1 }] }, "Cannot encode a function at .workers[3].run"],
    ["a function alone", () => 1, "Cannot encode a function"],
    ["a symbol", ["a", Symbol("s")], "Cannot encode a symbol at [1]"],
    ["a promise", { p: Promise.resolve() }, "Cannot encode a Promise at .p"],
    ["a WeakMap", { "odd key": new WeakMap() }, 'Cannot encode a WeakMap at ["odd key"]'],
    ["a WeakRef", new WeakRef({}), "Cannot encode a WeakRef"],
    ["an AbortSignal", { s: new AbortController().signal }, "Cannot encode an AbortSignal at .s"],
    ["a stream", { s: new ReadableStream() }, "Cannot encode a ReadableStream at .s"],
    ["a generator", { g: [].values() }, "Cannot encode an Array Iterator at .g"],
    ["a SharedArrayBuffer", { g: new SharedArrayBuffer(1) }, "Cannot encode a SharedArrayBuffer at .g"],
    ["what is in a Map", { m: new Map([["a", 1], ["b", Symbol("s")]] as [string, unknown][]) }, "symbol at .m.entries()[1]"],
    ["what is in a Set", new Set([1, () => 1]), "Cannot encode a function at .entries()[1]"],
    ["what is in an Error", [new Error("e", { cause: { f: () => 1 } })], "Cannot encode a function at [0].cause.f"],
    ["what is in a typed message", new TypedMessage("A", { f: () => 1 }), "Cannot encode a function at .payload.f"],
    ["what is in toJSON", { a: { toJSON: () => ({ f: () => 1 }) } }, "Cannot encode a function at .a.f"],
    ["what the environment refuses", { to: new Untravelled() }, "Send its .ref instead at .to"],
    ["a bigint above the limit", [1n << 524_288n], "Cannot encode a bigint of 65537 bytes (the most is 65536) at [0]"],
  ] as const
) {
  test(`cborSerializer.encode() refuses ${what} and says where it is`, () => {
    const error = assertThrows(() => encode(value), SerializerError, message);
    assertEquals([error.direction, error.offset], ["encode", undefined]);
    assert(error.path !== undefined);
  });
}

test("cborSerializer.encode() says where a getter threw, and keeps what it threw", () => {
  const thrown = new TypeError("no luck");
  const value = {
    list: [{
      get bad(): number {
        throw thrown;
      },
    }],
  };
  const error = assertThrows(() => encode(value), SerializerError, "Cannot encode a value at .list[0].bad: no luck");
  assertStrictEquals(error.cause, thrown);
  assertEquals(error.path, ".list[0].bad");
});

test("cborSerializer.encode() lets an error of the environment through", () => {
  const stopped = new RpcStoppedError();
  const failing = {
    ...context,
    encodeRef() {
      throw stopped;
    },
  };
  assertStrictEquals(assertThrows(() => encode([new Point(1)], failing)), stopped);
});

test("cborSerializer.encode() leaves the sink as it was when it throws", () => {
  const out = new ByteSink(8);
  out.writeUint8(7);
  assertThrows(() => cborSerializer.encode({ a: "x".repeat(100), b: () => 1 }, out, context), SerializerError);
  assertEquals(toHex(out.copy()), "07");
  cborSerializer.encode(1, out, context);
  assertEquals(toHex(out.copy()), "07d9d9f701");
});

test("cborSerializer carries an array whose names look like indexes, also one with holes, without them", () => {
  for (const name of ["-1", "1.5", "4294967295", "4294967296", "1e+21", "a"]) {
    // deno-lint-ignore no-sparse-arrays -- it is what is tested.
    const array = [, 1];
    assertSame(roundTrip(Object.assign([...array], { [name]: 7 })), [undefined, 1]);
    assertSame(roundTrip(Object.assign(array.slice(), { [name]: 7 })), array);
  }
});

test("cborSerializer.encode() refuses a container that changes while it is read", () => {
  const growing: Record<string, unknown> = {
    a: 1,
    get b() {
      delete growing.c;
      return 1;
    },
    c: 1,
  };
  assertThrows(
    () => encode({ growing }),
    SerializerError,
    "Cannot encode an object that changed while it was read at .growing",
  );
  const map = new Map<unknown, unknown>();
  map.set("a", {
    get b() {
      map.set("c", 1);
      return 1;
    },
  });
  assertThrows(() => encode(map), SerializerError, "Cannot encode a Map that changed while it was read");
  const set = new Set<unknown>([{ toJSON: () => set.delete(1) }, 1]);
  assertThrows(() => encode(set), SerializerError, "Cannot encode a Set that changed while it was read");
  // deno-lint-ignore no-sparse-arrays -- it is what is tested.
  for (const rest of [[2, 3], [2, , 3]]) {
    const array: unknown[] = [{ toJSON: () => array.pop() }, ...rest];
    if (!(1 in rest)) delete array[2];
    const text = "Cannot encode an array that became shorter while it was read at .in";
    assertThrows(() => encode({ in: array }), SerializerError, text);
  }
});

test("cborSerializer.encode() writes text of every length around its limits in the shortest form", () => {
  for (const unit of ["a", "é", "水", "😀", "\ud800"]) {
    for (
      const count of [0, 1, 5, 8, 12, 21, 23, 24, 63, 64, 65, 84, 85, 86, 127, 128, 255, 256, 257, 21845, 21846, 65535, 65536]
    ) {
      const text = unit.repeat(count);
      const content = encode(text);
      assertStrictEquals(decode(content), text);
      const bytes = unit === "\ud800" ? 3 * count : new TextEncoder().encode(text).length;
      const head = bytes < 24 ? 1 : bytes < 256 ? 2 : bytes < 65536 ? 3 : 5;
      assertEquals(content.length, 3 + head + bytes + (unit === "\ud800" && count > 0 ? 3 : 0));
    }
  }
});

test("cborSerializer carries objects and arrays of every count around its limits", () => {
  for (const count of [0, 1, 23, 24, 255, 256, 65535, 65536]) {
    const entries = Array.from({ length: count }, (_, i): [string, number] => [`k${i}`, i]);
    assertSame(roundTrip(Object.fromEntries(entries)), Object.fromEntries(entries));
    assertSame(roundTrip(entries.map(([, i]) => i)), entries.map(([, i]) => i));
    assertSame(roundTrip(new Map(entries)), new Map(entries));
  }
});
