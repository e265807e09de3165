import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import process from "node:process";
import { ByteSink } from "../../src/base/byte_sink.ts";
import { SerializerError } from "../../src/base/errors.ts";
import { seededRandom } from "../../src/base/random.ts";
import { cborSerializer } from "../../src/serializer/cbor.ts";
import { memoryMeter } from "../_garbage.ts";
import { fromHex, test, until } from "../_harness.ts";
import { assertSame, context, decode, encode, encodeHex, FakeRef, roundTrip } from "./_cbor.ts";
import { randomValue } from "./_random_value.ts";

/** Lengths around those at which bytes are copied in another way. */
const LENGTHS = [0, 1, 23, 24, 64, 255, 256, 1000, 1018, 1019, 1020, 1023, 1024, 1025, 2000, 65_535, 65_536, 100_000];

function bytesOf(length: number, first: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => first + i);
}

test("cborSerializer.decode() keeps nothing of its input", () => {
  for (const length of LENGTHS) {
    for (const value of [bytesOf(length, 1), { a: bytesOf(length, 1), b: [bytesOf(length, 9)], c: "x".repeat(length) }]) {
      const content = encode(value);
      const arrived = decode(content);
      content.fill(0xee);
      assertSame(arrived, value);
    }
  }
});

test("cborSerializer.decode() keeps nothing of its input's typed arrays, buffers, bigints and text", () => {
  const value = [
    Float64Array.of(1.5),
    Uint8Array.of(1, 2).buffer,
    new DataView(new ArrayBuffer(3)),
    2n ** 99n,
    "\ud800",
    "é水",
  ];
  const content = encode(value);
  const arrived = decode(content);
  content.fill(0xee);
  assertSame(arrived, value);
});

test("cborSerializer.decode() gives byte strings that do not overlap, also beyond one slab", () => {
  const arrived: { a: Uint8Array; b: Uint8Array }[] = [];
  for (let i = 0; i < 2000; i++) arrived.push(roundTrip({ a: bytesOf(i % 90, i), b: bytesOf(50, i) }) as typeof arrived[0]);
  for (const { a, b } of arrived) {
    a.fill(0xaa);
    b.fill(0xbb);
  }
  for (const { a, b } of arrived) {
    assert(a.every((byte) => byte === 0xaa));
    assert(b.every((byte) => byte === 0xbb));
  }
});

test("cborSerializer.decode() gives plain Uint8Arrays for content in a part of a buffer or in a subclass", () => {
  class Chunk extends Uint8Array {}
  for (const length of LENGTHS) {
    for (const value of [bytesOf(length, 3), [bytesOf(length, 3)]]) {
      const content = encode(value);
      const memory = new Chunk(content.length + 20).fill(0xee);
      memory.set(content, 7);
      const arrived = decode(memory.subarray(7, 7 + content.length));
      memory.fill(0xdd);
      assertSame(arrived, value);
    }
  }
});

test("cborSerializer.decode() gives memory of their own to typed arrays and buffers", () => {
  const [floats, buffer] = roundTrip([Float64Array.of(1), new ArrayBuffer(5), bytesOf(2000, 0)]) as [Float64Array, ArrayBuffer];
  assertEquals([floats.buffer.byteLength, buffer.byteLength], [8, 5]);
});

test("cborSerializer.decode() of much content copies its short byte strings, so that none keeps the rest alive", () => {
  const [short, long] = roundTrip([bytesOf(16, 0), bytesOf(100_000, 0)]) as [Uint8Array, Uint8Array];
  assertEquals([short.buffer.byteLength, long.length], [16, 100_000]);
});

test("cborSerializer.encode() appends after what is in the sink, however little room there is", () => {
  const random = seededRandom(4);
  for (let i = 0; i < 300; i++) {
    const value = randomValue(random);
    const whole = encode(value);
    const out = new ByteSink(1 + Math.floor(random() * 40));
    out.writeInt32(i);
    cborSerializer.encode(value, out, context);
    assertEquals(out.copy(4), whole);
  }
});

test("cborSerializer carries random values of all kinds", () => {
  for (let seed = 0; seed < 1500; seed++) {
    const value = randomValue(seededRandom(seed));
    const content = encode(value);
    const arrived = decode(content);
    try {
      assertSame(arrived, value);
      assertEquals(encode(arrived), content);
    } catch (error) {
      throw new Error(`Seed ${seed}`, { cause: error });
    }
  }
});

test("cborSerializer.encode() can be called from a getter, from toJSON and from the environment", () => {
  const inner = { deep: [{ x: 1 }], text: "é" };
  const one = { x: 1 };
  const contents: Uint8Array[] = [];
  const nest = () => {
    contents.push(encode([one, one, inner]));
    return decode(contents.at(-1)!);
  };
  class Asker {
    readonly name = "asker";
  }
  const asking = {
    ...context,
    encodeRef(value: object) {
      nest();
      return context.encodeRef(value);
    },
  };
  const value = {
    a: one,
    get b() {
      return nest();
    },
    c: { toJSON: nest },
    d: new Asker(),
    e: one,
  };
  const arrived = decode(encode(value, asking));
  const nested = [one, one, inner];
  assertEquals(contents.length, 3);
  for (const content of contents) assertSame(decode(content), nested);
  const { a, b, c, d, e } = arrived as Record<string, unknown>;
  assertSame(b, nested);
  assertSame(c, nested);
  assertSame([a, d], [{ x: 1 }, { name: "asker" }]);
  assertStrictEquals(e, a);
});

test("cborSerializer.encode() goes on after a nested call that threw", () => {
  const value = {
    a: [1],
    get b() {
      assertThrows(() => encode([{ c: () => 1 }]), SerializerError, "Cannot encode a function at [0].c");
      return 2;
    },
    c: 3,
  };
  assertSame(roundTrip(value), { a: [1], b: 2, c: 3 });
  const failing = {
    list: [{
      get b(): unknown {
        encode({});
        throw new Error("late");
      },
    }],
  };
  assertThrows(() => encode(failing), SerializerError, "Cannot encode a value at .list[0].b: late");
});

test("cborSerializer.decode() can be called from the environment", () => {
  const inside = encode({ bytes: bytesOf(40, 1), list: ["a", [1]] });
  const nesting = {
    ...context,
    decodeRef(name: string) {
      return { name, inside: decode(inside) };
    },
  };
  const shared = { s: 1 };
  const value = { before: bytesOf(30, 7), shared, ref: new FakeRef("Master"), after: bytesOf(30, 9), again: shared };
  const content = encode(value);
  const arrived = decode(content, nesting) as typeof value;
  content.fill(0xee);
  assertSame(arrived.ref as unknown, { name: "Master", inside: { bytes: bytesOf(40, 1), list: ["a", [1]] } });
  assertSame([arrived.before, arrived.after], [bytesOf(30, 7), bytesOf(30, 9)]);
  assertStrictEquals(arrived.again, arrived.shared);
});

test("cborSerializer.decode() turns an error of the environment into its own, with the cause", () => {
  const cause = new RangeError("no such place");
  const failing = {
    ...context,
    decodeRef(): object {
      throw cause;
    },
  };
  const error = assertThrows(() => decode(encode([new FakeRef("a")]), failing), SerializerError, "no such place, at byte");
  assertStrictEquals(error.cause, cause);
  assertSame(roundTrip([1]), [1]);
});

test("CBOR encode refuses bytes whose memory has been transferred", () => {
  const bytes = new Uint8Array(100);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  assertThrows(() => encode(bytes), SerializerError, "Cannot encode a value: ");
  assertThrows(() => encode({ data: [bytes] }), SerializerError, "Cannot encode a value at .data[0]: ");
  assertSame(roundTrip([new Uint8Array(0)]), [new Uint8Array(0)]);
});

test("CBOR encode refuses bytes whose memory has shrunk below them", () => {
  class Part extends Uint8Array {}
  type View = new (buffer: ArrayBuffer, from: number, length?: number) => ArrayBufferView;
  for (const view of [Uint8Array, Int32Array, Float64Array, DataView, Part] as View[]) {
    const buffer = new ArrayBuffer(16, { maxByteLength: 16 });
    const [bytes, rest] = [new view(buffer, 8, 1), new view(buffer, 8)];
    buffer.resize(8);
    assertThrows(() => encode(bytes), SerializerError, "Cannot encode a value: ");
    assertThrows(() => encode({ data: [bytes] }), SerializerError, "Cannot encode a value at .data[0]: ");
    assertEquals([roundTrip(rest), roundTrip([rest])].flat().map((one) => (one as DataView).byteLength), [0, 0]);
  }
});

test("cborSerializer.decode() takes no more memory for a long text than a few times its bytes, also with half a surrogate pair", () => {
  const used = (): number => {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  for (const text of ["x".repeat(8_000_000), "水".repeat(4_000_000), "😀".repeat(2_000_000)]) {
    const content = encode(`${text}\ud800`);
    const before = used();
    const arrived = decode(content);
    const growth = used() - before;
    assert(arrived === `${text}\ud800`);
    assert(growth < 100_000_000, `${content.length} bytes took ${growth}`);
  }
});

/** How many bytes the values need that messages of these items are, 5,000 of each. */
function memoryOf(items: readonly string[]): number {
  const contents = items.map((item) => fromHex(`d9d9f7${item}`));
  const memoryBytes = memoryMeter();
  const before = memoryBytes();
  const kept = contents.map((content) => Array.from({ length: 5000 }, () => decode(content)));
  const bytes = memoryBytes() - before;
  assertEquals(kept.length, items.length);
  return bytes;
}

test("cborSerializer.decode() makes no room for indexes that are not there", () => {
  const object = (...keys: number[]) => encodeHex(Object.fromEntries(keys.map((key) => [key, 0])));
  const error = (key: string) => encodeHex(Object.assign(new Error("a"), { [key]: 0 }));
  const array = (...indexes: number[]) => {
    const sparse: unknown[] = [];
    for (const index of indexes) sparse[index] = 0;
    return encodeHex(sparse);
  };
  // Room for all of them would be 600 MB on V8, 500 on JavaScriptCore.
  const items = [
    object(999),
    object(999, 1999),
    "bf6339393900ff",
    "a17f63393939ff00",
    error("999"),
    array(900),
    array(10, 900),
    array(9000),
  ];
  const bytes = memoryOf(items);
  assert(bytes < 60_000_000, `${bytes} bytes`);
});

test("cborSerializer carries objects and arrays whatever their indexes are", () => {
  const keys = [
    "0",
    "7",
    "8",
    "99",
    "1000",
    "2000",
    "2001",
    "4294967293",
    "4294967294",
    "4294967295",
    "08",
    "1e3",
    "-1",
    "",
    "a",
  ];
  for (let from = 0; from < keys.length; from++) {
    const rotated = [...keys.slice(from), ...keys.slice(0, from)];
    for (const some of [rotated, rotated.slice(0, 2), rotated.slice(0, 5)]) {
      const value = Object.fromEntries(some.map((key, i) => [key, i]));
      assertSame(roundTrip(value), value);
      assertSame(roundTrip(Object.assign(new Error("a"), value)), Object.assign(new Error("a"), value));
    }
  }
  for (const indexes of [[], [0], [1], [8], [9], [5, 60_000], [60_000, 5], [...Array(1000).keys()]]) {
    const value: unknown[] = new Array(61_000);
    for (const index of indexes) value[index] = index;
    const arrived = roundTrip(value) as unknown[];
    assertSame(arrived, value);
    arrived[7] = "new";
    assertEquals([arrived.push("last"), arrived[7], arrived[61_000]], [61_001, "new", "last"]);
  }
});

test("cborSerializer.encode() keeps no keys of a message, however long they are", async () => {
  const memoryBytes = memoryMeter();
  const encodeNested = (keyLength: number, fail: boolean): void => {
    let value: unknown = fail ? () => {} : 1;
    for (let i = 0; i < 20; i++) value = { [String.fromCharCode(65 + i).repeat(keyLength)]: value };
    if (fail) assertThrows(() => cborSerializer.encode(value, new ByteSink(), context), SerializerError);
    else cborSerializer.encode(value, new ByteSink(), context);
  };
  for (const fail of [false, true]) {
    encodeNested(1, fail);
    const before = memoryBytes();
    encodeNested(5_000_000, fail);
    await until(() => memoryBytes() < before + 50_000_000, "keys of 100 MB to be let go of");
    encodeNested(1, fail);
  }
});
